#include "tcp/cookie.h"

#include "stack/base/clock.h"
#include "tcp/secret.h"

enum { LOW_BITS = 24, LOW_MASK = (1 << LOW_BITS) - 1 };

/* Of a timestamp: four bits of window scale, one of SACK, one of ECN. */
enum { TS_MASK = 63, TS_WSCALE = 15, TS_NO_WSCALE = 15, TS_SACK = 16, TS_ECN = 32 };

/* Least first.  An MSS is rounded down, so what is common is there exactly: IPv6's least
 * MTU, tunnels, IPv6 and IPv4 on Ethernet, jumbo frames. */
static const uint16_t mss_table[COOKIE_N_MSS] = { 64,	536,  1220, 1300,
						  1380, 1440, 1460, 8960 };

/* Changes with the slot, so that old cookies are worth nothing. */
static uint32_t low_hash(const struct hash_key *key, const struct flow *f, struct seq irs,
			 uint64_t slot)
{
	return (uint32_t)secret_flow(key, SECRET_COOKIE_LOW, f, slot << 32 | irs.n);
}

static uint32_t flow_hash(const struct hash_key *key, const struct flow *f)
{
	return (uint32_t)secret_flow(key, SECRET_COOKIE, f, 0);
}

static uint64_t slot_of(uint64_t now_ns)
{
	return now_ns / (COOKIE_SLOT_S * NS_PER_S);
}

struct seq cookie_make(const struct hash_key *key, const struct flow *f, struct seq irs,
		       uint16_t mss, uint64_t now_ns)
{
	uint64_t slot = slot_of(now_ns);
	uint32_t i = COOKIE_N_MSS - 1, low;

	while (i && mss_table[i] > mss)
		i--;
	low = (low_hash(key, f, irs, slot) + i) & LOW_MASK;
	return (struct seq){ flow_hash(key, f) + ((uint32_t)slot << LOW_BITS | low) };
}

bool cookie_check(const struct hash_key *key, const struct flow *f, struct seq irs,
		  struct seq cookie, uint64_t now_ns, uint16_t *mss)
{
	uint32_t said = cookie.n - flow_hash(key, f);
	uint64_t slot = slot_of(now_ns);
	uint8_t age = (uint8_t)(slot - (said >> LOW_BITS));
	uint32_t i;

	if (age >= COOKIE_N_SLOTS || age > slot)
		return false;
	i = (said - low_hash(key, f, irs, slot - age)) & LOW_MASK;
	if (i >= COOKIE_N_MSS)
		return false;
	*mss = mss_table[i];
	return true;
}

uint32_t cookie_ts(uint32_t ts, struct cookie_opts opts)
{
	uint32_t low = (opts.has_wscale ? opts.wscale & TS_WSCALE : TS_NO_WSCALE) |
		       (opts.sack ? TS_SACK : 0) | (opts.ecn ? TS_ECN : 0);
	uint32_t said = (ts & ~(uint32_t)TS_MASK) | low;

	return low > (ts & TS_MASK) ? said - (TS_MASK + 1) : said;
}

struct cookie_opts cookie_ts_read(uint32_t ts)
{
	uint8_t wscale = ts & TS_WSCALE;
	bool has = wscale != TS_NO_WSCALE;

	return (struct cookie_opts){
		.wscale = has ? wscale : 0,
		.has_wscale = has,
		.sack = ts & TS_SACK,
		.ecn = ts & TS_ECN,
	};
}

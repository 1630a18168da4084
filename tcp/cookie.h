/*
 * SYN cookies (Bernstein 1996, RFC 4987 3.6), pure functions.
 *
 *	 31       24 23                    0
 *	+-----------+----------------------+
 *	| slot      | hash + number of MSS |   + a hash of the flow
 *	+-----------+----------------------+
 *
 * A cookie carries the MSS in the sequence number, and window scale, SACK and ECN in the
 * low bits of our timestamp when the peer sends timestamps; else they are given up.
 * One guess in 2^28 passes for a cookie.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"
#include "stack/base/seq.h"

enum {
	COOKIE_SLOT_S = 64, /* how long one slot lasts */
	COOKIE_N_SLOTS = 2, /* the present one and those before it that count */
	COOKIE_N_MSS = 8,
};

/* The sequence number of a SYN-ACK that says what @mss was, at @now_ns. */
struct seq cookie_make(const struct hash_key *key, const struct flow *f, struct seq irs,
		       uint16_t mss, uint64_t now_ns);
/*
 * True when @cookie was made for that flow and the peer's initial number @irs in one
 * of the last COOKIE_N_SLOTS slots; *mss is what it carries, rounded down to one of
 * COOKIE_N_MSS.
 */
bool cookie_check(const struct hash_key *key, const struct flow *f, struct seq irs,
		  struct seq cookie, uint64_t now_ns, uint16_t *mss);

/* What a timestamp of a cookie SYN-ACK says beside the time. */
struct cookie_opts {
	uint8_t wscale; /* at most 14 */
	bool has_wscale, sack, ecn;
};

/* The latest value at or before @ts whose low six bits carry @opts. */
uint32_t cookie_ts(uint32_t ts, struct cookie_opts opts);
struct cookie_opts cookie_ts_read(uint32_t ts);

/*
 * Addresses that we make ourselves (RFC 4862), with interface identifiers that stay the
 * same on a network and tell nothing on another (RFC 7217).
 */
#include <string.h>

#include "arp/nd.h"
#include "arp/nd_wire.h"
#include "eth/eth.h"
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/clock.h"

enum { IID_AT = 8, IID_LEN = 8, IID_BITS = 64 };

/* RFC 4862 5.5.3 e: what a router may take away of a life, at most down to this. */
#define TWO_HOURS_NS (7200 * NS_PER_S)

static const struct ip6 link_local = { { 0xfe, 0x80 } };

/* RFC 5453 3: of routers, of ISO hosts that never were, of anycast. */
static bool is_reserved(const uint8_t iid[IID_LEN])
{
	static const uint8_t routers[IID_LEN];
	static const uint8_t iana[] = { 0x02, 0x00, 0x5e, 0xff, 0xfe };
	static const uint8_t anycast[] = { 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	return memcmp(iid, routers, sizeof(routers)) == 0 ||
	       memcmp(iid, iana, sizeof(iana)) == 0 ||
	       (memcmp(iid, anycast, sizeof(anycast)) == 0 && iid[7] >= 0x80);
}

struct ip6 slaac_addr(const struct ip *ip, unsigned iface, struct ip6 prefix,
		      unsigned nth)
{
	/* RFC 7217 5: RID = F(Prefix, Net_Iface, DAD_Counter, secret_key) */
	uint8_t of[IID_AT + sizeof(struct mac) + 2];
	uint64_t iid;

	memcpy(of, prefix.b, IID_AT);
	memcpy(of + IID_AT, &ip->ifaces[iface].eth->mac, sizeof(struct mac));
	of[sizeof(of) - 2] = (uint8_t)iface;
	do {
		of[sizeof(of) - 1] = (uint8_t)nth++;
		iid = hash_siphash24(&ip->iid_key, of, sizeof(of));
		memcpy(prefix.b + IID_AT, &iid, IID_LEN);
	} while (is_reserved(prefix.b + IID_AT));
	return prefix;
}

void ip6_set_secret(struct ip *ip, const char *text)
{
	static const struct hash_key first = { { 0x5bd1e995, 1 } }, second = { { 1, 2 } };

	ip->iid_key.k[0] = hash_siphash24(&first, text, strlen(text));
	ip->iid_key.k[1] = hash_siphash24(&second, text, strlen(text));
}

int ip6_start(struct ip *ip, unsigned iface, bool probe, uint64_t now_ns)
{
	struct ip6_addr new = {
		.addr = slaac_addr(ip, iface, link_local, 0),
		.bits = IID_BITS,
		.is_auto = true,
		.preferred_until_ns = UINT64_MAX,
		.valid_until_ns = UINT64_MAX,
	};

	return ip6_addr_new(ip, iface, &new, probe, now_ns);
}

void ip6_listen_to_routers(struct ip *ip, unsigned iface, uint64_t now_ns)
{
	ra_start(&ip->ifaces[iface].ip6.ra, now_ns);
}

/* ---- what a router's prefix makes (RFC 4862 5.5.3) ---- */

static struct ip6_addr *find(struct ip6_iface *i, struct ip6 prefix)
{
	for (unsigned k = 0; k < i->n_addrs; k++)
		if (i->addrs[k].is_auto &&
		    memcmp(i->addrs[k].addr.b, prefix.b, IID_AT) == 0)
			return &i->addrs[k];
	return NULL;
}

static unsigned n_auto(const struct ip6_iface *i)
{
	unsigned n = 0;

	for (unsigned k = 0; k < i->n_addrs; k++)
		n += i->addrs[k].is_auto && !ip6_is_link_local(i->addrs[k].addr);
	return n;
}

static uint64_t end_of(uint32_t s, uint64_t now_ns)
{
	return s == UINT32_MAX ? UINT64_MAX : now_ns + s * NS_PER_S;
}

/* e: whoever sends false advertisements cannot end an address at once. */
static void lengthen(struct ip *ip, struct ip6_addr *a, const struct nd_prefix *p,
		     uint64_t now_ns)
{
	uint64_t valid_ns = end_of(p->valid_s, now_ns), floor_ns = now_ns + TWO_HOURS_NS;

	if (valid_ns > floor_ns || valid_ns > a->valid_until_ns)
		a->valid_until_ns = valid_ns;
	else if (a->valid_until_ns > floor_ns)
		a->valid_until_ns = floor_ns;
	a->preferred_until_ns = end_of(p->preferred_s, now_ns);
	if (a->deprecated != (p->preferred_s == 0))
		ip->generation++;
	a->deprecated = p->preferred_s == 0;
}

void slaac_hear(struct ip *ip, unsigned iface, const struct nd_prefix *p, uint64_t now_ns)
{
	struct ip6_iface *i = &ip->ifaces[iface].ip6;
	struct ip6_addr *a = find(i, p->prefix);
	struct ip6_addr new = {
		.bits = p->bits,
		.is_auto = true,
		.deprecated = p->preferred_s == 0,
		.preferred_until_ns = end_of(p->preferred_s, now_ns),
		.valid_until_ns = end_of(p->valid_s, now_ns),
	};

	/* c; and d: the identifier fills what the prefix leaves. */
	if (p->preferred_s > p->valid_s || p->bits != IID_BITS)
		return;
	if (a) {
		lengthen(ip, a, p, now_ns);
		return;
	}
	if (!p->valid_s || n_auto(i) == RA_ADDRS_MAX)
		return;
	new.addr = slaac_addr(ip, iface, ip6_prefix(p->prefix, IID_BITS), 0);
	ip6_addr_new(ip, iface, &new, true, now_ns);
}

void slaac_conflict(struct ip *ip, unsigned iface, struct ip6 addr, uint64_t now_ns)
{
	struct ip6_addr *own = find(&ip->ifaces[iface].ip6, addr);
	struct ip6_addr new;

	/* RFC 7217 6: another identifier, but not for ever. */
	if (!own || !ip6_eq(own->addr, addr) || own->n_conflicts == RA_DAD_TRIES)
		return;
	new = *own;
	new.n_conflicts++;
	new.addr = slaac_addr(ip, iface, ip6_prefix(addr, IID_BITS), new.n_conflicts);
	ip6_addr_del(ip, iface, addr, now_ns);
	ip6_addr_new(ip, iface, &new, true, now_ns);
}

/* ---- time (RFC 4862 5.5.4) ---- */

uint64_t slaac_due(const struct ip_iface *iface)
{
	uint64_t due_ns = UINT64_MAX;

	for (unsigned k = 0; k < iface->ip6.n_addrs; k++) {
		const struct ip6_addr *a = &iface->ip6.addrs[k];

		if (!a->is_auto)
			continue;
		if (!a->deprecated && a->preferred_until_ns < due_ns)
			due_ns = a->preferred_until_ns;
		if (a->valid_until_ns < due_ns)
			due_ns = a->valid_until_ns;
	}
	return due_ns;
}

void slaac_expire(struct ip *ip, struct ip_iface *iface, uint64_t now_ns)
{
	for (unsigned k = iface->ip6.n_addrs; k-- > 0;) {
		struct ip6_addr *a = &iface->ip6.addrs[k];

		if (!a->is_auto)
			continue;
		if (!a->deprecated && a->preferred_until_ns <= now_ns) {
			a->deprecated = true;
			ip->generation++;
		}
		if (a->valid_until_ns <= now_ns)
			ip6_addr_del(ip, (unsigned)(iface - ip->ifaces), a->addr, now_ns);
	}
}

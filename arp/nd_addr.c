/*
 * Addresses of ours, and the search for duplicates (RFC 4862 5.4).
 */
#include <errno.h>

#include "arp/nd.h"
#include "arp/nd_wire.h"
#include "arp/neigh_impl.h"
#include "eth/eth.h"
#include "ip/ip6_wire.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

enum {
	DELAY_MS = 1000,  /* RFC 4861 10: MAX_RTR_SOLICITATION_DELAY, at random */
	TRANSMITS = 1,	  /* RFC 4862 5.1: DupAddrDetectTransmits */
	AGAIN_MS = 60000, /* as ARP does: the other one may be gone */
	DEFEND_MS = 10000,
};

static const struct ip6 nobody;
static const struct ip6 all_routers = { { 0xff, 2, [15] = 2 } };
static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };

static void arm(struct nd_addr *a, uint64_t now_ns, uint32_t ms)
{
	timer_arm(a->table->wheel, &a->timer, now_ns + ms * NS_PER_MS);
}

static void probe(struct nd_addr *a, uint64_t now_ns)
{
	struct nd_msg m = { .type = ND_SOLICIT, .target = a->addr, .has_nonce = true };

	/* RFC 7527 4.1: so that we know our own question when a link gives it back. */
	memcpy(m.nonce, a->nonce, ND_NONCE_LEN);
	if (nd_send(a->table, a->eth, &m, nobody, nd_solicited_node(a->addr), now_ns))
		a->table->stats.requests++;
}

static void announce(struct nd_addr *a, struct ip6 to, bool override, uint64_t now_ns)
{
	struct nd_msg m = {
		.type = ND_ADVERT,
		.override = override,
		.target = a->addr,
		.has_mac = true,
		.mac = a->eth->mac,
	};

	if (nd_send(a->table, a->eth, &m, a->addr, to, now_ns))
		a->table->stats.announcements++;
}

static void enter(struct nd_addr *a, enum arp_addr_state state, uint64_t now_ns)
{
	uint64_t nonce;

	a->state = state;
	a->n_sent = 0;
	switch (state) {
	case ARP_ADDR_PROBING:
		nonce = rng_u64(a->table->rng);
		memcpy(a->nonce, &nonce, ND_NONCE_LEN);
		arm(a, now_ns, rng_below(a->table->rng, DELAY_MS + 1));
		break;
	case ARP_ADDR_READY:
		timer_stop(a->table->wheel, &a->timer);
		/* RFC 9131 6.1.2: routers shall know it before the first packet comes. */
		announce(a, all_routers, false, now_ns);
		break;
	case ARP_ADDR_CONFLICT: arm(a, now_ns, AGAIN_MS); break;
	}
}

static void fire(struct timer *t, uint64_t now_ns)
{
	struct nd_addr *a = container_of(t, struct nd_addr, timer);

	if (a->state == ARP_ADDR_CONFLICT) {
		enter(a, ARP_ADDR_PROBING, now_ns);
	} else if (a->n_sent < TRANSMITS) {
		a->n_sent++;
		probe(a, now_ns);
		timer_arm(a->table->wheel, &a->timer, now_ns + a->table->retrans6_ns);
	} else {
		enter(a, ARP_ADDR_READY, now_ns);
	}
}

int nd_addr_add(struct neigh_table *table, struct eth *eth, struct ip6 addr, bool try,
		uint64_t now_ns)
{
	struct nd_addr *a = table->own6;

	if (nd_addr_find(table, eth, addr))
		return -EEXIST;
	while (a < table->own6 + ND_ADDR_MAX && a->eth)
		a++;
	if (a == table->own6 + ND_ADDR_MAX)
		return -ENOSPC;
	*a = (struct nd_addr){ .table = table, .eth = eth, .addr = addr };
	timer_init(&a->timer, fire);
	if (eth->point_to_point) { /* nobody to tell, and nobody to quarrel with */
		a->state = ARP_ADDR_READY;
		return 0;
	}
	enter(a, try ? ARP_ADDR_PROBING : ARP_ADDR_READY, now_ns);
	return 0;
}

void nd_addr_del(struct neigh_table *table, struct eth *eth, struct ip6 addr)
{
	struct nd_addr *a = nd_addr_find(table, eth, addr);

	if (!a)
		return;
	timer_stop(table->wheel, &a->timer);
	a->eth = NULL;
}

void nd_addr_fini(struct neigh_table *table)
{
	for (struct nd_addr *a = table->own6; a < table->own6 + ND_ADDR_MAX; a++)
		if (a->eth)
			timer_stop(table->wheel, &a->timer);
}

struct nd_addr *nd_addr_find(struct neigh_table *table, const struct eth *eth,
			     struct ip6 addr)
{
	for (struct nd_addr *a = table->own6; a < table->own6 + ND_ADDR_MAX; a++)
		if (a->eth == eth && ip6_eq(a->addr, addr))
			return a;
	return NULL;
}

bool nd_addr_info(const struct neigh_table *table, const struct eth *eth, struct ip6 addr,
		  struct arp_addr_info *info)
{
	for (uint32_t i = 0; i < ND_ADDR_MAX; i++) {
		const struct nd_addr *a = &table->own6[i];

		if (a->eth != eth || !ip6_eq(a->addr, addr))
			continue;
		*info = (struct arp_addr_info){
			.state = a->state,
			.n_conflicts = a->n_conflicts,
			.rival = a->rival,
		};
		return true;
	}
	return false;
}

enum arp_addr_state nd_addr_state(const struct neigh_table *table, const struct eth *eth,
				  struct ip6 addr)
{
	struct arp_addr_info info;

	return nd_addr_info(table, eth, addr, &info) ? info.state : ARP_ADDR_CONFLICT;
}

static unsigned common_bits(struct ip6 a, struct ip6 b)
{
	unsigned bits = 0;

	while (bits < 128 && !((a.b[bits / 8] ^ b.b[bits / 8]) & 0x80 >> bits % 8))
		bits++;
	return bits;
}

bool nd_addr_nearest(const struct neigh_table *table, const struct eth *eth,
		     struct ip6 addr, struct ip6 *own)
{
	const struct nd_addr *best = NULL;
	unsigned best_bits = 0;

	for (uint32_t i = 0; i < ND_ADDR_MAX; i++) {
		const struct nd_addr *a = &table->own6[i];
		unsigned bits;

		if (a->eth != eth || a->state != ARP_ADDR_READY)
			continue;
		bits = common_bits(a->addr, addr);
		if (!best || bits > best_bits) {
			best = a;
			best_bits = bits;
		}
	}
	if (best)
		*own = best->addr;
	return best;
}

static void claim(struct nd_addr *a, const struct nd_msg *m)
{
	a->table->stats.conflicts++;
	a->n_conflicts++;
	if (m->has_mac)
		a->rival = m->mac;
}

bool nd_addr_solicited(struct nd_addr *a, const struct pkt *p, const struct nd_msg *m,
		       uint64_t now_ns)
{
	/* RFC 4862 5.4.3: two who search for the same at once both lose. */
	if (a->state != ARP_ADDR_PROBING || !ip6_is_zero(p->src.ip6))
		return false;
	/* RFC 7527 4.2: what we asked ourselves is no other's question. */
	if (m->has_nonce && memcmp(m->nonce, a->nonce, ND_NONCE_LEN) == 0)
		return false;
	claim(a, m);
	enter(a, ARP_ADDR_CONFLICT, now_ns);
	return true;
}

void nd_addr_claimed(struct nd_addr *a, const struct nd_msg *m, uint64_t now_ns)
{
	if (a->state == ARP_ADDR_CONFLICT)
		return;
	claim(a, m);
	/* RFC 4862 5.4.4 */
	if (a->state == ARP_ADDR_PROBING) {
		enter(a, ARP_ADDR_CONFLICT, now_ns);
		return;
	}
	/* We are what others come to: as with ARP (RFC 5227 2.4 c), said once again. */
	if (a->defended && now_ns - a->defended_ns < DEFEND_MS * NS_PER_MS)
		return;
	a->defended = true;
	a->defended_ns = now_ns;
	announce(a, all_nodes, true, now_ns);
}

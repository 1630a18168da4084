/*
 * Addresses of ours, looked after as RFC 5227 says.
 *
 *            arp_addr_add(probe)                      conflict
 *      (none) ------------------> PROBING ---------------------> CONFLICT
 *        |                        3 probes  <---------------------
 *        |                           |         RATE_LIMIT_INTERVAL
 *        | arp_addr_add              | nobody minded
 *        v                           v
 *      READY  <-----------------------
 *        2 announcements; defended against later claims, for ever
 *
 * We are what others come to, so a READY address is not given up (RFC 5227 2.4, c):
 * it is announced again, at most once in DEFEND_INTERVAL.
 */
#include <errno.h>

#include "arp/neigh_impl.h"
#include "eth/eth.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/rng.h"

/* RFC 5227 1.1 */
enum {
	PROBE_WAIT_MS = 1000,
	PROBE_NUM = 3,
	PROBE_MIN_MS = 1000,
	PROBE_MAX_MS = 2000,
	ANNOUNCE_WAIT_MS = 2000,
	ANNOUNCE_NUM = 2,
	ANNOUNCE_INTERVAL_MS = 2000,
	RATE_LIMIT_INTERVAL_MS = 60000,
	DEFEND_INTERVAL_MS = 10000,
};

static void arm(struct arp_addr *a, uint64_t now_ns, uint32_t ms)
{
	timer_arm(a->table->wheel, &a->timer, now_ns + ms * NS_PER_MS);
}

static void announce(struct arp_addr *a, uint64_t now_ns)
{
	struct arp_msg m = {
		.op = ARP_REQUEST,
		.sender_mac = a->eth->mac,
		.sender_ip = a->addr,
		.target_ip = a->addr,
	};

	if (arp_send(a->table, a->eth, &m, arp_broadcast, now_ns))
		a->table->stats.announcements++;
}

static void probe(struct arp_addr *a, uint64_t now_ns)
{
	struct arp_msg m = {
		.op = ARP_REQUEST,
		.sender_mac = a->eth->mac,
		.target_ip = a->addr,
	};

	if (arp_send(a->table, a->eth, &m, arp_broadcast, now_ns))
		a->table->stats.requests++;
}

static void enter(struct arp_addr *a, enum arp_addr_state state, uint64_t now_ns)
{
	a->state = state;
	a->n_sent = 0;
	switch (state) {
	case ARP_ADDR_PROBING:
		arm(a, now_ns, rng_below(a->table->rng, PROBE_WAIT_MS + 1));
		break;
	case ARP_ADDR_READY:
		announce(a, now_ns);
		a->n_sent = 1;
		arm(a, now_ns, ANNOUNCE_INTERVAL_MS);
		break;
	case ARP_ADDR_CONFLICT: arm(a, now_ns, RATE_LIMIT_INTERVAL_MS); break;
	}
}

static void probing_fire(struct arp_addr *a, uint64_t now_ns)
{
	uint32_t spread = PROBE_MAX_MS - PROBE_MIN_MS + 1;

	if (a->n_sent == PROBE_NUM) {
		enter(a, ARP_ADDR_READY, now_ns);
		return;
	}
	probe(a, now_ns);
	a->n_sent++;
	arm(a, now_ns,
	    a->n_sent < PROBE_NUM ? PROBE_MIN_MS + rng_below(a->table->rng, spread) :
				    ANNOUNCE_WAIT_MS);
}

static void fire(struct timer *t, uint64_t now_ns)
{
	struct arp_addr *a = container_of(t, struct arp_addr, timer);

	switch (a->state) {
	case ARP_ADDR_PROBING: probing_fire(a, now_ns); break;
	case ARP_ADDR_READY:
		announce(a, now_ns);
		if (++a->n_sent < ANNOUNCE_NUM)
			arm(a, now_ns, ANNOUNCE_INTERVAL_MS);
		break;
	case ARP_ADDR_CONFLICT: enter(a, ARP_ADDR_PROBING, now_ns); break;
	}
}

int arp_addr_add(struct neigh_table *table, struct eth *eth, struct ip4 addr, bool probe,
		 uint64_t now_ns)
{
	struct arp_addr *a = table->own;

	if (arp_addr_find(table, eth, addr))
		return -EEXIST;
	while (a < table->own + ARP_ADDR_MAX && a->eth)
		a++;
	if (a == table->own + ARP_ADDR_MAX)
		return -ENOSPC;
	*a = (struct arp_addr){ .table = table, .eth = eth, .addr = addr };
	timer_init(&a->timer, fire);
	if (eth->point_to_point) { /* nobody to tell, and nobody to quarrel with */
		a->state = ARP_ADDR_READY;
		return 0;
	}
	enter(a, probe ? ARP_ADDR_PROBING : ARP_ADDR_READY, now_ns);
	return 0;
}

void arp_addr_del(struct neigh_table *table, struct eth *eth, struct ip4 addr)
{
	struct arp_addr *a = arp_addr_find(table, eth, addr);

	if (!a)
		return;
	timer_stop(table->wheel, &a->timer);
	a->eth = NULL;
}

void arp_addr_fini(struct neigh_table *table)
{
	for (struct arp_addr *a = table->own; a < table->own + ARP_ADDR_MAX; a++)
		if (a->eth)
			timer_stop(table->wheel, &a->timer);
}

struct arp_addr *arp_addr_find(struct neigh_table *table, const struct eth *eth,
			       struct ip4 addr)
{
	for (struct arp_addr *a = table->own; a < table->own + ARP_ADDR_MAX; a++)
		if (a->eth == eth && ip4_eq(a->addr, addr))
			return a;
	return NULL;
}

bool arp_addr_info(const struct neigh_table *table, const struct eth *eth,
		   struct ip4 addr, struct arp_addr_info *info)
{
	for (uint32_t i = 0; i < ARP_ADDR_MAX; i++) {
		const struct arp_addr *a = &table->own[i];

		if (a->eth != eth || !ip4_eq(a->addr, addr))
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

enum arp_addr_state arp_addr_state(const struct neigh_table *table, const struct eth *eth,
				   struct ip4 addr)
{
	struct arp_addr_info info;

	return arp_addr_info(table, eth, addr, &info) ? info.state : ARP_ADDR_CONFLICT;
}

static unsigned common_bits(struct ip4 a, struct ip4 b)
{
	struct addr x = addr_ip4(a), y = addr_ip4(b);
	unsigned bits = 32;

	while (!addr_same_prefix(&x, &y, bits))
		bits--;
	return bits;
}

bool arp_addr_nearest(const struct neigh_table *table, const struct eth *eth,
		      struct ip4 addr, struct ip4 *own)
{
	const struct arp_addr *best = NULL;
	unsigned best_bits = 0;

	for (uint32_t i = 0; i < ARP_ADDR_MAX; i++) {
		const struct arp_addr *a = &table->own[i];
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

bool arp_addr_is_our_mac(const struct neigh_table *table, const struct eth *eth,
			 struct mac mac)
{
	if (mac_eq(eth->mac, mac))
		return true;
	for (uint32_t i = 0; i < ARP_ADDR_MAX; i++)
		if (table->own[i].eth && mac_eq(table->own[i].eth->mac, mac))
			return true;
	return false;
}

/* RFC 5227 2.4 (c): one announcement, unless we made one just now. */
static void defend(struct arp_addr *a, uint64_t now_ns)
{
	if (a->defended && now_ns - a->defended_ns < DEFEND_INTERVAL_MS * NS_PER_MS)
		return;
	a->defended = true;
	a->defended_ns = now_ns;
	announce(a, now_ns);
}

bool arp_addr_conflict(struct neigh_table *table, struct eth *eth,
		       const struct arp_msg *m, uint64_t now_ns)
{
	struct arp_addr *a = arp_addr_find(table, eth, m->sender_ip);

	/* RFC 5227 2.1.1: while we probe, another one that probes is a claim too. */
	if (!a && ip4_is_zero(m->sender_ip)) {
		a = arp_addr_find(table, eth, m->target_ip);
		if (a && a->state != ARP_ADDR_PROBING)
			a = NULL;
	}
	if (!a || a->state == ARP_ADDR_CONFLICT)
		return false;
	table->stats.conflicts++;
	a->n_conflicts++;
	a->rival = m->sender_mac;
	if (a->state == ARP_ADDR_PROBING)
		enter(a, ARP_ADDR_CONFLICT, now_ns);
	else
		defend(a, now_ns);
	return true;
}

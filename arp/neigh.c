/*
 * The table of neighbours: who is where, and the packets that wait to know.
 *
 * neigh_output() finds the entry of the next hop (mostly the one that it found last)
 * and, unless that is INCOMPLETE, gives the packet to Ethernet.  All else happens
 * when ARP hears something (neigh_learn), when a connection makes progress
 * (neigh_confirm), and when an entry's timer fires: its one timer means whatever its
 * state waits for.  States are changed by enter(), which does what entering means.
 */
#include "arp/neigh.h"

#include <errno.h>
#include <stdlib.h>

#include "arp/neigh_impl.h"
#include "eth/eth.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

/* A request that was held back is tried again so soon, not all at once. */
enum { HELD_MIN_MS = 50, HELD_SPREAD_MS = 100 };

/* What a router may ask for between two solicitations: it is not to make us flood the
 * link, nor wait for ever. */
enum { RETRANS_MIN_MS = 100, RETRANS_MAX_MS = 10000 };

struct key {
	const struct eth *eth;
	const struct addr *addr;
};

static void fire(struct timer *t, uint64_t now_ns);

int neigh_new(struct neigh_table **table, uint32_t max, struct pkt_pool *pool,
	      struct wheel *wheel, struct rng *rng)
{
	struct neigh_table *t = calloc(1, sizeof(*t));

	ASSERT(max >= 2);
	if (!t)
		return -ENOMEM;
	t->all = calloc(max, sizeof(struct neigh_entry *));
	if (!t->all)
		goto no_all;
	if (pool_init(&t->entries, sizeof(struct neigh_entry), 64, max))
		goto no_entries;
	if (map_init(&t->by_addr, 64))
		goto no_map;
	list_init(&t->lru);
	t->pool = pool;
	t->wheel = wheel;
	t->rng = rng;
	t->key = (struct hash_key){ { rng_u64(rng), rng_u64(rng) } };
	/* RFC 4861 6.3.2: not the same for all hosts, so that they do not ask at once */
	t->reachable_ns = NEIGH_REACHABLE_S * NS_PER_S / 2 +
			  rng_below(rng, NEIGH_REACHABLE_S * 1000) * NS_PER_MS;
	t->reachable6_ns = t->reachable_ns;
	t->retrans6_ns = NEIGH_RETRY_S * NS_PER_S;
	bucket_init(&t->requests, NEIGH_REQUESTS_PER_S, NEIGH_REQUESTS_PER_S);
	*table = t;
	return 0;
no_map:
	pool_fini(&t->entries);
no_entries:
	free(t->all);
no_all:
	free(t);
	return -ENOMEM;
}

void neigh_on_unreachable(struct neigh_table *table, neigh_unreachable *fn, void *ctx)
{
	table->unreachable = fn;
	table->unreachable_ctx = ctx;
}

/* ---- finding, making and dropping entries ---- */

static uint32_t hash_of(const struct neigh_table *table, const struct eth *eth,
			const struct addr *addr)
{
	uint8_t bytes[sizeof(*addr) + 1];

	memcpy(bytes, addr, sizeof(*addr));
	bytes[sizeof(*addr)] = eth->index;
	return (uint32_t)hash_siphash13(&table->key, bytes, sizeof(bytes));
}

static bool is_for(const struct neigh_entry *e, const struct eth *eth,
		   const struct addr *addr)
{
	return e->eth == eth && addr_eq(&e->addr, addr);
}

static bool eq(const void *ctx, uint32_t id, const void *key)
{
	const struct neigh_table *table = ctx;
	const struct key *k = key;

	return is_for(pool_at(&table->entries, id), k->eth, k->addr);
}

static struct neigh_entry *find(struct neigh_table *table, struct eth *eth,
				const struct addr *addr)
{
	struct key key = { eth, addr };
	uint32_t id;

	if (table->last && is_for(table->last, eth, addr))
		return table->last;
	id = map_find(&table->by_addr, hash_of(table, eth, addr), eq, table, &key);
	if (id == MAP_NONE)
		return NULL;
	table->last = pool_at(&table->entries, id);
	list_remove(&table->last->lru);
	list_insert(&table->lru, &table->last->lru);
	return table->last;
}

/* Its queue must be empty. */
static void drop(struct neigh_table *table, struct neigh_entry *e)
{
	DEBUG_ASSERT(!e->queue);
	timer_stop(table->wheel, &e->timer);
	list_remove(&e->lru);
	map_del(&table->by_addr, e->hash, pool_id(&table->entries, e));
	if (table->last == e)
		table->last = NULL;
	if (e->state == NEIGH_INCOMPLETE)
		table->n_incomplete--;
	table->all[e->at] = table->all[table->entries.n_out - 1];
	table->all[e->at]->at = e->at;
	pool_put(&table->entries, e);
}

/* Drops the least recently used entry that has an answer. */
static void evict(struct neigh_table *table)
{
	for (struct list *l = table->lru.prev; l != &table->lru; l = l->prev) {
		struct neigh_entry *e = container_of(l, struct neigh_entry, lru);

		if (e->state != NEIGH_INCOMPLETE) {
			drop(table, e);
			table->stats.evicted++;
			return;
		}
	}
}

/* A new entry, whose state the caller enters at once; NULL: no room. */
static struct neigh_entry *make(struct neigh_table *table, struct eth *eth,
				const struct addr *addr)
{
	uint32_t hash = hash_of(table, eth, addr);
	struct neigh_entry *e;

	if (pool_left(&table->entries) == 0)
		evict(table);
	e = pool_get(&table->entries);
	if (!e)
		return NULL;
	if (map_add(&table->by_addr, hash, pool_id(&table->entries, e))) {
		pool_put(&table->entries, e);
		table->stats.no_memory++;
		return NULL;
	}
	*e = (struct neigh_entry){
		.table = table,
		.eth = eth,
		.addr = *addr,
		.hash = hash,
		.at = table->entries.n_out - 1,
		.queue_end = &e->queue,
	};
	timer_init(&e->timer, fire);
	list_insert(&table->lru, &e->lru);
	table->all[e->at] = e;
	table->last = e;
	return e;
}

/* ---- states ---- */

static bool request(struct neigh_entry *e, uint64_t now_ns)
{
	const struct mac *at = e->state == NEIGH_PROBE ? &e->mac : NULL;

	if (e->addr.family == ADDR_IP6)
		return nd_solicit(e->table, e->eth, e->addr.ip6, at, now_ns);
	return arp_request(e->table, e->eth, e->addr.ip4, at ? *at : arp_broadcast,
			   now_ns);
}

/* Asks for the address: everybody, or in PROBE the station that had it. */
static void ask(struct neigh_entry *e, uint64_t now_ns)
{
	struct neigh_table *table = e->table;
	uint64_t again_ns = e->addr.family == ADDR_IP6 ? table->retrans6_ns :
							 NEIGH_RETRY_S * NS_PER_S;

	if (bucket_take(&table->requests, now_ns) && request(e, now_ns)) {
		e->tries++;
	} else {
		table->stats.held_back++;
		again_ns = HELD_MIN_MS * NS_PER_MS +
			   rng_below(table->rng, HELD_SPREAD_MS) * NS_PER_MS;
	}
	timer_arm(table->wheel, &e->timer, now_ns + again_ns);
}

static bool may_enter(enum neigh_state from, enum neigh_state to)
{
	switch (to) {
	case NEIGH_INCOMPLETE: return false; /* only a new entry is */
	case NEIGH_REACHABLE: return true;
	case NEIGH_STALE: return true;
	case NEIGH_DELAY: return from == NEIGH_STALE;
	case NEIGH_PROBE: return from == NEIGH_STALE || from == NEIGH_DELAY;
	}
	return false;
}

static uint64_t reachable_ns(const struct neigh_entry *e)
{
	return e->addr.family == ADDR_IP6 ? e->table->reachable6_ns :
					    e->table->reachable_ns;
}

static void enter(struct neigh_entry *e, enum neigh_state state, uint64_t now_ns)
{
	struct neigh_table *table = e->table;

	DEBUG_ASSERT(may_enter(e->state, state));
	if (e->state == NEIGH_INCOMPLETE)
		table->n_incomplete--;
	e->state = state;
	e->since_ns = now_ns;
	e->tries = 0;
	switch (state) {
	case NEIGH_INCOMPLETE: break;
	case NEIGH_REACHABLE:
		timer_arm(table->wheel, &e->timer, now_ns + reachable_ns(e));
		break;
	case NEIGH_STALE: timer_stop(table->wheel, &e->timer); break;
	case NEIGH_DELAY:
		timer_arm(table->wheel, &e->timer, now_ns + NEIGH_DELAY_S * NS_PER_S);
		break;
	case NEIGH_PROBE: ask(e, now_ns); break;
	}
}

/* Nobody answered.  The packets go back to whoever may tell their senders. */
static void give_up(struct neigh_entry *e, uint64_t now_ns)
{
	struct neigh_table *table = e->table;
	struct pkt *p = e->queue;

	table->n_waiting -= e->n_queued;
	e->queue = NULL;
	drop(table, e);
	while (p) {
		struct pkt *next = p->link;

		p->link = NULL;
		table->stats.unreachable++;
		if (table->unreachable)
			table->unreachable(table->unreachable_ctx, p, now_ns);
		else
			pkt_free(p);
		p = next;
	}
}

static void fire(struct timer *t, uint64_t now_ns)
{
	struct neigh_entry *e = container_of(t, struct neigh_entry, timer);

	if (e->state == NEIGH_REACHABLE)
		enter(e, NEIGH_STALE, now_ns);
	else if (e->state == NEIGH_DELAY)
		enter(e, NEIGH_PROBE, now_ns);
	else if (e->tries < NEIGH_TRIES &&
		 now_ns - e->since_ns < NEIGH_GIVE_UP_S * NS_PER_S)
		ask(e, now_ns);
	else
		give_up(e, now_ns);
}

/* ---- packets ---- */

static enum ethertype type_of(const struct addr *addr)
{
	return addr->family == ADDR_IP6 ? ETHERTYPE_IP6 : ETHERTYPE_IP4;
}

/* RFC 1112 6.4: the low 23 bits of the group behind 01-00-5e. */
static struct mac multicast_mac(struct ip4 group)
{
	return (struct mac){ { 0x01, 0x00, 0x5e, group.b[1] & 0x7f, group.b[2],
			       group.b[3] } };
}

static void drop_oldest(struct neigh_entry *e)
{
	struct pkt *p = e->queue;

	e->queue = p->link;
	if (!e->queue)
		e->queue_end = &e->queue;
	e->n_queued--;
	e->table->n_waiting--;
	e->table->stats.queue_dropped++;
	pkt_free(p);
}

/* RFC 1122 2.3.2.2: packets are kept, and the latest matters most. */
static void enqueue(struct neigh_entry *e, struct pkt *p)
{
	struct neigh_table *table = e->table;

	if (e->n_queued == NEIGH_QUEUE_MAX ||
	    (e->n_queued && table->n_waiting == NEIGH_WAITING_MAX))
		drop_oldest(e);
	p->link = NULL;
	*e->queue_end = p;
	e->queue_end = &p->link;
	e->n_queued++;
	table->n_waiting++;
}

/* The first packet to an address that is not in the table. */
static void resolve(struct neigh_table *table, struct eth *eth, const struct addr *addr,
		    struct pkt *p, uint64_t now_ns)
{
	struct neigh_entry *e = NULL;

	/* Addresses without an answer, which a peer may make us ask for, cannot push
	 * out those that have one. */
	if (table->n_incomplete < table->entries.max / 2 &&
	    table->n_waiting < NEIGH_WAITING_MAX)
		e = make(table, eth, addr);
	if (!e) {
		table->stats.table_full++;
		pkt_free(p);
		return;
	}
	e->state = NEIGH_INCOMPLETE;
	e->since_ns = now_ns;
	table->n_incomplete++;
	enqueue(e, p);
	ask(e, now_ns);
}

static void flush(struct neigh_entry *e, uint64_t now_ns)
{
	struct pkt *p = e->queue;

	e->table->n_waiting -= e->n_queued;
	e->n_queued = 0;
	e->queue = NULL;
	e->queue_end = &e->queue;
	while (p) {
		struct pkt *next = p->link;

		p->link = NULL;
		eth_output(e->eth, p, e->mac, type_of(&e->addr), now_ns);
		p = next;
	}
}

/* Where the frames to a group go; false: @a is one station. */
static bool group_mac(const struct addr *a, struct mac *mac)
{
	if (a->family == ADDR_IP6) {
		*mac = nd_group_mac(a->ip6);
		return ip6_is_multicast(a->ip6);
	}
	*mac = ip4_is_multicast(a->ip4) ? multicast_mac(a->ip4) : arp_broadcast;
	return a->ip4.b[0] >= 224;
}

void neigh_output(struct neigh_table *table, struct eth *eth, const struct addr *next_hop,
		  struct pkt *p, uint64_t now_ns)
{
	enum ethertype type = type_of(next_hop);
	struct neigh_entry *e;
	struct mac mac;

	if (eth->point_to_point) { /* there is nobody else to find */
		eth_output(eth, p, arp_broadcast, type, now_ns);
		return;
	}
	if (group_mac(next_hop, &mac)) {
		eth_output(eth, p, mac, type, now_ns);
		return;
	}
	e = find(table, eth, next_hop);
	if (!e) {
		resolve(table, eth, next_hop, p, now_ns);
		return;
	}
	if (e->state == NEIGH_INCOMPLETE) {
		enqueue(e, p);
		return;
	}
	eth_output(eth, p, e->mac, type, now_ns);
	if (e->state == NEIGH_STALE)
		enter(e, type == ETHERTYPE_IP6 ? NEIGH_DELAY : NEIGH_PROBE, now_ns);
}

void neigh_confirm(struct neigh_table *table, struct eth *eth, const struct addr *addr,
		   uint64_t now_ns)
{
	struct neigh_entry *e = find(table, eth, addr);

	if (!e || e->state == NEIGH_INCOMPLETE)
		return;
	if (e->state == NEIGH_REACHABLE)
		timer_arm(table->wheel, &e->timer, now_ns + reachable_ns(e));
	else
		enter(e, NEIGH_REACHABLE, now_ns);
}

void neigh_learn(struct neigh_table *table, struct eth *eth, const struct addr *addr,
		 struct mac mac, enum neigh_heard how, uint64_t now_ns)
{
	struct neigh_entry *e = find(table, eth, addr);
	bool moved;

	if (!e) {
		e = how == NEIGH_HEARD_ASKED ? make(table, eth, addr) : NULL;
		if (!e)
			return;
		e->state = NEIGH_STALE;
		e->since_ns = now_ns;
		e->mac = mac;
		return;
	}
	moved = !mac_eq(e->mac, mac);
	e->mac = mac;
	switch ((enum neigh_state)e->state) {
	case NEIGH_INCOMPLETE:
		/* Being asked proves that we hear it, not that it hears us. */
		enter(e, how == NEIGH_HEARD_ANSWER ? NEIGH_REACHABLE : NEIGH_STALE,
		      now_ns);
		flush(e, now_ns);
		break;
	case NEIGH_DELAY:
	case NEIGH_PROBE:
		if (how == NEIGH_HEARD_ANSWER)
			enter(e, NEIGH_REACHABLE, now_ns);
		else if (moved)
			enter(e, NEIGH_STALE, now_ns);
		break;
	case NEIGH_REACHABLE:
		if (moved)
			enter(e, NEIGH_STALE, now_ns);
		break;
	case NEIGH_STALE: break;
	}
}

/* RFC 4861 7.2.5: the first answer to our question. */
static void resolved(struct neigh_entry *e, const struct nd_msg *m, uint64_t now_ns)
{
	if (!m->has_mac)
		return;
	e->mac = m->mac;
	e->is_router = m->router;
	enter(e, m->solicited ? NEIGH_REACHABLE : NEIGH_STALE, now_ns);
	flush(e, now_ns);
}

void neigh_advertised(struct neigh_table *table, struct eth *eth, const struct addr *addr,
		      const struct nd_msg *m, uint64_t now_ns)
{
	struct neigh_entry *e = find(table, eth, addr);
	bool other = e && m->has_mac && !mac_eq(e->mac, m->mac);

	if (!e)
		return;
	if (e->state == NEIGH_INCOMPLETE) {
		resolved(e, m, now_ns);
		return;
	}
	if (other && !m->override) {
		/* It may be a proxy: what we know is to be tried, not given up. */
		if (e->state == NEIGH_REACHABLE)
			enter(e, NEIGH_STALE, now_ns);
		return;
	}
	if (other)
		e->mac = m->mac;
	e->is_router = m->router;
	if (m->solicited)
		enter(e, NEIGH_REACHABLE, now_ns);
	else if (other)
		enter(e, NEIGH_STALE, now_ns);
}

void nd_set_times(struct neigh_table *table, uint32_t reachable_ms, uint32_t retrans_ms)
{
	/* RFC 4861 6.3.4, 10: at most an hour; what is absurd is not taken. */
	if (reachable_ms && reachable_ms <= 3600000)
		/* RFC 4861 6.3.2: at random, so that hosts do not ask all at once */
		table->reachable6_ns = reachable_ms / 2 * NS_PER_MS +
				       rng_below(table->rng, reachable_ms) * NS_PER_MS;
	if (retrans_ms >= RETRANS_MIN_MS && retrans_ms <= RETRANS_MAX_MS)
		table->retrans6_ns = retrans_ms * NS_PER_MS;
}

/* ---- to look, and the end ---- */

const struct neigh_stats *neigh_stats(const struct neigh_table *table)
{
	return &table->stats;
}

bool neigh_info(const struct neigh_table *table, uint32_t i, struct neigh_info *info)
{
	const struct neigh_entry *e;

	if (i >= table->entries.n_out)
		return false;
	e = table->all[i];
	*info = (struct neigh_info){
		.addr = e->addr,
		.mac = e->mac,
		.state = (enum neigh_state)e->state,
		.iface = e->eth->index,
		.n_queued = e->n_queued,
		.since_ns = e->since_ns,
	};
	return true;
}

void neigh_check(const struct neigh_table *table)
{
	uint32_t n_waiting = 0, n_incomplete = 0;

	ASSERT(map_count(&table->by_addr) == table->entries.n_out);
	for (uint32_t i = 0; i < table->entries.n_out; i++) {
		const struct neigh_entry *e = table->all[i];
		bool incomplete = e->state == NEIGH_INCOMPLETE;

		ASSERT(e->at == i && e->table == table);
		ASSERT((e->queue != NULL) == (e->n_queued != 0));
		ASSERT(incomplete == (e->n_queued != 0));
		ASSERT(timer_armed(&e->timer) == (e->state != NEIGH_STALE));
		n_waiting += e->n_queued;
		n_incomplete += incomplete;
	}
	ASSERT(n_waiting == table->n_waiting && n_waiting <= NEIGH_WAITING_MAX);
	ASSERT(n_incomplete == table->n_incomplete);
}

void neigh_free(struct neigh_table *table)
{
	while (table->entries.n_out) {
		struct neigh_entry *e = table->all[0];

		pkt_free_list(e->queue);
		e->queue = NULL;
		drop(table, e);
	}
	arp_addr_fini(table);
	nd_addr_fini(table);
	map_fini(&table->by_addr);
	pool_fini(&table->entries);
	free(table->all);
	free(table);
}

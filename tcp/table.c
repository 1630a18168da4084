#include <errno.h>

#include "tcp/tcp_impl.h"

static bool conn_eq(const void *ctx, uint32_t id, const void *key)
{
	const struct tcp *tcp = ctx;
	const struct tcp_conn *c = pool_at(&tcp->conns, id);

	return flow_eq(&c->flow, key);
}

struct tcp_conn *tcp_table_find(const struct tcp *tcp, const struct flow *flow)
{
	uint32_t id =
		map_find(&tcp->flows, hash_flow(tcp->key, flow), conn_eq, tcp, flow);

	return id == MAP_NONE ? NULL : pool_at(&tcp->conns, id);
}

int tcp_table_add(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;
	int err = map_add(&tcp->flows, hash_flow(tcp->key, &c->flow),
			  pool_id(&tcp->conns, c));

	if (err)
		tcp->stats.no_memory++;
	else
		c->in_table = true;
	return err;
}

void tcp_table_del(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;

	map_del(&tcp->flows, hash_flow(tcp->key, &c->flow), pool_id(&tcp->conns, c));
	c->in_table = false;
}

bool tcp_table_taken(const struct tcp *tcp, const struct flow *flow)
{
	return tcp_table_find(tcp, flow) || synq_find(tcp->synq, flow) != SYNQ_NONE ||
	       timewait_find(tcp->timewait, flow) != TIMEWAIT_NONE;
}

/* ---- listeners ---- */

struct place {
	const struct addr *addr;
	uint16_t port;
};

static bool listener_eq(const void *ctx, uint32_t id, const void *key)
{
	const struct tcp *tcp = ctx;
	const struct tcp_listener *l = pool_at(&tcp->listeners, id);
	const struct place *place = key;

	return l->port == place->port && addr_eq(&l->addr, place->addr);
}

static uint32_t place_hash(const struct tcp *tcp, const struct place *place)
{
	struct flow f = { .local = *place->addr, .local_port = place->port };

	return hash_flow(tcp->key, &f);
}

struct tcp_listener *tcp_table_listener_exact(const struct tcp *tcp,
					      const struct addr *addr, uint16_t port)
{
	struct place place = { addr, port };
	uint32_t id =
		map_find(&tcp->ports, place_hash(tcp, &place), listener_eq, tcp, &place);

	return id == MAP_NONE ? NULL : pool_at(&tcp->listeners, id);
}

/* How much the listener wants the flow, by chance that is the same each time. */
static uint32_t wish(const struct tcp_listener *l, uint32_t flow_hash)
{
	uint32_t h = (flow_hash ^ l->serial * 0x9e3779b1u) * 0x85ebca6bu;

	h = (h ^ h >> 15) * 0xc2b2ae35u;
	return h ^ h >> 16;
}

/* Of those that share a place, the one that wants the flow most: when another comes or goes,
 * no flow moves but to it or from it. */
static struct tcp_listener *who_of(struct tcp_listener *first, const struct flow *flow)
{
	uint32_t hash, best;
	struct list *at;
	struct tcp_listener *l = first;

	if (list_empty(&first->group))
		return first;
	hash = hash_flow(first->tcp->key, flow);
	best = wish(first, hash);
	for (at = first->group.next; at != &first->group; at = at->next) {
		struct tcp_listener *other = container_of(at, struct tcp_listener, group);

		if (wish(other, hash) > best) {
			best = wish(other, hash);
			l = other;
		}
	}
	return l;
}

struct tcp_listener *tcp_table_listener(const struct tcp *tcp, const struct flow *flow)
{
	struct tcp_listener *l =
		tcp_table_listener_exact(tcp, &flow->local, flow->local_port);
	struct addr any = { .family = flow->local.family }, both = { 0 };

	l = l ? l : tcp_table_listener_exact(tcp, &any, flow->local_port);
	l = l ? l : tcp_table_listener_exact(tcp, &both, flow->local_port);
	return l ? who_of(l, flow) : NULL;
}

static bool hears_same(const struct addr *a, const struct addr *b)
{
	if (a->family && b->family && a->family != b->family)
		return false;
	return addr_is_any(a) || addr_is_any(b) || addr_eq(a, b);
}

bool tcp_listener_clashes(const struct tcp *tcp, const struct addr *addr, uint16_t port,
			  bool shared)
{
	for (uint32_t i = 0; i < tcp->listeners.fresh; i++) {
		const struct tcp_listener *l = pool_at(&tcp->listeners, i);

		if (l->tcp == tcp && l->port == port && hears_same(&l->addr, addr) &&
		    !(l->shared && shared))
			return true;
	}
	return false;
}

bool tcp_table_listener_clashes(const struct tcp *tcp, const struct addr *addr,
				uint16_t port)
{
	struct addr any4 = { .family = ADDR_IP4 }, any6 = { .family = ADDR_IP6 };
	struct addr both = { 0 };

	if (tcp_table_listener_exact(tcp, addr, port))
		return true;
	if (!addr->family)
		return tcp_table_listener_exact(tcp, &any4, port) ||
		       tcp_table_listener_exact(tcp, &any6, port);
	return addr_is_any(addr) && tcp_table_listener_exact(tcp, &both, port);
}

static unsigned group_len(const struct tcp_listener *l)
{
	const struct list *at;
	unsigned n = 1;

	for (at = l->group.next; at != &l->group; at = at->next)
		n++;
	return n;
}

int tcp_table_listener_add(struct tcp *tcp, struct tcp_listener *l)
{
	struct tcp_listener *first = tcp_table_listener_exact(tcp, &l->addr, l->port);
	struct place place = { &l->addr, l->port };

	if (first && group_len(first) >= TCP_SHARED_MAX)
		return -ENOMEM;
	if (first) {
		list_push(&first->group, &l->group);
		return 0;
	}
	return map_add(&tcp->ports, place_hash(tcp, &place), pool_id(&tcp->listeners, l));
}

void tcp_table_listener_del(struct tcp *tcp, struct tcp_listener *l)
{
	bool is_first = tcp_table_listener_exact(tcp, &l->addr, l->port) == l;
	struct list *next = l->group.next;
	struct place place = { &l->addr, l->port };
	int err;

	list_remove(&l->group);
	if (!is_first)
		return;
	map_del(&tcp->ports, place_hash(tcp, &place), pool_id(&tcp->listeners, l));
	if (next == &l->group)
		return;
	/* Another of the ring; the place of the first has just become free. */
	err = map_add(
		&tcp->ports, place_hash(tcp, &place),
		pool_id(&tcp->listeners, container_of(next, struct tcp_listener, group)));
	ASSERT(!err);
}

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

struct tcp_listener *tcp_table_listener(const struct tcp *tcp, const struct addr *addr,
					uint16_t port)
{
	struct tcp_listener *l = tcp_table_listener_exact(tcp, addr, port);
	struct addr any = { .family = addr->family }, both = { 0 };

	l = l ? l : tcp_table_listener_exact(tcp, &any, port);
	return l ? l : tcp_table_listener_exact(tcp, &both, port);
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

int tcp_table_listener_add(struct tcp *tcp, struct tcp_listener *l)
{
	struct place place = { &l->addr, l->port };

	return map_add(&tcp->ports, place_hash(tcp, &place), pool_id(&tcp->listeners, l));
}

void tcp_table_listener_del(struct tcp *tcp, struct tcp_listener *l)
{
	struct place place = { &l->addr, l->port };

	map_del(&tcp->ports, place_hash(tcp, &place), pool_id(&tcp->listeners, l));
}

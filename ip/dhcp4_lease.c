/*
 * What a lease says, put in force and taken away again.
 */
#include "eth/eth.h"
#include "ip/dhcp4_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "stack/base/rng.h"

/* RFC 950: what a network had before it could say so. */
static uint8_t bits_of_class(struct ip4 a)
{
	if (a.b[0] < 128)
		return 8;
	return a.b[0] < 192 ? 16 : 24;
}

bool dhcp4_lease_check(struct dhcp_msg *m)
{
	if (!m->bits)
		m->bits = bits_of_class(m->yiaddr);
	return m->has_lease && m->lease_s >= DHCP4_LEASE_LEAST_S &&
	       !ip4_is_no_station(m->server) && !ip4_eq(m->server, m->yiaddr) &&
	       ip_iface_can_have(m->yiaddr, m->bits);
}

void dhcp4_lease_times(struct dhcp4_client *c)
{
	struct dhcp_msg *m = &c->lease;
	struct rng *rng = c->dhcp->ip->rng;

	if (m->lease_s == DHCP_FOR_EVER) {
		c->t1_ns = c->t2_ns = c->ends_ns = TIMER_NEVER;
		return;
	}
	/* RFC 2131 4.4.5: half and 7/8, not quite the same for all. */
	if (!m->t1_s || !m->t2_s || m->t1_s >= m->t2_s || m->t2_s >= m->lease_s) {
		m->t1_s = m->lease_s / 2 - rng_below(rng, m->lease_s / 32 + 1);
		m->t2_s =
			m->lease_s - m->lease_s / 8 - rng_below(rng, m->lease_s / 32 + 1);
	}
	c->t1_ns = c->asked_ns + m->t1_s * NS_PER_S;
	c->t2_ns = c->asked_ns + m->t2_s * NS_PER_S;
	c->ends_ns = c->asked_ns + m->lease_s * NS_PER_S;
}

int dhcp4_lease_begin(struct dhcp4_client *c, bool probe, uint64_t now_ns)
{
	struct addr addr = addr_ip4(c->lease.yiaddr);
	int err = ip_addr_add(c->dhcp->ip, c->iface, &addr, c->lease.bits, probe, now_ns);

	c->has_addr = !err;
	return err;
}

/* False: it cannot be. */
static bool add_route(struct dhcp4_client *c, const struct dhcp_route *r)
{
	struct ip_route route = {
		.prefix = addr_ip4(r->prefix),
		.bits = r->bits,
		.iface = c->iface,
		.metric = DHCP4_METRIC,
	};

	/* What is ours alone, or no station, is not for servers to send about. */
	if (r->bits && (ip4_is_no_station(r->prefix) || ip4_is_loopback(r->prefix)))
		return false;
	if (!ip4_is_zero(r->router))
		route.gateway = addr_ip4(r->router);
	if (ip_route_add(c->dhcp->ip, &route))
		return false;
	c->routes[c->n_routes++] = route;
	return true;
}

static void add_routes(struct dhcp4_client *c)
{
	const struct dhcp_msg *m = &c->lease;

	/* RFC 3442: with them, the router option is not read. */
	for (unsigned i = 0; i < m->n_routes; i++)
		if (!add_route(c, &m->routes[i]))
			c->dhcp->stats.odd++;
	for (unsigned i = 0; !m->n_routes && !c->n_routes && i < m->n_routers; i++) {
		struct dhcp_route way_out = { .router = m->routers[i] };

		if (ip4_is_zero(way_out.router) || !add_route(c, &way_out))
			c->dhcp->stats.odd++;
	}
}

void dhcp4_lease_apply(struct dhcp4_client *c)
{
	const struct dhcp_msg *m = &c->lease;

	if (m->mtu >= DHCP4_MTU_LEAST)
		ip_iface_mtu_set(c->dhcp->ip, c->iface, m->mtu);
	else if (m->mtu)
		c->dhcp->stats.odd++;
	add_routes(c);
	c->generation++;
}

void dhcp4_lease_drop(struct dhcp4_client *c)
{
	struct addr addr = addr_ip4(c->lease.yiaddr);

	if (!c->has_addr)
		return;
	while (c->n_routes)
		ip_route_del(c->dhcp->ip, &c->routes[--c->n_routes]);
	ip_iface_mtu_set(c->dhcp->ip, c->iface, 0);
	ip_addr_del(c->dhcp->ip, c->iface, &addr);
	c->has_addr = false;
	c->generation++;
}

static bool same_words(const struct dhcp_msg *a, const struct dhcp_msg *b)
{
	return a->bits == b->bits && a->mtu == b->mtu && a->n_routers == b->n_routers &&
	       a->n_routes == b->n_routes && a->n_dns == b->n_dns &&
	       memcmp(a->routers, b->routers, sizeof(a->routers)) == 0 &&
	       memcmp(a->routes, b->routes, sizeof(a->routes)) == 0 &&
	       memcmp(a->dns, b->dns, sizeof(a->dns)) == 0 &&
	       strcmp(a->domain, b->domain) == 0;
}

void dhcp4_lease_renew(struct dhcp4_client *c, const struct dhcp_msg *m, uint64_t now_ns)
{
	bool same = same_words(&c->lease, m);

	/* Else connections would lose their way for nothing. */
	if (!same)
		dhcp4_lease_drop(c);
	c->lease = *m;
	if (!same && dhcp4_lease_begin(c, false, now_ns) == 0)
		dhcp4_lease_apply(c);
}

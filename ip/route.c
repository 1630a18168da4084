/*
 * Routes, kept in the order of preference: the first that matches is the one.
 */
#include <errno.h>

#include "ip/ip_impl.h"

static bool leads_to(const struct ip_route *r, const struct addr *dst)
{
	return r->prefix.family == dst->family &&
	       addr_same_prefix(&r->prefix, dst, r->bits);
}

/* Of those with the longest prefix: the one of @src, else the first of nobody. */
const struct ip_route *ip_route_find_from(const struct ip *ip, const struct addr *dst,
					  const struct addr *src)
{
	const struct ip_route *first = ip_route_find(ip, dst);
	const struct ip_route *end = ip->routes + ip->n_routes, *of_nobody = NULL;

	if (!src || !ip->n_src_routes || !first)
		return first;
	for (const struct ip_route *r = first; r < end && r->bits == first->bits; r++) {
		if (!leads_to(r, dst))
			continue;
		if (addr_eq(&r->src, src))
			return r;
		if (!of_nobody && !r->src.family)
			of_nobody = r;
	}
	return of_nobody ? of_nobody : first;
}

const struct ip_route *ip_route_find(const struct ip *ip, const struct addr *dst)
{
	for (unsigned i = 0; i < ip->n_routes; i++) {
		const struct ip_route *r = &ip->routes[i];

		if (leads_to(r, dst))
			return r;
	}
	return NULL;
}

/* True when @a goes before @b. */
static bool before(const struct ip_route *a, const struct ip_route *b)
{
	return a->bits != b->bits ? a->bits > b->bits : a->metric < b->metric;
}

static bool same(const struct ip_route *a, const struct ip_route *b)
{
	return a->bits == b->bits && a->iface == b->iface && a->metric == b->metric &&
	       addr_eq(&a->prefix, &b->prefix) && addr_eq(&a->gateway, &b->gateway) &&
	       addr_eq(&a->src, &b->src);
}

static bool no_gateway(const struct addr *a)
{
	if (a->family == ADDR_IP6)
		return ip6_is_multicast(a->ip6) || ip6_is_zero(a->ip6) ||
		       ip6_is_loopback(a->ip6);
	return ip4_is_no_station(a->ip4);
}

/* RFC 1122 3.3.1.2: a gateway is on a network that we are on. */
static bool reachable(const struct ip *ip, const struct ip_route *route)
{
	const struct ip_route *r;

	if (route->gateway.family == ADDR_NONE)
		return true;
	if (route->gateway.family != route->prefix.family ||
	    no_gateway(&route->gateway) || ip_is_ours(ip, &route->gateway))
		return false;
	/* RFC 4861 6.2.1: routers of IPv6 are known by such an address. */
	if (route->gateway.family == ADDR_IP6 && ip6_is_link_local(route->gateway.ip6))
		return true;
	r = ip_route_find(ip, &route->gateway);
	return r && r->iface == route->iface && r->gateway.family == ADDR_NONE;
}

static bool valid(const struct ip *ip, const struct ip_route *route)
{
	unsigned all = route->prefix.family == ADDR_IP6 ? 128 : 32;

	if (route->prefix.family == ADDR_NONE || route->bits > all ||
	    route->iface >= IP_IFACE_MAX || !ip->ifaces[route->iface].eth)
		return false;
	/* Bits behind the prefix would say something that is not meant. */
	for (unsigned bit = route->bits; bit < all; bit++)
		if (route->prefix.ip6.b[bit / 8] & 0x80 >> bit % 8)
			return false;
	if (route->src.family && (route->src.family != route->prefix.family ||
				  !ip_is_configured(ip, &route->src)))
		return false;
	return reachable(ip, route);
}

int ip_route_add(struct ip *ip, const struct ip_route *route)
{
	unsigned at = ip->n_routes;

	if (!valid(ip, route))
		return -EINVAL;
	for (unsigned i = 0; i < ip->n_routes; i++)
		if (same(&ip->routes[i], route))
			return -EEXIST;
	if (ip->n_routes == IP_ROUTE_MAX)
		return -ENOSPC;
	for (; at > 0 && before(route, &ip->routes[at - 1]); at--)
		ip->routes[at] = ip->routes[at - 1];
	ip->routes[at] = *route;
	ip->n_routes++;
	ip->n_src_routes += route->src.family != ADDR_NONE;
	ip->generation++;
	return 0;
}

static void del_at(struct ip *ip, unsigned at)
{
	ip->n_src_routes -= ip->routes[at].src.family != ADDR_NONE;
	ip->n_routes--;
	for (; at < ip->n_routes; at++)
		ip->routes[at] = ip->routes[at + 1];
	ip->generation++;
}

int ip_route_del(struct ip *ip, const struct ip_route *route)
{
	unsigned at = 0;

	while (at < ip->n_routes && !same(&ip->routes[at], route))
		at++;
	if (at == ip->n_routes)
		return -ENOENT;
	del_at(ip, at);
	return 0;
}

void ip_route_forget(struct ip *ip, const struct addr *addr)
{
	for (unsigned at = ip->n_routes; at-- > 0;)
		if (ip->routes[at].src.family && addr_eq(&ip->routes[at].src, addr))
			del_at(ip, at);
}

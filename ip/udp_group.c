/*
 * UDP and groups (RFC 1112): which ports are in which, who hears a datagram that is for
 * more than one, and how one goes out.
 */
#include <errno.h>

#include "ip/ip_impl.h"
#include "ip/mcast.h"
#include "ip/udp_impl.h"
#include "stack/base/pkt.h"

/* ---- who is in ---- */

static struct udp_group **find(struct udp_port *port, unsigned iface,
			       const struct addr *group)
{
	struct udp_group **at = &port->groups;

	while (*at && ((*at)->iface != iface || !addr_eq(&(*at)->group, group)))
		at = &(*at)->next;
	return at;
}

int udp_group_join(struct udp *udp, struct udp_port *port, unsigned iface,
		   const struct addr *group, uint64_t now_ns)
{
	struct udp_group **at = find(port, iface, group), *g;
	int err;

	if (*at)
		return -EADDRINUSE;
	g = port->n_groups < UDP_GROUPS_MAX ? pool_get(&udp->groups) : NULL;
	if (!g)
		return -ENOBUFS;
	err = mcast_join(udp->ip, iface, group, now_ns);
	if (err) {
		pool_put(&udp->groups, g);
		return err;
	}
	*g = (struct udp_group){ .group = *group, .iface = (uint8_t)iface };
	*at = g;
	port->n_groups++;
	return 0;
}

int udp_group_leave(struct udp *udp, struct udp_port *port, unsigned iface,
		    const struct addr *group, uint64_t now_ns)
{
	struct udp_group **at = find(port, iface, group), *g = *at;

	if (!g)
		return -EADDRNOTAVAIL;
	mcast_leave(udp->ip, iface, group, now_ns);
	*at = g->next;
	port->n_groups--;
	pool_put(&udp->groups, g);
	return 0;
}

void udp_group_leave_all(struct udp *udp, struct udp_port *port, uint64_t now_ns)
{
	while (port->groups) {
		struct udp_group g = *port->groups;

		udp_group_leave(udp, port, g.iface, &g.group, now_ns);
	}
}

/* ---- in ---- */

/* RFC 1112 4, RFC 4291 2.7.1: everybody is in that of all hosts of a link. */
static bool is_for_all(const struct addr *dst)
{
	static const struct ip4 all_hosts = { { 224, 0, 0, 1 } };
	static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };

	if (dst->family == ADDR_IP4)
		return !ip4_is_multicast(dst->ip4) || ip4_eq(dst->ip4, all_hosts);
	return memcmp(&dst->ip6, &all_nodes, sizeof(all_nodes)) == 0;
}

static bool hears(const struct udp_port *port, const struct flow *flow,
		  const struct pkt *p)
{
	if (!udp_suits(port, flow))
		return false;
	if (is_for_all(&p->dst))
		return true;
	for (const struct udp_group *g = port->groups; g; g = g->next)
		/* What we sent ourselves was sent by an interface that is in the group. */
		if (addr_eq(&g->group, &p->dst) &&
		    (g->iface == p->iface || p->iface == IP_IFACE_LOOP))
			return true;
	return false;
}

static void give_copy(struct udp *udp, struct udp_port *port, const struct pkt *p)
{
	struct pkt *copy = pkt_copy(udp->pool, PKT_DATA, p);

	if (!copy)
		return;
	copy->src = p->src;
	copy->dst = p->dst;
	copy->iface = p->iface;
	copy->ttl = p->ttl;
	copy->tos = p->tos;
	copy->at_ns = p->at_ns;
	memcpy(copy->cb, p->cb, sizeof(copy->cb));
	if (udp_enqueue(udp, port, copy).verdict != V_KEPT)
		pkt_free(copy);
}

struct step udp_group_input(struct udp *udp, const struct flow *flow, struct pkt *p)
{
	struct list *all = udp_bucket(udp, flow->local_port);
	struct udp_port *last = NULL;
	unsigned n = 0;

	for (struct list *l = all->next; l != all && n < UDP_COPIES_MAX; l = l->next) {
		struct udp_port *port = container_of(l, struct udp_port, node);

		if (!hears(port, flow, p))
			continue;
		if (last)
			give_copy(udp, last, p);
		last = port;
		n++;
	}
	/* Nobody is told when a group has no socket (RFC 1122 3.2.2). */
	return last ? udp_enqueue(udp, last, p) : step_end(V_UDP_NO_SOCKET);
}

/* ---- out ---- */

static int via_of(struct udp *udp, const struct udp_port *port, const struct ip_out *how)
{
	const struct ip_iface *of_src =
		how->src.family ? ip_iface_of(udp->ip, how->src.ip4) : NULL;

	if (how->via)
		return how->via;
	if (port->group_via)
		return port->group_via;
	return of_src ? (int)(of_src - udp->ip->ifaces) + 1 :
			mcast_iface(udp->ip, &how->dst) + 1;
}

int udp_group_route(struct udp *udp, const struct udp_port *port, const struct udp_to *to,
		    struct ip_out *how)
{
	int via = via_of(udp, port, how);
	struct ip4 own;

	if (udp->ip->n_unready)
		ip_iface_refresh(udp->ip);
	if (via <= 0 || via > IP_IFACE_MAX)
		return -ENETUNREACH;
	how->via = (uint8_t)via;
	/* RFC 1112 6.1: not beyond the link, unless it is asked for. */
	how->ttl = port->group_ttl_set ? port->group_ttl : 1;
	if (to->ttl)
		how->ttl = to->ttl;
	if (!how->ttl)
		how->flags |= IP_GROUP_HOST;
	if (!port->group_quiet)
		how->flags |= IP_GROUP_LOOP;
	if (how->src.family)
		return 0;
	if (!ip_iface_source(udp->ip, (unsigned)via - 1, how->dst.ip4, &own))
		return -ENETUNREACH;
	how->src = addr_ip4(own);
	return 0;
}

/*
 * IPv6 addresses of interfaces (RFC 4291), and the groups that belong to them.
 */
#include <errno.h>

#include "arp/nd.h"
#include "arp/nd_wire.h"
#include "eth/eth.h"
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"

struct addr ip6_zoned(struct ip6 a, unsigned iface)
{
	struct addr r = addr_ip6(a);

	if (ip6_is_link_local(a))
		r.zone = (uint8_t)(iface + 1);
	return r;
}

const struct ip6_addr *ip6_iface_find(const struct ip_iface *iface, struct ip6 addr)
{
	for (unsigned i = 0; i < iface->ip6.n_addrs; i++)
		if (ip6_eq(iface->ip6.addrs[i].addr, addr))
			return &iface->ip6.addrs[i];
	return NULL;
}

const struct ip6_addr *ip6_find(const struct ip *ip, const struct addr *addr,
				unsigned *iface)
{
	for (unsigned i = 0; i < ip->n_ifaces; i++) {
		const struct ip6_addr *own;

		if (addr->zone && addr->zone != i + 1)
			continue;
		own = ip6_iface_find(&ip->ifaces[i], addr->ip6);
		if (own) {
			*iface = i;
			return own;
		}
	}
	return NULL;
}

/* RFC 4291 2.8: all nodes, of the interface and of the link, and the group in which
 * others solicit each address. */
bool ip6_iface_listens(const struct ip_iface *iface, struct ip6 addr)
{
	static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };
	static const struct ip6 all_of_us = { { 0xff, 1, [15] = 1 } };

	if (ip6_eq(addr, all_nodes) || ip6_eq(addr, all_of_us))
		return true;
	for (unsigned i = 0; i < iface->ip6.n_addrs; i++)
		if (ip6_eq(addr, nd_solicited_node(iface->ip6.addrs[i].addr)))
			return true;
	return false;
}

/* RFC 4291 2.5.2, 2.5.3, 2.5.5.2, 2.7: nobody, ourselves, an IPv4 host, many. */
static bool can_be_ours(struct ip6 a, unsigned bits)
{
	if (ip6_is_zero(a) || ip6_is_loopback(a) || ip6_is_multicast(a) ||
	    ip6_is_mapped(a) || bits == 0 || bits > 128)
		return false;
	/* RFC 4291 2.5.6 */
	return !ip6_is_link_local(a) || bits == 64;
}

static struct ip6 prefix_of(struct ip6 a, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		a.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return a;
}

/* The address and its network's route, or nothing. */
static int add_with_route(struct ip *ip, unsigned iface, struct ip6 addr, unsigned bits)
{
	struct ip6_iface *i = &ip->ifaces[iface].ip6;
	struct ip_route route = {
		.prefix = addr_ip6(prefix_of(addr, bits)),
		.bits = (uint8_t)bits,
		.iface = (uint8_t)iface,
	};
	int err;

	if (i->n_addrs == IP6_ADDR_MAX)
		return -ENOSPC;
	/* Where a link-local address is, its zone says. */
	err = ip6_is_link_local(addr) ? 0 : ip_route_add(ip, &route);
	if (err && err != -EEXIST)
		return err;
	i->addrs[i->n_addrs++] = (struct ip6_addr){ .addr = addr, .bits = (uint8_t)bits };
	ip->n_unready++;
	return 0;
}

int ip6_addr_add(struct ip *ip, unsigned iface, struct ip6 addr, unsigned bits,
		 bool probe, uint64_t now_ns)
{
	struct eth *eth = ip->ifaces[iface].eth;
	int err;

	if (!can_be_ours(addr, bits))
		return -EINVAL;
	if (eth->mtu < IP6_MTU_MIN) /* RFC 8200 5 */
		return -EMSGSIZE;
	err = nd_addr_add(ip->neigh, eth, addr, probe, now_ns);
	if (err)
		return err;
	err = add_with_route(ip, iface, addr, bits);
	if (err) {
		nd_addr_del(ip->neigh, eth, addr);
		return err;
	}
	ip->generation++;
	ip_iface_refresh(ip);
	return 0;
}

void ip6_iface_refresh(struct ip *ip, struct ip_iface *iface)
{
	for (unsigned i = 0; i < iface->ip6.n_addrs; i++) {
		struct ip6_addr *a = &iface->ip6.addrs[i];

		if (a->ready ||
		    nd_addr_state(ip->neigh, iface->eth, a->addr) != ARP_ADDR_READY)
			continue;
		a->ready = true;
		ip->n_unready--;
		ip->generation++;
	}
}

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

/* RFC 4291 2.8: all nodes of the link, and of this one. */
static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };
static const struct ip6 all_of_us = { { 0xff, 1, [15] = 1 } };

bool ip6_iface_listens(const struct ip_iface *iface, struct ip6 addr)
{
	return ip6_eq(addr, all_nodes) || ip6_eq(addr, all_of_us) ||
	       mld_listens(&iface->ip6.mld, addr);
}

void ip6_iface_init(struct ip *ip, struct ip_iface *iface)
{
	uint8_t index = iface->eth->index;

	mld_init(&iface->ip6.mld, ip, index);
	ra_init(&iface->ip6.ra, ip, index);
}

void ip6_iface_fini(struct ip_iface *iface)
{
	mld_fini(&iface->ip6.mld);
	ra_fini(&iface->ip6.ra);
}

struct ip6 ip6_link_local_of(const struct ip_iface *iface)
{
	for (unsigned i = 0; i < iface->ip6.n_addrs; i++)
		if (iface->ip6.addrs[i].ready &&
		    ip6_is_link_local(iface->ip6.addrs[i].addr))
			return iface->ip6.addrs[i].addr;
	return (struct ip6){ { 0 } };
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

struct ip6 ip6_prefix(struct ip6 a, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		a.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return a;
}

int ip6_addr_new(struct ip *ip, unsigned iface, const struct ip6_addr *new, bool probe,
		 uint64_t now_ns)
{
	struct ip6_iface *i = &ip->ifaces[iface].ip6;
	struct eth *eth = ip->ifaces[iface].eth;
	int err;

	if (eth->mtu < IP6_MTU_MIN) /* RFC 8200 5 */
		return -EMSGSIZE;
	if (ip6_iface_find(&ip->ifaces[iface], new->addr))
		return -EEXIST;
	if (i->n_addrs == IP6_ADDR_MAX)
		return -ENOSPC;
	/* RFC 4862 5.4.2: whoever searches for it must be heard before we do. */
	err = mld_join(&i->mld, nd_solicited_node(new->addr), now_ns);
	if (err)
		return err;
	err = nd_addr_add(ip->neigh, eth, new->addr, probe, now_ns);
	if (err) {
		mld_leave(&i->mld, nd_solicited_node(new->addr), now_ns);
		return err;
	}
	i->addrs[i->n_addrs] = *new;
	i->addrs[i->n_addrs++].ready = false;
	ip->n_unready++;
	ip->generation++;
	ip_iface_refresh(ip);
	return 0;
}

int ip6_addr_add(struct ip *ip, unsigned iface, struct ip6 addr, unsigned bits,
		 bool probe, uint64_t now_ns)
{
	struct ip6_addr new = { .addr = addr, .bits = (uint8_t)bits };
	struct ip_route route = {
		.prefix = addr_ip6(ip6_prefix(addr, bits)),
		.bits = (uint8_t)bits,
		.iface = (uint8_t)iface,
	};
	bool made_route;
	int err;

	if (!can_be_ours(addr, bits))
		return -EINVAL;
	/* Where a link-local address is, its zone says. */
	err = ip6_is_link_local(addr) ? -EEXIST : ip_route_add(ip, &route);
	made_route = !err;
	/* A second address of a network shares its route. */
	if (err && err != -EEXIST)
		return err;
	err = ip6_addr_new(ip, iface, &new, probe, now_ns);
	if (err && made_route)
		ip_route_del(ip, &route);
	return err;
}

int ip6_addr_del(struct ip *ip, unsigned iface, struct ip6 addr, uint64_t now_ns)
{
	struct ip6_iface *i = &ip->ifaces[iface].ip6;
	struct addr gone = addr_ip6(addr);
	unsigned k = 0;

	while (k < i->n_addrs && !ip6_eq(i->addrs[k].addr, addr))
		k++;
	if (k == i->n_addrs)
		return -ENOENT;
	ip->n_unready -= !i->addrs[k].ready;
	i->n_addrs--;
	for (; k < i->n_addrs; k++)
		i->addrs[k] = i->addrs[k + 1];
	nd_addr_del(ip->neigh, ip->ifaces[iface].eth, addr);
	mld_leave(&i->mld, nd_solicited_node(addr), now_ns);
	ip_route_forget(ip, &gone);
	ip->generation++;
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

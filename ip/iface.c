#include <errno.h>

#include "arp/nd.h"
#include "arp/neigh.h"
#include "eth/eth.h"
#include "ip/ip_impl.h"
#include "stack/base/check.h"

int ip_iface_add(struct ip *ip, struct eth *eth)
{
	if (eth->index >= IP_IFACE_MAX)
		return -ENOSPC;
	if (ip->ifaces[eth->index].eth)
		return -EEXIST;
	ip->ifaces[eth->index] = (struct ip_iface){ .eth = eth };
	igmp_init(&ip->ifaces[eth->index].igmp, ip, eth->index);
	ip6_iface_init(ip, &ip->ifaces[eth->index]);
	if (ip->n_ifaces <= eth->index)
		ip->n_ifaces = eth->index + 1U;
	ip->generation++;
	return 0;
}

/* @a with all bits behind the first @bits set, or cleared. */
static struct ip4 with_host_part(struct ip4 a, unsigned bits, bool ones)
{
	for (unsigned i = bits; i < 32; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		if (ones)
			a.b[i / 8] |= bit;
		else
			a.b[i / 8] &= (uint8_t)~bit;
	}
	return a;
}

/* RFC 1122 3.2.1.3 (a), (c) to (g); RFC 3021: two hosts need no broadcast. */
bool ip_iface_can_have(struct ip4 a, unsigned bits)
{
	if (bits > 32 || bits == 0 || ip4_is_no_station(a) || ip4_is_loopback(a))
		return false;
	return bits >= 31 || (!ip4_eq(a, with_host_part(a, bits, true)) &&
			      !ip4_eq(a, with_host_part(a, bits, false)));
}

/* The address and its network's route, or nothing. */
static int add_with_route(struct ip *ip, unsigned iface, const struct addr *addr,
			  unsigned bits)
{
	struct ip_iface *i = &ip->ifaces[iface];
	struct ip_route route = {
		.prefix = addr_ip4(with_host_part(addr->ip4, bits, false)),
		.bits = (uint8_t)bits,
		.iface = (uint8_t)iface,
	};
	int err;

	if (i->n_addrs == IP_ADDR_MAX)
		return -ENOSPC;
	err = ip_route_add(ip, &route);
	/* A second address of a network shares its route. */
	if (err && err != -EEXIST)
		return err;
	i->addrs[i->n_addrs++] = (struct ip_addr){
		.addr = addr->ip4,
		.broadcast = with_host_part(addr->ip4, bits, true),
		.bits = (uint8_t)bits,
	};
	ip->n_unready++;
	return 0;
}

int ip_addr_add(struct ip *ip, unsigned iface, const struct addr *addr, unsigned bits,
		bool probe, uint64_t now_ns)
{
	struct eth *eth;
	int err;

	if (iface >= IP_IFACE_MAX || !ip->ifaces[iface].eth)
		return -EINVAL;
	if (addr->family == ADDR_IP6)
		return ip6_addr_add(ip, iface, addr->ip6, bits, probe, now_ns);
	if (addr->family != ADDR_IP4 || !ip_iface_can_have(addr->ip4, bits))
		return -EINVAL;
	eth = ip->ifaces[iface].eth;
	err = arp_addr_add(ip->neigh, eth, addr->ip4, probe, now_ns);
	if (err)
		return err;
	err = add_with_route(ip, iface, addr, bits);
	if (err) {
		arp_addr_del(ip->neigh, eth, addr->ip4);
		return err;
	}
	ip->generation++;
	ip_iface_refresh(ip);
	return 0;
}

/* Another address of the network of @a, which was taken away, needs its route. */
static void del_route(struct ip *ip, unsigned iface, const struct ip_addr *a)
{
	const struct ip_iface *i = &ip->ifaces[iface];
	struct ip_route route = {
		.prefix = addr_ip4(with_host_part(a->addr, a->bits, false)),
		.bits = a->bits,
		.iface = (uint8_t)iface,
	};

	for (unsigned k = 0; k < i->n_addrs; k++)
		if (i->addrs[k].bits == a->bits &&
		    ip4_eq(i->addrs[k].broadcast, a->broadcast))
			return;
	ip_route_del(ip, &route);
}

int ip_addr_del(struct ip *ip, unsigned iface, const struct addr *addr)
{
	struct ip_iface *i = iface < IP_IFACE_MAX ? &ip->ifaces[iface] : NULL;
	struct ip_addr gone;
	unsigned k = 0;

	if (!i || addr->family != ADDR_IP4)
		return -ENOENT;
	while (k < i->n_addrs && !ip4_eq(i->addrs[k].addr, addr->ip4))
		k++;
	if (k == i->n_addrs)
		return -ENOENT;
	gone = i->addrs[k];
	i->n_addrs--;
	for (; k < i->n_addrs; k++)
		i->addrs[k] = i->addrs[k + 1];
	ip->n_unready -= !gone.ready;
	arp_addr_del(ip->neigh, i->eth, gone.addr);
	del_route(ip, iface, &gone);
	ip_route_forget(ip, addr);
	ip->generation++;
	return 0;
}

void ip_iface_mtu_set(struct ip *ip, unsigned iface, unsigned mtu)
{
	struct eth *eth = ip->ifaces[iface].eth;

	eth->mtu = mtu && mtu < eth->port->mtu ? (uint16_t)mtu : eth->port->mtu;
	ip->generation++;
}

void ip_iface_refresh(struct ip *ip)
{
	for (unsigned i = 0; i < ip->n_ifaces; i++) {
		struct ip_iface *iface = &ip->ifaces[i];

		for (unsigned k = 0; k < iface->n_addrs; k++) {
			struct ip_addr *a = &iface->addrs[k];

			if (a->ready || arp_addr_state(ip->neigh, iface->eth, a->addr) !=
						ARP_ADDR_READY)
				continue;
			a->ready = true;
			ip->n_unready--;
			ip->generation++;
		}
		ip6_iface_refresh(ip, iface);
	}
}

bool ip_iface_has(const struct ip_iface *iface, struct ip4 addr)
{
	for (unsigned i = 0; i < iface->n_addrs; i++)
		if (ip4_eq(iface->addrs[i].addr, addr))
			return iface->addrs[i].ready;
	return false;
}

const struct ip_iface *ip_iface_of(const struct ip *ip, struct ip4 addr)
{
	for (unsigned i = 0; i < ip->n_ifaces; i++)
		if (ip_iface_has(&ip->ifaces[i], addr))
			return &ip->ifaces[i];
	return NULL;
}

/* The address of ours, ready or not, and its interface; NULL: it is none. */
static const struct ip_addr *find(const struct ip *ip, struct ip4 addr,
				  const struct ip_iface **iface)
{
	for (unsigned i = 0; i < ip->n_ifaces; i++) {
		*iface = &ip->ifaces[i];
		for (unsigned k = 0; k < (*iface)->n_addrs; k++)
			if (ip4_eq((*iface)->addrs[k].addr, addr))
				return &(*iface)->addrs[k];
	}
	return NULL;
}

static bool ip6_is_ours(const struct ip *ip, const struct addr *addr)
{
	const struct ip6_addr *own;
	unsigned iface;

	if (ip6_is_loopback(addr->ip6))
		return true;
	own = ip6_find(ip, addr, &iface);
	return own && (own->ready || nd_addr_state(ip->neigh, ip->ifaces[iface].eth,
						   own->addr) == ARP_ADDR_READY);
}

bool ip_is_ours(const struct ip *ip, const struct addr *addr)
{
	const struct ip_iface *iface;
	const struct ip_addr *own;

	if (addr->family == ADDR_IP6)
		return ip6_is_ours(ip, addr);
	if (addr->family != ADDR_IP4)
		return false;
	if (ip4_is_loopback(addr->ip4))
		return true;
	own = find(ip, addr->ip4, &iface);
	/* ARP may have made up its mind since we last saw a packet. */
	return own && (own->ready || arp_addr_state(ip->neigh, iface->eth, own->addr) ==
					     ARP_ADDR_READY);
}

bool ip_is_configured(const struct ip *ip, const struct addr *addr)
{
	const struct ip_iface *iface;
	unsigned index;

	if (addr->family == ADDR_IP6)
		return ip6_is_loopback(addr->ip6) || ip6_find(ip, addr, &index);
	return addr->family == ADDR_IP4 &&
	       (ip4_is_loopback(addr->ip4) || find(ip, addr->ip4, &iface));
}

bool ip_iface_is_broadcast(const struct ip_iface *iface, struct ip4 addr)
{
	for (unsigned i = 0; i < iface->n_addrs; i++)
		if (iface->addrs[i].bits < 31 && ip4_eq(iface->addrs[i].broadcast, addr))
			return true;
	return false;
}

static bool in_network(const struct ip_addr *own, struct ip4 addr)
{
	return ip4_eq(with_host_part(addr, own->bits, true), own->broadcast);
}

bool ip_iface_source(const struct ip *ip, unsigned iface, struct ip4 addr,
		     struct ip4 *src)
{
	const struct ip_iface *i = &ip->ifaces[iface];
	const struct ip_addr *best = NULL;

	for (unsigned k = 0; k < i->n_addrs; k++) {
		const struct ip_addr *own = &i->addrs[k];

		if (!own->ready)
			continue;
		if (!best || (in_network(own, addr) && !in_network(best, addr)))
			best = own;
	}
	if (best)
		*src = best->addr;
	return best;
}

#include "ip/mcast.h"

#include <errno.h>

#include "ip/ip_impl.h"

int mcast_iface(struct ip *ip, const struct addr *group)
{
	const struct ip_route *route = ip_route_find(ip, group);

	if (route)
		return route->iface;
	for (unsigned i = 0; i < ip->n_ifaces; i++)
		if (ip->ifaces[i].n_addrs)
			return (int)i;
	return -1;
}

int mcast_iface_of(struct ip *ip, const struct addr *own)
{
	const struct ip_iface *iface = NULL;

	if (ip->n_unready)
		ip_iface_refresh(ip);
	if (own->family == ADDR_IP4)
		iface = ip_iface_of(ip, own->ip4);
	return iface ? (int)(iface - ip->ifaces) : -1;
}

bool mcast_address(const struct ip *ip, unsigned iface, struct addr *own)
{
	static const struct ip4 anywhere;
	struct ip4 ip4;

	if (iface >= IP_IFACE_MAX || !ip_iface_source(ip, iface, anywhere, &ip4))
		return false;
	*own = addr_ip4(ip4);
	return true;
}

int mcast_join(struct ip *ip, unsigned iface, const struct addr *group, uint64_t now_ns)
{
	if (iface >= IP_IFACE_MAX || !ip->ifaces[iface].eth || !mcast_is_group(group))
		return -EINVAL;
	if (group->family == ADDR_IP6)
		return mld_join(&ip->ifaces[iface].ip6.mld, group->ip6, now_ns);
	return igmp_join(&ip->ifaces[iface].igmp, group->ip4, now_ns);
}

void mcast_leave(struct ip *ip, unsigned iface, const struct addr *group, uint64_t now_ns)
{
	if (group->family == ADDR_IP6)
		mld_leave(&ip->ifaces[iface].ip6.mld, group->ip6, now_ns);
	else
		igmp_leave(&ip->ifaces[iface].igmp, group->ip4, now_ns);
}

bool mcast_listens(const struct ip *ip, unsigned iface, const struct addr *group)
{
	if (iface >= IP_IFACE_MAX)
		return false;
	if (group->family == ADDR_IP6)
		return ip6_iface_listens(&ip->ifaces[iface], group->ip6);
	return group->family == ADDR_IP4 &&
	       igmp_listens(&ip->ifaces[iface].igmp, group->ip4);
}

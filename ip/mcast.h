/*
 * Groups that programs listen to, of either family: the door of IGMP and MLD for sockets.
 *
 * A group is joined on an interface, once for each that wants it; the interface listens
 * and reports as long as one is left.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct ip;

/* The interface by which @group is reached when its user names none: as routes say, or
 * any with an address.  -1: none. */
int mcast_iface(struct ip *ip, const struct addr *group);
/* The interface with our address @own; -1: none. */
int mcast_iface_of(struct ip *ip, const struct addr *own);
/* An address of ours on @iface; false: it has none that may be used. */
bool mcast_address(const struct ip *ip, unsigned iface, struct addr *own);
/* 0; -EINVAL: no group, or no such interface; -ENOBUFS: it listens to no more. */
int mcast_join(struct ip *ip, unsigned iface, const struct addr *group, uint64_t now_ns);
/* The end of one mcast_join(). */
void mcast_leave(struct ip *ip, unsigned iface, const struct addr *group,
		 uint64_t now_ns);
bool mcast_listens(const struct ip *ip, unsigned iface, const struct addr *group);

static inline bool mcast_is_group(const struct addr *addr)
{
	if (addr->family == ADDR_IP4)
		return ip4_is_multicast(addr->ip4);
	return addr->family == ADDR_IP6 && addr->ip6.b[0] == 0xff;
}

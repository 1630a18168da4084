#include "stack/core/host_nl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/qdisc.h>

/* libnl has error numbers of its own; those that can happen here. */
static int errno_of(int nl_err)
{
	switch (-nl_err) {
	case 0: return 0;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND: return -ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS: return -EPERM;
	case NLE_EXIST: return -EEXIST;
	case NLE_NOMEM: return -ENOMEM;
	case NLE_BUSY: return -EBUSY;
	case NLE_AF_NOSUPPORT:
	case NLE_OPNOTSUPP: return -EOPNOTSUPP;
	case NLE_INVAL:
	case NLE_RANGE:
	case NLE_NOADDR: return -EINVAL;
	default: return -EIO;
	}
}

static int nl_open(struct nl_sock **sock)
{
	int err;

	*sock = nl_socket_alloc();
	if (!*sock)
		return -ENOMEM;
	err = errno_of(nl_connect(*sock, NETLINK_ROUTE));
	if (err)
		nl_socket_free(*sock);
	return err;
}

static int find(struct nl_sock *sock, const char *dev, struct rtnl_link **link)
{
	return errno_of(rtnl_link_get_kernel(sock, 0, dev, link));
}

int host_nl_find(const char *dev, struct host_link *link)
{
	struct host_link found = { 0 };
	struct rtnl_link *l;
	struct nl_sock *sock;
	struct nl_addr *mac;
	int err = nl_open(&sock);

	if (err)
		return err;
	err = find(sock, dev, &l);
	nl_socket_free(sock);
	if (err)
		return err;
	found.index = rtnl_link_get_ifindex(l);
	found.mtu = rtnl_link_get_mtu(l);
	found.up = rtnl_link_get_flags(l) & IFF_UP;
	mac = rtnl_link_get_addr(l);
	if (mac && nl_addr_get_len(mac) == sizeof(found.mac))
		memcpy(&found.mac, nl_addr_get_binary_addr(mac), sizeof(found.mac));
	rtnl_link_put(l);
	*link = found;
	return 0;
}

static int set_link(struct nl_sock *sock, struct rtnl_link *link, uint16_t mtu)
{
	struct rtnl_link *change = rtnl_link_alloc();
	int err;

	if (!change)
		return -ENOMEM;
	if (mtu)
		rtnl_link_set_mtu(change, mtu);
	rtnl_link_set_flags(change, IFF_UP);
	err = errno_of(rtnl_link_change(sock, link, change, 0));
	rtnl_link_put(change);
	return err;
}

static int fill_addr(struct rtnl_addr *ra, int index, const struct addr *addr,
		     unsigned bits)
{
	bool is_ip4 = addr->family == ADDR_IP4;
	struct nl_addr *local =
		nl_addr_build(is_ip4 ? AF_INET : AF_INET6, &addr->ip6,
			      is_ip4 ? sizeof(addr->ip4) : sizeof(addr->ip6));
	int err;

	if (!local)
		return -ENOMEM;
	nl_addr_set_prefixlen(local, (int)bits);
	rtnl_addr_set_ifindex(ra, index);
	err = errno_of(rtnl_addr_set_local(ra, local));
	nl_addr_put(local);
	return err;
}

static int add_addr(struct nl_sock *sock, int index, const struct addr *addr,
		    unsigned bits)
{
	struct rtnl_addr *ra;
	int err;

	if (bits > (addr->family == ADDR_IP4 ? 32 : 128))
		return -EINVAL;
	ra = rtnl_addr_alloc();
	if (!ra)
		return -ENOMEM;
	err = fill_addr(ra, index, addr, bits);
	if (!err)
		err = errno_of(rtnl_addr_add(sock, ra, 0));
	rtnl_addr_put(ra);
	return err == -EEXIST ? 0 : err;
}

/* True when @ra is an address of another device than @index that shares addresses
 * with @addr/@bits: one of the two prefixes is in the other. */
static bool overlaps(struct rtnl_addr *ra, int index, const struct addr *addr,
		     unsigned bits, struct host_clash *clash)
{
	const struct nl_addr *local = rtnl_addr_get_local(ra);
	struct ip4 ip4;

	if (!local || rtnl_addr_get_ifindex(ra) == index ||
	    nl_addr_get_len(local) != sizeof(ip4))
		return false;
	memcpy(&ip4, nl_addr_get_binary_addr(local), sizeof(ip4));
	clash->addr = addr_ip4(ip4);
	clash->bits = (unsigned)rtnl_addr_get_prefixlen(ra);
	return addr_same_prefix(addr, &clash->addr,
				bits < clash->bits ? bits : clash->bits);
}

static int look_for_clash(struct nl_sock *sock, int index, const struct addr *addr,
			  unsigned bits, struct host_clash *clash)
{
	struct nl_cache *all;
	int err = errno_of(rtnl_addr_alloc_cache(sock, &all));

	if (err)
		return err;
	for (struct nl_object *o = nl_cache_get_first(all); o && !err;
	     o = nl_cache_get_next(o)) {
		struct rtnl_addr *ra = (struct rtnl_addr *)o;
		struct host_clash found = { 0 };

		if (!overlaps(ra, index, addr, bits, &found))
			continue;
		if (!if_indextoname((unsigned)rtnl_addr_get_ifindex(ra), found.dev))
			strcpy(found.dev, "?");
		*clash = found;
		err = -EADDRINUSE;
	}
	nl_cache_free(all);
	return err;
}

int host_nl_clash(const char *dev, const struct addr *addr, unsigned bits,
		  struct host_clash *clash)
{
	struct rtnl_link *link;
	struct nl_sock *sock;
	int err;

	if (addr->family != ADDR_IP4)
		return 0;
	err = nl_open(&sock);
	if (err)
		return err;
	err = find(sock, dev, &link);
	if (!err) {
		err = look_for_clash(sock, rtnl_link_get_ifindex(link), addr, bits,
				     clash);
		rtnl_link_put(link);
	}
	nl_socket_free(sock);
	return err;
}

/*
 * Frames for us wait in the TAP itself: a queue in front of it, with its lock, costs a
 * tenth of what the host's sender does and gives nothing.  Other virtual devices have none
 * by themselves.  That it cannot be taken away is no failure.
 */
static void set_no_queue(struct nl_sock *sock, int index)
{
	struct rtnl_qdisc *qdisc = rtnl_qdisc_alloc();

	if (!qdisc)
		return;
	rtnl_tc_set_ifindex(TC_CAST(qdisc), index);
	rtnl_tc_set_parent(TC_CAST(qdisc), TC_H_ROOT);
	if (rtnl_tc_set_kind(TC_CAST(qdisc), "noqueue") == 0)
		rtnl_qdisc_add(sock, qdisc, NLM_F_CREATE | NLM_F_REPLACE);
	rtnl_qdisc_put(qdisc);
}

int host_nl_set(const char *dev, uint16_t mtu, const struct addr *addr, unsigned bits)
{
	struct rtnl_link *link;
	struct nl_sock *sock;
	int err = nl_open(&sock);

	if (err)
		return err;
	err = find(sock, dev, &link);
	if (!err) {
		set_no_queue(sock, rtnl_link_get_ifindex(link));
		err = set_link(sock, link, mtu);
		if (!err && addr->family != ADDR_NONE)
			err = add_addr(sock, rtnl_link_get_ifindex(link), addr, bits);
		rtnl_link_put(link);
	}
	nl_socket_free(sock);
	return err;
}

/*
 * Options about groups: IP_ADD_MEMBERSHIP, IPV6_JOIN_GROUP and their like, as Linux has
 * them.  Numbers of
 * interfaces are those of the core, and one.
 */
#include "ip/ip6.h"
#include "ip/mcast.h"
#include "stack/api/sock.h"
#include "stack/sock/sock_impl.h"

bool sock_mcast_is_opt(int level, int name)
{
	if (level == IPPROTO_IPV6)
		return name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP;
	return level == IPPROTO_IP &&
	       (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP ||
		name == IP_MULTICAST_IF || name == IP_MULTICAST_TTL ||
		name == IP_MULTICAST_LOOP);
}

static struct addr addr_of(struct in_addr in)
{
	struct ip4 ip4;

	memcpy(&ip4, &in, sizeof(ip4));
	return addr_ip4(ip4);
}

/* ip_mreqn, or ip_mreq, which is the same without its end. */
static int read_mreq(const void *value, socklen_t len, struct ip_mreqn *mreq)
{
	*mreq = (struct ip_mreqn){ 0 };
	if (len < sizeof(struct ip_mreq))
		return -EINVAL;
	memcpy(mreq, value, len < sizeof(*mreq) ? sizeof(struct ip_mreq) : sizeof(*mreq));
	return 0;
}

/* The interface that @mreq names; -1: it names none; -ENODEV: there is no such. */
static int named_iface(struct socks *ss, const struct ip_mreqn *mreq)
{
	struct addr own = addr_of(mreq->imr_address);
	int iface;

	if (mreq->imr_ifindex < 0 || mreq->imr_ifindex > IP_IFACE_MAX)
		return -ENODEV;
	if (mreq->imr_ifindex)
		return mreq->imr_ifindex - 1;
	if (mreq->imr_address.s_addr == INADDR_ANY)
		return -1;
	iface = mcast_iface_of(ss->ip, &own);
	return iface < 0 ? -ENODEV : iface;
}

static int set_membership(struct socks *ss, struct sock *s, int name, const void *value,
			  socklen_t len)
{
	struct ip_mreqn mreq;
	struct addr group;
	int iface, err = read_mreq(value, len, &mreq);

	if (err)
		return err;
	group = addr_of(mreq.imr_multiaddr);
	iface = named_iface(ss, &mreq);
	if (iface == -1)
		iface = mcast_iface(ss->ip, &group);
	if (iface < 0)
		return -ENODEV;
	if (name == IP_ADD_MEMBERSHIP)
		return udp_group_join(ss->udp, s->udp, (unsigned)iface, &group,
				      ss->now_ns);
	return udp_group_leave(ss->udp, s->udp, (unsigned)iface, &group, ss->now_ns);
}

/* RFC 3493 5.2: a group and the number of an interface, or 0. */
static int set_membership6(struct socks *ss, struct sock *s, int name, const void *value,
			   socklen_t len)
{
	struct ipv6_mreq mreq;
	struct addr group;
	struct ip6 ip6;
	unsigned iface;

	if (len < sizeof(mreq))
		return -EINVAL;
	memcpy(&mreq, value, sizeof(mreq));
	memcpy(&ip6, &mreq.ipv6mr_multiaddr, sizeof(ip6));
	group = addr_ip6(ip6);
	iface = mreq.ipv6mr_interface ? mreq.ipv6mr_interface : ip_default_zone(ss->ip);
	if (!iface || iface > IP_IFACE_MAX)
		return -ENODEV;
	if (name == IPV6_JOIN_GROUP)
		return udp_group_join(ss->udp, s->udp, iface - 1, &group, ss->now_ns);
	return udp_group_leave(ss->udp, s->udp, iface - 1, &group, ss->now_ns);
}

/* An address of ours, or as for a membership. */
static int set_iface(struct socks *ss, struct sock *s, const void *value, socklen_t len)
{
	struct ip_mreqn mreq = { 0 };
	int iface, err = 0;

	if (len >= sizeof(struct ip_mreq))
		err = read_mreq(value, len, &mreq);
	else if (len >= sizeof(struct in_addr))
		memcpy(&mreq.imr_address, value, sizeof(mreq.imr_address));
	else
		err = -EINVAL;
	if (err)
		return err;
	iface = named_iface(ss, &mreq);
	if (iface < -1)
		return -EADDRNOTAVAIL;
	s->udp->group_via = (uint8_t)(iface + 1);
	return 0;
}

/* A number, as int or as a byte. */
static int read_number(const void *value, socklen_t len, int *n)
{
	uint8_t byte;

	if (len >= sizeof(*n)) {
		memcpy(n, value, sizeof(*n));
		return 0;
	}
	if (len < sizeof(byte))
		return -EINVAL;
	memcpy(&byte, value, sizeof(byte));
	*n = byte;
	return 0;
}

static int set_ttl(struct sock *s, int n)
{
	if (n < -1 || n > UINT8_MAX)
		return -EINVAL;
	s->udp->group_ttl_set = n >= 0; /* -1: the default */
	s->udp->group_ttl = n >= 0 ? (uint8_t)n : 0;
	return 0;
}

int sock_mcast_set(struct socks *ss, struct sock *s, int name, const void *value,
		   socklen_t len)
{
	int n, err;

	if (s->kind == SOCK_UDP && s->is_ip6 &&
	    (name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP))
		return set_membership6(ss, s, name, value, len);
	if (s->kind != SOCK_UDP || s->is_ip6)
		return -ENOPROTOOPT;
	if (name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP)
		return set_membership(ss, s, name, value, len);
	if (name == IP_MULTICAST_IF)
		return set_iface(ss, s, value, len);
	err = read_number(value, len, &n);
	if (err)
		return err;
	if (name == IP_MULTICAST_TTL)
		return set_ttl(s, n);
	s->udp->group_quiet = n == 0;
	return 0;
}

int sock_mcast_get(const struct socks *ss, const struct sock *s, int name, void *value,
		   socklen_t *len)
{
	struct in_addr own = { INADDR_ANY };
	struct addr addr;
	int n;

	if (s->kind != SOCK_UDP || s->is_ip6)
		return -ENOPROTOOPT;
	if (name == IP_MULTICAST_TTL) {
		n = s->udp->group_ttl_set ? s->udp->group_ttl : 1;
	} else if (name == IP_MULTICAST_LOOP) {
		n = !s->udp->group_quiet;
	} else if (name == IP_MULTICAST_IF) {
		if (s->udp->group_via &&
		    mcast_address(ss->ip, s->udp->group_via - 1u, &addr))
			memcpy(&own, &addr.ip4, sizeof(own));
		memcpy(&n, &own, sizeof(n));
	} else {
		return -ENOPROTOOPT;
	}
	if (*len > sizeof(n))
		*len = sizeof(n);
	memcpy(value, &n, *len);
	return 0;
}

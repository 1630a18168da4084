/*
 * Options that only datagrams have, and what they make recvmsg() tell and sendmsg()
 * take: to whom a datagram was sent and by which interface, its TTL and TOS, of
 * either family; sums that are left out; whether routers may cut.
 */
#include "ip/mcast.h"
#include "stack/api/sock.h"
#include "stack/base/pkt.h"
#include "stack/sock/sock_impl.h"

/* ---- options ---- */

/* What recvmsg() shall tell, as bits of udp_port.tell. */
enum tell { TELL_PKTINFO = 1 << 0, TELL_TTL = 1 << 1, TELL_TOS = 1 << 2 };

static const struct {
	int level, name;
	enum tell tell;
} tells[] = {
	{ IPPROTO_IP, IP_PKTINFO, TELL_PKTINFO },
	{ IPPROTO_IP, IP_RECVTTL, TELL_TTL },
	{ IPPROTO_IP, IP_RECVTOS, TELL_TOS },
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO, TELL_PKTINFO },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, TELL_TTL },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS, TELL_TOS },
};

/* 0: it is none of them. */
static unsigned tell_of(int level, int name)
{
	for (size_t i = 0; i < ARRAY_LEN(tells); i++)
		if (tells[i].level == level && tells[i].name == name)
			return tells[i].tell;
	return 0;
}

bool sock_udp_is_opt(int level, int name)
{
	return sock_mcast_is_opt(level, name) || tell_of(level, name) ||
	       (level == SOL_SOCKET && name == SO_NO_CHECK) ||
	       (level == IPPROTO_IP && (name == IP_MTU_DISCOVER || name == IP_MTU));
}

static int set_flag(struct udp_port *udp, int level, int name, int v)
{
	unsigned tell = tell_of(level, name);

	if (tell) {
		udp->tell = (uint8_t)(v ? udp->tell | tell : udp->tell & ~tell);
		return 0;
	}
	if (name == SO_NO_CHECK && level == SOL_SOCKET) {
		udp->no_sum = v != 0;
		return 0;
	}
	if (name != IP_MTU_DISCOVER)
		return -ENOPROTOOPT;
	if (v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_DO)
		return -EINVAL;
	/* We cut what the path does not take, unless nobody shall. */
	udp->ip_flags &= (uint8_t)~IP_DF;
	if (v == IP_PMTUDISC_DO)
		udp->ip_flags |= IP_DF;
	udp->pmtu_want = v == IP_PMTUDISC_WANT;
	return 0;
}

int sock_udp_set(struct socks *ss, struct sock *s, int level, int name, const void *value,
		 socklen_t len)
{
	int v;

	if (sock_mcast_is_opt(level, name))
		return sock_mcast_set(ss, s, name, value, len);
	if (level == IPPROTO_IPV6 && !s->is_ip6)
		return -ENOPROTOOPT;
	if (len < sizeof(v))
		return -EINVAL;
	memcpy(&v, value, sizeof(v));
	return set_flag(s->udp, level, name, v);
}

static int get_flag(struct socks *ss, const struct udp_port *udp, int level, int name,
		    int *v)
{
	unsigned tell = tell_of(level, name);

	if (tell) {
		*v = (udp->tell & tell) != 0;
	} else if (level == SOL_SOCKET) {
		*v = udp->no_sum;
	} else if (name == IP_MTU_DISCOVER) {
		*v = udp->ip_flags & IP_DF ? IP_PMTUDISC_DO :
		     udp->pmtu_want	   ? IP_PMTUDISC_WANT :
					     IP_PMTUDISC_DONT;
	} else {
		if (!udp->flow.remote.family)
			return -ENOTCONN;
		*v = (int)ip_path_mtu(ss->ip, &udp->flow.remote);
	}
	return 0;
}

int sock_udp_get(struct socks *ss, const struct sock *s, int level, int name, void *value,
		 socklen_t *len)
{
	int v, err;

	if (sock_mcast_is_opt(level, name))
		return sock_mcast_get(ss, s, name, value, len);
	if (level == IPPROTO_IPV6 && !s->is_ip6)
		return -ENOPROTOOPT;
	err = get_flag(ss, s->udp, level, name, &v);
	if (err)
		return err;
	if (*len > sizeof(v))
		*len = sizeof(v);
	memcpy(value, &v, *len);
	return 0;
}

/* ---- recvmsg ---- */

/* The interface and one, as IP_MULTICAST_IF takes it; of ourselves: 0. */
static int ifindex_of(const struct pkt *p)
{
	return p->iface < IP_IFACE_MAX ? p->iface + 1 : 0;
}

static void put_pktinfo(struct socks *ss, struct msghdr *msg, size_t *used,
			const struct pkt *p)
{
	struct in_pktinfo info = { .ipi_ifindex = ifindex_of(p) };
	struct in6_pktinfo info6 = { .ipi6_ifindex = (unsigned)ifindex_of(p) };
	struct addr own = p->dst;

	if (p->dst.family == ADDR_IP6) {
		memcpy(&info6.ipi6_addr, &p->dst.ip6, sizeof(info6.ipi6_addr));
		sock_put_cmsg(msg, used, IPPROTO_IPV6, IPV6_PKTINFO, &info6,
			      sizeof(info6));
		return;
	}
	if (!ip_is_ours(ss->ip, &own) && !mcast_address(ss->ip, p->iface, &own))
		own = (struct addr){ 0 };
	memcpy(&info.ipi_addr, &p->dst.ip4, sizeof(info.ipi_addr));
	memcpy(&info.ipi_spec_dst, &own.ip4, sizeof(info.ipi_spec_dst));
	sock_put_cmsg(msg, used, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static void put_all(struct socks *ss, const struct sock *s, struct msghdr *msg,
		    const struct pkt *p)
{
	bool is_ip6 = p->dst.family == ADDR_IP6;
	int level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ttl = p->ttl, tclass = p->tos;
	size_t used = 0;

	if (s->udp->tell & TELL_PKTINFO)
		put_pktinfo(ss, msg, &used, p);
	if (s->udp->tell & TELL_TTL)
		sock_put_cmsg(msg, &used, level, is_ip6 ? IPV6_HOPLIMIT : IP_TTL, &ttl,
			      sizeof(ttl));
	/* Linux gives a byte with one family, an int with the other. */
	if (s->udp->tell & TELL_TOS && is_ip6)
		sock_put_cmsg(msg, &used, level, IPV6_TCLASS, &tclass, sizeof(tclass));
	else if (s->udp->tell & TELL_TOS)
		sock_put_cmsg(msg, &used, level, IP_TOS, &p->tos, sizeof(p->tos));
	msg->msg_controllen = used;
}

ssize_t sock_udp_recvmsg(struct socks *ss, struct sock *s, struct msghdr *msg, int flags)
{
	struct udp_from peer;
	uint32_t at = 0, len;
	struct pkt *p;

	if (flags & ~(MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_NOSIGNAL))
		return -EOPNOTSUPP;
	if (s->udp->error)
		return -sock_error(s);
	p = flags & MSG_PEEK ? s->udp->queue : udp_recv(s->udp);
	if (!p)
		return -EAGAIN;
	len = p->total_len;
	for (size_t i = 0; i < msg->msg_iovlen && at < len; i++) {
		size_t room = msg->msg_iov[i].iov_len;

		at += pkt_read(p, at, msg->msg_iov[i].iov_base,
			       room < UINT32_MAX ? (uint32_t)room : UINT32_MAX);
	}
	memcpy(&peer, p->cb, sizeof(peer));
	sock_addr_tell(s, &p->src, peer.port, msg->msg_name,
		       msg->msg_name ? &msg->msg_namelen : NULL);
	msg->msg_flags = at < len ? MSG_TRUNC : 0;
	put_all(ss, s, msg, p);
	if (!(flags & MSG_PEEK))
		pkt_free(p);
	return flags & MSG_TRUNC ? len : at;
}

/* ---- sendmsg ---- */

static int read_byte(const struct cmsghdr *c, int least, uint8_t *to)
{
	int v = -1;

	if (c->cmsg_len >= CMSG_LEN(sizeof(v)))
		memcpy(&v, CMSG_DATA(c), sizeof(v));
	else if (c->cmsg_len >= CMSG_LEN(1))
		v = *CMSG_DATA(c);
	if (v < least || v > UINT8_MAX)
		return -EINVAL;
	*to = (uint8_t)v;
	return 0;
}

static int read_pktinfo(struct socks *ss, const struct cmsghdr *c, struct udp_to *to)
{
	struct in_pktinfo info;

	if (c->cmsg_len < CMSG_LEN(sizeof(info)))
		return -EINVAL;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	if (info.ipi_ifindex < 0 || info.ipi_ifindex > IP_IFACE_MAX)
		return -ENODEV;
	if (mcast_is_group(&to->dst))
		to->via = (uint8_t)info.ipi_ifindex;
	if (info.ipi_spec_dst.s_addr == INADDR_ANY)
		return 0;
	to->src = (struct addr){ .family = ADDR_IP4 };
	memcpy(&to->src.ip4, &info.ipi_spec_dst, sizeof(to->src.ip4));
	return ip_is_ours(ss->ip, &to->src) ? 0 : -EADDRNOTAVAIL;
}

static int read_one(struct socks *ss, const struct cmsghdr *c, struct udp_to *to)
{
	bool is_ip6 = to->dst.family == ADDR_IP6;

	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO && !is_ip6)
		return read_pktinfo(ss, c, to);
	if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL && !is_ip6) ||
	    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT && is_ip6))
		return read_byte(c, 1, &to->ttl);
	if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS && !is_ip6) ||
	    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS && is_ip6)) {
		to->has_tos = true;
		return read_byte(c, 0, &to->tos);
	}
	/* None is accepted and ignored. */
	return -EINVAL;
}

int sock_udp_read_control(struct socks *ss, const struct msghdr *msg, struct udp_to *to)
{
	struct msghdr walk = *msg;
	int err = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&walk); c && !err;
	     c = CMSG_NXTHDR(&walk, c))
		err = read_one(ss, c, to);
	return err;
}

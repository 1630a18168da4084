#include "ip/mcast.h"
#include "stack/api/sock.h"
#include "stack/base/pkt.h"
#include "stack/sock/sock_impl.h"

/* RFC 768, within the 16 bits of IPv4's whole packet and of IPv6's payload. */
enum { UDP4_MAX_LEN = 65507, UDP6_MAX_LEN = 65527, UDP_HEADROOM = 128 };

static bool bound(const struct sock *s)
{
	return s->udp->flow.local_port != 0;
}

int sock_udp_bind(struct socks *ss, struct sock *s, const struct addr *addr,
		  uint16_t port)
{
	int err;

	if (bound(s))
		return -EINVAL;
	if (!addr_is_any(addr))
		s->udp->flow.local = *addr;
	/* "::" is both families', ::ffff:0.0.0.0 only one's. */
	if (addr->family == ADDR_IP4)
		s->udp->family = ADDR_IP4;
	s->udp->flow.local_port = port;
	err = udp_bind(ss->udp, s->udp);
	if (err)
		s->udp->flow = (struct flow){ 0 };
	return err;
}

/* An IPv6 socket that is bound to an address of one family speaks no other. */
static bool wrong_family(const struct sock *s, const struct addr *to)
{
	const struct udp_port *udp = s->udp;

	return (udp->family && udp->family != to->family) ||
	       (udp->flow.local.family && udp->flow.local.family != to->family);
}

/* Fixes the peer; the port stays when it has one. */
int sock_udp_connect(struct socks *ss, struct sock *s, const struct addr *addr,
		     uint16_t port)
{
	struct flow old = s->udp->flow;
	int err;

	if (wrong_family(s, addr))
		return -ENETUNREACH;
	if (bound(s))
		udp_unbind(ss->udp, s->udp);
	s->udp->flow.remote = *addr;
	s->udp->flow.remote_port = port;
	err = s->udp->flow.local.family ? 0 :
					  ip_source(ss->ip, addr, &s->udp->flow.local);
	if (!err)
		err = udp_bind(ss->udp, s->udp);
	if (!err)
		return 0;
	s->udp->flow = old;
	if (bound(s) && udp_bind(ss->udp, s->udp))
		s->udp->flow = (struct flow){ 0 };
	return err;
}

/* @bytes as a packet with room for headers in front; NULL: no memory. */
static struct pkt *datagram(struct socks *ss, const void *bytes, size_t len)
{
	struct pkt *first = pkt_new_buf(ss->pkts, PKT_DATA, UDP_HEADROOM);
	const uint8_t *from = bytes;
	struct pkt *p = first;

	while (p) {
		uint32_t n = pkt_room(p) < len ? pkt_room(p) : (uint32_t)len;

		memcpy(p->data + p->len, from, n);
		p->len = p->total_len = n;
		if (p != first)
			pkt_chain(first, p);
		from += n;
		len -= n;
		if (!len)
			return first;
		p = pkt_new_buf(ss->pkts, PKT_DATA, 0);
	}
	pkt_free(first);
	return NULL;
}

/* @to->dst and @to->port are set, or ADDR_NONE for the peer of a connected one. */
static ssize_t send_one(struct socks *ss, struct sock *s, const void *bytes, size_t len,
			struct udp_to *to)
{
	struct udp_port *udp = s->udp;
	struct pkt *p;
	int err;

	if (len >
	    (to->dst.family == ADDR_IP6 ? (size_t)UDP6_MAX_LEN : (size_t)UDP4_MAX_LEN))
		return -EMSGSIZE;
	if (wrong_family(s, &to->dst))
		return -ENETUNREACH;
	/* RFC 5227 2.1.1: an address that is still probed for is no source */
	if (udp->flow.local.family && !mcast_is_group(&udp->flow.local) &&
	    !ip_is_ours(ss->ip, &udp->flow.local))
		return -EADDRNOTAVAIL;
	err = bound(s) ? 0 : udp_bind(ss->udp, udp);
	if (err)
		return err;
	p = datagram(ss, bytes, len);
	if (!p)
		return -ENOBUFS;
	err = udp_output_to(ss->udp, udp, p, to, ss->now_ns);
	return err ? err : (ssize_t)len;
}

/* Where to, when that is @addr, or the peer of a connected one.  0 or -errno. */
static int destination(const struct sock *s, const struct addr *addr, uint16_t port,
		       struct udp_to *to)
{
	const struct flow *flow = &s->udp->flow;

	if (!addr && !flow->remote.family)
		return -EDESTADDRREQ;
	if (addr && port == 0)
		return -EINVAL;
	*to = (struct udp_to){ .dst = addr ? *addr : flow->remote,
			       .port = addr ? port : flow->remote_port };
	return 0;
}

ssize_t sock_udp_send(struct socks *ss, struct sock *s, const void *bytes, size_t len,
		      const struct addr *addr, uint16_t port)
{
	struct udp_to to;
	int err;

	if (s->udp->error)
		return -sock_error(s);
	err = destination(s, addr, port, &to);
	return err ? err : send_one(ss, s, bytes, len, &to);
}

ssize_t sock_udp_sendmsg(struct socks *ss, struct sock *s, const struct msghdr *msg,
			 const void *bytes, size_t len)
{
	struct addr addr;
	struct udp_to to;
	uint16_t port = 0;
	int err = 0;

	if (s->udp->error)
		return -sock_error(s);
	if (msg->msg_name)
		err = sock_addr_in(ss, s, msg->msg_name, msg->msg_namelen, &addr, &port);
	if (!err)
		err = destination(s, msg->msg_name ? &addr : NULL, port, &to);
	if (!err)
		err = sock_udp_read_control(ss, msg, &to);
	return err ? err : send_one(ss, s, bytes, len, &to);
}

ssize_t sock_udp_recv(struct socks *ss, struct sock *s, void *bytes, size_t len,
		      int flags, struct sockaddr *from, socklen_t *from_len)
{
	struct udp_from peer;
	struct pkt *p;
	uint32_t n;

	(void)ss;
	if (flags & ~(MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_NOSIGNAL))
		return -EOPNOTSUPP;
	if (s->udp->error)
		return -sock_error(s);
	p = flags & MSG_PEEK ? s->udp->queue : udp_recv(s->udp);
	if (!p)
		return -EAGAIN;
	memcpy(&peer, p->cb, sizeof(peer));
	sock_addr_tell(s, &p->src, peer.port, from, from_len);
	n = pkt_read(p, 0, bytes, len < UINT32_MAX ? (uint32_t)len : UINT32_MAX);
	if (flags & MSG_TRUNC)
		n = p->total_len;
	if (!(flags & MSG_PEEK))
		pkt_free(p);
	return n;
}

void sock_udp_close(struct socks *ss, struct sock *s)
{
	udp_group_leave_all(ss->udp, s->udp, ss->now_ns);
	if (bound(s))
		udp_unbind(ss->udp, s->udp);
	pool_put(&ss->udp_ports, s->udp);
}

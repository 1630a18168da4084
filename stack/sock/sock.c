#include "stack/api/sock.h"

#include <stddef.h>

#include "ip/ip6.h"
#include "ip/mcast.h"
#include "stack/base/byte.h"
#include "stack/base/pkt.h"
#include "stack/sock/sock_impl.h"

/*
 * The one thing kept per thread: whose sockets its calls mean.  Not shared with any
 * other thread, and set anew by pb_core_use(), so a hundred stacks still live in one.
 */
static _Thread_local struct socks *current_socks;

struct socks *socks_current(void)
{
	return current_socks;
}

void socks_use(struct socks *ss)
{
	current_socks = ss;
}

int socks_init(struct socks *ss, uint32_t max, struct tcp *tcp, struct udp *udp,
	       struct ip *ip, struct pkt_pool *pkts, struct rng *rng)
{
	int err;

	*ss = (struct socks){
		.tcp = tcp, .udp = udp, .ip = ip, .pkts = pkts, .rng = rng
	};
	list_init(&ss->sets);
	list_init(&ss->stamped);
	ss->notsent_lowat = UINT32_MAX;
	err = pool_init(&ss->socks, sizeof(struct sock), 16, max);
	if (err)
		return err;
	err = pool_init(&ss->setups, sizeof(struct sock_setup), 16, max);
	if (err)
		goto no_setups;
	err = map_init(&ss->bound, SOCKS_BOUND_FIRST);
	if (err)
		goto no_bound;
	err = pool_init(&ss->udp_ports, sizeof(struct udp_port), 16, SOCKS_UDP_MAX);
	if (err)
		goto no_udp;
	err = pool_init(&ss->mores, sizeof(struct sock_more), 16, max);
	if (err)
		goto no_mores;
	return 0;
no_mores:
	pool_fini(&ss->udp_ports);
no_udp:
	map_fini(&ss->bound);
no_bound:
	pool_fini(&ss->setups);
no_setups:
	pool_fini(&ss->socks);
	return err;
}

static void close_any(struct socks *ss, struct sock *s)
{
	switch ((enum sock_kind)s->kind) {
	case SOCK_TCP_NEW: sock_setup_free(ss, s->setup); break;
	case SOCK_TCP:
	case SOCK_LISTENER: sock_tcp_close(ss, s); break;
	case SOCK_UDP: sock_udp_close(ss, s); break;
	case SOCK_FREE: break;
	}
	sock_free(ss, s);
}

void socks_fini(struct socks *ss)
{
	for (uint32_t i = 0; i < ss->socks.fresh && ss->socks.n_out; i++) {
		struct sock *s = pool_at(&ss->socks, i);

		if (s->kind != SOCK_FREE)
			close_any(ss, s);
	}
	pool_fini(&ss->mores);
	pool_fini(&ss->udp_ports);
	map_fini(&ss->bound);
	pool_fini(&ss->setups);
	pool_fini(&ss->socks);
	if (current_socks == ss)
		current_socks = NULL;
}

struct sock *sock_new(struct socks *ss, enum sock_kind kind, int *number)
{
	struct sock *s = pool_get(&ss->socks);

	if (!s) {
		errno = EMFILE;
		return NULL;
	}
	*s = (struct sock){ .kind = (uint8_t)kind, .serial = ss->n_made++ };
	list_init(&s->in_set);
	*number = (int)pool_id(&ss->socks, s);
	return s;
}

void sock_free(struct socks *ss, struct sock *s)
{
	sock_leave_set(s);
	sock_more_free(ss, s);
	pool_put(&ss->socks, s);
	/* Behind the pool, which may poison it. */
	s->kind = SOCK_FREE;
}

struct sock *sock_get(struct socks **ss, int number)
{
	struct sock *s;

	*ss = current_socks;
	if (!current_socks) {
		errno = ENXIO;
		return NULL;
	}
	errno = EBADF;
	if (number < 0 || (uint32_t)number >= current_socks->socks.fresh)
		return NULL;
	s = pool_at(&current_socks->socks, (uint32_t)number);
	return s->kind == SOCK_FREE ? NULL : s;
}

static int ip4_in(const struct sockaddr *sa, socklen_t len, struct addr *addr,
		  uint16_t *port)
{
	struct sockaddr_in in;
	struct ip4 ip4;

	if (len < sizeof(in))
		return -EINVAL;
	memcpy(&in, sa, sizeof(in));
	memcpy(&ip4, &in.sin_addr, sizeof(ip4));
	*addr = addr_ip4(ip4);
	*port = ntohs(in.sin_port);
	return 0;
}

/* The zone of a link-local address or group, when the program named none (RFC 4007 6). */
static uint8_t zone_of(struct socks *ss, const struct sockaddr_in6 *in, struct ip6 ip6)
{
	if (!ip6_is_link_local(ip6) && !ip6_is_link_group(ip6))
		return 0;
	return in->sin6_scope_id ? (uint8_t)in->sin6_scope_id : ip_default_zone(ss->ip);
}

static int ip6_in(struct socks *ss, const struct sock *s, const struct sockaddr *sa,
		  socklen_t len, struct addr *addr, uint16_t *port)
{
	struct sockaddr_in6 in;
	struct ip6 ip6;
	struct ip4 ip4;

	if (len < sizeof(in))
		return -EINVAL;
	memcpy(&in, sa, sizeof(in));
	if (in.sin6_scope_id > IP_IFACE_MAX)
		return -EINVAL;
	memcpy(&ip6, &in.sin6_addr, sizeof(ip6));
	*port = ntohs(in.sin6_port);
	if (ip6_is_mapped(ip6)) {
		if (s->v6only)
			return -ENETUNREACH;
		memcpy(&ip4, ip6.b + sizeof(ip6) - sizeof(ip4), sizeof(ip4));
		*addr = addr_ip4(ip4);
		return 0;
	}
	*addr = addr_ip6(ip6);
	addr->zone = zone_of(ss, &in, ip6);
	return 0;
}

int sock_addr_in(struct socks *ss, const struct sock *s, const struct sockaddr *sa,
		 socklen_t len, struct addr *addr, uint16_t *port)
{
	sa_family_t family;

	if (!sa || len < sizeof(family))
		return -EINVAL;
	memcpy(&family, &sa->sa_family, sizeof(family));
	if (family != (s->is_ip6 ? AF_INET6 : AF_INET))
		return len < sizeof(struct sockaddr_in) ? -EINVAL : -EAFNOSUPPORT;
	return s->is_ip6 ? ip6_in(ss, s, sa, len, addr, port) :
			   ip4_in(sa, len, addr, port);
}

static void give(const void *in, socklen_t in_len, struct sockaddr *sa, socklen_t *len)
{
	memcpy(sa, in, *len < in_len ? *len : in_len);
	*len = in_len;
}

void sock_addr_out(const struct addr *addr, uint16_t port, struct sockaddr *sa,
		   socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (!sa || !len)
		return;
	if (addr->family == ADDR_IP6) {
		memcpy(&in6.sin6_addr, &addr->ip6, sizeof(addr->ip6));
		in6.sin6_scope_id = addr->zone;
		give(&in6, sizeof(in6), sa, len);
	} else {
		memcpy(&in.sin_addr, &addr->ip4, sizeof(addr->ip4));
		give(&in, sizeof(in), sa, len);
	}
}

void sock_addr_tell(const struct sock *s, const struct addr *addr, uint16_t port,
		    struct sockaddr *sa, socklen_t *len)
{
	struct ip6 bytes = { { [10] = 0xff, [11] = 0xff } };
	struct addr mapped;

	if (addr->family == ADDR_IP4)
		memcpy(bytes.b + 12, &addr->ip4, sizeof(addr->ip4));
	mapped = addr_ip6(addr->family == ADDR_IP4 ? bytes : addr->ip6);
	mapped.zone = addr->zone;
	sock_addr_out(s->is_ip6 ? &mapped : addr, port, sa, len);
}

static int tcp_socket(struct socks *ss, bool is_ip6)
{
	struct sock_setup *setup = pool_get(&ss->setups);
	struct sock *s;
	int number;

	if (!setup)
		return sock_fail(EMFILE);
	s = sock_new(ss, SOCK_TCP_NEW, &number);
	if (!s) {
		pool_put(&ss->setups, setup);
		return -1;
	}
	*setup = (struct sock_setup){ .sock = s, .opts = *tcp_opts(ss->tcp) };
	s->setup = setup;
	s->is_ip6 = is_ip6;
	return number;
}

static int udp_socket(struct socks *ss, bool is_ip6)
{
	struct udp_port *udp = pool_get(&ss->udp_ports);
	struct sock *s;
	int number;

	if (!udp)
		return sock_fail(EMFILE);
	s = sock_new(ss, SOCK_UDP, &number);
	if (!s) {
		pool_put(&ss->udp_ports, udp);
		return -1;
	}
	*udp = (struct udp_port){ .user = s, .family = is_ip6 ? ADDR_NONE : ADDR_IP4 };
	list_init(&udp->ready);
	s->udp = udp;
	s->is_ip6 = is_ip6;
	return number;
}

int pb_socket(int domain, int type, int protocol)
{
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (!current_socks)
		return sock_fail(ENXIO);
	if (domain != AF_INET && domain != AF_INET6)
		return sock_fail(EAFNOSUPPORT);
	if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP))
		return tcp_socket(current_socks, domain == AF_INET6);
	if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP))
		return udp_socket(current_socks, domain == AF_INET6);
	return sock_fail(EPROTONOSUPPORT);
}

int pb_bind(int number, const struct sockaddr *sa, socklen_t len)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);
	struct addr addr;
	uint16_t port;
	int err;

	if (!s)
		return -1;
	err = sock_addr_in(ss, s, sa, len, &addr, &port);
	if (err)
		return sock_fail(err == -ENETUNREACH ? EINVAL : -err);
	/* While an address is still probed for (RFC 5227), a server may start. */
	if (!addr_is_any(&addr) && !ip_is_configured(ss->ip, &addr) &&
	    !(s->more && s->more->freebind) &&
	    (s->kind != SOCK_UDP || !mcast_is_group(&addr)))
		return sock_fail(EADDRNOTAVAIL);
	if (s->kind == SOCK_UDP)
		return (int)sock_result(sock_udp_bind(ss, s, &addr, port));
	if (s->kind != SOCK_TCP_NEW || s->setup->port)
		return sock_fail(EINVAL);
	return (int)sock_result(sock_port_bind(ss, s, &addr, port));
}

int pb_listen(int number, int backlog)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (s->kind != SOCK_TCP_NEW)
		return sock_fail(s->kind == SOCK_UDP ? EOPNOTSUPP : EINVAL);
	return (int)sock_result(sock_tcp_listen(ss, s, backlog));
}

int pb_accept(int number, struct sockaddr *sa, socklen_t *len)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (s->kind != SOCK_LISTENER)
		return sock_fail(s->kind == SOCK_UDP ? EOPNOTSUPP : EINVAL);
	return sock_tcp_accept(ss, s, sa, len);
}

int pb_connect(int number, const struct sockaddr *sa, socklen_t len)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);
	struct addr addr;
	uint16_t port;
	int err;

	if (!s)
		return -1;
	err = sock_addr_in(ss, s, sa, len, &addr, &port);
	if (err)
		return sock_fail(-err);
	if (s->kind == SOCK_UDP)
		return (int)sock_result(sock_udp_connect(ss, s, &addr, port));
	return (int)sock_result(sock_tcp_connect(ss, s, &addr, port));
}

ssize_t pb_send(int number, const void *bytes, size_t len, int flags)
{
	return pb_sendto(number, bytes, len, flags, NULL, 0);
}

/* MSG_FASTOPEN: connects, too. */
static ssize_t send_fast(struct socks *ss, struct sock *s, const void *bytes, size_t len,
			 const struct sockaddr *to, socklen_t to_len)
{
	struct addr addr = { 0 };
	uint16_t port = 0;
	int err = 0;

	if (s->kind == SOCK_TCP_NEW && s->setup->to.family && !to) {
		addr = s->setup->to;
		port = s->setup->to_port;
	} else if (s->kind == SOCK_TCP_NEW) {
		if (to && to_len >= sizeof(to->sa_family) && to->sa_family == AF_UNSPEC)
			return -EOPNOTSUPP;
		err = sock_addr_in(ss, s, to, to_len, &addr, &port);
	}
	return err ? err : sock_tcp_fastopen(ss, s, bytes, len, &addr, port);
}

ssize_t pb_sendto(int number, const void *bytes, size_t len, int flags,
		  const struct sockaddr *to, socklen_t to_len)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);
	struct addr addr = { 0 };
	uint16_t port = 0;
	int err = 0;

	if (!s)
		return -1;
	if (!bytes && len)
		return sock_fail(EFAULT);
	if (s->kind != SOCK_UDP && (flags & MSG_FASTOPEN) && !(flags & MSG_OOB))
		return sock_result(send_fast(ss, s, bytes, len, to, to_len));
	if (s->kind != SOCK_UDP)
		return sock_result(sock_tcp_send(ss, s, bytes, len, flags));
	if (to)
		err = sock_addr_in(ss, s, to, to_len, &addr, &port);
	if (err)
		return sock_fail(-err);
	return sock_result(sock_udp_send(ss, s, bytes, len, to ? &addr : NULL, port));
}

ssize_t pb_writev(int number, const struct iovec *iov, int n)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);
	ssize_t sum = 0;

	if (!s)
		return -1;
	if (s->kind == SOCK_UDP)
		return sock_fail(EOPNOTSUPP);
	for (int i = 0; i < n; i++) {
		ssize_t r = sock_tcp_send(ss, s, iov[i].iov_base, iov[i].iov_len,
					  i + 1 < n ? MSG_MORE : 0);

		if (r < 0)
			return sum ? sum : sock_result(r);
		sum += r;
		if ((size_t)r < iov[i].iov_len)
			break;
	}
	return sum;
}

ssize_t pb_recv(int number, void *bytes, size_t len, int flags)
{
	return pb_recvfrom(number, bytes, len, flags, NULL, NULL);
}

ssize_t pb_recvfrom(int number, void *bytes, size_t len, int flags, struct sockaddr *from,
		    socklen_t *from_len)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (!bytes && len &&
	    (s->kind == SOCK_UDP || (flags & (MSG_TRUNC | MSG_OOB)) != MSG_TRUNC))
		return sock_fail(EFAULT);
	if (s->kind == SOCK_UDP)
		return sock_result(
			sock_udp_recv(ss, s, bytes, len, flags, from, from_len));
	return sock_result(sock_tcp_recv(ss, s, bytes, len, flags));
}

int pb_shutdown(int number, int how)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return sock_fail(EINVAL);
	if (s->kind != SOCK_TCP)
		return sock_fail(ENOTCONN);
	return (int)sock_result(sock_tcp_shutdown(ss, s, how));
}

int pb_close(int number)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	close_any(ss, s);
	return 0;
}

int sock_error(struct sock *s)
{
	int err = 0;

	if (s->kind == SOCK_UDP) {
		err = s->udp->error;
		s->udp->error = 0;
	} else if (s->kind == SOCK_TCP) {
		err = tcp_take_error(s->conn);
	}
	return err;
}

/* The socket and both its ends, for who has room for one.  NULL and errno. */
static const struct sock *ends_of(int number, const struct sockaddr *room,
				  const socklen_t *len, struct flow *flow)
{
	struct socks *ss;
	const struct sock *s = sock_get(&ss, number);

	if (!s)
		return NULL;
	if (!room || !len) {
		errno = EFAULT;
		return NULL;
	}
	*flow = (struct flow){ 0 };
	switch ((enum sock_kind)s->kind) {
	case SOCK_TCP: sock_tcp_flow(ss, s, flow); break;
	case SOCK_UDP: *flow = s->udp->flow; break;
	case SOCK_LISTENER:
		tcp_listener_at(s->listener, &flow->local, &flow->local_port);
		break;
	case SOCK_TCP_NEW:
		flow->local = s->setup->addr;
		flow->local_port = s->setup->port;
		flow->remote = s->setup->to;
		flow->remote_port = s->setup->to_port;
		break;
	case SOCK_FREE: break;
	}
	return s;
}

int pb_getsockname(int number, struct sockaddr *sa, socklen_t *len)
{
	struct flow flow;
	const struct sock *s = ends_of(number, sa, len, &flow);

	if (!s)
		return -1;
	sock_addr_tell(s, &flow.local, flow.local_port, sa, len);
	return 0;
}

int pb_getpeername(int number, struct sockaddr *sa, socklen_t *len)
{
	struct flow flow;
	const struct sock *s = ends_of(number, sa, len, &flow);

	if (!s)
		return -1;
	/* As POSIX and Linux have it: not before the connection has come about. */
	if (!flow.remote.family ||
	    (s->kind == SOCK_TCP && !(tcp_conn_news(s->conn) & TCP_CONNECTED)))
		return sock_fail(ENOTCONN);
	sock_addr_tell(s, &flow.remote, flow.remote_port, sa, len);
	return 0;
}

ssize_t pb_readable(int number)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (s->kind == SOCK_TCP)
		return (ssize_t)tcp_recv_ready(s->conn);
	if (s->kind == SOCK_UDP)
		return s->udp->queue ? (ssize_t)s->udp->queue->total_len : 0;
	return sock_fail(EINVAL);
}

ssize_t pb_writable(int number)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	return s->kind == SOCK_TCP ? (ssize_t)tcp_send_room(s->conn) : sock_fail(EINVAL);
}

ssize_t pb_unacked(int number)
{
	struct tcp_conn_info info;
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (!s)
		return -1;
	if (s->kind != SOCK_TCP)
		return sock_fail(EINVAL);
	tcp_conn_info(ss->tcp, s->conn, &info);
	return (ssize_t)info.sndq_len;
}

#include "stack/api/sock.h"
#include "stack/sock/sock_impl.h"
#include "tcp/fastopen.h"

int sock_tcp_listen(struct socks *ss, struct sock *s, int backlog)
{
	struct addr any = { .family = s->is_ip6 ? ADDR_IP6 : ADDR_IP4 };
	struct sock_setup *setup = s->setup;
	unsigned n = backlog < 1 ? 1 : (unsigned)backlog;
	struct tcp_listener *listener;
	struct addr addr;
	int err = 0;

	if (!setup->port)
		err = sock_port_bind(ss, s, &any, 0);
	if (err)
		return err;
	addr = sock_port_hears(s, &setup->addr);
	err = (s->reuse_port ? tcp_listen_shared :
			       tcp_listen)(ss->tcp, &addr, setup->port, n, s, &listener);
	if (err)
		return err;
	*tcp_listener_opts(listener) = setup->opts;
	*tcp_listener_fo_keys(listener) = setup->fo_keys;
	tcp_listener_set_defer(listener, setup->defer_s);
	if (setup->cc[0])
		tcp_listener_set_cc(listener, setup->cc);
	if (setup->fo_max)
		tcp_listener_set_fastopen(listener, setup->fo_max);
	s->kind = SOCK_LISTENER;
	s->listener = listener;
	sock_setup_free(ss, setup);
	return 0;
}

/* connect() on what is a connection already. */
static int again(struct sock *s)
{
	int err = tcp_error(s->conn);

	if (err) {
		tcp_take_error(s->conn);
		return -err;
	}
	return tcp_conn_news(s->conn) & TCP_CONNECTED ? -EISCONN : -EALREADY;
}

/* Begins to connect; the socket is a connection from now on.  0 or -errno. */
static int begin(struct socks *ss, struct sock *s, const struct addr *addr, uint16_t port)
{
	struct sock_setup *setup = s->setup;
	struct tcp_conn *conn;
	struct flow flow;
	int err;

	if (port == 0 || addr_is_any(addr))
		return -ECONNREFUSED;
	flow = (struct flow){ .local = setup->addr,
			      .remote = *addr,
			      .local_port = setup->port,
			      .remote_port = port };
	if (addr_is_any(&flow.local))
		flow.local = (struct addr){ 0 };
	if (flow.local.family && flow.local.family != addr->family)
		return -ENETUNREACH;
	err = tcp_connect(ss->tcp, &flow, s, ss->now_ns, &conn);
	if (err)
		return err;
	s->kind = SOCK_TCP;
	s->conn = conn;
	tcp_set_all(ss->tcp, conn, &setup->opts);
	if (setup->cc[0])
		tcp_set_cc(ss->tcp, conn, setup->cc);
	sock_setup_free(ss, setup);
	return 0;
}

/* TCP_FASTOPEN_CONNECT: without a cookie the SYN asks for one; else it waits for data. */
static int connect_later(struct socks *ss, struct sock *s, const struct addr *addr,
			 uint16_t port)
{
	struct sock_setup *setup = s->setup;
	int err;

	if (tcp_fastopen_ready(ss->tcp, addr, &setup->opts)) {
		setup->to = *addr;
		setup->to_port = port;
		sock_news(s);
		return 0;
	}
	err = begin(ss, s, addr, port);
	return err ? err : (int)tcp_fastopen(ss->tcp, s->conn, NULL, 0);
}

int sock_tcp_connect(struct socks *ss, struct sock *s, const struct addr *addr,
		     uint16_t port)
{
	int err;

	if (s->kind == SOCK_TCP)
		return again(s);
	if (s->kind != SOCK_TCP_NEW)
		return -EOPNOTSUPP;
	if (s->setup->to.family)
		return -EISCONN;
	if (s->setup->fo_connect && tcp_fastopen_is_on(ss->tcp))
		return connect_later(ss, s, addr, port);
	err = begin(ss, s, addr, port);
	return err ? err : -EINPROGRESS;
}

ssize_t sock_tcp_fastopen(struct socks *ss, struct sock *s, const void *bytes, size_t len,
			  const struct addr *addr, uint16_t port)
{
	int err;

	if (s->kind == SOCK_TCP &&
	    !(tcp_conn_news(s->conn) & (TCP_CONNECTED | TCP_FAILED)))
		return -EALREADY;
	if (s->kind == SOCK_TCP)
		return tcp_send(ss->tcp, s->conn, bytes, len, false);
	if (s->kind != SOCK_TCP_NEW || !tcp_fastopen_is_on(ss->tcp))
		return -EOPNOTSUPP;
	err = begin(ss, s, addr, port);
	return err ? err : tcp_fastopen(ss->tcp, s->conn, bytes, len);
}

void sock_tcp_flow(const struct socks *ss, const struct sock *s, struct flow *flow)
{
	struct tcp_conn_info info;

	tcp_conn_info(ss->tcp, s->conn, &info);
	*flow = info.flow;
}

int sock_tcp_accept(struct socks *ss, struct sock *s, struct sockaddr *sa, socklen_t *len)
{
	struct sock *new;
	int number;

	if (!tcp_listener_waiting(s->listener))
		return sock_fail(EAGAIN);
	/* The socket first: without one the connection stays in the backlog. */
	new = sock_new(ss, SOCK_TCP, &number);
	if (!new)
		return -1;
	if (sock_more_inherit(ss, new, s)) {
		sock_free(ss, new);
		return sock_fail(ENOMEM);
	}
	new->is_ip6 = s->is_ip6;
	new->v6only = s->v6only;
	new->conn = tcp_accept(ss->tcp, s->listener, new);
	if (!new->conn) {
		sock_free(ss, new);
		return sock_fail(EAGAIN);
	}
	if (sa && len) {
		struct flow flow;

		sock_tcp_flow(ss, new, &flow);
		sock_addr_tell(new, &flow.remote, flow.remote_port, sa, len);
	}
	return number;
}

ssize_t sock_tcp_send(struct socks *ss, struct sock *s, const void *bytes, size_t len,
		      int flags)
{
	ssize_t r;
	size_t n;

	if (flags &
	    ~(MSG_OOB | MSG_MORE | MSG_EOR | MSG_NOSIGNAL | MSG_DONTWAIT | MSG_ZEROCOPY))
		return -EOPNOTSUPP;
	if (s->kind == SOCK_TCP_NEW && s->setup->to.family)
		return sock_tcp_fastopen(ss, s, bytes, len, &s->setup->to,
					 s->setup->to_port);
	if (s->kind != SOCK_TCP)
		return -EPIPE; /* as Linux */
	n = sock_more_may_send(ss, s, len);
	if (!n && len && tcp_conn_news(s->conn) & TCP_WRITABLE)
		return -EAGAIN;
	r = tcp_send(ss->tcp, s->conn, bytes, n, flags & MSG_MORE);
	if (r > 0 && flags & MSG_OOB)
		tcp_send_urgent(ss->tcp, s->conn);
	if (r > 0 && flags & MSG_EOR && (size_t)r == len)
		tcp_send_end_record(ss->tcp, s->conn);
	if (r > 0 && s->more)
		sock_more_wrote(ss, s, flags & MSG_ZEROCOPY);
	return r;
}

ssize_t sock_tcp_recv(struct socks *ss, struct sock *s, void *bytes, size_t len,
		      int flags)
{
	if (flags & ~(MSG_OOB | MSG_PEEK | MSG_NOSIGNAL | MSG_DONTWAIT | MSG_TRUNC))
		return -EOPNOTSUPP;
	if (s->kind == SOCK_TCP_NEW && s->setup->to.family)
		return -EAGAIN;
	if (s->kind != SOCK_TCP)
		return -ENOTCONN;
	if (flags & MSG_OOB)
		return len ? tcp_recv_urgent(ss->tcp, s->conn, bytes) : -EINVAL;
	/* As Linux: bytes of a stream that nobody wants to see */
	if (flags & MSG_TRUNC)
		bytes = NULL;
	return tcp_recv(ss->tcp, s->conn, bytes, len, flags & MSG_PEEK);
}

int sock_tcp_shutdown(struct socks *ss, struct sock *s, int how)
{
	if (how != SHUT_WR)
		tcp_shutdown_recv(ss->tcp, s->conn);
	return how == SHUT_RD ? 0 : tcp_shutdown_send(ss->tcp, s->conn);
}

void sock_tcp_close(struct socks *ss, struct sock *s)
{
	if (s->kind == SOCK_LISTENER)
		tcp_listener_close(ss->tcp, s->listener, ss->now_ns);
	else
		tcp_close(ss->tcp, s->conn, ss->now_ns);
}

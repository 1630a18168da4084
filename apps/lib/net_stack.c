/*
 * net over one core of our stack, through its public API alone.
 *
 * The programs of the net run as a program of the core: inside the turn, behind the
 * news of the sockets and before the core speaks, so an answer leaves in the turn in
 * which the question came.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "apps/lib/net_impl.h"
#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/api/stack.h"
#include "stack/base/check.h"

enum { EVENTS_AT_ONCE = 64, BACKLOG = 4096 };

struct net_stack {
	struct net net;
	struct pb_core *core;
	struct pb_ready *set;
};

static const struct net_ops stack_ops;

static struct net_stack *stack_of(struct net *net)
{
	return container_of(net, struct net_stack, net);
}

static unsigned ready_of(uint32_t events)
{
	unsigned ready = 0;

	if (events & PB_READY_IN)
		ready |= NET_IN;
	if (events & PB_READY_OUT)
		ready |= NET_OUT;
	if (events & (PB_READY_RDHUP | PB_READY_HUP | PB_READY_ERR))
		ready |= NET_IN | NET_END;
	if (events & (PB_READY_HUP | PB_READY_ERR))
		ready |= NET_OUT;
	return ready;
}

static void stack_program(void *arg, uint64_t now_ns)
{
	struct net_stack *st = arg;
	struct pb_event events[EVENTS_AT_ONCE];
	int n;

	do {
		n = pb_ready_wait(st->set, events, EVENTS_AT_ONCE);
		for (int i = 0; i < n; i++)
			net_news(events[i].user, ready_of(events[i].events));
	} while (n == EVENTS_AT_ONCE);
	net_work(&st->net, now_ns);
}

static void stack_turn(struct net *net, bool sleep)
{
	uint64_t now_ns = pb_clock();

	if (pb_turn(now_ns) > now_ns && sleep)
		pb_wait(net_due(net));
}

static void stack_wake(struct net *net)
{
	pb_wake(stack_of(net)->core);
}

static void stack_free(struct net *net)
{
	struct net_stack *st = stack_of(net);

	net_fini(net);
	pb_program_del(st->core, stack_program, st);
	pb_ready_free(st->set);
	free(st);
}

int net_stack_new_at(struct net **net, struct pb_core *core, uint64_t now_ns)
{
	struct net_stack *st;
	int r;

	if (pb_core_use(core) < 0)
		return -errno;
	st = calloc(1, sizeof(*st));
	if (!st)
		return -ENOMEM;
	st->core = core;
	r = net_init(&st->net, &stack_ops, now_ns);
	if (r < 0) {
		free(st);
		return r;
	}
	st->set = pb_ready_new();
	if (!st->set) {
		r = -errno;
		net_fini(&st->net);
		free(st);
		return r;
	}
	if (pb_program_add(core, stack_program, st) < 0) {
		r = -errno;
		stack_free(&st->net);
		return r;
	}
	*net = &st->net;
	return 0;
}

int net_stack_new(struct net **net, struct pb_core *core)
{
	return net_stack_new_at(net, core, pb_clock());
}

static int attach(struct net *net, struct net_end *end, int s)
{
	const uint32_t events =
		PB_READY_IN | PB_READY_OUT | PB_READY_RDHUP | PB_READY_EDGE;

	return pb_ready_add(stack_of(net)->set, s, events, end) < 0 ? -errno : 0;
}

/* We write once a turn: nothing is gained by waiting (RFC 9293 3.7.4). */
static int no_delay(int s)
{
	const int on = 1;

	return pb_setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int stack_attach(struct net *net, struct net_end *end)
{
	return no_delay(end->s) < 0 ? -errno : attach(net, end, end->s);
}

/* The errno of a failed opening; the socket goes. */
static int give_up(int s)
{
	int r = -errno;

	if (s >= 0)
		pb_close(s);
	return r;
}

static int stack_listen(struct net *net, const struct net_where *where,
			struct net_end *end)
{
	struct sockaddr_storage sa;
	socklen_t len = net_where_sockaddr(where, &sa);
	const int on = 1, v6only = !where->is_any;
	int s = pb_socket(sa.ss_family, SOCK_STREAM, 0);

	if (s < 0 || pb_setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (sa.ss_family == AF_INET6 &&
	     pb_setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0) ||
	    pb_bind(s, (struct sockaddr *)&sa, len) < 0 || pb_listen(s, BACKLOG) < 0)
		return give_up(s);
	if (attach(net, end, s) < 0)
		return give_up(s);
	return s;
}

static int stack_accept(struct net *net, int listener, struct net_where *peer)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	int s = pb_accept(listener, (struct sockaddr *)&sa, &len);

	(void)net;
	if (s < 0)
		return -errno;
	net_where_from_sockaddr(&sa, peer);
	return s;
}

static int stack_connect(struct net *net, const struct net_where *where,
			 struct net_end *end)
{
	struct sockaddr_storage sa;
	socklen_t len = net_where_sockaddr(where, &sa);
	int s = pb_socket(sa.ss_family, SOCK_STREAM, 0);

	if (s < 0 || no_delay(s) < 0 ||
	    (pb_connect(s, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS) ||
	    attach(net, end, s) < 0)
		return give_up(s);
	return s;
}

static int stack_dgram(struct net *net, const struct net_where *where,
		       struct net_end *end)
{
	struct sockaddr_storage sa;
	socklen_t len = net_where_sockaddr(where, &sa);
	int s = pb_socket(sa.ss_family, SOCK_DGRAM, 0);

	if (s < 0 || pb_connect(s, (struct sockaddr *)&sa, len) < 0 ||
	    attach(net, end, s) < 0)
		return give_up(s);
	return s;
}

static int stack_error(struct net *net, int s)
{
	socklen_t len = sizeof(int);
	int error = 0;

	(void)net;
	return pb_getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

static int stack_local(struct net *net, int s, struct net_where *where)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);

	(void)net;
	if (pb_getsockname(s, (struct sockaddr *)&sa, &len) < 0)
		return -errno;
	net_where_from_sockaddr(&sa, where);
	return 0;
}

static int stack_source(struct net *net, const struct net_where *where,
			struct net_where *from)
{
	struct sockaddr_storage sa;
	socklen_t len = net_where_sockaddr(where, &sa);
	int s = pb_socket(sa.ss_family, SOCK_DGRAM, 0), r;

	if (s < 0 || pb_connect(s, (struct sockaddr *)&sa, len) < 0)
		return give_up(s);
	r = stack_local(net, s, from);
	pb_close(s);
	return r;
}

static ssize_t stack_recv(struct net *net, int s, void *bytes, size_t len)
{
	ssize_t n = pb_recv(s, bytes, len, 0);

	(void)net;
	return n < 0 ? -errno : n;
}

static ssize_t stack_writev(struct net *net, int s, const struct iovec *iov, int n_iov)
{
	/* Datagrams come in one piece, and pb_writev() is for streams. */
	ssize_t n = n_iov == 1 ? pb_send(s, iov->iov_base, iov->iov_len, 0) :
				 pb_writev(s, iov, n_iov);

	(void)net;
	return n < 0 ? -errno : n;
}

static int stack_finish(struct net *net, int s)
{
	(void)net;
	return pb_shutdown(s, SHUT_WR) < 0 ? -errno : 0;
}

static void stack_close(struct net *net, int s, bool reset)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)net;
	if (reset)
		pb_setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	pb_close(s);
}

static int stack_watch_fd(struct net *net, int fd, net_fd *fn, void *arg)
{
	return pb_watch(stack_of(net)->core, fd, fn, arg) < 0 ? -errno : 0;
}

static void stack_unwatch_fd(struct net *net, int fd)
{
	pb_unwatch(stack_of(net)->core, fd);
}

static const struct net_ops stack_ops = {
	.free = stack_free,
	.turn = stack_turn,
	.wake = stack_wake,
	.listen = stack_listen,
	.accept = stack_accept,
	.connect = stack_connect,
	.dgram = stack_dgram,
	.source = stack_source,
	.attach = stack_attach,
	.error = stack_error,
	.local = stack_local,
	.recv = stack_recv,
	.writev = stack_writev,
	.finish = stack_finish,
	.close = stack_close,
	.watch_fd = stack_watch_fd,
	.unwatch_fd = stack_unwatch_fd,
};

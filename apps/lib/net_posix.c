/*
 * net over the kernel's sockets: one epoll, edge-triggered for connections.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "apps/lib/net_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum { EVENTS_A_TURN = 256, BACKLOG = 4096 };

struct watch {
	struct list node; /* in net_posix.watches */
	int fd;
	net_fd *fn; /* NULL: unwatched, to be freed behind this turn */
	void *arg;
};

struct net_posix {
	struct net net;
	int epoll_fd, wake_fd;
	struct list watches;
};

static struct net_posix *posix_of(struct net *net)
{
	return container_of(net, struct net_posix, net);
}

static const struct net_ops posix_ops;

/* epoll's number for an event: a net_end, or a watch with the lowest bit set. */
static uint64_t tag_of_watch(const struct watch *w)
{
	return (uint64_t)(uintptr_t)w | 1;
}

static void sweep_watches(struct net_posix *p)
{
	struct list *at = p->watches.next;

	while (at != &p->watches) {
		struct watch *w = container_of(at, struct watch, node);

		at = at->next;
		if (w->fn)
			continue;
		list_remove(&w->node);
		free(w);
	}
}

static int sleep_ms(const struct net *net)
{
	uint64_t due = net_due(net), now = clock_now_ns();

	if (due <= now)
		return 0;
	if (due - now > INT32_MAX * NS_PER_MS)
		return -1;
	return (int)((due - now + NS_PER_MS - 1) / NS_PER_MS);
}

static void posix_turn(struct net *net, bool sleep)
{
	struct net_posix *p = posix_of(net);
	struct epoll_event events[EVENTS_A_TURN];
	int n = epoll_wait(p->epoll_fd, events, EVENTS_A_TURN, sleep ? sleep_ms(net) : 0);

	net->now_ns = clock_now_ns();
	for (int i = 0; i < n; i++)
		if (!(events[i].data.u64 & 1))
			net_fd_news(&events[i]);
	for (int i = 0; i < n; i++) {
		struct watch *w = (struct watch *)(uintptr_t)(events[i].data.u64 - 1);

		if ((events[i].data.u64 & 1) && w->fn)
			w->fn(w->arg, w->fd);
	}
	sweep_watches(p);
	net_work(net, net->now_ns);
}

static void posix_wake(struct net *net)
{
	uint64_t one = 1;
	ssize_t n = write(posix_of(net)->wake_fd, &one, sizeof(one));

	(void)n; /* full: then it is awake */
}

static void drain_wake(void *arg, int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)arg;
	(void)n;
}

static void posix_free(struct net *net)
{
	struct net_posix *p = posix_of(net);

	net_fini(net);
	while (!list_empty(&p->watches))
		free(container_of(list_pop(&p->watches), struct watch, node));
	close(p->epoll_fd);
	close(p->wake_fd);
	free(p);
}

int net_posix_new(struct net **net)
{
	struct net_posix *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	list_init(&p->watches);
	r = net_init(&p->net, &posix_ops, clock_now_ns());
	if (r < 0) {
		free(p);
		return r;
	}
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = p->epoll_fd < 0 || p->wake_fd < 0 ?
		    -errno :
		    net_watch_fd(&p->net, p->wake_fd, drain_wake, NULL);
	if (r < 0) {
		posix_free(&p->net);
		return r;
	}
	*net = &p->net;
	return 0;
}

static int attach(struct net *net, struct net_end *end, int s)
{
	return net_fd_attach(posix_of(net)->epoll_fd, end, s);
}

static int posix_attach(struct net *net, struct net_end *end)
{
	return attach(net, end, end->s);
}

/* The errno of a failed opening; the socket goes. */
static int give_up(int s)
{
	int r = -errno;

	if (s >= 0)
		close(s);
	return r;
}

static int open_socket(const struct net_where *where, struct sockaddr_storage *sa,
		       socklen_t *len)
{
	const int on = 1;
	int s;

	*len = net_where_sockaddr(where, sa);
	s = socket(sa->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* We write once a turn: nothing is gained by waiting (RFC 9293 3.7.4).
	 * Accepted sockets inherit it. */
	if (s < 0 || setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		return give_up(s);
	return s;
}

static int posix_listen(struct net *net, const struct net_where *where,
			struct net_end *end)
{
	struct sockaddr_storage sa;
	const int on = 1, v6only = !where->is_any;
	struct net_where only4 = *where;
	socklen_t len;
	int s = open_socket(where, &sa, &len);

	only4.is_any = false;
	if (s == -EAFNOSUPPORT && where->is_any) /* a host without IPv6 */
		s = open_socket(&only4, &sa, &len);
	if (s < 0)
		return s;
	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (sa.ss_family == AF_INET6 &&
	     setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) < 0) ||
	    bind(s, (struct sockaddr *)&sa, len) < 0 || listen(s, BACKLOG) < 0 ||
	    attach(net, end, s) < 0)
		return give_up(s);
	return s;
}

static int posix_accept(struct net *net, int listener, struct net_where *peer)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);
	int s = accept4(listener, (struct sockaddr *)&sa, &len,
			SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)net;
	if (s < 0)
		return -errno;
	net_where_from_sockaddr(&sa, peer);
	return s;
}

static int posix_connect(struct net *net, const struct net_where *where,
			 struct net_end *end)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int s = open_socket(where, &sa, &len);

	if (s < 0)
		return s;
	if ((connect(s, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS) ||
	    attach(net, end, s) < 0)
		return give_up(s);
	return s;
}

static int posix_dgram(struct net *net, const struct net_where *where,
		       struct net_end *end)
{
	struct sockaddr_storage sa;
	socklen_t len = net_where_sockaddr(where, &sa);
	int s = socket(sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (s < 0 || connect(s, (struct sockaddr *)&sa, len) < 0 ||
	    attach(net, end, s) < 0)
		return give_up(s);
	return s;
}

static int posix_local(struct net *net, int s, struct net_where *where)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t len = sizeof(sa);

	(void)net;
	if (getsockname(s, (struct sockaddr *)&sa, &len) < 0)
		return -errno;
	net_where_from_sockaddr(&sa, where);
	return 0;
}

static int posix_source(struct net *net, const struct net_where *where,
			struct net_where *from)
{
	struct sockaddr_storage sa;
	socklen_t len = net_where_sockaddr(where, &sa);
	int s = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	if (s < 0 || connect(s, (struct sockaddr *)&sa, len) < 0)
		return give_up(s);
	r = posix_local(net, s, from);
	close(s);
	return r;
}

static int posix_watch_fd(struct net *net, int fd, net_fd *fn, void *arg)
{
	struct net_posix *p = posix_of(net);
	struct watch *w = calloc(1, sizeof(*w));
	struct epoll_event event = { .events = EPOLLIN };

	if (!w)
		return -ENOMEM;
	*w = (struct watch){ .fd = fd, .fn = fn, .arg = arg };
	event.data.u64 = tag_of_watch(w);
	if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		free(w);
		return -errno;
	}
	list_push(&p->watches, &w->node);
	return 0;
}

static void posix_unwatch_fd(struct net *net, int fd)
{
	struct net_posix *p = posix_of(net);
	struct list *at;

	for (at = p->watches.next; at != &p->watches; at = at->next) {
		struct watch *w = container_of(at, struct watch, node);

		if (w->fd == fd && w->fn) {
			w->fn = NULL;
			epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
			return;
		}
	}
}

static const struct net_ops posix_ops = {
	.free = posix_free,
	.turn = posix_turn,
	.wake = posix_wake,
	.listen = posix_listen,
	.accept = posix_accept,
	.connect = posix_connect,
	.dgram = posix_dgram,
	.source = posix_source,
	.attach = posix_attach,
	.error = net_fd_error,
	.local = posix_local,
	.recv = net_fd_recv,
	.writev = net_fd_writev,
	.finish = net_fd_finish,
	.close = net_fd_close,
	.watch_fd = posix_watch_fd,
	.unwatch_fd = posix_unwatch_fd,
};

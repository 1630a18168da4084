/*
 * Waiting for news: poll() asks each socket what is true; an epoll descriptor of the tool
 * is a ready set of ours.
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "apps/packetdrill/drill_impl.h"
#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/base/clock.h"
#include "stack/sock/sock_impl.h"

static const struct pair {
	uint32_t ours, epoll;
	short poll;
} pairs[] = {
	{ PB_READY_IN, EPOLLIN, POLLIN },
	{ PB_READY_OUT, EPOLLOUT, POLLOUT },
	{ PB_READY_HUP, EPOLLHUP, POLLHUP },
	{ PB_READY_ERR, EPOLLERR, POLLERR },
	{ PB_READY_RDHUP, EPOLLRDHUP, POLLRDHUP },
	{ PB_READY_PRI, EPOLLPRI, POLLPRI },
	{ PB_READY_EDGE, EPOLLET, 0 },
	{ PB_READY_ONCE, EPOLLONESHOT, 0 },
};

static uint32_t to_ours(uint32_t epoll)
{
	uint32_t ours = 0;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		ours |= epoll & pairs[i].epoll ? pairs[i].ours : 0;
	return ours;
}

static uint32_t to_epoll(uint32_t ours)
{
	uint32_t epoll = 0;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		epoll |= ours & pairs[i].ours ? pairs[i].epoll : 0;
	return epoll;
}

static short to_poll(uint32_t ours)
{
	short poll = 0;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		poll |= ours & pairs[i].ours ? pairs[i].poll : 0;
	return poll;
}

/* A call that waits until @look finds something, for @timeout milliseconds at most. */
static int wait_for(struct drill *d, int (*look)(struct drill *d, void *what), void *what,
		    int timeout)
{
	uint64_t end_ns =
		timeout < 0 ? UINT64_MAX : d->now_ns + (uint64_t)timeout * NS_PER_MS;
	bool waited = false;
	int n;

	while ((n = look(d, what)) == 0 && d->now_ns < end_ns) {
		drill_wait(d);
		waited = true;
	}
	if (waited)
		drill_came_through(d);
	return n;
}

/* ---- poll ---- */

struct poll_args {
	struct pollfd *fds;
	nfds_t n;
};

static int look_at_fds(struct drill *d, void *what)
{
	const struct poll_args *args = what;
	int n = 0;

	for (nfds_t i = 0; i < args->n; i++) {
		struct pollfd *fd = &args->fds[i];
		struct drill_sock *ds = drill_sock_of(d, fd->fd);
		struct socks *ss;
		struct sock *s = ds ? sock_get(&ss, ds->s) : NULL;

		fd->revents = s ? to_poll(sock_events(ss, s)) : POLLNVAL;
		fd->revents &= (short)(fd->events | POLLERR | POLLHUP | POLLNVAL);
		n += fd->revents != 0;
	}
	return n;
}

bool drill_may_write(int number)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	return !s || sock_events(ss, s) & (PB_READY_OUT | PB_READY_HUP | PB_READY_ERR);
}

int drill_poll(void *arg, struct pollfd *fds, nfds_t n, int timeout)
{
	struct poll_args args = { fds, n };
	struct drill *d = arg;
	int r;

	drill_enter(d);
	r = wait_for(d, look_at_fds, &args, timeout);
	drill_leave(d);
	return r;
}

/* ---- epoll ---- */

static int drill_epoll_create(void *arg, int size)
{
	struct drill *d = arg;
	int fd = eventfd(0, EFD_CLOEXEC);

	(void)size;
	if (fd < 0 || fd >= DRILL_FDS_MAX)
		return -1;
	drill_enter(d);
	d->socks[fd] = (struct drill_sock){ .set = pb_ready_new(), .is_open = true };
	drill_leave(d);
	return fd;
}

static int drill_epoll_ctl(void *arg, int epfd, int op, int fd, struct epoll_event *event)
{
	struct drill *d = arg;
	struct drill_sock *set, *s;
	void *user = (void *)(uintptr_t)fd;
	int r = -1;

	drill_enter(d);
	set = drill_sock_of(d, epfd);
	s = drill_sock_of(d, fd);
	if (set && s) {
		s->event = op == EPOLL_CTL_DEL ? (struct epoll_event){ 0 } : *event;
		/* One thread waits for each set: EPOLLEXCLUSIVE changes nothing. */
		if (op == EPOLL_CTL_ADD)
			r = pb_ready_add(set->set, s->s, to_ours(event->events), user);
		else if (op == EPOLL_CTL_MOD)
			r = pb_ready_mod(set->set, s->s, to_ours(event->events), user);
		else
			r = pb_ready_del(set->set, s->s);
	}
	drill_leave(d);
	return r;
}

struct epoll_args {
	struct drill_sock *set;
	struct epoll_event *events;
	int n;
};

static int look_at_set(struct drill *d, void *what)
{
	const struct epoll_args *args = what;
	int n = 0;

	drill_turn(d);
	while (n < args->n) {
		struct pb_event ev;
		int fd;

		if (pb_ready_wait(args->set->set, &ev, 1) != 1)
			break;
		fd = (int)(uintptr_t)ev.user;
		args->events[n] = d->socks[fd].event;
		args->events[n++].events = to_epoll(ev.events);
	}
	return n;
}

static int drill_epoll_wait(void *arg, int epfd, struct epoll_event *events, int n,
			    int timeout)
{
	struct drill *d = arg;
	struct epoll_args args = { .events = events, .n = n };
	int r = -1;

	drill_enter(d);
	args.set = drill_sock_of(d, epfd);
	if (args.set)
		r = wait_for(d, look_at_set, &args, timeout);
	drill_leave(d);
	return r;
}

void drill_poll_calls(struct packetdrill_interface *ifc)
{
	ifc->poll = drill_poll;
	ifc->epoll_create = drill_epoll_create;
	ifc->epoll_ctl = drill_epoll_ctl;
	ifc->epoll_wait = drill_epoll_wait;
}

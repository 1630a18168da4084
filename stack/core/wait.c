#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "stack/api/stack.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"

/* What an epoll event means, in its data: a watch's number, or one of these. */
enum { EV_PORT = UINT32_MAX, EV_WAKE = UINT32_MAX - 1 };

enum {
	HOST_POLL_NS = 1000000,
	REST_BYTES = 32768, /* since the last sleep: more of the same will come */
	REST_NS = 30000,
};

static int add(struct pb_core *co, int fd, uint32_t what)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = what };

	return epoll_ctl(co->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

int core_wait_init(struct pb_core *co)
{
	int err;

	for (unsigned i = 0; i < CORE_WATCH_MAX; i++)
		co->watch[i].fd = -1;
	co->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (co->epoll_fd < 0)
		return -errno;
	co->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (co->wake_fd < 0) {
		err = -errno;
		close(co->epoll_fd);
		return err;
	}
	err = add(co, co->wake_fd, EV_WAKE);
	for (unsigned i = 0; i < co->n_eth && !err; i++) {
		if (co->eth[i].port->fd >= 0)
			err = add(co, co->eth[i].port->fd, EV_PORT);
	}
	if (err)
		core_wait_fini(co);
	return err;
}

void core_wait_fini(struct pb_core *co)
{
	close(co->wake_fd);
	close(co->epoll_fd);
}

static void run_watchers(struct pb_core *co, const struct epoll_event *ev, int n)
{
	uint64_t count;

	for (int i = 0; i < n; i++) {
		uint32_t what = ev[i].data.u32;

		if (what == EV_WAKE) {
			/* Only its being readable mattered. */
			while (read(co->wake_fd, &count, sizeof(count)) > 0)
				;
		} else if (what < CORE_WATCH_MAX && co->watch[what].fd >= 0) {
			struct core_watch w = co->watch[what];

			w.fn(w.arg, w.fd);
		}
	}
}

/*
 * Bulk goes on coming.  If we slept until its next frame, whoever sends it would have to
 * wake us, which can cost more than the frame does, and get an ACK for each.  So we are
 * not there for a moment, like a NIC that holds interrupts back; what gathers meanwhile
 * is one burst with one ACK.  The frames of a dialogue do not come to so many bytes.
 */
static bool rest(struct pb_core *co, uint64_t now_ns, uint64_t until_ns)
{
	const struct timespec moment = { .tv_nsec = REST_NS };
	bool bulk = co->rx_bytes >= REST_BYTES;

	co->rx_bytes = 0;
	if (!bulk || until_ns < now_ns + REST_NS)
		return false;
	co->turn.rests++;
	nanosleep(&moment, NULL);
	return true;
}

void core_wait(struct pb_core *co, uint64_t until_ns)
{
	struct epoll_event ev[CORE_EVENTS_MAX];
	uint64_t now = clock_now_ns(), due = core_due(co);
	struct timespec left = { 0 };
	int n;

	if (due < until_ns)
		until_ns = due;
	if (socks_have_news(&co->socks))
		until_ns = 0;
	if (rest(co, now, until_ns))
		until_ns = 0;
	if (until_ns > now) {
		left.tv_sec = (time_t)((until_ns - now) / NS_PER_S);
		left.tv_nsec = (long)((until_ns - now) % NS_PER_S);
		co->turn.sleeps++;
	}
	n = epoll_pwait2(co->epoll_fd, ev, CORE_EVENTS_MAX,
			 until_ns == UINT64_MAX ? NULL : &left, NULL);
	run_watchers(co, ev, n);
	co->polled_ns = co->now_ns;
}

void core_poll_host(struct pb_core *co)
{
	struct epoll_event ev[CORE_EVENTS_MAX];

	if (co->now_ns - co->polled_ns < HOST_POLL_NS)
		return;
	co->polled_ns = co->now_ns;
	run_watchers(co, ev, epoll_wait(co->epoll_fd, ev, CORE_EVENTS_MAX, 0));
}

int pb_watch(struct pb_core *co, int fd, pb_watcher *fn, void *arg)
{
	int err;

	for (uint32_t i = 0; i < CORE_WATCH_MAX; i++) {
		if (co->watch[i].fd >= 0)
			continue;
		err = add(co, fd, i);
		if (err) {
			errno = -err;
			return -1;
		}
		co->watch[i] = (struct core_watch){ fd, fn, arg };
		return 0;
	}
	errno = ENOSPC;
	return -1;
}

void pb_unwatch(struct pb_core *co, int fd)
{
	for (unsigned i = 0; i < CORE_WATCH_MAX; i++) {
		if (co->watch[i].fd != fd)
			continue;
		epoll_ctl(co->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		co->watch[i].fd = -1;
	}
}

void pb_wake(struct pb_core *co)
{
	uint64_t one = 1;
	ssize_t r = write(co->wake_fd, &one, sizeof(one));

	/* A full counter wakes as well. */
	(void)r;
}

int pb_core_fd(struct pb_core *co)
{
	return co->epoll_fd;
}

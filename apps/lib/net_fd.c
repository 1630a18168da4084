/*
 * What one does with a socket of the kernel, whatever its address is: for net_posix.c and
 * net_local.c.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "apps/lib/net_impl.h"

static unsigned ready_of(uint32_t events)
{
	unsigned ready = 0;

	if (events & EPOLLIN)
		ready |= NET_IN;
	if (events & EPOLLOUT)
		ready |= NET_OUT;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		ready |= NET_IN | NET_END;
	if (events & (EPOLLHUP | EPOLLERR))
		ready |= NET_OUT;
	return ready;
}

int net_fd_attach(int epoll_fd, struct net_end *end, int s)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u64 = (uint64_t)(uintptr_t)end,
	};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s, &event) < 0 ? -errno : 0;
}

void net_fd_news(const struct epoll_event *event)
{
	net_news((struct net_end *)(uintptr_t)event->data.u64, ready_of(event->events));
}

int net_fd_error(struct net *net, int s)
{
	socklen_t len = sizeof(int);
	int error = 0;

	(void)net;
	return getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

ssize_t net_fd_recv(struct net *net, int s, void *bytes, size_t len)
{
	ssize_t n = recv(s, bytes, len, 0);

	(void)net;
	return n < 0 ? -errno : n;
}

ssize_t net_fd_writev(struct net *net, int s, const struct iovec *iov, int n_iov)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
			      .msg_iovlen = (size_t)n_iov };
	ssize_t n = sendmsg(s, &msg, MSG_NOSIGNAL);

	(void)net;
	return n < 0 ? -errno : n;
}

int net_fd_finish(struct net *net, int s)
{
	(void)net;
	return shutdown(s, SHUT_WR) < 0 ? -errno : 0;
}

void net_fd_close(struct net *net, int s, bool reset)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	(void)net;
	if (reset)
		setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(s);
}

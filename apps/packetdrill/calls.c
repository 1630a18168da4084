/*
 * The calls that POSIX has, on our sockets.  A socket's number is that of an eventfd, since
 * the tool closes with close(2) what a script leaves open.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "apps/packetdrill/drill_impl.h"
#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/base/clock.h"

enum { JOINED_MAX = 65536 };

struct drill_sock *drill_sock_of(struct drill *d, int fd)
{
	if (fd < 0 || fd >= DRILL_FDS_MAX || !d->socks[fd].is_open) {
		errno = EBADF;
		return NULL;
	}
	return &d->socks[fd];
}

static int new_fd(struct drill *d, int s, bool nonblock)
{
	int fd = s < 0 ? -1 : eventfd(0, EFD_CLOEXEC);

	if (fd < 0 || fd >= DRILL_FDS_MAX)
		return -1;
	d->socks[fd] =
		(struct drill_sock){ .s = s, .is_open = true, .nonblock = nonblock };
	return fd;
}

static int drill_socket(void *arg, int domain, int type, int protocol)
{
	struct drill *d = arg;
	int fd;

	drill_enter(d);
	drill_sysctl_fastopen(d);
	fd = new_fd(d,
		    pb_socket(domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol),
		    type & SOCK_NONBLOCK);
	drill_leave(d);
	return fd;
}

/* One call on one socket that never waits. */
#define ON_SOCK(d, fd, call)                 \
	do {                                 \
		struct drill_sock *sock;     \
		int result = -1;             \
                                             \
		drill_enter(d);              \
		sock = drill_sock_of(d, fd); \
		if (sock)                    \
			result = (call);     \
		drill_leave(d);              \
		return result;               \
	} while (0)

static int drill_bind(void *arg, int fd, const struct sockaddr *addr, socklen_t len)
{
	ON_SOCK((struct drill *)arg, fd, pb_bind(sock->s, addr, len));
}

static int drill_listen(void *arg, int fd, int backlog)
{
	ON_SOCK((struct drill *)arg, fd, pb_listen(sock->s, backlog));
}

static int drill_shutdown(void *arg, int fd, int how)
{
	ON_SOCK((struct drill *)arg, fd, pb_shutdown(sock->s, how));
}

static int drill_getsockopt(void *arg, int fd, int level, int name, void *value,
			    socklen_t *len)
{
	ON_SOCK((struct drill *)arg, fd, pb_getsockopt(sock->s, level, name, value, len));
}

static int drill_setsockopt(void *arg, int fd, int level, int name, const void *value,
			    socklen_t len)
{
	struct drill *d = arg;
	struct drill_sock *s;
	int r = -1;

	drill_enter(d);
	drill_sysctl_fastopen(d);
	s = drill_sock_of(d, fd);
	if (s)
		r = pb_setsockopt(s->s, level, name, value, len);
	drill_leave(d);
	return r;
}

static int drill_close(void *arg, int fd)
{
	struct drill *d = arg;
	struct drill_sock *s;
	int r = -1;

	drill_enter(d);
	s = drill_sock_of(d, fd);
	if (s) {
		r = s->set ? 0 : pb_close(s->s);
		if (s->set)
			pb_ready_free(s->set);
		s->is_open = false;
		close(fd);
	}
	drill_leave(d);
	return r;
}

static int drill_accept(void *arg, int fd, struct sockaddr *addr, socklen_t *len)
{
	struct drill *d = arg;
	bool waited = false;
	struct drill_sock *s;
	int r = -1;

	drill_enter(d);
	while ((s = drill_sock_of(d, fd)) && (r = pb_accept(s->s, addr, len)) < 0 &&
	       errno == EAGAIN && !s->nonblock) {
		drill_wait(d);
		waited = true;
	}
	if (s)
		r = new_fd(d, r, false);
	if (waited)
		drill_came_through(d);
	drill_leave(d);
	return r;
}

/* 1: connected.  0: not yet.  -1: it failed. */
static int look_at_connect(int s)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int);
	int err = 0;

	if (pb_getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err) {
		errno = err;
		return -1;
	}
	len = sizeof(peer);
	return pb_getpeername(s, (struct sockaddr *)&peer, &len) == 0;
}

static int drill_connect(void *arg, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct drill *d = arg;
	struct drill_sock *s;
	int r = -1, state;

	drill_enter(d);
	s = drill_sock_of(d, fd);
	if (s)
		r = pb_connect(s->s, addr, len);
	if (s && r < 0 && errno == EINPROGRESS && !s->nonblock) {
		while ((state = look_at_connect(s->s)) == 0)
			drill_wait(d);
		r = state == 1 ? 0 : -1;
		drill_came_through(d);
	}
	drill_leave(d);
	return r;
}

static ssize_t drill_recvfrom(void *arg, int fd, void *bytes, size_t len, int flags,
			      struct sockaddr *from, socklen_t *from_len)
{
	struct drill *d = arg;
	bool waited = false;
	struct drill_sock *s;
	ssize_t r = -1;

	drill_enter(d);
	while ((s = drill_sock_of(d, fd)) &&
	       (r = pb_recvfrom(s->s, bytes, len, flags, from, from_len)) < 0 &&
	       errno == EAGAIN && !s->nonblock && !(flags & MSG_DONTWAIT)) {
		drill_wait(d);
		waited = true;
	}
	if (waited)
		drill_came_through(d);
	drill_leave(d);
	return r;
}

static ssize_t drill_recv(void *arg, int fd, void *bytes, size_t len, int flags)
{
	return drill_recvfrom(arg, fd, bytes, len, flags, NULL, NULL);
}

static ssize_t drill_read(void *arg, int fd, void *bytes, size_t len)
{
	return drill_recvfrom(arg, fd, bytes, len, 0, NULL, NULL);
}

/* The stack stamps by its own clock. */
static void to_tool_time(const struct drill *d, struct msghdr *msg)
{
	struct cmsghdr *c = msg->msg_control ? CMSG_FIRSTHDR(msg) : NULL;
	struct timespec at;
	uint64_t ns;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING)
		return;
	memcpy(&at, CMSG_DATA(c), sizeof(at));
	ns = d->base_us * NS_PER_US + (uint64_t)at.tv_sec * NS_PER_S +
	     (uint64_t)at.tv_nsec;
	at = (struct timespec){ .tv_sec = (time_t)(ns / NS_PER_S),
				.tv_nsec = (long)(ns % NS_PER_S) };
	memcpy(CMSG_DATA(c), &at, sizeof(at));
}

static ssize_t drill_recvmsg(void *arg, int fd, struct msghdr *msg, int flags)
{
	struct drill *d = arg;
	bool waited = false;
	struct drill_sock *s;
	ssize_t r = -1;

	drill_enter(d);
	while ((s = drill_sock_of(d, fd)) && (r = pb_recvmsg(s->s, msg, flags)) < 0 &&
	       errno == EAGAIN && !s->nonblock &&
	       !(flags & (MSG_DONTWAIT | MSG_ERRQUEUE))) {
		drill_wait(d);
		waited = true;
	}
	if (r >= 0)
		to_tool_time(d, msg);
	if (waited)
		drill_came_through(d);
	drill_leave(d);
	return r;
}

static ssize_t drill_readv(void *arg, int fd, const struct iovec *iov, int n)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
			      .msg_iovlen = (size_t)n };

	return drill_recvmsg(arg, fd, &msg, 0);
}

/* The handshake of our SYN is not through. */
static bool is_opening(int s)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return pb_getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       info.tcpi_state == TCP_SYN_SENT;
}

/* What went with the SYN is sent when the connection is there.  False: it failed. */
static bool came_to_be(struct drill *d, int s)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (!is_opening(s))
		return true;
	while (is_opening(s))
		drill_wait(d);
	drill_came_through(d);
	if (pb_getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err)
		errno = err;
	return !err;
}

/* Room as a call that blocks waits for it: a third of the buffer, not the first byte. */
static void wait_for_room(struct drill *d, int number)
{
	do
		drill_wait(d);
	while (!drill_may_write(number));
}

/* All of it, as a call that blocks does; or what fits. */
static ssize_t drill_sendto(void *arg, int fd, const void *bytes, size_t len, int flags,
			    const struct sockaddr *to, socklen_t to_len)
{
	struct drill *d = arg;
	bool waited = false;
	struct drill_sock *s;
	ssize_t sum = 0, r = -1;

	drill_enter(d);
	if (flags & MSG_FASTOPEN)
		drill_sysctl_fastopen(d);
	while ((s = drill_sock_of(d, fd))) {
		r = pb_sendto(s->s, (const char *)bytes + sum, len - (size_t)sum, flags,
			      to, to_len);
		sum += r > 0 ? r : 0;
		if ((r < 0 && errno != EAGAIN && errno != EINPROGRESS) || s->nonblock ||
		    (flags & MSG_DONTWAIT))
			break;
		flags &= ~MSG_FASTOPEN;
		if (!came_to_be(d, s->s)) {
			sum = 0;
			r = -1;
			break;
		}
		if ((size_t)sum == len)
			break;
		if (r < 0 && errno == EINPROGRESS)
			continue;
		wait_for_room(d, s->s);
		waited = true;
	}
	if (waited)
		drill_came_through(d);
	drill_leave(d);
	return sum > 0 ? sum : r;
}

static ssize_t drill_send(void *arg, int fd, const void *bytes, size_t len, int flags)
{
	return drill_sendto(arg, fd, bytes, len, flags, NULL, 0);
}

static ssize_t drill_write(void *arg, int fd, const void *bytes, size_t len)
{
	return drill_sendto(arg, fd, bytes, len, 0, NULL, 0);
}

/* The pieces as one run: what comes with a connection waits for it, too. */
static ssize_t send_joined(void *arg, int fd, const struct msghdr *msg, int flags)
{
	char bytes[JOINED_MAX];
	size_t len = 0;

	for (size_t i = 0; i < msg->msg_iovlen; i++) {
		const struct iovec *iov = &msg->msg_iov[i];

		if (iov->iov_len > sizeof(bytes) - len)
			break;
		if (iov->iov_len)
			memcpy(bytes + len, iov->iov_base, iov->iov_len);
		len += iov->iov_len;
	}
	return drill_sendto(arg, fd, bytes, len, flags, msg->msg_name, msg->msg_namelen);
}

static ssize_t drill_sendmsg(void *arg, int fd, const struct msghdr *msg, int flags)
{
	struct drill *d = arg;
	struct drill_sock *s;
	ssize_t r = -1;

	if (flags & MSG_FASTOPEN)
		return send_joined(arg, fd, msg, flags);
	drill_enter(d);
	s = drill_sock_of(d, fd);
	if (s)
		r = pb_sendmsg(s->s, msg, flags);
	drill_leave(d);
	return r;
}

static ssize_t drill_writev(void *arg, int fd, const struct iovec *iov, int n)
{
	const struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov,
				    .msg_iovlen = (size_t)n };

	return drill_sendmsg(arg, fd, &msg, 0);
}

static int drill_fcntl(void *arg, int fd, int cmd, ...)
{
	struct drill *d = arg;
	struct drill_sock *s;
	va_list args;
	int r = -1;

	drill_enter(d);
	s = drill_sock_of(d, fd);
	va_start(args, cmd);
	if (s && cmd == F_SETFL) {
		s->nonblock = va_arg(args, int) & O_NONBLOCK;
		r = 0;
	} else if (s && cmd == F_GETFL) {
		r = O_RDWR | (s->nonblock ? O_NONBLOCK : 0);
	} else if (s) {
		errno = EINVAL;
	}
	va_end(args);
	drill_leave(d);
	return r;
}

static int drill_ioctl(void *arg, int fd, unsigned long request, ...)
{
	struct drill *d = arg;
	struct drill_sock *s;
	va_list args;
	ssize_t n;
	int r = -1;

	drill_enter(d);
	s = drill_sock_of(d, fd);
	va_start(args, request);
	if (s && (request == SIOCINQ || request == SIOCOUTQ)) {
		n = request == SIOCINQ ? pb_readable(s->s) : pb_unacked(s->s);
		*va_arg(args, int *) = (int)n;
		r = n < 0 ? -1 : 0;
	} else if (s) {
		errno = ENOTTY;
	}
	va_end(args);
	drill_leave(d);
	return r;
}

static int drill_pipe(void *arg, int fds[2])
{
	(void)arg;
	return pipe(fds);
}

/* From a socket into a pipe.  Nothing where the urgent byte is the next. */
static int drill_splice(void *arg, int in, loff_t *in_at, int out, loff_t *out_at,
			size_t len, unsigned flags)
{
	char bytes[JOINED_MAX];
	struct pollfd urgent = { .fd = in, .events = POLLPRI };
	ssize_t n;

	(void)flags;
	if (in_at || out_at) {
		errno = ESPIPE;
		return -1;
	}
	n = drill_recv(arg, in, bytes, len < sizeof(bytes) ? len : sizeof(bytes),
		       MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN && drill_poll(arg, &urgent, 1, 0) == 1)
		return 0;
	return n > 0 ? (int)write(out, bytes, (size_t)n) : (int)n;
}

void drill_calls(struct packetdrill_interface *ifc)
{
	ifc->socket = drill_socket;
	ifc->bind = drill_bind;
	ifc->listen = drill_listen;
	ifc->accept = drill_accept;
	ifc->connect = drill_connect;
	ifc->read = drill_read;
	ifc->readv = drill_readv;
	ifc->recv = drill_recv;
	ifc->recvfrom = drill_recvfrom;
	ifc->recvmsg = drill_recvmsg;
	ifc->write = drill_write;
	ifc->writev = drill_writev;
	ifc->send = drill_send;
	ifc->sendto = drill_sendto;
	ifc->sendmsg = drill_sendmsg;
	ifc->fcntl = drill_fcntl;
	ifc->ioctl = drill_ioctl;
	ifc->close = drill_close;
	ifc->shutdown = drill_shutdown;
	ifc->getsockopt = drill_getsockopt;
	ifc->setsockopt = drill_setsockopt;
	ifc->pipe = drill_pipe;
	ifc->splice = drill_splice;
}

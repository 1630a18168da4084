/*
 * What google's packetdrill wants of a stack in a shared object: the functions that it calls
 * in place of the kernel's.
 */
#pragma once

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "stack/api/stack.h"

/*
 * What the tool calls, in its order.  Each function gets @userdata and is as POSIX has it
 * else.  netdev_send: an IP packet for the stack.  netdev_receive: the next one of the
 * stack, *count 0 when there is none, and when it was sent.
 */
struct packetdrill_interface {
	void *userdata;
	void (*free)(void *userdata);
	int (*socket)(void *userdata, int domain, int type, int protocol);
	int (*bind)(void *userdata, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(void *userdata, int fd, int backlog);
	int (*accept)(void *userdata, int fd, struct sockaddr *addr, socklen_t *len);
	int (*connect)(void *userdata, int fd, const struct sockaddr *addr,
		       socklen_t len);
	ssize_t (*read)(void *userdata, int fd, void *bytes, size_t len);
	ssize_t (*readv)(void *userdata, int fd, const struct iovec *iov, int n);
	ssize_t (*recv)(void *userdata, int fd, void *bytes, size_t len, int flags);
	ssize_t (*recvfrom)(void *userdata, int fd, void *bytes, size_t len, int flags,
			    struct sockaddr *from, socklen_t *from_len);
	ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *msg, int flags);
	ssize_t (*write)(void *userdata, int fd, const void *bytes, size_t len);
	ssize_t (*writev)(void *userdata, int fd, const struct iovec *iov, int n);
	ssize_t (*send)(void *userdata, int fd, const void *bytes, size_t len, int flags);
	ssize_t (*sendto)(void *userdata, int fd, const void *bytes, size_t len,
			  int flags, const struct sockaddr *to, socklen_t to_len);
	ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *msg, int flags);
	int (*fcntl)(void *userdata, int fd, int cmd, ...);
	int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
	int (*close)(void *userdata, int fd);
	int (*shutdown)(void *userdata, int fd, int how);
	int (*getsockopt)(void *userdata, int fd, int level, int name, void *value,
			  socklen_t *len);
	int (*setsockopt)(void *userdata, int fd, int level, int name, const void *value,
			  socklen_t len);
	int (*poll)(void *userdata, struct pollfd *fds, nfds_t n, int timeout);
	int (*netdev_send)(void *userdata, const void *bytes, size_t len);
	int (*netdev_receive)(void *userdata, void *bytes, size_t *len,
			      long long *time_us);
	int (*usleep)(void *userdata, useconds_t us);
	int (*gettimeofday)(void *userdata, struct timeval *tv, struct timezone *tz);
	int (*epoll_create)(void *userdata, int size);
	int (*epoll_ctl)(void *userdata, int epfd, int op, int fd,
			 struct epoll_event *event);
	int (*epoll_wait)(void *userdata, int epfd, struct epoll_event *events, int n,
			  int timeout);
	int (*pipe)(void *userdata, int fds[2]);
	int (*splice)(void *userdata, int in, loff_t *in_at, int out, loff_t *out_at,
		      size_t len, unsigned flags);
};

/* Opens a stack and fills in @ifc; @flags is what stands behind --so_flags, or NULL: see
 * plugin.c.  Ends the process when it cannot. */
PB_API void packetdrill_interface_init(const char *flags,
				       struct packetdrill_interface *ifc);

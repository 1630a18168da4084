/*
 * Sockets, in the words everyone knows.
 *
 * Names, sockaddrs, flags, errno values and semantics are those of POSIX and Linux,
 * but for this: sockets never block (EAGAIN, EINPROGRESS; see ready.h for waiting), and
 * their numbers are not file descriptors of the host.  They belong to the core of
 * the calling thread.  -1 and errno on failure; ENXIO: the thread owns no core;
 * ENOPROTOOPT: an option we do not have (none is accepted and ignored).
 */
#pragma once

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "stack/api/stack.h"

/* AF_INET or AF_INET6; SOCK_STREAM or SOCK_DGRAM (with SOCK_NONBLOCK or without). */
PB_API int pb_socket(int domain, int type, int protocol);
/* An address of ours may be bound before it is ready (probe_addr). */
PB_API int pb_bind(int s, const struct sockaddr *addr, socklen_t len);
PB_API int pb_listen(int s, int backlog);
PB_API int pb_accept(int s, struct sockaddr *addr, socklen_t *len);
/* Begins to connect.  A socket connects once: after a failure this says what it was. */
PB_API int pb_connect(int s, const struct sockaddr *addr, socklen_t len);

/*
 * MSG_PEEK, MSG_OOB, MSG_MORE, MSG_NOSIGNAL, MSG_DONTWAIT, MSG_TRUNC; MSG_EOR, behind which a
 * segment ends (bytes are still a stream for who reads them); and MSG_FASTOPEN, with
 * which pb_sendto() connects and sends in one (RFC 7413): as many bytes as its SYN takes,
 * or -1 and EINPROGRESS when the server gave us no cookie yet.
 */
PB_API ssize_t pb_send(int s, const void *bytes, size_t len, int flags);
PB_API ssize_t pb_sendto(int s, const void *bytes, size_t len, int flags,
			 const struct sockaddr *to, socklen_t to_len);
PB_API ssize_t pb_writev(int s, const struct iovec *iov, int n);
PB_API ssize_t pb_sendmsg(int s, const struct msghdr *msg, int flags);
PB_API ssize_t pb_recv(int s, void *bytes, size_t len, int flags);
PB_API ssize_t pb_recvfrom(int s, void *bytes, size_t len, int flags,
			   struct sockaddr *from, socklen_t *from_len);

/* MSG_ERRQUEUE: the oldest report of SO_TIMESTAMPING or MSG_ZEROCOPY, 0 bytes long. */
PB_API ssize_t pb_recvmsg(int s, struct msghdr *msg, int flags);

PB_API int pb_shutdown(int s, int how);
PB_API int pb_close(int s);

/*
 * The numbers of TCP options are those of <netinet/tcp.h>.
 * SOL_SOCKET: SO_ERROR SO_TYPE SO_DOMAIN SO_ACCEPTCONN SO_REUSEADDR SO_REUSEPORT SO_KEEPALIVE SO_LINGER
 * SO_RCVBUF SO_SNDBUF SO_OOBINLINE SO_BROADCAST SO_MEMINFO SO_RCVLOWAT SO_MARK
 * SO_ZEROCOPY SO_TIMESTAMPING.
 * IPPROTO_TCP: TCP_NODELAY TCP_CORK TCP_MAXSEG TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT
 * TCP_USER_TIMEOUT TCP_CONGESTION TCP_INFO (tcp_info.h) TCP_CC_INFO TCP_SYNCNT
 * TCP_INQ TCP_NOTSENT_LOWAT
 * TCP_FASTOPEN TCP_FASTOPEN_KEY TCP_FASTOPEN_CONNECT TCP_FASTOPEN_NO_COOKIE
 * TCP_DEFER_ACCEPT.
 * IPPROTO_IP: IP_TOS IP_TTL, and of datagrams IP_ADD_MEMBERSHIP IP_DROP_MEMBERSHIP
 * IP_MULTICAST_IF IP_MULTICAST_TTL IP_MULTICAST_LOOP IP_PKTINFO
 * IP_RECVTTL IP_RECVTOS IP_MTU_DISCOVER IP_MTU, and SO_NO_CHECK (a socket hears the groups that it
 * joined, and no others; SO_REUSEADDR lets more of them have one port).  IPPROTO_IPV6: IPV6_V6ONLY IPV6_TCLASS IPV6_UNICAST_HOPS
 * IPV6_JOIN_GROUP IPV6_LEAVE_GROUP.
 */
/*
 * Of IPPROTO_TCP, and ours alone.  PB_TCP_ECN, before it connects or listens: 0 no ECN, 1
 * asks for RFC 3168's, 2 accepts it, 3 asks for AccECN (RFC 9768), 4 accepts AccECN and
 * asks for RFC 3168's, 5 accepts both; at first 2.  PB_TCP_L4S: 1 marks with ECT(1) (RFC
 * 9331) where AccECN was agreed on.
 */
enum { PB_TCP_ECN = 0x5001, PB_TCP_L4S };

PB_API int pb_setsockopt(int s, int level, int opt, const void *value, socklen_t len);
PB_API int pb_getsockopt(int s, int level, int opt, void *value, socklen_t *len);
PB_API int pb_getsockname(int s, struct sockaddr *addr, socklen_t *len);
PB_API int pb_getpeername(int s, struct sockaddr *addr, socklen_t *len);
/* Bytes that can be read without waiting (FIONREAD), and free to write. */
PB_API ssize_t pb_readable(int s);
PB_API ssize_t pb_writable(int s);
/* Bytes that were written and not acknowledged (SIOCOUTQ). */
PB_API ssize_t pb_unacked(int s);

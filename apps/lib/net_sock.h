/*
 * A bare socket, for a library that speaks its protocol by itself (c-ares): connected to
 * one peer, of datagrams or a stream.  What is read and written is the library's business; who
 * wants lines and buffers takes an io.
 *
 * Belongs to the thread of its net.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct net;
struct net_sock;
struct sockaddr;

enum net_sock_kind { NET_SOCK_DATAGRAM, NET_SOCK_STREAM };

/*
 * There may be something to read, or room to write; again in each turn until a call
 * says -EAGAIN to that.  It may close the socket.
 */
typedef void net_sock_news(void *arg, struct net_sock *sock, bool can_read,
			   bool can_write);

/* Begins to connect, from a port of chance.  0 or -errno. */
int net_sock_open(struct net *net, enum net_sock_kind kind, const struct sockaddr *to,
		  net_sock_news *news, void *arg, struct net_sock **sock);
void net_sock_close(struct net_sock *sock);
/* Octets, or -errno: -EAGAIN, none now. */
ssize_t net_sock_recv(struct net_sock *sock, void *bytes, size_t len);
ssize_t net_sock_writev(struct net_sock *sock, const struct iovec *iov, int n);

/*
 * The calls c-ares makes for sockets, over a net.  Its numbers of sockets are places in a
 * table; it learns of news by ares_process_fd(), one socket at a time.
 */
#include <errno.h>

#include "apps/lib/dns_impl.h"
#include "stack/base/check.h"

static ares_socket_t open_sock(int domain, int type, int protocol, void *arg)
{
	struct dns *dns = arg;

	(void)domain;
	(void)protocol;
	for (int i = 0; i < DNS_SOCKS_MAX; i++) {
		struct dns_sock *s = &dns->socks[i];

		if (s->used)
			continue;
		*s = (struct dns_sock){
			.used = true,
			.kind = type == SOCK_DGRAM ? NET_SOCK_DATAGRAM : NET_SOCK_STREAM,
		};
		return i;
	}
	errno = EMFILE;
	return ARES_SOCKET_BAD;
}

static int close_sock(ares_socket_t at, void *arg)
{
	struct dns *dns = arg;
	struct dns_sock *s = &dns->socks[at];

	if (s->sock)
		net_sock_close(s->sock);
	*s = (struct dns_sock){ .used = false };
	return 0;
}

static void news(void *arg, struct net_sock *sock, bool can_read, bool can_write)
{
	struct dns *dns = arg;
	int at = 0;

	while (at < DNS_SOCKS_MAX && dns->socks[at].sock != sock)
		at++;
	ASSERT(at < DNS_SOCKS_MAX);
	ares_process_fd(dns->channel, can_read ? at : ARES_SOCKET_BAD,
			can_write ? at : ARES_SOCKET_BAD);
	dns_look(dns);
}

static int connect_sock(ares_socket_t at, const struct sockaddr *to, ares_socklen_t len,
			void *arg)
{
	struct dns *dns = arg;
	struct dns_sock *s = &dns->socks[at];
	int r = -EINVAL;

	if (len <= sizeof(s->to)) {
		memcpy(&s->to, to, len);
		r = net_sock_open(dns->net, s->kind, to, news, dns, &s->sock);
	}
	if (r == 0 && s->kind == NET_SOCK_STREAM)
		r = -EINPROGRESS;
	errno = -r;
	return r < 0 ? -1 : 0;
}

static ares_ssize_t recv_sock(ares_socket_t at, void *bytes, size_t len, int flags,
			      struct sockaddr *from, ares_socklen_t *from_len, void *arg)
{
	struct dns *dns = arg;
	const struct dns_sock *s = &dns->socks[at];
	ssize_t n = net_sock_recv(s->sock, bytes, len);

	(void)flags;
	if (n < 0) {
		errno = (int)-n;
		return -1;
	}
	/* It is connected: nobody else's datagrams come to it. */
	if (from && *from_len <= sizeof(s->to))
		memcpy(from, &s->to, *from_len);
	return n;
}

static ares_ssize_t send_sock(ares_socket_t at, const struct iovec *iov, int n_iov,
			      void *arg)
{
	struct dns *dns = arg;
	ssize_t n = net_sock_writev(dns->socks[at].sock, iov, n_iov);

	if (n < 0) {
		errno = (int)-n;
		return -1;
	}
	return n;
}

static const struct ares_socket_functions functions = {
	.asocket = open_sock,
	.aclose = close_sock,
	.aconnect = connect_sock,
	.arecvfrom = recv_sock,
	.asendv = send_sock,
};

void dns_use_net(struct dns *dns)
{
	ares_set_socket_functions(dns->channel, &functions, dns);
}

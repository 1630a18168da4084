#include "apps/lib/net_sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "apps/lib/net_impl.h"
#include "stack/base/check.h"

struct net_sock {
	struct net_end end; /* first: news are about this */
	struct net *net;
	struct list todo; /* in net->sock_todo, or none */
	net_sock_news *news;
	void *arg;
	bool in_news, closed;
};

static void touch(struct net_sock *sock)
{
	list_remove(&sock->todo);
	list_push(&sock->net->sock_todo, &sock->todo);
}

void net_sock_touch(struct net_end *end)
{
	touch(container_of(end, struct net_sock, end));
}

int net_sock_open(struct net *net, enum net_sock_kind kind, const struct sockaddr *to,
		  net_sock_news *news, void *arg, struct net_sock **sock)
{
	struct net_sock *new = calloc(1, sizeof(*new));
	struct sockaddr_storage sa = { 0 };
	struct net_where where;
	int s;

	if (!new)
		return -ENOMEM;
	memcpy(&sa, to,
	       to->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) :
					   sizeof(struct sockaddr_in));
	net_where_from_sockaddr(&sa, &where);
	new->end.ops = net->ops;
	new->end.kind = NET_END_SOCK;
	new->net = net;
	new->news = news;
	new->arg = arg;
	list_init(&new->todo);
	s = kind == NET_SOCK_DATAGRAM ? net->ops->dgram(net, &where, &new->end) :
					net->ops->connect(net, &where, &new->end);
	if (s < 0) {
		free(new);
		return s;
	}
	new->end.s = s;
	*sock = new;
	return 0;
}

void net_sock_close(struct net_sock *sock)
{
	sock->end.ops->close(sock->net, sock->end.s, false);
	list_remove(&sock->todo);
	sock->closed = true;
	if (!sock->in_news)
		free(sock);
}

ssize_t net_sock_recv(struct net_sock *sock, void *bytes, size_t len)
{
	ssize_t n = sock->end.ops->recv(sock->net, sock->end.s, bytes, len);

	if (n == -EAGAIN)
		sock->end.ready &= (uint8_t)~NET_IN;
	return n;
}

ssize_t net_sock_writev(struct net_sock *sock, const struct iovec *iov, int n_iov)
{
	ssize_t n = sock->end.ops->writev(sock->net, sock->end.s, iov, n_iov);

	if (n == -EAGAIN)
		sock->end.ready &= (uint8_t)~NET_OUT;
	return n;
}

static void run(struct net_sock *sock)
{
	uint8_t ready = sock->end.ready;

	sock->in_news = true;
	sock->news(sock->arg, sock, ready & NET_IN, ready & NET_OUT);
	sock->in_news = false;
	if (sock->closed)
		free(sock);
	else if ((sock->end.ready & NET_IN) && !(sock->end.ready & NET_END))
		touch(sock);
}

void net_sock_work(struct net *net)
{
	struct list batch;

	list_init(&batch);
	while (!list_empty(&net->sock_todo))
		list_push(&batch, list_pop(&net->sock_todo));
	while (!list_empty(&batch))
		run(container_of(list_pop(&batch), struct net_sock, todo));
}

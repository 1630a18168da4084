#include "tests/lib/net_mem.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "apps/lib/net_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum { SETTLE_TURNS_MAX = 1000000, WAIT_MS = 10000 };

/* Bytes on their way in one direction. */
struct pipe {
	char *bytes;
	size_t len, cap;
};

struct mem_peer {
	struct net_mem *mem; /* NULL: the net is gone */
	struct list node;
	struct net_end *end; /* the service's; NULL: it closed, or did not accept yet */
	struct net_where ours, theirs;
	int s; /* the service's number; -1: none */
	struct pipe to_service, from_service;
	size_t cut, visible; /* bytes of to_service that a read may see */
	size_t window;
	bool fin_sent, fin_seen; /* the test's */
	bool finished, reset, service_closed, connecting;
	bool orphan; /* the test freed it before the service closed */
	char where[NET_ADDR_TEXT_LEN];
};

/* What a number of a socket means. */
struct mem_socket {
	struct net_where where; /* listener */
	struct net_end *end;	/* listener */
	struct mem_peer *peer;	/* connection */
	enum { MEM_FREE, MEM_LISTENER, MEM_CONN } kind;
};

struct net_mem {
	struct net net;
	struct list peers;
	struct mem_socket sockets[NET_MEM_SOCKETS];
	int wake_fd;
	const char *black_hole;
	bool no_ip6;
	bool moved; /* in this turn */
	unsigned n_open;
};

static const struct net_ops mem_ops;

static struct net_mem *mem_of(const struct net *net)
{
	return (struct net_mem *)(uintptr_t)net;
}

static void pipe_put(struct pipe *p, const void *bytes, size_t len)
{
	if (p->len + len > p->cap) {
		p->cap = (p->len + len) * 2;
		p->bytes = realloc(p->bytes, p->cap);
		ASSERT(p->bytes);
	}
	if (len > 0)
		memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

static void pipe_take(struct pipe *p, size_t len)
{
	ASSERT(len <= p->len);
	p->len -= len;
	if (p->len > 0)
		memmove(p->bytes, p->bytes + len, p->len);
}

static int socket_new(struct net_mem *m, struct mem_socket what)
{
	for (int s = 0; s < NET_MEM_SOCKETS; s++)
		if (m->sockets[s].kind == MEM_FREE) {
			m->sockets[s] = what;
			return s;
		}
	return -EMFILE;
}

int net_mem_new(struct net **net)
{
	struct net_mem *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	list_init(&m->peers);
	m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ASSERT(m->wake_fd >= 0);
	if (net_init(&m->net, &mem_ops, NET_MEM_START_S * NS_PER_S) < 0) {
		close(m->wake_fd);
		free(m);
		return -ENOMEM;
	}
	*net = &m->net;
	return 0;
}

static void mem_net_free(struct net *net)
{
	struct net_mem *m = mem_of(net);

	net_fini(net);
	while (!list_empty(&m->peers))
		container_of(list_pop(&m->peers), struct mem_peer, node)->mem = NULL;
	close(m->wake_fd);
	free(m);
}

/* What became true for the service's end of @peer since the last turn. */
static void deliver(struct net_mem *m, struct mem_peer *peer)
{
	unsigned ready = 0;

	if (!peer->end)
		return;
	if (peer->reset) {
		ready |= NET_IN | NET_OUT | NET_END;
		peer->end = NULL; /* told once */
		m->moved = true;
		net_news(m->sockets[peer->s].end, ready);
		return;
	}
	if (peer->visible < peer->to_service.len && (peer->visible == 0 || !peer->cut)) {
		peer->visible = peer->cut && peer->cut < peer->to_service.len ?
					peer->cut :
					peer->to_service.len;
		ready |= NET_IN;
	}
	if (peer->fin_sent && !peer->fin_seen && peer->visible == peer->to_service.len) {
		peer->fin_seen = true;
		ready |= NET_IN | NET_END;
	}
	if (!(peer->end->ready & NET_OUT) && peer->window > 0 && !peer->connecting)
		ready |= NET_OUT;
	if (ready) {
		m->moved = true;
		net_news(peer->end, ready);
	}
}

static void mem_turn(struct net *net, bool sleep)
{
	struct net_mem *m = mem_of(net);
	struct list *at;

	(void)sleep;
	for (at = m->peers.next; at != &m->peers; at = at->next)
		deliver(m, container_of(at, struct mem_peer, node));
	net_work(net, net->now_ns);
}

static void mem_wake(struct net *net)
{
	uint64_t one = 1;

	ASSERT(write(mem_of(net)->wake_fd, &one, sizeof(one)) == sizeof(one));
}

void mem_settle(struct net *net)
{
	struct net_mem *m = mem_of(net);
	int turns = 0;

	do {
		ASSERT(turns++ < SETTLE_TURNS_MAX);
		m->moved = false;
		net_turn(net);
	} while (m->moved || net_due(net) == 0);
}

void mem_advance(struct net *net, uint64_t ns)
{
	uint64_t until = net->now_ns + ns;

	mem_settle(net);
	while (net_due(net) < until) {
		/* The wheel may say a little too early; time must pass all the same. */
		uint64_t due = net_due(net);

		net->now_ns = due > net->now_ns ? due : net->now_ns + WHEEL_TICK_NS;
		if (net->now_ns >= until)
			break;
		mem_settle(net);
	}
	net->now_ns = until;
	mem_settle(net);
}

bool mem_wait(struct net *net)
{
	struct pollfd poll_fd = { .fd = mem_of(net)->wake_fd, .events = POLLIN };
	uint64_t count;
	int n;

	do /* a fuzzer has an alarm clock */
		n = poll(&poll_fd, 1, WAIT_MS);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return false;
	ASSERT(read(poll_fd.fd, &count, sizeof(count)) == sizeof(count));
	mem_settle(net);
	return true;
}

unsigned mem_n_open(const struct net *net)
{
	return mem_of(net)->n_open;
}

static void peer_free(struct mem_peer *peer)
{
	if (peer->mem)
		list_remove(&peer->node);
	free(peer->to_service.bytes);
	free(peer->from_service.bytes);
	free(peer);
}

static struct mem_peer *peer_new(struct net_mem *m)
{
	struct mem_peer *peer = calloc(1, sizeof(*peer));

	ASSERT(peer);
	peer->mem = m;
	peer->s = -1;
	peer->window = SIZE_MAX;
	list_push(&m->peers, &peer->node);
	return peer;
}

static struct mem_socket *listener_at(struct net_mem *m, const struct net_where *where)
{
	static const struct addr any = { .family = ADDR_IP4 };

	for (int s = 0; s < NET_MEM_SOCKETS; s++) {
		struct mem_socket *l = &m->sockets[s];

		if (l->kind == MEM_LISTENER && l->where.port == where->port &&
		    (addr_eq(&l->where.addr, &where->addr) ||
		     addr_eq(&l->where.addr, &any)))
			return l;
	}
	return NULL;
}

struct mem_peer *mem_connect(struct net *net, const char *where, const char *from)
{
	struct net_mem *m = mem_of(net);
	struct mem_socket *listener;
	struct net_where to, at;
	struct mem_peer *peer;

	ASSERT(net_where_parse(where, &to) == 0 && net_where_parse(from, &at) == 0);
	listener = listener_at(m, &to);
	if (!listener)
		return NULL;
	peer = peer_new(m);
	peer->ours = at;
	peer->theirs = to;
	net_news(listener->end, NET_IN);
	return peer;
}

static int mem_net_listen(struct net *net, const struct net_where *where,
			  struct net_end *end)
{
	struct net_mem *m = mem_of(net);

	if (listener_at(m, where))
		return -EADDRINUSE;
	return socket_new(m, (struct mem_socket){
				     .where = *where, .end = end, .kind = MEM_LISTENER });
}

static int mem_net_accept(struct net *net, int listener, struct net_where *from)
{
	struct net_mem *m = mem_of(net);
	struct list *at;

	for (at = m->peers.next; at != &m->peers; at = at->next) {
		struct mem_peer *peer = container_of(at, struct mem_peer, node);

		if (peer->s >= 0 || peer->service_closed || peer->reset ||
		    listener_at(m, &peer->theirs) != &m->sockets[listener])
			continue;
		peer->s = socket_new(
			m, (struct mem_socket){ .peer = peer, .kind = MEM_CONN });
		if (peer->s < 0)
			return peer->s;
		*from = peer->ours;
		m->n_open++;
		m->moved = true;
		return peer->s;
	}
	return -EAGAIN;
}

static int mem_net_attach(struct net *net, struct net_end *end)
{
	struct mem_socket *conn = &mem_of(net)->sockets[end->s];

	conn->end = end;
	conn->peer->end = end;
	return 0;
}

static int mem_net_connect(struct net *net, const struct net_where *where,
			   struct net_end *end)
{
	struct net_mem *m = mem_of(net);
	struct mem_peer *peer = peer_new(m);

	peer->ours = *where;
	peer->theirs.addr = addr_ip4((struct ip4){ { 192, 0, 2, 1 } });
	peer->connecting = true;
	peer->s = socket_new(
		m, (struct mem_socket){ .peer = peer, .end = end, .kind = MEM_CONN });
	ASSERT(peer->s >= 0);
	peer->end = end;
	m->n_open++;
	addr_port_text(&where->addr, where->port, peer->where);
	/* Nobody will have it: it goes with the service's end. */
	if (m->black_hole && strcmp(m->black_hole, peer->where) == 0)
		peer->orphan = true;
	return peer->s;
}

void mem_black_hole(struct net *net, const char *where)
{
	mem_of(net)->black_hole = where;
}

void mem_no_ip6(struct net *net)
{
	mem_of(net)->no_ip6 = true;
}

static int mem_net_source(struct net *net, const struct net_where *where,
			  struct net_where *from)
{
	bool is_ip6 = where->addr.family == ADDR_IP6;

	if (is_ip6 && mem_of(net)->no_ip6)
		return -ENETUNREACH;
	ASSERT(addr_parse(is_ip6 ? MEM_OWN_IP6 : MEM_OWN_IP4, &from->addr));
	return 0;
}

struct mem_peer *mem_accept(struct net *net)
{
	struct net_mem *m = mem_of(net);
	struct list *at;

	for (at = m->peers.next; at != &m->peers; at = at->next) {
		struct mem_peer *peer = container_of(at, struct mem_peer, node);

		if (!peer->connecting || peer->orphan)
			continue;
		peer->connecting = false;
		return peer;
	}
	return NULL;
}

const char *mem_where(const struct mem_peer *peer)
{
	return peer->where;
}

static int mem_net_error(struct net *net, int s)
{
	return mem_of(net)->sockets[s].peer->reset ? ECONNREFUSED : 0;
}

static int mem_net_local(struct net *net, int s, struct net_where *where)
{
	const struct mem_socket *socket = &mem_of(net)->sockets[s];

	*where = socket->kind == MEM_LISTENER ? socket->where : socket->peer->theirs;
	return 0;
}

static ssize_t mem_net_recv(struct net *net, int s, void *bytes, size_t len)
{
	struct net_mem *m = mem_of(net);
	struct mem_peer *peer = m->sockets[s].peer;

	if (peer->visible == 0) {
		if (peer->reset)
			return -ECONNRESET;
		return peer->fin_seen ? 0 : -EAGAIN;
	}
	if (len > peer->visible)
		len = peer->visible;
	memcpy(bytes, peer->to_service.bytes, len);
	pipe_take(&peer->to_service, len);
	peer->visible -= len;
	m->moved = true;
	return (ssize_t)len;
}

static ssize_t mem_net_writev(struct net *net, int s, const struct iovec *iov, int n_iov)
{
	struct net_mem *m = mem_of(net);
	struct mem_peer *peer = m->sockets[s].peer;
	size_t sum = 0;

	if (peer->reset)
		return -EPIPE;
	ASSERT(!peer->finished);
	if (peer->window == 0)
		return -EAGAIN;
	for (int i = 0; i < n_iov && peer->window > 0; i++) {
		size_t n = iov[i].iov_len < peer->window ? iov[i].iov_len : peer->window;

		pipe_put(&peer->from_service, iov[i].iov_base, n);
		if (peer->window != SIZE_MAX)
			peer->window -= n;
		sum += n;
	}
	m->moved = true;
	return (ssize_t)sum;
}

static int mem_net_finish(struct net *net, int s)
{
	struct mem_peer *peer = mem_of(net)->sockets[s].peer;

	if (peer->reset)
		return -ENOTCONN;
	peer->finished = true;
	return 0;
}

static void mem_net_close(struct net *net, int s, bool reset)
{
	struct net_mem *m = mem_of(net);
	struct mem_socket *socket = &m->sockets[s];
	struct mem_peer *peer = socket->peer;

	if (peer) {
		m->n_open--;
		peer->service_closed = true;
		/* RFC 1122 4.2.2.13: bytes that nobody will read are answered by RST. */
		peer->reset |= reset || peer->to_service.len > 0;
		peer->finished |= !peer->reset;
		peer->end = NULL;
		peer->s = -1;
		if (peer->orphan)
			peer_free(peer);
	}
	*socket = (struct mem_socket){ .kind = MEM_FREE };
}

static int mem_net_watch_fd(struct net *net, int fd, net_fd *fn, void *arg)
{
	(void)net;
	(void)fd;
	(void)fn;
	(void)arg;
	return -EOPNOTSUPP; /* no descriptors in virtual time */
}

static void mem_net_unwatch_fd(struct net *net, int fd)
{
	(void)net;
	(void)fd;
}

void mem_send(struct mem_peer *peer, const void *bytes, size_t len)
{
	ASSERT(!peer->fin_sent);
	if (!peer->service_closed)
		pipe_put(&peer->to_service, bytes, len);
	else
		peer->reset = true;
}

void mem_say(struct mem_peer *peer, const char *text)
{
	mem_send(peer, text, strlen(text));
}

void mem_cut(struct mem_peer *peer, size_t n)
{
	peer->cut = n;
}

void mem_fin(struct mem_peer *peer)
{
	peer->fin_sent = true;
}

void mem_reset(struct mem_peer *peer)
{
	peer->reset = true;
}

void mem_window(struct mem_peer *peer, size_t n)
{
	peer->window = n;
}

struct str mem_heard(const struct mem_peer *peer)
{
	if (peer->from_service.len == 0)
		return STR("");
	return (struct str){ peer->from_service.bytes, peer->from_service.len };
}

void mem_take(struct mem_peer *peer, size_t n)
{
	pipe_take(&peer->from_service, n);
}

bool mem_finished(const struct mem_peer *peer)
{
	return peer->finished;
}

bool mem_was_reset(const struct mem_peer *peer)
{
	return peer->reset;
}

bool mem_closed(const struct mem_peer *peer)
{
	return peer->service_closed && peer->fin_sent && !peer->reset;
}

size_t mem_unread(const struct mem_peer *peer)
{
	return peer->to_service.len;
}

void mem_free(struct mem_peer *peer)
{
	if (!peer->mem || peer->s < 0) {
		peer_free(peer);
		return;
	}
	peer->orphan = true;
	peer->reset = true;
	mem_settle(&peer->mem->net);
}

static const struct net_ops mem_ops = {
	.free = mem_net_free,
	.turn = mem_turn,
	.wake = mem_wake,
	.listen = mem_net_listen,
	.accept = mem_net_accept,
	.connect = mem_net_connect,
	.dgram = mem_net_connect,
	.source = mem_net_source,
	.attach = mem_net_attach,
	.error = mem_net_error,
	.local = mem_net_local,
	.recv = mem_net_recv,
	.writev = mem_net_writev,
	.finish = mem_net_finish,
	.close = mem_net_close,
	.watch_fd = mem_net_watch_fd,
	.unwatch_fd = mem_net_unwatch_fd,
};

#include "stack/api/ready.h"

#include <stdlib.h>

#include "stack/sock/sock_impl.h"

/*
 * A set is a list of the sockets that may have news.  A socket enters it when TCP or
 * UDP says that something happened, or when the program begins to want something;
 * pb_ready_wait() asks each what is true now, tells it, and leaves level-triggered
 * ones in the list while it is.  So quiet sockets cost nothing, however many.
 */
struct pb_ready {
	struct socks *ss;
	struct list node; /* in the core's list of sets */
	struct list news;
	uint32_t n_members;
};

enum { ALWAYS = PB_READY_HUP | PB_READY_ERR };

static uint32_t tcp_events(const struct sock *s)
{
	unsigned news = tcp_conn_news(s->conn);
	uint32_t ev = 0;

	if (news & TCP_READABLE)
		ev |= PB_READY_IN;
	if (news & TCP_WRITABLE)
		ev |= PB_READY_OUT;
	if (news & TCP_PEER_CLOSED)
		ev |= PB_READY_RDHUP | PB_READY_IN;
	if (news & TCP_URGENT)
		ev |= PB_READY_PRI;
	if (news & TCP_FINISHED)
		ev |= PB_READY_HUP;
	/* As Linux does: everything, so that whoever waits for anything wakes. */
	if (news & TCP_FAILED)
		ev |= PB_READY_IN | PB_READY_OUT | PB_READY_ERR | PB_READY_HUP;
	return ev;
}

uint32_t sock_events(const struct socks *ss, const struct sock *s)
{
	switch ((enum sock_kind)s->kind) {
	case SOCK_TCP: return sock_more_events(ss, s, tcp_events(s));
	case SOCK_LISTENER: return tcp_listener_waiting(s->listener) ? PB_READY_IN : 0;
	case SOCK_UDP:
		return PB_READY_OUT | (s->udp->queue ? PB_READY_IN : 0U) |
		       (s->udp->error ? PB_READY_ERR : 0U);
	case SOCK_TCP_NEW:
		/* TCP_FASTOPEN_CONNECT: it waits for what to send */
		if (s->setup->to.family)
			return PB_READY_OUT;
		break;
	case SOCK_FREE: break;
	}
	return PB_READY_OUT | PB_READY_HUP;
}

void sock_news(struct sock *s)
{
	if (s->set && list_empty(&s->in_set))
		list_push(&s->set->news, &s->in_set);
}

void sock_leave_set(struct sock *s)
{
	if (!s->set)
		return;
	s->set->n_members--;
	s->set = NULL;
	list_remove(&s->in_set);
}

void socks_learn(struct socks *ss)
{
	struct tcp_listener *listener;
	struct tcp_conn *conn;
	struct udp_port *udp;
	struct sock *s;

	while ((conn = tcp_ready_pop(ss->tcp))) {
		s = tcp_conn_user(conn);
		if (s)
			sock_news(s);
	}
	while ((listener = tcp_ready_listener_pop(ss->tcp))) {
		s = tcp_listener_user(listener);
		if (s)
			sock_news(s);
	}
	if (!list_empty(&ss->stamped))
		sock_more_learn(ss);
	while ((udp = udp_ready_pop(ss->udp)))
		sock_news(udp->user);
}

void socks_spoke(struct socks *ss)
{
	if (!list_empty(&ss->stamped))
		sock_more_learn(ss);
}

bool socks_have_news(struct socks *ss)
{
	const struct list *at;

	/* What happened since the turn learned them: programs ran, TCP spoke. */
	socks_learn(ss);
	for (at = ss->sets.next; at != &ss->sets; at = at->next)
		if (!list_empty(&container_of(at, struct pb_ready, node)->news))
			return true;
	return false;
}

struct pb_ready *pb_ready_new(void)
{
	struct socks *ss = socks_current();
	struct pb_ready *set;

	if (!ss) {
		errno = ENXIO;
		return NULL;
	}
	set = calloc(1, sizeof(*set));
	if (!set)
		return NULL;
	set->ss = ss;
	list_init(&set->news);
	list_push(&ss->sets, &set->node);
	return set;
}

void pb_ready_free(struct pb_ready *set)
{
	struct pool *pool = &set->ss->socks;

	for (uint32_t i = 0; i < pool->fresh && set->n_members; i++) {
		struct sock *s = pool_at(pool, i);

		if (s->kind != SOCK_FREE && s->set == set)
			sock_leave_set(s);
	}
	list_remove(&set->node);
	free(set);
}

/* The socket, when it may be used with @set; NULL and errno. */
static struct sock *member(struct pb_ready *set, int number)
{
	struct socks *ss;
	struct sock *s = sock_get(&ss, number);

	if (s && ss != set->ss) {
		errno = ENXIO;
		return NULL;
	}
	return s;
}

int pb_ready_add(struct pb_ready *set, int number, uint32_t events, void *user)
{
	struct sock *s = member(set, number);

	if (!s)
		return -1;
	if (s->set)
		return sock_fail(EEXIST);
	s->set = set;
	s->want = events | ALWAYS;
	s->user = user;
	set->n_members++;
	sock_news(s);
	return 0;
}

int pb_ready_mod(struct pb_ready *set, int number, uint32_t events, void *user)
{
	struct sock *s = member(set, number);

	if (!s)
		return -1;
	if (s->set != set)
		return sock_fail(ENOENT);
	s->want = events | ALWAYS;
	s->user = user;
	sock_news(s);
	return 0;
}

int pb_ready_del(struct pb_ready *set, int number)
{
	struct sock *s = member(set, number);

	if (!s)
		return -1;
	if (s->set != set)
		return sock_fail(ENOENT);
	sock_leave_set(s);
	return 0;
}

int pb_ready_wait(struct pb_ready *set, struct pb_event *events, int max)
{
	struct list again;
	struct list *node;
	int n = 0;

	list_init(&again);
	while (n < max && (node = list_pop(&set->news))) {
		struct sock *s = container_of(node, struct sock, in_set);
		uint32_t ev = sock_events(set->ss, s) & s->want;

		if (!ev)
			continue;
		events[n++] = (struct pb_event){ .events = ev, .user = s->user };
		if (s->want & PB_READY_ONCE)
			s->want = 0;
		else if (!(s->want & PB_READY_EDGE))
			list_push(&again, node);
	}
	/* Behind those that were not reached, so that all get their turn. */
	while ((node = list_pop(&again)))
		list_push(&set->news, node);
	return n;
}

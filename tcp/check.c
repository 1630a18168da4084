/*
 * What is always true between two calls.  In debug builds and simulations tcp_check()
 * is asked each turn; most of all it finds a connection that nothing will wake.
 */
#include "tcp/tcp_impl.h"

static bool is_open(const struct tcp_conn *c)
{
	return c->state != TCP_CLOSED && c->state != TCP_TIME_WAIT;
}

static void check_queues(const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;
	uint32_t flight = tcp_conn_flight(c);

	if (!x) {
		ASSERT(flight == 0);
		return;
	}
	sndq_check(&x->snd);
	rcvq_check(&x->rcv, c->rcv_nxt);
	if ((c->state != TCP_SYN_SENT && c->state != TCP_SYN_RECEIVED) || x->fo_passive)
		sent_check(&x->sent, c->snd_una, c->snd_nxt);
	ASSERT(x->rcv.ooo_pinned == x->early_pinned);
	ASSERT(list_empty(&x->early) == !x->early_pinned);
	ASSERT(!c->fin_in || (x->rcv.ooo_len == 0 && !x->early_fin));
	if ((c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) && !x->fo_passive)
		ASSERT(flight <= 1 + x->snd.len);
	else
		ASSERT(flight <= x->snd.len + c->fin_sent);
	if (x->ca >= TCP_CA_CWR)
		ASSERT(flight && seq_before_eq(x->recover, c->snd_nxt) &&
		       seq_after(x->recover, c->snd_una));
}

/* Somebody will come back to it. */
static void check_wakes(const struct tcp_conn *c)
{
	bool held = !c->fin_sent && (tcp_conn_sndq_len(c) || c->fin_wanted);

	ASSERT(c->job == TCP_JOB_NONE || timer_armed(&c->timer));
	ASSERT(c->ack_due_ns == TIMER_NEVER || timer_armed(&c->timer));
	ASSERT(!timer_armed(&c->timer) || c->job == TCP_JOB_NONE ||
	       c->timer.due_ns <= c->due_ns);
	if (c->on_speak || c->on_starved)
		return;
	ASSERT(!c->syn_due && !c->ack_now);
	if (tcp_conn_flight(c))
		ASSERT(c->job == TCP_JOB_RETRANSMIT || c->job == TCP_JOB_TLP ||
		       c->job == TCP_JOB_REORDER);
	else if (held && c->state != TCP_SYN_RECEIVED)
		ASSERT(c->job == TCP_JOB_PROBE);
	if (!seq_eq(c->ack_sent, c->rcv_nxt))
		ASSERT(c->ack_due_ns != TIMER_NEVER);
}

static void check_conn(const struct tcp_conn *c)
{
	ASSERT(c->in_table == is_open(c));
	ASSERT(seq_before_eq(c->snd_una, c->snd_nxt));
	ASSERT(seq_before_eq(c->ack_sent, c->rcv_nxt));
	ASSERT(!c->fin_sent || c->fin_wanted);
	ASSERT(!(c->on_speak && c->on_starved));
	ASSERT(c->rcv_lim <= c->opts.rcvbuf);
	ASSERT(c->is_orphan == (is_open(c) && !c->owned));
	check_queues(c);
	if (is_open(c)) {
		ASSERT(tcp_table_find(c->tcp, &c->flow) == c);
		check_wakes(c);
	} else {
		ASSERT(!c->on_speak && !c->on_starved && !timer_armed(&c->timer));
	}
	if (c->state != TCP_SYN_SENT && is_open(c))
		ASSERT(c->mss && c->cc.cwnd);
}

static void check_listeners(const struct tcp *tcp)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < tcp->listeners.fresh; i++) {
		const struct tcp_listener *l = pool_at(&tcp->listeners, i);
		unsigned waiting = 0;

		if (l->tcp != tcp)
			continue;
		n++;
		for (const struct list *p = l->waiting.next; p != &l->waiting;
		     p = p->next)
			waiting++;
		ASSERT(waiting == l->n_waiting && waiting <= l->backlog);
	}
	ASSERT(n == tcp->stats.n_listeners && n == tcp->listeners.n_out);
}

/* What connections have together. */
struct sum {
	uint32_t n, n_open, n_x, n_orphans, orphan_bufs;
	uint64_t early_pinned;
};

static void add_up(struct sum *sum, const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;

	sum->n++;
	sum->n_open += is_open(c);
	sum->n_x += x != NULL;
	sum->n_orphans += c->is_orphan;
	sum->orphan_bufs += c->is_orphan && x ? x->snd.n_bufs : 0;
	sum->early_pinned += x ? x->early_pinned : 0;
}

void tcp_check(const struct tcp *tcp)
{
	struct sum sum = { 0 };

	for (uint32_t i = 0; i < tcp->conns.fresh; i++) {
		const struct tcp_conn *c = tcp_conn_at(tcp, i);

		if (!c)
			continue;
		check_conn(c);
		add_up(&sum, c);
	}
	ASSERT(sum.n == tcp->stats.n_conns && sum.n == tcp->conns.n_out);
	ASSERT(sum.n_open == map_count(&tcp->flows));
	ASSERT(sum.n_x == tcp->xfers.n_out);
	ASSERT(sum.n_orphans == tcp->stats.n_orphans);
	ASSERT(sum.n_orphans <= tcp->orphans_max);
	ASSERT(sum.orphan_bufs == tcp->orphan_bufs);
	ASSERT(sum.orphan_bufs <= tcp->orphan_bufs_max);
	ASSERT(sum.early_pinned == tcp->early_pinned);
	ASSERT(sum.early_pinned <= tcp->early_max);
	ASSERT(!sum.n_orphans || timer_armed(&tcp->orphan_timer));
	ASSERT(list_empty(&tcp->starved) || timer_armed(&tcp->starve_timer));
	ASSERT(!synq_count(tcp->synq) || timer_armed(&tcp->synq_timer));
	ASSERT(!timewait_count(tcp->timewait) || timer_armed(&tcp->timewait_timer));
	check_listeners(tcp);
}

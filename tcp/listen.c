/*
 * Listening: RFC 9293 3.10.7.2, and SYN-RECEIVED of connections that a peer opens.
 *
 *	SYN ---> syn() -- cookie of Fast Open ---> open_by_syn() ---> waits for tcp_accept()
 *	           |
 *	           +---------------> entry in the SYN queue, SYN-ACK sent
 *	           | queue full          |  ACK
 *	           v                     v
 *	       SYN cookie ---- ACK ---> open_conn() ---> waits for tcp_accept()
 *
 * Half-open connections cost an entry of synq.h, or nothing at all (RFC 4987 3.6).  A
 * control block is made when the handshake is through and the backlog has a place;
 * until then the ACK is as if lost, and our SYN-ACK will ask for it again.
 */
#include <errno.h>

#include "ip/ip.h"
#include "stack/base/clock.h"
#include "tcp/cookie.h"
#include "tcp/fastopen.h"
#include "tcp/isn.h"
#include "tcp/tcp_impl.h"

enum {
	COOKIE_S = 130, /* an ACK may bring a cookie so long after the last was sent */
	SYN_WND = UINT16_MAX /* what a SYN-ACK offers at most */
};

static struct tcp_listener *listener_at(const struct tcp *tcp, uint32_t id)
{
	return pool_at(&tcp->listeners, id);
}

static void arm_timer(struct tcp *tcp)
{
	uint64_t due = synq_due(tcp->synq);

	if (due != TIMER_NEVER)
		timer_arm(tcp->wheel, &tcp->synq_timer, due);
}

/* ---- what we say ---- */

/* The SYN-ACK of @syn; with options that both ends know, and a Fast Open cookie if @fo is
 * one. */
static void send_syn_ack(struct tcp *tcp, const struct syn *syn, bool cookie,
			 const struct fo_cookie *fo, uint64_t now_ns)
{
	struct tcp_opts opts = listener_at(tcp, syn->listener)->opts;
	struct tcp_seg s = {
		.seq = syn->iss,
		.ack = seq_add(syn->irs, 1),
		.flags = TCP_SYN | TCP_ACK,
		.ts_ecr = syn->ts_recent,
	};

	tcp_emit_syn_options(tcp, &syn->flow, &opts, &s);
	s.has &= TCP_HAS_MSS | syn->has;
	s.ts_val = tcp_ms(now_ns) + isn_ts_offset(tcp->key, &syn->flow);
	if (cookie) {
		struct cookie_opts said = {
			.wscale = syn->snd_wscale,
			.has_wscale = syn->has & TCP_HAS_WSCALE,
			.sack = syn->has & TCP_HAS_SACK_OK,
			.ecn = syn->ecn,
		};

		s.ts_val = cookie_ts(s.ts_val, said);
	}
	if (fo && fo->len) {
		s.has |= TCP_HAS_FO | (fo->exp ? TCP_HAS_FO_EXP : 0);
		s.fo_len = fo->len;
		s.fo = fo->bytes;
	}
	s.flags |= tcp_ecn_syn_ack(syn->ecn, syn->tries, &s);
	/* Without memory it will be sent again, by our timer or for the peer's SYN. */
	opts.tos |= tcp_ecn_shake_field(tcp, syn->ecn >= ECN_ASKED_ACC);
	tcp_emit_bare(tcp, &syn->flow, &s, &opts, now_ns);
}

/* An ACK for a half-open connection whose peer seems to mean another. */
static void challenge(struct tcp_in *in, const struct syn *syn)
{
	struct tcp *tcp = in->tcp;
	struct tcp_seg s = {
		.seq = seq_add(syn->iss, 1),
		.ack = seq_add(syn->irs, 1),
		.flags = TCP_ACK,
		.window = SYN_WND >> tcp->rcv_wscale,
	};

	if (!tcp_challenge_allowed(tcp, &tcp->challenge_others, in->now_ns))
		return;
	if (syn->has & TCP_HAS_TS) {
		s.has = TCP_HAS_TS;
		s.ts_val = tcp_ms(in->now_ns) + isn_ts_offset(tcp->key, &syn->flow);
		s.ts_ecr = syn->ts_recent;
	}
	tcp_emit_bare(tcp, &in->flow, &s, &tcp->opts, in->now_ns);
}

/*
 * TCP_DEFER_ACCEPT: the listener still waits for data.  When it waited long enough, the
 * next ACK counts, and it is our SYN-ACK that asks for one; the last try does in any case.
 */
static bool is_deferred(const struct tcp *tcp, const struct syn *syn, uint64_t now_ns)
{
	uint32_t defer_s = listener_at(tcp, syn->listener)->defer_s;

	return defer_s && now_ns - syn->at_ns < defer_s * NS_PER_S &&
	       syn->tries < tcp->conf.synack_tries;
}

void tcp_listen_timer(struct timer *t, uint64_t now_ns)
{
	struct tcp *tcp = container_of(t, struct tcp, synq_timer);
	uint32_t id;

	while ((id = synq_next_due(tcp->synq, now_ns)) != SYNQ_NONE) {
		struct syn syn;

		synq_get(tcp->synq, id, &syn);
		if (syn.tries >= tcp->conf.synack_tries) {
			synq_del(tcp->synq, id);
			continue;
		}
		/* RFC 6298 5.5 */
		synq_again(tcp->synq, id,
			   now_ns + (RTO_INITIAL_US * NS_PER_US << syn.tries));
		syn.tries++;
		if (!syn.acked || !is_deferred(tcp, &syn, now_ns))
			send_syn_ack(tcp, &syn, false, NULL, now_ns);
	}
	arm_timer(tcp);
}

/* ---- a connection is made ---- */

/* What the SYN and our answer to it agreed on. */
static void agree(struct tcp_conn *c, const struct tcp_in *in, const struct syn *syn)
{
	uint32_t wnd = c->opts.rcvbuf < SYN_WND ? c->opts.rcvbuf : SYN_WND;

	c->snd_una = c->snd_nxt = seq_add(syn->iss, 1);
	c->rcv_nxt = c->ack_sent = seq_add(syn->irs, 1);
	c->rcv_adv = seq_add(c->rcv_nxt, wnd);
	c->sack = syn->has & TCP_HAS_SACK_OK;
	c->ts = syn->has & TCP_HAS_TS;
	c->ts_recent = syn->ts_recent;
	c->ts_recent_ms = tcp_ms(in->now_ns);
	if (syn->has & TCP_HAS_WSCALE) {
		c->snd_wscale = syn->snd_wscale;
		c->rcv_wscale = in->tcp->rcv_wscale;
	}
	tcp_conn_agree(c, syn->mss, in->now_ns);
	c->snd_wl1 = in->s.seq;
	c->snd_wl2 = c->snd_una;
	tcp_ecn_responds(c, syn->ecn, syn->tries);
}

static void fill_conn(struct tcp_conn *c, const struct tcp_in *in, const struct syn *syn)
{
	agree(c, in, syn);
	c->snd_wnd = c->max_wnd = (uint32_t)in->s.window << c->snd_wscale;
	/* Karn: only of a SYN-ACK that was sent once.  A cookie knows no time. */
	if (syn->tries == 1 && !syn->acked)
		rtt_sample(&c->rtt, (uint32_t)((in->now_ns - syn->at_ns) / NS_PER_US));
	if (syn->tries > 1 && !syn->acked) {
		/* RFC 5681 3.1: a lost SYN-ACK makes the initial window one segment */
		c->cc.cwnd = c->mss;
		rtt_fallback(&c->rtt);
	}
}

/* Puts the new connection where tcp_accept() finds it. */
static void await_accept(struct tcp_listener *l, struct tcp_conn *c)
{
	c->owned = c->accepting = true;
	c->user = l;
	list_push(&l->waiting, &c->ready);
	l->n_waiting++;
	if (list_empty(&l->ready))
		list_push(&c->tcp->ready_listeners, &l->ready);
}

/* A control block in the table; NULL: no memory. */
static struct tcp_conn *new_conn(struct tcp_in *in, const struct tcp_listener *l)
{
	struct tcp_conn *c = tcp_conn_new(in->tcp, &in->flow, &l->opts);

	if (c && l->cc)
		c->cc.ops = l->cc;
	if (c && tcp_table_add(c)) {
		list_push(&in->tcp->grave, &c->speak);
		return NULL;
	}
	return c;
}

/* RFC 7413 4.2: the SYN itself makes the connection. */
static enum verdict open_by_syn(struct tcp_in *in, const struct syn *syn,
				const struct fo_cookie *fo)
{
	struct tcp_listener *l = listener_at(in->tcp, syn->listener);
	struct tcp_conn *c = new_conn(in, l);

	if (!c)
		return V_NO_MEMORY;
	agree(c, in, syn);
	/* RFC 7323 2.2: the window of a SYN is not scaled */
	c->snd_wnd = c->max_wnd = in->s.window;
	in->tcp->stats.passive_open++;
	tcp_enter(c, TCP_SYN_RECEIVED, in->now_ns);
	await_accept(l, c);
	in->c = c;
	tcp_conn_xfer(c)->ecn_asked = syn->ecn;
	tcp_fastopen_opened(in, l, fo);
	return in->verdict;
}

/* The ACK of @syn came, which is entry @id, or a cookie.  It is also the first segment
 * of the connection, and may bring data. */
static enum verdict open_conn(struct tcp_in *in, const struct syn *syn, uint32_t id)
{
	struct tcp_listener *l = listener_at(in->tcp, syn->listener);
	struct tcp *tcp = in->tcp;
	struct tcp_conn *c;

	if (l->n_waiting >= l->backlog) {
		tcp->stats.accept_drop++;
		return V_TCP_BACKLOG;
	}
	c = new_conn(in, l);
	if (!c)
		return V_NO_MEMORY;
	if (id != SYNQ_NONE)
		synq_del(tcp->synq, id);
	fill_conn(c, in, syn);
	tcp->stats.passive_open++;
	tcp_enter(c, TCP_SYN_RECEIVED, in->now_ns);
	tcp_enter(c, TCP_ESTABLISHED, in->now_ns);
	await_accept(l, c);
	in->c = c;
	tcp_ecn_third(in);
	return tcp_input_conn(in);
}

/* ---- a SYN ---- */

static void send_cookie(struct tcp_in *in, struct syn *syn)
{
	struct tcp *tcp = in->tcp;

	/* What the sequence number cannot carry goes into the timestamp, or is lost. */
	if (!(syn->has & TCP_HAS_TS))
		syn->has = 0;
	/* RFC 9768 5.1: nor what AccECN must know; classic ECN is one bit */
	syn->ecn = syn->ecn && syn->has ? ECN_ASKED_CLASSIC : ECN_ASKED_NOT;
	syn->iss = cookie_make(tcp->key, &in->flow, syn->irs, syn->mss, in->now_ns);
	send_syn_ack(tcp, syn, true, NULL, in->now_ns);
	tcp->stats.syn_cookie_out++;
	tcp->cookie_ns = in->now_ns;
}

/* Options of the peer's SYN that we have, too. */
static uint8_t agreed(const struct tcp *tcp, const struct tcp_seg *s)
{
	uint8_t has = 0;

	if (tcp->conf.sack)
		has |= TCP_HAS_SACK_OK;
	if (tcp->conf.timestamps)
		has |= TCP_HAS_TS;
	if (tcp->conf.window_scale)
		has |= TCP_HAS_WSCALE;
	return has & (uint8_t)s->has;
}

/* @iss_min: a connection in TIME-WAIT made room, and ended there; NULL: none did. */
static enum verdict syn(struct tcp_in *in, struct tcp_listener *l,
			const struct seq *iss_min)
{
	const struct tcp_seg *s = &in->s;
	struct tcp *tcp = in->tcp;
	struct syn syn = {
		.flow = in->flow,
		.irs = s->seq,
		.iss = isn_new(tcp->key, &in->flow, in->now_ns),
		.ts_recent = s->ts_val,
		.listener = pool_id(&tcp->listeners, l),
		.at_ns = in->now_ns,
		.mss = s->has & TCP_HAS_MSS ? s->mss : tcp_mss_default(&in->flow),
		.has = agreed(tcp, s),
		.snd_wscale = s->wscale,
		.tries = 1,
		.ecn = tcp_ecn_judge(&l->opts, s->flags, in->p->tos),
	};

	struct fo_cookie fo;
	enum verdict v;

	if (l->n_waiting >= l->backlog) {
		tcp->stats.syn_drop++;
		return V_TCP_BACKLOG;
	}
	/* RFC 9293 3.10.7.4, TIME-WAIT: beyond what the last connection used */
	if (iss_min && seq_before(syn.iss, *iss_min))
		syn.iss = *iss_min;
	if (tcp_fastopen_judge(in, l, &fo)) {
		v = open_by_syn(in, &syn, &fo);
		if (v != V_NO_MEMORY)
			return v;
		fo.len = 0;
	}
	if (synq_add(tcp->synq, &syn, in->now_ns + RTO_INITIAL_US * NS_PER_US) !=
	    SYNQ_NONE) {
		send_syn_ack(tcp, &syn, false, &fo, in->now_ns);
		arm_timer(tcp);
	} else if (tcp->conf.syn_cookies && !iss_min) {
		/* A cookie cannot begin where it must behind TIME-WAIT. */
		send_cookie(in, &syn);
	} else {
		tcp->stats.syn_drop++;
		return V_TCP_BACKLOG;
	}
	return V_DONE;
}

/* ---- a segment for a half-open connection ---- */

static enum verdict half_open_syn(struct tcp_in *in, const struct syn *syn, uint32_t id)
{
	struct tcp *tcp = in->tcp;
	struct syn again = *syn;

	if ((in->s.flags & TCP_ACK) || !seq_eq(in->s.seq, syn->irs)) {
		challenge(in, syn);
		return V_TCP_SYN_IN_WINDOW;
	}
	/* Our SYN-ACK did not arrive. */
	if (in->s.has & TCP_HAS_TS)
		again.ts_recent = in->s.ts_val;
	/* RFC 9768 3.1.5: one that asked for AccECN and for less cannot be understood */
	if (syn->ecn >= ECN_ASKED_MUTED &&
	    (in->s.flags & (TCP_AE | TCP_CWR | TCP_ECE)) == (TCP_CWR | TCP_ECE)) {
		tcp_emit_refusal(in);
		synq_del(tcp->synq, id);
		return V_TCP_SYN_IN_WINDOW;
	}
	again.ecn = tcp_ecn_judge_again(syn->ecn, in->s.flags, in->p->tos);
	synq_touch(tcp->synq, id, again.ts_recent, again.ecn);
	/* RFC 9768 3.2.3.2.2: perhaps it was the option */
	if (again.tries == 1)
		again.tries++;
	send_syn_ack(tcp, &again, false, NULL, in->now_ns);
	return V_DONE;
}

static enum verdict half_open_reset(struct tcp_in *in, const struct syn *syn, uint32_t id)
{
	uint32_t ahead = seq_dist(seq_add(syn->irs, 1), in->s.seq);

	/* RFC 5961 3.2 */
	if (ahead) {
		if (ahead < SYN_WND)
			challenge(in, syn);
		return V_TCP_BAD_RST;
	}
	in->tcp->stats.reset_in++;
	synq_del(in->tcp->synq, id);
	return V_DONE;
}

static enum verdict half_open(struct tcp_in *in, uint32_t id)
{
	const struct tcp_seg *s = &in->s;
	struct syn syn;

	synq_get(in->tcp->synq, id, &syn);
	if (s->flags & TCP_RST)
		return half_open_reset(in, &syn, id);
	if (s->flags & TCP_SYN)
		return half_open_syn(in, &syn, id);
	if (!(s->flags & TCP_ACK))
		return V_TCP_NO_ACK;
	/* RFC 7323 3.2 */
	if ((syn.has & TCP_HAS_TS) && !(s->has & TCP_HAS_TS))
		return V_TCP_NO_TIMESTAMP;
	if ((syn.has & TCP_HAS_TS) && tcp_input_paws(syn.ts_recent, s)) {
		challenge(in, &syn);
		return V_TCP_PAWS;
	}
	if (!seq_in(s->seq, seq_add(syn.irs, 1), SYN_WND)) {
		challenge(in, &syn);
		return V_TCP_NOT_IN_WINDOW;
	}
	/* RFC 9293 3.10.7.4, fifth, SYN-RECEIVED */
	if (!seq_eq(s->ack, seq_add(syn.iss, 1))) {
		tcp_emit_refusal(in);
		return V_TCP_BAD_ACK;
	}
	if (!in->len && !(s->flags & TCP_FIN) && is_deferred(in->tcp, &syn, in->now_ns)) {
		synq_put_off(in->tcp->synq, id);
		return V_DONE;
	}
	return open_conn(in, &syn, id);
}

/* ---- LISTEN ---- */

/* An ACK to a listener: the answer to a cookie, or a mistake. */
static enum verdict listen_ack(struct tcp_in *in, const struct tcp_listener *l)
{
	const struct tcp_seg *s = &in->s;
	struct tcp *tcp = in->tcp;
	struct syn syn = {
		.flow = in->flow,
		.irs = seq_add(s->seq, (uint32_t)-1),
		.iss = seq_add(s->ack, (uint32_t)-1),
		.ts_recent = s->ts_val,
		.listener = pool_id(&tcp->listeners, l),
	};

	if (!tcp->cookie_ns || in->now_ns - tcp->cookie_ns > COOKIE_S * NS_PER_S ||
	    (s->flags & TCP_SYN) ||
	    !cookie_check(tcp->key, &in->flow, syn.irs, syn.iss, in->now_ns, &syn.mss)) {
		tcp_emit_refusal(in);
		return V_TCP_BAD_COOKIE;
	}
	if (s->has & TCP_HAS_TS) {
		struct cookie_opts opts = cookie_ts_read(s->ts_ecr);

		syn.has = TCP_HAS_TS | (opts.has_wscale ? TCP_HAS_WSCALE : 0) |
			  (opts.sack ? TCP_HAS_SACK_OK : 0);
		syn.snd_wscale = opts.wscale;
		syn.ecn = opts.ecn ? ECN_ASKED_CLASSIC : ECN_ASKED_NOT;
	}
	tcp->stats.syn_cookie_in++;
	return open_conn(in, &syn, SYNQ_NONE);
}

enum verdict tcp_listen_input(struct tcp_in *in)
{
	struct tcp *tcp = in->tcp;
	struct seq iss, *iss_min = NULL;
	struct tcp_listener *l;
	uint32_t id;

	id = timewait_find(tcp->timewait, &in->flow);
	if (id != TIMEWAIT_NONE) {
		enum verdict v = tcp_wait_input(in, id, &iss);

		if (v != V_KEPT)
			return v;
		iss_min = &iss;
	}
	id = synq_find(tcp->synq, &in->flow);
	if (id != SYNQ_NONE)
		return half_open(in, id);
	l = tcp_table_listener(tcp, &in->flow);
	if (!l) {
		tcp_emit_refusal(in);
		return V_TCP_NO_SOCKET;
	}
	/* RFC 9293 3.10.7.2: first RST, second ACK, third SYN, fourth the rest */
	if (in->s.flags & TCP_RST)
		return V_TCP_BAD_RST;
	if (in->s.flags & TCP_ACK)
		return listen_ack(in, l);
	if ((in->s.flags & (TCP_SYN | TCP_FIN)) != TCP_SYN)
		return V_TCP_NO_ACK;
	return syn(in, l, iss_min);
}

void tcp_listen_unreachable(struct tcp *tcp, const struct flow *flow, struct seq seq)
{
	uint32_t id = synq_find(tcp->synq, flow);
	struct syn syn;

	if (id == SYNQ_NONE)
		return;
	synq_get(tcp->synq, id, &syn);
	if (seq_eq(syn.iss, seq))
		synq_del(tcp->synq, id);
}

/* ---- for sockets ---- */

/* As @like says where and whose.  0 or -errno. */
static int open_listener(struct tcp *tcp, const struct tcp_listener *like,
			 struct tcp_listener **listener)
{
	struct tcp_listener *l = pool_get(&tcp->listeners);

	if (!l)
		return -ENOMEM;
	*l = *like;
	l->tcp = tcp;
	l->opts = tcp->opts;
	l->serial = tcp->n_listened++;
	if (l->backlog > TCP_BACKLOG_MAX)
		l->backlog = TCP_BACKLOG_MAX;
	if (!l->backlog)
		l->backlog = 1;
	if (tcp->conf.fastopen & TCP_FO_LISTENERS)
		l->fo_max = l->backlog;
	list_init(&l->ready);
	list_init(&l->waiting);
	list_init(&l->group);
	if (tcp_table_listener_add(tcp, l)) {
		l->tcp = NULL;
		pool_put(&tcp->listeners, l);
		return -ENOMEM;
	}
	tcp->stats.n_listeners++;
	*listener = l;
	return 0;
}

int tcp_listen(struct tcp *tcp, const struct addr *addr, uint16_t port, unsigned backlog,
	       void *user, struct tcp_listener **listener)
{
	const struct tcp_listener like = {
		.addr = *addr, .port = port, .backlog = backlog, .user = user
	};

	if (tcp_table_listener_clashes(tcp, addr, port))
		return -EADDRINUSE;
	return open_listener(tcp, &like, listener);
}

int tcp_listen_shared(struct tcp *tcp, const struct addr *addr, uint16_t port,
		      unsigned backlog, void *user, struct tcp_listener **listener)
{
	const struct tcp_listener like = { .addr = *addr,
					   .port = port,
					   .backlog = backlog,
					   .user = user,
					   .shared = true };

	if (tcp_listener_clashes(tcp, addr, port, true))
		return -EADDRINUSE;
	return open_listener(tcp, &like, listener);
}

void tcp_listener_close(struct tcp *tcp, struct tcp_listener *l, uint64_t now_ns)
{
	struct list *node;

	synq_drop_listener(tcp->synq, pool_id(&tcp->listeners, l));
	while ((node = list_pop(&l->waiting))) {
		struct tcp_conn *c = container_of(node, struct tcp_conn, ready);

		c->accepting = false;
		tcp_abort(tcp, c, now_ns);
	}
	list_remove(&l->ready);
	tcp_table_listener_del(tcp, l);
	tcp->stats.n_listeners--;
	l->tcp = NULL;
	pool_put(&tcp->listeners, l);
}

void *tcp_listener_user(const struct tcp_listener *l)
{
	return l->user;
}

struct tcp_opts *tcp_listener_opts(struct tcp_listener *l)
{
	return &l->opts;
}

int tcp_listener_set_cc(struct tcp_listener *l, const char *name)
{
	const struct cc_ops *ops = cc_find(name);

	if (!ops)
		return -ENOENT;
	l->cc = ops;
	return 0;
}

const char *tcp_listener_cc(const struct tcp_listener *l)
{
	return (l->cc ? l->cc : l->tcp->cc)->name;
}

void tcp_listener_set_defer(struct tcp_listener *l, uint32_t s)
{
	l->defer_s = s;
}

uint32_t tcp_listener_defer(const struct tcp_listener *l)
{
	return l->defer_s;
}

void tcp_listener_at(const struct tcp_listener *l, struct addr *addr, uint16_t *port)
{
	*addr = l->addr;
	*port = l->port;
}

unsigned tcp_listener_waiting(const struct tcp_listener *l)
{
	return l->n_waiting;
}

struct tcp_conn *tcp_accept(struct tcp *tcp, struct tcp_listener *l, void *user)
{
	struct list *node = list_pop(&l->waiting);
	struct tcp_conn *c;

	(void)tcp;
	if (!node)
		return NULL;
	c = container_of(node, struct tcp_conn, ready);
	l->n_waiting--;
	c->accepting = false;
	c->user = user;
	/* It may have data, or have ended meanwhile. */
	tcp_conn_tell(c);
	return c;
}

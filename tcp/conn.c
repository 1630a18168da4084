#include "tcp/conn.h"

#include <errno.h>

#include "ip/ip.h"
#include "stack/base/clock.h"
#include "tcp/isn.h"
#include "tcp/tcp_impl.h"

/* Which states follow which: RFC 9293 figure 5, and every one may be aborted. */
#define TO(state) (1u << TCP_##state)
static const uint16_t arrows[TCP_N_STATES] = {
	/* SYN-RECEIVED: the handshake of a listener, whose half is in synq.h */
	[TCP_CLOSED] = TO(SYN_SENT) | TO(SYN_RECEIVED),
	[TCP_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
	[TCP_SYN_RECEIVED] = TO(ESTABLISHED) | TO(CLOSED),
	[TCP_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
	[TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(CLOSED),
	[TCP_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
	[TCP_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
	[TCP_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
	[TCP_LAST_ACK] = TO(CLOSED),
	[TCP_TIME_WAIT] = TO(CLOSED),
};
#undef TO

struct tcp_conn *tcp_conn_new(struct tcp *tcp, const struct flow *flow,
			      const struct tcp_opts *opts)
{
	struct tcp_conn *c = pool_get(&tcp->conns);

	if (!c) {
		/* Who closed must not keep those out who come. */
		tcp_orphan_evict(tcp, tcp->now_ns);
		tcp_conn_reap(tcp);
		c = pool_get(&tcp->conns);
	}
	if (!c) {
		tcp->stats.no_memory++;
		return NULL;
	}
	*c = (struct tcp_conn){
		.tcp = tcp,
		.flow = *flow,
		.state = TCP_CLOSED,
		.opts = *opts,
		.ts_offset = isn_ts_offset(tcp->key, flow),
		.rcv_lim = TCP_RCV_LIM_FIRST,
		.quick_acks = TCP_QUICK_ACKS,
		.last_rx_ms = tcp_ms(tcp->now_ns),
		.last_tx_ms = tcp_ms(tcp->now_ns),
		.oow_ack_ms = tcp_ms(tcp->now_ns) - TCP_OOW_ACK_MS,
		.due_ns = TIMER_NEVER,
		.ack_due_ns = TIMER_NEVER,
		.cc.ops = tcp->cc,
		.gso = ip_can_gso(tcp->ip, &flow->remote),
	};
	if (c->rcv_lim > opts->rcvbuf)
		c->rcv_lim = opts->rcvbuf;
	timer_init(&c->timer, tcp_timer_fire);
	rtt_init(&c->rtt);
	list_init(&c->speak);
	list_init(&c->ready);
	tcp->stats.n_conns++;
	return c;
}

struct tcp_xfer *tcp_conn_xfer(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	if (x)
		return x;
	x = pool_get(&c->tcp->xfers);
	ASSERT(x); /* there is one for each connection */
	*x = (struct tcp_xfer){
		.recover = seq_add(c->snd_una, (uint32_t)-1),
		.ecn_una = c->snd_una,
		.rack_fack = c->snd_una,
		.dsack_round = c->snd_una,
		.stalled_ms = tcp_ms(c->tcp->now_ns),
	};
	sndq_init(&x->snd);
	rcvq_init(&x->rcv);
	sent_init(&x->sent, c->snd_una);
	list_init(&x->early);
	c->x = x;
	return x;
}

static void give_back(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	sndq_fini(&x->snd);
	rcvq_fini(&x->rcv);
	tcp_early_note(c->tcp, x);
	sent_fini(&x->sent);
	pool_put(&c->tcp->xfers, x);
	c->x = NULL;
}

void tcp_conn_rest(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	if (!x)
		return;
	sent_rest(&x->sent);
	if (x->snd.len || x->rcv.len || x->rcv.ooo_len || x->lent || x->early_fin ||
	    x->rcv.has_twice || x->rcv_urgent || (c->ecn & ECN_ACC))
		return;
	if (tcp_recover_remembers(c))
		return;
	/* Something is in flight, or a FIN waits for the window, or it just opens. */
	if (tcp_conn_flight(c) || c->state == TCP_SYN_RECEIVED ||
	    (c->fin_wanted && !c->fin_sent))
		return;
	give_back(c);
}

bool tcp_conn_sync_mss(struct tcp_conn *c)
{
	unsigned path = ip_path_mtu(c->tcp->ip, &c->flow.remote), mss;
	uint16_t old = c->mss;

	if (c->x && c->x->mtu_guess && c->x->mtu_guess < path)
		path = c->x->mtu_guess;

	/*
	 * RFC 9293 3.7.5: a path below what every host must take is more likely a
	 * forged ICMP message; then fragments cost less than tiny segments.
	 */
	c->no_df = path < IP_PMTU_MIN;
	if (c->no_df)
		path = IP_PMTU_MIN;
	mss = path - tcp_headers_len(&c->flow);
	if (mss > c->peer_mss)
		mss = c->peer_mss;
	if (c->opts.maxseg && mss > c->opts.maxseg)
		mss = c->opts.maxseg;
	/* RFC 6691: the MSS does not know of options; the payload makes room */
	c->mss = (uint16_t)(mss - (c->ts ? TCP_TS_LEN : 0));
	return c->mss < old;
}

void tcp_conn_agree(struct tcp_conn *c, uint16_t peer_mss, uint64_t now_ns)
{
	c->peer_mss = peer_mss ? peer_mss : tcp_mss_default(&c->flow);
	if (c->peer_mss < TCP_MSS_MIN)
		c->peer_mss = TCP_MSS_MIN;
	tcp_conn_sync_mss(c);
	/* A guess, until the peer sends a full segment. */
	c->rcv_mss = c->mss < TCP_MSS_DEFAULT ? c->mss : TCP_MSS_DEFAULT;
	/* Two SYNs may have crossed. */
	cc_fini(&c->cc);
	cc_init(&c->cc, c->cc.ops, c->mss, now_ns);
}

static void leave_table(struct tcp_conn *c)
{
	if (c->in_table)
		tcp_table_del(c);
	tcp_timer_stop(c);
	tcp_orphan_del(c);
	list_remove(&c->speak);
	c->on_speak = c->on_starved = false;
	if (c->x)
		c->x->rcv.has_twice = false;
}

/* Nothing more is sent or received; what was received can still be read. */
static void enter_closed(struct tcp_conn *c)
{
	leave_table(c);
	if (c->x) {
		sndq_fini(&c->x->snd);
		sent_forget(&c->x->sent, c->snd_nxt);
		tcp_early_drop(c->tcp, c->x);
		c->x->early_fin = false;
		c->x->ca = TCP_CA_OPEN;
		c->snd_una = c->snd_nxt;
	}
	if (c->owned)
		tcp_conn_tell(c);
	else
		list_push(&c->tcp->grave, &c->speak);
}

static void enter_established(struct tcp_conn *c)
{
	c->was_connected = true;
	c->tries = 0;
	c->tcp->stats.established++;
	tcp_conn_tell(c);
}

static void enter_time_wait(struct tcp_conn *c, uint64_t now_ns)
{
	c->tcp->stats.closed++;
	leave_table(c);
	tcp_wait_enter(c, now_ns);
	tcp_conn_tell(c);
	/* The table answers for it; the block stays while somebody may read. */
	if (!c->owned)
		tcp_enter(c, TCP_CLOSED, now_ns);
}

void tcp_enter(struct tcp_conn *c, enum tcp_state state, uint64_t now_ns)
{
	enum tcp_state from = (enum tcp_state)c->state;

	ASSERT(arrows[from] & 1u << state);
	c->state = state;
	trace_add(c->tcp->trace, now_ns, TRACE_TCP_STATE, pool_id(&c->tcp->conns, c),
		  state);
	if (from == TCP_SYN_RECEIVED)
		tcp_fastopen_left(c, state, now_ns);
	switch (state) {
	case TCP_ESTABLISHED: enter_established(c); break;
	case TCP_CLOSE_WAIT: tcp_conn_tell(c); break;
	case TCP_TIME_WAIT: enter_time_wait(c, now_ns); break;
	case TCP_CLOSED:
		if (from == TCP_LAST_ACK && !c->error)
			c->tcp->stats.closed++;
		enter_closed(c);
		break;
	case TCP_LISTEN:
	case TCP_SYN_SENT:
	case TCP_SYN_RECEIVED:
	case TCP_FIN_WAIT_1:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
	case TCP_N_STATES: break;
	}
}

void tcp_conn_die(struct tcp_conn *c, int error, uint64_t now_ns)
{
	if (c->state == TCP_CLOSED)
		return;
	c->error = (uint8_t)error;
	tcp_enter(c, TCP_CLOSED, now_ns);
}

void tcp_conn_reset(struct tcp_conn *c, int error, uint64_t now_ns)
{
	/* RFC 9293 3.10.5: no RST where the peer knows nothing of us, or all is done */
	if (c->state != TCP_CLOSED && c->state != TCP_SYN_SENT &&
	    c->state != TCP_TIME_WAIT)
		tcp_output_reset(c, now_ns);
	tcp_conn_die(c, error, now_ns);
}

static void conn_free(struct tcp_conn *c)
{
	struct tcp *tcp = c->tcp;

	ASSERT(!c->owned && !c->in_table);
	if (c->x)
		give_back(c);
	cc_fini(&c->cc);
	list_remove(&c->ready);
	tcp->stats.n_conns--;
	/* tcp_conn_at() knows free blocks by this. */
	c->tcp = NULL;
	pool_put(&tcp->conns, c);
}

void tcp_conn_reap(struct tcp *tcp)
{
	struct list *node;

	while ((node = list_pop(&tcp->grave)))
		conn_free(container_of(node, struct tcp_conn, speak));
}

void tcp_conn_speak(struct tcp_conn *c)
{
	if (c->on_speak || c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT)
		return;
	list_remove(&c->speak);
	c->on_starved = false;
	c->on_speak = true;
	list_push(&c->tcp->speak, &c->speak);
}

void tcp_conn_starve(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp *tcp = c->tcp;

	if (c->on_starved || c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT)
		return;
	list_remove(&c->speak);
	c->on_speak = false;
	c->on_starved = true;
	list_push(&tcp->starved, &c->speak);
	if (!timer_armed(&tcp->starve_timer))
		timer_arm(tcp->wheel, &tcp->starve_timer,
			  now_ns + TCP_STARVE_MS * NS_PER_MS);
}

void tcp_conn_tell(struct tcp_conn *c)
{
	if (!c->owned || c->accepting || c->on_ready)
		return;
	c->on_ready = true;
	list_push(&c->tcp->ready, &c->ready);
}

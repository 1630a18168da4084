/*
 * TIME-WAIT (RFC 9293 3.6.1): the connection is an entry of timewait.h, and its control
 * block is free or only waits for the program to read what came.
 *
 * A RST ends no TIME-WAIT: it may be old, and then so may be data that a successor
 * would believe (RFC 1337).  A SYN does, when its timestamp or number tells that it is
 * a new one (RFC 6191, RFC 9293 3.6.1).
 */
#include "stack/base/clock.h"
#include "tcp/tcp_impl.h"

static uint64_t end_of(const struct tcp *tcp, uint64_t now_ns)
{
	return now_ns + tcp->conf.time_wait_ms * NS_PER_MS;
}

static void arm_timer(struct tcp *tcp)
{
	uint64_t due = timewait_due(tcp->timewait);

	if (due != TIMER_NEVER)
		timer_arm(tcp->wheel, &tcp->timewait_timer, due);
}

void tcp_wait_timer(struct timer *t, uint64_t now_ns)
{
	struct tcp *tcp = container_of(t, struct tcp, timewait_timer);

	timewait_expire(tcp->timewait, now_ns);
	arm_timer(tcp);
}

void tcp_wait_enter(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp *tcp = c->tcp;
	bool open = seq_after(c->rcv_adv, c->rcv_nxt);
	struct tw tw = {
		.flow = c->flow,
		.snd_nxt = c->snd_nxt,
		.rcv_nxt = c->rcv_nxt,
		.rcv_wnd = open ? seq_dist(c->rcv_nxt, c->rcv_adv) : 0,
		.ts_recent = c->ts_recent,
		.ts_offset = c->ts_offset,
		.rcv_wscale = c->rcv_wscale,
		.timestamps = c->ts,
	};

	tcp->stats.time_wait++;
	if (timewait_add(tcp->timewait, &tw, end_of(tcp, now_ns)))
		tcp->stats.time_wait_dropped++;
	arm_timer(tcp);
}

static void send_ack(struct tcp_in *in, const struct tw *tw)
{
	struct tcp_seg s = {
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.flags = TCP_ACK,
		.window = (uint16_t)(tw->rcv_wnd >> tw->rcv_wscale),
	};

	if (tw->timestamps) {
		s.has = TCP_HAS_TS;
		s.ts_val = tcp_ms(in->now_ns) + tw->ts_offset;
		s.ts_ecr = tw->ts_recent;
	}
	tcp_emit_bare(in->tcp, &in->flow, &s, &in->tcp->opts, in->now_ns);
}

/* Is this SYN newer than all that the old connection sent? */
static bool is_new(const struct tcp_in *in, const struct tw *tw)
{
	const struct tcp_seg *s = &in->s;

	if (tw->timestamps && (s->has & TCP_HAS_TS) && s->ts_val != tw->ts_recent)
		return !tcp_input_paws(tw->ts_recent, s);
	return seq_after(s->seq, tw->rcv_nxt);
}

enum verdict tcp_wait_input(struct tcp_in *in, uint32_t id, struct seq *iss)
{
	const struct tcp_seg *s = &in->s;
	struct tcp *tcp = in->tcp;
	struct tw tw;
	bool old_fin;

	timewait_get(tcp->timewait, id, &tw);
	if (s->flags & TCP_RST)
		return V_TCP_BAD_RST;
	/* Without an entry for it, it would get a cookie, whose number is not our choice. */
	if ((s->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN && is_new(in, &tw) &&
	    synq_count(tcp->synq) < tcp->conf.max_syn &&
	    tcp_table_listener(tcp, &in->flow)) {
		timewait_del(tcp->timewait, id);
		tcp->stats.time_wait_reused++;
		*iss = seq_add(tw.snd_nxt, UINT16_MAX + 2);
		return V_KEPT;
	}
	if (!(s->flags & (TCP_SYN | TCP_ACK)))
		return V_TCP_NO_ACK;
	if (seq_eq(s->seq, tw.rcv_nxt) && tcp_in_seq_len(in) == 0)
		return V_DONE;
	/* The peer did not hear our last ACK: the wait begins anew (3.10.7.4, eighth). */
	old_fin = (s->flags & TCP_FIN) &&
		  seq_eq(seq_add(s->seq, tcp_in_seq_len(in)), tw.rcv_nxt);
	if (old_fin) {
		timewait_restart(tcp->timewait, id, end_of(tcp, in->now_ns));
		arm_timer(tcp);
	} else if (!tcp_challenge_allowed(tcp, &tcp->challenge_others, in->now_ns)) {
		return V_TCP_NOT_IN_WINDOW;
	}
	send_ack(in, &tw);
	return old_fin ? V_DONE : V_TCP_NOT_IN_WINDOW;
}

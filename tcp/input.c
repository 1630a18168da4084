/*
 * A segment arrives: RFC 9293 3.10.7, one function for each of its steps.
 *
 *	tcp_input		shape, checksum; whose segment it is
 *	  syn_sent		3.10.7.3
 *	  predicted		what nearly always comes skips the questions
 *	  check_sequence	3.10.7.4 first, with RFC 7323 5.3 before it
 *	  check_reset		second, RFC 5961 3
 *	  check_syn		fourth, RFC 5961 4
 *	  check_ack		fifth, RFC 5961 5, then ack.c
 *	  tcp_text_urgent	sixth
 *	  tcp_text		seventh and eighth
 *
 * (The third is about security compartments, which nobody has.)  A step answers
 * whether the next one shall be asked; if not, in->verdict says why.  What is to be
 * sent waits for the end of the turn, but for duplicate ACKs.
 */
#include <errno.h>

#include "ip/ip.h"
#include "stack/base/cksum.h"
#include "tcp/tcp_impl.h"

static bool stop(struct tcp_in *in, enum verdict why)
{
	in->verdict = why;
	return false;
}

/* ---- timestamps ---- */

bool tcp_input_paws(uint32_t ts_recent, const struct tcp_seg *s)
{
	return (s->has & TCP_HAS_TS) && (int32_t)(s->ts_val - ts_recent) < 0 &&
	       !(s->flags & TCP_RST);
}

/* RFC 7323 4.3 (2): what may be echoed from now on. */
static void note_timestamp(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;

	if (!c->ts || !(in->s.has & TCP_HAS_TS) || seq_after(in->s.seq, c->ack_sent))
		return;
	c->ts_recent = in->s.ts_val;
	c->ts_recent_ms = tcp_ms(in->now_ns);
}

/* ---- SYN-SENT ---- */

/* Our SYN is acknowledged, with what it brought. */
static void take_syn_ack(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;

	/* Of one that its SYN opened, SND.UNA is behind the SYN already. */
	if (c->x->fo_passive)
		return;
	if (c->x->fo_asked)
		tcp_fastopen_answered(in);
	else
		tcp_recover_begin(c, in->s.ack, in->now_ns);
}

/* The handshake is through: SEG.ACK acknowledges our SYN. */
static void established(struct tcp_in *in, uint8_t wscale)
{
	struct tcp_conn *c = in->c;
	uint32_t ms = tcp_ms(in->now_ns) + c->ts_offset - in->s.ts_ecr;

	c->snd_wnd = c->max_wnd = (uint32_t)in->s.window << wscale;
	c->snd_wl1 = in->s.seq;
	c->snd_wl2 = in->s.ack;
	if (c->x->timing)
		rtt_sample(&c->rtt, tcp_us(in->now_ns) - c->x->timed_us);
	else if (c->ts && in->s.ts_ecr && ms < RTO_MAX_US / 1000)
		rtt_sample(&c->rtt, ms * 1000);
	else
		rtt_fallback(&c->rtt);
	c->x->timing = false;
	take_syn_ack(in);
	tcp_ecn_answered(in);
	/* A SYN-ACK that did not leave yet is an ACK now. */
	c->ack_now |= c->syn_due;
	c->syn_due = false;
	/* RFC 5681 3.1: a lost SYN makes the initial window one segment */
	if (c->tries)
		c->cc.cwnd = c->mss;
	tcp_timer_job(c, TCP_JOB_NONE, TIMER_NEVER);
	if (tcp_conn_flight(c))
		tcp_timer_retransmit(c, in->now_ns);
	tcp_ledger(c)->rx_ms = tcp_ms(in->now_ns);
	tcp_enter(c, TCP_ESTABLISHED, in->now_ns);
	/* RFC 9293 3.10.4: CLOSE in SYN-RECEIVED waited for this */
	if (c->fin_wanted)
		tcp_enter(c, TCP_FIN_WAIT_1, in->now_ns);
}

/* What both SYNs say counts from now on. */
static void read_syn(struct tcp_in *in)
{
	const struct tcp_conf *conf = &in->tcp->conf;
	const struct tcp_seg *s = &in->s;
	struct tcp_conn *c = in->c;
	uint32_t wnd = c->opts.rcvbuf < UINT16_MAX ? c->opts.rcvbuf : UINT16_MAX;

	c->rcv_nxt = c->ack_sent = seq_add(s->seq, 1);
	c->rcv_adv = seq_add(c->rcv_nxt, wnd);
	c->sack = conf->sack && (s->has & TCP_HAS_SACK_OK);
	c->ts = conf->timestamps && (s->has & TCP_HAS_TS);
	c->ts_recent = s->ts_val;
	c->ts_recent_ms = tcp_ms(in->now_ns);
	if (conf->window_scale && (s->has & TCP_HAS_WSCALE)) {
		c->snd_wscale = s->wscale;
		c->rcv_wscale = in->tcp->rcv_wscale;
	}
	tcp_conn_agree(c, s->mss, in->now_ns);
}

/* The timestamp is one that we sent since the first SYN. */
static bool echoes_ours(const struct tcp_in *in)
{
	const struct tcp_conn *c = in->c;
	uint32_t first = c->x->stalled_ms + c->ts_offset;

	return in->s.ts_ecr - first <= tcp_ms(in->now_ns) - c->x->stalled_ms;
}

static bool syn_sent(struct tcp_in *in)
{
	const struct tcp_seg *s = &in->s;
	bool has_ack = s->flags & TCP_ACK;
	struct tcp_conn *c = in->c;

	/* First: it must acknowledge the SYN we sent. */
	if (has_ack &&
	    !(seq_after(s->ack, c->snd_una) && seq_before_eq(s->ack, c->snd_nxt))) {
		tcp_emit_refusal(in);
		return stop(in, V_TCP_BAD_ACK);
	}
	/* RFC 7323 3.2: it echoes what a SYN of ours said, or answers one long past */
	if (has_ack && !(s->flags & TCP_RST) && (s->has & TCP_HAS_TS) && s->ts_ecr &&
	    in->tcp->conf.timestamps && !echoes_ours(in)) {
		tcp_emit_refusal(in);
		return stop(in, V_TCP_PAWS);
	}
	/* Second, with RFC 5961 3.2: a RST counts if it acknowledges our SYN. */
	if (s->flags & TCP_RST) {
		if (!has_ack)
			return stop(in, V_TCP_BAD_RST);
		in->tcp->stats.reset_in++;
		tcp_conn_die(c, ECONNREFUSED, in->now_ns);
		return false;
	}
	if (!(s->flags & TCP_SYN))
		return stop(in, V_TCP_NOT_IN_WINDOW);
	/* Fourth. */
	read_syn(in);
	if (!has_ack) {
		/* Ours may not have left yet. */
		struct tcp_xfer *x = tcp_conn_xfer(c);

		x->ecn_asked = tcp_ecn_judge(&c->opts, s->flags, in->p->tos);
		tcp_ecn_responds(c, x->ecn_asked, 1);
		x->syn_sent = false;
		/* Simultaneous open.  What came with the SYN will come again. */
		tcp_enter(c, TCP_SYN_RECEIVED, in->now_ns);
		c->syn_due = true;
		return false;
	}
	established(in, 0);
	c->ack_now = true;
	in->s.seq = c->rcv_nxt;
	return true;
}

/* ---- synchronized states ---- */

/* Header prediction: the next segment, in order, with nothing unusual in it. */
static bool predicted(const struct tcp_in *in)
{
	const struct tcp_conn *c = in->c;
	const struct tcp_seg *s = &in->s;

	return c->state == TCP_ESTABLISHED && (s->flags & ~TCP_PSH) == TCP_ACK &&
	       seq_eq(s->seq, c->rcv_nxt) && in->len <= tcp_conn_promised(c) &&
	       seq_after_eq(s->ack, c->snd_una) && seq_before_eq(s->ack, c->snd_nxt) &&
	       (!c->ts || ((s->has & TCP_HAS_TS) && !tcp_input_paws(c->ts_recent, s)));
}

/*
 * The answer to a segment that is not acceptable.  Two ends that disagree about
 * everything must not answer each other for ever: without data, one now and then.
 */
static void answer_unacceptable(struct tcp_in *in)
{
	uint32_t now_ms = tcp_ms(in->now_ns);
	struct tcp_conn *c = in->c;

	if (in->s.flags & TCP_RST)
		return;
	if (in->s.flags & TCP_SYN) {
		/* RFC 5961 4.2: whatever its number */
		tcp_output_challenge(c, in->now_ns);
		return;
	}
	if (!in->len && now_ms - c->oow_ack_ms < TCP_OOW_ACK_MS)
		return;
	if (!in->len)
		c->oow_ack_ms = now_ms;
	tcp_dsack_old(in, in->s.seq);
	c->ack_now = true;
}

static bool check_sequence(struct tcp_in *in)
{
	const struct tcp_seg *s = &in->s;
	struct tcp_conn *c = in->c;
	struct seq end = seq_add(s->seq, tcp_in_seq_len(in));

	/* RFC 7323 3.2: who agreed to send timestamps sends them */
	if (c->ts && !(s->has & TCP_HAS_TS) && !(s->flags & TCP_RST))
		return stop(in, V_TCP_NO_TIMESTAMP);
	/* RFC 7323 5.3 R1; 5.5: after 24 days the old timestamp says nothing */
	if (c->ts && tcp_input_paws(c->ts_recent, s) &&
	    tcp_ms(in->now_ns) - c->ts_recent_ms < TCP_PAWS_MS) {
		answer_unacceptable(in);
		return stop(in, V_TCP_PAWS);
	}
	/*
	 * First.  Numbers from the last ACK of ours on are good, so that an ACK which
	 * the data behind it overtook still counts; and the number behind the window,
	 * where a bare ACK stands when the window is closed.
	 */
	if (seq_before(end, c->ack_sent) ||
	    seq_after(s->seq, seq_add(c->rcv_nxt, tcp_conn_promised(c)))) {
		answer_unacceptable(in);
		return stop(in, V_TCP_NOT_IN_WINDOW);
	}
	return true;
}

static bool check_reset(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;
	int error = ECONNRESET;

	if (!(in->s.flags & TCP_RST))
		return true;
	if (seq_before(in->s.seq, c->rcv_nxt))
		return stop(in, V_TCP_BAD_RST);
	if (!seq_eq(in->s.seq, c->rcv_nxt)) {
		/* RFC 5961 3.2: who really means it will send the exact number */
		tcp_output_challenge(c, in->now_ns);
		return stop(in, V_TCP_BAD_RST);
	}
	in->tcp->stats.reset_in++;
	trace_add(in->tcp->trace, in->now_ns, TRACE_TCP_RST_IN,
		  pool_id(&in->tcp->conns, c), c->state);
	if (c->state == TCP_SYN_RECEIVED && !c->x->fo_passive)
		error = ECONNREFUSED;
	/* The connection is over for both; that is no error (RFC 9293 3.10.7.4). */
	if (c->state == TCP_CLOSING || c->state == TCP_LAST_ACK)
		error = 0;
	tcp_conn_die(c, error, in->now_ns);
	return false;
}

/* The SYN-ACK of a simultaneous open: to its ACK it is what an ACK would be. */
static bool crossed(const struct tcp_in *in)
{
	return in->c->state == TCP_SYN_RECEIVED && (in->s.flags & TCP_ACK) &&
	       seq_eq(seq_add(in->s.seq, 1), in->c->rcv_nxt);
}

static bool check_syn(struct tcp_in *in)
{
	if (!(in->s.flags & TCP_SYN) || crossed(in))
		return true;
	tcp_output_challenge(in->c, in->now_ns);
	return stop(in, V_TCP_SYN_IN_WINDOW);
}

/* Everything we sent is acknowledged, and a FIN ended it. */
static bool fin_acked(const struct tcp_conn *c)
{
	return c->fin_sent && tcp_conn_flight(c) == 0;
}

/* Our FIN has arrived.  True when there may be text. */
static bool was_finished(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;

	if (c->state == TCP_FIN_WAIT_1) {
		tcp_enter(c, TCP_FIN_WAIT_2, in->now_ns);
	} else if (c->state == TCP_CLOSING) {
		/* The peer's FIN came this very turn: its ACK leaves while we can. */
		if (c->ack_now)
			tcp_output_ack(c, in->now_ns);
		tcp_enter(c, TCP_TIME_WAIT, in->now_ns);
	} else if (c->state == TCP_LAST_ACK) {
		tcp_enter(c, TCP_CLOSED, in->now_ns);
	}
	return c->state == TCP_FIN_WAIT_2;
}

static bool check_ack(struct tcp_in *in)
{
	const struct tcp_seg *s = &in->s;
	struct tcp_conn *c = in->c;

	if (!(s->flags & TCP_ACK))
		return stop(in, V_TCP_NO_ACK);
	if (c->state == TCP_SYN_RECEIVED) {
		struct seq least = seq_add(c->snd_una, !c->x->fo_passive);

		if (seq_before(s->ack, least) || seq_after(s->ack, c->snd_nxt)) {
			tcp_emit_refusal(in);
			return stop(in, V_TCP_BAD_ACK);
		}
		if (s->flags & TCP_SYN) {
			/* RFC 7323 2.2: its window is not scaled; it says no more */
			established(in, 0);
			/* Its SYN came before. */
			tcp_dsack_old(in, in->s.seq);
			in->s.seq = c->rcv_nxt;
			return true;
		}
		tcp_ecn_third(in);
		established(in, c->snd_wscale);
	}
	/* RFC 5961 5.2 */
	if (seq_before(s->ack, seq_add(c->snd_una, -c->max_wnd)) ||
	    seq_after(s->ack, c->snd_nxt)) {
		tcp_output_challenge(c, in->now_ns);
		return stop(in, V_TCP_BAD_ACK);
	}
	/* Only now: a number from nowhere must not make the peer's segments old. */
	note_timestamp(in);
	tcp_ack(in);
	return !fin_acked(c) || was_finished(in);
}

static bool check(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;

	if (c->state == TCP_SYN_SENT)
		return syn_sent(in);
	if (c->state == TCP_SYN_RECEIVED && tcp_syn_repeated(in))
		return false;
	if (predicted(in)) {
		note_timestamp(in);
		tcp_ack(in);
		return true;
	}
	return check_sequence(in) && check_reset(in) && check_syn(in) && check_ack(in);
}

enum verdict tcp_input_conn(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;

	in->verdict = V_DONE;
	c->segs_in++;
	if (check(in)) {
		if (c->ecn)
			tcp_ecn_in(in);
		c->last_rx_ms = tcp_ms(in->now_ns);
		if (c->job == TCP_JOB_KEEP)
			c->probes = 0;
		tcp_text_urgent(in);
		tcp_text(in);
	}
	tcp_conn_speak(c);
	return in->verdict;
}

/* ---- whose segment it is ---- */

static enum verdict read_header(struct tcp_in *in)
{
	struct pkt *p = in->p;
	struct rd r = rd_of(p->data, p->len);
	uint64_t sum;

	if (p->total_len < TCP_HEADER_LEN)
		return V_SHORT;
	if (!tcp_parse(&r, &in->s))
		return V_TCP_BAD_HEADER;
	if (!(p->flags & PKT_SUM_OK)) {
		sum = cksum_pseudo(&p->src, &p->dst, IP_PROTO_TCP, p->total_len);
		if (cksum_end(cksum_add_pkt(sum, p, 0)) != 0)
			return V_TCP_BAD_SUM;
	}
	/* RFC 9293 3.9.2.3: TCP has two ends, not many */
	if (p->flags & PKT_BROADCAST)
		return V_TCP_NO_SOCKET;
	pkt_pull(p, in->s.header_len);
	in->len = p->total_len;
	in->flow = (struct flow){
		.local = p->dst,
		.remote = p->src,
		.local_port = in->s.dst_port,
		.remote_port = in->s.src_port,
	};
	return V_DONE;
}

struct step tcp_input(struct tcp *tcp, struct pkt *p, uint64_t now_ns)
{
	struct tcp_in in = { .tcp = tcp, .p = p, .now_ns = now_ns };
	enum verdict v = read_header(&in);

	tcp->now_ns = now_ns;
	tcp->stats.segs_in++;
	if (v != V_DONE)
		return step_end(v);
	in.c = tcp_table_find(tcp, &in.flow);
	return step_end(in.c ? tcp_input_conn(&in) : tcp_listen_input(&in));
}

/*
 * SYN and SYN-ACK of connections that have a control block: those that we open, and those of
 * a listener that their SYN opened (fastopen.c).  The others' are in listen.c.
 */
#include <errno.h>

#include "ip/ip.h"
#include "tcp/tcp_impl.h"

/* What the segment says, but for Fast Open. */
static void fill(struct tcp_conn *c, struct tcp_seg *s, uint64_t now_ns)
{
	*s = (struct tcp_seg){
		.src_port = c->flow.local_port,
		.dst_port = c->flow.remote_port,
		.seq = seq_add(c->snd_una, -(uint32_t)c->x->fo_passive),
		.flags = TCP_SYN,
	};
	tcp_emit_syn_options(c->tcp, &c->flow, &c->opts, s);
	s->ts_val = tcp_ms(now_ns) + c->ts_offset;
	if (c->state == TCP_SYN_SENT) {
		s->flags |= tcp_ecn_syn(c);
		return;
	}
	/* Only what the peer's SYN said, too. */
	s->flags |= TCP_ACK;
	s->ack = c->rcv_nxt;
	s->ts_ecr = c->ts_recent;
	s->has = TCP_HAS_MSS | (c->sack ? TCP_HAS_SACK_OK : 0) |
		 (c->ts ? TCP_HAS_TS : 0) | (c->rcv_wscale ? TCP_HAS_WSCALE : 0);
}

/* What goes with it.  How many bytes of the send queue. */
static uint32_t add_fastopen(struct tcp_conn *c, struct tcp_seg *s, struct fo_hint *hint)
{
	struct tcp_xfer *x = c->x;

	if (c->state == TCP_SYN_SENT)
		return tcp_fastopen_syn(c, s, hint);
	if (x->fo_cookie.len && !x->syn_sent) {
		s->has |= TCP_HAS_FO | (x->fo_cookie.exp ? TCP_HAS_FO_EXP : 0);
		s->fo_len = x->fo_cookie.len;
		s->fo = x->fo_cookie.bytes;
	}
	return 0;
}

/* 0; -ENOBUFS: later.  What goes wrong below is as if it was lost. */
static int send(struct tcp_conn *c, const struct tcp_seg *s, uint32_t len,
		uint64_t now_ns)
{
	struct tcp_emit how = { .ttl = c->opts.ttl,
				.tos = c->opts.tos,
				.no_df = c->opts.no_df };

	how.tos |= tcp_ecn_shake_field(c->tcp, c->x->ecn_asked >= ECN_ASKED_ACC);
	struct pkt *body = NULL;
	int err;

	if (len) {
		body = sndq_gather(&c->x->snd, 0, len);
		if (!body)
			return -ENOBUFS;
	}
	err = tcp_emit_segment(c->tcp, &c->flow, s, body, &how, now_ns);
	/* The path is narrower than it was when the bytes were taken: without them. */
	if (err == -EMSGSIZE && len)
		return send(c, s, 0, now_ns);
	return err == -ENOBUFS ? err : 0;
}

static void was_sent(struct tcp_conn *c, uint32_t len, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;
	bool answer = c->state == TCP_SYN_RECEIVED;
	bool again = c->tries || x->syn_sent;

	c->segs_out++;
	c->syn_due = false;
	x->syn_sent = true;
	x->timing = !again; /* Karn: else its ACK would be ambiguous */
	if (!x->fo_passive)
		c->snd_nxt = seq_max(c->snd_nxt, seq_add(c->snd_una, 1 + len));
	c->last_tx_ms = tcp_ms(now_ns);
	if (answer)
		tcp_output_acked(c);
	if (again)
		return;
	x->timed = seq_add(c->snd_una, 1);
	x->timed_us = tcp_us(now_ns);
	x->stalled_ms = tcp_ms(now_ns);
	/* For another one, what fired set it. */
	tcp_timer_retransmit(c, now_ns);
}

void tcp_syn_output(struct tcp_conn *c, uint64_t now_ns)
{
	struct fo_hint hint;
	struct tcp_seg s;
	uint32_t len;

	tcp_conn_xfer(c);
	fill(c, &s, now_ns);
	len = add_fastopen(c, &s, &hint);
	if (c->state == TCP_SYN_RECEIVED)
		s.flags |= tcp_ecn_syn_ack(c->x->ecn_asked, c->tries + 1u, &s);
	if (send(c, &s, len, now_ns) == -ENOBUFS) {
		tcp_conn_starve(c, now_ns);
		return;
	}
	was_sent(c, len, now_ns);
}

bool tcp_syn_repeated(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;
	struct seq irs = seq_add(c->rcv_nxt, -(uint32_t)c->bytes_received - 1);

	if ((in->s.flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN ||
	    !seq_eq(in->s.seq, irs))
		return false;
	/* Our SYN-ACK did not arrive. */
	c->syn_due = true;
	return true;
}

/*
 * What came twice is told to the sender, by the first SACK block of the next ACK (RFC 2883
 * 4): so that it learns that it sent in vain, and that ACKs were lost or segments late.
 *
 * Each report needs a segment with bytes or a FIN, and one ACK has room for one report: a
 * peer gets at most as many ACKs as it sent segments.
 */
#include "tcp/tcp_impl.h"

static void report(struct tcp_in *in, struct tcp_block b)
{
	struct tcp_conn *c = in->c;
	struct rcvq *q = &tcp_conn_xfer(c)->rcv;

	if (q->has_twice && seq_eq(q->twice.end, b.start)) {
		/* One after the other in one burst: still one range. */
		b.start = q->twice.start;
	} else if (q->has_twice) {
		tcp_output_ack(c, in->now_ns);
	}
	q->has_twice = true;
	q->twice = b;
	c->ack_now = true;
}

void tcp_dsack_old(struct tcp_in *in, struct seq seq)
{
	struct tcp_conn *c = in->c;
	struct seq end = seq_add(seq, tcp_in_seq_len(in));

	if (!c->sack || seq_eq(seq, end) || !seq_before(seq, c->rcv_nxt))
		return;
	report(in, (struct tcp_block){ seq, seq_min(end, c->rcv_nxt) });
}

void tcp_dsack_early(struct tcp_in *in, struct seq seq)
{
	struct tcp_block b = { seq, seq_add(seq, in->len) };
	struct tcp_conn *c = in->c;

	if (c->sack && c->x && rcvq_overlap(&c->x->rcv, &b))
		report(in, b);
}

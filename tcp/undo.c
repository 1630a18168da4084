/*
 * When a loss was none: congestion control goes on as before it.
 *
 * Three signs tell that what was sent again had arrived the first time:
 *
 *	D-SACK		every byte sent again came twice (RFC 2883, RFC 3708)
 *	Eifel		the ACK echoes a timestamp from before the first retransmission
 *			(RFC 3522, response as RFC 4015)
 *	F-RTO		after a timeout, bytes arrive that were sent once (RFC 5682);
 *			recover.c asks
 */
#include "tcp/tcp_impl.h"

void tcp_undo_begin(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	x->undo = true;
	x->undo_mark = c->snd_una;
	x->undo_stamped = false;
	/* What is under way again for an earlier reason may come twice, too. */
	x->undo_left = x->sent.n_again;
	x->undo_resent = x->undo_left;
	x->before = c->cc;
}

void tcp_undo_resent(struct tcp_conn *c, uint32_t len, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	if (!x->undo)
		return;
	if (!x->undo_stamped) {
		x->undo_stamped = true;
		x->undo_ts = tcp_ms(now_ns) + c->ts_offset;
	}
	x->undo_resent = true;
	x->undo_left += len;
}

void tcp_undo_dsack(struct tcp_conn *c, struct tcp_block b)
{
	struct tcp_xfer *x = c->x;
	uint32_t len = seq_dist(b.start, b.end);

	if (!x->undo || !x->undo_resent || seq_before(b.start, x->undo_mark))
		return;
	x->undo_left -= len < x->undo_left ? len : x->undo_left;
}

bool tcp_undo_is_early(const struct tcp_conn *c, const struct tcp_told *a)
{
	const struct tcp_xfer *x = c->x;

	/* RFC 3522 3.2 (5) */
	return x->undo && x->undo_stamped && a->has_ecr &&
	       (int32_t)(a->ts_ecr - x->undo_ts) < 0;
}

bool tcp_undo_all_twice(const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;

	return x->undo && x->undo_resent && !x->undo_left;
}

void tcp_undo(struct tcp_conn *c)
{
	uint32_t cwnd = c->cc.cwnd;
	struct tcp_xfer *x = c->x;

	if (c->cc.ops->undone)
		c->cc.ops->undone(&c->cc);
	else
		c->cc = x->before;
	if (c->cc.cwnd < cwnd)
		c->cc.cwnd = cwnd;
	x->undo = false;
	sent_find_all(&x->sent);
	c->tcp->stats.undone++;
}

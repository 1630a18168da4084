/*
 * What is sent again, and when.
 *
 * The log of what was sent (sent.h) knows which bytes are lost; here is decided what
 * follows.  With SACK, RACK tells what is lost (rack.c).  Without it, RFC 6582 (NewReno):
 * three duplicate ACKs, and then each partial ACK, tell that the first segment is.  A
 * duplicate says that one segment more left the network: @inflate counts those bytes,
 * which is the inflation of cwnd of RFC 5681 3.2 seen from the other side.
 *
 *	 OPEN <--> DISORDER	something is reported, or is not any more
 *	   |          |
 *	   |          | something is lost		(enter_recovery)
 *	   v          v
 *	  CWR ----> RECOVERY ----> LOSS		the timer fired (tcp_recover_timeout)
 *	   |          |              |
 *	   +----------+--------------+----> OPEN
 *		una passes @recover (leave), or it was no loss (undone)
 *
 * In CWR and RECOVERY cwnd is prr.c's; in LOSS it grows by slow start.
 *
 * After a timeout F-RTO (RFC 5682, the SACK-enhanced version) sends the first segment
 * again and then, when it is acknowledged, new bytes: if bytes arrive that were sent
 * once, the timeout came too early, and nothing was lost.
 */
#include "stack/base/trace.h"
#include "tcp/tcp_impl.h"

uint32_t tcp_recover_pipe(const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;
	uint32_t pipe = tcp_conn_flight(c);

	if (!x)
		return pipe;
	pipe = sent_pipe(&x->sent, pipe);
	return pipe - (x->inflate < pipe ? x->inflate : pipe);
}

/* ---- beginning and end ---- */

void tcp_recover_forget(struct tcp_conn *c)
{
	c->x->undo = c->x->tlp_out = c->x->hold = false;
}

static void open_or_disorder(struct tcp_xfer *x)
{
	x->ca = x->sent.n_sacked || x->inflate || x->sent.n_lost ? TCP_CA_DISORDER :
								   TCP_CA_OPEN;
}

static void leave(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	/* After a timeout cwnd grew by slow start: it is what it should be. */
	if (x->ca == TCP_CA_RECOVERY || x->ca == TCP_CA_CWR)
		c->cc.ops->recovered(&c->cc, tcp_conn_flight(c), c->mss, now_ns);
	if (x->ca >= TCP_CA_RECOVERY)
		tcp_rack_recovered(c);
	x->n_dup = 0;
	x->inflate = 0;
	x->resend = x->frto = x->frto_new = false;
	/* Reports that all came twice may follow within the next round trip. */
	x->undo = x->undo && x->undo_resent && c->sack;
	x->undo_end = c->snd_nxt;
	open_or_disorder(x);
	/* RFC 6582 4.1: duplicates of our own making must not begin another */
	x->hold = !c->sack;
	trace_add(c->tcp->trace, now_ns, TRACE_TCP_RECOVERED, pool_id(&c->tcp->conns, c),
		  c->cc.cwnd);
}

/* It was no loss. */
static void undone(struct tcp_conn *c, uint64_t now_ns)
{
	tcp_undo(c);
	c->x->ca = TCP_CA_OPEN; /* so that leave() keeps cwnd */
	leave(c, now_ns);
}

static void enter_recovery(struct tcp_conn *c, const struct tcp_told *a)
{
	uint32_t flight = tcp_conn_flight(c);
	struct tcp_xfer *x = c->x;

	/* RFC 5681 3.2 (2): what limited transmit sent does not count */
	if (flight > c->cc.cwnd)
		flight = c->cc.cwnd;
	if (x->ca != TCP_CA_CWR) {
		tcp_undo_begin(c);
		c->cc.ops->loss(&c->cc, CC_LOSS_FAST, flight, c->mss, a->now_ns);
		tcp_prr_begin(c, a->n_delivered);
	}
	x->ca = TCP_CA_RECOVERY;
	x->recover = c->snd_nxt;
	x->resend = true;
	x->tlp_due = false;
	c->n_recovery++;
	c->tcp->stats.fast_recovery++;
	trace_add(c->tcp->trace, a->now_ns, TRACE_TCP_RECOVERY,
		  pool_id(&c->tcp->conns, c), flight);
}

void tcp_recover_reduce(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	c->cc.ops->loss(&c->cc, CC_ECN_CE, tcp_conn_flight(c), c->mss, now_ns);
	tcp_prr_begin(c, 0);
	x->ca = TCP_CA_CWR;
	x->recover = c->snd_nxt;
	x->undo = false;
}

void tcp_recover_begin(struct tcp_conn *c, struct seq una, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	c->snd_una = una;
	sent_forget(&x->sent, una);
	if (tcp_conn_flight(c))
		sent_add(&x->sent, c->snd_nxt, tcp_us(now_ns));
	x->rack_fack = x->dsack_round = una;
}

/* ---- what is lost ---- */

/* RFC 6582, without SACK. */
static void count_duplicates(struct tcp_conn *c, struct tcp_told *a)
{
	struct tcp_xfer *x = c->x;

	a->n_delivered = a->n_acked;
	if (a->n_acked) {
		/* Bytes of which a duplicate told are not delivered again. */
		uint32_t told = x->inflate < a->n_acked ? x->inflate : a->n_acked;

		a->n_delivered -= told;
		if (x->ca == TCP_CA_RECOVERY) {
			/* RFC 6582 3.2 (3): "partial acknowledgments" */
			x->inflate -= told;
			if (a->n_acked >= c->mss)
				x->inflate += c->mss;
			if (seq_before(c->snd_una, x->recover)) {
				sent_lose_first(&x->sent, c->mss);
				x->resend = true;
			}
		} else {
			x->n_dup = 0;
			x->inflate = 0;
		}
	} else if (a->dup && a->flight && x->ca != TCP_CA_LOSS) {
		x->n_dup += x->n_dup < UINT8_MAX;
		x->inflate += c->mss;
		a->n_delivered = c->mss;
	}
}

/* Marks what is lost.  Microseconds until more may be; 0: not by time. */
static uint32_t detect(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	if (c->sack)
		return tcp_rack_detect(c, now_ns);
	if (x->ca < TCP_CA_RECOVERY && !x->hold && x->n_dup >= SENT_DUP_THRESH)
		sent_lose_first(&x->sent, c->mss);
	return 0;
}

/* ---- what an ACK changes ---- */

static uint32_t ack_open(struct tcp_conn *c, struct tcp_told *a)
{
	struct tcp_xfer *x = c->x;
	uint32_t wait_us;

	if (x->ca == TCP_CA_CWR && seq_after_eq(c->snd_una, x->recover))
		leave(c, a->now_ns);
	/* RFC 2883: all that the last recovery sent again came twice */
	if (a->dsack && tcp_undo_all_twice(c))
		undone(c, a->now_ns);
	else if (seq_after(c->snd_una, x->undo_end))
		x->undo = false;
	if (!tcp_conn_flight(c)) {
		open_or_disorder(x);
		return 0;
	}
	wait_us = detect(c, a->now_ns);
	if (x->sent.n_wait)
		enter_recovery(c, a);
	else if (x->ca != TCP_CA_CWR)
		open_or_disorder(x);
	return wait_us;
}

static uint32_t ack_recovery(struct tcp_conn *c, struct tcp_told *a)
{
	struct tcp_xfer *x = c->x;

	if (seq_after_eq(c->snd_una, x->recover)) {
		if (tcp_undo_is_early(c, a) || tcp_undo_all_twice(c)) {
			undone(c, a->now_ns);
			return 0;
		}
		leave(c, a->now_ns);
		return tcp_conn_flight(c) ? ack_open(c, a) : 0;
	}
	if ((a->n_acked && !x->sent.n_again && tcp_undo_is_early(c, a)) ||
	    (a->dsack && tcp_undo_all_twice(c))) {
		undone(c, a->now_ns);
		return 0;
	}
	return detect(c, a->now_ns);
}

/* RFC 5682 3.1, after the first ACK that moves SND.UNA: try new bytes.  False: there are
 * none, or they may not go. */
static bool try_new(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	if (!seq_before(c->snd_nxt, tcp_conn_write_end(c)) ||
	    !seq_after(seq_add(c->snd_una, c->snd_wnd), c->snd_nxt))
		return false;
	x->recover = c->snd_nxt;
	x->frto_new = true;
	return true;
}

static bool was_spurious(struct tcp_conn *c, const struct tcp_told *a)
{
	const struct tcp_xfer *x = c->x;

	if (a->n_acked && (tcp_undo_is_early(c, a) || tcp_undo_all_twice(c)))
		return true;
	/* RFC 5682 3.1 (3b): bytes that were sent once, before the timeout, arrived */
	return x->frto_new && x->undo && a->sent.has_once &&
	       seq_before(a->sent.once, x->recover);
}

static uint32_t ack_loss(struct tcp_conn *c, struct tcp_told *a)
{
	struct tcp_xfer *x = c->x;

	if (was_spurious(c, a)) {
		c->tcp->stats.rto_spurious++;
		undone(c, a->now_ns);
		return tcp_conn_flight(c) ? detect(c, a->now_ns) : 0;
	}
	if (seq_after_eq(c->snd_una, x->recover)) {
		leave(c, a->now_ns);
		return tcp_conn_flight(c) ? ack_open(c, a) : 0;
	}
	if (x->frto && seq_after(c->snd_nxt, x->recover)) {
		/* RFC 5682 3.1 (3a) */
		if (a->sent.n_sacked || a->dup)
			x->frto = x->frto_new = false;
	} else if (x->frto && a->n_acked) {
		x->frto = try_new(c);
	}
	return detect(c, a->now_ns);
}

uint32_t tcp_recover_ack(struct tcp_conn *c, struct tcp_told *a)
{
	struct tcp_xfer *x = c->x;
	uint32_t lost = x->sent.lost, wait_us = 0;

	a->n_delivered = a->sent.n_delivered;
	if (a->dsack)
		tcp_undo_dsack(c, a->dsack_block);
	if (c->sack)
		tcp_rack_ack(c, a);
	else
		count_duplicates(c, a);
	tcp_tlp_ack(c, a);
	switch ((enum tcp_ca)x->ca) {
	case TCP_CA_OPEN:
	case TCP_CA_DISORDER:
	case TCP_CA_CWR: wait_us = ack_open(c, a); break;
	case TCP_CA_RECOVERY: wait_us = ack_recovery(c, a); break;
	case TCP_CA_LOSS: wait_us = ack_loss(c, a); break;
	}
	if ((x->ca == TCP_CA_RECOVERY || x->ca == TCP_CA_CWR) && !c->cc.ops->own_recovery)
		tcp_prr_ack(c, a->n_delivered, a->n_acked && x->sent.lost == lost);
	return wait_us;
}

void tcp_recover_reordered(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_told a = { .now_ns = now_ns };
	struct tcp_xfer *x = c->x;
	uint32_t wait_us = tcp_rack_detect(c, now_ns);

	if (x->sent.n_wait && x->ca < TCP_CA_RECOVERY)
		enter_recovery(c, &a);
	/* A segment goes, as with an ACK of one, and not all that seems lost. */
	if (x->sent.n_wait && x->ca == TCP_CA_RECOVERY && !c->cc.ops->own_recovery)
		tcp_prr_ack(c, c->mss, false);
	tcp_timer_flight(c, wait_us, false, now_ns);
}

/* ---- timeouts ---- */

static void lose_late(struct tcp_conn *c, uint64_t now_ns)
{
	struct sent_log *l = &c->x->sent;

	/* RFC 8985 6.3: not what was sent a moment ago */
	for (uint32_t i = 0; i < l->n; i++)
		if (i == 0 || !c->sack || tcp_rack_is_late(c, sent_at(l, i), now_ns))
			sent_lose(l, i);
}

static void enter_loss(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	x->ca = TCP_CA_LOSS;
	x->recover = c->snd_nxt;
	x->n_dup = 0;
	x->inflate = 0;
	x->timing = x->tlp_out = x->tlp_due = false;
	x->frto = x->frto_new = false;
}

void tcp_recover_timeout(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;
	bool fresh = x->ca < TCP_CA_RECOVERY;
	bool again = x->ca == TCP_CA_LOSS && c->tries;
	uint32_t pipe;

	/*
	 * RFC 2018 8: the peer may have thrown away what it reported.  It did when
	 * the very next byte is reported, and may have when asking again did not help.
	 */
	if (c->tries || sent_reneged(&x->sent))
		sent_forget_sacks(&x->sent);
	if (!again)
		tcp_undo_begin(c);
	c->cc.ops->loss(&c->cc, CC_LOSS_RTO, tcp_conn_flight(c), c->mss, now_ns);
	enter_loss(c);
	lose_late(c, now_ns);
	x->frto = fresh || again;
	x->resend = true;
	pipe = tcp_recover_pipe(c);
	if (c->cc.cwnd < pipe + c->mss)
		c->cc.cwnd = pipe + c->mss;
	c->n_rto++;
	c->tcp->stats.rto++;
}

void tcp_recover_resegment(struct tcp_conn *c)
{
	/* RFC 1191 6.3: too long is not congestion; cwnd stays */
	sent_forget_sacks(&c->x->sent);
	c->x->undo = false;
	enter_loss(c);
	for (uint32_t i = 0; i < c->x->sent.n; i++)
		sent_lose(&c->x->sent, i);
}

/* ---- what goes next ---- */

bool tcp_recover_next(struct tcp_conn *c, struct tcp_block *hole)
{
	struct tcp_xfer *x = c->x;

	/* RFC 5682 3.1 (2b) */
	if (x->frto_new && seq_before(c->snd_nxt, tcp_conn_write_end(c)))
		return false;
	return sent_next_lost(&x->sent, hole);
}

void tcp_recover_sent(struct tcp_conn *c, struct tcp_block b, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	/* RFC 6298 5.1; the timer would be that of the first transmission. */
	if (seq_eq(b.start, c->snd_una))
		tcp_timer_again(c, now_ns);
	x->resend = false;
	x->prr_out += seq_dist(b.start, b.end);
	tcp_undo_resent(c, seq_dist(b.start, b.end), now_ns);
	sent_again(&x->sent, b, tcp_us(now_ns));
}

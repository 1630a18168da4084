/*
 * What is sent again, and how much is believed to be in the network.
 *
 * With SACK: RFC 6675.  Three duplicate ACKs, or reports of more than two segments
 * above a hole, begin a recovery; holes below the reports are filled while what is in
 * the network (pipe) stays below cwnd.
 *
 * Without SACK: RFC 6582 (NewReno).  A duplicate ACK says that one more segment left
 * the network; @inflate counts those bytes, and pipe is what is in flight less them.
 * That is the inflation of cwnd of RFC 5681 3.2, seen from the other side, so that cwnd
 * is the algorithm's alone.  Each partial ACK sends the first byte's segment again.
 *
 * Before a recovery the same pipe is limited transmit (RFC 3042).
 *
 * After a timeout, all that was in flight and is not reported is taken for lost and
 * goes again as cwnd grows (RFC 5681 3.1, RFC 6675 5.1).
 *
 *		3 duplicate ACKs, or lost by SACK
 *	  OPEN -------------------------------------> RECOVERY
 *	   ^  ^     una passes @recover                  |
 *	   |  +------------------------------------------+
 *	   |         una passes @recover                 | timeout
 *	   +------------------ LOSS <--------------------+------- OPEN
 */
#include "stack/base/trace.h"
#include "tcp/tcp_impl.h"

/* Bytes in [from, to) that the peer did not report. */
static uint32_t unreported(const struct sack_board *b, struct seq from, struct seq to)
{
	struct tcp_block hole;
	uint32_t sum = 0;

	while (seq_before(from, to) && sack_hole(b, from, to, &hole)) {
		sum += seq_dist(hole.start, hole.end);
		from = hole.end;
	}
	return sum;
}

uint32_t tcp_recover_pipe(const struct tcp_conn *c)
{
	uint32_t flight = tcp_conn_flight(c);
	const struct tcp_xfer *x = c->x;
	struct seq rxt;

	if (!x)
		return flight;
	switch ((enum tcp_ca)x->ca) {
	case TCP_CA_OPEN:
	case TCP_CA_RECOVERY:
		if (x->sack.n) {
			rxt = x->ca == TCP_CA_OPEN ? c->snd_una : x->high_rxt;
			return sack_pipe(&x->sack, c->snd_una, c->snd_nxt, rxt, c->mss);
		}
		return flight - (x->inflate < flight ? x->inflate : flight);
	case TCP_CA_LOSS:
		rxt = seq_max(x->high_rxt, c->snd_una);
		return unreported(&x->sack, c->snd_una, rxt) +
		       unreported(&x->sack, seq_max(rxt, x->recover), c->snd_nxt);
	}
	return flight;
}

/* ---- beginning and end ---- */

static void enter_recovery(struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t flight = tcp_conn_flight(c);
	struct tcp_xfer *x = c->x;

	/* RFC 5681 3.2 (2): what limited transmit sent does not count */
	if (flight > c->cc.cwnd)
		flight = c->cc.cwnd;
	c->cc.ops->loss(&c->cc, CC_LOSS_FAST, flight, c->mss, now_ns);
	x->ca = TCP_CA_RECOVERY;
	x->recover = c->snd_nxt;
	x->high_rxt = c->snd_una;
	x->resend = true;
	x->rescued = false;
	c->n_recovery++;
	c->tcp->stats.fast_recovery++;
	trace_add(c->tcp->trace, now_ns, TRACE_TCP_RECOVERY, pool_id(&c->tcp->conns, c),
		  flight);
}

static void leave(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	/* After a timeout cwnd grew by slow start: it is what it should be. */
	if (x->ca == TCP_CA_RECOVERY)
		c->cc.ops->recovered(&c->cc, tcp_conn_flight(c), c->mss, now_ns);
	x->ca = TCP_CA_OPEN;
	x->n_dup = 0;
	x->inflate = 0;
	x->resend = false;
	/* RFC 6582 4.1: duplicates of our own making must not begin another */
	x->hold = !c->sack;
	trace_add(c->tcp->trace, now_ns, TRACE_TCP_RECOVERED, pool_id(&c->tcp->conns, c),
		  c->cc.cwnd);
}

static bool lost(const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;

	if (x->hold)
		return false;
	return x->n_dup >= SACK_DUP_THRESH ||
	       (x->sack.n && sack_is_lost(&x->sack, c->snd_una, c->mss));
}

/* ---- what an ACK changes ---- */

static void count_dup(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	if (x->n_dup < UINT8_MAX)
		x->n_dup++;
	if (!c->sack)
		x->inflate += c->mss;
}

/* RFC 6582 3.2 (3), "partial acknowledgments". */
static void partial(struct tcp_conn *c, uint32_t n_acked)
{
	struct tcp_xfer *x = c->x;

	x->high_rxt = seq_max(x->high_rxt, c->snd_una);
	if (c->sack)
		return;
	x->inflate -= n_acked < x->inflate ? n_acked : x->inflate;
	if (n_acked >= c->mss)
		x->inflate += c->mss;
	x->resend = true;
}

void tcp_recover_ack(struct tcp_conn *c, uint32_t n_acked, uint32_t n_sacked, bool dup,
		     uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	/* RFC 6675 2: with SACK, a duplicate is an ACK that reports something new */
	if (c->sack)
		dup = n_sacked > 0;
	if (x->ca != TCP_CA_OPEN && seq_after_eq(c->snd_una, x->recover)) {
		leave(c, now_ns);
		return;
	}
	switch ((enum tcp_ca)x->ca) {
	case TCP_CA_OPEN:
		if (n_acked) {
			x->n_dup = 0;
			x->inflate = 0;
		}
		if (dup)
			count_dup(c);
		if (tcp_conn_flight(c) && lost(c))
			enter_recovery(c, now_ns);
		break;
	case TCP_CA_RECOVERY:
		if (n_acked)
			partial(c, n_acked);
		else if (dup)
			count_dup(c);
		break;
	case TCP_CA_LOSS: x->high_rxt = seq_max(x->high_rxt, c->snd_una); break;
	}
}

/* All that is in flight and not reported goes again. */
static void lose_all(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	x->ca = TCP_CA_LOSS;
	x->recover = c->snd_nxt;
	x->high_rxt = c->snd_una;
	x->n_dup = 0;
	x->inflate = 0;
	x->timing = false;
}

void tcp_recover_timeout(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	/*
	 * RFC 2018 8: the peer may have thrown away what it reported.  It did when
	 * the very next byte is reported, and may have when asking again did not help.
	 */
	if (c->tries || sack_has(&x->sack, c->snd_una))
		sack_clear(&x->sack);
	c->cc.ops->loss(&c->cc, CC_LOSS_RTO, tcp_conn_flight(c), c->mss, now_ns);
	lose_all(c);
	x->resend = true;
	c->n_rto++;
	c->tcp->stats.rto++;
}

void tcp_recover_resegment(struct tcp_conn *c)
{
	/* RFC 1191 6.3: too long is not congestion; cwnd stays */
	lose_all(c);
	sack_clear(&c->x->sack);
}

/* ---- what goes next ---- */

bool tcp_recover_next(const struct tcp_conn *c, struct tcp_block *hole)
{
	const struct tcp_xfer *x = c->x;
	struct seq from;

	if (!x || x->ca == TCP_CA_OPEN || !tcp_conn_flight(c))
		return false;
	from = seq_max(x->high_rxt, c->snd_una);
	/* RFC 6675 5 (4.3): the first segment goes whatever the pipe */
	if (x->resend)
		return sack_hole(&x->sack, c->snd_una, c->snd_nxt, hole);
	if (x->ca == TCP_CA_LOSS)
		return seq_before(from, x->recover) &&
		       sack_hole(&x->sack, from, x->recover, hole);
	if (!x->sack.n)
		return false;
	/* RFC 6675 4, NextSeg (1): below the highest report, and lost */
	return seq_before(from, sack_high(&x->sack, c->snd_una)) &&
	       sack_hole(&x->sack, from, sack_high(&x->sack, c->snd_una), hole) &&
	       sack_is_lost(&x->sack, hole->start, c->mss);
}

bool tcp_recover_last(const struct tcp_conn *c, struct tcp_block *hole)
{
	const struct tcp_xfer *x = c->x;
	struct seq from, high;

	if (!x || x->ca != TCP_CA_RECOVERY || !x->sack.n)
		return false;
	from = seq_max(x->high_rxt, c->snd_una);
	high = sack_high(&x->sack, c->snd_una);
	/* NextSeg (3): a hole that may not be lost yet */
	if (seq_before(from, high) && sack_hole(&x->sack, from, high, hole))
		return true;
	/* NextSeg (4): once, the last segment in flight, in case the tail was lost */
	if (x->rescued || !seq_before(high, c->snd_nxt))
		return false;
	hole->end = c->snd_nxt;
	hole->start = high;
	if (seq_dist(high, hole->end) > c->mss)
		hole->start = seq_add(hole->end, -(uint32_t)c->mss);
	return true;
}

void tcp_recover_sent(struct tcp_conn *c, struct seq start, struct seq end)
{
	struct tcp_xfer *x = c->x;

	x->resend = false;
	/* RFC 6675 4, NextSeg (4): HighRxt does not move for the rescue */
	if (x->ca == TCP_CA_RECOVERY && x->sack.n &&
	    seq_after_eq(start, sack_high(&x->sack, c->snd_una)))
		x->rescued = true;
	else
		x->high_rxt = seq_max(x->high_rxt, end);
}

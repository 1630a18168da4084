/*
 * RACK (RFC 8985): what was sent before the most recent delivery, and long enough before
 * it, is lost.
 *
 * "Long enough" is the reordering window: nothing until reordering was seen and while the
 * duplicates are enough for DupThresh; else a quarter of the least round trip, which
 * grows with each round that D-SACK tells of vain retransmissions.  What is not late
 * enough now is looked at again by a timer.
 *
 * Without SACK there is RFC 6582 in recover.c.
 */
#include "tcp/tcp_impl.h"

enum {
	REO_MULT_MAX = 7, /* twice the least round trip; SRTT is the bound */
	REO_PERSIST = 16, /* RFC 8985 6.2 step 4: recoveries after which it is reset */
};

static void measure_reordering(struct tcp_conn *c, const struct tcp_told *a)
{
	uint32_t n = seq_dist(a->sent.once, a->sent.high) + c->mss - 1;
	struct tcp_ledger *l = tcp_ledger(c);

	c->reord_seen = true;
	l->n_reord++;
	if (n / c->mss > l->reordering)
		l->reordering = n / c->mss;
}

static void note_reordering(struct tcp_conn *c, const struct tcp_told *a)
{
	struct tcp_xfer *x = c->x;

	if (a->sent.reordered)
		measure_reordering(c, a);
	if (!a->dsack || seq_before(c->snd_una, x->dsack_round))
		return;
	/* RFC 8985 6.2 step 4: once for each round trip with a D-SACK */
	x->dsack_round = c->snd_nxt;
	if (c->reo_mult < REO_MULT_MAX)
		c->reo_mult++;
	c->reo_persist = REO_PERSIST;
}

void tcp_rack_ack(struct tcp_conn *c, const struct tcp_told *a)
{
	struct tcp_xfer *x = c->x;

	note_reordering(c, a);
	/* RFC 8985 6.2 step 2 */
	if (a->sent.has_rack &&
	    (!x->rack || sent_after(a->sent.rack.at_us, a->sent.rack.end, x->rack_at_us,
				    x->rack_end))) {
		x->rack = true;
		x->rack_at_us = a->sent.rack.at_us;
		x->rack_end = a->sent.rack.end;
		x->rack_rtt_us = a->sent.now_us - x->rack_at_us;
	}
	/* Nothing is left to compare with, and an hour later its time means nothing. */
	if (!tcp_conn_flight(c))
		x->rack = false;
	x->rack_fack = seq_max(x->rack_fack, c->snd_una);
	x->dsack_round = seq_max(x->dsack_round, c->snd_una);
	if (a->sent.n_sacked)
		x->rack_fack = seq_max(x->rack_fack, sent_high(&x->sent));
}

void tcp_rack_recovered(struct tcp_conn *c)
{
	if (c->reo_persist && --c->reo_persist == 0)
		c->reo_mult = 0;
}

/* RFC 8985 6.2 step 4, RACK_update_reo_wnd(). */
static uint32_t reo_wnd_us(const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;
	uint32_t srtt = c->rtt.srtt_x8_us / 8;
	uint64_t wnd;

	if (!c->reord_seen &&
	    (x->ca >= TCP_CA_RECOVERY || x->sent.n_ranges >= SENT_DUP_THRESH ||
	     x->sent.n_sacked > (SENT_DUP_THRESH - 1) * (uint32_t)c->mss))
		return 0;
	if (c->rtt.min_us == UINT32_MAX)
		return 0;
	wnd = (uint64_t)(c->reo_mult + 1) * (c->rtt.min_us / 4);
	return wnd < srtt ? (uint32_t)wnd : srtt;
}

/* How long until @e is late; 0: it is. */
static uint32_t left_us(const struct tcp_conn *c, const struct sent *e, uint32_t reo_us,
			uint32_t now_us)
{
	uint32_t age = now_us - e->at_us, late = c->x->rack_rtt_us + reo_us;

	/* What was sent this very moment is not. */
	late += !late;
	return age >= late ? 0 : late - age;
}

uint32_t tcp_rack_detect(struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t reo_us = reo_wnd_us(c), now_us = tcp_us(now_ns), wait_us = 0;
	struct tcp_xfer *x = c->x;

	if (!x->rack)
		return 0;
	for (uint32_t i = 0; i < x->sent.n; i++) {
		const struct sent *e = sent_at(&x->sent, i);
		uint32_t left;

		if ((e->flags & SENT_SACKED) ||
		    ((e->flags & SENT_LOST) && !(e->flags & SENT_AGAIN)))
			continue;
		if (!sent_after(x->rack_at_us, x->rack_end, e->at_us, e->end)) {
			/* All behind it were sent later still (sent.h). */
			if (!(e->flags & SENT_TWICE))
				break;
			continue;
		}
		left = left_us(c, e, reo_us, now_us);
		if (!left)
			sent_lose(&x->sent, i);
		else if (left > wait_us)
			wait_us = left;
	}
	return wait_us;
}

bool tcp_rack_is_late(const struct tcp_conn *c, const struct sent *e, uint64_t now_ns)
{
	/* RFC 8985 6.3: on a timeout; without a sample all is */
	return !c->x->rack_rtt_us || !left_us(c, e, reo_wnd_us(c), tcp_us(now_ns));
}

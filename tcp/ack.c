/*
 * What an ACK tells the sender: bytes that may be forgotten, the peer's window, a
 * round-trip time, what arrived beyond a hole (RFC 9293 3.10.7.4, fifth; RFC 5681;
 * RFC 6298; RFC 6675).
 */
#include "ip/ip.h"
#include "stack/base/clock.h"
#include "tcp/mtu_probe.h"
#include "tcp/tcp_impl.h"

static uint32_t scaled_window(const struct tcp_in *in)
{
	return (uint32_t)in->s.window << in->c->snd_wscale;
}

/* RFC 5681 2: it says nothing but that something came out of order. */
static bool is_duplicate(const struct tcp_in *in)
{
	const struct tcp_conn *c = in->c;

	return in->len == 0 && !(in->s.flags & TCP_FIN) &&
	       seq_eq(in->s.ack, c->snd_una) && scaled_window(in) == c->snd_wnd;
}

static void update_window(struct tcp_in *in)
{
	const struct tcp_seg *s = &in->s;
	struct tcp_conn *c = in->c;
	uint32_t wnd = scaled_window(in);

	/* RFC 9293 3.10.7.4: an old segment must not bring an old window back */
	if (seq_before(s->seq, c->snd_wl1) ||
	    (seq_eq(s->seq, c->snd_wl1) && seq_before(s->ack, c->snd_wl2)))
		return;
	/* Open again: what waited is due, and the next closing is another one. */
	if (wnd && !c->snd_wnd)
		c->probes = 0;
	c->snd_wnd = wnd;
	c->snd_wl1 = s->seq;
	c->snd_wl2 = s->ack;
	if (wnd > c->max_wnd)
		c->max_wnd = wnd;
}

/*
 * Numbers that SND.UNA has passed mean nothing any more; kept, they would seem to be
 * ahead again after 2 GiB.
 */
static void forget_passed(struct tcp_conn *c)
{
	struct tcp_xfer *x = c->x;

	if (x->snd_urgent && seq_after_eq(c->snd_una, x->snd_up))
		x->snd_urgent = false;
	if (x->small_out && seq_after_eq(c->snd_una, x->small_end))
		x->small_out = false;
	if (x->hold && seq_after(c->snd_una, x->recover))
		x->hold = false;
}

/* Everything before SEG.ACK is the peer's now.  How many numbers are new. */
static uint32_t advance(struct tcp_conn *c, struct seq ack)
{
	uint32_t n = seq_dist(c->snd_una, ack), n_bytes, n_bufs;
	struct sndq *q = &c->x->snd;

	if (!n)
		return 0;
	/* The rest is our FIN. */
	n_bytes = n < q->len ? n : q->len;
	n_bufs = q->n_bufs;
	sndq_ack(q, n_bytes);
	if (c->is_orphan)
		c->tcp->orphan_bufs -= n_bufs - q->n_bufs;
	c->snd_una = ack;
	c->bytes_acked += n_bytes;
	/* What MSG_MORE held was to go with more, not to wait for it. */
	c->x->more = false;
	forget_passed(c);
	if (c->wants_room)
		tcp_send_look(c);
	return n;
}

/*
 * RFC 7323 4: the echo tells of a round trip with each ACK, even of what was sent twice; but
 * by the millisecond, which is coarse beside our own clock.  0: it tells none.
 */
static uint32_t echoed_us(const struct tcp_in *in)
{
	const struct tcp_conn *c = in->c;
	uint32_t ms;

	if (!c->ts || !(in->s.has & TCP_HAS_TS) || !in->s.ts_ecr)
		return 0;
	ms = tcp_ms(in->now_ns) + c->ts_offset - in->s.ts_ecr;
	if (ms > RTO_MAX_US / 1000)
		return 0;
	return ms ? ms * 1000 : 1000;
}

/*
 * Microseconds of a round trip that the ACK ended, one sample for each (RFC 6298 3); 0: it
 * tells none.  Of bytes that were sent twice only the echo tells (Karn).
 */
static uint32_t round_trip(const struct tcp_in *in, const struct sent_news *news)
{
	struct tcp_conn *c = in->c;
	struct tcp_xfer *x = c->x;
	uint32_t us;

	if (x->timing && seq_before(c->snd_una, x->timed))
		return 0;
	x->timing = tcp_conn_flight(c);
	x->timed = c->snd_nxt;
	if (news->is_again || !news->has_first)
		return x->ca == TCP_CA_OPEN && !c->rtt.backoff ? 0 : echoed_us(in);
	us = news->now_us - news->first_us;
	return us ? us : 1;
}

/* All that counts how long nothing moved. */
static void moved_on(struct tcp_conn *c, uint64_t now_ns)
{
	uint8_t second = (uint8_t)(now_ns / NS_PER_S);

	c->tries = 0;
	if (c->x->mtu_guess)
		tcp_mtu_worked(c, now_ns);
	c->x->stalled_ms = tcp_ms(now_ns);
	if (second != c->confirm_s) {
		c->confirm_s = second;
		ip_confirm(c->tcp->ip, &c->flow.remote, now_ns);
	}
}

/*
 * draft-ietf-ccwg-bbr 4.1.2.3: how fast bytes arrived since the one that was sent last of
 * those that arrived now had left.  Not faster than they left, for ACKs may come in bursts.
 */
static void sample_rate(struct tcp_conn *c, const struct tcp_told *a, struct cc_ack *ack)
{
	const struct sent *last = &a->sent.last;
	struct sent_log *l = &c->x->sent;
	uint32_t send_us, ack_us;

	ack->n_delivered = a->n_delivered;
	ack->n_lost = l->lost - a->lost_before;
	ack->pipe = tcp_recover_pipe(c);
	ack->delivered = l->delivered;
	if (l->app_limited && (int32_t)(l->delivered - l->app_limited) > 0)
		l->app_limited = 0;
	if (!a->sent.has_last)
		return;
	ack->prior_delivered = last->delivered;
	ack->tx_in_flight = last->in_flight;
	ack->tx_lost = l->lost - last->lost;
	ack->app_limited = last->flags & SENT_APP_LIMITED;
	send_us = last->at_us - last->first_us;
	ack_us = a->sent.now_us - last->delivered_us;
	/* Less than a round trip is no sample, but of a retransmission that was in vain. */
	if ((send_us > ack_us ? send_us : ack_us) < c->rtt.min_us)
		return;
	ack->rate_us = send_us > ack_us ? send_us : ack_us;
	ack->rate_bytes = l->delivered - last->delivered;
}

/* An algorithm wants a sample of each ACK. */
static void tell_cc(struct tcp_in *in, const struct tcp_told *a, bool recovering)
{
	struct tcp_conn *c = in->c;
	struct cc_ack ack = {
		.now_ns = in->now_ns,
		/* What reports and duplicates told before is no news. */
		.n_acked = a->n_delivered < a->n_acked ? a->n_delivered : a->n_acked,
		.n_ce = a->n_ce,
		.in_flight = a->flight,
		.mss = c->mss,
		.rtt_ns = (uint64_t)a->rtt_us * 1000,
		.srtt_ns = (uint64_t)c->rtt.srtt_x8_us / 8 * 1000,
		.cwnd_limited = c->cwnd_limited,
		.recovering = recovering,
	};

	/* RFC 3168 6.1.2: an ACK with ECE does not make cwnd grow */
	if (a->n_ce && !c->cc.ops->own_ecn)
		ack.cwnd_limited = false;
	if (c->cc.ops->every_ack)
		sample_rate(c, a, &ack);
	c->cc.ops->ack(&c->cc, &ack);
}

/* RFC 2883 4: the first block may say what came twice. */
static bool is_dsack(const struct tcp_seg *s, struct seq una)
{
	const struct tcp_block *first = &s->sack[0], *second = &s->sack[1];

	if (!seq_before(first->start, first->end))
		return false;
	if (seq_before_eq(first->end, una))
		return true;
	return s->n_sack > 1 && seq_before_eq(second->start, first->start) &&
	       seq_before_eq(first->end, second->end);
}

static void read_sacks(struct tcp_in *in, struct tcp_told *a)
{
	const struct tcp_seg *s = &in->s;
	struct tcp_conn *c = in->c;
	unsigned i = 0;

	if (is_dsack(s, s->ack)) {
		a->dsack = true;
		a->dsack_block = s->sack[0];
		c->tcp->stats.dsack_in++;
		tcp_ledger(c)->n_dsack++;
		i = 1;
	}
	for (; i < s->n_sack; i++)
		sent_sack(&c->x->sent, s->sack[i], &a->sent);
}

/* What was delivered, by ACK and by SACK. */
static void read_news(struct tcp_in *in, struct tcp_told *a)
{
	uint32_t min_us = in->c->rtt.min_us;
	struct tcp_conn *c = in->c;
	struct tcp_xfer *x = c->x;

	a->sent.now_us = tcp_us(in->now_ns);
	a->sent.sure_us = a->sent.now_us - (min_us < RTO_MAX_US ? min_us : 0);
	a->sent.high = x->rack_fack;
	if (a->n_acked)
		sent_ack(&x->sent, c->snd_una, &a->sent);
	if (c->sack && in->s.n_sack)
		read_sacks(in, a);
	if (a->sent.n_delivered)
		tcp_ledger(c)->delivered += (a->sent.n_delivered + c->mss - 1) / c->mss;
	if (a->sent.has_last) {
		/* A sample by our own clock, of what was sent once. */
		if (!(a->sent.last.flags & SENT_TWICE))
			a->rtt_us = a->sent.now_us - a->sent.last.at_us;
		else
			a->rtt_us = echoed_us(in);
		x->sent.first_us = a->sent.last.at_us;
	}
}

/* ACKs change places, too: what a late one reports may be news all the same. */
static void old_ack(struct tcp_in *in, struct tcp_told *a)
{
	struct tcp_conn *c = in->c;

	if (!a->flight || !c->sack || !in->s.n_sack)
		return;
	read_news(in, a);
	tcp_timer_flight(c, tcp_recover_ack(c, a), false, in->now_ns);
}

void tcp_ack(struct tcp_in *in)
{
	struct tcp_conn *c = in->c;
	struct tcp_told a = {
		.now_ns = in->now_ns,
		.flight = tcp_conn_flight(c),
		.dup = is_duplicate(in),
		.has_ecr = c->ts && (in->s.has & TCP_HAS_TS),
		.ts_ecr = in->s.ts_ecr,
		.lost_before = c->x ? c->x->sent.lost : 0,
	};
	uint32_t rtt_us, wait_us;
	bool recovering;

	/* RFC 9293 3.10.7.4: a number below SND.UNA tells nothing any more */
	if (seq_before(in->s.ack, c->snd_una)) {
		old_ack(in, &a);
		return;
	}
	update_window(in);
	a.n_ce = c->ecn ? tcp_ecn_marks(in) : 0;
	if (!a.flight && !tcp_recover_remembers(c))
		return;
	recovering = c->x->ca == TCP_CA_RECOVERY || c->x->ca == TCP_CA_CWR;
	a.n_acked = advance(c, in->s.ack);
	read_news(in, &a);
	rtt_us = a.n_acked ? round_trip(in, &a.sent) : 0;
	if (rtt_us)
		rtt_sample(&c->rtt, rtt_us);
	if (a.rtt_us)
		rtt_least(&c->rtt, a.rtt_us, (uint8_t)(in->now_ns >> RTT_TICK_BITS));
	wait_us = tcp_recover_ack(c, &a);
	recovering |= c->x->ca == TCP_CA_RECOVERY || c->x->ca == TCP_CA_CWR;
	/* RFC 5681 3.2 (1): a duplicate ACK does not make cwnd grow */
	if (a.n_acked || (c->cc.ops->every_ack && a.flight))
		tell_cc(in, &a, recovering);
	if (a.n_acked)
		moved_on(c, in->now_ns);
	else if (!c->snd_wnd)
		/* RFC 9293 3.8.6.1: as long as it answers, it may keep us waiting */
		c->x->stalled_ms = tcp_ms(in->now_ns);
	tcp_timer_flight(c, wait_us, a.n_acked, in->now_ns);
}

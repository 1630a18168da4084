/*
 * What a connection says when the turn ends, the most important first:
 *
 *	SYN or SYN-ACK		when it is due
 *	a loss probe		when it is due (tlp.c)
 *	bytes to send again	as recover.c tells, within cwnd
 *	new bytes, FIN		within cwnd and the peer's window, if they may be small
 *	an ACK alone		when one is owed, or the window opened, and nothing above
 *				carried it
 *
 * A super-segment stands for up to 64 KiB of segments when the way down can cut it.
 * When a pool is empty the connection starves: it comes again by a timer.
 */
#include <errno.h>

#include "ip/ip.h"
#include "tcp/tcp_impl.h"

enum {
	SUPER_MAX = 65535 - 40 - 40, /* payload that fits IP with the longest headers */
	BURST_RTT_US = 512,	     /* each halves what a short path adds to a burst */
};

/* ---- the window that we offer ---- */

/* What the receive buffer has room for. */
static uint32_t rcv_room(const struct tcp_conn *c)
{
	const struct tcp_xfer *x = c->x;
	uint32_t used = 0;

	if (x) {
		used = x->rcv.len + x->lent;
		/* MTU-sized segments pin four times their bytes at most; what is pinned
		 * beyond is the sender's doing. */
		if (x->rcv.pinned / 4 > used)
			used = x->rcv.pinned / 4;
	}
	return c->rcv_lim > used ? c->rcv_lim - used : 0;
}

/* The same, less as the pool drains. */
static uint32_t rcv_space(const struct tcp_conn *c)
{
	unsigned level = pkt_pool_level(c->tcp->pkts);
	uint32_t room = rcv_room(c);

	if (level < TCP_LEVEL_TIGHT)
		room = (uint32_t)((uint64_t)room * level / TCP_LEVEL_TIGHT);
	return room;
}

bool tcp_output_is_shut(const struct tcp_conn *c)
{
	return !c->fin_in && tcp_conn_promised(c) < c->rcv_mss &&
	       rcv_room(c) >= 2u * c->rcv_mss && rcv_space(c) < 2u * c->rcv_mss;
}

/*
 * The window for the header.  RFC 9293 3.8.6: the right edge never moves left, but
 * for the bits that the scale hides, which are accepted all the same (RFC 7323 2.4).
 */
static uint16_t window_field(struct tcp_conn *c)
{
	uint32_t promised = tcp_conn_promised(c), wnd = rcv_space(c);
	uint32_t step = c->rcv_mss < c->rcv_lim / 2 ? c->rcv_mss : c->rcv_lim / 2;

	/* RFC 9293 3.8.6.2.2: open by a segment or half the buffer, or not at all */
	if (wnd < promised + step)
		wnd = promised;
	wnd >>= c->rcv_wscale;
	if (wnd > UINT16_MAX)
		wnd = UINT16_MAX;
	c->rcv_adv = seq_max(c->rcv_adv, seq_add(c->rcv_nxt, wnd << c->rcv_wscale));
	return (uint16_t)wnd;
}

bool tcp_output_opens(const struct tcp_conn *c)
{
	uint32_t promised = tcp_conn_promised(c), space = rcv_space(c), opened;
	uint32_t half = c->rcv_lim / 2, step = 2u * c->rcv_mss;

	if (c->fin_in || space <= promised)
		return false;
	opened = space - promised;
	/* A peer that can still send as much again has no need to be told. */
	return opened >= half || (opened >= step && opened >= promised);
}

/* ---- one segment ---- */

static uint32_t sack_option_len(const struct tcp_conn *c)
{
	unsigned max = c->ts ? 3 : 4, n;

	if (!c->sack || !c->x || !rcvq_n_blocks(&c->x->rcv))
		return 0;
	n = rcvq_n_blocks(&c->x->rcv);
	return 4 + 8 * (n < max ? n : max);
}

static void fill_urgent(const struct tcp_conn *c, struct tcp_seg *s)
{
	uint32_t dist;

	if (!c->x || !c->x->snd_urgent || !seq_before(s->seq, c->x->snd_up))
		return;
	dist = seq_dist(s->seq, c->x->snd_up);
	s->flags |= TCP_URG;
	/* RFC 9293 3.8.5: it may lie farther ahead than 16 bits can tell */
	s->urgent = dist < UINT16_MAX ? (uint16_t)dist : UINT16_MAX;
}

void tcp_output_acked(struct tcp_conn *c)
{
	if (c->quick_acks && seq_before(c->ack_sent, c->rcv_nxt))
		c->quick_acks--;
	c->ack_sent = c->rcv_nxt;
	c->ack_now = false;
	c->ack_due_ns = TIMER_NEVER;
}

static void count_data(struct tcp_conn *c, struct seq seq, uint32_t n_segs)
{
	struct tcp_ledger *l = tcp_ledger(c);

	l->data_segs_out += n_segs;
	if (seq_before(seq, c->snd_nxt))
		l->segs_retrans += n_segs;
}

/* RFC 2883 4: a duplicate is reported once. */
static void told_twice(struct tcp_conn *c)
{
	c->tcp->stats.dsack_out += c->x->rcv.has_twice;
	c->x->rcv.has_twice = false;
}

/* 0, -ENOBUFS or -EMSGSIZE; what else went wrong below is as if it was lost. */
static int say(struct tcp_conn *c, struct seq seq, uint32_t len, uint16_t flags,
	       uint64_t now_ns)
{
	struct tcp_seg s = {
		.src_port = c->flow.local_port,
		.dst_port = c->flow.remote_port,
		.seq = seq,
		.ack = c->rcv_nxt,
		.flags = flags | TCP_ACK,
		.window = window_field(c),
	};
	struct tcp_emit how = {
		.gso_len = (uint16_t)(c->mss - sack_option_len(c)),
		.ttl = c->opts.ttl,
		.tos = c->opts.tos,
		.partial_sum = c->gso,
		.no_df = c->no_df || c->opts.no_df,
	};
	struct pkt *body = NULL;
	uint32_t n_segs;
	int err;

	if (c->ts) {
		s.has = TCP_HAS_TS;
		s.ts_val = tcp_ms(now_ns) + c->ts_offset;
		s.ts_ecr = c->ts_recent;
	}
	/* RFC 9293 3.9.1.2: all that one burst brings is for the program at once */
	if (len > how.gso_len)
		s.flags |= TCP_PSH;
	if (c->sack && c->x && rcvq_n_blocks(&c->x->rcv))
		s.n_sack = (uint8_t)rcvq_sack(&c->x->rcv, s.sack, TCP_SACK_MAX);
	fill_urgent(c, &s);
	if (c->ecn)
		how.tos |= tcp_ecn_out(c, &s, len, len && seq_eq(seq, c->snd_nxt));
	if (len) {
		body = sndq_gather(&c->x->snd, seq_dist(c->snd_una, seq), len);
		if (!body) {
			c->tcp->stats.no_memory++;
			return -ENOBUFS;
		}
	}
	err = tcp_emit_segment(c->tcp, &c->flow, &s, body, &how, now_ns);
	if (err == -ENOBUFS || err == -EMSGSIZE)
		return err;
	if (err)
		c->soft_error = (uint8_t)-err;
	n_segs = len > how.gso_len ? (len - 1) / how.gso_len + 1 : 1;
	c->segs_out += n_segs;
	if (s.n_sack)
		told_twice(c);
	if (len)
		count_data(c, seq, n_segs);
	tcp_output_acked(c);
	return 0;
}

/* True when @err, of say(), lets the connection go on this turn. */
static bool said(struct tcp_conn *c, int err, uint64_t now_ns)
{
	if (err == -ENOBUFS)
		tcp_conn_starve(c, now_ns);
	/* Another connection learned that the path is narrower. */
	if (err == -EMSGSIZE && tcp_conn_sync_mss(c)) {
		if (tcp_conn_flight(c))
			tcp_recover_resegment(c);
		tcp_conn_speak(c);
	}
	return err == 0;
}

void tcp_output_ack(struct tcp_conn *c, uint64_t now_ns)
{
	c->ack_now = true;
	said(c, say(c, c->snd_nxt, 0, 0, now_ns), now_ns);
}

void tcp_output_challenge(struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t now_ms = tcp_ms(now_ns);
	struct tcp *tcp = c->tcp;

	/* First its own limit, so that one connection cannot use up the others'. */
	if (now_ms - c->oow_ack_ms < TCP_OOW_ACK_MS) {
		tcp->stats.challenge_held++;
		return;
	}
	if (!tcp_challenge_allowed(tcp, &tcp->challenge_conns, now_ns))
		return;
	c->oow_ack_ms = now_ms;
	tcp_output_ack(c, now_ns);
}

int tcp_output_probe(struct tcp_conn *c, uint64_t now_ns)
{
	return say(c, seq_add(c->snd_una, (uint32_t)-1), 0, 0, now_ns);
}

void tcp_output_reset(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_seg s = {
		.seq = c->snd_nxt,
		.ack = c->rcv_nxt,
		.flags = TCP_RST | TCP_ACK,
	};

	/* RFC 7323 3.2: SHOULD, on a RST, too */
	if (c->ts) {
		s.has = TCP_HAS_TS;
		s.ts_val = tcp_ms(now_ns) + c->ts_offset;
		s.ts_ecr = c->ts_recent;
	}
	if (tcp_emit_bare(c->tcp, &c->flow, &s, &c->opts, now_ns) == 0)
		c->tcp->stats.reset_out++;
	trace_add(c->tcp->trace, now_ns, TRACE_TCP_RST_OUT, pool_id(&c->tcp->conns, c),
		  c->state);
}

/* ---- data ---- */

/*
 * The longest super-segment: what goes in a millisecond at twice the rate of the flow, more
 * over a short path, and a few segments at least.  A slow flow would gain nothing by long
 * bursts, and others on its path would wait for them.
 */
static uint32_t burst(const struct tcp_conn *c, uint32_t mss)
{
	uint32_t srtt_us = c->rtt.srtt_x8_us / 8, min = c->tcp->conf.min_burst_segs * mss;
	uint64_t n;

	if (!srtt_us || c->rtt.min_us < BURST_RTT_US)
		return SUPER_MAX;
	n = (uint64_t)c->cc.cwnd * 2000 / srtt_us;
	if (c->rtt.min_us / BURST_RTT_US < 16)
		n += SUPER_MAX >> c->rtt.min_us / BURST_RTT_US;
	return n < min ? min : n < SUPER_MAX ? (uint32_t)n : SUPER_MAX;
}

/* The longest payload that one packet may carry: half of cwnd, lest the bursts into which a
 * flow falls become ever longer. */
static uint32_t longest(const struct tcp_conn *c, uint32_t mss)
{
	uint32_t max = c->cc.cwnd / 2, limit;

	if (!c->gso || c->no_df || max < 2 * mss)
		return mss;
	limit = burst(c, mss);
	max = max < limit ? max : limit;
	return mss <= max ? max / mss * mss : mss;
}

/* Of the @len numbers from @seq on, those that a segment may bring: it ends with a record
 * (MSG_EOR). */
static uint32_t within_record(const struct tcp_conn *c, struct seq seq, uint32_t len)
{
	const struct sndq *q = &c->x->snd;

	return q->n_records ? sndq_in_record(q, seq_dist(c->snd_una, seq), len) : len;
}

/* The byte before @seq, which is beyond SND.UNA, is the last of a record. */
static bool ends_record(const struct tcp_conn *c, struct seq seq)
{
	const struct sndq *q = &c->x->snd;
	uint32_t offset = seq_dist(c->snd_una, seq) - 1;

	return q->n_records && sndq_in_record(q, offset, 2) == 1;
}

/* Sends bytes of [hole.start, hole.end) again.  True: some, and more may follow. */
static bool send_again(struct tcp_conn *c, struct tcp_block hole, uint32_t room,
		       uint64_t now_ns)
{
	uint32_t mss = c->mss - sack_option_len(c), max = longest(c, mss);
	uint32_t len = seq_dist(hole.start, hole.end), n_bytes;
	struct seq end = tcp_conn_write_end(c);
	uint16_t flags = 0;

	if (c->x->resend) {
		max = mss;
	} else if (room < (len < mss ? len : mss)) {
		c->cwnd_limited = true;
		return false;
	} else if (room < max) {
		max = room < mss ? mss : room / mss * mss;
	}
	if (len > max)
		len = max;
	len = within_record(c, hole.start, len);
	hole.end = seq_add(hole.start, len);
	/* Our FIN is the number behind the last byte. */
	n_bytes = len - seq_after(hole.end, end);
	if (seq_after(hole.end, end))
		flags |= TCP_FIN;
	if (n_bytes && (seq_after_eq(hole.end, end) || ends_record(c, hole.end)))
		flags |= TCP_PSH;
	if (!said(c, say(c, hole.start, n_bytes, flags, now_ns), now_ns))
		return false;
	c->bytes_retrans += n_bytes;
	c->tcp->stats.bytes_retrans += n_bytes;
	c->last_tx_ms = tcp_ms(now_ns);
	tcp_recover_sent(c, hole, now_ns);
	return true;
}

/*
 * May the bytes behind the last full segment go?  @len bytes are allowed, of @left
 * that wait.  Nagle's rule as Minshall refined it: one small segment in flight.
 */
static bool small_may_go(const struct tcp_conn *c, uint32_t len, uint32_t left,
			 bool by_window)
{
	const struct tcp_xfer *x = c->x;

	if (x->force)
		return true;
	/* RFC 9293 3.8.6.2.1 (3): half of the largest window is worth a segment */
	if (len < left)
		return by_window && len >= c->max_wnd / 2;
	if (c->fin_wanted)
		return true;
	if (x->more || c->opts.cork)
		return false;
	return c->opts.nodelay || !x->small_out;
}

/* How many of the bytes that wait go next; 0: none may. */
static uint32_t new_len(struct tcp_conn *c, uint32_t left, uint32_t room, uint32_t mss)
{
	struct seq edge = seq_add(c->snd_una, c->snd_wnd);
	uint32_t wnd = seq_after(edge, c->snd_nxt) ? seq_dist(c->snd_nxt, edge) : 0;
	uint32_t max = longest(c, mss), usable = room < wnd ? room : wnd;
	uint32_t record = left ? within_record(c, c->snd_nxt, left) : 0;
	uint32_t len = record < usable ? record : usable;

	if (len >= max)
		return max;
	if (room < record && room <= wnd)
		c->cwnd_limited = true;
	/* What follows will not come into its last segment: that is as full as it can be. */
	if (len == record && record < left)
		return len;
	if (len % mss && !small_may_go(c, len, record, wnd <= room))
		len -= len % mss;
	return len;
}

static void began_to_fly(struct tcp_conn *c, uint32_t n, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;

	if (tcp_conn_flight(c) == 0) {
		x->stalled_ms = tcp_ms(now_ns);
		/* Nothing that was delivered is later; and times may have gone round. */
		x->rack = false;
	}
	c->snd_nxt = seq_add(c->snd_nxt, n);
	sent_add(&x->sent, c->snd_nxt, tcp_us(now_ns));
	x->prr_out += n;
	if (!x->timing) {
		x->timing = true;
		x->timed = c->snd_nxt;
	}
	c->last_tx_ms = tcp_ms(now_ns);
}

/* RFC 5681 4.1: after a silence the window says nothing about the path. */
static void wake_up(struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t silent_ms = tcp_ms(now_ns) - c->last_tx_ms;

	if (tcp_conn_flight(c) == 0 && silent_ms > rtt_rto_us(&c->rtt) / 1000)
		c->cc.ops->idle(&c->cc, c->mss, now_ns);
}

/* Sends new bytes, with the FIN when it is its turn.  True: some. */
static bool send_new(struct tcp_conn *c, uint32_t room, uint64_t now_ns)
{
	uint32_t mss = c->mss - sack_option_len(c), left, len;
	struct seq end = tcp_conn_write_end(c);
	struct tcp_xfer *x = c->x;
	uint16_t flags = 0;
	bool fin;

	if (c->fin_sent)
		return false;
	left = seq_dist(c->snd_nxt, end);
	len = left ? new_len(c, left, room, mss) : 0;
	fin = c->fin_wanted && len == left &&
	      seq_before(end, seq_add(c->snd_una, c->snd_wnd));
	if (!len && !fin)
		return false;
	if (len && ((len == left && (fin || !x->unpushed)) ||
		    ends_record(c, seq_add(c->snd_nxt, len))))
		flags |= TCP_PSH;
	if (fin)
		flags |= TCP_FIN;
	if (!said(c, say(c, c->snd_nxt, len, flags, now_ns), now_ns))
		return false;
	began_to_fly(c, len + fin, now_ns);
	if (len % mss) {
		x->small_out = true;
		x->small_end = c->snd_nxt;
		x->force = false;
	}
	c->fin_sent = fin;
	c->tcp->stats.bytes_out += len;
	return true;
}

/* RFC 8985 7.3: a segment of new bytes, or the last one again, whatever cwnd says. */
static bool send_probe(struct tcp_conn *c, uint64_t now_ns)
{
	struct tcp_xfer *x = c->x;
	struct seq start = sent_start(&x->sent, x->sent.n - 1);
	uint32_t len = seq_dist(start, c->snd_nxt), mss = c->mss - sack_option_len(c);
	bool force = x->force;

	x->tlp_due = false;
	/* No second one is wanted while this one is out. */
	x->tlp_out = true;
	x->force = true;
	if (send_new(c, mss, now_ns)) {
		/* It goes on as long as no small segment did. */
		x->force &= force;
		tcp_tlp_sent(c, false);
		return true;
	}
	x->tlp_out = false;
	x->force = force;
	if (len > mss)
		len = (len - 1) % mss + 1;
	x->resend = true;
	if (!c->on_starved &&
	    send_again(c, (struct tcp_block){ seq_add(c->snd_nxt, -len), c->snd_nxt },
		       mss, now_ns))
		tcp_tlp_sent(c, true);
	x->resend = false;
	return false;
}

static bool has_unsent(const struct tcp_conn *c)
{
	return !c->fin_sent &&
	       (c->fin_wanted || seq_before(c->snd_nxt, tcp_conn_write_end(c)));
}

/* Sends the most important bytes there are.  False: none, or none may go. */
static bool send_one(struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t pipe = tcp_recover_pipe(c), room;
	struct tcp_block hole;

	room = c->cc.cwnd > pipe ? c->cc.cwnd - pipe : 0;
	if (c->x->tlp_due) {
		/* Since the timer fired, an ACK may have come. */
		if (tcp_tlp_wanted(c))
			return send_probe(c, now_ns);
		c->x->tlp_due = false;
	}
	if (c->x->depart_ns > now_ns && room && !c->x->resend &&
	    (c->x->sent.n_wait || has_unsent(c))) {
		tcp_pace_wait(c);
		return false;
	}
	if (tcp_recover_next(c, &hole))
		return send_again(c, hole, room, now_ns);
	return send_new(c, room, now_ns);
}

/* All that may be said now.  False: there may be more. */
static bool send_burst(struct tcp_conn *c, uint64_t now_ns)
{
	bool paced = c->cc.ops->rate || c->tcp->conf.pacing;

	for (unsigned n = 0; n < TCP_SPEAK_MAX; n++) {
		uint32_t out = c->x->prr_out;

		if (!has_unsent(c) && !c->x->sent.n_wait && !c->x->tlp_due)
			return true;
		if (!send_one(c, now_ns))
			return true;
		if (paced)
			tcp_pace_sent(c, c->x->prr_out - out, now_ns);
	}
	return false;
}

/* draft-ietf-ccwg-bbr 4.1.2.4: the program had no more to say, so rates tell little. */
static void note_app_limit(struct tcp_conn *c)
{
	struct sent_log *l = &c->x->sent;
	uint32_t pipe = tcp_recover_pipe(c);

	if (pipe >= c->cc.cwnd || l->n_wait || has_unsent(c))
		return;
	l->app_limited = l->delivered + pipe;
	l->app_limited += !l->app_limited;
}

static void send_data(struct tcp_conn *c, uint64_t now_ns)
{
	bool was_limited = c->cwnd_limited, done;
	struct seq nxt = c->snd_nxt;

	c->cwnd_limited = false;
	wake_up(c, now_ns);
	done = send_burst(c, now_ns);
	/* Who waits for his departure does not know yet. */
	if (c->x->paced)
		c->cwnd_limited |= was_limited;
	if (c->cc.ops->every_ack)
		note_app_limit(c);
	if (!seq_eq(c->snd_nxt, nxt))
		tcp_timer_sent(c, now_ns);
	/* Others want to speak, too: the rest goes with the next turn. */
	if (!done)
		tcp_conn_speak(c);
}

/* Something came that no segment acknowledged yet: now, or a little later? */
static void send_ack(struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t owed = seq_dist(c->ack_sent, c->rcv_nxt);

	/* RFC 9293 3.8.6.3, RFC 5681 4.2: at least every second full segment */
	if (c->ack_now || owed > c->rcv_mss || (owed && c->quick_acks) ||
	    tcp_output_opens(c))
		tcp_output_ack(c, now_ns);
	else if (owed)
		tcp_timer_delay_ack(c, now_ns);
}

void tcp_output(struct tcp_conn *c, uint64_t now_ns)
{
	switch ((enum tcp_state)c->state) {
	case TCP_SYN_SENT:
	case TCP_SYN_RECEIVED:
		if (c->syn_due)
			tcp_syn_output(c, now_ns);
		else if (c->ack_now)
			tcp_output_ack(c, now_ns);
		/* RFC 7413 4.2.2: after its SYN-ACK a server need not wait to speak */
		if (c->x->fo_passive && !c->syn_due)
			send_data(c, now_ns);
		return;
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT_1:
	case TCP_FIN_WAIT_2:
	case TCP_CLOSE_WAIT:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		if (c->fin_wanted && !c->fin_sent)
			tcp_conn_xfer(c);
		if (c->x) {
			send_data(c, now_ns);
			tcp_ledger_limit(c, now_ns);
		}
		send_ack(c, now_ns);
		if (tcp_conn_flight(c) == 0)
			tcp_timer_quiet(c, now_ns);
		if (!c->on_speak && tcp_output_is_shut(c))
			tcp_conn_starve(c, now_ns);
		return;
	case TCP_CLOSED:
	case TCP_LISTEN:
	case TCP_TIME_WAIT:
	case TCP_N_STATES: return;
	}
}

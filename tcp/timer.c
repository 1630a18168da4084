/*
 * When nothing comes: retransmission (RFC 6298), window probes (RFC 9293 3.8.6.1),
 * keep-alive (3.8.4), the delayed ACK.
 *
 * A connection has one timer in the wheel and three deadlines: of its delayed ACK, of its
 * departure when it is paced, and of its job.  There is one job at a time: something is
 * in flight, or bytes wait and may not go, or nothing happens.  A deadline that moves back is found to have moved
 * when the old one fires, and the last deadline that ends just leaves a timer that
 * will find nothing to do: an ACK writes numbers and links nothing.
 *
 * What fires only says what is to be said; it leaves with the end of the turn.
 */
#include <errno.h>

#include "stack/base/clock.h"
#include "tcp/mtu_probe.h"
#include "tcp/tcp_impl.h"

enum {
	RTO_RESTART_SEGMENTS = 4, /* RFC 7765 4: rrthresh */
	RENEGE_MIN_MS = 10,
	FORGET_MS = 200,
};

static void rearm(struct tcp_conn *c)
{
	uint64_t due = c->due_ns < c->ack_due_ns ? c->due_ns : c->ack_due_ns;

	if (c->x && c->x->paced && c->x->wake_ns < due)
		due = c->x->wake_ns;
	if (due != TIMER_NEVER)
		timer_arm(c->tcp->wheel, &c->timer, due);
}

void tcp_timer_job(struct tcp_conn *c, enum tcp_job job, uint64_t due_ns)
{
	c->job = job;
	c->due_ns = due_ns;
	rearm(c);
}

static uint64_t rto_ns(const struct tcp_conn *c)
{
	return rtt_rto_us(&c->rtt) * NS_PER_US;
}

void tcp_timer_retransmit(struct tcp_conn *c, uint64_t now_ns)
{
	tcp_timer_job(c, TCP_JOB_RETRANSMIT, now_ns + rto_ns(c));
}

/*
 * RFC 2018 8: the peer has thrown away what it reported.  Its ACKs may go on all the same:
 * a moment later it is taken for a timeout.
 */
static void renege(struct tcp_conn *c, uint64_t now_ns)
{
	uint64_t wait = c->rtt.srtt_x8_us / 16 * NS_PER_US;

	if (wait < RENEGE_MIN_MS * NS_PER_MS)
		wait = RENEGE_MIN_MS * NS_PER_MS;
	if (wait > rto_ns(c))
		wait = rto_ns(c);
	/* More of them do not put it off. */
	if (c->job == TCP_JOB_RETRANSMIT && c->due_ns <= now_ns + wait)
		return;
	tcp_timer_job(c, TCP_JOB_RETRANSMIT, now_ns + wait);
}

/* When the oldest bytes in flight are timed out. */
static uint64_t oldest_due(const struct tcp_conn *c, uint64_t now_ns)
{
	const struct sent_log *l = &c->x->sent;
	uint64_t age, rto = rto_ns(c);

	if (!l->n)
		return now_ns + rto;
	age = (tcp_us(now_ns) - sent_at(l, 0)->at_us) * NS_PER_US;
	/* RFC 7765 4: if that has passed, as without it */
	return age < rto ? now_ns + rto - age : now_ns + rto;
}

/* RFC 7765 4: with so little in flight that fast recovery cannot begin. */
static bool restarts(const struct tcp_conn *c)
{
	return c->tcp->conf.rto_restart && c->x->sent.n && !c->x->sent.n_sacked &&
	       !c->x->sent.n_wait &&
	       seq_eq(c->snd_nxt, seq_add(tcp_conn_write_end(c), c->fin_sent)) &&
	       tcp_conn_flight(c) <= (RTO_RESTART_SEGMENTS - 1) * (uint32_t)c->mss;
}

static uint32_t user_timeout_ms(const struct tcp_conn *c)
{
	return c->opts.user_timeout_ms ? c->opts.user_timeout_ms :
					 c->tcp->conf.user_timeout_ms;
}

/* RFC 5482: a user timeout is kept to the moment. */
static uint64_t by_user(const struct tcp_conn *c, uint64_t due, uint64_t now_ns)
{
	uint32_t stalled_ms = tcp_ms(now_ns) - c->x->stalled_ms, max = user_timeout_ms(c);
	uint64_t end = now_ns + (stalled_ms < max ? max - stalled_ms : 0) * NS_PER_MS;

	return due < end ? due : end;
}

/* The probe if one is wanted, else the timeout. */
static void tail(struct tcp_conn *c, uint64_t rto_due, uint64_t now_ns)
{
	uint64_t due;

	rto_due = by_user(c, rto_due, now_ns);
	if (!tcp_tlp_wanted(c)) {
		tcp_timer_job(c, TCP_JOB_RETRANSMIT, rto_due);
		return;
	}
	due = now_ns + tcp_tlp_delay_ns(c);
	/* RFC 8985 7.2: when the timeout would be earlier, it goes in its place */
	tcp_timer_job(c, TCP_JOB_TLP, due < rto_due ? due : rto_due);
}

void tcp_timer_flight(struct tcp_conn *c, uint32_t wait_us, bool anew, uint64_t now_ns)
{
	if (!tcp_conn_flight(c)) {
		/* The others are for times when nothing is. */
		if (c->job == TCP_JOB_RETRANSMIT || c->job == TCP_JOB_TLP ||
		    c->job == TCP_JOB_REORDER)
			tcp_timer_job(c, TCP_JOB_NONE, TIMER_NEVER);
	} else if (sent_reneged(&c->x->sent)) {
		/* First: what else is late would put it off. */
		renege(c, now_ns);
	} else if (wait_us) {
		tcp_timer_job(c, TCP_JOB_REORDER, now_ns + wait_us * NS_PER_US);
	} else if (anew) {
		tail(c, restarts(c) ? oldest_due(c, now_ns) : now_ns + rto_ns(c), now_ns);
	} else if (c->job == TCP_JOB_REORDER ||
		   (c->job == TCP_JOB_TLP && !tcp_tlp_wanted(c))) {
		tail(c, oldest_due(c, now_ns), now_ns);
	}
}

void tcp_timer_sent(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->job == TCP_JOB_REORDER)
		return;
	if (c->job == TCP_JOB_RETRANSMIT)
		/* RFC 8985 7.2: a probe is later than what was sent last */
		tail(c, c->due_ns, now_ns);
	else
		/* but not later than the timeout, which new bytes do not put off */
		tail(c, oldest_due(c, now_ns), now_ns);
}

void tcp_timer_again(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->job == TCP_JOB_RETRANSMIT)
		tcp_timer_job(c, TCP_JOB_RETRANSMIT,
			      by_user(c, now_ns + rto_ns(c), now_ns));
}

void tcp_timer_delay_ack(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->ack_due_ns != TIMER_NEVER)
		return;
	c->ack_due_ns = now_ns + c->tcp->conf.delack_ms * NS_PER_MS;
	rearm(c);
}

void tcp_timer_pace(struct tcp_conn *c)
{
	c->x->paced = true;
	rearm(c);
}

void tcp_timer_stop(struct tcp_conn *c)
{
	if (c->x)
		c->x->paced = false;
	c->job = TCP_JOB_NONE;
	c->due_ns = c->ack_due_ns = TIMER_NEVER;
	timer_stop(c->tcp->wheel, &c->timer);
}

/* ---- which job ---- */

/* The peer's window has no room at all. */
static bool is_closed(const struct tcp_conn *c)
{
	return !seq_after(seq_add(c->snd_una, c->snd_wnd), c->snd_nxt);
}

/* Bytes or a FIN wait, and nothing is in flight whose ACK would bring news. */
static bool is_held(const struct tcp_conn *c)
{
	return !c->fin_sent && (tcp_conn_sndq_len(c) || c->fin_wanted);
}

static uint64_t probe_delay(const struct tcp_conn *c)
{
	uint64_t delay = rto_ns(c);
	unsigned doublings = c->probes < RTO_BACKOFF_MAX ? c->probes : RTO_BACKOFF_MAX;

	/* It is open, but not wide enough; or cork holds a small segment. */
	if (!is_closed(c))
		return TCP_OVERRIDE_MS * NS_PER_MS;
	/* RFC 9293 3.8.6.1: the first after the RTO, then exponentially */
	delay <<= doublings;
	return delay < RTO_MAX_US * NS_PER_US ? delay : RTO_MAX_US * NS_PER_US;
}

static uint64_t keep_delay(const struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t idle_ms = tcp_ms(now_ns) - c->last_rx_ms;

	if (c->probes)
		return c->opts.keep_intvl_ms * NS_PER_MS;
	return idle_ms < c->opts.keep_idle_ms ?
		       (c->opts.keep_idle_ms - idle_ms) * NS_PER_MS :
		       0;
}

/* So long after the last ACK others may tell that what was sent again came twice. */
static uint64_t forget_delay(const struct tcp_conn *c)
{
	return c->rtt.srtt_x8_us / 8 * NS_PER_US + FORGET_MS * NS_PER_MS;
}

/* A job that is already under way keeps its deadline, unless that is too late. */
static void want(struct tcp_conn *c, enum tcp_job job, uint64_t due_ns)
{
	if (c->job != job || c->due_ns > due_ns)
		tcp_timer_job(c, job, due_ns);
}

void tcp_timer_quiet(struct tcp_conn *c, uint64_t now_ns)
{
	if (is_held(c)) {
		if (c->job != TCP_JOB_PROBE)
			tcp_conn_xfer(c)->stalled_ms = tcp_ms(now_ns);
		want(c, TCP_JOB_PROBE, now_ns + probe_delay(c));
	} else if (tcp_recover_remembers(c)) {
		if (c->job != TCP_JOB_FORGET)
			tcp_timer_job(c, TCP_JOB_FORGET, now_ns + forget_delay(c));
	} else if (c->opts.keepalive) {
		want(c, TCP_JOB_KEEP, now_ns + keep_delay(c, now_ns));
	} else if (c->job != TCP_JOB_NONE) {
		tcp_timer_job(c, TCP_JOB_NONE, TIMER_NEVER);
	}
}

/* ---- what fires ---- */

static void give_up(struct tcp_conn *c, uint64_t now_ns)
{
	c->tcp->stats.timed_out++;
	/* RFC 9293 3.9.2.2: what ICMP said meanwhile is the better reason */
	tcp_conn_reset(c, c->soft_error ? c->soft_error : ETIMEDOUT, now_ns);
}

static void count_try(struct tcp_conn *c)
{
	if (c->tries < UINT8_MAX)
		c->tries++;
	if (c->rtt.backoff < RTO_BACKOFF_MAX)
		c->rtt.backoff++;
}

/* The next retransmission; a user timeout is kept to the moment, not to that. */
static void again_by(struct tcp_conn *c, uint32_t left_ms, uint64_t now_ns)
{
	uint64_t due = now_ns + rto_ns(c), end = now_ns + left_ms * NS_PER_MS;

	tcp_timer_job(c, TCP_JOB_RETRANSMIT, due < end ? due : end);
}

static void syn_again(struct tcp_conn *c, uint64_t now_ns)
{
	const struct tcp_conf *conf = &c->tcp->conf;
	uint32_t max =
		c->state == TCP_SYN_SENT ? c->opts.syn_tries + 1u : conf->synack_tries;

	uint32_t stalled_ms = tcp_ms(now_ns) - c->x->stalled_ms;
	uint32_t limit_ms = c->opts.user_timeout_ms;

	/* RFC 5482: a user timeout of its own counts from the first SYN */
	if (limit_ms ? stalled_ms >= limit_ms : c->tries + 1u >= max) {
		give_up(c, now_ns);
		return;
	}
	count_try(c);
	c->syn_due = true;
	again_by(c, limit_ms ? limit_ms - stalled_ms : UINT32_MAX, now_ns);
	tcp_conn_speak(c);
}

static void retransmit(struct tcp_conn *c, uint64_t now_ns)
{
	if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED) {
		syn_again(c, now_ns);
		return;
	}
	if (tcp_ms(now_ns) - c->x->stalled_ms >= user_timeout_ms(c)) {
		give_up(c, now_ns);
		return;
	}
	/* RFC 6298 5.4 to 5.6 */
	tcp_mtu_timeout(c);
	tcp_conn_sync_mss(c);
	tcp_fastopen_timeout(c, now_ns);
	tcp_recover_timeout(c, now_ns);
	count_try(c);
	trace_add(c->tcp->trace, now_ns, TRACE_TCP_RTO, pool_id(&c->tcp->conns, c),
		  c->rtt.backoff);
	tcp_timer_job(c, TCP_JOB_RETRANSMIT, by_user(c, now_ns + rto_ns(c), now_ns));
	tcp_conn_speak(c);
}

/* RFC 8985 7.3: output.c sends it; then there is the timeout. */
static void loss_probe(struct tcp_conn *c, uint64_t now_ns)
{
	c->x->tlp_due = tcp_tlp_wanted(c);
	tcp_timer_job(c, TCP_JOB_RETRANSMIT, by_user(c, now_ns + rto_ns(c), now_ns));
	tcp_conn_speak(c);
}

/* How long the peer said nothing to our probes. */
static uint32_t silence_ms(const struct tcp_conn *c, uint64_t now_ns)
{
	uint32_t since_rx = tcp_ms(now_ns) - c->last_rx_ms;
	uint32_t since_begin = tcp_ms(now_ns) - c->x->stalled_ms;

	return since_rx < since_begin ? since_rx : since_begin;
}

static void probe(struct tcp_conn *c, uint64_t now_ns)
{
	if (!is_held(c)) {
		tcp_timer_quiet(c, now_ns);
		return;
	}
	if (!is_closed(c)) {
		/* RFC 9293 3.8.6.2.1: the override timeout */
		c->x->force = true;
		c->x->unpushed = false;
		tcp_timer_job(c, TCP_JOB_PROBE, now_ns + probe_delay(c));
		tcp_conn_speak(c);
		return;
	}
	/* RFC 9293 3.8.6.1: as long as the peer answers, the connection stays */
	if (silence_ms(c, now_ns) >= user_timeout_ms(c)) {
		give_up(c, now_ns);
		return;
	}
	if (tcp_output_probe(c, now_ns) == 0) {
		c->tcp->stats.window_probe++;
		c->probes += c->probes < UINT8_MAX;
	}
	trace_add(c->tcp->trace, now_ns, TRACE_TCP_PROBE, pool_id(&c->tcp->conns, c),
		  c->probes);
	tcp_timer_job(c, TCP_JOB_PROBE, now_ns + probe_delay(c));
}

static void keep(struct tcp_conn *c, uint64_t now_ns)
{
	uint64_t delay = keep_delay(c, now_ns);

	if (!c->opts.keepalive || is_held(c)) {
		tcp_timer_quiet(c, now_ns);
		return;
	}
	/* Something came since the timer was set. */
	if (!c->probes && delay) {
		tcp_timer_job(c, TCP_JOB_KEEP, now_ns + delay);
		return;
	}
	if (c->probes >= c->opts.keep_probes ||
	    (c->probes && c->opts.user_timeout_ms &&
	     tcp_ms(now_ns) - c->last_rx_ms >= c->opts.user_timeout_ms)) {
		give_up(c, now_ns);
		return;
	}
	if (tcp_output_probe(c, now_ns) == 0) {
		c->tcp->stats.keepalive++;
		c->probes++;
	}
	tcp_timer_job(c, TCP_JOB_KEEP, now_ns + c->opts.keep_intvl_ms * NS_PER_MS);
}

static void fire_job(struct tcp_conn *c, uint64_t now_ns)
{
	switch ((enum tcp_job)c->job) {
	case TCP_JOB_NONE: c->due_ns = TIMER_NEVER; break;
	case TCP_JOB_RETRANSMIT: retransmit(c, now_ns); break;
	case TCP_JOB_TLP: loss_probe(c, now_ns); break;
	case TCP_JOB_REORDER:
		tcp_timer_job(c, TCP_JOB_RETRANSMIT, oldest_due(c, now_ns));
		tcp_recover_reordered(c, now_ns);
		tcp_conn_speak(c);
		break;
	case TCP_JOB_PROBE: probe(c, now_ns); break;
	case TCP_JOB_FORGET:
		if (c->x)
			tcp_recover_forget(c);
		tcp_timer_quiet(c, now_ns);
		tcp_conn_rest(c);
		break;
	case TCP_JOB_KEEP: keep(c, now_ns); break;
	}
}

void tcp_timer_fire(struct timer *t, uint64_t now_ns)
{
	struct tcp_conn *c = container_of(t, struct tcp_conn, timer);

	c->tcp->now_ns = now_ns;
	if (c->ack_due_ns <= now_ns) {
		c->ack_due_ns = TIMER_NEVER;
		c->ack_now = true;
		tcp_conn_speak(c);
	}
	if (c->x && c->x->paced && c->x->wake_ns <= now_ns) {
		c->x->paced = false;
		tcp_conn_speak(c);
	}
	if (c->due_ns <= now_ns)
		fire_job(c, now_ns);
	rearm(c);
}

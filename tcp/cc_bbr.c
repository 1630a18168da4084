/*
 * BBR, version 3 (draft-ietf-ccwg-bbr): cwnd and pacing follow a model of the path, made of
 * samples of how fast bytes were delivered, instead of losses alone.
 *
 *	STARTUP --bandwidth grows no more--> DRAIN --queue is gone--> DOWN
 *
 *	DOWN --> CRUISE --2 to 3 s, or as Reno would--> REFILL --a round--> UP --> DOWN
 *
 *	any --5 s without a new minimum of the round-trip time--> PROBE_RTT, for 200 ms
 *
 * The model is in bbr_model.c: bandwidth, round-trip time, and what may be in flight, as it
 * was found when probing (inflight_hi) and as losses since then tell (bw_lo, inflight_lo).
 * Here are the states, and what they make of it.
 *
 * The draft leaves marks (ECN) to others.  Here a marked byte counts as a lost one: once a
 * round it lowers the lower bounds, and it ends a probe.
 *
 * The draft's names are kept, but for its units: bytes, nanoseconds and bytes a second.
 */
#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tcp/bbr.h"

#define STARTUP_PACING_GAIN 2.77
#define STARTUP_CWND_GAIN 2.0
#define DRAIN_PACING_GAIN 0.5
#define CWND_GAIN 2.0
#define UP_PACING_GAIN 1.25
#define UP_CWND_GAIN 2.25
#define DOWN_PACING_GAIN 0.90
#define PROBE_RTT_CWND_GAIN 0.5
#define PACING_MARGIN 0.99
#define HEADROOM 0.15

enum {
	PROBE_RTT_MS = 200,
	PROBE_WAIT_MS = 2000,	  /* between probes for bandwidth, and a second at most */
	PROBE_WAIT_RANDOM = 1000, /* ... more, by chance */
	RENO_ROUNDS_MAX = 63,	  /* but no fewer probes than Reno, up to this window */
	MIN_CWND_SEGMENTS = 4,	  /* MinPipeCwnd */
	STARTUP_LOSS_SEGMENTS = 6, /* with so many lost in a round STARTUP is over */
};

struct bbr *bbr_of(const struct cc *cc)
{
	struct bbr *b;

	memcpy(&b, cc->state, sizeof(b));
	return b;
}

/* ---- what may be in flight ---- */

static uint32_t min_cwnd(const struct bbr *b)
{
	return MIN_CWND_SEGMENTS * b->mss;
}

static uint32_t clamped(double n)
{
	return n < CC_CWND_MAX ? (uint32_t)n : CC_CWND_MAX;
}

/* BBRBDPMultiple(): @gain times the product of bandwidth and round-trip time. */
static uint32_t bdp(const struct bbr *b, uint64_t bw, double gain)
{
	if (b->min_rtt_ns == UINT64_MAX)
		return cc_initial_window(b->mss);
	return clamped(gain * (double)bw * (double)b->min_rtt_ns / 1e9);
}

/* BBRQuantizationBudget() */
static uint32_t with_budget(const struct bbr *b, uint32_t inflight)
{
	uint32_t budget = 3 * bbr_quantum(b);

	if (inflight < budget)
		inflight = budget;
	if (inflight < min_cwnd(b))
		inflight = min_cwnd(b);
	return b->state == BBR_UP ? inflight + 2 * b->mss : inflight;
}

/* BBRInflight() */
static uint32_t inflight_at(const struct bbr *b, uint64_t bw, double gain)
{
	return with_budget(b, bdp(b, bw, gain));
}

/* BBRInflightWithHeadroom() */
static uint32_t with_headroom(const struct bbr *b)
{
	uint32_t headroom, inflight;

	if (b->inflight_hi == UINT32_MAX)
		return UINT32_MAX;
	headroom = (uint32_t)(HEADROOM * b->inflight_hi);
	if (headroom < b->mss)
		headroom = b->mss;
	inflight = b->inflight_hi > headroom ? b->inflight_hi - headroom : 0;
	return inflight > min_cwnd(b) ? inflight : min_cwnd(b);
}

static uint32_t probe_rtt_cwnd(const struct bbr *b)
{
	uint32_t n = bdp(b, b->bw, PROBE_RTT_CWND_GAIN);

	return n > min_cwnd(b) ? n : min_cwnd(b);
}

uint32_t bbr_target_inflight(const struct cc *cc, const struct bbr *b)
{
	uint32_t n = bdp(b, b->bw, 1);

	return n < cc->cwnd ? n : cc->cwnd;
}

/* ---- states ---- */

static void enter(struct bbr *b, enum bbr_state state, double pacing_gain,
		  double cwnd_gain)
{
	b->state = (uint8_t)state;
	b->pacing_gain = (float)pacing_gain;
	b->cwnd_gain = (float)cwnd_gain;
}

static void enter_startup(struct bbr *b)
{
	enter(b, BBR_STARTUP, STARTUP_PACING_GAIN, STARTUP_CWND_GAIN);
}

void bbr_start_down(struct bbr *b, const struct cc_ack *ack)
{
	uint32_t chance = bbr_random(b, ack->now_ns);

	bbr_reset_signals(b);
	b->probe_up_cnt = UINT32_MAX;
	/* BBRPickProbeWait() */
	b->rounds_since_probe = chance & 1;
	b->probe_wait_ns =
		(PROBE_WAIT_MS + (chance >> 1) % PROBE_WAIT_RANDOM) * NS_PER_MS;
	b->cycle_ns = ack->now_ns;
	b->ack_phase = BBR_ACKS_PROBE_STOPPING;
	bbr_start_round(b, ack);
	enter(b, BBR_DOWN, DOWN_PACING_GAIN, CWND_GAIN);
}

static void start_cruise(struct bbr *b)
{
	enter(b, BBR_CRUISE, 1, CWND_GAIN);
}

static void start_refill(struct bbr *b, const struct cc_ack *ack)
{
	bbr_reset_lower_bounds(b);
	b->probe_up_rounds = 0;
	b->probe_up_acks = 0;
	b->ack_phase = BBR_ACKS_REFILLING;
	bbr_start_round(b, ack);
	enter(b, BBR_REFILL, 1, CWND_GAIN);
}

static void start_up(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	b->ack_phase = BBR_ACKS_PROBE_STARTING;
	bbr_start_round(b, ack);
	bbr_reset_full_bw(b, b->rate);
	enter(b, BBR_UP, UP_PACING_GAIN, UP_CWND_GAIN);
	bbr_raise_slope(cc, b);
}

/* As Reno would come to probe: once for as many rounds as its window has segments. */
static bool is_time_to_probe(const struct cc *cc, const struct bbr *b,
			     const struct cc_ack *ack)
{
	uint32_t rounds = bbr_target_inflight(cc, b) / b->mss;

	if (rounds > RENO_ROUNDS_MAX)
		rounds = RENO_ROUNDS_MAX;
	return ack->now_ns - b->cycle_ns > b->probe_wait_ns ||
	       b->rounds_since_probe >= rounds;
}

static bool is_time_to_cruise(const struct bbr *b, const struct cc_ack *ack)
{
	return ack->pipe <= with_headroom(b) && ack->pipe <= inflight_at(b, b->max_bw, 1);
}

static bool is_time_to_go_down(const struct cc *cc, struct bbr *b,
			       const struct cc_ack *ack)
{
	if (ack->cwnd_limited && cc->cwnd >= b->inflight_hi)
		bbr_reset_full_bw(b, b->rate);
	return b->full_bw_now;
}

/* BBRUpdateProbeBWCyclePhase() */
static void update_cycle(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	if (!b->full_bw_reached)
		return;
	bbr_adapt_long_term(cc, b, ack);
	switch ((enum bbr_state)b->state) {
	case BBR_DOWN:
		if (is_time_to_probe(cc, b, ack))
			start_refill(b, ack);
		else if (is_time_to_cruise(b, ack))
			start_cruise(b);
		break;
	case BBR_CRUISE:
		if (is_time_to_probe(cc, b, ack))
			start_refill(b, ack);
		break;
	case BBR_REFILL:
		/* After one round with the model's whole inflight. */
		if (b->round_start) {
			b->probe_samples = true;
			start_up(cc, b, ack);
		}
		break;
	case BBR_UP:
		if (is_time_to_go_down(cc, b, ack))
			bbr_start_down(b, ack);
		break;
	case BBR_STARTUP:
	case BBR_DRAIN:
	case BBR_PROBE_RTT: break;
	}
}

/* BBRCheckStartupHighLoss(), BBRCheckStartupDone(), BBRCheckDrainDone() */
static void check_startup(struct bbr *b, const struct cc_ack *ack)
{
	if (b->state == BBR_STARTUP && b->loss_round_start && b->lost_in_round_before &&
	    bbr_is_too_much(b->lost_in_round_before, b->inflight_latest) &&
	    b->lost_in_round_before >= STARTUP_LOSS_SEGMENTS * b->mss) {
		b->full_bw_reached = true;
		b->inflight_hi = bdp(b, b->max_bw, 1);
		if (b->inflight_hi < b->inflight_latest)
			b->inflight_hi = b->inflight_latest;
	}
	if (b->state == BBR_STARTUP && b->full_bw_reached)
		enter(b, BBR_DRAIN, DRAIN_PACING_GAIN, CWND_GAIN);
	if (b->state == BBR_DRAIN && ack->pipe <= inflight_at(b, b->max_bw, 1))
		bbr_start_down(b, ack);
}

/* ---- PROBE_RTT ---- */

static void save_cwnd(struct cc *cc, struct bbr *b, bool recovering)
{
	if (!recovering && b->state != BBR_PROBE_RTT)
		b->prior_cwnd = cc->cwnd;
	else if (b->prior_cwnd < cc->cwnd)
		b->prior_cwnd = cc->cwnd;
}

static void restore_cwnd(struct cc *cc, const struct bbr *b)
{
	if (cc->cwnd < b->prior_cwnd)
		cc->cwnd = b->prior_cwnd;
}

static void leave_probe_rtt(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	b->probe_rtt_min_at_ns = ack->now_ns;
	restore_cwnd(cc, b);
	bbr_reset_lower_bounds(b);
	if (b->full_bw_reached) {
		bbr_start_down(b, ack);
		start_cruise(b);
	} else {
		enter_startup(b);
	}
}

static void check_probe_rtt(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	if (b->state != BBR_PROBE_RTT && b->probe_rtt_expired && !b->idle_restart) {
		save_cwnd(cc, b, ack->recovering);
		enter(b, BBR_PROBE_RTT, 1, PROBE_RTT_CWND_GAIN);
		b->probe_rtt_done_ns = 0;
		b->ack_phase = BBR_ACKS_PROBE_STOPPING;
		bbr_start_round(b, ack);
	}
	if (b->state == BBR_PROBE_RTT) {
		if (!b->probe_rtt_done_ns && ack->pipe <= probe_rtt_cwnd(b)) {
			b->probe_rtt_done_ns = ack->now_ns + PROBE_RTT_MS * NS_PER_MS;
			b->probe_rtt_round_done = false;
			bbr_start_round(b, ack);
		} else if (b->probe_rtt_done_ns) {
			b->probe_rtt_round_done |= b->round_start;
			if (b->probe_rtt_round_done && ack->now_ns > b->probe_rtt_done_ns)
				leave_probe_rtt(cc, b, ack);
		}
	}
	if (ack->n_delivered)
		b->idle_restart = false;
}

/* ---- control ---- */

static void set_pacing(struct bbr *b)
{
	uint64_t rate =
		(uint64_t)((double)b->pacing_gain * (double)b->bw * PACING_MARGIN);

	if (rate && (b->full_bw_reached || rate > b->pacing_rate))
		b->pacing_rate = rate;
}

/* Before there is a sample: BBRInitPacingRate() */
static void set_first_pacing(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	uint64_t srtt_ns = ack->srtt_ns ? ack->srtt_ns : NS_PER_MS;

	if (!b->pacing_rate)
		b->pacing_rate = (uint64_t)(STARTUP_PACING_GAIN * cc->cwnd * 1e9 /
					    (double)srtt_ns);
}

/* BBRBoundCwndForModel() */
static void bound_cwnd(struct cc *cc, const struct bbr *b)
{
	uint32_t cap = UINT32_MAX;

	if (b->state == BBR_DOWN || b->state == BBR_REFILL || b->state == BBR_UP)
		cap = b->inflight_hi;
	else if (b->state == BBR_CRUISE || b->state == BBR_PROBE_RTT)
		cap = with_headroom(b);
	cap = cap < b->inflight_lo ? cap : b->inflight_lo;
	cap = cap > min_cwnd(b) ? cap : min_cwnd(b);
	if (cc->cwnd > cap)
		cc->cwnd = cap;
}

static void set_cwnd(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	uint64_t most =
		(uint64_t)bdp(b, b->bw, (double)b->cwnd_gain) + bbr_extra_acked(b);
	uint32_t max_inflight = with_budget(b, clamped((double)most));

	if (b->full_bw_reached) {
		cc_grow(cc, ack->n_delivered);
		if (cc->cwnd > max_inflight)
			cc->cwnd = max_inflight;
	} else if (cc->cwnd < max_inflight ||
		   ack->delivered < cc_initial_window(b->mss)) {
		cc_grow(cc, ack->n_delivered);
	}
	if (cc->cwnd < min_cwnd(b))
		cc->cwnd = min_cwnd(b);
	if (b->state == BBR_PROBE_RTT && cc->cwnd > probe_rtt_cwnd(b))
		cc->cwnd = probe_rtt_cwnd(b);
	bound_cwnd(cc, b);
}

/* ---- hooks ---- */

static void bbr_init(struct cc *cc, uint32_t mss, uint64_t now_ns)
{
	struct bbr *b = calloc(1, sizeof(*b));

	if (!b) {
		/* Better than nothing. */
		cc->ops = &cc_reno;
		return;
	}
	memcpy(cc->state, &b, sizeof(b));
	b->mss = mss;
	bbr_init_model(b, now_ns);
	enter_startup(b);
}

static void bbr_fini(struct cc *cc)
{
	free(bbr_of(cc));
	memset(cc->state, 0, sizeof(cc->state));
}

/* BBRUpdateOnACK() */
static void bbr_ack(struct cc *cc, const struct cc_ack *ack)
{
	struct bbr *b = bbr_of(cc);

	b->mss = ack->mss;
	set_first_pacing(cc, b, ack);
	bbr_update_signals(cc, b, ack);
	bbr_update_aggregation(cc, b, ack);
	bbr_check_full_bw(b, ack);
	check_startup(b, ack);
	update_cycle(cc, b, ack);
	bbr_update_min_rtt(b, ack);
	check_probe_rtt(cc, b, ack);
	bbr_advance_signals(b, ack);
	set_pacing(b);
	set_cwnd(cc, b, ack);
}

static void bbr_loss(struct cc *cc, enum cc_loss why, uint32_t in_flight, uint32_t mss,
		     uint64_t now_ns)
{
	struct bbr *b = bbr_of(cc);

	(void)in_flight;
	(void)now_ns;
	save_cwnd(cc, b, false);
	cc->ssthresh = cc->cwnd;
	/* The caller adds what is left in the network. */
	if (why == CC_LOSS_RTO)
		cc->cwnd = mss;
}

static void bbr_recovered(struct cc *cc, uint32_t in_flight, uint32_t mss,
			  uint64_t now_ns)
{
	(void)in_flight;
	(void)mss;
	(void)now_ns;
	restore_cwnd(cc, bbr_of(cc));
}

/* BBRHandleSpuriousLossDetection() */
static void bbr_undone(struct cc *cc)
{
	struct bbr *b = bbr_of(cc);

	b->loss_in_round = false;
	bbr_reset_full_bw(b, 0);
	bbr_reset_lower_bounds(b);
	restore_cwnd(cc, b);
}

/* BBRHandleRestartFromIdle() */
static void bbr_idle(struct cc *cc, uint32_t mss, uint64_t now_ns)
{
	struct bbr *b = bbr_of(cc);

	(void)mss;
	b->idle_restart = true;
	b->extra_from_ns = now_ns;
	if (b->state >= BBR_DOWN && b->state <= BBR_UP && b->bw)
		b->pacing_rate = (uint64_t)((double)b->bw * PACING_MARGIN);
}

static uint64_t bbr_rate(const struct cc *cc)
{
	const struct bbr *b = bbr_of(cc);

	return b ? b->pacing_rate : 0;
}

const struct cc_ops cc_bbr = {
	.name = "bbr",
	.own_ecn = true,
	.own_recovery = true,
	.every_ack = true,
	.init = bbr_init,
	.fini = bbr_fini,
	.ack = bbr_ack,
	.loss = bbr_loss,
	.recovered = bbr_recovered,
	.undone = bbr_undone,
	.idle = bbr_idle,
	.rate = bbr_rate,
};

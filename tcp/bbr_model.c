/* BBR's model of the path: draft-ietf-ccwg-bbr 4.5, by its names. */
#include "tcp/bbr.h"

#include "stack/base/clock.h"

#define LOSS_THRESH 0.02
#define BETA 0.7

enum {
	PROBE_RTT_S = 5, /* ProbeRTTInterval */
	MIN_RTT_S = 10,	 /* MinRTTFilterLen */
	FULL_BW_ROUNDS = 3,
	EXTRA_ROUNDS = 5, /* half of ExtraAckedFilterLen */
	UP_ROUNDS_MAX = 30,
	QUANTUM_MAX = 65536,
	QUANTUM_SLOW_BPS = 150000, /* bytes a second: below, a segment at a time */
};

void bbr_init_model(struct bbr *b, uint64_t now_ns)
{
	b->min_rtt_ns = b->probe_rtt_min_ns = UINT64_MAX;
	b->min_rtt_at_ns = b->probe_rtt_min_at_ns = now_ns;
	b->extra_from_ns = now_ns;
	b->inflight_hi = UINT32_MAX;
	bbr_reset_lower_bounds(b);
}

/* Spreads the probes of many flows; nobody is to guess it. */
uint32_t bbr_random(const struct bbr *b, uint64_t now_ns)
{
	uint64_t x = now_ns + b->next_round + b->max_bw;

	x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdU;
	return (uint32_t)(x >> 32);
}

/* BBRSetSendQuantum(): a millisecond of the rate */
uint32_t bbr_quantum(const struct bbr *b)
{
	uint64_t n = b->pacing_rate / 1000;

	if (b->pacing_rate < QUANTUM_SLOW_BPS || n < 2 * b->mss)
		return b->pacing_rate < QUANTUM_SLOW_BPS ? b->mss : 2 * b->mss;
	return n < QUANTUM_MAX ? (uint32_t)n : QUANTUM_MAX;
}

/* ---- rounds ---- */

void bbr_start_round(struct bbr *b, const struct cc_ack *ack)
{
	b->next_round = ack->delivered;
}

static void update_round(struct bbr *b, const struct cc_ack *ack)
{
	b->round_start =
		ack->rate_us && (int32_t)(ack->prior_delivered - b->next_round) >= 0;
	if (!b->round_start)
		return;
	bbr_start_round(b, ack);
	b->rounds_since_probe++;
}

/* ---- bandwidth ---- */

static void update_max_bw(struct bbr *b, const struct cc_ack *ack)
{
	if (b->rate && (b->rate >= b->max_bw || !ack->app_limited) &&
	    b->rate > b->bw_cycle[1])
		b->bw_cycle[1] = b->rate;
	b->max_bw = b->bw_cycle[0] > b->bw_cycle[1] ? b->bw_cycle[0] : b->bw_cycle[1];
}

/* BBRAdvanceMaxBwFilter() */
static void next_cycle(struct bbr *b)
{
	if (!b->bw_cycle[1])
		return;
	b->bw_cycle[0] = b->bw_cycle[1];
	b->bw_cycle[1] = 0;
}

void bbr_reset_full_bw(struct bbr *b, uint64_t bw)
{
	b->full_bw = bw;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

void bbr_check_full_bw(struct bbr *b, const struct cc_ack *ack)
{
	if (b->full_bw_now || !b->round_start || ack->app_limited)
		return;
	if (b->rate >= b->full_bw + b->full_bw / 4) {
		bbr_reset_full_bw(b, b->rate);
		return;
	}
	b->full_bw_now = ++b->full_bw_count >= FULL_BW_ROUNDS;
	b->full_bw_reached |= b->full_bw_now;
}

/* ---- loss ---- */

bool bbr_is_too_much(uint32_t lost, uint32_t of)
{
	return lost > LOSS_THRESH * of;
}

void bbr_reset_signals(struct bbr *b)
{
	b->loss_in_round = false;
	b->bw_latest = 0;
	b->inflight_latest = 0;
}

void bbr_reset_lower_bounds(struct bbr *b)
{
	b->bw_lo = UINT64_MAX;
	b->inflight_lo = UINT32_MAX;
}

/* STARTUP, REFILL and UP look for more, and must not be misled by what they cause. */
static bool is_probing(const struct bbr *b)
{
	return b->state == BBR_STARTUP || b->state == BBR_REFILL || b->state == BBR_UP;
}

/* BBRAdaptLowerBoundsFromCongestion() */
static void adapt_lower_bounds(const struct cc *cc, struct bbr *b)
{
	uint64_t bw;
	uint32_t inflight;

	if (is_probing(b) || !b->loss_in_round)
		return;
	if (b->bw_lo == UINT64_MAX)
		b->bw_lo = b->max_bw;
	if (b->inflight_lo == UINT32_MAX)
		b->inflight_lo = cc->cwnd;
	bw = (uint64_t)(BETA * (double)b->bw_lo);
	inflight = (uint32_t)(BETA * b->inflight_lo);
	b->bw_lo = b->bw_latest > bw ? b->bw_latest : bw;
	b->inflight_lo = b->inflight_latest > inflight ? b->inflight_latest : inflight;
}

/* BBRUpdateLatestDeliverySignals(), BBRUpdateCongestionSignals() */
void bbr_update_signals(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	b->rate = ack->rate_us ? (uint64_t)ack->rate_bytes * US_PER_S / ack->rate_us : 0;
	if (b->bw_latest < b->rate)
		b->bw_latest = b->rate;
	if (ack->rate_us && b->inflight_latest < ack->rate_bytes)
		b->inflight_latest = ack->rate_bytes;
	b->loss_round_start =
		ack->rate_us && (int32_t)(ack->prior_delivered - b->loss_round) >= 0;
	if (b->loss_round_start)
		b->loss_round = ack->delivered;
	update_round(b, ack);
	update_max_bw(b, ack);
	b->loss_in_round |= ack->n_lost || ack->n_ce;
	b->lost_in_round += ack->n_lost + ack->n_ce;
	if (b->loss_round_start) {
		adapt_lower_bounds(cc, b);
		b->loss_in_round = false;
		b->lost_in_round_before = b->lost_in_round;
		b->lost_in_round = 0;
	}
	b->bw = b->max_bw < b->bw_lo ? b->max_bw : b->bw_lo;
}

void bbr_advance_signals(struct bbr *b, const struct cc_ack *ack)
{
	if (b->loss_round_start) {
		b->bw_latest = b->rate;
		b->inflight_latest = ack->rate_bytes;
	}
	b->bw = b->max_bw < b->bw_lo ? b->max_bw : b->bw_lo;
}

/* ---- what probing finds ---- */

void bbr_raise_slope(const struct cc *cc, struct bbr *b)
{
	uint32_t growth = 1U << b->probe_up_rounds;

	if (b->probe_up_rounds < UP_ROUNDS_MAX)
		b->probe_up_rounds++;
	b->probe_up_cnt = cc->cwnd / growth;
	if (b->probe_up_cnt < b->mss)
		b->probe_up_cnt = b->mss;
}

/* BBRProbeInflightLongTermUpward() */
static void probe_upward(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	uint32_t delta;

	if (!ack->cwnd_limited || cc->cwnd < b->inflight_hi)
		return;
	b->probe_up_acks += ack->n_delivered;
	if (b->probe_up_acks >= b->probe_up_cnt) {
		delta = b->probe_up_acks / b->probe_up_cnt;
		b->probe_up_acks -= delta * b->probe_up_cnt;
		b->inflight_hi += delta * b->mss;
	}
	if (b->round_start)
		bbr_raise_slope(cc, b);
}

/* BBRHandleInflightTooHigh() */
static void handle_too_high(const struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	uint32_t least = (uint32_t)(BETA * bbr_target_inflight(cc, b));

	b->probe_samples = false;
	if (!ack->app_limited)
		b->inflight_hi = ack->tx_in_flight > least ? ack->tx_in_flight : least;
	if (b->state == BBR_UP)
		bbr_start_down(b, ack);
}

void bbr_adapt_long_term(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	if (b->ack_phase == BBR_ACKS_PROBE_STARTING && b->round_start)
		b->ack_phase = BBR_ACKS_PROBE_FEEDBACK;
	if (b->ack_phase == BBR_ACKS_PROBE_STOPPING && b->round_start) {
		b->ack_phase = BBR_ACKS_INIT;
		b->probe_samples = false;
		if (b->state >= BBR_DOWN && b->state <= BBR_UP && !ack->app_limited)
			next_cycle(b);
	}
	if (!ack->rate_us)
		return;
	if (ack->n_ce || bbr_is_too_much(ack->tx_lost, ack->tx_in_flight)) {
		if (b->probe_samples)
			handle_too_high(cc, b, ack);
		return;
	}
	if (b->inflight_hi == UINT32_MAX)
		return;
	if (b->inflight_hi < ack->tx_in_flight)
		b->inflight_hi = ack->tx_in_flight;
	if (b->state == BBR_UP)
		probe_upward(cc, b, ack);
}

/* ---- bursts of ACKs ---- */

void bbr_update_aggregation(struct cc *cc, struct bbr *b, const struct cc_ack *ack)
{
	uint64_t expected = b->bw * (ack->now_ns - b->extra_from_ns) / NS_PER_S;
	uint32_t extra;

	if (b->extra_delivered <= expected) {
		b->extra_delivered = 0;
		b->extra_from_ns = ack->now_ns;
		expected = 0;
	}
	b->extra_delivered += ack->n_delivered;
	extra = b->extra_delivered - (uint32_t)expected;
	if (extra > cc->cwnd)
		extra = cc->cwnd;
	if (b->round_start &&
	    ++b->extra_rounds >= (b->full_bw_reached ? EXTRA_ROUNDS : 1)) {
		b->extra_rounds = 0;
		b->extra[0] = b->extra[1];
		b->extra[1] = 0;
	}
	if (b->extra[1] < extra)
		b->extra[1] = extra;
}

uint32_t bbr_extra_acked(const struct bbr *b)
{
	return b->extra[0] > b->extra[1] ? b->extra[0] : b->extra[1];
}

/* ---- round-trip time ---- */

void bbr_update_min_rtt(struct bbr *b, const struct cc_ack *ack)
{
	b->probe_rtt_expired =
		ack->now_ns > b->probe_rtt_min_at_ns + PROBE_RTT_S * NS_PER_S;
	if (ack->rtt_ns && (ack->rtt_ns < b->probe_rtt_min_ns || b->probe_rtt_expired)) {
		b->probe_rtt_min_ns = ack->rtt_ns;
		b->probe_rtt_min_at_ns = ack->now_ns;
	}
	if (b->probe_rtt_min_ns < b->min_rtt_ns ||
	    ack->now_ns > b->min_rtt_at_ns + MIN_RTT_S * NS_PER_S) {
		b->min_rtt_ns = b->probe_rtt_min_ns;
		b->min_rtt_at_ns = b->probe_rtt_min_at_ns;
	}
}

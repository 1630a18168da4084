/*
 * What BBR believes of the path (bbr_model.c), for its states (cc_bbr.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "tcp/cc.h"

enum bbr_state {
	BBR_STARTUP,
	BBR_DRAIN,
	BBR_DOWN, /* ProbeBW_DOWN, and so on */
	BBR_CRUISE,
	BBR_REFILL,
	BBR_UP,
	BBR_PROBE_RTT,
};

/* What the ACKs that arrive tell of the last probe. */
enum bbr_ack_phase {
	BBR_ACKS_INIT,
	BBR_ACKS_REFILLING,
	BBR_ACKS_PROBE_STARTING,
	BBR_ACKS_PROBE_FEEDBACK,
	BBR_ACKS_PROBE_STOPPING,
};

struct bbr {
	uint32_t mss;
	uint8_t state;	   /* enum bbr_state */
	uint8_t ack_phase; /* enum bbr_ack_phase */
	bool idle_restart;
	float pacing_gain, cwnd_gain;
	uint64_t pacing_rate;
	uint32_t prior_cwnd;

	/* Rounds: from a transmission to its delivery. */
	bool round_start;
	uint32_t next_round; /* delivered then */

	/* Bandwidth: the best of this cycle of probing and the last. */
	uint64_t rate; /* this ACK's sample; 0: none */
	uint64_t max_bw, bw_cycle[2], bw;
	bool full_bw_reached, full_bw_now;
	uint64_t full_bw;
	uint8_t full_bw_count;

	/* Since the last probe, by loss. */
	uint64_t bw_lo, bw_latest; /* UINT64_MAX: no bound */
	uint32_t inflight_lo, inflight_latest;
	bool loss_round_start, loss_in_round;
	uint32_t loss_round; /* delivered when it ends */
	uint32_t lost_in_round, lost_in_round_before;

	/* By probing. */
	uint32_t inflight_hi; /* UINT32_MAX: no bound */
	bool probe_samples;   /* what is acknowledged was sent while probing */
	uint32_t probe_up_cnt, probe_up_acks;
	uint8_t probe_up_rounds;
	uint32_t rounds_since_probe;
	uint64_t probe_wait_ns, cycle_ns;

	/* ACKs come in bursts: how much more than the bandwidth tells. */
	uint64_t extra_from_ns;
	uint32_t extra_delivered;
	uint32_t extra[2]; /* the most of these rounds and of those before */
	uint8_t extra_rounds;

	uint64_t min_rtt_ns, min_rtt_at_ns;
	uint64_t probe_rtt_min_ns, probe_rtt_min_at_ns, probe_rtt_done_ns;
	bool probe_rtt_expired, probe_rtt_round_done;
};

struct bbr *bbr_of(const struct cc *cc);

/* ---- cc_bbr.c ---- */

void bbr_start_down(struct bbr *b, const struct cc_ack *ack);
/* BBRTargetInflight() */
uint32_t bbr_target_inflight(const struct cc *cc, const struct bbr *b);

/* ---- bbr_model.c ---- */

void bbr_init_model(struct bbr *b, uint64_t now_ns);
uint32_t bbr_random(const struct bbr *b, uint64_t now_ns);
/* Bytes that may leave at once. */
uint32_t bbr_quantum(const struct bbr *b);
void bbr_start_round(struct bbr *b, const struct cc_ack *ack);
void bbr_update_signals(struct cc *cc, struct bbr *b, const struct cc_ack *ack);
void bbr_advance_signals(struct bbr *b, const struct cc_ack *ack);
void bbr_reset_signals(struct bbr *b);
void bbr_reset_lower_bounds(struct bbr *b);
void bbr_check_full_bw(struct bbr *b, const struct cc_ack *ack);
void bbr_reset_full_bw(struct bbr *b, uint64_t bw);
void bbr_update_aggregation(struct cc *cc, struct bbr *b, const struct cc_ack *ack);
uint32_t bbr_extra_acked(const struct bbr *b);
void bbr_update_min_rtt(struct bbr *b, const struct cc_ack *ack);
/* More than 2 % of @of. */
bool bbr_is_too_much(uint32_t lost, uint32_t of);
void bbr_adapt_long_term(struct cc *cc, struct bbr *b, const struct cc_ack *ack);
void bbr_raise_slope(const struct cc *cc, struct bbr *b);

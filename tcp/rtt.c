#include "tcp/rtt.h"

void rtt_init(struct rtt *r)
{
	*r = (struct rtt){ .min_us = UINT32_MAX };
}

void rtt_sample(struct rtt *r, uint32_t us)
{
	int32_t err;

	/* 0 would mean "no sample"; the bound keeps the scaled values in 32 bits. */
	us = us < 1 ? 1 : us > RTO_MAX_US ? RTO_MAX_US : us;
	if (us < r->min_us)
		r->min_us = us;
	r->backoff = 0;
	if (!r->srtt_x8_us) {
		/* RFC 6298 2.2: SRTT <- R, RTTVAR <- R/2 */
		r->srtt_x8_us = us * 8;
		r->rttvar_x4_us = us * 2;
		return;
	}
	/*
	 * RFC 6298 2.3: RTTVAR <- 3/4 RTTVAR + 1/4 |SRTT - R|, with the old SRTT;
	 * then SRTT <- 7/8 SRTT + 1/8 R
	 */
	err = (int32_t)us - (int32_t)(r->srtt_x8_us / 8);
	r->rttvar_x4_us -= r->rttvar_x4_us / 4;
	r->rttvar_x4_us += (uint32_t)(err < 0 ? -err : err);
	r->srtt_x8_us += (uint32_t)err;
}

void rtt_least(struct rtt *r, uint32_t us, uint8_t tick)
{
	if (us > r->min_us && (uint8_t)(tick - r->min_tick) <= RTT_MIN_TICKS)
		return;
	r->min_us = us;
	r->min_tick = tick;
}

void rtt_fallback(struct rtt *r)
{
	r->backoff = 0;
	r->rttvar_x4_us = RTO_FALLBACK_US;
}

uint32_t rtt_rto_us(const struct rtt *r)
{
	unsigned doublings = r->backoff < RTO_BACKOFF_MAX ? r->backoff : RTO_BACKOFF_MAX;
	uint32_t var = r->rttvar_x4_us;
	uint64_t rto = RTO_INITIAL_US;

	if (r->srtt_x8_us) {
		/* RFC 6298 2.3: RTO <- SRTT + max(G, 4 RTTVAR) */
		rto = r->srtt_x8_us / 8;
		rto += var > RTO_VAR_MIN_US ? var : RTO_VAR_MIN_US;
	} else if (var) {
		rto = var;
	}
	/* In the timestamps' ticks */
	rto -= rto % RTO_GRANULARITY_US;
	rto <<= doublings;
	return rto < RTO_MAX_US ? (uint32_t)rto : RTO_MAX_US;
}

/*
 * Round-trip time and retransmission timeout (RFC 6298).
 *
 * Times in microseconds, SRTT and RTTVAR scaled by 8 and 4 as in Jacobson's paper.
 */
#pragma once

#include <stdint.h>

enum {
	RTO_INITIAL_US = 1000000, /* RFC 6298 2.1 */
	RTO_VAR_MIN_US = 200000,  /* above SRTT, as Linux; RFC 6298 2.4 says SHOULD 1 s */
	RTO_MAX_US = 120000000,	  /* RFC 6298 2.5: at least 60 s */
	RTO_FALLBACK_US = 3000000, /* RFC 6298 5.7: the SYN was sent again */
	RTO_GRANULARITY_US = 1000, /* G: the tick of our timestamps, and of the timeout */
	RTO_BACKOFF_MAX = 12,
	RTT_TICK_BITS = 31,  /* a tick is 2^31 ns */
	RTT_MIN_TICKS = 140, /* five minutes */
};

struct rtt {
	uint32_t srtt_x8_us;   /* 0: no sample yet */
	uint32_t rttvar_x4_us; /* without a sample: the timeout, if not 0 */
	uint32_t min_us;       /* least sample lately, UINT32_MAX: none */
	uint8_t min_tick;      /* when it was taken */
	uint8_t backoff;       /* doublings of the timeout (RFC 6298 5.5) */
};

void rtt_init(struct rtt *r);
/* A sample that obeys Karn's rule; ends the backoff. */
void rtt_sample(struct rtt *r, uint32_t us);
/*
 * A round trip, for the least of the last RTT_MIN_TICKS (RFC 8985 6.2 step 1); now is
 * @tick, modulo 2^8.
 */
void rtt_least(struct rtt *r, uint32_t us, uint8_t tick);
/* RFC 6298 5.7: the SYN was sent again and told no time. */
void rtt_fallback(struct rtt *r);
/* The timeout, doubled @backoff times and bounded. */
uint32_t rtt_rto_us(const struct rtt *r);

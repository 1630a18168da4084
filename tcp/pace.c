/*
 * Pacing: bytes leave at a rate, not as fast as ACKs allow.
 *
 * A connection has a departure time, before which it says nothing that cwnd would let go:
 * each segment moves it by what its bytes take at the rate.  When it is in the future, the
 * connection's timer wakes it up, not for the next segment but for as many as one turn may
 * send, a millisecond's worth: so timers cost little, and the wheel of timers is that of
 * departure times (the idea of Saeed et al., "Carousel", SIGCOMM 2017).
 *
 * The rate is the algorithm's.  One that has none is paced where the program wishes it
 * (tcp_conf.pacing) at what Linux takes: twice cwnd per round trip in slow start, so that
 * it can grow, 1.2 times in avoidance.
 */
#include "stack/base/clock.h"
#include "tcp/tcp_impl.h"

enum {
	CREDIT_NS = 2000000,	 /* so much of what was not used may be made up for */
	GAP_MAX_NS = 1000000000, /* a rate may be wrong, and shall be found to be */
	FREE_SEGMENTS = 10,	 /* the first ones of a connection go at once */
	QUANTUM_MIN = 2,	 /* segments */
	QUANTUM_MAX = 65536,	 /* bytes */
	RTT_MIN_US = 500,	 /* a shorter path has no queue worth the trouble */
	SLOW_START_PERCENT = 200,
	AVOIDANCE_PERCENT = 120,
};

/* Bytes a second; 0: as fast as can be. */
static uint64_t window_rate(const struct tcp_conn *c)
{
	uint32_t srtt_us = c->rtt.srtt_x8_us / 8;
	uint64_t percent =
		c->cc.cwnd < c->cc.ssthresh / 2 ? SLOW_START_PERCENT : AVOIDANCE_PERCENT;

	if (!c->tcp->conf.pacing || !srtt_us || c->rtt.min_us < RTT_MIN_US)
		return 0;
	return c->cc.cwnd * percent * (US_PER_S / 100) / srtt_us;
}

uint64_t tcp_pace_rate(const struct tcp_conn *c)
{
	return c->cc.ops->rate ? c->cc.ops->rate(&c->cc) : window_rate(c);
}

void tcp_pace_sent(struct tcp_conn *c, uint32_t len, uint64_t now_ns)
{
	uint64_t rate = tcp_pace_rate(c), gap_ns;
	struct tcp_xfer *x = c->x;

	if (!rate ||
	    c->bytes_acked + tcp_conn_flight(c) <= FREE_SEGMENTS * (uint64_t)c->mss) {
		x->depart_ns = 0;
		return;
	}
	if (x->depart_ns + CREDIT_NS < now_ns)
		x->depart_ns = now_ns - CREDIT_NS;
	gap_ns = len * NS_PER_S / rate;
	x->depart_ns += gap_ns < GAP_MAX_NS ? gap_ns : GAP_MAX_NS;
}

void tcp_pace_wait(struct tcp_conn *c)
{
	uint64_t rate = tcp_pace_rate(c), quantum = rate / 1000;
	struct tcp_xfer *x = c->x;

	if (quantum < QUANTUM_MIN * c->mss)
		quantum = QUANTUM_MIN * c->mss;
	if (quantum > QUANTUM_MAX)
		quantum = QUANTUM_MAX;
	/* In the middle of a quantum: then half of it may be made up for at once. */
	x->wake_ns = x->depart_ns;
	if (rate && quantum > c->mss)
		x->wake_ns += (quantum - c->mss) * NS_PER_S / rate / 2;
	tcp_timer_pace(c);
}

/*
 * Reno with NewReno's window rules (RFC 5681, RFC 6582), in bytes, growing by what
 * is acknowledged and not by the number of ACKs (RFC 3465).
 */
#include <assert.h>

#include "stack/base/check.h"
#include "tcp/cc.h"

struct reno {
	uint32_t n_counted; /* bytes acknowledged since cwnd grew in avoidance */
	bool timed_out;	    /* the timer fired, and nothing was acknowledged since */
	bool rto_start;	    /* this slow start follows a timeout */
};

static_assert(sizeof(struct reno) <= CC_STATE_LEN, "fits the connection");

static struct reno *reno(struct cc *cc)
{
	return (struct reno *)(void *)cc->state;
}

static uint32_t half(uint32_t in_flight, uint32_t mss)
{
	/* RFC 5681 (4): max(FlightSize / 2, 2 * SMSS) */
	return in_flight / 2 > 2 * mss ? in_flight / 2 : 2 * mss;
}

static void slow_start(struct cc *cc, const struct cc_ack *ack)
{
	/* RFC 3465 2.2, 2.3: L is two segments, one after a timeout */
	uint32_t limit = reno(cc)->rto_start ? ack->mss : 2 * ack->mss;
	uint32_t n = ack->n_acked < limit ? ack->n_acked : limit;
	uint32_t room = cc->ssthresh - cc->cwnd;

	cc_grow(cc, n < room ? n : room);
}

static void avoid(struct cc *cc, const struct cc_ack *ack)
{
	struct reno *r = reno(cc);

	/* RFC 3465 2.1: one segment for each window of bytes */
	r->n_counted += ack->n_acked;
	if (r->n_counted >= cc->cwnd) {
		r->n_counted -= cc->cwnd;
		cc_grow(cc, ack->mss);
	}
}

static void reno_ack(struct cc *cc, const struct cc_ack *ack)
{
	struct reno *r = reno(cc);

	r->timed_out = false;
	if (ack->recovering || !ack->cwnd_limited)
		return;
	if (cc->cwnd < cc->ssthresh) {
		slow_start(cc, ack);
		return;
	}
	r->rto_start = false;
	avoid(cc, ack);
}

static void reno_loss(struct cc *cc, enum cc_loss why, uint32_t in_flight, uint32_t mss,
		      uint64_t now_ns)
{
	struct reno *r = reno(cc);

	(void)now_ns;
	r->n_counted = 0;
	/* RFC 5681 3.1: a second timeout of the same segment leaves ssthresh alone */
	if (why != CC_LOSS_RTO || !r->timed_out)
		cc->ssthresh = half(in_flight, mss);
	r->timed_out = r->rto_start = why == CC_LOSS_RTO;
	cc->cwnd = why == CC_LOSS_RTO ? mss : cc->ssthresh;
}

static void reno_recovered(struct cc *cc, uint32_t in_flight, uint32_t mss,
			   uint64_t now_ns)
{
	(void)in_flight;
	(void)mss;
	(void)now_ns;
	cc_recovered(cc);
	reno(cc)->n_counted = 0;
}

static void reno_idle(struct cc *cc, uint32_t mss, uint64_t now_ns)
{
	(void)now_ns;
	cc_restart(cc, mss);
	reno(cc)->n_counted = 0;
}

const struct cc_ops cc_reno = {
	.name = "reno",
	.ack = reno_ack,
	.loss = reno_loss,
	.recovered = reno_recovered,
	.idle = reno_idle,
};

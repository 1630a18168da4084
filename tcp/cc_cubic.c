/*
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406).
 *
 *	W_cubic(t) = C * (t - K)^3 + W_max	where t is the time since avoidance began, and
 *						K when W_max is reached again
 *
 * W_max is the window in which a segment was lost last.  Where Reno would be faster, in
 * short paths and small windows, W_est does as Reno does (4.3).
 *
 * Windows are bytes here, segments in the RFC: so C is multiplied by mss.
 */
#include <assert.h>
#include <math.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tcp/cc.h"
#include "tcp/hystart.h"

#define CUBIC_C 0.4			    /* RFC 9438 5 */
#define BETA 0.7			    /* 4.6 */
#define ALPHA (3 * (1 - BETA) / (1 + BETA)) /* 4.3 */

/* Congestion avoidance since the last loss. */
struct epoch {
	uint64_t begin_ns;   /* without what was not used; 0: not yet */
	uint64_t limited_ns; /* the last ACK that found the window used */
	float k_s;
	uint32_t w_est;
	float est_rest, cwnd_rest; /* parts of bytes by which they grew */
};

struct cubic {
	uint32_t w_max, cwnd_prior;
	bool timed_out; /* as in cc_reno.c */
	bool rto_start; /* this slow start follows a timeout */
	union {
		struct hystart hystart; /* as long as there is no ssthresh */
		struct epoch epoch;
	};
};

static_assert(sizeof(struct cubic) <= CC_STATE_LEN, "fits the connection");

static struct cubic *cubic(struct cc *cc)
{
	return (struct cubic *)(void *)cc->state;
}

/* RFC 9438 4.2, 4.8: K is 0 behind a timeout, and where the window was beyond W_max. */
static void begin_epoch(struct cc *cc, const struct cc_ack *ack)
{
	struct cubic *cu = cubic(cc);

	cu->epoch = (struct epoch){ .begin_ns = ack->now_ns,
				    .limited_ns = ack->now_ns,
				    .w_est = cc->cwnd };
	if (cu->rto_start || cu->w_max <= cc->cwnd)
		cu->w_max = cc->cwnd;
	else
		cu->epoch.k_s =
			(float)cbrt((cu->w_max - cc->cwnd) / (CUBIC_C * ack->mss));
	cu->rto_start = false;
}

/* RFC 9438 5.8: the time in which the window was not used is none. */
static void pass_over_unused(struct epoch *e, const struct cc_ack *ack)
{
	uint64_t gap_ns = ack->now_ns - e->limited_ns;

	if (gap_ns > ack->srtt_ns)
		e->begin_ns += gap_ns;
	e->limited_ns = ack->now_ns;
}

/* The window at which we aim, one round-trip time ahead (4.4). */
static uint32_t target(const struct cc *cc, const struct cubic *cu,
		       const struct cc_ack *ack)
{
	double t = (double)(ack->now_ns - cu->epoch.begin_ns + ack->srtt_ns) /
		   (double)NS_PER_S;
	double d = t - (double)cu->epoch.k_s;
	double w = CUBIC_C * ack->mss * d * d * d + cu->w_max;
	double most = 1.5 * cc->cwnd;

	if (w < cc->cwnd)
		return cc->cwnd;
	return (uint32_t)(w < most ? w : most);
}

/* Adds @n and what was left of the last; keeps the part of a byte. */
static uint32_t take_whole(float *rest, double n)
{
	double sum = (double)*rest + n, whole = floor(sum);

	*rest = (float)(sum - whole);
	return (uint32_t)whole;
}

/* 4.3: what Reno would have. */
static void grow_estimate(struct cc *cc, const struct cc_ack *ack)
{
	struct cubic *cu = cubic(cc);
	struct epoch *e = &cu->epoch;
	double alpha = e->w_est >= cu->cwnd_prior ? 1 : ALPHA;

	e->w_est += take_whole(&e->est_rest, alpha * ack->mss * ack->n_acked / cc->cwnd);
	if (e->w_est > CC_CWND_MAX)
		e->w_est = CC_CWND_MAX;
}

static void avoid(struct cc *cc, const struct cc_ack *ack)
{
	struct cubic *cu = cubic(cc);
	uint32_t aim;

	if (cu->epoch.begin_ns == 0)
		begin_epoch(cc, ack);
	pass_over_unused(&cu->epoch, ack);
	aim = target(cc, cu, ack);
	grow_estimate(cc, ack);
	cc_grow(cc, take_whole(&cu->epoch.cwnd_rest,
			       (double)(aim - cc->cwnd) * ack->n_acked / cc->cwnd));
	if (cc->cwnd < cu->epoch.w_est)
		cc->cwnd = cu->epoch.w_est;
}

static void leave_first_slow_start(struct cc *cc)
{
	cc->ssthresh = cc->cwnd;
	cubic(cc)->epoch = (struct epoch){ .begin_ns = 0 };
}

static void slow_start(struct cc *cc, const struct cc_ack *ack)
{
	struct cubic *cu = cubic(cc);
	uint32_t n, room = cc->ssthresh - cc->cwnd;

	if (cc->ssthresh == UINT32_MAX) {
		n = hystart_ack(&cu->hystart, ack);
		cc_grow(cc, n);
		if (cu->hystart.phase == HYSTART_DONE)
			leave_first_slow_start(cc);
		return;
	}
	/* RFC 3465 2.2, 2.3: two segments an ACK, one after a timeout */
	n = cu->rto_start ? ack->mss : 2 * ack->mss;
	n = ack->n_acked < n ? ack->n_acked : n;
	cc_grow(cc, n < room ? n : room);
}

static void cubic_ack(struct cc *cc, const struct cc_ack *ack)
{
	cubic(cc)->timed_out = false;
	if (ack->recovering || !ack->cwnd_limited)
		return;
	if (cc->cwnd < cc->ssthresh)
		slow_start(cc, ack);
	else
		avoid(cc, ack);
}

/* 4.7: who finds less than before leaves more for others. */
static void note_loss(struct cc *cc)
{
	struct cubic *cu = cubic(cc);

	cu->cwnd_prior = cc->cwnd;
	cu->w_max =
		cc->cwnd < cu->w_max ? (uint32_t)(cc->cwnd * ((1 + BETA) / 2)) : cc->cwnd;
}

static void cubic_loss(struct cc *cc, enum cc_loss why, uint32_t in_flight, uint32_t mss,
		       uint64_t now_ns)
{
	struct cubic *cu = cubic(cc);
	uint32_t ssthresh = (uint32_t)(in_flight * BETA);

	(void)now_ns;
	cu->epoch = (struct epoch){ .begin_ns = 0 };
	/* As in cc_reno.c: a second timeout of the same segment is no news. */
	if (why != CC_LOSS_RTO || !cu->timed_out) {
		note_loss(cc);
		cc->ssthresh = ssthresh > 2 * mss ? ssthresh : 2 * mss;
	}
	cu->timed_out = cu->rto_start = why == CC_LOSS_RTO;
	cc->cwnd = why == CC_LOSS_RTO ? mss : cc->ssthresh;
}

static void cubic_recovered(struct cc *cc, uint32_t in_flight, uint32_t mss,
			    uint64_t now_ns)
{
	(void)in_flight;
	(void)mss;
	(void)now_ns;
	cc_recovered(cc);
}

static void cubic_idle(struct cc *cc, uint32_t mss, uint64_t now_ns)
{
	(void)now_ns;
	cc_restart(cc, mss);
	cubic(cc)->epoch = (struct epoch){ .begin_ns = 0 };
}

const struct cc_ops cc_cubic = {
	.name = "cubic",
	.ack = cubic_ack,
	.loss = cubic_loss,
	.recovered = cubic_recovered,
	.idle = cubic_idle,
};

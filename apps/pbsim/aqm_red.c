/*
 * Random Early Detection, as figure 2 of Floyd and Jacobson, "Random Early Detection
 * Gateways for Congestion Avoidance" (1993), in bytes:
 *
 *	for each arrival
 *		avg <- (1 - w) avg + w q, or when the queue is empty
 *		avg <- (1 - w)^m avg, of m small frames that could have left meanwhile
 *		min <= avg < max: count <- count + 1
 *			p_b <- max_p (avg - min) / (max - min)
 *			p_a <- p_b / (1 - count p_b)
 *			with probability p_a: mark, count <- 0
 *		max <= avg: mark, count <- 0
 *		else count <- -1
 */
#include <math.h>
#include <stdlib.h>

#include "apps/pbsim/aqm_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/rng.h"

struct red {
	struct aqm aqm;
	struct list frames;
	double avg;
	int64_t count;	  /* arrivals since the last mark; -1: avg is below min */
	uint64_t idle_ns; /* since when the queue is empty */
};

static struct aqm *make(const struct aqm_conf *conf)
{
	struct red *r = calloc(1, sizeof(*r));

	(void)conf;
	if (!r)
		return NULL;
	list_init(&r->frames);
	r->count = -1;
	return &r->aqm;
}

double red_average(double avg, double weight, double bytes)
{
	return (1 - weight) * avg + weight * bytes;
}

double red_chance(const struct aqm_conf *conf, double avg, uint32_t count)
{
	double min = (double)conf->min_bytes, max = (double)conf->max_bytes;
	double p = conf->max_p * (avg - min) / (max - min);

	/* The gentle variant: no cliff at max. */
	if (avg >= max)
		p = conf->max_p + (1 - conf->max_p) * (avg - max) / max;
	if (count * p >= 1)
		return 1;
	p /= 1 - count * p;
	return p < 1 ? p : 1;
}

/* What the average fell to while nothing came. */
static void age(struct red *r, uint64_t now_ns)
{
	double frame_ns = r->aqm.rate_bps ? (double)AQM_FRAME * 8 * NS_PER_S /
						    (double)r->aqm.rate_bps :
					    1;

	r->avg *= pow(1 - r->aqm.conf.weight, (double)(now_ns - r->idle_ns) / frame_ns);
}

static bool above(const struct red *r)
{
	uint64_t max = r->aqm.conf.max_bytes;

	return r->avg >= (double)(r->aqm.conf.gentle ? 2 * max : max);
}

/* True: this arrival is one of those that tell. */
static bool chosen(struct red *r)
{
	const struct aqm_conf *conf = &r->aqm.conf;

	if (r->avg < (double)conf->min_bytes) {
		r->count = -1;
		return false;
	}
	r->count++;
	if (!above(r) &&
	    !rng_chance(r->aqm.rng, red_chance(conf, r->avg, (uint32_t)r->count)))
		return false;
	r->count = 0;
	return true;
}

static void enqueue(struct aqm *q, struct frame *f, uint64_t now_ns)
{
	struct red *r = container_of(q, struct red, aqm);

	if (q->n)
		r->avg = red_average(r->avg, q->conf.weight, (double)q->bytes);
	else
		age(r, now_ns);
	if (!aqm_room(q, f)) {
		r->count = 0;
		aqm_drop(q, f, &q->stats.full);
		return;
	}
	/* RFC 3168 7: above the upper threshold packets are dropped, capable or not */
	if (chosen(r) && (above(r) || !aqm_marked(q, f))) {
		aqm_drop(q, f, &q->stats.early);
		return;
	}
	aqm_push(q, &r->frames, f);
}

static struct frame *dequeue(struct aqm *q, uint64_t now_ns)
{
	struct red *r = container_of(q, struct red, aqm);
	struct frame *f = aqm_pop(q, &r->frames);

	if (f && q->n == 0)
		r->idle_ns = now_ns;
	return f;
}

static void red_free(struct aqm *q)
{
	free(container_of(q, struct red, aqm));
}

const struct aqm_ops aqm_red_ops = {
	.name = "red",
	.make = make,
	.enqueue = enqueue,
	.dequeue = dequeue,
	.free = red_free,
};

/*
 * One direction of a link:
 *
 *	sent -> longer than the MTU? -> queue (aqm.h) -> wire at rate_bps -> lost?
 *	     -> delay, jitter, hold -> reordered? -> corrupted? -> duplicated? -> delivered
 *
 * Each line draws its own chances, so what happens on one does not change the luck of
 * another.  Its event is due when the wire is free, or a frame arrives.
 */
#include <stdlib.h>

#include "apps/pbsim/pbsim_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/hash.h"

typedef unsigned __int128 wide; /* bits times nanoseconds a second leave 64 bits */

enum { MTU = 1500, DIGEST_LEN = 40 /* of IP and TCP: what follows is told by them */ };

static struct frame *frame_at(struct list *node)
{
	return container_of(node, struct frame, node);
}

static uint64_t random_below(struct rng *r, uint64_t n)
{
	return (uint64_t)((wide)rng_u64(r) * n >> 64);
}

static bool chance(struct line *l, double p)
{
	return p > 0 && rng_chance(&l->rng, p);
}

/* ---- behind the wire ---- */

/* Gilbert (1960) and Elliott (1963): losses come in bursts, in the bad state. */
static bool is_lost(struct line *l)
{
	const struct pbsim_line *c = &l->conf;

	if (c->to_bad > 0) {
		if (chance(l, l->bad ? c->to_good : c->to_bad))
			l->bad = !l->bad;
		if (l->bad && (c->loss_bad <= 0 || chance(l, c->loss_bad)))
			return true;
	}
	return chance(l, c->loss);
}

/* When a frame whose last bit left at @now_ns arrives. */
static uint64_t arrival(struct line *l, uint64_t now_ns)
{
	const struct pbsim_line *c = &l->conf;
	uint64_t at_ns = now_ns + c->delay_ns;

	if (c->jitter_ns)
		at_ns += random_below(&l->rng, c->jitter_ns + 1);
	if (c->hold_ns)
		at_ns = (at_ns + c->hold_ns - 1) / c->hold_ns * c->hold_ns;
	if (at_ns < l->last_ns)
		at_ns = l->last_ns;
	if (chance(l, c->reorder)) {
		l->stats.reordered++;
		return at_ns + c->reorder_ns;
	}
	l->last_ns = at_ns;
	return at_ns;
}

static void insert(struct line *l, struct frame *f)
{
	struct list *at = l->flight.prev;

	/* Only frames that were reordered lie behind: few, so this is short. */
	while (at != &l->flight && frame_at(at)->at_ns > f->at_ns)
		at = at->prev;
	list_insert(at, &f->node);
	event_hasten(&l->s->heap, &l->event, f->at_ns);
}

static void corrupt(struct line *l, struct frame *f)
{
	uint64_t bit;

	frame_complete_sum(f);
	bit = random_below(&l->rng, (uint64_t)f->len * 8);
	f->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	l->stats.corrupted++;
}

/* The last bit of @f left the wire. */
static void depart(struct line *l, struct frame *f, uint64_t now_ns)
{
	struct frame *twin = NULL;

	if (l->capture)
		capture_frame(l, f, now_ns);
	if (is_lost(l)) {
		l->stats.lost++;
		frame_free(&l->s->shop, f);
		return;
	}
	f->at_ns = arrival(l, now_ns);
	if (chance(l, l->conf.corrupt))
		corrupt(l, f);
	if (chance(l, l->conf.duplicate))
		twin = frame_copy(&l->s->shop, f);
	insert(l, f);
	if (twin) {
		l->stats.duplicated++;
		insert(l, twin);
	}
}

static void digest(struct line *l, const struct frame *f)
{
	struct hash_key key = { { l->s->digest ^ l->event.order, f->at_ns } };
	uint32_t len = f->len < DIGEST_LEN ? f->len : DIGEST_LEN;

	key.k[0] ^= (uint64_t)f->len << 32;
	l->s->digest = hash_siphash13(&key, f->bytes, len);
}

static void deliver(struct line *l, struct frame *f, uint64_t now_ns)
{
	l->stats.delivered++;
	l->stats.delivered_bytes += f->len;
	digest(l, f);
	if (l->to->host)
		host_input(l->to->host, f);
	else
		router_input(l->to, f, now_ns);
}

/* ---- the wire ---- */

/* The next one that waits goes on it. */
static void load(struct line *l, uint64_t now_ns)
{
	wide bits_ns;

	l->wire = aqm_dequeue(l->queue, now_ns);
	if (!l->wire) {
		l->part = 0;
		return;
	}
	/* With the fraction kept, a thousand frames take a thousand times as long as one,
	 * exactly. */
	bits_ns = (wide)l->wire->wire_len * 8 * NS_PER_S + l->part;
	l->free_ns = now_ns + (uint64_t)(bits_ns / l->conf.rate_bps);
	l->part = (uint64_t)(bits_ns % l->conf.rate_bps);
	event_hasten(&l->s->heap, &l->event, l->free_ns);
}

static void fire(struct event *e, uint64_t now_ns)
{
	struct line *l = container_of(e, struct line, event);
	uint64_t next = EVENT_NEVER;

	if (l->wire && l->free_ns <= now_ns) {
		struct frame *f = l->wire;

		load(l, now_ns);
		depart(l, f, now_ns);
	}
	while (!list_empty(&l->flight) && frame_at(l->flight.next)->at_ns <= now_ns)
		deliver(l, frame_at(list_pop(&l->flight)), now_ns);
	if (l->wire)
		next = l->free_ns;
	if (!list_empty(&l->flight) && frame_at(l->flight.next)->at_ns < next)
		next = frame_at(l->flight.next)->at_ns;
	event_set(&l->s->heap, e, next);
}

void line_send(struct line *l, struct frame *f, uint64_t now_ns)
{
	l->stats.sent++;
	/* A super-frame was cut to the MTU by its sender, in thought. */
	if (f->len > l->conf.mtu && !f->gso_len) {
		l->stats.too_long++;
		frame_free(&l->s->shop, f);
		return;
	}
	if (!l->conf.rate_bps) {
		depart(l, f, now_ns);
		return;
	}
	aqm_enqueue(l->queue, f, now_ns);
	if (!l->wire)
		load(l, now_ns);
}

/* ---- life ---- */

struct line *line_new(struct pbsim *s, struct node *from, struct node *to,
		      const struct pbsim_line *conf)
{
	struct line *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->s = s;
	l->from = from;
	l->to = to;
	l->conf = *conf;
	l->conf.mtu = conf->mtu ? conf->mtu : MTU;
	list_init(&l->flight);
	rng_init(&l->rng, pbsim_seed(s, "line", s->n_lines));
	l->queue = aqm_new(&conf->queue, &s->shop, &l->rng, conf->rate_bps);
	if (!l->queue || event_init(&s->heap, &l->event, fire)) {
		if (l->queue)
			aqm_free(l->queue);
		free(l);
		return NULL;
	}
	return l;
}

void line_free(struct line *l)
{
	struct list *node;

	if (l->wire)
		frame_free(&l->s->shop, l->wire);
	while ((node = list_pop(&l->flight)))
		frame_free(&l->s->shop, frame_at(node));
	aqm_free(l->queue);
	free(l);
}

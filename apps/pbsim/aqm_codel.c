/*
 * Controlled Delay, RFC 8289, by its section 5.
 *
 * A queue is bad when no frame of a whole interval waited less than the target.  Then
 * one is dropped, the next after interval / sqrt(2), and so on, until one waited less.
 * Where the sender is capable of ECN, a mark stands for the drop, and the frame goes.
 */
#include <math.h>
#include <stdlib.h>

#include "apps/pbsim/aqm_impl.h"
#include "stack/base/check.h"

void codel_init(struct codel *c)
{
	*c = (struct codel){ 0 };
	list_init(&c->frames);
}

void codel_push(struct codel *c, struct aqm *q, struct frame *f)
{
	c->bytes += f->wire_len;
	aqm_push(q, &c->frames, f);
}

uint64_t codel_next(uint64_t at_ns, uint64_t interval_ns, uint32_t count)
{
	return at_ns + (uint64_t)((double)interval_ns / sqrt(count));
}

/* RFC 8289 5.6, dodequeue(): the next frame, and whether it may be dropped. */
static struct frame *next(struct codel *c, struct aqm *q, uint64_t now_ns, bool *may_drop)
{
	struct frame *f = aqm_pop(q, &c->frames);

	*may_drop = false;
	if (!f) {
		c->first_above_ns = 0;
		return NULL;
	}
	c->bytes -= f->wire_len;
	/* "bytes() <= MAXPACKET": a queue that holds less than a frame is no queue */
	if (now_ns - f->at_ns < q->conf.target_ns || c->bytes <= AQM_FRAME)
		c->first_above_ns = 0;
	else if (!c->first_above_ns)
		c->first_above_ns = now_ns + q->conf.interval_ns;
	else
		*may_drop = now_ns >= c->first_above_ns;
	return f;
}

/* Drops or marks @f; who goes then. */
static struct frame *tell(struct codel *c, struct aqm *q, struct frame *f,
			  uint64_t now_ns, bool *may_drop)
{
	if (aqm_marked(q, f))
		return f;
	aqm_drop(q, f, &q->stats.early);
	return next(c, q, now_ns, may_drop);
}

/* RFC 8289 5.5: where the last dropping state was near, it goes on at its rate. */
static void begin(struct codel *c, const struct aqm *q, uint64_t now_ns)
{
	uint32_t delta = c->count - c->last_count;
	bool recent =
		(int64_t)(now_ns - c->drop_next_ns) < (int64_t)(16 * q->conf.interval_ns);

	c->dropping = true;
	c->count = delta > 1 && recent ? delta : 1;
	c->last_count = c->count;
	c->drop_next_ns = codel_next(now_ns, q->conf.interval_ns, c->count);
}

struct frame *codel_dequeue(struct codel *c, struct aqm *q, uint64_t now_ns)
{
	bool may_drop;
	struct frame *f = next(c, q, now_ns, &may_drop);

	if (!c->dropping) {
		if (!may_drop)
			return f;
		f = tell(c, q, f, now_ns, &may_drop);
		begin(c, q, now_ns);
		return f;
	}
	c->dropping = may_drop;
	while (c->dropping && now_ns >= c->drop_next_ns) {
		uint64_t early = q->stats.early;

		c->count++;
		f = tell(c, q, f, now_ns, &may_drop);
		c->dropping = may_drop;
		if (c->dropping)
			c->drop_next_ns = codel_next(c->drop_next_ns, q->conf.interval_ns,
						     c->count);
		/* It was marked: it goes. */
		if (q->stats.early == early)
			break;
	}
	return f;
}

/* ---- a queue of one ---- */

struct one {
	struct aqm aqm;
	struct codel codel;
};

static struct aqm *make(const struct aqm_conf *conf)
{
	struct one *o = calloc(1, sizeof(*o));

	(void)conf;
	if (!o)
		return NULL;
	codel_init(&o->codel);
	return &o->aqm;
}

static void enqueue(struct aqm *q, struct frame *f, uint64_t now_ns)
{
	(void)now_ns;
	if (aqm_room(q, f))
		codel_push(&container_of(q, struct one, aqm)->codel, q, f);
	else
		aqm_drop(q, f, &q->stats.full);
}

static struct frame *dequeue(struct aqm *q, uint64_t now_ns)
{
	return codel_dequeue(&container_of(q, struct one, aqm)->codel, q, now_ns);
}

static void one_free(struct aqm *q)
{
	free(container_of(q, struct one, aqm));
}

const struct aqm_ops aqm_codel_ops = {
	.name = "codel",
	.make = make,
	.enqueue = enqueue,
	.dequeue = dequeue,
	.free = one_free,
};

#include <stdlib.h>

#include "apps/pbsim/aqm_impl.h"
#include "stack/base/check.h"

struct tail {
	struct aqm aqm;
	struct list frames;
};

static struct aqm *make(const struct aqm_conf *conf)
{
	struct tail *t = calloc(1, sizeof(*t));

	(void)conf;
	if (!t)
		return NULL;
	list_init(&t->frames);
	return &t->aqm;
}

static void enqueue(struct aqm *q, struct frame *f, uint64_t now_ns)
{
	struct tail *t = container_of(q, struct tail, aqm);

	(void)now_ns;
	if (!aqm_room(q, f)) {
		aqm_drop(q, f, &q->stats.full);
		return;
	}
	/* RFC 8257 3.1: CE when the queue that it finds is longer than K, at once and
	 * without an average. */
	if (q->conf.mark_bytes && q->bytes > q->conf.mark_bytes && frame_mark(f))
		q->stats.marked++;
	aqm_push(q, &t->frames, f);
}

static struct frame *dequeue(struct aqm *q, uint64_t now_ns)
{
	(void)now_ns;
	return aqm_pop(q, &container_of(q, struct tail, aqm)->frames);
}

static void tail_free(struct aqm *q)
{
	free(container_of(q, struct tail, aqm));
}

const struct aqm_ops aqm_tail_ops = {
	.name = "tail",
	.make = make,
	.enqueue = enqueue,
	.dequeue = dequeue,
	.free = tail_free,
};

/*
 * FlowQueue-CoDel, RFC 8290.
 *
 *	arrival --hash--> flow --idle--> new flows --credit used--> old flows --empty--> idle
 *
 * Flows that just began go before the others, and one turn is worth a quantum of bytes
 * (deficit round robin).  When all is full, the fattest flow pays.
 */
#include <stdlib.h>

#include "apps/pbsim/aqm_impl.h"
#include "stack/base/check.h"
#include "stack/base/rng.h"

enum { DROP_BATCH = 64 }; /* RFC 8290 4.1: at most so many of the fattest flow at once */

struct flow_queue {
	struct list turn; /* in the new flows, the old ones, or alone: idle */
	struct codel codel;
	int64_t credit;
};

struct fq {
	struct aqm aqm;
	uint64_t salt; /* so that nobody knows who shares a queue; 0: not drawn yet */
	struct list fresh, old;
	uint32_t n_flows;
	struct flow_queue flows[];
};

static struct aqm *make(const struct aqm_conf *conf)
{
	struct fq *fq = calloc(1, sizeof(*fq) + conf->n_flows * sizeof(fq->flows[0]));

	if (!fq)
		return NULL;
	list_init(&fq->fresh);
	list_init(&fq->old);
	fq->n_flows = conf->n_flows;
	for (uint32_t i = 0; i < fq->n_flows; i++) {
		list_init(&fq->flows[i].turn);
		codel_init(&fq->flows[i].codel);
	}
	return &fq->aqm;
}

/* RFC 8290 4.1: from the head of the longest, half of it or a batch. */
static void shed(struct fq *fq)
{
	struct flow_queue *fat = &fq->flows[0];
	struct aqm *q = &fq->aqm;
	uint64_t enough;

	for (uint32_t i = 1; i < fq->n_flows; i++)
		if (fq->flows[i].codel.bytes > fat->codel.bytes)
			fat = &fq->flows[i];
	enough = fat->codel.bytes / 2;
	for (unsigned i = 0; i < DROP_BATCH && fat->codel.bytes > enough; i++) {
		struct frame *f = aqm_pop(q, &fat->codel.frames);

		fat->codel.bytes -= f->wire_len;
		aqm_drop(q, f, &q->stats.full);
	}
}

static void enqueue(struct aqm *q, struct frame *f, uint64_t now_ns)
{
	struct fq *fq = container_of(q, struct fq, aqm);
	struct flow_queue *flow;

	(void)now_ns;
	if (!fq->salt)
		fq->salt = rng_u64(q->rng) | 1;
	flow = &fq->flows[frame_flow_hash(f, fq->salt) % fq->n_flows];
	codel_push(&flow->codel, q, f);
	if (list_empty(&flow->turn)) {
		list_push(&fq->fresh, &flow->turn);
		flow->credit = q->conf.quantum;
	}
	while (q->n > 1 && q->bytes > q->conf.limit_bytes)
		shed(fq);
}

/* RFC 8290 4.2 */
static struct frame *dequeue(struct aqm *q, uint64_t now_ns)
{
	struct fq *fq = container_of(q, struct fq, aqm);

	for (;;) {
		bool fresh = !list_empty(&fq->fresh);
		struct list *turns = fresh ? &fq->fresh : &fq->old;
		struct flow_queue *flow;
		struct frame *f;

		if (list_empty(turns))
			return NULL;
		flow = container_of(turns->next, struct flow_queue, turn);
		if (flow->credit <= 0) {
			flow->credit += q->conf.quantum;
			list_remove(&flow->turn);
			list_push(&fq->old, &flow->turn);
			continue;
		}
		f = codel_dequeue(&flow->codel, q, now_ns);
		if (f) {
			flow->credit -= f->wire_len;
			return f;
		}
		/* A flow that was new waits its turn once as an old one, lest it become
		 * new again and again. */
		list_remove(&flow->turn);
		if (fresh)
			list_push(&fq->old, &flow->turn);
	}
}

static void fq_free(struct aqm *q)
{
	free(container_of(q, struct fq, aqm));
}

const struct aqm_ops aqm_fq_codel_ops = {
	.name = "fq_codel",
	.make = make,
	.enqueue = enqueue,
	.dequeue = dequeue,
	.free = fq_free,
};

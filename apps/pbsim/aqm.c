#include <stdlib.h>

#include "apps/pbsim/aqm_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static const struct aqm_ops *const kinds[AQM_N_KINDS] = {
	[AQM_TAIL] = &aqm_tail_ops,
	[AQM_RED] = &aqm_red_ops,
	[AQM_CODEL] = &aqm_codel_ops,
	[AQM_FQ_CODEL] = &aqm_fq_codel_ops,
};

const char *aqm_kind_name(enum aqm_kind kind)
{
	return kind < AQM_N_KINDS ? kinds[kind]->name : NULL;
}

static void complete(struct aqm_conf *c)
{
	c->limit_bytes = c->limit_bytes ? c->limit_bytes : AQM_LIMIT;
	c->min_bytes = c->min_bytes ? c->min_bytes : c->limit_bytes / 12;
	c->max_bytes = c->max_bytes ? c->max_bytes : 3 * c->min_bytes;
	c->max_p = c->max_p > 0 ? c->max_p : 0.1;
	c->weight = c->weight > 0 ? c->weight : 0.002;
	/* RFC 8289 4.3, 4.4 */
	c->target_ns = c->target_ns ? c->target_ns : 5 * NS_PER_MS;
	c->interval_ns = c->interval_ns ? c->interval_ns : 100 * NS_PER_MS;
	/* RFC 8290 5.2 */
	c->quantum = c->quantum ? c->quantum : 1514;
	c->n_flows = c->n_flows ? c->n_flows : 1024;
}

struct aqm *aqm_new(const struct aqm_conf *conf, struct frame_shop *shop, struct rng *rng,
		    uint64_t rate_bps)
{
	struct aqm_conf whole = *conf;
	struct aqm *q;

	complete(&whole);
	q = kinds[conf->kind]->make(&whole);
	if (!q)
		return NULL;
	q->ops = kinds[conf->kind];
	q->conf = whole;
	q->shop = shop;
	q->rng = rng;
	q->rate_bps = rate_bps;
	return q;
}

void aqm_free(struct aqm *q)
{
	struct frame *f;

	while ((f = aqm_dequeue(q, UINT64_MAX)))
		frame_free(q->shop, f);
	q->ops->free(q);
}

void aqm_enqueue(struct aqm *q, struct frame *f, uint64_t now_ns)
{
	q->stats.in++;
	f->at_ns = now_ns;
	q->ops->enqueue(q, f, now_ns);
}

struct frame *aqm_dequeue(struct aqm *q, uint64_t now_ns)
{
	struct frame *f = q->ops->dequeue(q, now_ns);
	uint64_t waited;

	if (!f)
		return NULL;
	waited = now_ns - f->at_ns;
	q->stats.out++;
	q->stats.waited_ns += waited;
	if (waited > q->stats.waited_max_ns)
		q->stats.waited_max_ns = waited;
	return f;
}

uint64_t aqm_peak(struct aqm *q)
{
	uint64_t peak = q->peak;

	q->peak = q->bytes;
	return peak;
}

bool aqm_room(const struct aqm *q, const struct frame *f)
{
	return q->n == 0 || q->bytes + f->wire_len <= q->conf.limit_bytes;
}

void aqm_push(struct aqm *q, struct list *list, struct frame *f)
{
	list_push(list, &f->node);
	q->bytes += f->wire_len;
	q->n++;
	if (q->bytes > q->peak)
		q->peak = q->bytes;
	if (q->bytes > q->stats.peak)
		q->stats.peak = q->bytes;
}

struct frame *aqm_pop(struct aqm *q, struct list *list)
{
	struct list *node = list_pop(list);
	struct frame *f;

	if (!node)
		return NULL;
	f = container_of(node, struct frame, node);
	q->bytes -= f->wire_len;
	q->n--;
	return f;
}

void aqm_drop(struct aqm *q, struct frame *f, uint64_t *counter)
{
	++*counter;
	frame_free(q->shop, f);
}

bool aqm_marked(struct aqm *q, struct frame *f)
{
	if (!q->conf.ecn || !frame_mark(f))
		return false;
	q->stats.marked++;
	return true;
}

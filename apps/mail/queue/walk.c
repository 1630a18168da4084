/*
 * A walk over the items of a destination that are due up to now, batch by batch: the
 * next one begins when the last is committed, so that neither memory nor the store's
 * queue fills, and the items that others have are passed over.
 *
 * When a destination failed, each of its items had an attempt: it gets its own next time, its
 * sender a report when it is old or the failure is for good.  Then the destination is put
 * off as a whole, with the last commit.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/queue/queue_impl.h"
#include "stack/base/check.h"

struct batch {
	struct queue_walk *walk;
	unsigned n;
	uint64_t ids[QUEUE_WALK_BATCH];
};

static bool collect(void *arg, uint64_t due_ms, uint64_t id)
{
	struct batch *b = arg;
	struct queue_walk *w = b->walk;

	if (due_ms > w->until_ms) {
		w->at_end = true;
		return false;
	}
	if (b->n == QUEUE_WALK_BATCH)
		return false;
	w->from_due_ms = due_ms;
	w->from_id = id + 1;
	if (!w->dest || !queue_is_taken(w->dest, id))
		b->ids[b->n++] = id;
	return true;
}

static int next_batch(struct queue_walk *w, struct batch *b)
{
	struct store_read *read;
	int r = store_read_begin(w->queue->store, &read);

	if (r < 0)
		return r;
	b->walk = w;
	b->n = 0;
	r = spool_each_due(read, (struct str){ w->name, w->name_len }, w->from_due_ms,
			   w->from_id, collect, b);
	store_read_end(read);
	/* The destination's last item may not have been beyond the time. */
	w->at_end |= b->n < QUEUE_WALK_BATCH;
	return r;
}

/* An item nobody has, with the same result for all its recipients. */
static void fail_item(struct queue_walk *w, uint64_t id)
{
	struct queue_dest *d = w->dest;
	struct queue_taken *t;
	struct envelope *env;

	if (d->n_taken == QUEUE_TAKEN_MAX)
		return; /* as it was; it has its turn when the destination has */
	t = queue_load(d, id);
	if (!t)
		return;
	queue_take(d, id);
	env = &t->item.env;
	for (size_t i = 0; i < env->n_rcpts; i++) {
		t->results[i] = w->result;
		env->rcpts[i].last = w->reply;
	}
	env->n_attempts++;
	env->last_ms = w->queue->ops.wall_ms(w->queue->ops_arg);
	env->remote = w->remote;
	w->queue->stats.attempts++;
	w->n_out++;
	if (queue_settle_item(w->queue, d, t, w) < 0) {
		w->n_out--;
		queue_untake(d, id);
		queue_taken_free(w->queue, t);
	}
}

/* The last commit: the destination waits. */
static void put_off(struct queue_walk *w)
{
	struct queue_settle *s = queue_settle_new(w->queue, 0);
	struct queue *q = w->queue;

	if (!s)
		return;
	q->stats.put_off++;
	s->spool.put_off = (struct str){ w->name, w->name_len };
	s->spool.put_off_fails = ++w->dest->fails;
	s->spool.put_off_ms = q->ops.wall_ms(q->ops_arg) +
			      sched_interval(&q->sched, w->dest->fails, &q->rng);
	s->walk = w;
	w->n_out++;
	queue_settle_submit(s);
}

static void end(struct queue_walk *w)
{
	struct queue_dest *d = w->dest;

	if (d) {
		d->walk = NULL;
		queue_dest_look(d);
	} else {
		list_remove(&w->node);
		w->queue->n_walks--;
		queue_work_soon(w->queue);
	}
	free(w);
}

static void retry_batch(struct queue_walk *w, const struct batch *b)
{
	struct queue_settle *s = queue_settle_new(w->queue, b->n);

	if (!s) {
		w->at_end = true;
		return;
	}
	for (unsigned i = 0; i < b->n; i++)
		s->changes[i] = (struct spool_change){
			.id = b->ids[i],
			.due_ms = w->now_ms,
		};
	/* No longer put off, and it does not count what was. */
	s->spool.put_off = (struct str){ w->name, w->name_len };
	s->walk = w;
	w->n_out++;
	queue_settle_submit(s);
}

/* The next batch; false: there is none. */
static bool step(struct queue_walk *w)
{
	struct batch b;
	bool was_at_end = w->at_end;

	if (was_at_end || next_batch(w, &b) < 0 || w->queue->stopped)
		return false;
	if (!w->dest) {
		retry_batch(w, &b);
		return true;
	}
	for (unsigned i = 0; i < b.n; i++)
		fail_item(w, b.ids[i]);
	if (w->at_end && w->result == QUEUE_LATER)
		put_off(w);
	return true;
}

/* Commits are answered in a later turn, never from inside of the submit. */
static void go_on(struct queue_walk *w)
{
	while (w->n_out == 0)
		if (!step(w)) {
			end(w);
			return;
		}
}

void queue_walk_settled(struct queue_walk *w)
{
	w->n_out--;
	go_on(w);
}

int queue_walk_fail(struct queue_dest *d, enum queue_result result, struct str remote,
		    const struct envelope_reply *reply)
{
	struct queue_walk *w = calloc(1, sizeof(*w));
	size_t text_len = reply->text.len < sizeof(w->reply_text) ? reply->text.len :
								    sizeof(w->reply_text);

	if (!w)
		return -ENOMEM;
	w->queue = d->queue;
	w->dest = d;
	memcpy(w->name, d->name, d->name_len);
	w->name_len = d->name_len;
	w->until_ms = d->queue->ops.wall_ms(d->queue->ops_arg);
	w->result = result;
	w->reply = *reply;
	memcpy(w->reply_text, reply->text.p, text_len);
	w->reply.text = (struct str){ w->reply_text, text_len };
	w->remote.len =
		remote.len < sizeof(w->remote_text) ? remote.len : sizeof(w->remote_text);
	memcpy(w->remote_text, remote.p, w->remote.len);
	w->remote.p = w->remote_text;
	d->failing = true;
	d->walk = w;
	go_on(w);
	return 0;
}

int queue_retry_dest(struct queue *q, struct str dest)
{
	struct queue_walk *w;

	if (q->n_walks == QUEUE_WALKS_MAX)
		return -EBUSY;
	if (dest.len == 0 || dest.len > SPOOL_DEST_MAX)
		return -ENOENT;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->queue = q;
	memcpy(w->name, dest.p, dest.len);
	w->name_len = dest.len;
	/* What is due already needs no change, and what was changed is behind. */
	w->now_ms = q->ops.wall_ms(q->ops_arg);
	w->from_due_ms = w->now_ms + 1;
	w->until_ms = SPOOL_NEVER - 1;
	list_push(&q->walks, &w->node);
	q->n_walks++;
	go_on(w);
	return 0;
}

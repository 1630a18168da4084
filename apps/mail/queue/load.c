/*
 * An item on its way into memory: its envelope, and its message as the store holds it.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/queue/queue_impl.h"

bool queue_is_due(const struct queue_dest *d, uint64_t due_ms)
{
	return due_ms <= (d->called_ms ? SPOOL_NEVER - 1 :
					 d->queue->ops.wall_ms(d->queue->ops_arg));
}

void queue_taken_free(struct queue *q, struct queue_taken *t)
{
	if (t->hold)
		store_release(q->store, t->hold);
	free(t->texts);
	free(t->bytes);
	free(t);
}

/* 0; -EAGAIN: it is not due, or not there; or another -errno. */
static int load_envelope(struct queue_dest *d, struct queue_taken *t)
{
	struct queue *q = d->queue;
	struct store_read *read;
	struct spool_item item;
	int r = store_read_begin(q->store, &read);

	if (r < 0)
		return -ENOMEM;
	r = spool_get(read, t->item.id, &item);
	if (r == -ENOENT || (r == 0 && !queue_is_due(d, item.due_ms)))
		r = -EAGAIN;
	t->bytes = r == 0 ? str_dup(item.bytes) : NULL;
	if (r == 0 && !t->bytes)
		r = -ENOMEM;
	else if (r == 0 &&
		 !envelope_parse((struct str){ t->bytes, item.bytes.len }, &t->item.env))
		r = -EIO;
	store_read_end(read);
	return r;
}

static int load(struct queue_dest *d, struct queue_taken *t)
{
	struct queue *q = d->queue;
	int r = load_envelope(d, t);

	if (r < 0)
		return r;
	if (d->called_ms && t->item.env.last_ms >= d->called_ms)
		return -EAGAIN;
	t->texts = malloc(t->item.env.n_rcpts * SMTP_REPLY_TEXT_MAX);
	if (!t->texts)
		return -ENOMEM;
	r = spool_hold(q->store, t->item.id, &t->hold);
	if (r == 0)
		t->item.message = t->hold->pieces[1];
	return r == -ENOENT ? -EAGAIN : r;
}

/* Somebody must look at it; it is not tried again and again. */
static void hold_damaged(struct queue_dest *d, uint64_t id)
{
	struct queue_settle *s = queue_settle_new(d->queue, 1);

	d->queue->stats.damaged++;
	d->sick = true;
	if (!s)
		return;
	s->changes[0] = (struct spool_change){ .id = id, .due_ms = SPOOL_NEVER };
	queue_settle_submit(s);
}

struct queue_taken *queue_load(struct queue_dest *d, uint64_t id)
{
	struct queue_taken *t = calloc(1, sizeof(*t));
	int r = -ENOMEM;

	if (t) {
		t->item.id = id;
		r = load(d, t);
	}
	if (r == 0)
		return t;
	if (r == -EIO)
		hold_damaged(d, id);
	else if (r != -EAGAIN)
		d->sick = true;
	if (t)
		queue_taken_free(d->queue, t);
	return NULL;
}

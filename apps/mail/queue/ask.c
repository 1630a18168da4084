/*
 * What those who keep the queue ask of it, one item at a time.
 */
#include <errno.h>

#include "apps/mail/queue/queue_impl.h"

static int find(struct queue *q, uint64_t id, char dest[SPOOL_DEST_MAX], size_t *dest_len)
{
	struct store_read *read;
	struct spool_item item;
	int r = store_read_begin(q->store, &read);

	if (r < 0)
		return r;
	r = spool_get(read, id, &item);
	if (r == 0) {
		memcpy(dest, item.dest.p, item.dest.len);
		*dest_len = item.dest.len;
	}
	store_read_end(read);
	return r;
}

static int change(struct queue *q, struct spool_change change, bool calls_dest)
{
	char dest[SPOOL_DEST_MAX];
	struct queue_settle *s;
	size_t dest_len = 0;
	int r = find(q, change.id, dest, &dest_len);

	if (r < 0)
		return r;
	s = queue_settle_new(q, 1);
	if (!s)
		return -ENOMEM;
	s->changes[0] = change;
	if (calls_dest) {
		s->bytes = str_dup((struct str){ dest, dest_len });
		s->spool.put_off = (struct str){ s->bytes, s->bytes ? dest_len : 0 };
	}
	queue_settle_submit(s);
	return 0;
}

int queue_hold(struct queue *q, uint64_t id)
{
	return change(q, (struct spool_change){ .id = id, .due_ms = SPOOL_NEVER }, false);
}

int queue_remove(struct queue *q, uint64_t id)
{
	return change(q, (struct spool_change){ .id = id, .remove = true }, false);
}

/* Its destination is no longer put off, either. */
int queue_retry(struct queue *q, uint64_t id)
{
	uint64_t now_ms = q->ops.wall_ms(q->ops_arg);

	return change(q, (struct spool_change){ .id = id, .due_ms = now_ms }, true);
}

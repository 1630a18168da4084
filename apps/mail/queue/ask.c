/*
 * What those who keep the queue ask of it, one item at a time; and those who call for
 * their mail.
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

/* What is called for. */
struct call {
	struct str dest;
	bool below;
	size_t n_names;
	struct str names[QUEUE_CALL_DESTS];
	char text[QUEUE_CALL_DESTS][SPOOL_DEST_MAX];
	uint64_t n_items;
};

static void call_name(struct call *c, struct str name)
{
	char *text = c->text[c->n_names];

	for (size_t i = 0; i < name.len; i++)
		text[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] | 0x20 :
									name.p[i]);
	c->names[c->n_names++] = (struct str){ text, name.len };
}

static bool is_below(struct str name, struct str dest)
{
	return name.len > dest.len && name.p[name.len - dest.len - 1] == '.' &&
	       str_eq_nocase((struct str){ name.p + name.len - dest.len, dest.len },
			     dest);
}

static bool collect(void *arg, struct str dest, uint64_t ready_ms)
{
	struct call *c = arg;

	(void)ready_ms;
	if (is_below(dest, c->dest))
		call_name(c, dest);
	return c->n_names < QUEUE_CALL_DESTS;
}

static bool count(void *arg, uint64_t due_ms, uint64_t id)
{
	uint64_t *n = arg;

	(void)id;
	*n += due_ms != SPOOL_NEVER;
	return *n < QUEUE_CALL_COUNT;
}

/* Which destinations there are, without those that have nothing. */
static int look_up(struct queue *q, struct call *c)
{
	struct store_read *read;
	int r = store_read_begin(q->store, &read);

	if (r < 0)
		return r;
	call_name(c, c->dest);
	if (c->below)
		r = spool_each_ready(read, collect, c);
	for (size_t i = 0; i < c->n_names && r == 0; i++) {
		uint64_t n = 0;

		r = spool_each_due(read, c->names[i], 0, 0, count, &n);
		c->n_items += n;
		if (n == 0)
			c->names[i].len = 0;
	}
	store_read_end(read);
	return r;
}

int queue_call(struct queue *q, struct str dest, bool below, uint64_t *n)
{
	struct call c = { .dest = dest, .below = below };
	int r;

	if (dest.len == 0 || dest.len > SPOOL_DEST_MAX || memchr(dest.p, 0, dest.len))
		return -ENOENT;
	r = look_up(q, &c);
	for (size_t i = 0; i < c.n_names && r == 0; i++)
		if (c.names[i].len > 0)
			r = queue_retry_dest(q, c.names[i]);
	if (r == 0)
		*n = c.n_items;
	return r;
}

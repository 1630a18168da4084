/*
 * What those ask who call for their mail: that it is sent where it always goes (RFC 1985),
 * or given to them (RFC 2645), whenever it would be due.
 */
#include <errno.h>

#include "apps/mail/queue/queue_impl.h"

/* What is called for. */
struct call {
	struct str dest;
	bool below;
	size_t n_names;
	struct str names[QUEUE_CALL_DESTS];
	char text[QUEUE_CALL_DESTS][SPOOL_DEST_MAX];
	uint64_t n_items;
};

static bool is_dest(struct str name)
{
	return name.len > 0 && name.len <= SPOOL_DEST_MAX && !memchr(name.p, 0, name.len);
}

/* As destinations are in the spool. */
static struct str lower(struct str name, char text[static SPOOL_DEST_MAX])
{
	str_lower(name, text);
	return (struct str){ text, name.len };
}

static void call_name(struct call *c, struct str name)
{
	c->names[c->n_names] = lower(name, c->text[c->n_names]);
	c->n_names++;
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

	if (!is_dest(dest))
		return -ENOENT;
	r = look_up(q, &c);
	for (size_t i = 0; i < c.n_names && r == 0; i++)
		if (c.names[i].len > 0)
			r = queue_retry_dest(q, c.names[i]);
	if (r == 0)
		*n = c.n_items;
	return r;
}

/* What is there for who calls; -ENOENT: nothing. */
static int look_for(struct queue *q, struct str name, struct spool_dest *info)
{
	struct store_read *read;
	uint64_t n = 0;
	int r = store_read_begin(q->store, &read);

	if (r < 0)
		return r;
	r = spool_each_due(read, name, 0, 0, count, &n);
	if (r == 0)
		r = n == 0 ? -ENOENT : spool_get_dest(read, name, info);
	store_read_end(read);
	return r;
}

/* The destination is at work from now on, if it was not. */
static int find_dest(struct queue *q, struct str name, struct queue_dest **dest)
{
	struct spool_dest info = { 0 };
	int r = look_for(q, name, &info);

	if (r < 0)
		return r;
	*dest = queue_dest_find(q, name);
	if (*dest)
		return (*dest)->failing || (*dest)->called_ms ? -EBUSY : 0;
	if (q->stats.dests_open >= q->conf.limits.dests_max)
		return -EBUSY;
	*dest = queue_dest_new(q, name, info.fails);
	return *dest ? 0 : -ENOMEM;
}

int queue_run_called(struct queue *q, struct str dest, struct queue_run **run)
{
	char text[SPOOL_DEST_MAX];
	struct queue_dest *d;
	int r;

	if (!is_dest(dest))
		return -ENOENT;
	r = q->stopped ? -EBUSY : find_dest(q, lower(dest, text), &d);
	if (r < 0)
		return r;
	*run = queue_run_new(d);
	if (!*run)
		return -ENOMEM;
	(*run)->is_called = true;
	queue_dest_call(d, q->ops.wall_ms(q->ops_arg));
	return 0;
}

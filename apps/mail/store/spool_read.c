#include <errno.h>

#include "apps/mail/store/spool.h"
#include "apps/mail/store/store_impl.h"

int spool_get(struct store_read *read, uint64_t id, struct spool_item *item)
{
	char key[RECORD_ITEM_KEY_LEN];
	struct str value;
	int rc;

	record_emit_msg_key(key, id);
	rc = engine_get(read->txn, ENGINE_ITEM, RECORD_STR(key), &value);
	if (rc)
		return rc;
	item->id = id;
	return record_parse_item(value, item) ? 0 : -EIO;
}

int spool_get_dest(struct store_read *read, struct str dest, struct spool_dest *info)
{
	struct str value;
	int rc;

	if (dest.len == 0 || dest.len > SPOOL_DEST_MAX)
		return -ENOENT;
	rc = engine_get(read->txn, ENGINE_DEST, dest, &value);
	return rc == 0 && !record_parse_dest(value, info) ? -EIO : rc;
}

/* One record of a walk.  1: go on; 0: enough; or -errno. */
typedef int walk_fn(const void *walk, struct str key, struct str value);

static int walk(struct store_read *read, enum engine_table table, struct str from,
		walk_fn *fn, const void *arg)
{
	const struct engine_ops *ops = read->txn->engine->ops;
	struct engine_cursor *cursor;
	struct str key, value;
	int rc = ops->cursor_open(read->txn, table, from, &cursor);

	if (rc)
		return rc;
	while ((rc = ops->cursor_next(cursor, &key, &value)) == 1) {
		rc = fn(arg, key, value);
		if (rc != 1)
			break;
	}
	ops->cursor_close(cursor);
	return rc < 0 ? rc : 0;
}

struct ready_walk {
	spool_ready_fn *fn;
	void *arg;
};

static int walk_ready(const void *arg, struct str key, struct str value)
{
	const struct ready_walk *w = arg;
	uint64_t ready_ms;
	struct str dest;

	(void)value;
	if (!record_parse_ready(key, &dest, &ready_ms))
		return -EIO;
	return w->fn(w->arg, dest, ready_ms);
}

int spool_each_ready(struct store_read *read, spool_ready_fn *fn, void *arg)
{
	const struct ready_walk w = { fn, arg };

	return walk(read, ENGINE_READY, (struct str){ 0 }, walk_ready, &w);
}

struct due_walk {
	struct str dest;
	spool_due_fn *fn;
	void *arg;
};

static int walk_due(const void *arg, struct str key, struct str value)
{
	const struct due_walk *w = arg;
	uint64_t due_ms, id;
	struct str dest;

	(void)value;
	if (!record_parse_due(key, &dest, &due_ms, &id))
		return -EIO;
	return str_eq(dest, w->dest) && w->fn(w->arg, due_ms, id);
}

int spool_each_due(struct store_read *read, struct str dest, uint64_t due_ms, uint64_t id,
		   spool_due_fn *fn, void *arg)
{
	const struct due_walk w = { dest, fn, arg };
	char from[RECORD_DUE_MAX];

	if (dest.len == 0 || dest.len > SPOOL_DEST_MAX)
		return -ENOENT;
	return walk(read, ENGINE_DUE,
		    (struct str){ from, record_emit_due(from, dest, due_ms, id) },
		    walk_due, &w);
}

struct item_walk {
	spool_item_fn *fn;
	void *arg;
};

static int walk_item(const void *arg, struct str key, struct str value)
{
	const struct item_walk *w = arg;
	struct spool_item item;

	if (!record_parse_msg_key(key, &item.id) || !record_parse_item(value, &item))
		return -EIO;
	return w->fn(w->arg, &item);
}

int spool_each(struct store_read *read, uint64_t id, spool_item_fn *fn, void *arg)
{
	const struct item_walk w = { fn, arg };
	char from[RECORD_ITEM_KEY_LEN];

	record_emit_msg_key(from, id);
	return walk(read, ENGINE_ITEM, RECORD_STR(from), walk_item, &w);
}

static bool count_one(void *arg, const struct spool_item *item)
{
	(void)item;
	++*(uint64_t *)arg;
	return true;
}

int spool_count(struct store_read *read, uint64_t *n)
{
	uint64_t count = 0;
	int rc = spool_each(read, 0, count_one, &count);

	if (rc == 0)
		*n = count;
	return rc;
}

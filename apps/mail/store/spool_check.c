/*
 * What the spool's tables say of each other:
 *
 *	each item has its key in "due", and nothing else is there
 *	each destination in "due" has a record, with the time of its first item or the
 *	later one until which it is put off; nothing else has a record
 *	each record has its key in "ready", and nothing else is there
 *	each mark has its key in "mark_age", and nothing else is there
 */
#include <errno.h>
#include <string.h>

#include "apps/mail/store/spool_impl.h"

static void walk(struct spool_check *c, enum engine_table table,
		 void (*look)(struct spool_check *c, struct str key, struct str value))
{
	const struct engine_ops *ops = c->txn->engine->ops;
	struct engine_cursor *cursor;
	struct str key, value;
	int rc = ops->cursor_open(c->txn, table, (struct str){ 0 }, &cursor);

	if (rc == 0) {
		while ((rc = ops->cursor_next(cursor, &key, &value)) == 1)
			look(c, key, value);
		ops->cursor_close(cursor);
	}
	if (rc)
		c->fault(c->arg, "a table of the spool cannot be read", 0);
}

static bool is_there(struct spool_check *c, enum engine_table table, const char *key,
		     size_t len)
{
	struct str value;

	return engine_get(c->txn, table, (struct str){ key, len }, &value) == 0;
}

static void look_at_item(struct spool_check *c, struct str key, struct str value)
{
	char due[RECORD_DUE_MAX];
	struct spool_item item = { 0 };

	if (!record_parse_msg_key(key, &item.id) || !record_parse_item(value, &item)) {
		c->fault(c->arg, "cannot be read", item.id);
		return;
	}
	if (item.id >= c->next_msg)
		c->fault(c->arg, "its number was never given", item.id);
	if (!is_there(c, ENGINE_DUE, due,
		      record_emit_due(due, item.dest, item.due_ms, item.id)))
		c->fault(c->arg, "is never due", item.id);
	c->word(c->arg, item.msg);
}

static void look_at_due(struct spool_check *c, struct str key, struct str value)
{
	char item_key[RECORD_ITEM_KEY_LEN];
	struct spool_dest info;
	struct spool_item item;
	uint64_t due_ms, id;
	struct str dest;

	if (!record_parse_due(key, &dest, &due_ms, &id)) {
		c->fault(c->arg, "a time that is none", 0);
		return;
	}
	record_emit_msg_key(item_key, id);
	if (engine_get(c->txn, ENGINE_ITEM, RECORD_STR(item_key), &value) ||
	    !record_parse_item(value, &item) || item.due_ms != due_ms ||
	    !str_eq(item.dest, dest))
		c->fault(c->arg, "is due at a time that is not its own", id);
	if (engine_get(c->txn, ENGINE_DEST, dest, &value) ||
	    !record_parse_dest(value, &info))
		c->fault(c->arg, "its destination has no record", id);
	else if (info.ready_ms > due_ms && info.ready_ms != info.put_off_ms)
		c->fault(c->arg, "its destination comes too late", id);
}

static void look_at_dest(struct spool_check *c, struct str key, struct str value)
{
	const struct engine_ops *ops = c->txn->engine->ops;
	char ready[RECORD_READY_MAX], from[RECORD_DUE_MAX];
	uint64_t due_ms = 0, id = 0;
	struct engine_cursor *cursor;
	struct spool_dest info;
	struct str dest;
	bool has_items = false;

	if (key.len > SPOOL_DEST_MAX || !record_parse_dest(value, &info)) {
		c->fault(c->arg, "a destination cannot be read", 0);
		return;
	}
	if (!is_there(c, ENGINE_READY, ready,
		      record_emit_ready(ready, key, info.ready_ms)))
		c->fault(c->arg, "a destination is never ready", 0);
	if (ops->cursor_open(c->txn, ENGINE_DUE,
			     (struct str){ from, record_emit_due(from, key, 0, 0) },
			     &cursor) == 0) {
		struct str at;

		has_items = ops->cursor_next(cursor, &at, &value) == 1 &&
			    record_parse_due(at, &dest, &due_ms, &id) &&
			    str_eq(dest, key);
		ops->cursor_close(cursor);
	}
	if (!has_items)
		c->fault(c->arg, "a destination has no items", 0);
	else if (info.ready_ms != (due_ms > info.put_off_ms ? due_ms : info.put_off_ms))
		c->fault(c->arg, "is first, but its destination is ready at another time",
			 id);
}

static void look_at_ready(struct spool_check *c, struct str key, struct str value)
{
	struct spool_dest info;
	uint64_t ready_ms;
	struct str dest;

	if (!record_parse_ready(key, &dest, &ready_ms) ||
	    engine_get(c->txn, ENGINE_DEST, dest, &value) ||
	    !record_parse_dest(value, &info) || info.ready_ms != ready_ms)
		c->fault(c->arg, "a destination is ready that is none", 0);
}

static void look_at_mark(struct spool_check *c, struct str key, struct str value)
{
	char age[8 + SPOOL_MARK_LEN];

	if (key.len != SPOOL_MARK_LEN || value.len != 8) {
		c->fault(c->arg, "a mark cannot be read", 0);
		return;
	}
	memcpy(age, value.p, 8);
	memcpy(age + 8, key.p, SPOOL_MARK_LEN);
	if (!is_there(c, ENGINE_MARK_AGE, age, sizeof(age)))
		c->fault(c->arg, "a mark never goes", 0);
}

static void look_at_age(struct spool_check *c, struct str key, struct str value)
{
	if (key.len != 8 + SPOOL_MARK_LEN ||
	    engine_get(c->txn, ENGINE_MARK, (struct str){ key.p + 8, SPOOL_MARK_LEN },
		       &value) ||
	    value.len != 8 || memcmp(value.p, key.p, 8) != 0)
		c->fault(c->arg, "a mark's age is not its own", 0);
}

void spool_check(struct spool_check *c)
{
	walk(c, ENGINE_ITEM, look_at_item);
	walk(c, ENGINE_DUE, look_at_due);
	walk(c, ENGINE_DEST, look_at_dest);
	walk(c, ENGINE_READY, look_at_ready);
	walk(c, ENGINE_MARK, look_at_mark);
	walk(c, ENGINE_MARK_AGE, look_at_age);
}

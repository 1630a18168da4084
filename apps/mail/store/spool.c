/*
 * Changes of the spool.  Each item has one key in "due"; each destination that has items
 * has one record in "dest" and one key in "ready", brought up to date behind the last change
 * of its items in an operation: a batch for one destination looks for its first item
 * once.
 */
#include <errno.h>

#include "apps/mail/store/message.h"
#include "apps/mail/store/spool_impl.h"

static bool dest_ok(struct str dest)
{
	return dest.len > 0 && dest.len <= SPOOL_DEST_MAX && !memchr(dest.p, 0, dest.len);
}

bool spool_op_ok(const struct spool_op *op)
{
	for (size_t i = 0; i < op->n_add; i++)
		if (!dest_ok(op->add[i].dest) || op->add[i].bytes.len > SPOOL_BYTES_MAX)
			return false;
	for (size_t i = 0; i < op->n_change; i++)
		if (op->change[i].bytes.len > SPOOL_BYTES_MAX)
			return false;
	return op->put_off.len == 0 || dest_ok(op->put_off);
}

/* When the first item of @dest is due.  1, 0 (it has none) or -errno. */
static int first_due(struct engine_txn *txn, struct str dest, uint64_t *due_ms)
{
	const struct engine_ops *ops = txn->engine->ops;
	struct str key = { NULL, 0 }, value, whose;
	struct engine_cursor *cursor;
	char from[RECORD_DUE_MAX];
	uint64_t id;
	int rc;

	rc = ops->cursor_open(txn, ENGINE_DUE,
			      (struct str){ from, record_emit_due(from, dest, 0, 0) },
			      &cursor);
	if (rc)
		return rc;
	rc = ops->cursor_next(cursor, &key, &value);
	if (rc == 1) {
		if (!record_parse_due(key, &whose, due_ms, &id))
			rc = -EIO;
		else if (!str_eq(whose, dest))
			rc = 0;
	}
	ops->cursor_close(cursor);
	return rc;
}

/* 0, -ENOENT or -errno. */
static int get_dest(struct engine_txn *txn, struct str name, struct spool_dest *dest)
{
	struct str value;
	int rc = engine_get(txn, ENGINE_DEST, name, &value);

	return rc == 0 && !record_parse_dest(value, dest) ? -EIO : rc;
}

static int put_dest(struct engine_txn *txn, struct str name,
		    const struct spool_dest *dest)
{
	char value[RECORD_DEST_LEN];

	record_emit_dest(value, dest);
	return engine_put(txn, ENGINE_DEST, name, RECORD_STR(value));
}

static struct str ready_key(char key[RECORD_READY_MAX], struct str name,
			    uint64_t ready_ms)
{
	return (struct str){ key, record_emit_ready(key, name, ready_ms) };
}

static int forget_dest(struct engine_txn *txn, struct str name, uint64_t ready_ms)
{
	char key[RECORD_READY_MAX];
	int rc = engine_del(txn, ENGINE_READY, ready_key(key, name, ready_ms));

	return rc ? rc : engine_del(txn, ENGINE_DEST, name);
}

/* Says of @name what is true now; @put_off, when it is not NULL, is new. */
static int refresh(struct engine_txn *txn, struct str name,
		   const struct spool_dest *put_off)
{
	struct spool_dest dest = { 0 };
	char key[RECORD_READY_MAX];
	uint64_t due_ms, was_ms;
	int rc = get_dest(txn, name, &dest), has_items;
	bool is_new = rc == -ENOENT;

	if (rc && !is_new)
		return rc;
	has_items = first_due(txn, name, &due_ms);
	if (has_items < 0)
		return has_items;
	if (!has_items)
		return is_new ? 0 : forget_dest(txn, name, dest.ready_ms);
	was_ms = dest.ready_ms;
	if (put_off) {
		dest.put_off_ms = put_off->put_off_ms;
		dest.fails = put_off->fails;
	}
	dest.ready_ms = due_ms > dest.put_off_ms ? due_ms : dest.put_off_ms;
	if (!is_new && dest.ready_ms == was_ms)
		return put_off ? put_dest(txn, name, &dest) : 0;
	if (!is_new)
		rc = engine_del(txn, ENGINE_READY, ready_key(key, name, was_ms));
	else
		rc = 0;
	if (rc == 0)
		rc = engine_put(txn, ENGINE_READY, ready_key(key, name, dest.ready_ms),
				(struct str){ 0 });
	return rc ? rc : put_dest(txn, name, &dest);
}

static int put_item(struct engine_txn *txn, const struct spool_item *item)
{
	char key[RECORD_ITEM_KEY_LEN], value[RECORD_ITEM_LEN], due[RECORD_DUE_MAX];
	const struct str rest[] = { item->dest, item->bytes };
	size_t due_len;
	int rc;

	record_emit_msg_key(key, item->id);
	record_emit_item(value, item);
	rc = txn->engine->ops->put(txn, ENGINE_ITEM, RECORD_STR(key), RECORD_STR(value),
				   rest, 2);
	if (rc)
		return rc;
	due_len = record_emit_due(due, item->dest, item->due_ms, item->id);
	return engine_put(txn, ENGINE_DUE, (struct str){ due, due_len },
			  (struct str){ 0 });
}

int spool_add(struct change *c, struct spool_op *op, uint64_t msg)
{
	for (size_t i = 0; i < op->n_add; i++) {
		struct spool_new *new = &op->add[i];
		const struct spool_item item = {
			.id = c->state.next_msg++,
			.msg = msg,
			.due_ms = new->due_ms,
			.dest = new->dest,
			.bytes = new->bytes,
		};
		int rc = put_item(c->txn, &item);

		if (rc == 0)
			rc = refresh(c->txn, new->dest, NULL);
		if (rc)
			return rc;
		new->id = item.id;
		c->written = true;
	}
	return 0;
}

/* The item, with its slices copied to @room: a put or del ends what they point into. */
struct item_room {
	char dest[SPOOL_DEST_MAX];
	char bytes[SPOOL_BYTES_MAX];
};

static int load_item(struct engine_txn *txn, uint64_t id, struct spool_item *item,
		     struct item_room *room)
{
	char key[RECORD_ITEM_KEY_LEN];
	struct str value;
	int rc;

	record_emit_msg_key(key, id);
	rc = engine_get(txn, ENGINE_ITEM, RECORD_STR(key), &value);
	if (rc)
		return rc;
	if (!record_parse_item(value, item) || item->bytes.len > sizeof(room->bytes))
		return -EIO;
	memcpy(room->dest, item->dest.p, item->dest.len);
	memcpy(room->bytes, item->bytes.p, item->bytes.len);
	item->dest.p = room->dest;
	item->bytes.p = room->bytes;
	item->id = id;
	return 0;
}

static int change_one(struct change *c, const struct spool_change *change,
		      struct spool_item *item)
{
	char key[RECORD_ITEM_KEY_LEN], due[RECORD_DUE_MAX];
	size_t due_len = record_emit_due(due, item->dest, item->due_ms, item->id);
	int rc = engine_del(c->txn, ENGINE_DUE, (struct str){ due, due_len });
	bool dead;

	c->written = true;
	if (rc)
		return rc;
	if (!change->remove) {
		item->due_ms = change->due_ms;
		if (change->bytes.len > 0)
			item->bytes = change->bytes;
		return put_item(c->txn, item);
	}
	record_emit_msg_key(key, item->id);
	rc = engine_del(c->txn, ENGINE_ITEM, RECORD_STR(key));
	if (rc == 0)
		rc = message_unref(c->txn, item->msg, &dead);
	if (rc == 0)
		c->more_dead |= dead;
	return rc;
}

int spool_change(struct change *c, const struct spool_op *op)
{
	/* The destination whose items were changed last, still to be refreshed. */
	char name[SPOOL_DEST_MAX];
	struct str last = { name, 0 };
	struct item_room room;
	int rc = 0;

	for (size_t i = 0; i < op->n_change && !rc; i++) {
		struct spool_item item;

		rc = load_item(c->txn, op->change[i].id, &item, &room);
		if (rc == -ENOENT) {
			rc = 0;
			continue;
		}
		if (rc == 0 && last.len > 0 && !str_eq(last, item.dest))
			rc = refresh(c->txn, last, NULL);
		if (rc)
			break;
		memcpy(name, item.dest.p, item.dest.len);
		last.len = item.dest.len;
		rc = change_one(c, &op->change[i], &item);
	}
	if (rc == 0 && last.len > 0)
		rc = refresh(c->txn, last, NULL);
	if (rc == 0 && op->put_off.len > 0) {
		const struct spool_dest put_off = { .put_off_ms = op->put_off_ms,
						    .fails = op->put_off_fails };

		c->written = true;
		rc = refresh(c->txn, op->put_off, &put_off);
	}
	return rc;
}

#include "apps/mail/store/mailbox.h"

#include <errno.h>
#include <stdlib.h>

int mailbox_find(struct engine_txn *txn, struct str user, struct str mailbox,
		 uint32_t *box)
{
	char key[RECORD_NAME_MAX];
	struct str value;
	size_t len;
	int rc;

	if (!record_emit_name(key, &len, user, mailbox))
		return -EINVAL;
	rc = engine_get(txn, ENGINE_NAME, (struct str){ key, len }, &value);
	if (rc)
		return rc;
	return record_parse_count(value, box) ? 0 : -EIO;
}

int mailbox_add(struct engine_txn *txn, struct str user, struct str mailbox, uint32_t box,
		const struct store_box_info *info)
{
	char key[RECORD_NAME_MAX], value[RECORD_COUNT_LEN];
	size_t len;
	int rc;

	if (!record_emit_name(key, &len, user, mailbox))
		return -EINVAL;
	record_emit_count(value, box);
	rc = engine_put(txn, ENGINE_NAME, (struct str){ key, len }, RECORD_STR(value));
	return rc ? rc : mailbox_save(txn, box, info);
}

int mailbox_load(struct engine_txn *txn, uint32_t box, struct store_box_info *info)
{
	char key[RECORD_BOX_KEY_LEN];
	struct str value;
	int rc;

	record_emit_box_key(key, box, RECORD_UID_BOX);
	rc = engine_get(txn, ENGINE_BOX, RECORD_STR(key), &value);
	/* Its name is there, so the record has to be. */
	if (rc == -ENOENT || (rc == 0 && !record_parse_box(value, info)))
		return -EIO;
	return rc;
}

int mailbox_save(struct engine_txn *txn, uint32_t box, const struct store_box_info *info)
{
	char key[RECORD_BOX_KEY_LEN], value[RECORD_BOX_LEN];

	record_emit_box_key(key, box, RECORD_UID_BOX);
	record_emit_box(value, info);
	return engine_put(txn, ENGINE_BOX, RECORD_STR(key), RECORD_STR(value));
}

int mailbox_get_entry(struct engine_txn *txn, uint32_t box, uint32_t uid,
		      struct record_entry *e)
{
	char key[RECORD_BOX_KEY_LEN];
	struct record_entry got;
	struct str value;
	int rc;

	record_emit_box_key(key, box, uid);
	rc = uid == RECORD_UID_BOX ? -ENOENT :
				     engine_get(txn, ENGINE_BOX, RECORD_STR(key), &value);
	if (rc)
		return rc;
	if (!record_parse_entry(value, &got))
		return -EIO;
	got.msg.box = box;
	got.msg.uid = uid;
	*e = got;
	return 0;
}

int mailbox_put_entry(struct engine_txn *txn, const struct record_entry *e)
{
	char key[RECORD_BOX_KEY_LEN], value[RECORD_ENTRY_LEN];

	record_emit_box_key(key, e->msg.box, e->msg.uid);
	record_emit_entry(value, e);
	return txn->engine->ops->put(txn, ENGINE_BOX, RECORD_STR(key), RECORD_STR(value),
				     &e->head, 1);
}

int mailbox_del_entry(struct engine_txn *txn, uint32_t box, uint32_t uid)
{
	char key[RECORD_BOX_KEY_LEN];

	record_emit_box_key(key, box, uid);
	return engine_del(txn, ENGINE_BOX, RECORD_STR(key));
}

struct msgs {
	struct store_msg *at;
	size_t n, room;
};

static bool msgs_push(struct msgs *m, const struct store_msg *msg)
{
	if (m->n == m->room) {
		size_t room = m->room ? 2 * m->room : 64;
		struct store_msg *at = reallocarray(m->at, room, sizeof(*at));

		if (!at)
			return false;
		m->at = at;
		m->room = room;
	}
	m->at[m->n++] = *msg;
	return true;
}

static int list_entries(struct engine_cursor *cursor, uint32_t box, struct msgs *m)
{
	const struct engine_ops *ops = cursor->txn->engine->ops;
	struct str key, value;
	struct record_entry e;
	int rc;

	while ((rc = ops->cursor_next(cursor, &key, &value)) == 1) {
		uint32_t at;

		if (!record_parse_box_key(key, &at, &e.msg.uid))
			return -EIO;
		if (at != box || e.msg.uid == RECORD_UID_BOX)
			return 0;
		if (!record_parse_entry(value, &e))
			return -EIO;
		e.msg.box = box;
		if (!msgs_push(m, &e.msg))
			return -ENOMEM;
	}
	return rc;
}

int mailbox_list(struct engine_txn *txn, uint32_t box, struct store_msg **msgs, size_t *n)
{
	const struct engine_ops *ops = txn->engine->ops;
	char from[RECORD_BOX_KEY_LEN];
	struct engine_cursor *cursor;
	struct msgs m = { 0 };
	int rc;

	record_emit_box_key(from, box, 0);
	rc = ops->cursor_open(txn, ENGINE_BOX, RECORD_STR(from), &cursor);
	if (rc)
		return rc;
	rc = list_entries(cursor, box, &m);
	ops->cursor_close(cursor);
	if (rc) {
		free(m.at);
		return rc;
	}
	*msgs = m.at;
	*n = m.n;
	return 0;
}

#include "apps/mail/store/mailbox.h"

#include <errno.h>
#include <stdlib.h>

int mailbox_load(struct engine_txn *txn, uint32_t box, struct store_box_info *info)
{
	char key[RECORD_BOX_KEY_LEN];
	struct str value;
	int rc;

	record_emit_box_key(key, box, RECORD_UID_BOX);
	rc = engine_get(txn, ENGINE_BOX, RECORD_STR(key), &value);
	if (rc)
		return rc;
	return record_parse_box(value, info) ? 0 : -EIO;
}

int mailbox_open(struct engine_txn *txn, struct str user, struct str mailbox,
		 uint32_t *box, struct store_box_info *info)
{
	int rc = mailbox_find(txn, user, mailbox, box);

	if (rc || *box == 0)
		return rc ? rc : -ENOENT;
	rc = mailbox_load(txn, *box, info);
	/* Its name is there, so the record has to be. */
	return rc == -ENOENT ? -EIO : rc;
}

int mailbox_del(struct engine_txn *txn, uint32_t box)
{
	char key[RECORD_BOX_KEY_LEN];

	record_emit_box_key(key, box, RECORD_UID_BOX);
	return engine_del(txn, ENGINE_BOX, RECORD_STR(key));
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
	if (uid == RECORD_UID_BOX || uid == RECORD_UID_KEYWORDS)
		return -ENOENT;
	rc = engine_get(txn, ENGINE_BOX, RECORD_STR(key), &value);
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
	uint32_t box;
	uint64_t since; /* only what changed after this */
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

static int list_entries(struct engine_cursor *cursor, struct msgs *m)
{
	const struct engine_ops *ops = cursor->txn->engine->ops;
	struct str key, value;
	struct record_entry e;
	int rc;

	while ((rc = ops->cursor_next(cursor, &key, &value)) == 1) {
		if (!record_parse_box_key(key, &e.msg.box, &e.msg.uid))
			return -EIO;
		if (e.msg.box != m->box || e.msg.uid == RECORD_UID_BOX)
			return 0;
		if (!record_parse_entry(value, &e))
			return -EIO;
		if (e.msg.modseq > m->since && !msgs_push(m, &e.msg))
			return -ENOMEM;
	}
	return rc;
}

int mailbox_list(struct engine_txn *txn, uint32_t box, uint32_t from, uint64_t since,
		 struct store_msg **msgs, size_t *n)
{
	const struct engine_ops *ops = txn->engine->ops;
	struct msgs m = { .box = box, .since = since };
	char key[RECORD_BOX_KEY_LEN];
	struct engine_cursor *cursor;
	int rc;

	/* 0 is not a message's UID but the key of the keywords. */
	record_emit_box_key(key, box, from ? from : 1);
	rc = ops->cursor_open(txn, ENGINE_BOX, RECORD_STR(key), &cursor);
	if (rc)
		return rc;
	rc = list_entries(cursor, &m);
	ops->cursor_close(cursor);
	if (rc) {
		free(m.at);
		return rc;
	}
	*msgs = m.at;
	*n = m.n;
	return 0;
}

/*
 * What a mailbox has beside its messages: keywords, and the memory of expunges.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/mailbox.h"

bool store_keyword_ok(struct str name)
{
	/* RFC 3501 9: flag-keyword = atom; atom-specials and 8-bit bytes are not in it. */
	static const char special[] = "(){ %*\"\\]";

	if (name.len == 0 || name.len > STORE_KEYWORD_LEN_MAX)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.p[i];

		if (c <= ' ' || c >= 0x7f || strchr(special, c))
			return false;
	}
	return true;
}

uint32_t store_keyword_bit(const struct store_keywords *k, struct str name)
{
	for (unsigned i = 0; i < k->n; i++)
		if (str_eq_nocase(k->names[i], name))
			return UINT32_C(1) << (STORE_KEYWORD_BIT + i);
	return 0;
}

int mailbox_load_keywords(struct engine_txn *txn, uint32_t box, struct store_keywords *k,
			  char text[RECORD_KEYWORDS_MAX])
{
	char key[RECORD_BOX_KEY_LEN];
	struct str value;
	int rc;

	record_emit_box_key(key, box, RECORD_UID_KEYWORDS);
	rc = engine_get(txn, ENGINE_BOX, RECORD_STR(key), &value);
	if (rc == -ENOENT) {
		k->n = 0;
		return 0;
	}
	if (rc || value.len > RECORD_KEYWORDS_MAX)
		return rc ? rc : -EIO;
	if (text) {
		memcpy(text, value.p, value.len);
		value.p = text;
	}
	return record_parse_keywords(value, k) ? 0 : -EIO;
}

int mailbox_save_keywords(struct engine_txn *txn, uint32_t box,
			  const struct store_keywords *k)
{
	char key[RECORD_BOX_KEY_LEN], value[RECORD_KEYWORDS_MAX];
	size_t len;

	record_emit_box_key(key, box, RECORD_UID_KEYWORDS);
	record_emit_keywords(value, &len, k);
	return engine_put(txn, ENGINE_BOX, RECORD_STR(key), (struct str){ value, len });
}

int mailbox_del_keywords(struct engine_txn *txn, uint32_t box)
{
	char key[RECORD_BOX_KEY_LEN];
	int rc;

	record_emit_box_key(key, box, RECORD_UID_KEYWORDS);
	rc = engine_del(txn, ENGINE_BOX, RECORD_STR(key));
	return rc == -ENOENT ? 0 : rc;
}

int mailbox_put_vanished(struct engine_txn *txn, uint32_t box,
			 const struct record_vanished *v)
{
	char key[RECORD_VANISHED_KEY_LEN], value[RECORD_COUNT_LEN];

	record_emit_vanished_key(key, box, v);
	record_emit_count(value, v->last);
	return engine_put(txn, ENGINE_VANISHED, RECORD_STR(key), RECORD_STR(value));
}

int mailbox_del_vanished(struct engine_txn *txn, uint32_t box,
			 const struct record_vanished *v)
{
	char key[RECORD_VANISHED_KEY_LEN];

	record_emit_vanished_key(key, box, v);
	return engine_del(txn, ENGINE_VANISHED, RECORD_STR(key));
}

struct ranges {
	struct record_vanished *at;
	size_t n, room, max;
};

static bool ranges_push(struct ranges *r, const struct record_vanished *v)
{
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		struct record_vanished *at = reallocarray(r->at, room, sizeof(*at));

		if (!at)
			return false;
		r->at = at;
		r->room = room;
	}
	r->at[r->n++] = *v;
	return true;
}

static int list_vanished(struct engine_cursor *cursor, uint32_t box, struct ranges *r)
{
	const struct engine_ops *ops = cursor->txn->engine->ops;
	struct record_vanished v;
	struct str key, value;
	int rc = 0;

	while (r->n < r->max && (rc = ops->cursor_next(cursor, &key, &value)) == 1) {
		uint32_t at;

		if (!record_parse_vanished_key(key, &at, &v) ||
		    !record_parse_count(value, &v.last))
			return -EIO;
		if (at != box)
			return 0;
		if (!ranges_push(r, &v))
			return -ENOMEM;
	}
	return rc < 0 ? rc : 0;
}

int mailbox_list_vanished(struct engine_txn *txn, uint32_t box, uint64_t since,
			  size_t max, struct record_vanished **v, size_t *n)
{
	const struct record_vanished after = { .modseq = since + 1 };
	const struct engine_ops *ops = txn->engine->ops;
	char from[RECORD_VANISHED_KEY_LEN];
	struct ranges r = { .max = max };
	struct engine_cursor *cursor;
	int rc;

	record_emit_vanished_key(from, box, &after);
	rc = ops->cursor_open(txn, ENGINE_VANISHED, RECORD_STR(from), &cursor);
	if (rc)
		return rc;
	rc = list_vanished(cursor, box, &r);
	ops->cursor_close(cursor);
	if (rc) {
		free(r.at);
		return rc;
	}
	*v = r.at;
	*n = r.n;
	return 0;
}

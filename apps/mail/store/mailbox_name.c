#include <errno.h>

#include "apps/mail/store/mailbox.h"

bool store_mailbox_ok(struct str name)
{
	if (name.len == 0 || name.len > STORE_MAILBOX_NAME_MAX ||
	    memchr(name.p, '\0', name.len) || name.p[0] == '/' ||
	    name.p[name.len - 1] == '/')
		return false;
	return !memmem(name.p, name.len, "//", 2);
}

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

int mailbox_put_name(struct engine_txn *txn, struct str user, struct str mailbox,
		     uint32_t box)
{
	char key[RECORD_NAME_MAX], value[RECORD_COUNT_LEN];
	size_t len;

	if (!record_emit_name(key, &len, user, mailbox))
		return -EINVAL;
	record_emit_count(value, box);
	return engine_put(txn, ENGINE_NAME, (struct str){ key, len }, RECORD_STR(value));
}

int mailbox_del_name(struct engine_txn *txn, struct str user, struct str mailbox)
{
	char key[RECORD_NAME_MAX];
	size_t len;

	if (!record_emit_name(key, &len, user, mailbox))
		return -EINVAL;
	return engine_del(txn, ENGINE_NAME, (struct str){ key, len });
}

struct names {
	struct str user, prefix;
	mailbox_name_fn *fn;
	void *arg;
};

static bool begins_with(struct str s, struct str prefix)
{
	return s.len >= prefix.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

static int walk(struct engine_cursor *cursor, const struct names *n)
{
	const struct engine_ops *ops = cursor->txn->engine->ops;
	struct str key, value, user, mailbox;
	int rc;

	while ((rc = ops->cursor_next(cursor, &key, &value)) == 1) {
		if (!record_parse_name(key, &user, &mailbox))
			return -EIO;
		if (!str_eq(user, n->user) || !begins_with(mailbox, n->prefix))
			return 0;
		rc = n->fn(n->arg, mailbox, value);
		if (rc)
			return rc;
	}
	return rc;
}

int mailbox_each_name(struct engine_txn *txn, enum engine_table table, struct str user,
		      struct str prefix, mailbox_name_fn *fn, void *arg)
{
	const struct names n = { user, prefix, fn, arg };
	const struct engine_ops *ops = txn->engine->ops;
	struct engine_cursor *cursor;
	char from[RECORD_NAME_MAX];
	int rc;

	if (user.len == 0 || user.len > STORE_USER_MAX ||
	    prefix.len > STORE_MAILBOX_NAME_MAX)
		return -EINVAL;
	memcpy(from, user.p, user.len);
	from[user.len] = '\0';
	if (prefix.len > 0)
		memcpy(from + user.len + 1, prefix.p, prefix.len);
	rc = ops->cursor_open(txn, table, (struct str){ from, user.len + 1 + prefix.len },
			      &cursor);
	if (rc)
		return rc;
	rc = walk(cursor, &n);
	ops->cursor_close(cursor);
	return rc;
}

/*
 * Marks of deliveries: "mark" finds one, "mark_age" the oldest ones.  With each that is
 * noted two old ones go, so their number follows the traffic of the last day.
 */
#include <errno.h>

#include "apps/mail/store/spool_impl.h"
#include "stack/base/byte.h"

enum { DATE_LEN = 8, AGE_LEN = DATE_LEN + SPOOL_MARK_LEN, FORGET = 2 };

static struct str mark_key(const struct spool_op *op)
{
	return (struct str){ (const char *)op->mark, SPOOL_MARK_LEN };
}

int spool_mark_find(struct change *c, const struct spool_op *op, uint64_t date_s)
{
	struct str value;
	int rc;

	if (!op->mark)
		return 0;
	rc = engine_get(c->txn, ENGINE_MARK, mark_key(op), &value);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (value.len != DATE_LEN)
		return -EIO;
	return be64((const uint8_t *)value.p) + SPOOL_MARK_KEEP_S > date_s;
}

static int del_mark(struct engine_txn *txn, const char age[AGE_LEN])
{
	struct str mark = { age + DATE_LEN, SPOOL_MARK_LEN };
	int rc = engine_del(txn, ENGINE_MARK_AGE, (struct str){ age, AGE_LEN });

	return rc ? rc : engine_del(txn, ENGINE_MARK, mark);
}

/* The oldest one, if it is old enough.  1, 0 or -errno. */
static int find_old(struct engine_txn *txn, uint64_t date_s, char age[AGE_LEN])
{
	const struct engine_ops *ops = txn->engine->ops;
	struct str key, value;
	struct engine_cursor *cursor;
	int rc = ops->cursor_open(txn, ENGINE_MARK_AGE, (struct str){ 0 }, &cursor);

	if (rc)
		return rc;
	rc = ops->cursor_next(cursor, &key, &value);
	if (rc == 1 && key.len != AGE_LEN)
		rc = -EIO;
	if (rc == 1) {
		memcpy(age, key.p, AGE_LEN);
		rc = be64((const uint8_t *)age) + SPOOL_MARK_KEEP_S <= date_s;
	}
	ops->cursor_close(cursor);
	return rc;
}

static int forget_old(struct engine_txn *txn, uint64_t date_s)
{
	char age[AGE_LEN];
	int rc = 0;

	for (int i = 0; i < FORGET && rc == 0; i++) {
		rc = find_old(txn, date_s, age);
		if (rc != 1)
			return rc;
		rc = del_mark(txn, age);
	}
	return rc;
}

int spool_mark_put(struct change *c, const struct spool_op *op, uint64_t date_s)
{
	char age[AGE_LEN], date[DATE_LEN];
	struct wr w = wr_of(age, sizeof(age)), d = wr_of(date, sizeof(date));
	struct str value;
	int rc;

	if (!op->mark)
		return 0;
	/* One that is too old to count is put anew. */
	rc = engine_get(c->txn, ENGINE_MARK, mark_key(op), &value);
	if (rc == 0 && value.len == DATE_LEN) {
		wr_copy(&w, value.p, DATE_LEN);
		wr_copy(&w, op->mark, SPOOL_MARK_LEN);
		rc = del_mark(c->txn, age);
		w = wr_of(age, sizeof(age));
	}
	if (rc && rc != -ENOENT)
		return rc;
	wr64(&d, date_s);
	wr64(&w, date_s);
	wr_copy(&w, op->mark, SPOOL_MARK_LEN);
	rc = engine_put(c->txn, ENGINE_MARK, mark_key(op), RECORD_STR(date));
	if (rc == 0)
		rc = engine_put(c->txn, ENGINE_MARK_AGE, RECORD_STR(age),
				(struct str){ 0 });
	return rc ? rc : forget_old(c->txn, date_s);
}

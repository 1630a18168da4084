#include "apps/mail/store/message.h"

#include <errno.h>

int message_put(struct engine_txn *txn, uint64_t msg, const struct str *parts,
		size_t n_parts, uint32_t n_entries)
{
	struct record_head head = { .crc = record_crc(msg, parts, n_parts) };
	char key[RECORD_MSG_KEY_LEN], first[RECORD_HEAD_LEN], count[RECORD_COUNT_LEN];
	int rc;

	for (size_t i = 0; i < n_parts; i++)
		head.len += parts[i].len;
	record_emit_msg_key(key, msg);
	record_emit_head(first, &head);
	rc = txn->engine->ops->put(txn, ENGINE_MSG, RECORD_STR(key), RECORD_STR(first),
				   parts, n_parts);
	/* One entry is the rule, and needs no count. */
	if (rc || n_entries == 1)
		return rc;
	record_emit_count(count, n_entries);
	return engine_put(txn, ENGINE_REF, RECORD_STR(key), RECORD_STR(count));
}

int message_get(struct engine_txn *txn, uint64_t msg, struct record_head *head,
		struct str *bytes)
{
	char key[RECORD_MSG_KEY_LEN];
	struct str value;
	int rc;

	record_emit_msg_key(key, msg);
	rc = engine_get(txn, ENGINE_MSG, RECORD_STR(key), &value);
	if (rc)
		return rc;
	if (!record_parse_head(value, head, bytes))
		return -EIO;
	txn->engine->ops->will_read(txn->engine, *bytes);
	return 0;
}

bool message_is_whole(uint64_t msg, const struct record_head *head, struct str bytes)
{
	return record_crc(msg, &bytes, 1) == head->crc;
}

int message_n_entries(struct engine_txn *txn, uint64_t msg, uint32_t *n)
{
	char key[RECORD_MSG_KEY_LEN];
	struct str value;
	int rc;

	record_emit_msg_key(key, msg);
	rc = engine_get(txn, ENGINE_REF, RECORD_STR(key), &value);
	if (rc == -ENOENT) {
		*n = 1;
		return 0;
	}
	if (rc)
		return rc;
	return record_parse_count(value, n) ? 0 : -EIO;
}

int message_ref(struct engine_txn *txn, uint64_t msg)
{
	char key[RECORD_MSG_KEY_LEN], count[RECORD_COUNT_LEN];
	uint32_t n;
	int rc = message_n_entries(txn, msg, &n);

	if (rc || n == UINT32_MAX)
		return rc ? rc : -EIO;
	record_emit_msg_key(key, msg);
	record_emit_count(count, n + 1);
	return engine_put(txn, ENGINE_REF, RECORD_STR(key), RECORD_STR(count));
}

int message_unref(struct engine_txn *txn, uint64_t msg, bool *dead)
{
	char key[RECORD_MSG_KEY_LEN], count[RECORD_COUNT_LEN];
	uint32_t n;
	int rc = message_n_entries(txn, msg, &n);

	if (rc)
		return rc;
	*dead = n == 1;
	record_emit_msg_key(key, msg);
	if (n == 1)
		return engine_put(txn, ENGINE_DEAD, RECORD_STR(key), (struct str){ 0 });
	if (n == 2)
		return engine_del(txn, ENGINE_REF, RECORD_STR(key));
	record_emit_count(count, n - 1);
	return engine_put(txn, ENGINE_REF, RECORD_STR(key), RECORD_STR(count));
}

int message_get_summary(struct engine_txn *txn, uint64_t msg, struct str *bytes)
{
	char key[RECORD_MSG_KEY_LEN];

	record_emit_msg_key(key, msg);
	return engine_get(txn, ENGINE_SUMMARY, RECORD_STR(key), bytes);
}

int message_put_summary(struct engine_txn *txn, uint64_t msg, struct str bytes)
{
	char key[RECORD_MSG_KEY_LEN];
	struct str message;
	int rc;

	record_emit_msg_key(key, msg);
	rc = engine_get(txn, ENGINE_MSG, RECORD_STR(key), &message);
	return rc ? rc : engine_put(txn, ENGINE_SUMMARY, RECORD_STR(key), bytes);
}

int message_remove(struct engine_txn *txn, uint64_t msg, uint64_t *len)
{
	char key[RECORD_MSG_KEY_LEN];
	struct str value = { 0 };
	int rc;

	record_emit_msg_key(key, msg);
	rc = engine_get(txn, ENGINE_MSG, RECORD_STR(key), &value);
	if (rc == 0)
		rc = engine_del(txn, ENGINE_MSG, RECORD_STR(key));
	if (rc == 0)
		rc = engine_del(txn, ENGINE_SUMMARY, RECORD_STR(key));
	/* Without its bytes (a damaged store) it is gone all the same. */
	if (rc == 0 || rc == -ENOENT)
		rc = engine_del(txn, ENGINE_DEAD, RECORD_STR(key));
	if (rc == 0)
		*len = value.len;
	return rc;
}

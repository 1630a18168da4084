#include <criterion/criterion.h>
#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/mail/store/engine.h"
#include "apps/mail/store/record.h"
#include "tests/lib/case.h"
#include "tests/mail/store_lib.h"

enum { MAP_LEN = 8 << 20 };

static char dir[STORE_LIB_PATH_LEN];
static struct engine *engine;

static void setup(void)
{
	char error[STORE_ERROR_LEN];

	snprintf(dir, sizeof(dir), "%s/engine.XXXXXX", test_store_parent());
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(engine_lmdb_open(dir, MAP_LEN, &engine, error, sizeof(error)), 0);
}

static void clean(void)
{
	if (engine)
		engine->ops->close(engine);
	remove_folder(dir);
}

Cases(engine_lmdb, setup, clean);

static struct engine_txn *begin(bool write)
{
	struct engine_txn *txn;

	cr_assert_eq(engine->ops->begin(engine, write, &txn), 0);
	return txn;
}

static void put_all(struct engine_txn *txn, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(
			engine_put(txn, ENGINE_NAME, str_of(keys[i]), str_of(keys[i])),
			0);
}

Case(engine_lmdb, keeps_what_was_committed_and_nothing_else)
{
	struct engine_txn *txn = begin(true);
	struct str value;

	put_all(txn, (const char *const[]){ "a" }, 1);
	cr_assert_eq(engine->ops->commit(txn), 0);
	txn = begin(true);
	put_all(txn, (const char *const[]){ "b" }, 1);
	cr_assert_eq(engine_get(txn, ENGINE_NAME, STR("b"), &value), 0);
	engine->ops->abort(txn);
	txn = begin(false);
	cr_assert_eq(engine_get(txn, ENGINE_NAME, STR("a"), &value), 0);
	cr_assert(str_eq(value, STR("a")));
	cr_assert_eq(engine_get(txn, ENGINE_NAME, STR("b"), &value), -ENOENT);
	cr_assert_eq(engine_get(txn, ENGINE_BOX, STR("a"), &value), -ENOENT);
	engine->ops->abort(txn);
}

Case(engine_lmdb, value_comes_together_from_its_pieces)
{
	static const struct str rest[] = { { "-", 1 }, { NULL, 0 }, { "end", 3 } };
	struct engine_txn *txn = begin(true);
	struct str value;

	cr_assert_eq(engine->ops->put(txn, ENGINE_BOX, STR("k"), STR("first"), rest, 3),
		     0);
	cr_assert_eq(engine_get(txn, ENGINE_BOX, STR("k"), &value), 0);
	cr_assert(str_eq(value, STR("first-end")));
	cr_assert_eq(engine_put(txn, ENGINE_BOX, STR("k"), STR("")), 0);
	cr_assert_eq(engine_get(txn, ENGINE_BOX, STR("k"), &value), 0);
	cr_assert_eq(value.len, 0);
	cr_assert_eq(engine_del(txn, ENGINE_BOX, STR("k")), 0);
	cr_assert_eq(engine_del(txn, ENGINE_BOX, STR("k")), -ENOENT);
	engine->ops->abort(txn);
}

static void expect_walk(struct engine_txn *txn, const char *from, const char *keys)
{
	struct engine_cursor *cursor;
	struct str key, value;

	cr_assert_eq(engine->ops->cursor_open(txn, ENGINE_NAME, str_of(from), &cursor),
		     0);
	for (; *keys; keys++) {
		cr_assert_eq(engine->ops->cursor_next(cursor, &key, &value), 1);
		cr_assert(str_eq(key, (struct str){ keys, 1 }));
		cr_assert(str_eq(value, key));
	}
	cr_assert_eq(engine->ops->cursor_next(cursor, &key, &value), 0);
	engine->ops->cursor_close(cursor);
}

Case(engine_lmdb, cursor_walks_in_order_from_where_it_was_told)
{
	struct engine_txn *txn = begin(true);

	put_all(txn, (const char *const[]){ "d", "b", "e", "a" }, 4);
	expect_walk(txn, "", "abde");
	expect_walk(txn, "b", "bde");
	expect_walk(txn, "c", "de");
	expect_walk(txn, "f", "");
	engine->ops->abort(txn);
}

Case(engine_lmdb, reader_keeps_its_snapshot)
{
	struct engine_txn *reader = begin(false), *writer = begin(true);
	struct str value;

	put_all(writer, (const char *const[]){ "a" }, 1);
	cr_assert_eq(engine->ops->commit(writer), 0);
	cr_assert_eq(engine_get(reader, ENGINE_NAME, STR("a"), &value), -ENOENT);
	engine->ops->abort(reader);
}

/* A message's bytes by its number. */
static struct str put_message(struct engine_txn *txn, uint64_t msg, size_t len)
{
	char key[RECORD_MSG_KEY_LEN], *bytes = malloc(len);
	struct str value = { bytes, len };

	memset(bytes, (int)msg, len);
	record_emit_msg_key(key, msg);
	cr_assert_eq(engine_put(txn, ENGINE_MSG, RECORD_STR(key), value), 0);
	return value;
}

static struct str get_message(struct engine_txn *txn, uint64_t msg)
{
	char key[RECORD_MSG_KEY_LEN];
	struct str value;

	record_emit_msg_key(key, msg);
	cr_assert_eq(engine_get(txn, ENGINE_MSG, RECORD_STR(key), &value), 0);
	return value;
}

Case(engine_lmdb, what_stays_does_not_move_while_the_tree_changes)
{
	struct engine_txn *txn = begin(true);
	struct str bytes = put_message(txn, 1, 10000), there, again;

	cr_assert_eq(engine->ops->commit(txn), 0);
	txn = begin(false);
	there = get_message(txn, 1);
	engine->ops->abort(txn);
	cr_assert(engine->ops->stays(engine, there));
	cr_assert(!engine->ops->stays(engine, (struct str){ there.p, 100 }));
	for (uint64_t msg = 2; msg < 300; msg++) {
		txn = begin(true);
		free((char *)put_message(txn, msg, msg % 2 ? 100 : 5000).p);
		cr_assert_eq(engine->ops->commit(txn), 0);
		cr_assert(str_eq(there, bytes));
	}
	txn = begin(false);
	again = get_message(txn, 1);
	cr_assert_eq(again.p, there.p);
	engine->ops->abort(txn);
	free((char *)bytes.p);
}

Case(engine_lmdb, full_map_is_an_error_that_passes)
{
	struct engine_txn *txn;
	char key[RECORD_MSG_KEY_LEN];
	static char big[1 << 20];
	uint64_t msg = 0, room = engine->ops->room(engine, UINT64_MAX);
	int rc;

	cr_assert_gt(room, MAP_LEN / 2);
	cr_assert_leq(room, MAP_LEN);
	do {
		txn = begin(true);
		record_emit_msg_key(key, ++msg);
		rc = engine_put(txn, ENGINE_MSG, RECORD_STR(key), RECORD_STR(big));
		if (rc)
			engine->ops->abort(txn);
		else
			rc = engine->ops->commit(txn);
	} while (!rc);
	cr_assert_eq(rc, -ENOSPC);
	cr_assert_lt(engine->ops->room(engine, UINT64_MAX), 2 * sizeof(big));
	txn = begin(true);
	record_emit_msg_key(key, 1);
	cr_assert_eq(engine_del(txn, ENGINE_MSG, RECORD_STR(key)), 0);
	cr_assert_eq(engine->ops->commit(txn), 0);
	cr_assert_gt(engine->ops->room(engine, UINT64_MAX), sizeof(big));
}

Case(engine_lmdb, refuses_more_readers_than_it_has_places)
{
	struct engine_txn *txns[2000];
	size_t n = 0;
	int rc;

	while ((rc = engine->ops->begin(engine, false, &txns[n])) == 0)
		n++;
	cr_assert_eq(rc, -EAGAIN);
	cr_assert_gt(n, 1000);
	while (n > 0)
		engine->ops->abort(txns[--n]);
	engine->ops->abort(begin(false));
}

Case(engine_lmdb, leaves_a_file_of_another_program_alone)
{
	char error[STORE_ERROR_LEN] = "";
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *txn;
	MDB_val v = { 1, "x" };

	engine->ops->close(engine);
	engine = NULL;
	remove_folder(dir);
	cr_assert_eq(mkdir(dir, 0700), 0);
	mdb_env_create(&env);
	cr_assert_eq(mdb_env_open(env, dir, 0, 0600), 0);
	mdb_txn_begin(env, NULL, 0, &txn);
	mdb_dbi_open(txn, NULL, 0, &dbi);
	mdb_put(txn, dbi, &v, &v, 0);
	cr_assert_eq(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	cr_assert_eq(engine_lmdb_open(dir, MAP_LEN, &engine, error, sizeof(error)),
		     -EUCLEAN);
	cr_assert_not_null(strstr(error, "not a mail store"));
}

/*
 * What keeps the store's records: ordered tables of keys and values, with snapshots for
 * readers and one writing transaction at a time that is whole on stable storage or not
 * there at all.  engine_lmdb.c is the one there is; the functions are pointers so that
 * another may come.
 *
 * One thread writes.  Any thread reads, each transaction and its cursors used by one
 * thread at a time.  Slices that come out are valid until the transaction ends or, in a
 * writing one, until its next put or del.
 *
 * Functions return 0; -ENOENT; -ENOSPC, also when the engine's own bound is reached;
 * -EAGAIN, too many readers; -ENOMEM; or -EIO for everything else.  A writing
 * transaction in which a function failed with anything but -ENOENT can only be aborted;
 * the engine stays usable.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum engine_table {
	ENGINE_STATE,
	ENGINE_NAME,
	ENGINE_BOX,
	ENGINE_MSG, /* every put has a key above all earlier ones */
	ENGINE_REF,
	ENGINE_DEAD,
	ENGINE_SUB,
	ENGINE_VANISHED,
	ENGINE_SUMMARY,
	ENGINE_ITEM, /* of the spool, as are the next */
	ENGINE_DUE,
	ENGINE_DEST,
	ENGINE_READY,
	ENGINE_MARK,
	ENGINE_MARK_AGE,
	ENGINE_N_TABLES
};

struct engine {
	const struct engine_ops *ops;
};

struct engine_txn {
	struct engine *engine;
};

struct engine_cursor {
	struct engine_txn *txn;
};

struct engine_ops {
	/* Nothing of it may be out. */
	void (*close)(struct engine *engine);
	int (*begin)(struct engine *engine, bool write, struct engine_txn **txn);
	/* 0: durable.  Ends the transaction, whatever it returns. */
	int (*commit)(struct engine_txn *txn);
	void (*abort)(struct engine_txn *txn);
	int (*get)(struct engine_txn *txn, enum engine_table table, struct str key,
		   struct str *value);
	/* The value is @first and, behind it, @rest. */
	int (*put)(struct engine_txn *txn, enum engine_table table, struct str key,
		   struct str first, const struct str *rest, size_t n_rest);
	int (*del)(struct engine_txn *txn, enum engine_table table, struct str key);
	/* From the first key that is not below @from.  Closed before the transaction. */
	int (*cursor_open)(struct engine_txn *txn, enum engine_table table,
			   struct str from, struct engine_cursor **cursor);
	/* 1: got one; 0: no more; or as above. */
	int (*cursor_next)(struct engine_cursor *cursor, struct str *key,
			   struct str *value);
	void (*cursor_close)(struct engine_cursor *cursor);
	/* A hint: @value will be read from end to end now. */
	void (*will_read)(struct engine *engine, struct str value);
	/*
	 * True when such a value stays in its place without the transaction until it is
	 * deleted.
	 */
	bool (*stays)(struct engine *engine, struct str value);
	/*
	 * Bytes that more values may take under the engine's own bound; counted to the
	 * end only when they are fewer than @enough.  Between transactions.
	 */
	uint64_t (*room)(struct engine *engine, uint64_t enough);
	/* Bytes free on the disk. */
	uint64_t (*disk_free)(struct engine *engine);
};

static inline int engine_get(struct engine_txn *txn, enum engine_table table,
			     struct str key, struct str *value)
{
	return txn->engine->ops->get(txn, table, key, value);
}

static inline int engine_put(struct engine_txn *txn, enum engine_table table,
			     struct str key, struct str value)
{
	return txn->engine->ops->put(txn, table, key, value, NULL, 0);
}

static inline int engine_del(struct engine_txn *txn, enum engine_table table,
			     struct str key)
{
	return txn->engine->ops->del(txn, table, key);
}

/*
 * LMDB in @dir, made when missing; at most @map_len bytes.  0, or -errno as store_open()
 * has them and a sentence in @error.
 */
int engine_lmdb_open(const char *dir, uint64_t map_len, struct engine **engine,
		     char *error, size_t error_len);

/*
 * The store's tables in LMDB: a copy-on-write B-tree in one mapped file.
 *
 * Writing is pwrite() of the new pages, fdatasync(), then one synchronous write of the
 * meta page that makes them count.  MDB_WRITEMAP is not used: with a full disk a store to
 * the map ends in SIGBUS, where pwrite() says ENOSPC; and it is slower (messages of 4 KiB,
 * 32 in a transaction, ext4: 1,700/s against 13,000/s).  Growing the file far in advance,
 * by zeros or by fallocate(), makes nothing faster.
 *
 * Nothing protects the pages of the tree themselves: a byte that rots there may end the
 * process.  The file's length is checked when it is opened, messages have checksums.
 *
 * Large values lie in runs of pages of their own, which never move until the value is
 * deleted: stays().
 */
#include "apps/mail/store/engine_lmdb_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "stack/base/check.h"

enum {
	DISK_FULL_LEN = 1 << 20, /* a disk with less is full */
	RESERVE_MIN = 1 << 20,	 /* kept behind the last page */
	RESERVE_STEP = 8 << 20,
};

struct lmdb_txn {
	struct engine_txn txn;
	MDB_txn *mdb;
};

struct lmdb_cursor {
	struct engine_cursor cursor;
	MDB_cursor *mdb;
	MDB_cursor_op op; /* of the next move */
	MDB_val from;
};

static struct lmdb *lmdb_of(struct engine *engine)
{
	return container_of(engine, struct lmdb, engine);
}

static struct lmdb_txn *txn_of(struct engine_txn *txn)
{
	return container_of(txn, struct lmdb_txn, txn);
}

static MDB_dbi dbi_of(struct engine_txn *txn, enum engine_table table)
{
	return lmdb_of(txn->engine)->tables[table];
}

int engine_lmdb_errno(int rc)
{
	switch (rc) {
	case 0: return 0;
	case MDB_NOTFOUND: return -ENOENT;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return -ENOSPC;
	case MDB_READERS_FULL: return -EAGAIN;
	case ENOMEM: return -ENOMEM;
	default: return -EIO;
	}
}

static int lmdb_begin(struct engine *engine, bool write, struct engine_txn **txn)
{
	struct lmdb *l = lmdb_of(engine);
	struct lmdb_txn *t = malloc(sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	rc = mdb_txn_begin(l->env, NULL, write ? 0 : MDB_RDONLY, &t->mdb);
	if (rc) {
		free(t);
		return engine_lmdb_errno(rc);
	}
	t->txn.engine = engine;
	*txn = &t->txn;
	return 0;
}

static uint64_t lmdb_disk_free(struct engine *engine)
{
	struct statvfs vfs;

	if (fstatvfs(lmdb_of(engine)->dir_fd, &vfs))
		return 0;
	return (uint64_t)vfs.f_bavail * vfs.f_frsize;
}

void engine_lmdb_reserve(struct lmdb *l)
{
	MDB_envinfo info;
	uint64_t used;

	mdb_env_info(l->env, &info);
	used = ((uint64_t)info.me_last_pgno + 1) * l->page_len;
	if (l->allocated >= used + RESERVE_MIN)
		return;
	/* Deletions need new pages before they give any up, also when others have
	 * filled the disk.  Where the disk cannot promise, they take their chance. */
	if (fallocate(l->fd, 0, (off_t)used, RESERVE_STEP) == 0)
		l->allocated = used + RESERVE_STEP;
	else if (fallocate(l->fd, 0, (off_t)used, RESERVE_MIN) == 0)
		l->allocated = used + RESERVE_MIN;
}

static int lmdb_commit(struct engine_txn *txn)
{
	struct engine *engine = txn->engine;
	struct lmdb_txn *t = txn_of(txn);
	int rc = mdb_txn_commit(t->mdb);

	free(t);
	/* A disk that fills up within a write makes it short, which LMDB calls EIO. */
	if (rc == EIO && lmdb_disk_free(engine) < DISK_FULL_LEN)
		return -ENOSPC;
	if (rc == 0)
		engine_lmdb_reserve(lmdb_of(engine));
	return engine_lmdb_errno(rc);
}

static void lmdb_abort(struct engine_txn *txn)
{
	struct lmdb_txn *t = txn_of(txn);

	mdb_txn_abort(t->mdb);
	free(t);
}

static int lmdb_get(struct engine_txn *txn, enum engine_table table, struct str key,
		    struct str *value)
{
	MDB_val k = { key.len, (void *)key.p }, v;
	int rc = mdb_get(txn_of(txn)->mdb, dbi_of(txn, table), &k, &v);

	if (rc)
		return engine_lmdb_errno(rc);
	*value = (struct str){ v.mv_data, v.mv_size };
	return 0;
}

static char *append(char *to, struct str bytes)
{
	if (bytes.len > 0)
		memcpy(to, bytes.p, bytes.len);
	return to + bytes.len;
}

static int lmdb_put(struct engine_txn *txn, enum engine_table table, struct str key,
		    struct str first, const struct str *rest, size_t n_rest)
{
	/* Appended pages are left full, not half full. */
	unsigned flags = MDB_RESERVE | (table == ENGINE_MSG ? MDB_APPEND : 0);
	MDB_val k = { key.len, (void *)key.p }, v = { first.len, NULL };
	char *to;
	int rc;

	for (size_t i = 0; i < n_rest; i++)
		v.mv_size += rest[i].len;
	rc = mdb_put(txn_of(txn)->mdb, dbi_of(txn, table), &k, &v, flags);
	if (rc)
		return engine_lmdb_errno(rc);
	to = v.mv_data;
	to = append(to, first);
	for (size_t i = 0; i < n_rest; i++)
		to = append(to, rest[i]);
	return 0;
}

static int lmdb_del(struct engine_txn *txn, enum engine_table table, struct str key)
{
	MDB_val k = { key.len, (void *)key.p };

	return engine_lmdb_errno(mdb_del(txn_of(txn)->mdb, dbi_of(txn, table), &k, NULL));
}

static int lmdb_cursor_open(struct engine_txn *txn, enum engine_table table,
			    struct str from, struct engine_cursor **cursor)
{
	struct lmdb_cursor *c = malloc(sizeof(*c) + from.len);
	int rc;

	if (!c)
		return -ENOMEM;
	rc = mdb_cursor_open(txn_of(txn)->mdb, dbi_of(txn, table), &c->mdb);
	if (rc) {
		free(c);
		return engine_lmdb_errno(rc);
	}
	c->cursor.txn = txn;
	c->op = from.len ? MDB_SET_RANGE : MDB_FIRST;
	c->from = (MDB_val){ from.len, c + 1 };
	if (from.len)
		memcpy(c + 1, from.p, from.len);
	*cursor = &c->cursor;
	return 0;
}

static int lmdb_cursor_next(struct engine_cursor *cursor, struct str *key,
			    struct str *value)
{
	struct lmdb_cursor *c = container_of(cursor, struct lmdb_cursor, cursor);
	MDB_val k = c->from, v;
	int rc = mdb_cursor_get(c->mdb, &k, &v, c->op);

	if (rc == MDB_NOTFOUND)
		return 0;
	if (rc)
		return engine_lmdb_errno(rc);
	c->op = MDB_NEXT;
	*key = (struct str){ k.mv_data, k.mv_size };
	*value = (struct str){ v.mv_data, v.mv_size };
	return 1;
}

static void lmdb_cursor_close(struct engine_cursor *cursor)
{
	struct lmdb_cursor *c = container_of(cursor, struct lmdb_cursor, cursor);

	mdb_cursor_close(c->mdb);
	free(c);
}

/* The map is told not to read ahead, since most pages of a tree are reached at random;
 * a message is read from end to end. */
static void lmdb_will_read(struct engine *engine, struct str value)
{
	const struct lmdb *l = lmdb_of(engine);
	uintptr_t at = (uintptr_t)value.p & ~(uintptr_t)(l->page_len - 1);

	if (value.len > l->page_len)
		(void)madvise((void *)at, (uintptr_t)value.p + value.len - at,
			      MADV_WILLNEED);
}

/* A value as long as a page is in no page of the tree, whose pages move. */
static bool lmdb_stays(struct engine *engine, struct str value)
{
	return value.len >= lmdb_of(engine)->page_len;
}

/* Pages given up and not yet taken again: each record of the free table (number 0) is a
 * count, then so many page numbers. */
static uint64_t n_free_pages(struct lmdb *l)
{
	uint64_t n = 0;
	MDB_cursor *c;
	MDB_txn *txn;
	MDB_val k, v;

	if (mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn))
		return 0;
	if (mdb_cursor_open(txn, 0, &c) == 0) {
		while (mdb_cursor_get(c, &k, &v, MDB_NEXT) == 0) {
			size_t count;

			memcpy(&count, v.mv_data, sizeof(count));
			n += count;
		}
		mdb_cursor_close(c);
	}
	mdb_txn_abort(txn);
	return n;
}

static uint64_t lmdb_room(struct engine *engine, uint64_t enough)
{
	struct lmdb *l = lmdb_of(engine);
	MDB_envinfo info;
	uint64_t pages, room;

	mdb_env_info(l->env, &info);
	pages = info.me_mapsize / l->page_len;
	room = pages > info.me_last_pgno ? pages - info.me_last_pgno - 1 : 0;
	if (room < enough / l->page_len) {
		int n_stale;

		/* A killed program that looked into the file may still hold pages. */
		(void)mdb_reader_check(l->env, &n_stale);
		room += n_free_pages(l);
	}
	return room * l->page_len;
}

static void lmdb_close(struct engine *engine)
{
	struct lmdb *l = lmdb_of(engine);

	if (l->env)
		mdb_env_close(l->env);
	if (l->dir_fd >= 0)
		close(l->dir_fd);
	free(l);
}

const struct engine_ops engine_lmdb_ops = {
	.close = lmdb_close,
	.begin = lmdb_begin,
	.commit = lmdb_commit,
	.abort = lmdb_abort,
	.get = lmdb_get,
	.put = lmdb_put,
	.del = lmdb_del,
	.cursor_open = lmdb_cursor_open,
	.cursor_next = lmdb_cursor_next,
	.cursor_close = lmdb_cursor_close,
	.will_read = lmdb_will_read,
	.stays = lmdb_stays,
	.room = lmdb_room,
	.disk_free = lmdb_disk_free,
};

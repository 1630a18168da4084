#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/mail/store/engine_lmdb_impl.h"

enum { N_READERS = 1022 }; /* snapshots at once; 64 bytes each in the lock file */

static const char *const table_names[ENGINE_N_TABLES] = {
	[ENGINE_STATE] = "state",	[ENGINE_NAME] = "name",
	[ENGINE_BOX] = "box",		[ENGINE_MSG] = "msg",
	[ENGINE_REF] = "ref",		[ENGINE_DEAD] = "dead",
	[ENGINE_SUB] = "sub",		[ENGINE_VANISHED] = "vanished",
	[ENGINE_SUMMARY] = "summary",	[ENGINE_ITEM] = "item",
	[ENGINE_DUE] = "due",		[ENGINE_DEST] = "dest",
	[ENGINE_READY] = "ready",	[ENGINE_MARK] = "mark",
	[ENGINE_MARK_AGE] = "mark_age",
};

/* The tables that every store has; the others came later. */
enum { N_OLD_TABLES = ENGINE_DEAD + 1 };

/* A failure of opening, and the sentence about it. */
struct failure {
	char *error;
	size_t error_len;
};

__attribute__((format(printf, 3, 4))) static int fail(struct failure *f, int rc,
						      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(f->error, f->error_len, format, args);
	va_end(args);
	return rc;
}

static int fail_mdb(struct failure *f, const char *dir, int rc)
{
	bool damaged = rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH ||
		       rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND;

	return fail(f,
		    damaged ? -EUCLEAN :
		    rc > 0  ? -rc :
			      engine_lmdb_errno(rc),
		    "%s/data.mdb: %s", dir, mdb_strerror(rc));
}

/* Opens the folder, makes it first if need be, and locks it. */
static int open_dir(struct lmdb *l, const char *dir, struct failure *f)
{
	int parent;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return fail(f, -errno, "%s: cannot make it: %s", dir, strerror(errno));
	l->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->dir_fd < 0)
		return fail(f, -errno, "%s: %s", dir, strerror(errno));
	/* The kernel gives it up when this process ends, however it ends. */
	if (flock(l->dir_fd, LOCK_EX | LOCK_NB))
		return fail(f, errno == EWOULDBLOCK ? -EBUSY : -errno,
			    "%s: another process has this store open", dir);
	parent = openat(l->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0) {
		(void)fsync(parent);
		close(parent);
	}
	return 0;
}

/*
 * A file shorter than its meta page says would be a SIGBUS later.  Before this, LMDB has
 * read nothing but the two meta pages.
 */
static int check_len(struct lmdb *l, const char *dir, struct failure *f)
{
	MDB_envinfo info;
	uint64_t want;
	struct stat st;
	MDB_stat ms;

	mdb_env_get_fd(l->env, &l->fd);
	mdb_env_stat(l->env, &ms);
	mdb_env_info(l->env, &info);
	l->page_len = ms.ms_psize;
	if (fstat(l->fd, &st))
		return fail(f, -errno, "%s/data.mdb: %s", dir, strerror(errno));
	want = ((uint64_t)info.me_last_pgno + 1) * ms.ms_psize;
	if ((uint64_t)st.st_size < want)
		return fail(f, -EUCLEAN,
			    "%s/data.mdb: cut off: %llu bytes where %llu were written",
			    dir, (unsigned long long)st.st_size,
			    (unsigned long long)want);
	return 0;
}

static int open_env(struct lmdb *l, const char *dir, uint64_t map_len, struct failure *f)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int rc = mdb_env_create(&l->env);

	if (!rc)
		rc = mdb_env_set_mapsize(l->env, map_len / page * page);
	if (!rc)
		rc = mdb_env_set_maxdbs(l->env, ENGINE_N_TABLES);
	if (!rc)
		rc = mdb_env_set_maxreaders(l->env, N_READERS);
	if (!rc)
		rc = mdb_env_open(l->env, dir, MDB_NOTLS | MDB_NORDAHEAD, 0600);
	return rc ? fail_mdb(f, dir, rc) : check_len(l, dir, f);
}

/* Opens the tables, or makes them all in a new file, and the later ones in an old. */
static int open_tables(struct lmdb *l, const char *dir, struct failure *f)
{
	MDB_stat main_db;
	bool is_new;
	MDB_txn *txn;
	int rc;

	mdb_env_stat(l->env, &main_db);
	is_new = main_db.ms_entries == 0;
	rc = mdb_txn_begin(l->env, NULL, 0, &txn);
	if (rc)
		return fail_mdb(f, dir, rc);
	/* A store from before there were IMAP and a spool is given what they need. */
	for (int i = 0; i < ENGINE_N_TABLES && !rc; i++)
		rc = mdb_dbi_open(txn, table_names[i],
				  is_new || i >= N_OLD_TABLES ? MDB_CREATE : 0,
				  &l->tables[i]);
	if (rc) {
		mdb_txn_abort(txn);
		if (rc == MDB_NOTFOUND)
			return fail(f, -EUCLEAN, "%s/data.mdb: not a mail store", dir);
		return fail_mdb(f, dir, rc);
	}
	rc = mdb_txn_commit(txn);
	if (rc)
		return fail_mdb(f, dir, rc);
	engine_lmdb_reserve(l);
	if (fsync(l->dir_fd)) /* the file's own name */
		return fail(f, -errno, "%s: %s", dir, strerror(errno));
	return 0;
}

int engine_lmdb_open(const char *dir, uint64_t map_len, struct engine **engine,
		     char *error, size_t error_len)
{
	struct failure f = { error, error_len };
	struct lmdb *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return fail(&f, -ENOMEM, "%s: out of memory", dir);
	l->engine.ops = &engine_lmdb_ops;
	l->dir_fd = -1;
	rc = open_dir(l, dir, &f);
	if (!rc)
		rc = open_env(l, dir, map_len, &f);
	if (!rc)
		rc = open_tables(l, dir, &f);
	if (rc) {
		engine_lmdb_ops.close(&l->engine);
		return rc;
	}
	*engine = &l->engine;
	return 0;
}

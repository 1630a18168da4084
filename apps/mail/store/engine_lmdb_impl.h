/*
 * What the two files of the LMDB engine share: one opens it, the other works it.
 */
#pragma once

#include <lmdb.h>
#include <stddef.h>

#include "apps/mail/store/engine.h"

struct lmdb {
	struct engine engine;
	MDB_env *env;
	size_t page_len;
	int dir_fd;	    /* locked: one process has the store */
	int fd;		    /* of the file, LMDB's */
	uint64_t allocated; /* bytes that the disk gave to the file */
	MDB_dbi tables[ENGINE_N_TABLES];
};

extern const struct engine_ops engine_lmdb_ops;

/* Has the disk keep room for deletions behind what is written.  The writer's. */
void engine_lmdb_reserve(struct lmdb *l);
/* -errno as engine.h has them, of what LMDB returned. */
int engine_lmdb_errno(int rc);

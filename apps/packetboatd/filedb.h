/*
 * What a file says, in a running server: the file is looked at every second, and a new
 * one is read by a thread, checked whole, and taken; one that is wrong is said once, and
 * all stays as it was.
 *
 * Belongs to the thread of its net.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FILEDB_LOOK_MS = 1000, FILEDB_ERROR_LEN = 512 };

struct filedb;
struct log;
struct net;

/* How a file becomes a value; @load runs in a thread. */
struct filedb_kind {
	const char *name; /* in the log: "users" */
	bool is_needed;	  /* that there is no file is worth a warning */
	/* 0; or -errno and what is wrong. */
	int (*load)(const char *path, void **value, char error[FILEDB_ERROR_LEN]);
	/* The value of no file; NULL: no memory. */
	void *(*none)(void);
	void (*free)(void *value);
	size_t (*count)(const void *value);
};

/*
 * 0; or -errno and what is wrong with the file.  No file yet is no error.  @kind and @log
 * stay the caller's.
 */
int filedb_new(struct net *net, const struct log *log, const struct filedb_kind *kind,
	       const char *path, struct filedb **db, char error[FILEDB_ERROR_LEN]);
void filedb_free(struct filedb *db);
/* Calls @fn when a new file was taken; not for the first. */
void filedb_on_new(struct filedb *db, void (*fn)(void *arg), void *arg);
/* The value now, valid until the net's next turn. */
const void *filedb_value(const struct filedb *db);
/* Reads the file anew, whether it changed or not. */
void filedb_reload(struct filedb *db);
/* How often the file was read and taken, and how often it was wrong. */
void filedb_counts(const struct filedb *db, uint64_t *n_loaded, uint64_t *n_refused);

/*
 * Words in pairs, a key and its value, that fill a struct: the rest of a statement.
 */
#pragma once

#include <stddef.h>

#include "apps/pbsim/scene.h"

enum key_kind {
	KEY_TIME,   /* uint64_t ns */
	KEY_RATE,   /* uint64_t bits a second */
	KEY_SIZE,   /* uint64_t */
	KEY_SIZE32, /* uint32_t */
	KEY_COUNT,  /* uint64_t */
	KEY_COUNT32,
	KEY_MTU,    /* uint16_t, 68 to 65535 */
	KEY_CHANCE, /* double */
	KEY_FLAG,   /* bool; no value */
	KEY_TEXT,   /* const char *, kept */
	KEY_QUEUE,  /* enum aqm_kind */
	KEY_LIMIT,  /* uint64_t bytes, or a time: KEY_TIME at @other */
};

struct key {
	const char *name;
	enum key_kind kind;
	size_t at;    /* in the struct */
	size_t other; /* KEY_LIMIT: of the time */
};

/* What is read. */
struct keys {
	struct scene *sc;
	const struct scene_vars *vars;
	const struct scene_stmt *stmt;
	unsigned word;	  /* the next one */
	const char *stop; /* ends the pairs; NULL: nothing does */
};

/* Reads pairs until the statement or @k->stop, at most once each; @keys end with a NULL
 * name.  0 or -errno. */
int keys_read(struct keys *k, const struct key *keys, void *to);

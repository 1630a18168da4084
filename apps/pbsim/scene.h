/*
 * Scenarios: text that says what a network is and what happens in it (pbsim(1) has the
 * language), read strictly; a mistake is told as FILE:LINE and a sentence.
 *
 *	scene_load()	the file, cut into statements of words
 *	scene_first()	values of what varies, then scene_next() for each combination
 *	scene_build()	one simulation for these values
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pbsim;

enum {
	SCENE_ERROR_LEN = 512,
	SCENE_WORD_MAX = 256,  /* letters of a word, when its variables are filled in */
	SCENE_WORDS_MAX = 256, /* of a statement */
	SCENE_VARS_MAX = 64,
	SCENE_VARY_MAX = 8,
	SCENE_TABLES_MAX = 16,
	SCENE_CHANGES_MAX = 1024,
	SCENE_FILE_MAX = 1 << 20, /* bytes */
	SCENE_RUNS_MAX = 100000,
};

struct scene_stmt {
	unsigned line;
	unsigned n_words;
	char **word;
};

struct scene_var {
	const char *name, *value;
};

struct scene_vars {
	unsigned n;
	struct scene_var var[SCENE_VARS_MAX];
};

/* What varies, and the values it takes. */
struct scene_vary {
	const char *name;
	unsigned n;
	const char **value;
	unsigned at;
};

/* A table of what came of all runs. */
struct scene_table {
	const struct scene_stmt *stmt;
	unsigned n_rows;
	unsigned row[SCENE_VARY_MAX]; /* numbers of what varies */
	int column;		      /* likewise; -1: none */
	unsigned n_values;
	const char *value[SCENE_VARY_MAX];
	unsigned digits;
};

struct scene {
	char *path, *text;
	unsigned n_stmts, stmts_room;
	struct scene_stmt *stmt;
	struct scene_vars fixed; /* of the command line: they win */
	unsigned n_vary;
	struct scene_vary vary[SCENE_VARY_MAX];
	unsigned n_tables;
	struct scene_table table[SCENE_TABLES_MAX];
	char **kept; /* strings of its own */
	unsigned n_kept;
	char error[SCENE_ERROR_LEN];
};

/* A line becomes another one while it runs. */
struct scene_change {
	uint64_t at_ns;
	const struct scene_stmt *stmt;
};

/* One simulation, ready to run. */
struct scene_run {
	struct pbsim *sim;
	struct scene *scene;
	struct scene_vars vars;
	uint64_t seed, time_ns, warm_ns;
	unsigned n_changes, changed;
	struct scene_change change[SCENE_CHANGES_MAX];
	uint64_t *warm; /* bytes that each flow had delivered at warm_ns */
};

/* 0; or -errno, and scene->error.  scene_free() in any case; NULL: no memory. */
struct scene *scene_new(void);
int scene_load(struct scene *sc, const char *path);
/* "name=value" of the command line, before scene_load(). */
int scene_define(struct scene *sc, const char *text);
void scene_free(struct scene *sc);

/* The first combination of what varies, and the next; false: that was the last. */
void scene_first(struct scene *sc);
bool scene_next(struct scene *sc);

/* 0 or -errno.  scene_run_end() in any case. */
int scene_build(struct scene *sc, struct scene_run *run);
/* From begin to end, with warm-up and changes. */
int scene_run(struct scene_run *run);
void scene_run_end(struct scene_run *run);
/* Bits a second that a flow delivered behind the warm-up. */
double scene_goodput(const struct scene_run *run, unsigned flow);

/* ---- for scene*.c ---- */

/* Writes FILE:LINE and the sentence, and returns -EINVAL. */
int scene_fail(struct scene *sc, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The value, or NULL. */
const char *scene_var(const struct scene_vars *vars, const char *name, size_t len);
int scene_set(struct scene *sc, struct scene_vars *vars, unsigned line, const char *name,
	      const char *value);
/* A copy that lives as long as the scene; NULL: no memory. */
const char *scene_keep(struct scene *sc, const char *text);
/* Word @i with its variables filled in. */
int scene_word(struct scene *sc, const struct scene_vars *vars,
	       const struct scene_stmt *st, unsigned i, char out[static SCENE_WORD_MAX]);
/* scene_study.c: statements "vary" and "table". */
int scene_read_study(struct scene *sc);

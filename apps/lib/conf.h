/*
 * Configuration files: INI, by inih, against a table of what there is.
 *
 *	# a comment; so is what stands behind " ;"
 *	name = value
 *	[section]
 *	name = value
 *
 * A program describes its options in a table of struct conf_opt, which says for each
 * where in a struct its value goes, and what is allowed.  Every error names file and
 * line, what was read and what is allowed; nothing is set half.  Numbers may end in
 * K, M, G or T (powers of 1024); lists have commas between, or a line for each value.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONF_ERROR_LEN = 1024,
	CONF_LIST_MAX = 64, /* values of a list */
};

enum conf_kind {
	CONF_TEXT,   /* char *; NULL when it is not set and has no initial value */
	CONF_NUMBER, /* uint64_t */
	CONF_BOOL,   /* bool: yes or no */
	CONF_LIST,   /* struct conf_list */
};

struct conf_list {
	char *at[CONF_LIST_MAX];
	size_t n;
};

struct conf_opt {
	const char *section; /* "": before the first */
	const char *name;
	enum conf_kind kind;
	size_t offset;		       /* of its value in the program's struct */
	const char *initial;	       /* as in the file; NULL: none.  Not for numbers */
	uint64_t initial_n;	       /* CONF_NUMBER */
	uint64_t least, most;	       /* CONF_NUMBER */
	bool (*ok)(const char *value); /* CONF_TEXT, CONF_LIST; NULL: any */
	const char *allowed;	       /* what @ok allows, in words */
	const char *text;	       /* what it is for, in words */
};

struct conf {
	const struct conf_opt *opts;
	size_t n_opts;
	void *values;	    /* the program's struct */
	const char *path;   /* NULL: none was read */
	unsigned *lines;    /* of each option; 0: not set there */
	const char **where; /* "--net", of those that were not set by the file */
	char error[CONF_ERROR_LEN];
};

/*
 * Gives all options of @values their initial values.  0 or -ENOMEM.  The table, @values
 * and later the path stay the caller's.
 */
int conf_init(struct conf *c, const struct conf_opt *opts, size_t n_opts, void *values);
/* Frees texts and lists in @values, too. */
void conf_fini(struct conf *c);

/*
 * Reads a file.  0, or -errno and c->error.  With @others_too, options that are not in
 * the table are skipped: for a program that needs a few of another's options.
 */
int conf_load(struct conf *c, const char *path, bool others_too);
/* Sets one option, "name" or "section.name", as if it stood in the file; @where (of
 * static storage) stands for file and line in messages.  0 or -EINVAL and c->error. */
int conf_set(struct conf *c, const char *name, const char *value, const char *where);
/*
 * For checks of one option against another: c->error says that the value at @offset
 * cannot be, where it was set, and what is @allowed.  Returns -EINVAL.
 */
int conf_refuse(struct conf *c, size_t offset, const char *allowed);
/* The same of one @value of a list. */
int conf_refuse_value(struct conf *c, size_t offset, const char *value,
		      const char *allowed);

/* 5242880 as "5M". */
enum { CONF_NUMBER_LEN = 24 };
const char *conf_number_text(uint64_t n, char out[static CONF_NUMBER_LEN]);

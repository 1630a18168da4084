/*
 * What stands in one statement: names, with ranges, and the words of links and flows.
 * For scene_*.c.
 */
#pragma once

#include "apps/pbsim/pbsim.h"
#include "apps/pbsim/scene.h"

/* What stands in a word like "s[1-8]". */
struct names {
	unsigned n;
	char (*name)[PBSIM_NAME_LEN];
};

/* One statement on its way. */
struct build {
	struct scene *sc;
	struct scene_run *run;
	const struct scene_stmt *st;
};

/* Word @i with its variables filled in; @what is missing without it.  0 or -errno, as all
 * below. */
int words_at(const struct build *b, unsigned i, const char *what,
	     char out[static SCENE_WORD_MAX]);
/* Word @i as names.  names->name is the caller's to free, whatever happens. */
int words_names(const struct build *b, unsigned i, struct names *names);
/* Words @i and @i + 1: both ends of links or flows, one each, or one for all of @n. */
int words_pairs(const struct build *b, unsigned i, struct names *from, struct names *to,
		unsigned *n);
const char *words_name(const struct names *names, unsigned i);
/* "[ADDR] KEYS" from word 2 on. */
int words_host(const struct build *b, struct pbsim_host *host);
/* "KEYS [back KEYS]" from word @from on: both directions. */
int words_link(const struct build *b, unsigned from, struct pbsim_line line[2]);
/* The words of a flow from 3 on. */
int words_flow(const struct build *b, enum pbsim_kind kind, struct pbsim_flow *flow);

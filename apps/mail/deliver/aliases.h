/*
 * Addresses that lead elsewhere, in a file, one a line; lines that begin with a blank go
 * on with the one above.
 *
 *	sales@b.example: alice, bob@b.example, helper@far.example
 *	list dev@b.example owner alice@b.example: alice, far@c.example
 *	moved smith@b.example 251: smith@new.example
 *	moved jones@b.example 551: jones@new.example
 *
 * What stands behind the colon is the name of a user, whose mailbox it is, or an address,
 * which may be an alias too.  A list's mail has its owner as sender, who hears what could
 * not be delivered (RFC 5321 3.9.2); an alias's keeps its own (3.9.1).  Of a user who moved
 * the mail is sent on and the client told (251), or the client is to send it there (551,
 * RFC 5321 3.4).
 *
 * Blank lines and lines beginning with '#' are comments.  The file is read whole and
 * checked whole.  A struct aliases never changes: it is for any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"

enum {
	ALIASES_MAX = 1000000,
	ALIASES_FILE_MAX = 1 << 28, /* bytes of the file */
	ALIASES_TARGETS_MAX = 1000, /* of one */
	ALIASES_ERROR_LEN = 512,
};

enum alias_kind {
	ALIAS_PLAIN,
	ALIAS_LIST,
	ALIAS_MOVED_ON,	  /* 251 */
	ALIAS_MOVED_AWAY, /* 551 */
};

struct alias {
	enum alias_kind kind;
	struct str addr;
	struct str owner;	   /* of a list */
	const struct str *targets; /* with '@': an address; else a user */
	size_t n_targets;
};

struct aliases;

/* None.  NULL: no memory. */
struct aliases *aliases_new(void);
/* Reads @path.  0; or -errno and "file:line: what, what is allowed" in @error. */
int aliases_load(const char *path, struct aliases **aliases,
		 char error[ALIASES_ERROR_LEN]);
/* The same from memory; @name stands for the file in messages. */
int aliases_parse(const char *name, struct str text, struct aliases **aliases,
		  char error[ALIASES_ERROR_LEN]);
void aliases_free(struct aliases *aliases);

size_t aliases_count(const struct aliases *aliases);
/* In the order of the file. */
const struct alias *aliases_at(const struct aliases *aliases, size_t i);
/* As users_by_addr(): letters without case. */
const struct alias *aliases_find(const struct aliases *aliases, struct str addr);
/* True when some alias is in @domain: then it is ours. */
bool aliases_has_domain(const struct aliases *aliases, struct str domain);

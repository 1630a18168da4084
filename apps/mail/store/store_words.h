/*
 * The words by which messages and mailboxes are described: flags, keywords, special
 * uses, names.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum {
	STORE_USER_MAX = 64,
	STORE_MAILBOX_NAME_MAX = 255,
	STORE_KEYWORDS_MAX = 26,    /* of one mailbox */
	STORE_KEYWORD_LEN_MAX = 64, /* bytes of one */
	STORE_KEYWORD_BIT = 6,	    /* of the first one, in flags */
};

/* Flags of a message: these, and from STORE_KEYWORD_BIT on its mailbox's keywords. */
enum store_flag {
	STORE_SEEN = 1 << 0,
	STORE_ANSWERED = 1 << 1,
	STORE_FLAGGED = 1 << 2,
	STORE_DELETED = 1 << 3,
	STORE_DRAFT = 1 << 4,
	STORE_FLAGS_ALL = (1 << 5) - 1,
};

/* What a mailbox is for (RFC 6154). */
enum store_use {
	STORE_USE_DRAFTS = 1 << 0,
	STORE_USE_SENT = 1 << 1,
	STORE_USE_TRASH = 1 << 2,
	STORE_USE_JUNK = 1 << 3,
	STORE_USE_ARCHIVE = 1 << 4,
	STORE_USE_ALL = 1 << 5,
	STORE_USE_FLAGGED = 1 << 6,
	STORE_USES_ALL = (1 << 7) - 1,
};

/* Keywords by name; in a mailbox names[i] is bit STORE_KEYWORD_BIT + i. */
struct store_keywords {
	struct str names[STORE_KEYWORDS_MAX];
	unsigned n;
};

/* An atom's characters, 1 to STORE_KEYWORD_LEN_MAX of them. */
bool store_keyword_ok(struct str name);
/* The bit of @name, without regard to case; 0: not among them. */
uint32_t store_keyword_bit(const struct store_keywords *k, struct str name);
/*
 * Names of mailboxes are UTF-8 with '/' between levels, none of them empty.  INBOX is
 * always there, and any case of its letters is to be turned into capitals before.
 */
bool store_mailbox_ok(struct str name);

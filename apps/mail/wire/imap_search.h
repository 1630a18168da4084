/*
 * Search keys (RFC 3501 6.4.4) as a tree, in the arena of the command they came with.
 *
 *	OR SEEN NOT (FROM "x" LARGER 9)
 *
 *	OR -- FLAG \Seen
 *	  `-- not AND -- HEADER From x
 *		     `-- LARGER 9
 *
 * What RFC 3501 names twice is one thing here: UNSEEN is not FLAG \Seen, NEW is the AND of
 * FLAG \Recent and not FLAG \Seen, FROM x is HEADER From x, UNKEYWORD x is not KEYWORD x.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_set.h"

enum {
	IMAP_SEARCH_KEYS_MAX = 4096,
	IMAP_SEARCH_DEPTH_MAX = 100, /* of ORs and parentheses inside each other */
};

enum imap_key_kind {
	IMAP_KEY_AND, /* all of @kids */
	IMAP_KEY_OR,  /* one of the two @kids */
	IMAP_KEY_ALL,
	IMAP_KEY_SEQ, /* message numbers in @set */
	IMAP_KEY_UID, /* UIDs in @set */
	IMAP_KEY_FLAG,
	IMAP_KEY_KEYWORD,
	IMAP_KEY_BEFORE, /* internal date, below @days */
	IMAP_KEY_ON,
	IMAP_KEY_SINCE,	     /* @days or later */
	IMAP_KEY_SENTBEFORE, /* the same of the Date field */
	IMAP_KEY_SENTON,
	IMAP_KEY_SENTSINCE,
	IMAP_KEY_LARGER, /* more octets than @size */
	IMAP_KEY_SMALLER,
	IMAP_KEY_HEADER, /* field @header.name holds @header.text; any, when that is empty */
	IMAP_KEY_BODY,	 /* @text stands in the body */
	IMAP_KEY_TEXT,	 /* or in the header */
	IMAP_KEY_MODSEQ, /* @modseq or more (RFC 7162 3.1.5) */
};

struct imap_key {
	enum imap_key_kind kind;
	bool is_not;
	struct imap_key *next; /* the next kid of the same parent */
	union {
		struct imap_key *kids;
		struct imap_set set;
		unsigned flag; /* enum imap_flag */
		struct str keyword;
		int32_t days; /* since 1970, of the date as written, without its zone */
		uint32_t size;
		uint64_t modseq;
		struct str text;
		struct {
			struct str name, text;
		} header;
	};
};

struct imap_search {
	struct str charset; /* empty: none was named */
	struct imap_key *key;
};

/*
 * The words of IMAP (RFC 3501 9): takes them one after another from the front of a text
 * that imap_frame.h gathered.
 *
 * Each function gives true and moves on, or false and stops the reading for good: either
 * @bad says what is wrong, or @is_open: the text ends in the announcement of a literal,
 * and the reading came there.  So callers chain them with && and look at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_arena.h"

struct imap_set;

struct imap_lex {
	struct str text; /* what is left */
	struct imap_arena *arena;
	bool ends_open; /* the text ends in an announcement */
	bool takes_nul; /* in literals: RFC 3501 has none there, servers do */
	const char *bad;
	bool is_open;
	uint64_t size; /* of the last literal */
};

void imap_lex_init(struct imap_lex *lex, struct str text, bool ends_open,
		   struct imap_arena *arena);

/* Looks, takes nothing. */
bool imap_lex_at(const struct imap_lex *lex, char c);
bool imap_lex_at_end(const struct imap_lex *lex);
/* Takes @c if it stands there; false does not stop the reading. */
bool imap_lex_skip(struct imap_lex *lex, char c);
/* Says what is wrong, if nothing was before.  False. */
bool imap_lex_fail(struct imap_lex *lex, const char *why);

bool imap_lex_char(struct imap_lex *lex, char c);
bool imap_lex_space(struct imap_lex *lex);
bool imap_lex_end(struct imap_lex *lex);

/* atom = 1*ATOM-CHAR */
bool imap_lex_atom(struct imap_lex *lex, struct str *s);
/* 1*(ALPHA / DIGIT / ".") */
bool imap_lex_word(struct imap_lex *lex, struct str *s);
/* flag = "\" atom / atom */
bool imap_lex_flag(struct imap_lex *lex, struct str *s);
bool imap_lex_string(struct imap_lex *lex, struct str *s);
bool imap_lex_quoted(struct imap_lex *lex, struct str *s);
/* *is_passed: it passed by the text, and only lex->size is known. */
bool imap_lex_literal(struct imap_lex *lex, struct str *s, bool *is_passed);
/* NIL has a NULL p. */
bool imap_lex_nstring(struct imap_lex *lex, struct str *s);
bool imap_lex_astring(struct imap_lex *lex, struct str *s);
/* An astring that names a mailbox: INBOX in any case is "INBOX" (RFC 3501 5.1). */
bool imap_lex_mailbox(struct imap_lex *lex, struct str *s);
/* list-mailbox: an astring that may have wildcards outside of quotes */
bool imap_lex_pattern(struct imap_lex *lex, struct str *s);
/* 32 bits; nz: from 1; 64: 63 bits, as RFC 7162 has them. */
bool imap_lex_number(struct imap_lex *lex, uint32_t *n);
bool imap_lex_nz_number(struct imap_lex *lex, uint32_t *n);
bool imap_lex_number64(struct imap_lex *lex, uint64_t *n);
bool imap_lex_set(struct imap_lex *lex, struct imap_set *set);
/* The announcement in which the text ends: lex->size. */
bool imap_lex_announced(struct imap_lex *lex);

/* Memory for @len bytes, as imap_arena_get() and imap_arena_more(). */
void *imap_lex_get(struct imap_lex *lex, size_t len);
void *imap_lex_more(struct imap_lex *lex, void *items, size_t n, size_t item_len);
/* A copy that does not go with the text. */
bool imap_lex_keep(struct imap_lex *lex, struct str *s);

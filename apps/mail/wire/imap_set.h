/*
 * Sequence sets (RFC 3501 9): message numbers or UIDs.
 *
 *	5:7,2,*:9		sequence-set
 *	[2,2] [5,7], from 9	what it means, sorted
 *
 * "*" is the largest number in use, which only who has the mailbox knows: it is put in
 * with imap_set_resolve().  Ranges may be written in any order and overlap; they are kept
 * rising, with at least one number between them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_arena.h"

enum { IMAP_SET_RANGES_MAX = 16384 };

struct imap_range {
	uint32_t first, last; /* from 1 */
};

struct imap_set {
	struct imap_range *ranges; /* in an arena, with room for one more */
	uint32_t n;
	/* The lowest number that stood in one range with "*", or UINT32_MAX when it stood
	 * alone.  0: there was none, or it is resolved. */
	uint32_t star;
};

/*
 * The whole of @text.  0; -EINVAL: not a sequence set; -E2BIG: more ranges than
 * IMAP_SET_RANGES_MAX; -ENOMEM.
 */
int imap_set_parse(struct str text, struct imap_arena *arena, struct imap_set *set);

/*
 * Puts in the largest number in use; 0: there is none, and "*" is nothing.  RFC 3501 9:
 * "9:*" holds the largest number even when that is below 9.
 */
void imap_set_resolve(struct imap_set *set, uint32_t max);

/* The functions below are for sets without "*". */
bool imap_set_has(const struct imap_set *set, uint32_t number);
/* How many numbers it holds. */
uint64_t imap_set_count(const struct imap_set *set);
/* The largest number; 0: it holds none. */
uint32_t imap_set_last(const struct imap_set *set);

/* Walks through the numbers, rising; begin with a zeroed struct imap_set_at. */
struct imap_set_at {
	uint32_t range, passed;
};
bool imap_set_next(const struct imap_set *set, struct imap_set_at *at, uint32_t *number);

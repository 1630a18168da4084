/*
 * Patterns of LIST and LSUB (RFC 3501 6.3.8): "*" stands for anything, "%" for anything
 * without the hierarchy's delimiter.
 *
 *	foo/%		foo/a		not foo/a/b
 *
 * Matching goes once through the name, with all places of the pattern where it may be at
 * the same time: never back, so its cost has no steeper bound than their product.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum { IMAP_PATTERN_MAX = 511 };

struct imap_pattern {
	char bytes[IMAP_PATTERN_MAX];
	uint16_t len;
	char delimiter; /* 0: there is no hierarchy */
};

/*
 * The pattern behind the reference, as LIST has them.  0; -ENAMETOOLONG: longer than
 * IMAP_PATTERN_MAX, when runs of wildcards are one.
 */
int imap_pattern_init(struct imap_pattern *p, struct str reference, struct str pattern,
		      char delimiter);
/* INBOX, and as the first level of a name, in any case (RFC 3501 5.1). */
bool imap_pattern_match(const struct imap_pattern *p, struct str name);

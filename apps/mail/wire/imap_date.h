/*
 * Dates as IMAP writes them (RFC 3501 9).
 *
 *	1-Feb-1994				date-text, in searches
 *	"17-Jul-1996 02:44:25 -0700"		date-time, of APPEND and INTERNALDATE
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum { IMAP_DATE_TIME_LEN = 27 }; /* without quotes, with a NUL */

struct imap_date_time {
	int64_t s;	  /* since 1970, UTC */
	int32_t zone_min; /* minutes east of UTC in which it was written */
};

/* The whole of @text is a date, without quotes; days since 1970, before it too. */
bool imap_date_parse(struct str text, int32_t *days);
/* The whole of @text is a date-time, without its quotes. */
bool imap_date_time_parse(struct str text, struct imap_date_time *t);
/* In UTC; years are kept within 0 to 9999.  Returns the length. */
size_t imap_date_time_emit(int64_t s, char out[static IMAP_DATE_TIME_LEN]);

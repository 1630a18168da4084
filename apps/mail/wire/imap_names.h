/*
 * Words that commands and responses share, beside the values they stand for.  A table
 * of bits has them in rising order.
 */
#pragma once

#include <stddef.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_cmd.h"

enum {
	IMAP_N_FLAG_NAMES = 6, /* \Recent is the last */
	IMAP_N_USE_NAMES = 7,
	IMAP_N_FETCH_NAMES = 11,
	IMAP_N_SECTION_NAMES = 5,
	IMAP_N_MAILBOX_NAMES = 8,
};

/* What LIST says of a mailbox (RFC 3501 7.2.2, RFC 3348 4, RFC 5258 3.4). */
enum imap_mailbox_attr {
	IMAP_MAILBOX_NOINFERIORS = 1 << 0,
	IMAP_MAILBOX_NOSELECT = 1 << 1,
	IMAP_MAILBOX_MARKED = 1 << 2,
	IMAP_MAILBOX_UNMARKED = 1 << 3,
	IMAP_MAILBOX_HASCHILDREN = 1 << 4,
	IMAP_MAILBOX_HASNOCHILDREN = 1 << 5,
	IMAP_MAILBOX_SUBSCRIBED = 1 << 6,
	IMAP_MAILBOX_NONEXISTENT = 1 << 7,
};

struct imap_name {
	const char *name;
	unsigned value;
};

extern const struct imap_name imap_flag_names[IMAP_N_FLAG_NAMES];
extern const struct imap_name imap_use_names[IMAP_N_USE_NAMES];
extern const struct imap_name imap_status_names[IMAP_STATUS_N];
extern const struct imap_name imap_fetch_names[IMAP_N_FETCH_NAMES];
extern const struct imap_name imap_section_names[IMAP_N_SECTION_NAMES];
extern const struct imap_name imap_mailbox_names[IMAP_N_MAILBOX_NAMES];

/* The first row with that name, in any case, or with that value; NULL: none. */
const struct imap_name *imap_names_find(const struct imap_name *names, size_t n,
					struct str name);
const struct imap_name *imap_names_of(const struct imap_name *names, size_t n,
				      unsigned value);

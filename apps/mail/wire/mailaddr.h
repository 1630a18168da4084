/*
 * Addresses as SMTP writes them: paths (RFC 5321 4.1.2) and address literals (4.1.3).
 *
 *	<@relay.example,@b.example:"two words"@host.example>
 *	 ----- ignored ----------- ---local--- --domain----
 *
 * Parsing copies nothing: the slices of a struct mailaddr point into what was parsed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"

/* RFC 5321 4.5.3.1.1 to 4.5.3.1.3. */
enum {
	MAILADDR_LOCAL_MAX = 64,
	MAILADDR_DOMAIN_MAX = 255,
	MAILADDR_LABEL_MAX = 63,	       /* RFC 1035 2.3.4 */
	MAILADDR_PATH_MAX = 256,	       /* with its brackets */
	MAILADDR_TEXT_LEN = MAILADDR_PATH_MAX, /* an address without them, with a NUL */
};

enum mailaddr_kind {
	MAILADDR_NULL,	     /* "<>" */
	MAILADDR_POSTMASTER, /* "<Postmaster>": no domain */
	MAILADDR_MAILBOX,
};

struct mailaddr {
	enum mailaddr_kind kind;
	struct str local;  /* as it was written, with its quotes */
	struct str domain; /* a name, or a literal with its brackets */
};

/*
 * Takes one path off the front of @in.  0; -EINVAL: not a path; -ENAMETOOLONG: longer
 * than the limits above, or one of its parts is.
 */
int mailaddr_path(struct str *in, struct mailaddr *addr);

/*
 * The shortest way to write the address, without brackets, with a NUL: "a\b"@c and
 * ab@c are the same to all (RFC 5321 4.1.2), and come out the same.  Returns the length.
 */
size_t mailaddr_emit(const struct mailaddr *addr, char out[static MAILADDR_TEXT_LEN]);

/* The whole of @s is a domain, or a literal in brackets. */
bool mailaddr_is_domain(struct str s);
bool mailaddr_is_literal(struct str s);

/*
 * Text in any character set to UTF-8, by iconv, in pieces.
 *
 * Nothing fails: a set that is not known is read as UTF-8 where it is that and else as
 * ASCII, and what cannot be read becomes U+FFFD; both are noted.  Output ends at a whole
 * character when there is no more room (out->bad).
 */
#pragma once

#include <iconv.h>
#include <stdbool.h>

#include "apps/lib/str.h"
#include "stack/base/byte.h"

enum {
	CHARSET_NAME_MAX = 40, /* RFC 2978 2.3 */
	CHARSET_HELD_MAX = 16, /* bytes of a character that is not whole */
};

enum charset_odd {
	CHARSET_ODD_NAME = 1 << 0,  /* there is no such character set */
	CHARSET_ODD_BYTES = 1 << 1, /* bytes that are no character in it */
	CHARSET_ODD_ROOM = 1 << 2,  /* the output was too small */
};

struct charset {
	enum charset_kind { CHARSET_UTF8, CHARSET_LATIN1, CHARSET_ICONV } kind;
	iconv_t cd; /* of CHARSET_ICONV only */
	uint32_t odd;
	uint8_t n_held;
	char held[CHARSET_HELD_MAX];
};

/* An empty name is US-ASCII.  Needs charset_close(), whatever happened. */
void charset_open(struct charset *c, struct str name);
void charset_feed(struct charset *c, struct str in, struct wr *out);
/* What was held back was not whole. */
void charset_end(struct charset *c, struct wr *out);
void charset_close(struct charset *c);

/* All of that for one piece; bits of enum charset_odd. */
uint32_t charset_to_utf8(struct str name, struct str in, struct wr *out);

/*
 * The length of the character at the front of @s, which is not empty; 0: no UTF-8
 * (RFC 3629 4); -1: it may become one with more bytes.
 */
int charset_utf8_char(struct str s);
bool charset_is_utf8(struct str s);
bool charset_is_ascii(struct str s);

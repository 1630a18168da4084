/*
 * The structure of a message (RFC 2045, 2046): which parts it has, where each stands,
 * and what its header says of it.
 *
 *	0  multipart/mixed                   header ---- body ----------------------
 *	1    text/plain           1            | header, body |
 *	2    message/rfc822       2            |              | header, body --- |
 *	3      multipart/mixed    2.TEXT       |              |   header, body   |
 *	4        image/png        2.1
 *
 * The parser is fed in any pieces and keeps no byte of a body: parts are ranges of octets
 * of the message, from its first.  A message/rfc822 has one child: the message in it.
 * Numbers of parts are in the order of the message, so parents come before children.
 *
 * It never fails: malformed mail has some structure too, and what was odd is noted at the
 * part where it was.  What a stranger can make grow has a limit in struct mime_limits;
 * behind it parts are part of the body of what has them.
 *
 * For IMAP's BODYSTRUCTURE and BODY[], the user agent, mime_7bit.h.  On any thread; one
 * at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/enc.h"
#include "apps/mail/wire/param.h"

enum {
	MIME_ROOT = 0,		 /* the part that is the message itself */
	MIME_BOUNDARY_MAX = 256, /* characters; RFC 2046 5.1.1 allows 70 */
	MIME_FIELD_MAX = 8192,	 /* octets of a field that are looked at */
};

static const uint32_t MIME_NONE = UINT32_MAX; /* no such part */

/* What may be odd, a bit each, and what that means. */
#define MIME_ODDITIES(M)                                                     \
	M(NO_VERSION, "has content fields and no MIME-Version")              \
	M(VERSION, "has another MIME-Version than 1.0")                      \
	M(TYPE, "has a Content-Type that is none; it is text/plain")         \
	M(PARAM, "has parameters that are odd")                              \
	M(TWICE, "has a content field twice; the first counts")              \
	M(ENC, "has an encoding that is not known")                          \
	M(ENC_NESTED, "has an encoding that its type forbids")               \
	M(NO_BOUNDARY, "is a multipart without boundary, taken for a leaf")  \
	M(NO_PARTS, "is a multipart without parts")                          \
	M(NO_END, "is a multipart without its last delimiter")               \
	M(TAIL, "has a delimiter with more behind it")                       \
	M(HEADER_END, "has a header that no empty line ends")                \
	M(FROM_LINE, "has a line of a mailbox file in its header")           \
	M(HEADER_8BIT, "has bytes above 127 in its header")                  \
	M(BODY_8BIT, "has bytes above 127 in its body")                      \
	M(NUL, "has bytes 0")                                                \
	M(BARE, "has a CR without LF, or an LF without CR")                  \
	M(LIMIT_DEPTH, "is nested too deep, taken for a leaf")               \
	M(LIMIT_PARTS, "has more parts than are counted")                    \
	M(LIMIT_HEADER, "has a header of which only the beginning was read") \
	M(LIMIT_FIELD, "has a field of which only the beginning was read")   \
	M(LIMIT_MEMORY, "says more about itself than is kept")

enum mime_odd_bit {
#define M(name, text) MIME_BIT_##name,
	MIME_ODDITIES(M)
#undef M
		MIME_ODD_BITS
};

enum mime_odd {
#define M(name, text) MIME_ODD_##name = 1 << MIME_BIT_##name,
	MIME_ODDITIES(M)
#undef M
};

/* "part" and this make a sentence. */
const char *mime_odd_text(enum mime_odd_bit bit);

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* has any number of children */
	MIME_MESSAGE,	/* message/rfc822 or message/global: has one */
};

struct mime_params {
	unsigned n;
	const struct param *param;
};

/* A part.  Texts are without folds; those that its header does not have are empty. */
struct mime_part {
	enum mime_kind kind;
	uint32_t parent, child,
		next; /* of a parent, the first; MIME_NONE: there is none */
	uint32_t n_children;
	uint32_t odd;	    /* bits of enum mime_odd */
	uint64_t header_at; /* with the empty line that ends it */
	uint64_t header_len;
	uint64_t body_at; /* without the line end that belongs to a delimiter */
	uint64_t body_len;
	uint64_t n_lines; /* of the body; the last may have no end */
	bool has_type;	  /* else it is text/plain, or in a digest message/rfc822 */
	struct str type, subtype;
	struct mime_params params;
	enum enc enc;
	struct str enc_name; /* as it was written */
	struct str id, description, language, location, md5;
	struct str disposition;
	struct mime_params disposition_params;
};

struct mime_limits {
	uint32_t depth;	     /* parts inside parts */
	uint32_t n_parts;    /* of a message */
	uint64_t header_len; /* octets of a header that are looked at */
	size_t memory;	     /* for all that is known of all parts */
};

static const struct mime_limits mime_limits_default = {
	.depth = 50,
	.n_parts = 1000,
	.header_len = 256 * 1024,
	.memory = 2 * 1024 * 1024,
};

struct mime;

/* NULL: no memory. */
struct mime *mime_new(const struct mime_limits *limits);
void mime_free(struct mime *m);
/* Begins another message; what was known of the last is gone. */
void mime_reset(struct mime *m);
void mime_feed(struct mime *m, struct str bytes);
/* The message is over: now its parts can be asked for. */
void mime_end(struct mime *m);
/* Those three, for a message that is there as a whole. */
void mime_parse(struct mime *m, struct str message);

uint32_t mime_n_parts(const struct mime *m); /* at least 1 */
/* NULL: i is MIME_NONE or too big.  Valid until mime_reset() or mime_free(). */
const struct mime_part *mime_part(const struct mime *m, uint32_t i);
/* All that was odd in any part. */
uint32_t mime_odd(const struct mime *m);
bool mime_is(const struct mime_part *p, struct str type, struct str subtype);

/*
 * The part that IMAP calls "1.2.3" (RFC 3501 6.4.5): a part of a multipart, of the
 * multipart inside a message/rfc822, or as "1" a body that is no multipart.  An empty
 * path is the root.  MIME_NONE: no such part.
 */
uint32_t mime_find(const struct mime *m, struct str path);

/*
 * Writes a message: header fields, and parts as deep as they go.
 *
 *	mime_build_init(&b, &rng, max, false);
 *	mime_build_raw(&b, STR("Date"), date);
 *	mime_build_field(&b, STR("Subject"), STR("naïve"));
 *	mime_build_multipart(&b, STR("mixed"));
 *	mime_build_text(&b, STR("plain"), text);
 *	mime_build_bytes(&b, &(struct mime_build_part){ .type = STR("image/png"), ... }, png);
 *	mime_build_end(&b);
 *	err = mime_build_done(&b, &message);
 *
 * What goes wrong stays: every call after it does nothing, and mime_build_done() says
 * what it was.  Lines are folded (RFC 5322 2.1.1), text beyond ASCII in fields becomes
 * encoded words (RFC 2047), bodies get the plainest encoding that does (RFC 2045 6), and
 * all is 7bit unless the caller allows more.  Boundaries are random, and have characters
 * that neither base64 nor quoted-printable can have (RFC 2045 6.7).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/enc.h"

enum {
	MIME_BUILD_DEPTH = 16,	  /* multiparts inside multiparts */
	MIME_BUILD_BOUNDARY = 28, /* "=_" and 26 letters of 32: 130 random bits */
	MIME_BUILD_LINE = 76,	  /* characters of a folded line */
};

struct rng;

struct mime_build {
	char *p;
	size_t len, room, max;
	struct rng *rng;
	int err;
	bool allow_8bit;
	bool has_body; /* at the top: nothing may follow but the end */
	unsigned depth;
	char boundary[MIME_BUILD_DEPTH][MIME_BUILD_BOUNDARY];
};

/* At most @max octets.  Needs mime_build_fini(), whatever happened. */
void mime_build_init(struct mime_build *b, struct rng *rng, size_t max, bool allow_8bit);
void mime_build_fini(struct mime_build *b);

/* Fields of the message, before its body.  Unstructured: UTF-8, any characters. */
void mime_build_field(struct mime_build *b, struct str name, struct str text);
/* Structured, made by the caller: printable ASCII, folded here at its blanks. */
void mime_build_raw(struct mime_build *b, struct str name, struct str value);

struct mime_build_addr {
	struct str name; /* UTF-8, may be empty */
	struct str addr; /* local@domain, ASCII */
};

void mime_build_addrs(struct mime_build *b, struct str name,
		      const struct mime_build_addr *addrs, size_t n);

/* Begins "multipart/@subtype"; parts follow, then mime_build_end(). */
void mime_build_multipart(struct mime_build *b, struct str subtype);
/* "multipart/report" (RFC 6522): text, then mime_build_status(), then what was sent. */
void mime_build_report(struct mime_build *b, struct str report_type);
void mime_build_end(struct mime_build *b);

/* "text/@subtype": UTF-8, lines end with LF or CRLF. */
void mime_build_text(struct mime_build *b, struct str subtype, struct str text);

struct mime_build_part {
	struct str type;	/* "image/png" */
	struct str disposition; /* "attachment", "inline"; empty: none */
	struct str filename;	/* UTF-8; empty: none */
	struct str id;		/* "<a@b>"; empty: none */
	struct str description; /* UTF-8; empty: none */
};

/* Any bytes, in base64, with RFC 2231 names. */
void mime_build_bytes(struct mime_build *b, const struct mime_build_part *part,
		      struct str bytes);
/*
 * A message in this one: message/rfc822.  It cannot be encoded (RFC 2046 5.2.1): with
 * bytes above 127 where those are not allowed it is -EILSEQ; see mime_7bit.h.
 */
void mime_build_message(struct mime_build *b, struct str message);
/* Its header only: text/rfc822-headers (RFC 6522 4). */
void mime_build_headers(struct mime_build *b, struct str header);

struct mime_build_status {
	struct str name; /* empty: begins the next group */
	struct str value;
};

/* message/delivery-status (RFC 3464 2): a group of the message, one for each recipient.
 * What values may not have (printable ASCII) becomes "?". */
void mime_build_status(struct mime_build *b, const struct mime_build_status *fields,
		       size_t n);

/*
 * 0: all that was built, valid until mime_build_fini().  -ENOMEM; -EMSGSIZE: more than
 * max; -EINVAL: calls in an order that makes no message, too deep, or a name or address
 * that cannot be one; -EILSEQ: text that is not UTF-8, or 8bit where it may not be.
 */
int mime_build_done(struct mime_build *b, struct str *message);

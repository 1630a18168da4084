/*
 * Header fields (RFC 5322): one after the other, and what the structured ones say.
 *
 *	Subject: a line that\r\n
 *	 goes on\r\n
 *	name   : value, folded or not
 *
 * For who shows or answers mail: IMAP's envelopes, the user agent, bounces, the parser of
 * mime.h.  What transport needs of a header, rfc5322.h counts in passing.
 *
 * Nothing is copied until it must be: slices point into the header, or into the @text
 * that the caller gives where quotes, comments and folds have to go.  Parsers never fail
 * on what they can make sense of; what is odd is noted.  Text is as it was written, with
 * its encoded words (enc_word.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/enc.h"
#include "apps/mail/wire/param.h"
#include "stack/base/byte.h"

struct header_field {
	struct str name;  /* without blanks before the colon (RFC 5322 4.5.8) */
	struct str value; /* trimmed at both ends; folds are still in it */
	struct str whole; /* with name and line end */
};

/*
 * Takes a field off the front of *header.  False: there is none; *header begins with the
 * empty line that ended it, or a line that is no field.  Lines end with CRLF or LF.  Left
 * over "From " lines of mailbox files are passed over.
 */
bool header_next(struct str *header, struct header_field *field);
/* The first field of that name. */
bool header_find(struct str header, struct str name, struct header_field *field);
/* Octets of the header of a message, with the empty line behind it if there is one. */
size_t header_len(struct str message);

/* RFC 5322 2.2.3: the value on one line, blanks kept.  False: not all fitted. */
bool header_unfold(struct str value, struct wr *out);

enum header_odd {
	HEADER_ODD_SYNTAX = 1 << 0,    /* something was passed over */
	HEADER_ODD_NO_DOMAIN = 1 << 1, /* an address without "@" */
	HEADER_ODD_GROUP = 1 << 2, /* a group without its semicolon, or one in another */
	HEADER_ODD_ROOM = 1 << 3,  /* @text was too small: something is cut */
};

enum header_addr_kind { HEADER_MAILBOX, HEADER_GROUP_BEGIN, HEADER_GROUP_END };

/*
 * "Smith, John" <@relay.example:smith@host.example> (a comment)
 *     name         --- route --- -local ---domain--
 */
struct header_addr {
	enum header_addr_kind kind;
	struct str
		name; /* without quotes; else the comment (RFC 5322 3.4 note); of a group too */
	struct str route;  /* RFC 5322 4.4 obs-route: "@a,@b", without its colon */
	struct str local;  /* without quotes, comments, blanks */
	struct str domain; /* empty when there was none */
};

struct header_addrs {
	struct str rest;
	bool in_group;
	uint32_t odd; /* bits of enum header_odd */
};

/* address-list, mailbox-list and obsolete forms (RFC 5322 3.4, 4.4). */
void header_addrs_init(struct header_addrs *it, struct str value);
/*
 * The next mailbox, or begin or end of a group; every group ends.  False: no more.  Its
 * texts are written to @text, and valid while that is.
 */
bool header_addrs_next(struct header_addrs *it, struct wr *text,
		       struct header_addr *addr);

struct header_date {
	int64_t utc_s;	/* seconds since 1970 */
	int32_t zone_s; /* what the clock there was ahead of UTC */
	bool has_zone; /* false: "-0000" or a zone that says nothing (RFC 5322 3.3, 4.3) */
};

/* date-time with obs-zone, years of 2 and 3 digits, comments (RFC 5322 3.3, 4.3). */
bool header_date(struct str value, struct header_date *date);

/*
 * The next msg-id of Message-ID, In-Reply-To, References, with its brackets; blanks and
 * comments inside are gone, and phrases between (RFC 5322 4.5.4).  False: no more.
 */
bool header_msgid_next(struct str *rest, struct wr *text, struct str *id);

/* Content-Type or Content-Disposition: what stands first, and parameters. */
struct header_type {
	struct str type, subtype; /* Content-Disposition has no subtype */
	bool is_odd;		  /* not as RFC 2045 5.1 and RFC 2183 2 have it */
	struct param_list params;
};

/* RFC 2045 5.1.  False: no type is there; use text/plain (RFC 2045 5.2). */
bool header_content_type(struct str value, struct wr *text, struct header_type *type);
/* RFC 2183.  False: no word is there. */
bool header_content_disposition(struct str value, struct wr *text,
				struct header_type *type);
/* RFC 2045 6.1.  The word, and what we know it as; false: no word is there. */
bool header_content_encoding(struct str value, struct str *name, enum enc *enc);

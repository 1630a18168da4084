/*
 * A message as text for a terminal: what is to be read of it, decoded, and a list of the
 * rest by the numbers with which `pbmail save` asks for them (those of IMAP, RFC 3501
 * 6.4.5).
 *
 *	multipart/mixed		its parts, one after the other
 *	multipart/alternative	the best that we can show: plain text before HTML
 *	multipart/related	the first, which refers to the others
 *	multipart/digest	a list of its messages (RFC 2046 5.1.5)
 *	text/plain, text/html	the text, unless it is an attachment
 *	message/external-body	where it is; nothing is fetched
 *
 * Pure: reads the message, writes to a FILE.  Never fails on what a message is like.
 */
#pragma once

#include <stdio.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/mime.h"

enum {
	RENDER_TEXT_MAX = 8 << 20, /* octets of a part that are shown; the rest is cut */
	RENDER_FIELD_MAX = 4096,   /* of a header field, decoded */
	RENDER_PATH_LEN = 512,	   /* of a part's number, with its NUL */
};

/* Lines of @width columns at most; 0: as they are.  0 or -ENOMEM. */
int render_message(FILE *to, struct str message, unsigned width);
/* A line of a list: number, new or not, date, sender, subject. */
void render_summary(FILE *to, uint32_t n, bool is_new, struct str header, unsigned width);

/* The name of a file that a part says it is; UTF-8, or empty. */
struct str render_filename(const struct mime_part *p);
/* The octets of a part, decoded; to free().  0 or -ENOMEM. */
int render_decode(const struct mime_part *p, struct str message, char **bytes,
		  size_t *len);
/* A field of a header, decoded, on one line; cut to @room. */
struct str render_field(struct str header, struct str name, char *out, size_t room);

/*
 * Dot transparency (RFC 5321 4.5.2, RFC 1939 3): how a message stands inside a
 * conversation.  Its end is CRLF.CRLF; a line that begins with a dot has one more.
 *
 * Decoding is where messages are smuggled: two servers that disagree about the end of
 * one message see different next commands.  So here only CRLF ends a line, and nothing
 * but CRLF.CRLF ends a message; a bare CR, a bare LF or a NUL makes the message refused
 * (RFC 5321 2.3.8, 4.5.2), and its end is still found by the same rule.
 *
 * The decoder, with the byte that walks each arrow; x is any byte that the picture does
 * not name there:
 *
 *	START --.--> DOT --CR--> DOT_CR --LF--> END
 *	  |           |            |
 *	  x           x            x  bare CR
 *	  v           v            |
 *	 TEXT <-------+------------+
 *	  | ^
 *	 CR x  bare CR
 *	  v |
 *	  CR --LF--> START
 *
 * A CR in START or DOT_CR goes to CR, behind another CR it stays there and the first was
 * bare; an LF that stands anywhere but behind a CR is bare and walks as x.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum dot_state { DOT_START, DOT_DOT, DOT_DOT_CR, DOT_TEXT, DOT_CR, DOT_END };
enum dot_fault { DOT_FINE, DOT_BARE_CR, DOT_BARE_LF, DOT_NUL };

struct dot_decoder {
	enum dot_state state;
	enum dot_fault fault; /* the first one */
};

void dot_decode_init(struct dot_decoder *d);
/*
 * Reads @in up to the end of the message and writes the message's bytes to @out, which
 * has room for as many as @in holds.  Returns how many bytes of @in were read: all, or
 * those up to the end (d->state is DOT_END).  From a fault on nothing is written, and
 * nothing at all when @out is NULL.
 */
size_t dot_decode(struct dot_decoder *d, struct str in, char *out, size_t *n_out);

struct dot_encoder {
	bool at_start; /* of a line */
	bool after_cr;
	bool stuffed; /* the next byte is a dot, and one more was already given */
};

void dot_encode_init(struct dot_encoder *e);
/*
 * Takes the next piece from the front of @in: a slice of it, or an extra dot.  False
 * when @in is empty; go on with more, or with dot_encode_end().
 */
bool dot_encode(struct dot_encoder *e, struct str *in, struct str *piece);
/* What stands behind the last byte: ".CRLF", with a CRLF before it if one is missing. */
struct str dot_encode_end(const struct dot_encoder *e);

/*
 * Words of structured header fields (RFC 5322 3.2, RFC 2045 5.1), for the parsers of
 * header.h and param.h.  A field may still be folded: here CR and LF are blanks.
 *
 * Each function takes what it names off the front of @in, and nothing when it is not
 * there.  Nothing recurses and nothing is scanned twice.  Bytes above 127 stand where
 * letters do: RFC 6532 allows them, and older mail has them all the same.
 */
#pragma once

#include <stdbool.h>

#include "apps/lib/str.h"
#include "stack/base/byte.h"

bool lex_is_blank(char c);
/* Of an atom, RFC 5322 3.2.3; of a token, RFC 2045 5.1. */
bool lex_is_atext(char c);
bool lex_is_token(char c);

void lex_blanks(struct str *in);
/*
 * CFWS: blanks and comments, which nest.  When @comment is not NULL, the text of each is
 * written there, without its outer parentheses.  False: one has no end and reaches to
 * the end of the field.
 */
bool lex_cfws(struct str *in, struct wr *comment);
bool lex_eat(struct str *in, char c);
/* One or more characters; false: there is none. */
bool lex_atom(struct str *in, struct str *atom);
bool lex_token(struct str *in, struct str *token);
/*
 * Behind a quotation mark: up to its partner, without backslashes and line ends, to
 * @text.  False: it has no partner and reaches to the end of the field.
 */
bool lex_quoted(struct str *in, struct wr *text);

/* What was written since @from. */
static inline struct str lex_since(const struct wr *text, const uint8_t *from)
{
	return (struct str){ (const char *)from, (size_t)(text->p - from) };
}

static inline void lex_put(struct wr *text, struct str s)
{
	if (s.len > 0)
		wr_copy(text, s.p, s.len);
}

/*
 * Whether a text stands in a header or in the parts of a message, decoded and without
 * case.  What is looked for is folded (fold.h) already.
 *
 * Bodies are decoded piece by piece: memory does not grow with the message.
 */
#pragma once

#include <stdbool.h>

#include "apps/lib/str.h"

struct match_text;
struct mime;

/* NULL: no memory. */
struct match_text *match_text_new(void);
void match_text_free(struct match_text *t);

/* In a field of that name; an empty text is in any. */
bool match_text_field(struct match_text *t, struct str header, struct str name,
		      struct str text);
/* In any field, or its name. */
bool match_text_header(struct match_text *t, struct str header, struct str text);
/* In a text part, or in the header of a message inside of the message. */
bool match_text_parts(struct match_text *t, const struct mime *mime, struct str message,
		      struct str text);

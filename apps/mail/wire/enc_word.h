/*
 * Encoded words (RFC 2047): text beyond ASCII in header fields.
 *
 *	=?iso-8859-1?Q?Andr=E9?= Pirard  =?utf-8?B?w6k=?= =?utf-8?B?dMOp?=
 *	  charset    encoding text       joined, without the blank between them
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "stack/base/byte.h"

enum {
	ENC_WORD_MAX = 75,	/* characters of a word, RFC 2047 2 */
	ENC_WORD_LINE_MAX = 76, /* of a line that has one */
};

enum enc_word_odd {
	ENC_WORD_ODD_SYNTAX = 1 << 0,  /* "=?" and no encoded word */
	ENC_WORD_ODD_ENC = 1 << 1,     /* neither B nor Q, or wrong base64 or escapes */
	ENC_WORD_ODD_CHARSET = 1 << 2, /* not known, or the text is not in it */
	ENC_WORD_ODD_LONG = 1 << 3,    /* longer than ENC_WORD_MAX */
	ENC_WORD_ODD_RAW = 1 << 4,     /* bytes above 127 outside of words */
	ENC_WORD_ODD_ROOM = 1 << 5,    /* cut: @out is full */
};

/*
 * A field's value, folded or not, as UTF-8 on one line.  What is no encoded word stays as
 * it is; raw bytes that are not UTF-8 become U+FFFD.  Characters that words share between
 * them are read whole.  Returns bits of enum enc_word_odd.
 */
uint32_t enc_word_decode(struct str value, struct wr *out);

enum enc_word_kind {
	ENC_WORD_TEXT,	 /* unstructured: Subject, Comments, Content-Description */
	ENC_WORD_PHRASE, /* the name before an address */
};

/*
 * Writes UTF-8 for a header field, folded with "\r\n ", where *col characters stand on
 * the line already (and then: on the last).  Words in plain ASCII stay as they are; runs
 * of others, with the blanks between them, become encoded words in B or Q, whichever is
 * shorter, never split inside a character.  Line ends and control characters in @text
 * become blanks; what is not UTF-8 becomes U+FFFD.
 */
void enc_word_encode(struct str text, enum enc_word_kind kind, size_t *col,
		     struct wr *out);

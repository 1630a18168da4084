/*
 * Content-Transfer-Encodings (RFC 2045 6): how the bytes of a body stand in mail.
 *
 * Decoders and encoders take their bytes in any pieces and hold less than ENC_ROOM of
 * them.  A decoder never fails: what is wrong is noted as bits of enum enc_odd, and what
 * can be understood is given.  Of base64 that is every character of its alphabet; of
 * quoted-printable, an escape that is none stands as it was written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

enum enc { ENC_7BIT, ENC_8BIT, ENC_BINARY, ENC_QP, ENC_BASE64, ENC_OTHER };

enum {
	ENC_ROOM = 80,		 /* what is written beside what a piece itself becomes */
	ENC_LINE_MAX = 76,	 /* characters of an encoded line, RFC 2045 6.7 and 6.8 */
	ENC_TEXT_LINE_MAX = 998, /* of a line that is not encoded, RFC 5322 2.1.1 */
	ENC_LINE_BYTES = 57,	 /* that a line of base64 carries */
};

enum enc_odd {
	ENC_ODD_CHAR = 1 << 0,	    /* a character that the encoding does not have */
	ENC_ODD_PADDING = 1 << 1,   /* base64: "=" too few, too many, or in the middle */
	ENC_ODD_AFTER = 1 << 2,	    /* base64: more behind the "=" */
	ENC_ODD_ESCAPE = 1 << 3,    /* quoted-printable: "=" without two digits */
	ENC_ODD_CASE = 1 << 4,	    /* quoted-printable: digits "a" to "f" */
	ENC_ODD_BLANKS = 1 << 5,    /* quoted-printable: blanks at the end of a line */
	ENC_ODD_LONG_LINE = 1 << 6, /* more than ENC_LINE_MAX */
	ENC_ODD_END = 1 << 7, /* quoted-printable: ends in an escape or soft break */
};

/* The value of Content-Transfer-Encoding, without comments; ENC_OTHER: unknown. */
enum enc enc_of_name(struct str name);
/* Its name; of ENC_OTHER there is none, and "binary" says most of it. */
struct str enc_name(enum enc e);

struct enc_decoder {
	enum enc enc;
	uint32_t odd;	 /* bits of enum enc_odd */
	size_t line_len; /* characters since the last line end */
	/* base64 */
	uint32_t bits;	/* of the last @n_bits / 6 characters */
	uint8_t n_bits; /* 0, 6, 12 or 18 */
	uint8_t n_pads; /* "=" that must still come */
	bool padded;	/* the end was said */
	/* quoted-printable */
	enum enc_qp {
		ENC_QP_TEXT,
		ENC_QP_ESCAPE, /* behind "=" */
		ENC_QP_DIGIT,  /* behind "=" and the digit in held[0] */
		ENC_QP_BLANKS, /* behind "=" and blanks */
		ENC_QP_CR,     /* behind the CR of a soft line break */
	} qp;
	uint8_t n_held;
	char held[ENC_LINE_MAX]; /* blanks that end the line or do not */
};

void enc_decode_init(struct enc_decoder *d, enum enc e);
/* Decodes a piece; @out has room for in.len + ENC_ROOM, and is not @in.  Bytes written. */
size_t enc_decode(struct enc_decoder *d, struct str in, char *out);
/* What was held back; @out has ENC_ROOM. */
size_t enc_decode_end(struct enc_decoder *d, char *out);

struct enc_encoder {
	enum enc enc;
	bool is_text; /* CRLF are line ends, not two bytes */
	uint8_t n_held;
	char held
		[ENC_LINE_BYTES]; /* base64: a line that is not full; else a blank, a CR */
	size_t line_len;	  /* characters since the last line end */
};

/* Room that @len bytes may need when encoded. */
static inline size_t enc_encoded_room(size_t len)
{
	return 4 * len + ENC_ROOM;
}

/* ENC_OTHER is written as ENC_BINARY: nothing changes. */
void enc_encode_init(struct enc_encoder *e, enum enc enc, bool is_text);
/* Encodes a piece; @out has room for enc_encoded_room(in.len).  Bytes written. */
size_t enc_encode(struct enc_encoder *e, struct str in, char *out);
/* What was held back; @out has ENC_ROOM.  Base64 that is not empty ends in CRLF. */
size_t enc_encode_end(struct enc_encoder *e, char *out);

/* Base64 in one block, padded, without line ends; @out has (in.len + 2) / 3 * 4. */
size_t enc_b64_block(struct str in, char *out);

/* What bytes are like, to choose an encoding for them; zeroed at first. */
struct enc_survey {
	uint64_t len;
	uint64_t n_escapes;	/* bytes that quoted-printable would escape */
	uint64_t longest_line;	/* octets, without its end */
	uint64_t line_len;	/* of the last line so far */
	bool has_8bit, has_nul; /* bytes above 127; bytes 0 */
	bool has_bare;		/* CR without LF, or the other way round */
	bool after_cr;
};

void enc_survey_feed(struct enc_survey *s, struct str bytes);
/*
 * The encoding for it, once all was fed: 7bit if it fits there, 8bit if that is allowed
 * and enough, else the shorter of the two that go everywhere.
 */
enum enc enc_survey_best(const struct enc_survey *s, bool is_text, bool allow_8bit);

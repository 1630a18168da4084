/*
 * The parts of enc.h behind its two faces.
 *
 * Base64's inner loops come in several forms for one task: they must agree, and tests
 * try each that this processor has.
 */
#pragma once

#include "apps/mail/wire/enc.h"

size_t enc_b64_decode(struct enc_decoder *d, struct str in, char *out);
size_t enc_b64_decode_end(struct enc_decoder *d, char *out);
size_t enc_b64_encode(struct enc_encoder *e, struct str in, char *out);
size_t enc_b64_encode_end(struct enc_encoder *e, char *out);

size_t enc_qp_decode(struct enc_decoder *d, struct str in, char *out);
size_t enc_qp_decode_end(struct enc_decoder *d, char *out);
size_t enc_qp_encode(struct enc_encoder *e, struct str in, char *out);
size_t enc_qp_encode_end(struct enc_encoder *e, char *out);
/* A byte that quoted-printable must escape wherever it stands. */
bool enc_qp_escapes(char c);

struct enc_b64_loops {
	const char *name;
	/*
	 * Decodes groups of four characters from the front of @in until something else
	 * stands there or @in is too short for this loop; *used is how many characters,
	 * a multiple of 4.  May write up to in.len + ENC_ROOM bytes; returns how many
	 * count.
	 */
	size_t (*decode)(struct str in, size_t *used, char *out);
	/*
	 * Encodes @n bytes from @in, a multiple of 3, or as many of them as it can; bytes
	 * up to @end may be read.  Returns how many.  May write 16 characters more.
	 */
	size_t (*encode)(const char *in, size_t n, const char *end, char *out);
};

/* From the plainest to the fastest; NULL: no such one here, nor any behind it. */
const struct enc_b64_loops *enc_b64_loops(unsigned i);
/* The fastest here. */
const struct enc_b64_loops *enc_b64_best(void);

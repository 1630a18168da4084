/*
 * A message for a server that takes 7bit only (RFC 6152 3): leaf parts that cannot go as
 * they are become quoted-printable or base64, the fields that say how parts are encoded
 * are put right, and all else stays octet for octet.
 *
 * What was signed may not be touched (RFC 1847 2.1), and some parts may not be encoded
 * (RFC 2046 5.2): then there is nothing to do but to return the message.
 *
 * The message is read where it lies; what is written is taken in pieces of any size.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/enc.h"
#include "apps/mail/wire/mime.h"

enum mime_7bit_result {
	MIME_7BIT_AS_IT_IS, /* it needs no change */
	MIME_7BIT_CHANGED,
	MIME_7BIT_SIGNED, /* a part inside multipart/signed would have to be encoded */
	MIME_7BIT_NO_ENCODING, /* a part that may not be encoded, or already is, we know not how */
	MIME_7BIT_LIMITS, /* not all parts are known */
	MIME_7BIT_NO_MEMORY,
};

struct mime_7bit_piece;

struct mime_7bit {
	struct str message;
	bool has_8bit_header; /* fields with bytes above 127: they stay, RFC 6152 has no cure */
	/* What is written, one after the other. */
	struct mime_7bit_piece *pieces;
	uint32_t n_pieces, now;
	size_t done; /* octets of that piece */
	/* Of a body that is being encoded. */
	struct enc_decoder decoder;
	struct enc_encoder encoder;
	char buf[4608]; /* what was encoded, and is not taken yet */
	size_t buf_at, buf_len;
};

/*
 * Decides what to do; @m has parsed @message.  With MIME_7BIT_CHANGED the pieces can be
 * read; they need the message, and no longer @m.  Needs mime_7bit_fini() in any case.
 */
enum mime_7bit_result mime_7bit_init(struct mime_7bit *c, const struct mime *m,
				     struct str message);
/* The next octets, up to @room (not 0); 0: that was all. */
size_t mime_7bit_read(struct mime_7bit *c, char *out, size_t room);
void mime_7bit_fini(struct mime_7bit *c);

/* All of that at once: with MIME_7BIT_CHANGED there is *text, to free(). */
enum mime_7bit_result mime_7bit_text(struct str message, char **text, size_t *len);

/*
 * Messages in pieces and messages in messages: message/partial (RFC 2046 5.2.2), and
 * digests (5.1.5).
 *
 *	outer header, message/partial; number=1	 inner header + first part of the body
 *	outer header, message/partial; number=2	 more of the body
 *
 * The fields of the message that say what it is (Subject, Message-ID, MIME-Version,
 * Encrypted, Content-*) are the inner header, and travel in the first piece; the others
 * are in the header of each piece.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/mime.h"

enum {
	MIME_PARTIAL_MAX = 999,	   /* pieces of a message */
	MIME_PARTIAL_LEAST = 1024, /* octets of the message in a piece, at least */
};

struct mime_partial {
	struct str message;
	struct str id;	  /* "x@host", the same for all pieces and for no other message */
	size_t piece_len; /* octets of the inner message in each, but for whole lines */
	char *inner;	  /* the inner message */
	size_t inner_len;
	char *outer; /* the fields that each piece has */
	size_t outer_len;
	unsigned n; /* pieces */
};

/*
 * Prepares to send @message, which is whole and 7bit, in pieces that carry @piece_len
 * octets.  0; -EINVAL: fewer than MIME_PARTIAL_LEAST, or an id that cannot be one;
 * -EILSEQ: not 7bit, or a line that is too long; -EMSGSIZE: more than MIME_PARTIAL_MAX
 * pieces; -ENOMEM.  Needs mime_partial_fini() after 0.
 */
int mime_partial_init(struct mime_partial *s, struct str message, struct str id,
		      size_t piece_len);
void mime_partial_fini(struct mime_partial *s);
/* Piece @i, from 0: a message, to free().  0; -ENOMEM. */
int mime_partial_piece(const struct mime_partial *s, unsigned i, char **out, size_t *len);

/* What a message/partial says of itself. */
struct mime_partial_part {
	struct str id;
	unsigned number, total; /* number from 1; total 0: it does not say */
};

/* False: the part is no message/partial, or says too little. */
bool mime_partial_read(const struct mime_part *p, struct mime_partial_part *part);

/*
 * Puts pieces together, given in order.  0, and a message to free(); -EINVAL: they are
 * not all the pieces of one message; -EMSGSIZE: more than @max octets; -ENOMEM.
 */
int mime_partial_join(const struct str *pieces, unsigned n, size_t max, char **out,
		      size_t *len);

/*
 * The next message inside of this one from part *i on, as its octets, and *i behind it:
 * so a digest bursts.  Messages inside that one are not given again.  False: no more.
 */
bool mime_burst_next(const struct mime *m, struct str whole, uint32_t *i,
		     struct str *message);

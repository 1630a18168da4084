/*
 * ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 7.4.2) of a message.
 *
 * The two that clients ask for of every message are kept in the store as a summary, in
 * the words of the protocol:
 *
 *	offset  size  field
 *	     0     1  format, 1
 *	     1     3  zero
 *	     4     4  length of the envelope
 *	     8        envelope, then the structure
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_emit.h"
#include "apps/mail/wire/mime.h"

struct structure {
	struct str envelope, body;
};

/* "(date subject from sender reply-to to cc bcc in-reply-to message-id)" */
void structure_envelope(struct imap_emit *e, struct str header);
/* Of part @i of @message, which @mime has parsed; @extended: BODYSTRUCTURE. */
void structure_body(struct imap_emit *e, const struct mime *mime, struct str message,
		    uint32_t i, bool extended);

/* Appends a summary. */
void structure_emit(struct imap_emit *e, const struct mime *mime, struct str message);
/* False: of another format, or damaged. */
bool structure_parse(struct str summary, struct structure *s);

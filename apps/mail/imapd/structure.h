/*
 * ENVELOPE and BODYSTRUCTURE (RFC 3501 7.4.2) of a message, which clients ask for of
 * every one: kept in the store as a summary, in the words of the protocol.
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

/* Appends a summary of @message, which @mime has parsed. */
void structure_emit(struct imap_emit *e, const struct mime *mime, struct str message);
/* False: of another format, or damaged. */
bool structure_parse(struct str summary, struct structure *s);

/*
 * ENVELOPE (RFC 3501 7.4.2): what a message header says of its letter.
 *
 *	(date subject from sender reply-to to cc bcc in-reply-to message-id)
 *	("Mon, 7 Feb 1994 ..." "hello" ((NIL NIL "smith" "a.example")) ... "<1@a.example>")
 */
#pragma once

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_emit.h"

enum {
	IMAP_ENVELOPE_HEADER_MAX = 256 << 10, /* octets of a header that are looked at */
	IMAP_ENVELOPE_ADDR_MAX = 2048,	      /* of an address; what is longer is cut */
};

/* @header: the fields of a message, with or without the empty line and the body. */
void imap_envelope_emit(struct imap_emit *e, struct str header);

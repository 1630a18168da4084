/*
 * BODY and BODYSTRUCTURE (RFC 3501 7.4.2): how a message is made of parts.
 *
 *	("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 120 5)
 *	(("text" "plain" ...)("image" "png" ...) "mixed" ("boundary" "x") NIL NIL NIL)
 *
 * What mime.h could not look into is shown as application/octet-stream: a client takes
 * a multipart or message/rfc822 for what has parts.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_emit.h"

struct mime;

/*
 * @octets are those of the message that @m read from octet @at on: envelopes of messages
 * inside are written from them, and are without fields if they are not among them.
 * @is_extended: BODYSTRUCTURE.  Goes as deep as the limits of @m.
 */
void imap_body_emit(struct imap_emit *e, const struct mime *m, struct str octets,
		    uint64_t at, bool is_extended);

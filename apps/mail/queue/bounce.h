/*
 * Delivery status notifications: what the sender of a message is told (RFC 3464, in the
 * multipart/report of RFC 3462's successor, RFC 6522).
 *
 *	text/plain			for people
 *	message/delivery-status		for programs
 *	message/rfc822			the message; above a size only its header, as
 *					text/rfc822-headers
 *
 * The original is not copied: a report is text, a slice of the original, and text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/queue/envelope.h"

enum bounce_action { BOUNCE_FAILED, BOUNCE_DELAYED };

struct bounce_rcpt {
	struct str addr;
	enum bounce_action action;
	struct envelope_reply reply;
};

struct bounce {
	struct str host;     /* ours */
	struct str id;	     /* of the report: Message-ID and boundary come from it */
	struct str to;	     /* the sender of the original */
	struct str orig_id;  /* ours of the original */
	struct str remote;   /* who answered, or nothing */
	struct str original; /* the message, lines end in CRLF */
	size_t whole_max;    /* a longer original is given by its header alone */
	uint64_t now_s, arrived_s, last_s,
		until_s; /* since 1970; @last_s 0: no attempt */
	const struct bounce_rcpt *rcpts;
	size_t n_rcpts;
};

enum { BOUNCE_PARTS = 3 };

/*
 * The report in three pieces, of which the middle one lies in the original.  0 or
 * -ENOMEM; free() *text.
 */
int bounce_build(const struct bounce *b, char **text, struct str parts[BOUNCE_PARTS]);

/*
 * What the queue knows of an item, beyond message, destination and time: the bytes that
 * the spool keeps for it (apps/mail/store/spool.h).
 *
 *   offset  size  field
 *        0     1  format, 1
 *        1     1  flags          1: the sender was told that it takes long
 *        2     2  number of recipients, 1 to ENVELOPE_RCPTS_MAX
 *        4     4  attempts
 *        8     8  arrived        ms since 1970
 *       16     8  last attempt   ms since 1970, or 0
 *       24   1+n  sender         nothing: of a bounce
 *            1+n  id             the message's in our log
 *            1+n  remote         who answered last, or nothing
 *   and for each recipient
 *            1+n  address
 *              2  code of the last reply, or 0
 *              1  class of its enhanced code, 2 subject, 2 detail
 *            2+n  its text
 *
 * Only recipients of whom nothing final is known are in it: one that was delivered or
 * given up is taken out, with the same commit that tells the sender.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/store/spool.h"
#include "apps/mail/wire/smtp_reply.h"

enum {
	/* RFC 5321 4.5.3.1.8: what every server takes at once. */
	ENVELOPE_RCPTS_MAX = 100,
	ENVELOPE_TEXT_MAX = 255, /* of sender, id, remote and addresses */
	ENVELOPE_LEN_MAX =
		24 + 3 * (1 + ENVELOPE_TEXT_MAX) +
		ENVELOPE_RCPTS_MAX * (1 + ENVELOPE_TEXT_MAX + 9 + SMTP_REPLY_TEXT_MAX),
};
_Static_assert((int)ENVELOPE_LEN_MAX <= (int)SPOOL_BYTES_MAX, "it fits the spool");

/* What was answered; of an attempt that got no answer, what we say of it (code 0). */
struct envelope_reply {
	uint16_t code;
	struct smtp_enhanced enhanced;
	struct str text;
};

struct envelope_rcpt {
	struct str addr;
	struct envelope_reply last;
};

struct envelope {
	bool warned;
	uint32_t n_attempts;
	uint64_t arrived_ms, last_ms;
	struct str from, id, remote;
	size_t n_rcpts;
	struct envelope_rcpt rcpts[ENVELOPE_RCPTS_MAX];
};

/* Bytes of it, at most ENVELOPE_LEN_MAX; texts beyond their limits are cut. */
size_t envelope_emit(const struct envelope *e, char out[static ENVELOPE_LEN_MAX]);
/* False: damaged.  Slices point into @bytes. */
bool envelope_parse(struct str bytes, struct envelope *e);

/*
 * From an envelope that was accepted to new items of the spool: one for each destination
 * and sender, and for each ENVELOPE_RCPTS_MAX of its recipients.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/store/spool.h"

struct pack_rcpt {
	struct str addr; /* "local@domain" */
	struct str from; /* "" of a bounce */
};

struct pack {
	struct str id; /* ours of the message */
	const struct pack_rcpt *rcpts;
	size_t n_rcpts; /* at least 1 */
	uint64_t now_ms;
};

/*
 * 0, or -ENOMEM, or -EINVAL: an address is none.  The spool_op and all it points to are
 * one piece of memory of *len bytes, to free().
 */
int pack_items(const struct pack *pack, struct spool_op **op, size_t *len);

/*
 * Sends a message by the account's SMTP server.
 */
#pragma once

#include <stddef.h>

#include "apps/lib/str.h"

struct pbmail;

/*
 * To all of @rcpts, in one message; each that is refused is named.  0, or the status of
 * the worst answer.  A bar on a terminal shows how much of a long message left.
 */
int submit(struct pbmail *p, struct str from, const struct str *rcpts, size_t n_rcpts,
	   struct str message);

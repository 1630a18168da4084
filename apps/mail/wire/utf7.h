/*
 * Mailbox names in modified UTF-7 (RFC 3501 5.1.3), as IMAP writes them.
 *
 *	Entw&APw-rfe &- mehr		Entwürfe & mehr
 *	    -base64-  and
 *
 * Only one spelling of a name is right, and only that is read: so two names are the
 * same when their bytes are.
 */
#pragma once

#include <stddef.h>

#include "apps/lib/str.h"

/*
 * UTF-8 to modified UTF-7 and back: at most @cap bytes to @out, without a NUL.
 * 0; -EINVAL: @in is not of its kind, or holds U+0000; -ENOSPC.  @out and @len mean
 * something only with 0.
 */
int utf7_emit(struct str in, char *out, size_t cap, size_t *len);
int utf7_parse(struct str in, char *out, size_t cap, size_t *len);

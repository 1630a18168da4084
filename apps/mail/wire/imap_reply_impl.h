/*
 * The grammar of responses, for imap_reply.c.
 */
#pragma once

#include <stdbool.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_arena.h"
#include "apps/mail/wire/imap_reply.h"

enum imap_reply_result {
	IMAP_REPLY_WHOLE,
	IMAP_REPLY_OPEN,    /* right up to the literal that comes now */
	IMAP_REPLY_IS_TEXT, /* it only looks like one */
	IMAP_REPLY_WRONG,
};

/* *before: the last token; *bad: what is wrong. */
enum imap_reply_result imap_reply_grammar(struct str text, bool ends_open,
					  struct imap_arena *arena,
					  struct imap_reply *reply,
					  struct imap_token **before, const char **bad);

/*
 * IMAP commands and the walk of a reader as text, so that a test says in a line what it
 * expects, and two readings can be compared.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_parse.h"

/* Text that grows; free() its p. */
struct imap_text {
	char *p;
	size_t len;
};

void imap_text_add(struct imap_text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void imap_text_set(struct imap_text *t, const struct imap_set *set);
/* "a1 UID FETCH 1:4 (FLAGS BODY.PEEK[HEADER.FIELDS (A B)]<0.10>)": every struct is
 * written in one way, however the command was written. */
void imap_text_cmd(struct imap_text *t, const struct imap_cmd *cmd);

/*
 * Reads all of @in in pieces of @cut bytes (0: in one), and writes a line for each event:
 *
 *	plus				IMAP_PARSE_CONTINUE
 *	cmd a1 NOOP
 *	append a1 APPEND INBOX () 5 plus	taken, unless the mailbox is "refused"
 *	octets hello
 *	line DONE			wanted behind IDLE
 *	bad a1 The command is unknown
 *	bye The command has no end
 */
void imap_text_walk(struct imap_text *t, const struct imap_parse_limits *limits,
		    struct str in, size_t cut);

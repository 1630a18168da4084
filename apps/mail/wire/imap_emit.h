/*
 * Writes IMAP (RFC 3501 9) into memory that grows; a server gives it to its io with
 * io_write(), a client too.  Used for responses, and for arguments of commands.
 *
 *	imap_emit_puts(e, "* 1 FETCH (FLAGS ");
 *	imap_emit_flags(e, &flags);
 *	imap_emit_puts(e, ")\r\n");
 *	io_write(io, e->p, e->len);
 *	imap_emit_clear(e);
 *
 * Without memory nothing more is written, and @is_failed says so once for all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/wire/imap_cmd.h"
#include "apps/mail/wire/imap_names.h"

struct imap_emit {
	char *p;
	size_t len, cap;
	bool is_failed;
	bool is_plus; /* literals are {n+}: a client whose server has LITERAL+ */
};

void imap_emit_init(struct imap_emit *e);
void imap_emit_fini(struct imap_emit *e);
/* Forgets what was written, keeps the memory for more. */
void imap_emit_clear(struct imap_emit *e);

void imap_emit_bytes(struct imap_emit *e, struct str s);
void imap_emit_puts(struct imap_emit *e, const char *text);
void imap_emit_printf(struct imap_emit *e, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void imap_emit_number(struct imap_emit *e, uint64_t n);

/* Quoted where that can be, else a literal; a NUL, which no string can hold, is "?". */
void imap_emit_string(struct imap_emit *e, struct str s);
/* NIL when s.p is NULL. */
void imap_emit_nstring(struct imap_emit *e, struct str s);
/* An atom where that can be: mailboxes, names. */
void imap_emit_astring(struct imap_emit *e, struct str s);
/* "{n}" CRLF; the caller sends the octets. */
void imap_emit_literal(struct imap_emit *e, uint64_t size);

/* "(\Seen $x)" */
void imap_emit_flags(struct imap_emit *e, const struct imap_flags *flags);
/* "1:3,5", in this order; neighbours that rise by one become a range. */
void imap_emit_numbers(struct imap_emit *e, const uint32_t *numbers, size_t n);
/* "\"17-Jul-1996 02:44:25 +0000\"", since 1970. */
void imap_emit_date_time(struct imap_emit *e, int64_t s);
/* What was asked for, as the response names it: "BODY[1.HEADER.FIELDS (From)]<0>". */
void imap_emit_fetch_name(struct imap_emit *e, const struct imap_fetch_item *item);

/* "* LIST (\Noselect \Sent) "/" name" CRLF; @name is "LIST" or "LSUB", @attrs of enum
 * imap_mailbox_attr, @uses of enum imap_use; a delimiter of 0 is NIL. */
void imap_emit_list(struct imap_emit *e, const char *name, unsigned attrs, unsigned uses,
		    char delimiter, struct str mailbox);
/* "* STATUS name (MESSAGES 3 UNSEEN 1)" CRLF; @values by the number of each item's bit. */
void imap_emit_status(struct imap_emit *e, struct str mailbox, unsigned items,
		      const uint64_t values[static IMAP_STATUS_N]);

/*
 * Reading mailboxes by number, as a session does that has one open: its number stays the
 * same while it is renamed, and is never given to another.
 *
 * Functions return 0; -ENOENT; -EIO, a record cannot be read; -ENOMEM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/mail/store/store.h"

/* A name of a user, as store_each_mailbox() tells it; valid in the call. */
struct store_mailbox {
	struct str name;
	uint32_t box; /* 0: only a name above others, or an INBOX nobody wrote to yet */
	struct store_box_info info; /* of @box */
};

/* UIDs that were expunged; some may never have been there. */
struct store_range {
	uint32_t first, last;
};

/* *box 0: a name without mailbox.  An INBOX that nobody wrote to yet is -ENOENT here. */
int store_box_find(struct store_read *read, struct str user, struct str mailbox,
		   uint32_t *box);
int store_box_load(struct store_read *read, uint32_t box, struct store_box_info *info);
/* The names are valid until store_read_end(). */
int store_box_keywords(struct store_read *read, uint32_t box, struct store_keywords *k);
/* Messages from UID @from on that changed after @since, by rising UID; free() *msgs. */
int store_box_changes(struct store_read *read, uint32_t box, uint32_t from,
		      uint64_t since, struct store_msg **msgs, size_t *n);
/* As the index has it now. */
int store_box_msg(struct store_read *read, uint32_t box, uint32_t uid,
		  struct store_msg *msg);
/* What was expunged after @since, which must not be below info.vanished_since; in the
 * order in which it was.  free() *ranges. */
int store_box_vanished(struct store_read *read, uint32_t box, uint64_t since,
		       struct store_range **ranges, size_t *n);
/* What was noted about message number @msg. */
int store_msg_summary(struct store_read *read, uint64_t msg, struct str *bytes);

/* Every name, INBOX always among them, sorted as bytes; until @fn returns false. */
int store_each_mailbox(struct store_read *read, struct str user,
		       bool (*fn)(void *arg, const struct store_mailbox *m), void *arg);
/* Every subscribed name, sorted as bytes. */
int store_each_subscription(struct store_read *read, struct str user,
			    bool (*fn)(void *arg, struct str name), void *arg);

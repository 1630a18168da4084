/*
 * Messages inside a transaction: stored once, counted, and removed in two steps.
 *
 *	put --> named by n entries --unref n times--> dead --remove--> gone
 *
 * A dead message is out of every mailbox, but its bytes stay until no store_hold()
 * reads them; the writer removes it in a later transaction.  So a reader that finds a
 * message in a snapshot begun after it registered its hold may keep the bytes.
 *
 * Functions return 0 or -errno as engine.h has them; -EIO also for a record that cannot
 * be read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/store/engine.h"
#include "apps/mail/store/record.h"

/* Stores message @msg, a number above all earlier ones, for @n_entries entries. */
int message_put(struct engine_txn *txn, uint64_t msg, const struct str *parts,
		size_t n_parts, uint32_t n_entries);
/* The record, parsed; its checksum is message_is_whole()'s. */
int message_get(struct engine_txn *txn, uint64_t msg, struct record_head *head,
		struct str *bytes);
bool message_is_whole(uint64_t msg, const struct record_head *head, struct str bytes);
/* How many entries name it; a message that is not there has 1 as well. */
int message_n_entries(struct engine_txn *txn, uint64_t msg, uint32_t *n);
/* One entry more for a message that has one. */
int message_ref(struct engine_txn *txn, uint64_t msg);
/* One entry less; *dead: that was the last one. */
int message_unref(struct engine_txn *txn, uint64_t msg, bool *dead);
/* What was noted about it; -ENOENT. */
int message_get_summary(struct engine_txn *txn, uint64_t msg, struct str *bytes);
/* -ENOENT: there is no such message. */
int message_put_summary(struct engine_txn *txn, uint64_t msg, struct str bytes);
/* Removes a dead one; *len bytes are free. */
int message_remove(struct engine_txn *txn, uint64_t msg, uint64_t *len);

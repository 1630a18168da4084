/*
 * Mailboxes inside a transaction: names, records and entries (record.h).
 *
 * Used by the writer and by readers alike.  Functions return 0 or -errno as engine.h has
 * them; -EIO also for a record that cannot be read.
 */
#pragma once

#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/store/engine.h"
#include "apps/mail/store/record.h"

/* -EINVAL: not a name.  -ENOENT. */
int mailbox_find(struct engine_txn *txn, struct str user, struct str mailbox,
		 uint32_t *box);
/* Enters mailbox @box under a name that is not there yet. */
int mailbox_add(struct engine_txn *txn, struct str user, struct str mailbox, uint32_t box,
		const struct store_box_info *info);
int mailbox_load(struct engine_txn *txn, uint32_t box, struct store_box_info *info);
int mailbox_save(struct engine_txn *txn, uint32_t box, const struct store_box_info *info);

/* e->head points into the engine.  -ENOENT. */
int mailbox_get_entry(struct engine_txn *txn, uint32_t box, uint32_t uid,
		      struct record_entry *e);
/* Under e->msg.box and .uid; e->head must not point into the engine. */
int mailbox_put_entry(struct engine_txn *txn, const struct record_entry *e);
int mailbox_del_entry(struct engine_txn *txn, uint32_t box, uint32_t uid);
/* All entries by rising UID; free() *msgs, which is NULL when *n is 0. */
int mailbox_list(struct engine_txn *txn, uint32_t box, struct store_msg **msgs,
		 size_t *n);

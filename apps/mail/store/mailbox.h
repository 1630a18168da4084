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

/* -EINVAL: not a name.  -ENOENT.  *box 0: a name without mailbox. */
int mailbox_find(struct engine_txn *txn, struct str user, struct str mailbox,
		 uint32_t *box);
/* Enters the name, or changes where it leads. */
int mailbox_put_name(struct engine_txn *txn, struct str user, struct str mailbox,
		     uint32_t box);
int mailbox_del_name(struct engine_txn *txn, struct str user, struct str mailbox);
/*
 * Calls @fn with each name of @user that begins with @prefix, of ENGINE_NAME or
 * ENGINE_SUB, sorted as bytes, and its record's value; until that returns something else
 * than 0, which is returned.
 */
typedef int mailbox_name_fn(void *arg, struct str mailbox, struct str value);
int mailbox_each_name(struct engine_txn *txn, enum engine_table table, struct str user,
		      struct str prefix, mailbox_name_fn *fn, void *arg);

/* The mailbox of that name; -ENOENT also for a name without one. */
int mailbox_open(struct engine_txn *txn, struct str user, struct str mailbox,
		 uint32_t *box, struct store_box_info *info);
int mailbox_load(struct engine_txn *txn, uint32_t box, struct store_box_info *info);
int mailbox_save(struct engine_txn *txn, uint32_t box, const struct store_box_info *info);
/* Only its own record. */
int mailbox_del(struct engine_txn *txn, uint32_t box);

/* e->head points into the engine.  -ENOENT. */
int mailbox_get_entry(struct engine_txn *txn, uint32_t box, uint32_t uid,
		      struct record_entry *e);
/* Under e->msg.box and .uid; e->head must not point into the engine. */
int mailbox_put_entry(struct engine_txn *txn, const struct record_entry *e);
int mailbox_del_entry(struct engine_txn *txn, uint32_t box, uint32_t uid);
/* Entries from @from on that changed after @since, by rising UID; free() *msgs, which is
 * NULL when *n is 0. */
int mailbox_list(struct engine_txn *txn, uint32_t box, uint32_t from, uint64_t since,
		 struct store_msg **msgs, size_t *n);

/* The names point into @text or, when that is NULL, into the engine. */
int mailbox_load_keywords(struct engine_txn *txn, uint32_t box, struct store_keywords *k,
			  char text[RECORD_KEYWORDS_MAX]);
/* Names that do not point into the engine. */
int mailbox_save_keywords(struct engine_txn *txn, uint32_t box,
			  const struct store_keywords *k);
int mailbox_del_keywords(struct engine_txn *txn, uint32_t box);

/* Notes that @v was expunged. */
int mailbox_put_vanished(struct engine_txn *txn, uint32_t box,
			 const struct record_vanished *v);
int mailbox_del_vanished(struct engine_txn *txn, uint32_t box,
			 const struct record_vanished *v);
/* The first records of expunges after modseq @since, at most @max; free() *v. */
int mailbox_list_vanished(struct engine_txn *txn, uint32_t box, uint64_t since,
			  size_t max, struct record_vanished **v, size_t *n);

/*
 * The spool inside a writing transaction: the writer's thread only, and store_check().
 */
#pragma once

#include "apps/mail/store/change.h"
#include "apps/mail/store/spool.h"

/* False: something that cannot be stored. */
bool spool_op_ok(const struct spool_op *op);
/* Enters all of op->add for message @msg.  0, or -errno: the transaction is spoiled. */
int spool_add(struct change *c, struct spool_op *op, uint64_t msg);
/* The rest of @op, likewise. */
int spool_change(struct change *c, const struct spool_op *op);

/* mark.c: 1: a delivery with op->mark was committed; 0: not yet, or it has none. */
int spool_mark_find(struct change *c, const struct spool_op *op, uint64_t date_s);
/* Notes it, and forgets some old ones. */
int spool_mark_put(struct change *c, const struct spool_op *op, uint64_t date_s);

/* Compares the tables with each other; each item is given to @word as an entry of its
 * message.  For store_check(). */
struct spool_check {
	struct engine_txn *txn;
	uint64_t next_msg;
	void (*fault)(void *arg, const char *what, uint64_t id);
	void (*word)(void *arg, uint64_t msg);
	void *arg;
};
void spool_check(struct spool_check *check);

/*
 * What operations change, inside one writing transaction.  The writer's thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/mail/store/engine.h"
#include "apps/mail/store/record.h"

struct store;
struct store_op;

enum {
	CHANGE_SWEEP_MAX = 1024,	   /* messages removed in one transaction */
	CHANGE_SWEEP_BYTES_MAX = 64 << 20, /* and bytes, beyond its first */
};

struct change {
	struct engine_txn *txn;
	struct record_state state; /* goes to the store's after the commit */
	uint64_t room;		   /* bytes that deliveries may still take */
	bool written;		   /* the transaction is not empty */
	bool more_dead;		   /* there is something for the next sweep */
	uint64_t n_delivered, n_expunged, n_bytes;
	/* Mailboxes whose watchers are to be told. */
	uint32_t *touched;
	size_t n_touched, room_touched;
};

/*
 * Does what @op asks.  0: done, or refused without a trace, as op->result says.  -errno:
 * the transaction is spoiled.
 */
int change_apply(struct change *c, struct store_op *op);
/* Bytes that @op may take of the room, with all that goes with them; 0: it adds none. */
uint64_t change_need(const struct store_op *op);
/* Removes dead messages that nobody holds, up to the limits.  First of all: what this
 * transaction itself lets die may still be held until it is committed. */
int change_sweep(struct change *c, struct store *store);
/* Writes the state; last of all. */
int change_end(struct change *c);
/* What it holds of memory. */
void change_fini(struct change *c);

/*
 * Inside of the store, for this folder and its tests.
 *
 * Three locks, never two at once: @lock for what submitters and the writer share,
 * @hold_lock for the holds, @watch_lock for the watches.  The engine needs none: the
 * writer alone writes.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "apps/mail/store/engine.h"
#include "apps/mail/store/record.h"
#include "apps/mail/store/store.h"
#include "stack/base/list.h"

enum { STORE_HOLD_BUCKETS = 1024, STORE_WATCH_BUCKETS = 1024 };

struct hold;

struct store {
	struct engine *engine;
	uint64_t map_reserve; /* of the engine's room, kept so that deletions succeed */
	uint64_t free_min;
	_Atomic uint64_t map_room; /* for new mail, after the last commit */

	pthread_t writer;
	struct record_state state; /* the writer's; as committed */
	bool sweep_later;	   /* the writer's; the last sweep failed */

	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct store_op *first, **last;
	unsigned n_queued, n_eager; /* of them not lazy */
	uint64_t lazy_due_ns;	    /* when the lazy ones have waited enough */
	bool sweep_due;		    /* dead messages may be removed */
	bool closing;
	uint64_t refused_len; /* of the largest mail refused for want of space */
	bool failing;	      /* the last answer was -EIO */
	struct store_stats stats;

	pthread_mutex_t hold_lock;
	struct hold *holds[STORE_HOLD_BUCKETS]; /* by number of the message */

	pthread_mutex_t watch_lock;
	struct list watches[STORE_WATCH_BUCKETS]; /* by number of the mailbox */
};

struct store_read {
	struct engine_txn *txn;
};

/* store_msg_bytes() without reading them: whether they are whole is for the caller. */
int store_msg_find(struct store_read *read, const struct store_msg *msg,
		   struct record_head *head, struct str pieces[2]);
/* The thread; arg is the store. */
void *store_writer(void *arg);
/* Looks how much more mail fits the map.  The writer's. */
void store_note_room(struct store *store);
/* Wakes the writer to remove dead messages.  From any thread. */
void store_sweep_wake(struct store *store);
/* True, and the last store_release() wakes the writer, when someone holds @msg. */
bool store_hold_defers(struct store *store, uint64_t msg);
/* Calls the watches of these mailboxes. */
void watch_tell(struct store *store, const uint32_t *boxes, size_t n);
/* In the life of a store; none may be left. */
void watch_init(struct store *store);
void watch_fini(struct store *store);

/*
 * The spool: messages that wait to be sent to other hosts, in the file of the mailboxes and
 * written by the same thread and transactions.  So one commit takes a message for users
 * here and for hosts elsewhere, and one commit takes it out of the spool and puts what
 * is said about that (a bounce) into a mailbox: whenever the power fails, it is in
 * one place.
 *
 * An item is a message on its way to one destination; items of one message share its
 * bytes.  Destinations are names, items have a time at which they are due; what else
 * is known of an item is the queue's (apps/mail/queue), bytes to us.
 *
 * Nothing here grows in memory with the spool: what is due lies in two ordered tables.
 *
 *	ready  destinations by the time at which there is something to do for them: when
 *	       their first item is due, or later, when the destination is put off
 *	due    the items of each destination by their time
 *
 * Both are exact after every commit.  Times are milliseconds since 1970.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"

struct store;
struct store_hold;
struct store_read;

enum {
	SPOOL_DEST_MAX = 255,
	SPOOL_BYTES_MAX = 128 << 10,
	SPOOL_MARK_LEN = 16,
	SPOOL_MARK_KEEP_S = 86400,
};
#define SPOOL_NEVER UINT64_MAX /* an item that is due then waits for somebody */

/* A new item, with a STORE_DELIVER: it names the message of that. */
struct spool_new {
	struct str dest;  /* 1 to SPOOL_DEST_MAX octets without NUL */
	struct str bytes; /* at most SPOOL_BYTES_MAX */
	uint64_t due_ms;
	uint64_t id; /* filled in: rises, is never given again */
};

/* What becomes of an item.  One that is not there any more is passed over. */
struct spool_change {
	uint64_t id;
	bool remove;	  /* or else: */
	struct str bytes; /* in place of those before; empty: they stay */
	uint64_t due_ms;
};

/* What an operation does to the spool besides, or (STORE_SPOOL) does at all. */
struct spool_op {
	struct spool_new *add;
	size_t n_add;
	const struct spool_change *change;
	size_t n_change;
	/* A destination that is put off, or no longer (0), if it has items. */
	struct str put_off;
	uint64_t put_off_ms;
	uint32_t put_off_fails; /* noted with it: how often it failed in a row */
	/*
	 * Of a STORE_DELIVER: SPOOL_MARK_LEN octets that only the same message to the same
	 * recipients has.  If a delivery with that mark was committed less than
	 * SPOOL_MARK_KEEP_S ago, this one does nothing and says so: a host that did not
	 * hear our answer sends again, and must not be the cause of a second copy.
	 */
	const uint8_t *mark;
	bool came_before; /* filled in */
};

struct spool_item {
	uint64_t id, msg, due_ms;
	struct str dest, bytes; /* in the map, until store_read_end() */
};

struct spool_dest {
	uint64_t ready_ms;
	uint64_t put_off_ms; /* 0: it is not */
	uint32_t fails;
};

/* 0, -ENOENT or -EIO, all of these. */
int spool_get(struct store_read *read, uint64_t id, struct spool_item *item);
int spool_get_dest(struct store_read *read, struct str dest, struct spool_dest *info);

/*
 * Walks, in order, until @fn returns false or there is no more; 0 or -errno.
 * spool_each_due(): the items of @dest from (@due_ms, @id) on; spool_each(): all items
 * by id, from @id on.
 */
typedef bool spool_ready_fn(void *arg, struct str dest, uint64_t ready_ms);
int spool_each_ready(struct store_read *read, spool_ready_fn *fn, void *arg);
typedef bool spool_due_fn(void *arg, uint64_t due_ms, uint64_t id);
int spool_each_due(struct store_read *read, struct str dest, uint64_t due_ms, uint64_t id,
		   spool_due_fn *fn, void *arg);
typedef bool spool_item_fn(void *arg, const struct spool_item *item);
int spool_each(struct store_read *read, uint64_t id, spool_item_fn *fn, void *arg);
/* Items there are. */
int spool_count(struct store_read *read, uint64_t *n);

/* The bytes of an item's message, as store_hold() holds them; the first piece is empty. */
int spool_hold(struct store *store, uint64_t id, struct store_hold **hold);

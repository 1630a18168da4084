/*
 * Connections in TIME-WAIT (RFC 9293 3.6.1), at most 64 bytes each.
 *
 * They all wait equally long, so one list in order of their ends is enough.  When
 * the table is full the oldest makes room, counted.  Ends are kept in ticks of 67 ms,
 * rounded up: no wait is shorter than it should be.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"
#include "stack/base/seq.h"

struct timewait;

enum {
	TIMEWAIT_ENTRY_MAX_LEN = 64,
	TIMEWAIT_MAX = (1 << 24) - 1, /* entries of one table */
	TIMEWAIT_NONE = UINT32_MAX
};

struct tw {
	struct flow flow;
	struct seq snd_nxt, rcv_nxt;
	uint32_t rcv_wnd;   /* as last announced: a multiple of 2^rcv_wscale bytes */
	uint32_t ts_recent; /* the peer's last timestamp */
	uint32_t ts_offset; /* of ours */
	uint8_t rcv_wscale;
	bool timestamps;
};

/* Room for @max entries, 1 to TIMEWAIT_MAX.  0, -EINVAL or -ENOMEM. */
int timewait_new(struct timewait **t, uint32_t max, const struct hash_key *key);
void timewait_free(struct timewait *t);
uint32_t timewait_count(const struct timewait *t);

uint32_t timewait_find(const struct timewait *t, const struct flow *f);
void timewait_get(const struct timewait *t, uint32_t id, struct tw *tw);
/* The entry that ends behind @id, TIMEWAIT_NONE: the first, or the end, of a walk. */
uint32_t timewait_next(const struct timewait *t, uint32_t id);
/*
 * Enters @tw, which is not there, until @end_ns or, when that is later, the end of the
 * last entry; at most an hour behind that of an entry still to end.  True when one was lost
 * for it: the oldest, or for want of memory @tw itself.
 */
bool timewait_add(struct timewait *t, const struct tw *tw, uint64_t end_ns);
void timewait_del(struct timewait *t, uint32_t id);
/* A retransmitted FIN was answered: the wait begins anew (RFC 9293 3.10.7.4). */
void timewait_restart(struct timewait *t, uint32_t id, uint64_t end_ns);
/* Deletes what ended at or before @now_ns; how many. */
uint32_t timewait_expire(struct timewait *t, uint64_t now_ns);
/* When the first entry ends, UINT64_MAX: none. */
uint64_t timewait_due(const struct timewait *t);

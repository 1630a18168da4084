/*
 * Half-open connections of one core: a compact queue, at most 48 bytes an entry.
 *
 * An entry holds what the peer's SYN said and enough to repeat our SYN-ACK; the
 * connection itself is made when the ACK comes.  The addresses of a flow that is
 * not IPv4 are kept beside in a second pool, so that entries stay small.
 * Entries are found by flow and swept by age: all wait in one of a few lists by
 * the number of SYN-ACKs sent, each list in the order of its deadlines.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"
#include "stack/base/seq.h"

struct synq;

enum { SYNQ_ENTRY_MAX_LEN = 48, SYNQ_TRIES_MAX = 7 };

/* A half-open connection, unpacked. */
struct syn {
	struct flow flow;
	struct seq irs, iss;
	uint32_t ts_recent; /* the peer's timestamp */
	uint32_t listener;  /* number of the listener */
	/* When our first SYN-ACK was sent, to 1 us.  True for 70 minutes. */
	uint64_t at_ns;
	uint16_t mss; /* what the peer announced */
	uint8_t has;  /* enum tcp_has that both sides agreed on */
	uint8_t snd_wscale;
	uint8_t tries; /* SYN-ACKs sent */
	uint8_t ecn;   /* enum ecn_asked */
	bool acked;    /* the ACK came, and was put off (TCP_DEFER_ACCEPT) */
};

enum { SYNQ_NONE = UINT32_MAX };

/* Room for @max entries, at least one.  0, -EINVAL or -ENOMEM. */
int synq_new(struct synq **q, uint32_t max, const struct hash_key *key);
void synq_free(struct synq *q);
uint32_t synq_count(const struct synq *q);

/* The number of the flow's entry, or SYNQ_NONE. */
uint32_t synq_find(const struct synq *q, const struct flow *f);
void synq_get(const struct synq *q, uint32_t id, struct syn *syn);
/* The entry behind @id, SYNQ_NONE: the first, or the end, of a walk over all. */
uint32_t synq_next(const struct synq *q, uint32_t id);
/* Enters @syn, which is not there; its SYN-ACK is due again at @due_ns.  Its number,
 * or SYNQ_NONE when the queue is full. */
uint32_t synq_add(struct synq *q, const struct syn *syn, uint64_t due_ns);
void synq_del(struct synq *q, uint32_t id);
/* The peer sent its SYN again: newer timestamp and ECN. */
void synq_touch(struct synq *q, uint32_t id, uint32_t ts_recent, uint8_t ecn);

/* Earliest deadline, UINT64_MAX when empty; may be early by 16 ms, never late. */
uint64_t synq_due(const struct synq *q);
/* An entry that is due at @now_ns, or SYNQ_NONE; the caller must then call
 * synq_again() or synq_del(). */
uint32_t synq_next_due(struct synq *q, uint64_t now_ns);
/* Its ACK came without data, for which the listener waits. */
void synq_put_off(struct synq *q, uint32_t id);
/*
 * One more SYN-ACK was sent; the next is due at @due_ns.  After SYNQ_TRIES_MAX they are
 * counted no more: the caller gives up before.
 */
void synq_again(struct synq *q, uint32_t id, uint64_t due_ns);
/* Deletes all entries of a listener. */
void synq_drop_listener(struct synq *q, uint32_t listener);

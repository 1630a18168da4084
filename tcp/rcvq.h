/*
 * The receive queue of one connection: bytes in order, and islands beyond.
 *
 * In-order payload is a list of packets as they came, headers stripped.  Payload
 * that came early waits in islands: runs of bytes without a hole, sorted, apart from
 * each other.  Bytes that are already there are cut off the newcomer (the first copy
 * counts).  Small payloads are copied together so that a byte does not pin a buffer;
 * what the queues pin is counted.  What islands pin has a limit; in-order bytes are
 * bounded by the window.
 *
 * The last islands that grew are remembered for SACK, newest first (RFC 2018 4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/seq.h"
#include "tcp/tcp_wire.h"

struct pkt;
struct pkt_pool;

/* Most islands at a time: it bounds the search, and what the edges of islands pin. */
enum { RCVQ_ISLANDS_MAX = 256 };

struct rcvq {
	struct pkt *first, *last; /* in order, linked by ->link */
	struct pkt *lowest;	  /* first packet of the first island */
	struct pkt *highest;	  /* first packet of the last island */
	uint32_t len;		  /* bytes in order, not yet read */
	uint32_t ooo_len;	  /* bytes early */
	uint32_t pinned;	  /* bytes of memory that both hold */
	uint32_t ooo_pinned;	  /* of them, the islands */
	uint16_t n_islands;
	uint8_t n_recent;
	bool has_twice;		/* @twice came again, and no ACK told it (dsack.c) */
	struct tcp_block twice; /* below RCV.NXT or inside an island */
	struct seq recent[TCP_SACK_MAX]; /* a number in the islands that grew last */
};

void rcvq_init(struct rcvq *q);
void rcvq_fini(struct rcvq *q);
/*
 * Takes payload @p whose first byte is RCV.NXT.  Then moves every island that has
 * become in order.  Returns the new RCV.NXT; takes @p always.
 */
struct seq rcvq_add(struct rcvq *q, struct pkt_pool *pool, struct pkt *p, struct seq nxt);
/*
 * Takes payload @p that begins at @seq, behind RCV.NXT.  Returns how many new bytes
 * it brought; the others are freed.  *full says whether some were new but would have
 * passed @limit bytes of memory, or RCVQ_ISLANDS_MAX.
 */
uint32_t rcvq_add_early(struct rcvq *q, struct pkt_pool *pool, struct pkt *p,
			struct seq seq, uint32_t limit, bool *full);
/* Frees all islands: the peer must be able to live with that (RFC 2018 8). */
void rcvq_drop_early(struct rcvq *q);
/* Copies up to @len bytes out, @to NULL: throws them away; with @peek they stay. */
size_t rcvq_read(struct rcvq *q, void *to, size_t len, bool peek);
/* The first packet, taken out; NULL: none. */
struct pkt *rcvq_pop(struct rcvq *q);
/* The first part of @b that an island holds already, as *b; false: none does. */
bool rcvq_overlap(const struct rcvq *q, struct tcp_block *b);
/* Blocks there are for a SACK option. */
static inline unsigned rcvq_n_blocks(const struct rcvq *q)
{
	return q->n_islands + q->has_twice;
}
/* Up to @max of them: what came twice, then islands, the newest first.  How many. */
unsigned rcvq_sack(struct rcvq *q, struct tcp_block *blocks, unsigned max);
void rcvq_check(const struct rcvq *q, struct seq nxt);

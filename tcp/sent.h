/*
 * What is in flight: which bytes beyond SND.UNA were sent when, how often, and what
 * became of them.
 *
 * One log for all that loss recovery asks: the scoreboard of SACK (RFC 2018, RFC 6675),
 * the transmission times of RACK (RFC 8985) and the state of delivery at each
 * transmission (draft-ietf-ccwg-bbr 4.1, delivery rate samples).  An entry stands for
 * bytes that were sent together and shared their fate since; the first begins at
 * SND.UNA, each other where the one before it ends, the last ends at SND.NXT:
 *
 *	  SND.UNA                                        SND.NXT
 *	     |  lost  |   SACKED    | again |  SACKED  |   |
 *	     |--------|-------------|-------|----------|---|
 *
 * Ranges that are reported melt into one entry, so that a peer cannot make the log
 * longer than the sender did by more than 2 * SENT_RANGES_MAX.  And a sender makes it so
 * long that with those it has SENT_ENTRIES_MAX entries (288 KiB): beyond, what it sends
 * goes to the last entry.
 *
 * Two facts keep the walks short.  Bytes go the first time in order, and every
 * retransmission is later: behind an entry that was sent once, all others were sent
 * later than it.  And nothing before @lost_from waits to be sent again.
 *
 * Times are microseconds modulo 2^32, compared within half of that: what is in flight
 * is sent again each RTO_MAX_US at the latest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/seq.h"
#include "tcp/tcp_wire.h"

enum {
	SENT_FEW = 4, /* entries that need no memory of their own */
	SENT_RANGES_MAX = 256,
	SENT_ENTRIES_MAX = 8192,
	SENT_DUP_THRESH = 3, /* RFC 5681 3.2 */
};

enum sent_flag {
	SENT_SACKED = 1 << 0,
	SENT_LOST = 1 << 1,
	SENT_AGAIN = 1 << 2,	   /* under way once more */
	SENT_TWICE = 1 << 3,	   /* was sent more than once */
	SENT_APP_LIMITED = 1 << 4, /* the program had no more to say */
};

struct sent {
	struct seq end;
	uint32_t at_us;
	/* The log's counters when it was sent. */
	uint32_t delivered, delivered_us, first_us, lost;
	uint32_t in_flight; /* with these bytes */
	uint8_t flags;	    /* enum sent_flag */
};

struct sent_log {
	struct sent *ring;	/* NULL: @few */
	uint32_t head, n, room; /* @room is a power of two */
	struct seq una;
	struct seq lost_from;
	uint32_t n_ranges;		    /* entries that are SACKED */
	uint32_t n_sacked, n_lost, n_again; /* bytes of entries with that flag */
	uint32_t n_wait;		    /* bytes lost and not sent again */
	/* Delivery so far, bytes modulo 2^32; when it was last; and when the bytes were sent
	 * whose delivery that was. */
	uint32_t delivered, delivered_us, first_us, lost;
	uint32_t app_limited; /* not 0: until so much is delivered */
	struct sent few[SENT_FEW];
};

/* What one ACK told. */
struct sent_news {
	uint32_t now_us;
	uint32_t sure_us; /* what was sent twice counts if it was sent before this */
	struct seq high;  /* the highest byte that was delivered before */

	uint32_t n_delivered; /* bytes, by ACK or SACK */
	uint32_t n_sacked;    /* of those, by SACK */
	bool is_again;	      /* bytes acknowledged were sent twice */
	bool reordered;	      /* bytes sent once, from below @high, were delivered */
	bool has_once;	      /* bytes sent once were delivered ... */
	struct seq once;      /* ... the lowest of them began here */
	bool has_first;	      /* bytes were acknowledged that no report preceded ... */
	uint32_t first_us;    /* ... the first of them sent then */
	bool has_rack;
	struct {
		uint32_t at_us;
		struct seq end;
	} rack; /* the last one sent, of those that count */
	bool has_last;
	struct sent last; /* the last one sent */
};

void sent_init(struct sent_log *l, struct seq una);
void sent_fini(struct sent_log *l);
/* Gives memory back when nothing is in flight; what the counters say stays. */
void sent_rest(struct sent_log *l);
/* Nothing is in flight any more, whatever was. */
void sent_forget(struct sent_log *l, struct seq una);

/* Bytes believed to be in the network (RFC 6675 SetPipe, by flags). */
static inline uint32_t sent_pipe(const struct sent_log *l, uint32_t flight)
{
	return flight - l->n_sacked - l->n_lost + l->n_again;
}

/* (@a_us, @a_end) was sent after (@b_us, @b_end): RFC 8985 6.2 RACK_sent_after(). */
static inline bool sent_after(uint32_t a_us, struct seq a_end, uint32_t b_us,
			      struct seq b_end)
{
	return a_us == b_us ? seq_after(a_end, b_end) : (int32_t)(a_us - b_us) > 0;
}

/* Bytes up to @end, new ones, are sent. */
void sent_add(struct sent_log *l, struct seq end, uint32_t now_us);
/* Everything before @una is acknowledged. */
void sent_ack(struct sent_log *l, struct seq una, struct sent_news *news);
/*
 * The peer reports @block.  What is not inside (una, nxt], and what would make more than
 * SENT_RANGES_MAX ranges or finds no memory, is ignored.
 */
void sent_sack(struct sent_log *l, struct tcp_block block, struct sent_news *news);
/* The peer may have thrown away what it reported (RFC 2018 8). */
void sent_forget_sacks(struct sent_log *l);
/* The byte at SND.UNA is reported: the peer has thrown it away. */
bool sent_reneged(const struct sent_log *l);
/* Behind the highest byte that is reported; SND.UNA: none is. */
struct seq sent_high(const struct sent_log *l);

/* Entry @i and its first byte. */
struct sent *sent_at(const struct sent_log *l, uint32_t i);
struct seq sent_start(const struct sent_log *l, uint32_t i);
/* Entry @i, not SACKED, is lost: the first time or, sent again, once more. */
void sent_lose(struct sent_log *l, uint32_t i);
/* Up to @len bytes from SND.UNA on are lost, if nothing is known of them. */
void sent_lose_first(struct sent_log *l, uint32_t len);
/* Nothing is lost after all. */
void sent_find_all(struct sent_log *l);
/* The first bytes that wait to be sent again, up to the next that do not, or as many as one
 * packet may carry. */
bool sent_next_lost(struct sent_log *l, struct tcp_block *hole);
/* @b, of which nothing is SACKED, was sent again. */
void sent_again(struct sent_log *l, struct tcp_block b, uint32_t now_us);
/* States the invariants; @nxt is SND.NXT. */
void sent_check(const struct sent_log *l, struct seq una, struct seq nxt);

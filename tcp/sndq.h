/*
 * The send queue of one connection: bytes from SND.UNA to the last one written.
 *
 * A list of packets of one descriptor with a buffer each, in order; memory is
 * there only while bytes wait, and a short reply that is alone takes no buffer.  Segments are gathered from it by reference,
 * the first time and again, so a retransmission copies nothing.  Offsets count
 * from the oldest byte in the queue.
 *
 * Who gathers in order never walks the list, neither at its end (new data) nor
 * behind (retransmission): each of the two places is remembered in a mark.
 *
 * A program may end a record (MSG_EOR): the next byte begins a buffer of its own, and
 * sndq_in_record() tells how far a segment may go.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pkt;
struct pkt_pool;

/* A packet of the queue and the offset of its first byte; none: NULL and 0. */
struct sndq_mark {
	struct pkt *p;
	uint32_t at;
};

struct sndq {
	struct pkt *first, *last; /* linked by ->link */
	struct sndq_mark ahead;	  /* where the farthest gathering ended */
	struct sndq_mark behind;  /* where the last one before it ended */
	uint32_t len;		  /* bytes in the queue */
	uint32_t n_bufs;	  /* buffers that they pin */
	uint32_t n_records;	  /* packets whose last byte ends a record */
};

void sndq_init(struct sndq *q);
/* Frees all bytes. */
void sndq_fini(struct sndq *q);
/* Copies up to @len bytes to the end; how many found memory. */
size_t sndq_write(struct sndq *q, struct pkt_pool *pool, const void *bytes, size_t len);
/*
 * Takes a packet of one descriptor, without headroom, whose buffer nobody else
 * refers to.  A short one that fits behind the last is copied there, so that two
 * neighbours always fill half of their buffers.
 */
void sndq_add(struct sndq *q, struct pkt *p);
/* The last byte there is, of one at least, ends a record. */
void sndq_end_record(struct sndq *q);
/* How many of the @len bytes from @offset on are up to the first end of a record. */
uint32_t sndq_in_record(const struct sndq *q, uint32_t offset, uint32_t len);
/* The first @len bytes were acknowledged: frees them. */
void sndq_ack(struct sndq *q, uint32_t len);
/*
 * A chain of descriptors that share bytes [offset, offset + len), without a head;
 * NULL when the pool is empty.  @len is at least 1.  64 KiB that came by
 * sndq_write() are at most 17 descriptors.
 */
struct pkt *sndq_gather(struct sndq *q, uint32_t offset, uint32_t len);
void sndq_check(const struct sndq *q);

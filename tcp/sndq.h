/*
 * The send queue of one connection: bytes from SND.UNA to the last one written.
 *
 * A list of packets of one descriptor with a buffer each, in order; memory is
 * there only while bytes wait.  Segments are gathered from it by reference,
 * the first time and again, so a retransmission copies nothing.  Offsets count
 * from the oldest byte in the queue.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pkt;
struct pkt_pool;

struct sndq {
	struct pkt *first, *last; /* linked by ->link */
	uint32_t len;		  /* bytes in the queue */
	/* Where the last gathering ended, so that the next need not walk. */
	struct pkt *mark;
	uint32_t mark_at; /* offset of @mark's first byte */
};

void sndq_init(struct sndq *q);
/* Frees all bytes. */
void sndq_fini(struct sndq *q);
/* Copies up to @len bytes to the end; how many found memory. */
size_t sndq_write(struct sndq *q, struct pkt_pool *pool, const void *bytes, size_t len);
/* Takes a packet of one descriptor, whose buffer nobody else refers to. */
void sndq_add(struct sndq *q, struct pkt *p);
/* The first @len bytes were acknowledged: frees them. */
void sndq_ack(struct sndq *q, uint32_t len);
/*
 * A chain of descriptors that share bytes [offset, offset + len), without a head;
 * NULL when the pool is empty.  @len is at least 1.
 */
struct pkt *sndq_gather(struct sndq *q, uint32_t offset, uint32_t len);

/*
 * Software for what a port's hardware does not do: cutting TCP super-frames into
 * segments, and completing TCP and UDP checksums.  eth_flush() calls it, on the
 * core of the packets.
 *
 * Payload is never copied: each segment is a descriptor with headers of its own and
 * references to the super-frame's buffers.  So the payload of a super-frame must lie
 * in buffers, not in the head[] of its descriptors, and its headers in the first
 * descriptor.
 *
 * What changes from segment to segment: lengths; the IPv4 identification, one more
 * each (RFC 6864 4.1 allows any value, DF being set; receivers that merge look for
 * this one); sequence number; FIN and PSH only on the last segment; CWR only on the
 * first (RFC 3168 6.1.2); urgent pointer; checksums.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pkt;

/*
 * Completes the checksum of a packet with PKT_SUM_PARTIAL, from @l4 to its end, and
 * clears the flag.  @proto must be TCP or UDP.  The packet may begin with any layer.
 */
void offload_sum(struct pkt *p);

/* Where TCP (6) and UDP (17) headers hold their checksum. */
unsigned offload_sum_offset(uint8_t proto);

/* True when a port with these capabilities cannot send @p uncut. */
bool offload_must_cut(const struct pkt *p, uint32_t caps);

struct offload_cut {
	struct pkt *super;   /* owned until offload_cut_end() */
	struct pkt *from;    /* descriptor with the next byte of payload */
	uint32_t from_at;    /* and where in it */
	uint32_t header_len; /* of all headers, link to TCP */
	uint32_t done, left; /* bytes of payload behind and before us */
	uint16_t l3, l4;     /* offsets in the frame */
	uint16_t n;	     /* segments made */
};

/* Takes @super, a TCP frame with gso_len, l3 and l4 set. */
void offload_cut_start(struct offload_cut *c, struct pkt *super);
/*
 * The next segment, with PKT_SUM_PARTIAL; NULL behind the last, or when the pool is
 * empty.
 */
struct pkt *offload_cut_next(struct offload_cut *c);
/* Frees the super-frame.  Returns how many segments could not be made. */
uint32_t offload_cut_end(struct offload_cut *c);

/*
 * Packets: descriptors with room for headers, and buffers with bytes.
 *
 *   struct pkt                          struct pkt              struct pkt
 *   +----------------------+   next    +-----------+   next   +-----------+
 *   | head[]  eth|ip|tcp   |---------->| payload   |--------->| payload   |
 *   +----------------------+           +-----|-----+          +-----|-----+
 *                                            v                      v
 *                                       struct buf (4 KiB, shared by reference)
 *
 * A packet is one descriptor or a chain of them.  The first carries everything
 * that is said about the whole.  A descriptor's bytes lie in its own head[] (an
 * ACK needs no buffer at all) or in a buffer; several descriptors may refer to the
 * same buffer, as when a driver still reads bytes that the send queue keeps until
 * they are acknowledged.  That is the only reference count in the stack.
 *
 * A pool belongs to one core; so do all packets from it.  A packet has one owner.
 * Received packets have all their headers in the first descriptor: a port puts at
 * least the first PKT_HEADERS_LEN bytes of a frame there.
 *
 * Super-frames: a TCP packet may be up to 64 KiB long with @gso_len set to the
 * payload of each segment that it stands for; ports say whether they take such
 * packets (port.h), and eth/offload.c cuts them where they do not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stack/base/addr.h"
#include "stack/base/check.h"
#include "stack/base/pool.h"

enum {
	PKT_BUF_LEN = 4096,	  /* bytes of one buffer */
	PKT_HEAD_LEN = 152,	  /* bytes inside a descriptor: 18 + 60 + 60 and more */
	PKT_HEADERS_LEN = 256,	  /* received: headers are contiguous up to here */
	PKT_MAX_LEN = 65535 + 18, /* longest super-frame */
	PKT_CB_LEN = 32,	  /* bytes for the layer that keeps the packet */
};

enum pkt_flag {
	/* Received: the port or the sender's host vouches for the TCP/UDP checksum. */
	PKT_SUM_OK = 1 << 0,
	/*
	 * To send: the TCP/UDP checksum field holds the sum of the pseudo header only
	 * (not complemented); whoever is last completes it from @l4 to the end.
	 */
	PKT_SUM_PARTIAL = 1 << 1,
	PKT_BROADCAST = 1 << 2, /* came to a link-layer group address */
	PKT_VLAN = 1 << 3,	/* came with an 802.1Q tag, see @vlan */
	PKT_RECORD = 1 << 4,	/* in a send queue: its last byte ends a record */
};

/* How much a caller may take from a pool that runs low. */
enum pkt_use {
	PKT_DATA,    /* leaves the reserve alone */
	PKT_CONTROL, /* ACKs, ARP, ICMP, handshakes: may use the reserve */
};

struct buf {
	uint32_t refs;
};

struct pkt {
	struct pkt *next;      /* next descriptor of the same packet */
	struct pkt *link;      /* next packet of the list that holds it */
	struct pkt_pool *pool; /* where it goes when it is freed */
	struct buf *buf;       /* holds the bytes; NULL when head[] does */
	uint8_t *data;	       /* first byte of this descriptor */
	uint32_t len;	       /* bytes of this descriptor */
	uint32_t total_len;    /* first descriptor: bytes of the packet */

	/* All below: first descriptor only. */
	uint8_t *l3, *l4; /* IP header and what follows it, once known */
	uint64_t at_ns;	  /* when it was received */
	uint16_t flags;	  /* enum pkt_flag */
	uint16_t gso_len; /* super-frame: payload bytes of each segment */
	uint16_t vlan;	  /* tag control information */
	uint8_t iface;	  /* number of the interface it came by */
	uint8_t proto;	  /* IP protocol */
	uint8_t ttl, tos;
	struct addr src, dst;		    /* of the IP header, once parsed */
	_Alignas(8) uint8_t cb[PKT_CB_LEN]; /* the present owner's */
	uint8_t head[PKT_HEAD_LEN];
};

struct pkt_pool {
	struct pool pkts;
	struct pool bufs;     /* PKT_BUF_LEN bytes each, page aligned */
	struct buf *buf_info; /* one for each buffer, by number */
	uint32_t reserve;     /* descriptors only PKT_CONTROL may take */
	uint32_t buf_reserve;
	uint64_t n_refused; /* requests that found it empty */
};

/*
 * @n_bufs buffers and room for @n_pkts descriptors, of which a sixteenth is
 * reserved for PKT_CONTROL.  0 or -ENOMEM.
 */
int pkt_pool_init(struct pkt_pool *pool, uint32_t n_pkts, uint32_t n_bufs);
void pkt_pool_fini(struct pkt_pool *pool);

/* Tenths of the buffers, or of the descriptors when they are scarcer, that PKT_DATA may
 * still take: 10 when none is out. */
unsigned pkt_pool_level(const struct pkt_pool *pool);

/* Buffers, with a descriptor for each, that PKT_DATA may take until the level is @level. */
uint32_t pkt_pool_spare(const struct pkt_pool *pool, unsigned level);

/*
 * An empty packet whose bytes will lie in head[], with all of it as headroom:
 * pkt_push() puts headers in front.  NULL when the pool is empty.
 */
struct pkt *pkt_new(struct pkt_pool *pool, enum pkt_use use);
/*
 * An empty packet with a buffer of its own and @headroom bytes free in front;
 * pkt_room() says how many fit behind.
 */
struct pkt *pkt_new_buf(struct pkt_pool *pool, enum pkt_use use, uint32_t headroom);
/* A descriptor of the @len bytes at @at, which lie in @of: it shares the buffer; what
 * lies in head[] is copied. */
struct pkt *pkt_share(struct pkt *of, const uint8_t *at, uint32_t len);
/* All bytes of @p copied to a new packet of @pool, which may be another core's. */
struct pkt *pkt_copy(struct pkt_pool *pool, enum pkt_use use, const struct pkt *p);
/* Frees the whole chain. */
void pkt_free(struct pkt *p);
/* Frees every packet of a list linked by @link. */
void pkt_free_list(struct pkt *p);

/* First byte of the buffer of @p. */
uint8_t *pkt_buf_bytes(const struct pkt *p);
/* Bytes free behind the last byte of this one descriptor. */
uint32_t pkt_room(const struct pkt *p);
/* Puts @len bytes at the end of a packet of one descriptor.  False: no room. */
bool pkt_append(struct pkt *p, const void *bytes, uint32_t len);
/* Hangs the chain @tail at the end of @p and adds up the lengths. */
void pkt_chain(struct pkt *p, struct pkt *tail);
/* Cuts @len bytes off the front of a chain, freeing what becomes empty but the
 * first descriptor.  @len is at most total_len. */
void pkt_trim_front(struct pkt *p, uint32_t len);
/* Shortens a chain to @len bytes. */
void pkt_trim_to(struct pkt *p, uint32_t len);
/* Copies up to @len bytes from @offset on to @to; returns how many. */
uint32_t pkt_read(const struct pkt *p, uint32_t offset, void *to, uint32_t len);

/* @len more bytes in front of the first descriptor; there must be headroom. */
static inline uint8_t *pkt_push(struct pkt *p, uint32_t len)
{
	p->data -= len;
	p->len += len;
	p->total_len += len;
	DEBUG_ASSERT(p->buf ? p->data >= pkt_buf_bytes(p) : p->data >= p->head);
	return p->data;
}

/* Strips @len bytes off the first descriptor, which must hold them. */
static inline void pkt_pull(struct pkt *p, uint32_t len)
{
	DEBUG_ASSERT(len <= p->len);
	p->data += len;
	p->len -= len;
	p->total_len -= len;
}

/*
 * An IP packet under way in a simulation: bytes of nobody's pool, and what a queue needs
 * to know of them.
 *
 * A frame has one owner, and goes from hand to hand: a host's port makes it, queues and
 * lines hold it, another port copies it to its stack and frees it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/list.h"

struct pkt;

enum { FRAME_CLASS_LEN = 1600, FRAME_SPARE_MAX = 65536 };

struct frame {
	struct list node; /* in whatever holds it */
	uint64_t at_ns;	  /* in a queue: since when; on a line: until when */
	uint32_t len;	  /* bytes */
	uint32_t
		wire_len; /* bytes that it takes on a line: a super-frame, its segments' */
	uint32_t capacity; /* bytes that fit */
	uint16_t gso_len; /* super-frame: payload of each segment, as struct pkt has it */
	bool sum_ok;	  /* the sender's stack vouches for the checksum */
	uint8_t bytes[];
};

/* Frames that were freed and will be asked for again. */
struct frame_shop {
	struct list spare;
	unsigned n_spare;
	uint64_t n_out;
};

/* What a receiver may do with a packet in trouble (RFC 3168 5). */
enum frame_ecn { FRAME_NOT_ECT = 0, FRAME_ECT1 = 1, FRAME_ECT0 = 2, FRAME_CE = 3 };

void frame_shop_init(struct frame_shop *shop);
void frame_shop_fini(struct frame_shop *shop);

/* A frame of @len bytes that say nothing yet; NULL: no memory. */
struct frame *frame_new(struct frame_shop *shop, uint32_t len);
/* With the bytes of @p, which is only read. */
struct frame *frame_of_pkt(struct frame_shop *shop, const struct pkt *p);
struct frame *frame_copy(struct frame_shop *shop, const struct frame *f);
void frame_free(struct frame_shop *shop, struct frame *f);

/* The bits of the IP header, IPv4's or IPv6's. */
enum frame_ecn frame_ecn(const struct frame *f);
/* Sets CE where the sender is capable of ECN.  False: it is not, and nothing changed. */
bool frame_mark(struct frame *f);
/* Makes the checksum of TCP or UDP that nobody made yet: what may be broken, or is shown,
 * has one. */
void frame_complete_sum(struct frame *f);
/* One hop less (RFC 1812 5.3.1).  False: there is none left. */
bool frame_hop(struct frame *f);
/* Where it goes.  False: neither IPv4 nor IPv6, or too short. */
bool frame_dst(const struct frame *f, struct addr *dst);
/* A hash of addresses, protocol and ports, the same for all frames of a flow. */
uint64_t frame_flow_hash(const struct frame *f, uint64_t salt);

/* What a TCP segment says, for those who look on.  False: no TCP segment. */
struct frame_tcp {
	uint16_t src_port, dst_port;
	uint32_t seq, ack, payload_len;
	bool syn, fin;
};

bool frame_tcp(const struct frame *f, struct frame_tcp *t);

/*
 * Reassembly of fragmented packets of both families (RFC 791 3.2, RFC 815, RFC 8200 4.5),
 * which share limits of packets, memory, fragments and time.
 *
 * Fragments that overlap are an attack or a mistake: the whole packet is refused,
 * with what of it is still to come (RFC 5722 3, which RFC 6274 4.2 wants for IPv4).
 * An exact copy of a fragment is dropped alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip/ip.h"
#include "stack/base/list.h"
#include "stack/base/verdict.h"
#include "stack/base/wheel.h"

/* What a fragment says of itself. */
struct reass_frag {
	struct addr src, dst; /* these four say which packet it is */
	uint32_t id;
	uint8_t proto; /* IPv6: 0, for it does not count (RFC 8200 4.5) */
	uint8_t upper; /* the protocol of the first fragment's bytes */
	bool mf;
	uint8_t tos;
	uint32_t frag_off;
	uint32_t len_max; /* what the whole payload may have */
};

struct reass_packet {
	struct list node; /* in reass.age or reass.unused */
	struct timer timer;
	struct reass *reass;
	struct addr src, dst;
	uint32_t id;
	uint8_t proto;
	bool not_ect;	      /* one could not be marked */
	bool congested;	      /* one fragment was marked CE (RFC 3168 5.3) */
	enum verdict refused; /* V_KEPT: not; else why, and it holds nothing */
	struct pkt *frags;    /* by offset, linked by ->link */
	uint32_t n_frags;
	uint32_t have;	 /* bytes of payload in @frags */
	uint32_t end;	 /* bytes of the whole payload; 0: not known */
	uint32_t memory; /* bytes that @frags hold */
};

struct reass {
	struct ip *ip; /* for errors and counters */
	struct wheel *wheel;
	struct list age; /* in the order of their beginning */
	struct list unused;
	uint32_t memory;
	struct reass_packet packets[IP_REASS_MAX];
};

void reass_init(struct reass *r, struct ip *ip, struct wheel *wheel);
void reass_fini(struct reass *r);

/*
 * A fragment, its headers stripped, that says @h.  True: it was the last that was missing, and @p
 * is now the whole packet, its l3 at the header of the first fragment.  False: *v
 * is its end, V_KEPT when it waits here.
 */
bool reass_input(struct reass *r, struct pkt *p, const struct reass_frag *h,
		 uint64_t now_ns, enum verdict *v);
void reass_check(const struct reass *r);

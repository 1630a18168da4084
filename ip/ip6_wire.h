/*
 * The IPv6 header (RFC 8200 3) and the fragment header (4.5) as bytes.
 *
 *    0        4        8        12       16                24               40
 *    +--------+--------+--------+--------+-- -- -- -- -- --+-- -- -- -- -- --+
 *    |6 class  flow    | len    |next|hop| src             | dst             |
 *    +--------+--------+--------+--------+-- -- -- -- -- --+-- -- -- -- -- --+
 *    4 bits version, 8 traffic class, 20 flow label; the length is of what follows
 *
 *    0    1    2         4                   8
 *    +----+----+---------+-------------------+
 *    |next|0   |offset 0M| identification    |
 *    +----+----+---------+-------------------+
 *    M is "more fragments"; the offset counts 8 bytes
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/byte.h"

enum {
	IP6_HEADER_LEN = 40,
	IP6_FRAG_LEN = 8,
	IP6_PAYLOAD_MAX = 65535, /* longer ones (RFC 2675) we do not speak */
	IP6_MTU_MIN = 1280,	 /* RFC 8200 5: every link carries so much */
};

/* Places of fields that an ICMPv6 parameter problem may point to. */
enum { IP6_AT_PAYLOAD_LEN = 4, IP6_AT_NEXT = 6, IP6_FRAG_AT_OFFSET = 2 };

/* What may follow a header (RFC 8200 4.1); protocols have the numbers of IPv4. */
enum ip6_next {
	IP6_NEXT_HOP_BY_HOP = 0,
	IP6_NEXT_ROUTING = 43,
	IP6_NEXT_FRAGMENT = 44,
	IP6_NEXT_NONE = 59,
	IP6_NEXT_DESTINATION = 60,
};

struct ip6_header {
	uint8_t tclass;
	uint32_t flow; /* label, 20 bits */
	uint16_t payload_len;
	uint8_t next, hop_limit;
	struct ip6 src, dst;
};

struct ip6_frag {
	uint8_t next;
	uint16_t frag_off; /* bytes */
	bool mf;
	uint32_t id;
};

/* Reads the header.  False: short, or not version 6. */
bool ip6_parse(struct rd *r, struct ip6_header *h);
void ip6_emit(uint8_t b[static IP6_HEADER_LEN], const struct ip6_header *h);

/* Reads the fragment header; what is reserved in it is ignored.  False: short. */
bool ip6_frag_parse(struct rd *r, struct ip6_frag *f);
void ip6_frag_emit(uint8_t b[static IP6_FRAG_LEN], const struct ip6_frag *f);

/*
 * The extension headers of a received IPv6 packet (RFC 8200 4), walked under limits.
 *
 * Only bytes are read here: what a header may be followed by, what its options ask for.
 * ip6_input() does what the end says.  A chain of headers is bounded in their number,
 * their options and, since a port keeps only so much contiguous, in bytes; no router or
 * host sends as much (RFC 8504 5.3).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	IP6_EXT_MAX = 8,	 /* headers of one packet */
	IP6_EXT_OPTIONS_MAX = 8, /* of one header, padding not counted */
	IP6_EXT_PADS_MAX = 16,	 /* pieces of padding in one header */
};

enum ip6_ext_end {
	IP6_EXT_UPPER,	  /* @next is none of them: a transport, or nothing at all */
	IP6_EXT_FRAGMENT, /* a fragment header is at @at, which ends this walk */
	IP6_EXT_SHORT,	  /* the packet ends first */
	IP6_EXT_DISCARD,  /* an option says that it is to be dropped in silence */
	IP6_EXT_LIMIT,	  /* more than we read */
	IP6_EXT_PROBLEM,  /* @code and @pointer of an answer are set */
	/* The same, but nothing is said when it was sent to a group. */
	IP6_EXT_PROBLEM_ONE,
};

/* Where a walk is.  Offsets are counted from the packet's first byte. */
struct ip6_ext {
	uint8_t next; /* the number of what is at @at */
	uint8_t n;    /* headers that are behind us */
	uint8_t code; /* enum icmp6_parameter */
	uint32_t at;
	uint32_t next_at; /* where @next is written */
	uint32_t pointer;
};

/* Goes on from @x through @packet, of which @len bytes are there. */
enum ip6_ext_end ip6_ext_walk(struct ip6_ext *x, const uint8_t *packet, size_t len);

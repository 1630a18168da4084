/*
 * The IPv4 header as bytes (RFC 791 3.1).
 *
 *    0     1     2           4           6           8     9     10          12
 *    +--+--+-----+-----------+-----------+-----------+-----+-----+-----------+
 *    |4 |IHL tos | total_len | id        |0DM offset | ttl |proto| sum       |
 *    +--+--+-----+-----------+-----------+-----------+-----+-----+-----------+
 *    12                      16                      20
 *    +-----------------------+-----------------------+------------------------
 *    | src                   | dst                   | options, to IHL * 4
 *    +-----------------------+-----------------------+------------------------
 *
 * D is "don't fragment", M "more fragments"; the offset counts 8 bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/byte.h"

enum { IP4_HEADER_LEN = 20, IP4_ALERT_LEN = 4, IP4_HEADER_MAX = 60, IP4_LEN_MAX = 65535 };

struct ip4_header {
	uint8_t header_len; /* bytes, with options */
	uint8_t tos, ttl, proto;
	uint16_t total_len, id;
	uint16_t frag_off; /* bytes */
	bool df, mf;
	struct ip4 src, dst;
};

/*
 * Reads the header and skips its options.  False: short, not version 4, a header
 * of less than 20 bytes, or longer than the packet it is of.  The checksum and the
 * options are not looked at.
 */
bool ip4_parse(struct rd *r, struct ip4_header *h);
/* True when the checksum of the header of @len bytes at @b is right. */
bool ip4_sum_is_right(const uint8_t *b, size_t len);

enum ip4_options {
	IP4_OPTIONS_FINE,	  /* none that we need to know */
	IP4_OPTIONS_BAD,	  /* a length that cannot be */
	IP4_OPTIONS_SOURCE_ROUTE, /* loose or strict: not to be trusted (RFC 7126 4.3) */
};

/*
 * Walks the options under their lengths.  Unless they are FINE, *at is where the
 * option that is not begins, counted from @r.
 */
enum ip4_options ip4_options_read(struct rd r, uint8_t *at);

/* Writes IP4_HEADER_LEN bytes, with the sum; header_len is taken for that. */
void ip4_emit(uint8_t b[static IP4_HEADER_LEN], const struct ip4_header *h);
/* The same with a router alert (RFC 2113) behind it: IP4_ALERT_LEN bytes more. */
void ip4_emit_alert(uint8_t b[static IP4_HEADER_LEN + IP4_ALERT_LEN],
		    const struct ip4_header *h);

/*
 * The UDP header as bytes (RFC 768).
 *
 *    0          2          4          6          8
 *    +----------+----------+----------+----------+---------
 *    | src port | dst port | length   | sum      | payload
 *    +----------+----------+----------+----------+---------
 *
 * The length counts the header.  A sum of zero says that there is none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/byte.h"

enum { UDP_HEADER_LEN = 8, UDP_AT_SUM = 6 };

struct udp_header {
	uint16_t src_port, dst_port;
	uint16_t len;
	bool has_sum; /* parsed only: the field is not zero */
};

/* Reads the header; the sum is not verified.  False: short, or a length of less
 * than the header's. */
bool udp_parse(struct rd *r, struct udp_header *h);
/* Writes the header with a sum of zero. */
void udp_emit(struct wr *w, const struct udp_header *h);

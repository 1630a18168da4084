/*
 * The Internet checksum (RFC 1071, RFC 1624).
 *
 * Sums are kept unfolded in 64 bits, in host order of 16-bit words as they stand
 * in memory; the one's complement sum does not care about byte order as long as
 * it is stored as it was read.  cksum_fold() gives the 16 bits to store with
 * memcpy, not a number to swap.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct pkt;

/*
 * Adds @len bytes at @bytes to @sum; the first byte is at an even offset.  This and
 * the two below return less than 2^33: many such sums may be added plainly.
 */
uint64_t cksum_add(uint64_t sum, const void *bytes, size_t len);
/* The same for a packet's bytes from @offset to its end, whatever its chain. */
uint64_t cksum_add_pkt(uint64_t sum, const struct pkt *p, uint32_t offset);
/* The pseudo header of RFC 9293 3.1 and RFC 8200 8.1. */
uint64_t cksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto,
		      uint32_t len);
/* Folded to 16 bits, not complemented. */
uint16_t cksum_fold(uint64_t sum);

/* Folded and complemented: what goes into the field. */
static inline uint16_t cksum_end(uint64_t sum)
{
	return (uint16_t)~cksum_fold(sum);
}

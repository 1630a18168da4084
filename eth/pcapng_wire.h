/*
 * A capture file as bytes (pcapng, draft-ietf-opsawg-pcapng), as far as we write it:
 * one section, one interface, packets with nanoseconds and a direction.
 *
 *   every block:  type 4 | length 4 | body ... | length 4       padded to 4 bytes
 *
 *   section       0A0D0D0A, then  1A2B3C4D 4 | version 1.0 2+2 | section length 8 (-1)
 *   interface     1, then         link type 2 | 0 2 | snap length 4 (0) |
 *                                 options: name (2), resolution (9) of 10^-9
 *   packet        6, then         interface 4 | time 8 | captured 4 | original 4 |
 *                                 bytes, padded | options: flags (2)
 *
 *   option:       code 2 | length 2 | value, padded to 4 bytes;  0 0 ends them
 *
 * The byte order is ours to choose, since the section says which it is; it is the
 * network's.
 */
#pragma once

#include <stdint.h>

#include "stack/base/byte.h"

enum {
	PCAPNG_NAME_MAX = 128, /* bytes of an interface's name */
	PCAPNG_START_MAX = 64 + PCAPNG_NAME_MAX,
	PCAPNG_PACKET_HEAD_LEN = 28,	 /* in front of a packet's bytes */
	PCAPNG_PACKET_TAIL_MAX = 3 + 16, /* padding and what follows */
};

/* What a packet begins with (the registry of LINKTYPE_ values). */
enum pcapng_link { PCAPNG_ETHERNET = 1, PCAPNG_IP = 101 };

enum pcapng_dir { PCAPNG_IN = 1, PCAPNG_OUT = 2 };

/* What a file begins with: section and interface.  @name has at most PCAPNG_NAME_MAX
 * bytes. */
void pcapng_emit_start(struct wr *w, enum pcapng_link link, const char *name);
/* What stands in front of the @len bytes of a packet. */
void pcapng_emit_head(struct wr *w, uint64_t time_ns, uint32_t len);
/* And what behind them. */
void pcapng_emit_tail(struct wr *w, enum pcapng_dir dir, uint32_t len);

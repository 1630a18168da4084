/*
 * The Ethernet II header as bytes (IEEE 802.3 3.2), and one 802.1Q tag (9.3).
 *
 *   0            6            12     14
 *   +------------+------------+------+--------- -
 *   | dst        | src        | type | payload
 *   +------------+------------+------+--------- -
 *
 *   0            6            12     14     16     18
 *   +------------+------------+------+------+------+--------- -
 *   | dst        | src        | 8100 | tci  | type | payload
 *   +------------+------------+------+------+------+--------- -
 *
 *   tci: 3 bits priority, 1 bit drop eligible, 12 bits VLAN; VLAN 0 is a priority
 *   without a VLAN.  A type below 0x0600 is a length (IEEE 802.2), which no layer
 *   here reads.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/byte.h"

enum { ETH_HEADER_LEN = 14, ETH_TAG_LEN = 4, ETH_VLAN_MASK = 0x0fff };

enum ethertype {
	ETHERTYPE_IP4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IP6 = 0x86dd,
};

struct eth_header {
	struct mac dst, src;
	uint16_t type; /* of the payload, behind the tag */
	uint16_t tci;  /* when @tagged */
	bool tagged;
	uint8_t len; /* bytes of the header with its tag */
};

/* Reads the header and a tag.  False: truncated. */
bool eth_parse(struct rd *r, struct eth_header *h);
/* Writes ETH_HEADER_LEN bytes, and ETH_TAG_LEN more when @tagged; @len is not read. */
void eth_emit(struct wr *w, const struct eth_header *h);

/*
 * A frame taken apart for tests, apart from the stack's own wire code.
 *
 *	struct look l = look(frame, len);
 *	cr_assert(l.sound && l.proto == 17 && l.dst_port == 53);
 *
 * @sound says that everything that can be checked is right: lengths, the header
 * checksum, and the transport's checksum when the packet is whole.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct look {
	bool sound;
	struct mac eth_dst, eth_src;
	uint16_t type; /* 0x0806, 0x0800 or 0x86dd; the fields of others are zero */

	uint16_t arp_op;
	struct mac sender_mac, target_mac;
	struct ip4 sender_ip, target_ip;

	struct ip4 src, dst;
	uint8_t proto, ttl, tos;
	uint16_t id, total_len;
	uint16_t frag_off; /* bytes */
	bool df, mf;

	/* IPv6, beside proto, ttl, tos, total_len, and of fragments mf and frag_off. */
	struct ip6 src6, dst6;
	uint32_t flow, frag_id;
	uint8_t n_exts,
		exts[4]; /* the numbers of extension headers; more are not sound */
	uint32_t exts_len;

	/* Of a packet that is whole or a first fragment. */
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags, window, urgent; /* TCP */
	uint8_t icmp_type, icmp_code;
	uint32_t icmp_rest;

	const uint8_t *options; /* of TCP */
	uint32_t options_len;
	const uint8_t *payload; /* what follows the last header that was read */
	uint32_t payload_len;
};

struct look look(const uint8_t *frame, uint32_t len);
/* The same for an IP packet without its frame, which may be cut short as ICMP
 * quotes are: @sound then says only that the headers are there. */
struct look look_quote(const uint8_t *packet, uint32_t len);
/* The same for IPv6. */
struct look look_quote6(const uint8_t *packet, uint32_t len);

/*
 * Frames for tests, made from a few fields, with right lengths and checksums.
 *
 * Written apart from the stack's own wire code, byte by byte, so that a mistake
 * there is not made here too.  Every function writes a whole Ethernet frame to
 * @out, which has room for BUILD_MAX bytes, and returns its length.  What shall be
 * wrong is poked in afterwards; build_fix_ip4() then makes the header sum right.
 */
#pragma once

#include <stdint.h>

#include "stack/base/addr.h"

enum { BUILD_MAX = 14 + 65535, BUILD_DF = 0x4000, BUILD_MF = 0x2000 };

/* Where the parts of a frame without IP options begin. */
enum { BUILD_L3 = 14, BUILD_L4 = 34 };

struct build_arp {
	struct mac eth_dst, eth_src;
	uint16_t op; /* 1 request, 2 reply */
	struct mac sender_mac, target_mac;
	struct ip4 sender_ip, target_ip;
};

struct build_ip4 {
	struct mac eth_dst, eth_src;
	struct ip4 src, dst;
	uint8_t proto; /* set by build_udp() and its like */
	uint8_t ttl;   /* 0: 64 */
	uint8_t tos;
	uint16_t id;
	uint16_t frag;	     /* BUILD_DF, BUILD_MF, and the offset in units of 8 bytes */
	const void *options; /* @options_len bytes, a multiple of 4 */
	uint8_t options_len;
};

struct build_tcp {
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t flags;	 /* as on the wire: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32 */
	uint16_t window; /* 0 is 0 */
	uint16_t urgent;
	const void *options; /* @options_len bytes, a multiple of 4 */
	uint8_t options_len;
};

uint32_t build_eth(uint8_t *out, struct mac dst, struct mac src, uint16_t type,
		   const void *payload, uint32_t len);
uint32_t build_arp(uint8_t *out, const struct build_arp *arp);
uint32_t build_ip4(uint8_t *out, const struct build_ip4 *ip, const void *payload,
		   uint32_t len);
uint32_t build_udp(uint8_t *out, const struct build_ip4 *ip, uint16_t src_port,
		   uint16_t dst_port, const void *payload, uint32_t len);
uint32_t build_tcp(uint8_t *out, const struct build_ip4 *ip, const struct build_tcp *tcp,
		   const void *payload, uint32_t len);
/* @type in the high byte, @code in the low one; @rest is what follows the sum. */
uint32_t build_icmp(uint8_t *out, const struct build_ip4 *ip, uint16_t type_code,
		    uint32_t rest, const void *payload, uint32_t len);

/* Makes the IPv4 header checksum of @frame right again. */
void build_fix_ip4(uint8_t *frame);

/* The one's complement sum of @len bytes in network order, not complemented. */
uint16_t build_sum(uint32_t sum, const uint8_t *bytes, uint32_t len);
/* The sum of the pseudo header, to begin the above with. */
uint32_t build_pseudo(struct ip4 src, struct ip4 dst, uint8_t proto, uint32_t len);
/* The same folded, in network order: the field of a sum that is left to the port. */
uint16_t build_partial(struct ip4 src, struct ip4 dst, uint8_t proto, uint32_t len);

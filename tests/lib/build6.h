/*
 * Frames of IPv6 for tests, as build.h makes those of IPv4: apart from the stack's own
 * wire code, with right lengths and checksums; what shall be wrong is poked in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "tests/lib/build.h"

/* Where what follows the IPv6 header begins. */
enum { BUILD6_L4 = 54 };

struct build_ip6 {
	struct mac eth_dst, eth_src;
	struct ip6 src, dst;
	uint8_t next; /* set by build_udp6() and its like */
	uint8_t hops; /* 0: 64 */
	uint8_t tclass;
	uint32_t flow;
	/*
	 * Extension headers, as bytes, the first of which has the number @ext; the last
	 * one's "next" is set by the functions below.  Multiples of 8.
	 */
	const void *exts;
	uint16_t exts_len;
	uint8_t ext;
	uint16_t last_ext; /* where in @exts the last one begins */
};

/* A neighbour discovery message; @mac is an option when @mac_option says which. */
struct build_nd {
	uint8_t type;
	uint32_t flags; /* the four bytes behind the sum */
	struct ip6 target;
	uint8_t mac_option; /* 0: none; 1 source, 2 target */
	struct mac mac;
	const void *more; /* options, @more_len bytes */
	uint32_t more_len;
};

uint32_t build_ip6(uint8_t *out, const struct build_ip6 *ip, const void *payload,
		   uint32_t len);
uint32_t build_udp6(uint8_t *out, const struct build_ip6 *ip, uint16_t src_port,
		    uint16_t dst_port, const void *payload, uint32_t len);
uint32_t build_tcp6(uint8_t *out, const struct build_ip6 *ip, const struct build_tcp *tcp,
		    const void *payload, uint32_t len);
uint32_t build_icmp6(uint8_t *out, const struct build_ip6 *ip, uint16_t type_code,
		     uint32_t rest, const void *payload, uint32_t len);
/* With a hop limit of 255 unless @ip says another. */
uint32_t build_nd(uint8_t *out, const struct build_ip6 *ip, const struct build_nd *nd);
/* One fragment of @payload, the bytes behind a header with that number. */
uint32_t build_frag6(uint8_t *out, const struct build_ip6 *ip, uint32_t id, uint16_t off,
		     bool more, const void *payload, uint32_t len);

/* Makes the sum of the ICMPv6 message in @frame, without extension headers, right. */
void build_fix_icmp6(uint8_t *frame, uint32_t len);
/* The sum of the pseudo header, for build_sum(). */
uint32_t build_pseudo6(struct ip6 src, struct ip6 dst, uint8_t proto, uint32_t len);
/* The groups and frames that belong to a target: ff02::1:ffxx:xxxx, 33-33-... */
struct ip6 build_solicited_node(struct ip6 target);
struct mac build_group_mac(struct ip6 group);

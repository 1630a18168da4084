/*
 * Neighbour discovery (RFC 4861 4) as bytes, ICMPv6 header included.
 *
 *    0    1    2         4                   8                            24
 *    +----+----+---------+-------------------+-- -- -- -- -- -- -- -- -- --+- - -
 *    |type|0   | sum     | RSO, zeros        | target                      | options
 *    +----+----+---------+-------------------+-- -- -- -- -- -- -- -- -- --+- - -
 *    solicitation (135), advertisement (136: R router, S solicited, O override)
 *    redirect (137): between target and options the destination, 16 bytes
 *
 *    router solicitation (133): options at 8
 *    router advertisement (134): at 4 hop limit 8, M O 0 prf 000, lifetime 16 (seconds),
 *    at 8 reachable 32, at 12 retransmission 32 (milliseconds), options at 16
 *
 *    option: type 8, length 8 (in eights, header included), bytes
 *      1 source, 2 target link-layer address 48
 *      3 prefix: bits 8, L A 000000, valid 32, preferred 32 (seconds), 0 32, prefix 128
 *      5 MTU: 0 16, MTU 32
 *      14 nonce (RFC 7527 4.1), here of 48 bits
 *
 * A struct nd_msg can say what this stack acts upon; other options are skipped (4.6).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/byte.h"

enum {
	ND_PREFIX_MAX = 8,   /* of one advertisement; more are not read */
	ND_OPTIONS_MAX = 32, /* options of one message, whatever they are */
	ND_NONCE_LEN = 6,
	ND_EMIT_MAX = 40, /* longest message that nd_emit() writes */
};

enum nd_type {
	ND_ROUTER_SOLICIT = 133,
	ND_ROUTER_ADVERT = 134,
	ND_SOLICIT = 135,
	ND_ADVERT = 136,
	ND_REDIRECT = 137,
};

struct nd_prefix {
	struct ip6 prefix;
	uint8_t bits;
	bool on_link, autonomous;
	uint32_t valid_s, preferred_s; /* UINT32_MAX: for ever */
};

struct nd_msg {
	enum nd_type type;
	bool has_mac;	/* of the sender; in advertisements and redirects, the target */
	bool has_nonce; /* solicitation */
	bool router, solicited, override; /* advertisement */
	struct mac mac;
	uint8_t nonce[ND_NONCE_LEN];
	struct ip6 target;
	struct ip6 dst; /* redirect */

	/* Of a router. */
	uint8_t hop_limit;   /* 0: says nothing; the same for the next three */
	uint16_t lifetime_s; /* as default router; 0: it is none */
	uint32_t reachable_ms, retrans_ms, mtu;
	int8_t preference; /* RFC 4191 2.1: -1 low, 0, 1 high */
	bool managed, other_conf;
	uint8_t n_prefixes;
	struct nd_prefix prefixes[ND_PREFIX_MAX];
};

/*
 * Reads a whole message.  False: short, a code, an option of length zero or longer than
 * the message, or a target that is no station (RFC 4861 6.1, 7.1, 8.1).  The sum is not
 * looked at.
 */
bool nd_parse(struct rd *r, struct nd_msg *m);
/* Writes a solicitation, an advertisement or a router solicitation, with a sum of zero. */
void nd_emit(struct wr *w, const struct nd_msg *m);

/* RFC 4291 2.7.1: the group that listens for solicitations of @target. */
struct ip6 nd_solicited_node(struct ip6 target);
/* RFC 2464 7: the low 32 bits of a group behind 33-33. */
struct mac nd_group_mac(struct ip6 group);

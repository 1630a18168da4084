/*
 * ICMP for IPv4 as bytes (RFC 792).
 *
 *    0      1      2           4                       8
 *    +------+------+-----------+-----------------------+-----------------------
 *    | type | code | sum       | rest                  | data, or what is quoted
 *    +------+------+-----------+-----------------------+-----------------------
 *
 *    rest of an echo                    identifier 16, sequence number 16
 *    rest of "fragmentation needed"     0 16, MTU of the next hop 16 (RFC 1191 4)
 *    rest of a parameter problem        pointer 8, 0 24
 *
 * The sum is over all of the message, without a pseudo header.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/byte.h"

enum { ICMP_HEADER_LEN = 8, ICMP_AT_SUM = 2 };

enum icmp_type {
	ICMP_ECHO_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETER = 12,
};

/* Codes of ICMP_UNREACHABLE: RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1. */
enum icmp_unreachable {
	ICMP_UNREACHABLE_NET = 0,
	ICMP_UNREACHABLE_HOST = 1,
	ICMP_UNREACHABLE_PROTO = 2,
	ICMP_UNREACHABLE_PORT = 3,
	ICMP_UNREACHABLE_TOO_BIG = 4,
	ICMP_UNREACHABLE_SOURCE_ROUTE = 5,
	ICMP_UNREACHABLE_NET_UNKNOWN = 6,
	ICMP_UNREACHABLE_HOST_UNKNOWN = 7,
	ICMP_UNREACHABLE_ISOLATED = 8,
	ICMP_UNREACHABLE_NET_PROHIBITED = 9,
	ICMP_UNREACHABLE_HOST_PROHIBITED = 10,
	ICMP_UNREACHABLE_NET_TOS = 11,
	ICMP_UNREACHABLE_HOST_TOS = 12,
	ICMP_UNREACHABLE_PROHIBITED = 13,
	ICMP_UNREACHABLE_PRECEDENCE = 14,
	ICMP_UNREACHABLE_PRECEDENCE_CUTOFF = 15,
};

/* Codes of ICMP_TIME_EXCEEDED. */
enum { ICMP_TIME_EXCEEDED_TTL = 0, ICMP_TIME_EXCEEDED_REASSEMBLY = 1 };

struct icmp_header {
	uint8_t type, code;
	uint32_t rest;
};

/* Reads the header; the sum is not looked at.  False: short. */
bool icmp_parse(struct rd *r, struct icmp_header *h);
/* Writes the header with a sum of zero. */
void icmp_emit(struct wr *w, const struct icmp_header *h);

/* True for messages about which none is sent (RFC 1122 3.2.2): errors, and what we do
 * not know, which may be one. */
bool icmp_may_be_error(uint8_t type);

static inline uint16_t icmp_mtu(const struct icmp_header *h)
{
	return (uint16_t)h->rest;
}

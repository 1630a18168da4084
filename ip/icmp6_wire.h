/*
 * ICMPv6 (RFC 4443) as bytes: the header is that of ICMP (icmp_wire.h), the numbers are
 * others, and the sum is over a pseudo header, too.
 *
 *    rest of an echo                identifier 16, sequence number 16
 *    rest of "packet too big"       MTU of the next hop 32
 *    rest of a parameter problem    pointer 32
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip/icmp_wire.h"

/* RFC 4443, RFC 4861, RFC 2710, RFC 3810 */
enum icmp6_type {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_PARAMETER = 4,
	ICMP6_ECHO = 128,
	ICMP6_ECHO_REPLY = 129,
	ICMP6_MLD_QUERY = 130,
	ICMP6_MLD_REPORT = 131,
	ICMP6_MLD_DONE = 132,
	ICMP6_ROUTER_SOLICIT = 133,
	ICMP6_ROUTER_ADVERT = 134,
	ICMP6_NEIGH_SOLICIT = 135,
	ICMP6_NEIGH_ADVERT = 136,
	ICMP6_REDIRECT = 137,
	ICMP6_MLD2_REPORT = 143,
};

/* Codes of ICMP6_UNREACHABLE: RFC 4443 3.1. */
enum icmp6_unreachable {
	ICMP6_UNREACHABLE_NO_ROUTE = 0,
	ICMP6_UNREACHABLE_PROHIBITED = 1,
	ICMP6_UNREACHABLE_SCOPE = 2,
	ICMP6_UNREACHABLE_ADDRESS = 3,
	ICMP6_UNREACHABLE_PORT = 4,
	ICMP6_UNREACHABLE_POLICY = 5,
	ICMP6_UNREACHABLE_REJECT = 6,
};

/* Codes of ICMP6_TIME_EXCEEDED and ICMP6_PARAMETER: RFC 4443 3.3, 3.4; RFC 7112 5. */
enum { ICMP6_TIME_EXCEEDED_HOPS = 0, ICMP6_TIME_EXCEEDED_REASSEMBLY = 1 };
enum icmp6_parameter {
	ICMP6_PARAMETER_FIELD = 0,
	ICMP6_PARAMETER_NEXT = 1,
	ICMP6_PARAMETER_OPTION = 2,
	ICMP6_PARAMETER_FIRST_FRAGMENT = 3,
};

/* RFC 4443 2.1: the types of errors are those below 128. */
static inline bool icmp6_is_error(uint8_t type)
{
	return type < 128;
}

/*
 * What RFC 6724 knows of an address: how far it reaches (3.1, 3.2), and what the policy
 * table says of it (2.1).  IPv4 addresses are looked up as IPv4-mapped ones.
 */
#pragma once

#include <stdint.h>

#include "stack/base/addr.h"

/* As the four bits of a group say it. */
enum { ADDR_SCOPE_LINK = 2, ADDR_SCOPE_SITE = 5, ADDR_SCOPE_GLOBAL = 14 };

struct addr_policy {
	uint8_t precedence, label;
};

unsigned addr_scope(const struct addr *a);
struct addr_policy addr_policy(const struct addr *a);
/* RFC 6724 2.2: leading bits that both have in common, at most @max. */
unsigned addr_common_bits(struct ip6 a, struct ip6 b, unsigned max);

#include "stack/base/addr_policy.h"

/* RFC 6724 3.2: of IPv4, what does not leave the link or the host. */
static unsigned scope4(struct ip4 a)
{
	bool is_near = a.b[0] == 127 || (a.b[0] == 169 && a.b[1] == 254);

	return is_near ? ADDR_SCOPE_LINK : ADDR_SCOPE_GLOBAL;
}

unsigned addr_scope(const struct addr *addr)
{
	struct ip6 a = addr->ip6;

	if (addr->family != ADDR_IP6)
		return scope4(addr->ip4);
	if (ip6_is_multicast(a))
		return a.b[1] & 15;
	if (ip6_is_link_local(a) || ip6_is_loopback(a))
		return ADDR_SCOPE_LINK;
	if (a.b[0] == 0xfe && (a.b[1] & 0xc0) == 0xc0)
		return ADDR_SCOPE_SITE;
	return ADDR_SCOPE_GLOBAL;
}

/* RFC 6724 2.1: the table that is in force when nobody wrote another. */
static const struct row {
	struct ip6 prefix;
	uint8_t bits;
	struct addr_policy policy;
} rows[] = {
	{ { { [15] = 1 } }, 128, { 50, 0 } },
	{ { { [10] = 0xff, [11] = 0xff } }, 96, { 35, 4 } },
	{ { { 0 } }, 96, { 1, 3 } },
	{ { { 0x20, 0x01 } }, 32, { 5, 5 } },
	{ { { 0x20, 0x02 } }, 16, { 30, 2 } },
	{ { { 0x3f, 0xfe } }, 16, { 1, 12 } },
	{ { { 0xfe, 0xc0 } }, 10, { 1, 11 } },
	{ { { 0xfc } }, 7, { 3, 13 } },
	{ { { 0 } }, 0, { 40, 1 } },
};

static struct addr mapped(const struct addr *a)
{
	struct ip6 ip6 = { { [10] = 0xff, [11] = 0xff } };

	if (a->family == ADDR_IP6)
		return addr_ip6(a->ip6);
	memcpy(ip6.b + 12, &a->ip4, sizeof(a->ip4));
	return addr_ip6(ip6);
}

struct addr_policy addr_policy(const struct addr *a)
{
	struct addr addr = mapped(a);

	for (const struct row *r = rows;; r++) {
		struct addr prefix = addr_ip6(r->prefix);

		if (addr_same_prefix(&addr, &prefix, r->bits))
			return r->policy;
	}
}

unsigned addr_common_bits(struct ip6 a, struct ip6 b, unsigned max)
{
	unsigned bits = 0;

	while (bits < max && !((a.b[bits / 8] ^ b.b[bits / 8]) & 0x80 >> bits % 8))
		bits++;
	return bits;
}

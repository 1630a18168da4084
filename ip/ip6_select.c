/*
 * Which of our addresses speaks to a destination (RFC 6724 5).
 *
 * Rules 4 (home addresses), 5 (the outgoing interface: only its addresses are looked at),
 * 5.5 and 7 (temporary addresses) have nothing to tell apart here.
 */
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"

/* RFC 6724 3.1: of unicast addresses, as the four bits of groups say it. */
enum scope { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

static unsigned scope_of(struct ip6 a)
{
	if (ip6_is_multicast(a))
		return a.b[1] & 15;
	if (ip6_is_link_local(a) || ip6_is_loopback(a))
		return SCOPE_LINK;
	if (a.b[0] == 0xfe && (a.b[1] & 0xc0) == 0xc0)
		return SCOPE_SITE;
	return SCOPE_GLOBAL;
}

/* RFC 6724 2.1: the table that is in force when nobody wrote another. */
static const struct policy {
	struct ip6 prefix;
	uint8_t bits, precedence, label;
} policies[] = {
	{ { { [15] = 1 } }, 128, 50, 0 },
	{ { { [10] = 0xff, [11] = 0xff } }, 96, 35, 4 },
	{ { { 0 } }, 96, 1, 3 },
	{ { { 0x20, 0x01 } }, 32, 5, 5 },
	{ { { 0x20, 0x02 } }, 16, 30, 2 },
	{ { { 0x3f, 0xfe } }, 16, 1, 12 },
	{ { { 0xfe, 0xc0 } }, 10, 1, 11 },
	{ { { 0xfc } }, 7, 3, 13 },
	{ { { 0 } }, 0, 40, 1 },
};

static const struct policy *policy_of(struct ip6 a)
{
	struct addr addr = addr_ip6(a);

	for (const struct policy *p = policies;; p++) {
		struct addr prefix = addr_ip6(p->prefix);

		if (addr_same_prefix(&addr, &prefix, p->bits))
			return p;
	}
}

static unsigned common_bits(struct ip6 a, struct ip6 b, unsigned max)
{
	unsigned bits = 0;

	while (bits < max && !((a.b[bits / 8] ^ b.b[bits / 8]) & 0x80 >> bits % 8))
		bits++;
	return bits;
}

/* RFC 6724 5: true when @a is the better one to speak to @dst from. */
static bool better(const struct ip6_addr *a, const struct ip6_addr *b, struct ip6 dst)
{
	unsigned scope_a = scope_of(a->addr), scope_b = scope_of(b->addr);
	unsigned label = policy_of(dst)->label;
	bool label_a = policy_of(a->addr)->label == label;
	bool label_b = policy_of(b->addr)->label == label;

	/* Rule 1: the same address. */
	if (ip6_eq(a->addr, dst) || ip6_eq(b->addr, dst))
		return ip6_eq(a->addr, dst);
	/* Rule 2: the smallest scope that reaches. */
	if (scope_a < scope_b)
		return scope_a >= scope_of(dst);
	if (scope_b < scope_a)
		return scope_b < scope_of(dst);
	/* Rule 3: one that is not deprecated. */
	if (a->deprecated != b->deprecated)
		return b->deprecated;
	/* Rule 6: the label of the destination. */
	if (label_a != label_b)
		return label_a;
	/* Rule 8: the longest prefix in common, as far as the network's goes. */
	return common_bits(a->addr, dst, a->bits) > common_bits(b->addr, dst, b->bits);
}

bool ip6_select_source(const struct ip_iface *iface, struct ip6 dst, struct ip6 *src)
{
	const struct ip6_addr *best = NULL;

	for (unsigned i = 0; i < iface->ip6.n_addrs; i++) {
		const struct ip6_addr *a = &iface->ip6.addrs[i];

		if (a->ready && (!best || better(a, best, dst)))
			best = a;
	}
	if (best)
		*src = best->addr;
	return best;
}

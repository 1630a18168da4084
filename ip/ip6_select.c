/*
 * Which of our addresses speaks to a destination (RFC 6724 5).
 *
 * Rules 4 (home addresses), 5 (the outgoing interface: only its addresses are looked at),
 * 5.5 and 7 (temporary addresses) have nothing to tell apart here.
 */
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/addr_policy.h"

/* RFC 6724 5: true when @a is the better one to speak to @dst from. */
static bool better(const struct ip6_addr *a, const struct ip6_addr *b, struct ip6 dst)
{
	struct addr to = addr_ip6(dst), from_a = addr_ip6(a->addr),
		    from_b = addr_ip6(b->addr);
	unsigned scope_a = addr_scope(&from_a), scope_b = addr_scope(&from_b);
	unsigned label = addr_policy(&to).label;
	bool label_a = addr_policy(&from_a).label == label;
	bool label_b = addr_policy(&from_b).label == label;

	/* Rule 1: the same address. */
	if (ip6_eq(a->addr, dst) || ip6_eq(b->addr, dst))
		return ip6_eq(a->addr, dst);
	/* Rule 2: the smallest scope that reaches. */
	if (scope_a < scope_b)
		return scope_a >= addr_scope(&to);
	if (scope_b < scope_a)
		return scope_b < addr_scope(&to);
	/* Rule 3: one that is not deprecated. */
	if (a->deprecated != b->deprecated)
		return b->deprecated;
	/* Rule 6: the label of the destination. */
	if (label_a != label_b)
		return label_a;
	/* Rule 8: the longest prefix in common, as far as the network's goes. */
	return addr_common_bits(a->addr, dst, a->bits) >
	       addr_common_bits(b->addr, dst, b->bits);
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

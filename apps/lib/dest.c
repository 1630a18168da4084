#include "apps/lib/dest.h"

#include "apps/lib/net.h"
#include "stack/base/addr_policy.h"

enum { NETWORK_BITS = 64 }; /* RFC 4291 2.5.4 */

struct dest dest_of(struct net *net, const struct addr *addr)
{
	struct dest d = { .addr = *addr };

	net_source(net, addr, &d.source);
	return d;
}

static unsigned common(const struct dest *d)
{
	return addr_common_bits(d->addr.ip6, d->source.ip6, NETWORK_BITS);
}

/* RFC 6724 6 */
static bool better(const struct dest *a, const struct dest *b)
{
	unsigned scope_a = addr_scope(&a->addr), scope_b = addr_scope(&b->addr);
	struct addr_policy policy_a = addr_policy(&a->addr),
			   policy_b = addr_policy(&b->addr);
	bool same_a, same_b;

	/* Rule 1: one that can be reached. */
	if (dest_is_usable(a) != dest_is_usable(b) || !dest_is_usable(a))
		return dest_is_usable(a) && !dest_is_usable(b);
	/* Rule 2: the scope of the source. */
	same_a = scope_a == addr_scope(&a->source);
	same_b = scope_b == addr_scope(&b->source);
	if (same_a != same_b)
		return same_a;
	/* Rule 5: the label of the source. */
	same_a = policy_a.label == addr_policy(&a->source).label;
	same_b = policy_b.label == addr_policy(&b->source).label;
	if (same_a != same_b)
		return same_a;
	/* Rule 6: the higher precedence. */
	if (policy_a.precedence != policy_b.precedence)
		return policy_a.precedence > policy_b.precedence;
	/* Rule 8: the smaller scope. */
	if (scope_a != scope_b)
		return scope_a < scope_b;
	/* Rule 9: the longest prefix in common with the source. */
	return a->addr.family == ADDR_IP6 && b->addr.family == ADDR_IP6 &&
	       common(a) > common(b);
}

void dest_order(struct dest *dests, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct dest d = dests[i];
		size_t k = i;

		/* Rule 10: otherwise it stays where it is. */
		for (; k > 0 && better(&d, &dests[k - 1]); k--)
			dests[k] = dests[k - 1];
		dests[k] = d;
	}
}

/* The first one that is not of @family goes to @to, and those before it behind it. */
static void pull_other(struct dest *to, const struct dest *end, enum addr_family family)
{
	struct dest *at = to;
	struct dest found;

	while (at < end && at->addr.family == family)
		at++;
	if (at == end)
		return;
	found = *at;
	for (; at > to; at--)
		at[0] = at[-1];
	*to = found;
}

void dest_interleave(struct dest *dests, size_t n, enum addr_family before)
{
	for (size_t i = 0; i < n; i++) {
		if (before != ADDR_NONE)
			pull_other(dests + i, dests + n, before);
		before = dests[i].addr.family;
	}
}

/*
 * In which order the addresses of a host are tried: by RFC 6724 6, then the families by
 * turns (RFC 8305 4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct net;

struct dest {
	struct addr addr;
	struct addr
		source; /* of ours, to speak to it; ADDR_NONE: there is no way to it */
};

/* @addr, and from where the net would speak to it. */
struct dest dest_of(struct net *net, const struct addr *addr);
static inline bool dest_is_usable(const struct dest *d)
{
	return d->source.family != ADDR_NONE;
}

/* Nobody but we are there: an address of ours is spoken to from itself. */
static inline bool dest_is_ours(const struct dest *d)
{
	return addr_eq(&d->addr, &d->source);
}

/*
 * The best one first; of two that are as good the one that was.
 *
 * RFC 6724 6 without rules 3, 4 and 7, of which nothing is known here (deprecated
 * addresses, mobility, tunnels), and with rule 9 for IPv6 alone, whose networks have 64 bits:
 * with IPv4's it would undo what chance is to spread.
 */
void dest_order(struct dest *dests, size_t n);
/*
 * The families by turns, each in its order.  @before is that of the address that was
 * tried last; ADDR_NONE: none was, and the best one begins.
 */
void dest_interleave(struct dest *dests, size_t n, enum addr_family before);

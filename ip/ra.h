/*
 * Router discovery (RFC 4861 6.3), redirects (8.3) and the addresses that routers make us
 * have (RFC 4862 5.5), of one interface.
 *
 *	                   ra_start                        nobody answers
 *	(deaf: the default) -------> soliciting ------------------------+
 *	                              |   ^      ever more slowly       |
 *	            an advertisement  |   +-----------------------------+
 *	            with a router     v        (RFC 7559)
 *	                            quiet: routers speak by themselves
 *
 * Whoever is on the link can pretend to be a router; what one may make us do is bounded
 * in number, and what would cut us off is not done: a hop limit below RA_HOPS_MIN, an MTU
 * below IPv6's least, or an address to lose at once (RFC 4862 5.5.3 e).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/wheel.h"

struct ip;
struct nd_msg;
struct pkt;

enum {
	RA_ROUTERS_MAX = 4,
	RA_PREFIXES_MAX = 8,   /* on the link */
	RA_ADDRS_MAX = 8,      /* made for a prefix */
	RA_REDIRECTS_MAX = 32, /* destinations with a better first hop */
	RA_REDIRECT_S = 600,
	RA_HOPS_MIN = 32,
	RA_DAD_TRIES = 3, /* RFC 7217 6: IDGEN_RETRIES */
};

struct ra_router {
	struct ip6 addr;
	uint64_t until_ns;
	uint32_t metric; /* of its route */
};

struct ra_prefix {
	struct ip6 prefix;
	uint8_t bits;
	uint64_t until_ns; /* UINT64_MAX: for ever */
};

struct ra_redirect {
	struct ip6 dst, hop;
	uint64_t until_ns;
};

/* In struct ip6_iface. */
struct ra {
	struct ip *ip;
	uint8_t iface;
	bool on;	 /* advertisements and redirects are heard */
	bool soliciting; /* @solicit_ns is when the next one is sent */
	uint8_t n_routers, n_prefixes, n_redirects;
	uint32_t again_ms; /* RFC 7559: between the last two solicitations */
	uint64_t solicit_ns;
	struct timer timer;
	struct ra_router routers[RA_ROUTERS_MAX];
	struct ra_prefix prefixes[RA_PREFIXES_MAX];
	struct ra_redirect redirects[RA_REDIRECTS_MAX];
};

void ra_init(struct ra *ra, struct ip *ip, uint8_t iface);
void ra_fini(struct ra *ra);
/* Begins to look for routers. */
void ra_start(struct ra *ra, uint64_t now_ns);

/* The two messages of routers, which came in @p with the hop limit they must have.  False:
 * not to be believed. */
bool ra_input(struct ra *ra, const struct pkt *p, const struct nd_msg *m,
	      uint64_t now_ns);
bool ra_redirect_input(struct ra *ra, const struct pkt *p, const struct nd_msg *m,
		       uint64_t now_ns);
/* The better first hop to @dst; NULL: none is known. */
const struct ip6 *ra_redirect(const struct ra *ra, struct ip6 dst);
/* @hop, which may be a router, did not answer: others are tried before it. */
void ra_hop_lost(struct ra *ra, struct ip6 hop);
/* It says of itself that it is no router any more (RFC 4861 7.2.5). */
void ra_router_gone(struct ra *ra, struct ip6 addr);
/* Something that is due at a time was changed. */
void ra_arm(struct ra *ra, uint64_t now_ns);

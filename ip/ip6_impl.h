/*
 * The inside of IPv6, for the files of this folder and their tests.
 */
#pragma once

#include "ip/icmp6_wire.h"
#include "ip/ip6.h"
#include "ip/ip6_wire.h"
#include "stack/base/addr.h"

struct ip_dst;
struct ip_iface;

struct ip6_addr {
	struct ip6 addr;
	uint8_t bits;
	bool ready;	 /* ARP_ADDR_READY was seen */
	bool deprecated; /* RFC 4862 5.5.4: not for what is new */
};

/* The part of an interface that IPv6 has. */
struct ip6_iface {
	uint8_t hop_limit; /* as a router said; 0: IP_TTL_DEFAULT */
	uint8_t n_addrs;
	struct ip6_addr addrs[IP6_ADDR_MAX];
};

/* ---- ip6_iface.c ---- */

int ip6_addr_add(struct ip *ip, unsigned iface, struct ip6 addr, unsigned bits,
		 bool probe, uint64_t now_ns);
void ip6_iface_refresh(struct ip *ip, struct ip_iface *iface);
/* The address of ours on @iface, ready or not; NULL: it has none such. */
const struct ip6_addr *ip6_iface_find(const struct ip_iface *iface, struct ip6 addr);
/* True when packets to the group @addr are for us. */
bool ip6_iface_listens(const struct ip_iface *iface, struct ip6 addr);
/* The same of every interface, or of the one in @addr's zone; *iface is its number. */
const struct ip6_addr *ip6_find(const struct ip *ip, const struct addr *addr,
				unsigned *iface);
/* @a with the zone that belongs to it on @iface. */
struct addr ip6_zoned(struct ip6 a, unsigned iface);

/* ---- ip6_select.c ---- */

/* Our address on @iface for @dst (RFC 6724 5); false: there is none. */
bool ip6_select_source(const struct ip_iface *iface, struct ip6 dst, struct ip6 *src);

/* ---- slaac.c ---- */

/* The low 64 bits of an address in @prefix on @iface, the @nth that is tried there. */
struct ip6 slaac_addr(const struct ip *ip, unsigned iface, struct ip6 prefix,
		      unsigned nth);

/* ---- ip6_output.c ---- */

/* Where @d->dst is: kind, iface and next hop.  False: there is no way. */
bool ip6_next_hop(const struct ip *ip, const struct addr *src, struct ip_dst *d);
/* ip_output() to a destination of which all is known. */
int ip6_output(struct ip *ip, struct pkt *p, const struct ip_out *how,
	       const struct ip_dst *d, uint64_t now_ns);

/* ---- icmp6.c ---- */

/* Sends an error about @p, whose src, dst and l3 are set, if that is allowed. */
void icmp6_error(struct ip *ip, const struct pkt *p, const struct icmp_header *error,
		 uint64_t now_ns);
/* A packet of ours that nobody answered for; takes it. */
void icmp6_no_neighbour(struct ip *ip, struct pkt *p, uint64_t now_ns);

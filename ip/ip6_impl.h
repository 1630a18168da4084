/*
 * The inside of IPv6, for the files of this folder and their tests.
 */
#pragma once

#include "ip/icmp6_wire.h"
#include "ip/ip6.h"
#include "ip/ip6_wire.h"
#include "ip/mld.h"
#include "ip/ra.h"
#include "stack/base/addr.h"

struct ip_dst;
struct ip_iface;
struct nd_prefix;

struct ip6_addr {
	struct ip6 addr;
	uint8_t bits;
	bool ready;	     /* ARP_ADDR_READY was seen */
	bool deprecated;     /* RFC 4862 5.5.4: not for what is new */
	bool is_auto;	     /* we made it ourselves; the rest is of such */
	uint8_t n_conflicts; /* identifiers that others have */
	uint64_t preferred_until_ns, valid_until_ns;
};

/* The part of an interface that IPv6 has. */
struct ip6_iface {
	uint8_t hop_limit; /* as a router said; 0: IP_TTL_DEFAULT */
	uint16_t mtu;	   /* as a router said; 0: of the link */
	uint8_t n_addrs;
	struct ip6_addr addrs[IP6_ADDR_MAX];
	struct mld mld;
	struct ra ra;
};

/* ---- ip6_iface.c ---- */

void ip6_iface_init(struct ip *ip, struct ip_iface *iface);
void ip6_iface_fini(struct ip_iface *iface);
/* An address that somebody configured; adds the route to its network. */
int ip6_addr_add(struct ip *ip, unsigned iface, struct ip6 addr, unsigned bits,
		 bool probe, uint64_t now_ns);
/* An address like @new, without a route. */
int ip6_addr_new(struct ip *ip, unsigned iface, const struct ip6_addr *new, bool probe,
		 uint64_t now_ns);
/* 0 or -ENOENT.  The route of what was configured stays. */
int ip6_addr_del(struct ip *ip, unsigned iface, struct ip6 addr, uint64_t now_ns);
void ip6_iface_refresh(struct ip *ip, struct ip_iface *iface);
/* Our link-local address on @iface that is ready; "::": none is. */
struct ip6 ip6_link_local_of(const struct ip_iface *iface);
/* @a with all bits behind the first @bits cleared. */
struct ip6 ip6_prefix(struct ip6 a, unsigned bits);
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
/* A router says that hosts may make addresses with @p. */
void slaac_hear(struct ip *ip, unsigned iface, const struct nd_prefix *p,
		uint64_t now_ns);
/* Another has @addr, which we made: if it is one of those, we make another. */
void slaac_conflict(struct ip *ip, unsigned iface, struct ip6 addr, uint64_t now_ns);
/* When the next of them becomes old; UINT64_MAX: never. */
uint64_t slaac_due(const struct ip_iface *iface);
void slaac_expire(struct ip *ip, struct ip_iface *iface, uint64_t now_ns);

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

/*
 * The inside of the IP layer, for the files of this folder and their tests.
 */
#pragma once

#include "ip/icmp_wire.h"
#include "ip/igmp.h"
#include "ip/ip.h"
#include "ip/ip4_wire.h"
#include "ip/ip6_impl.h"
#include "ip/pmtu.h"
#include "ip/reass.h"
#include "stack/base/bucket.h"
#include "stack/base/hash.h"

enum {
	IP_IFACE_LOOP = 255, /* pkt->iface of what we sent to ourselves */
	IP_DST_MAX = 64,     /* destinations remembered with how to reach them */
	IP_ID_MAX = 1024,    /* counters of identifications */
	IP_ERROR_BURST = 50,
};

struct ip_addr {
	struct ip4 addr;
	struct ip4 broadcast; /* of its network; means it with fewer than 31 bits */
	uint8_t bits;
	bool ready; /* ARP_ADDR_READY was seen */
};

/* In use when @eth is set. */
struct ip_iface {
	struct eth *eth;
	uint8_t n_addrs;
	struct ip_addr addrs[IP_ADDR_MAX];
	struct igmp igmp;
	struct ip6_iface ip6;
};

enum ip_dst_kind { IP_DST_STATION, IP_DST_BROADCAST, IP_DST_MULTICAST, IP_DST_OURS };

/* All that ip_output() must know of a destination. */
struct ip_dst {
	struct addr dst;
	struct addr from;    /* who asked, while there are routes with a src */
	uint32_t generation; /* ip.generation when this was true */
	uint8_t kind;	     /* enum ip_dst_kind */
	uint8_t iface;	     /* IP_IFACE_LOOP: OURS */
	bool can_gso;
	bool no_df;   /* a link on the way is so narrow that routers shall fragment */
	uint16_t mtu; /* of the path */
	uint16_t link_mtu; /* of the interface */
	struct addr next_hop;
	struct addr src; /* ours toward it */
};

struct ip {
	struct neigh_table *neigh;
	struct pkt_pool *pool;
	struct wheel *wheel;
	struct rng *rng;
	const struct hash_key *key;

	struct ip_iface ifaces[IP_IFACE_MAX];
	uint32_t n_ifaces;  /* the highest number in use, and one */
	uint32_t n_unready; /* addresses that ARP and ND still probe */
	uint32_t n_routes;
	uint32_t n_src_routes; /* of them, with a src: how to go depends on who goes */
	struct ip_route routes[IP_ROUTE_MAX]; /* in the order of preference */

	/* Counted up whenever something that a struct ip_dst says may have changed. */
	uint32_t generation;
	struct ip_dst dsts[IP_DST_MAX];

	struct pmtu pmtu;
	struct reass reass;
	struct bucket echoes, errors;
	uint16_t ids[IP_ID_MAX];
	struct hash_key iid_key; /* of interface identifiers (slaac.c) */
	uint64_t n_ids6;	 /* packets of IPv6 that were fragmented */
	uint32_t n_loop;
	struct pkt *loop, **loop_end; /* linked by ->link */
	struct ip_stats stats;
};

/* ---- iface.c ---- */

/* Looks again at addresses that were not ready. */
void ip_iface_refresh(struct ip *ip);
/* The address of ours on @iface to speak to @addr, on its link; false: none. */
bool ip_iface_source(const struct ip *ip, unsigned iface, struct ip4 addr,
		     struct ip4 *src);
/* True for an address that a host can have in a network of @bits bits. */
bool ip_iface_can_have(struct ip4 addr, unsigned bits);
/* The interface with our address @addr; NULL: none. */
const struct ip_iface *ip_iface_of(const struct ip *ip, struct ip4 addr);
bool ip_iface_has(const struct ip_iface *iface, struct ip4 addr);
/* True for the broadcast address of one of its networks. */
bool ip_iface_is_broadcast(const struct ip_iface *iface, struct ip4 addr);

static inline bool ip4_is_loopback(struct ip4 a)
{
	return a.b[0] == 127;
}

/* 224.0.0.0 and all above: groups, reserved, broadcast.  And 0.0.0.0/8: nobody. */
static inline bool ip4_is_no_station(struct ip4 a)
{
	return a.b[0] >= 224 || a.b[0] == 0;
}

/* ---- route.c ---- */

/* Takes away what goes from @addr, which is not ours any more. */
void ip_route_forget(struct ip *ip, const struct addr *addr);

/* ---- output.c ---- */

/* How to reach @dst, with @src if it is not NULL; NULL: there is no way. */
const struct ip_dst *ip_dst_find(struct ip *ip, const struct addr *dst,
				 const struct addr *src);
/* The first of @n identifications for packets that may be fragmented (RFC 6864 4.1). */
uint16_t ip_output_id(struct ip *ip, const struct ip4_header *h, unsigned n);
/* Puts @p, with its header, into the queue of what we sent to ourselves. */
void ip_output_loop(struct ip *ip, struct pkt *p);

/* ---- output_link.c ---- */

/* ip_output() with @how->via set. */
int ip_output_link(struct ip *ip, struct pkt *p, const struct ip_out *how,
		   uint64_t now_ns);

/* ---- frag.c ---- */

/*
 * Sends the payload @p with the header @h in fragments of at most d->mtu.  Takes @p,
 * whose sum must be complete.  0 or -ENOBUFS.
 */
int ip_frag_output(struct ip *ip, struct pkt *p, struct ip4_header *h,
		   const struct ip_dst *d, uint64_t now_ns);
/* Hangs @len bytes of @p from @offset on at @frag.  False: no memory. */
bool ip_frag_add(struct pkt *frag, struct pkt *p, uint32_t offset, uint32_t len);
/* Sends all fragments of a packet, linked by ->link. */
void ip_frag_send(struct ip *ip, struct pkt *frag, const struct ip_dst *d,
		  uint64_t now_ns);
/* The same for IPv6. */
int ip6_frag_output(struct ip *ip, struct pkt *p, const struct ip6_header *h,
		    const struct ip_dst *d, uint64_t now_ns);
/* A fragment whose fragment header @f is stripped; as reass_input(). */
bool ip6_reass_input(struct ip *ip, struct pkt *p, const struct ip6_frag *f,
		     uint64_t now_ns, enum verdict *v);

/* ---- icmp4.c ---- */

/* Sends an error about @p, whose src, dst and l3 are set, if that is allowed. */
void icmp4_error(struct ip *ip, const struct pkt *p, const struct icmp_header *error,
		 uint64_t now_ns);
/* A packet of ours that nobody answered for; takes it. */
void icmp4_no_neighbour(struct ip *ip, struct pkt *p, uint64_t now_ns);

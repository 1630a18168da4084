/*
 * The Internet protocol of one core: IPv4, and IPv6 (ip/ip6.h) in the same types.
 *
 * Interfaces, routes, reassembly, fragmentation, ICMP.  RFC 791, 792, 1122 3,
 * 1812 4.3.2.8 (ICMP rate), 6864 (identification), 6274 (hostile fragments).
 * We are a host: what is not for us is not forwarded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip/ip_stats.h"
#include "stack/base/addr.h"
#include "stack/base/verdict.h"

struct eth;
struct hash_key;
struct ip;
struct neigh_table;
struct pkt;
struct pkt_pool;
struct rng;
struct wheel;

enum {
	IP_IFACE_MAX = 8,
	IP_ADDR_MAX = 8, /* addresses of one interface */
	IP_ROUTE_MAX = 256,
	IP_TTL_DEFAULT = 64,
	IP_REASS_MAX = 64,	      /* packets under reassembly */
	IP_REASS_BYTES_MAX = 1 << 22, /* memory held by all of them */
	IP_REASS_FRAGS_MAX = 128,     /* fragments of one */
	IP_REASS_SECONDS = 30,
	IP_PMTU_MAX = 1024, /* destinations with an MTU of their own */
	IP_PMTU_MIN = 552,  /* what ICMP says is not believed below it */
	IP_PMTU_SECONDS = 600,
	IP_LOOP_MAX = 1024, /* packets to ourselves that wait */
	IP_ECHO_PER_S = 50000,
	IP_ICMP_ERRORS_PER_S = 100,
};

enum ip_proto {
	IP_PROTO_ICMP = 1,
	IP_PROTO_IGMP = 2,
	IP_PROTO_TCP = 6,
	IP_PROTO_UDP = 17,
};

enum ip_flag {
	IP_DF = 1 << 0, /* do not fragment; EMSGSIZE instead */
	IP_BROADCAST_OK = 1 << 1,
	IP_ALERT = 1 << 2, /* with @via: routers shall look at it (RFC 2113) */
	/* With @via and a group: to ourselves too, as far as we are in it; or only so. */
	IP_GROUP_LOOP = 1 << 3,
	IP_GROUP_HOST = 1 << 4,
};

/* How a packet shall go. */
struct ip_out {
	struct addr src; /* ADDR_NONE: chosen by route */
	struct addr dst;
	uint8_t proto;
	uint8_t ttl; /* 0: IP_TTL_DEFAULT */
	uint8_t tos;
	uint8_t flags; /* enum ip_flag */
	/*
	 * 0: the way that routes say; else the number of an interface and one, by which
	 * @dst, a group or all stations of its link, is sent to.  @src may be 0.0.0.0 then.
	 */
	uint8_t via;
};

/* Where a destination is reached. */
struct ip_route {
	struct addr prefix;
	uint8_t bits;
	uint8_t iface;
	uint32_t metric;
	struct addr gateway; /* ADDR_NONE: on the link */
	/*
	 * An address of ours, or ADDR_NONE.  Who goes this way without an address of his
	 * own has this one; and who has it goes this way rather than another of the same
	 * prefix, whatever their metrics.
	 */
	struct addr src;
};

/* What ICMP says about something that we sent. */
enum ip_error {
	IP_ERROR_NONE,
	IP_ERROR_NET_UNREACHABLE,
	IP_ERROR_HOST_UNREACHABLE,
	IP_ERROR_PROTO_UNREACHABLE,
	IP_ERROR_PORT_UNREACHABLE,
	IP_ERROR_TOO_BIG, /* @mtu is what fits */
	IP_ERROR_PROHIBITED,
	IP_ERROR_TIME_EXCEEDED,
	IP_ERROR_PARAMETER,
};

/*
 * Left in pkt->cb with NEXT_UDP_ERROR and NEXT_TCP_ERROR: pkt->data is then the
 * quoted transport header, of which at least 8 bytes are there.
 */
struct ip_quote {
	enum ip_error error;
	uint32_t mtu;
	/* The quoted packet was ours: src is our address.  In pkt->src, pkt->dst. */
};

/*
 * 0 or -ENOMEM.  All arguments are borrowed for its life.  Packets that neighbours
 * give up become ICMP errors to ourselves: it calls neigh_on_unreachable().
 */
int ip_new(struct ip **ip, struct neigh_table *neigh, struct pkt_pool *pool,
	   struct wheel *wheel, struct rng *rng, const struct hash_key *key);
void ip_free(struct ip *ip);

/* An interface on @eth, numbered eth->index.  0, -ENOSPC, or -EEXIST. */
int ip_iface_add(struct ip *ip, struct eth *eth);
/*
 * Gives it an address; adds the route to its network.  @probe as arp_addr_add().
 * 0, -EEXIST, -ENOSPC, -EINVAL for an address no host can have, or -EMSGSIZE for one of
 * IPv6 on a link of less than 1,280 bytes.
 */
int ip_addr_add(struct ip *ip, unsigned iface, const struct addr *addr, unsigned bits,
		bool probe, uint64_t now_ns);
/* Takes an address away, and with the last one of a network the route to it.  0 or
 * -ENOENT. */
int ip_addr_del(struct ip *ip, unsigned iface, const struct addr *addr);
/* The longest packet that is sent by @iface, at most what its port takes; 0: that. */
void ip_iface_mtu_set(struct ip *ip, unsigned iface, unsigned mtu);
/*
 * 0; -EINVAL for what cannot be a route, or a gateway that no route reaches directly;
 * -EEXIST, -ENOSPC.
 */
int ip_route_add(struct ip *ip, const struct ip_route *route);
/* The one with that prefix, interface, metric, gateway and src.  0 or -ENOENT. */
int ip_route_del(struct ip *ip, const struct ip_route *route);
/* The route with the longest prefix, then the lowest metric; NULL: none.  The second is
 * for packets from @src, an address of ours or NULL. */
const struct ip_route *ip_route_find(const struct ip *ip, const struct addr *dst);
const struct ip_route *ip_route_find_from(const struct ip *ip, const struct addr *dst,
					  const struct addr *src);
/* True when @addr is an address of ours, on any interface, that may be used; or
 * loopback. */
bool ip_is_ours(const struct ip *ip, const struct addr *addr);
/* The same for one that is not ready yet, or lost in a conflict: it was configured. */
bool ip_is_configured(const struct ip *ip, const struct addr *addr);
/* The address we would use toward @dst.  0 or -ENETUNREACH. */
int ip_source(struct ip *ip, const struct addr *dst, struct addr *src);
/* Longest IP packet on the way to @dst that is known to arrive: of the interface,
 * or less after ICMP said so.  0 without a route. */
unsigned ip_path_mtu(struct ip *ip, const struct addr *dst);
/* The same of the interface alone: what may come from there is as long. */
unsigned ip_link_mtu(struct ip *ip, const struct addr *dst);
/* A transport checked an ICMP message (RFC 5927) and believes it.  Only lowers; after
 * IP_PMTU_SECONDS the interface's counts again (RFC 1191 6.3). */
void ip_path_mtu_set(struct ip *ip, const struct addr *dst, unsigned mtu,
		     uint64_t now_ns);
/* True when super-frames and partial sums may be sent to @dst. */
bool ip_can_gso(struct ip *ip, const struct addr *dst);
/* A connection made progress: the next hop to @dst is reachable. */
void ip_confirm(struct ip *ip, const struct addr *dst, uint64_t now_ns);

/*
 * A packet that eth_input() stripped, or that ip_loop_pop() gave.  Sets src, dst, proto,
 * ttl, tos, l3 and l4, and strips the header.  V_KEPT: a fragment that waits for the
 * others; when the last one comes, @p becomes the whole packet and goes on.  What
 * goes on to TCP was sent to one address of ours, not to a group.
 */
struct step ip4_input(struct ip *ip, struct pkt *p, uint64_t now_ns);
/* Answers echoes; makes of an error what struct ip_quote says, for the transport. */
struct step icmp4_input(struct ip *ip, struct pkt *p, uint64_t now_ns);
/*
 * An answer to a packet that ip4_input() passed on and that found no one; @p is only
 * read.  Says nothing when it must not (RFC 1122 3.2.2) or has said too much.
 */
void icmp4_unreachable(struct ip *ip, const struct pkt *p, enum ip_error why,
		       uint64_t now_ns);

/*
 * Sends @p, which begins with the transport header and has headroom for IP and what
 * is below.  Takes @p.  0; -ENETUNREACH, -EMSGSIZE (IP_DF and too long, or longer than
 * any IP packet), -EACCES (broadcast), -ENOBUFS when it was not sent.  With gso_len set,
 * @p stands for several segments and is not fragmented.  A packet to an address of
 * ours comes back by ip_loop_pop().
 */
int ip_output(struct ip *ip, struct pkt *p, const struct ip_out *how, uint64_t now_ns);
/* The next packet that we sent to ourselves, as if eth_input() had seen it.  NULL: none.
 * Its first four bits say which family's input reads it. */
struct pkt *ip_loop_pop(struct ip *ip);
bool ip_loop_waits(const struct ip *ip);

const struct ip_stats *ip_stats(const struct ip *ip);
/* Asserts the invariants of everything. */
void ip_check(const struct ip *ip);

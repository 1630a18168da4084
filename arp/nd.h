/*
 * Neighbour discovery for IPv6 (RFC 4861 7): solicitations, advertisements, and our own
 * addresses with the search for others who have them (RFC 4862 5.4).
 *
 * What is heard of neighbours goes into the table that ARP fills (arp/neigh.h).  ICMPv6
 * hands its messages down to here when their sum and hop limit were found right.
 *
 *            nd_addr_add(probe)                       somebody has it
 *      (none) ------------------> PROBING ---------------------> CONFLICT
 *        |                     1 solicitation <-------------------
 *        |                           |         a minute
 *        | nd_addr_add               | nobody minded for a second
 *        v                           v
 *      READY  <-----------------------
 *        a word to routers (RFC 9131 6.1); solicitations are answered
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arp/neigh.h"
#include "stack/base/addr.h"
#include "stack/base/verdict.h"

struct eth;
struct nd_msg;
struct neigh_table;
struct pkt;

enum {
	ND_ADDR_MAX = 64, /* addresses of ours, on all interfaces */
	ND_HOP_LIMIT = 255,
};

/*
 * A neighbour solicitation or advertisement, which @m is and @p carried: src and dst are
 * set and the hop limit was ND_HOP_LIMIT, which a router would have lowered.
 */
struct step nd_input(struct neigh_table *table, struct eth *eth, const struct pkt *p,
		     const struct nd_msg *m, uint64_t now_ns);
/*
 * Sends @m, a message of ours, from @src to @dst in a packet of its own.  Takes no
 * memory of the caller's.  False: no memory.
 */
bool nd_send(struct neigh_table *table, struct eth *eth, const struct nd_msg *m,
	     struct ip6 src, struct ip6 dst, uint64_t now_ns);
/* @addr on @eth said in another message that it is at @mac (RFC 4861 6.2.6, 8.3). */
void nd_heard(struct neigh_table *table, struct eth *eth, struct ip6 addr, struct mac mac,
	      uint64_t now_ns);
/* A router's wish for all hosts (RFC 4861 6.3.4); 0: none. */
void nd_set_times(struct neigh_table *table, uint32_t reachable_ms, uint32_t retrans_ms);

/*
 * An address of ours on @eth, for whose group the IP layer listens.  With @probe it is
 * tried for duplicates first.  0, -EEXIST, or -ENOSPC.
 */
int nd_addr_add(struct neigh_table *table, struct eth *eth, struct ip6 addr, bool probe,
		uint64_t now_ns);
void nd_addr_del(struct neigh_table *table, struct eth *eth, struct ip6 addr);
/* ARP_ADDR_CONFLICT for an address that was never added. */
enum arp_addr_state nd_addr_state(const struct neigh_table *table, const struct eth *eth,
				  struct ip6 addr);
/* False for an address that was never added. */
bool nd_addr_info(const struct neigh_table *table, const struct eth *eth, struct ip6 addr,
		  struct arp_addr_info *info);

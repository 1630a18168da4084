/*
 * Neighbours of one core: which station has an IP address on which interface.
 *
 * ARP (arp.c) and neighbour discovery (nd.c) fill the table; the states are those of
 * RFC 4861 7.3.2, which RFC 1122 2.3.2 leaves open for ARP:
 *
 *                 neigh_output            reply
 *      (none) ---------------> INCOMPLETE --------> REACHABLE <-----------+
 *        |                      |   |                   | reachable_ns    |
 *        | asked by it          |   | asked by it       v                 |
 *        +----------------------|---+--------------> STALE                | reply or
 *                               |                       | neigh_output    | tcp says
 *                   3 requests, |                       v                 | it works
 *                      no reply |                  PROBE (unicast) -------+
 *                               v                       |
 *              (gone: packets given back,               | 3 requests, no reply
 *               host unreachable)  <--------------------+
 *
 * IPv6 has DELAY between STALE and PROBE: five seconds in which TCP may say that it works
 * spare the question.
 *
 * Packets wait for an answer in a short queue, the oldest dropped first.  Addresses
 * without an answer hold at most half of the table, and when it is full the least
 * recently used entry that has one goes.  Requests are limited in rate, in total
 * and for each address.
 *
 * Only packets aimed at us make new entries, and only requests do: whoever asks for
 * us will hear from us.  What else is heard changes entries that are there already.
 *
 * Our own addresses are here too, since ARP must answer for them (RFC 826) and
 * find conflicts (RFC 5227): the IP layer tells arp_addr_add().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/verdict.h"

struct eth;
struct neigh_table;
struct pkt;
struct pkt_pool;
struct rng;
struct wheel;

enum {
	NEIGH_MAX = 4096,	    /* entries of a table by default */
	NEIGH_QUEUE_MAX = 64,	    /* packets waiting for one address */
	NEIGH_WAITING_MAX = 1024,   /* packets waiting for all of them */
	NEIGH_TRIES = 3,	    /* requests before an address is given up */
	NEIGH_RETRY_S = 1,	    /* between two of them (RFC 1122 2.3.2.1) */
	NEIGH_GIVE_UP_S = 5,	    /* so long, if requests had to be held back */
	NEIGH_REACHABLE_S = 30,	    /* on average (RFC 4861 6.3.2) */
	NEIGH_DELAY_S = 5,	    /* RFC 4861 10: DELAY_FIRST_PROBE_TIME */
	NEIGH_REQUESTS_PER_S = 200, /* all addresses together */
	ARP_ADDR_MAX = 64,	    /* addresses of ours, on all interfaces */
};

enum neigh_state {
	NEIGH_INCOMPLETE,
	NEIGH_REACHABLE,
	NEIGH_STALE,
	NEIGH_DELAY,
	NEIGH_PROBE
};

/* What becomes of an address of ours (RFC 5227 2.1, 2.4). */
enum arp_addr_state {
	ARP_ADDR_PROBING,  /* asking whether somebody has it */
	ARP_ADDR_READY,	   /* announced, ours */
	ARP_ADDR_CONFLICT, /* somebody else has it: do not use; tried again later */
};

struct arp_addr_info {
	enum arp_addr_state state;
	uint64_t n_conflicts; /* claims of it by other stations */
	struct mac rival;     /* who made the last of them */
};

/* clang-format off */
#define NEIGH_COUNTERS(C)						\
	C(requests,	"ARP requests and neighbour solicitations sent")				\
	C(replies,	"ARP replies and neighbour advertisements sent")				\
	C(announcements, "announcements of our addresses sent")		\
	C(conflicts,	"claims of our addresses by other stations")	\
	C(held_back,	"requests not sent for the rate limit")		\
	C(queue_dropped, "packets pushed out of a waiting queue")	\
	C(unreachable,	"packets for an address that was given up")	\
	C(table_full,	"packets for which the table had no entry")	\
	C(evicted,	"entries that made room")			\
	C(no_memory,	"times that a pool was empty")
/* clang-format on */

struct neigh_stats {
#define C(name, text) uint64_t name;
	NEIGH_COUNTERS(C)
#undef C
};

struct neigh_info {
	struct addr addr;
	struct mac mac;
	enum neigh_state state;
	uint8_t iface;
	uint8_t n_queued;
	uint64_t since_ns;
};

/*
 * A packet could not be delivered because nobody answered for @addr.  Called with
 * the packet, which the callee takes; the IP layer makes an error of it.
 */
typedef void neigh_unreachable(void *ctx, struct pkt *p, uint64_t now_ns);

/* 0 or -ENOMEM.  All arguments are borrowed for the table's life. */
int neigh_new(struct neigh_table **table, uint32_t max, struct pkt_pool *pool,
	      struct wheel *wheel, struct rng *rng);
void neigh_free(struct neigh_table *table);
void neigh_on_unreachable(struct neigh_table *table, neigh_unreachable *fn, void *ctx);

/*
 * Sends @p, an IP packet, to @next_hop on @eth, now or when it is resolved.  Takes
 * @p.  Group addresses are mapped (RFC 1112 6.4, RFC 2464 7), not asked for; a broadcast
 * to one network is to be given as 255.255.255.255.  @next_hop has no zone: @eth says it.
 */
void neigh_output(struct neigh_table *table, struct eth *eth, const struct addr *next_hop,
		  struct pkt *p, uint64_t now_ns);
/* A connection made progress through @addr: it is reachable (RFC 4861 7.3.1). */
void neigh_confirm(struct neigh_table *table, struct eth *eth, const struct addr *addr,
		   uint64_t now_ns);

/* An ARP packet that eth_input() stripped. */
struct step arp_input(struct neigh_table *table, struct eth *eth, struct pkt *p,
		      uint64_t now_ns);

/*
 * An address of ours on @eth.  With @probe it is tried for conflicts first
 * (RFC 5227 2.1.1, some seconds); else announced at once and defended.
 * 0, -EEXIST, or -ENOSPC.
 */
int arp_addr_add(struct neigh_table *table, struct eth *eth, struct ip4 addr, bool probe,
		 uint64_t now_ns);
void arp_addr_del(struct neigh_table *table, struct eth *eth, struct ip4 addr);
/* ARP_ADDR_CONFLICT for an address that was never added. */
enum arp_addr_state arp_addr_state(const struct neigh_table *table, const struct eth *eth,
				   struct ip4 addr);
/* False for an address that was never added. */
bool arp_addr_info(const struct neigh_table *table, const struct eth *eth,
		   struct ip4 addr, struct arp_addr_info *info);

const struct neigh_stats *neigh_stats(const struct neigh_table *table);
/* Entry number @i, from 0 on, in no order; false behind the last. */
bool neigh_info(const struct neigh_table *table, uint32_t i, struct neigh_info *info);
/* Asserts the invariants of the whole table. */
void neigh_check(const struct neigh_table *table);

/*
 * The inside of the neighbour table, for the files of this folder.
 */
#pragma once

#include "arp/arp_wire.h"
#include "arp/nd.h"
#include "arp/nd_wire.h"
#include "arp/neigh.h"
#include "stack/base/bucket.h"
#include "stack/base/hash.h"
#include "stack/base/list.h"
#include "stack/base/map.h"
#include "stack/base/pool.h"
#include "stack/base/wheel.h"

struct neigh_entry {
	struct list lru;    /* in neigh_table.lru */
	struct timer timer; /* what its state waits for; STALE waits for nothing */
	struct neigh_table *table;
	struct eth *eth;
	struct addr addr;
	struct mac mac; /* not known while INCOMPLETE */
	uint8_t state;	/* enum neigh_state, changed by enter() of neigh.c only */
	uint8_t tries;	/* requests sent in this state */
	uint8_t n_queued;
	bool is_router; /* its last advertisement said so (RFC 4861 7.3.2) */
	uint32_t hash;	/* under which it is in the map */
	uint32_t at;	/* its place in neigh_table.all */
	struct pkt *queue, **queue_end; /* INCOMPLETE only, linked by ->link */
	uint64_t since_ns;		/* when it came to its state */
};

/* An address of ours.  In use when @eth is set. */
struct arp_addr {
	struct neigh_table *table;
	struct eth *eth;
	struct ip4 addr;
	enum arp_addr_state state;
	uint8_t n_sent; /* probes or announcements in this state */
	bool defended;	/* @defended_ns is set */
	uint64_t defended_ns;
	uint64_t n_conflicts;
	struct mac rival; /* with the last claim of it */
	struct timer timer;
};

/* An IPv6 address of ours.  In use when @eth is set. */
struct nd_addr {
	struct neigh_table *table;
	struct eth *eth;
	struct ip6 addr;
	enum arp_addr_state state;
	uint8_t n_sent;		     /* solicitations in this state */
	uint8_t nonce[ND_NONCE_LEN]; /* in them */
	bool defended;		     /* @defended_ns is set */
	uint64_t defended_ns;
	uint64_t n_conflicts;
	struct mac rival; /* with the last claim of it */
	struct timer timer;
};

struct neigh_table {
	struct map by_addr;	  /* of eth and addr to the number in @entries */
	struct pool entries;	  /* struct neigh_entry */
	struct neigh_entry **all; /* entries.n_out of them, dense */
	struct list lru;	  /* the entry used last in front */
	struct neigh_entry *last; /* the one that was found last; NULL: none */
	uint32_t n_incomplete;
	uint32_t n_waiting; /* packets in all queues */
	uint64_t reachable_ns;
	uint64_t reachable6_ns, retrans6_ns; /* of IPv6: a router may set them */
	struct hash_key key;
	struct bucket requests;
	struct pkt_pool *pool;
	struct wheel *wheel;
	struct rng *rng;
	neigh_unreachable *unreachable;
	void *unreachable_ctx;
	struct arp_addr own[ARP_ADDR_MAX];
	struct nd_addr own6[ND_ADDR_MAX];
	struct neigh_stats stats;
};

/* How something about a neighbour came to our ears. */
enum neigh_heard {
	NEIGH_HEARD_SAID,   /* it said so to all, or to somebody else */
	NEIGH_HEARD_ASKED,  /* it asked for us */
	NEIGH_HEARD_ANSWER, /* it answered us */
};

/* @addr on @eth says that it is at @mac. */
void neigh_learn(struct neigh_table *table, struct eth *eth, const struct addr *addr,
		 struct mac mac, enum neigh_heard how, uint64_t now_ns);

/* Asks @dst, a station or all, who has @addr.  False: nobody can ask now. */
bool arp_request(struct neigh_table *table, struct eth *eth, struct ip4 addr,
		 struct mac dst, uint64_t now_ns);
/* Sends one message to @dst.  False: no memory. */
bool arp_send(struct neigh_table *table, struct eth *eth, const struct arp_msg *m,
	      struct mac dst, uint64_t now_ns);

/* The address of ours on @eth, in whatever state; NULL: not ours. */
struct arp_addr *arp_addr_find(struct neigh_table *table, const struct eth *eth,
			       struct ip4 addr);
/* True for a message of our own, from any of our interfaces. */
bool arp_addr_is_our_mac(const struct neigh_table *table, const struct eth *eth,
			 struct mac mac);
/* Looks for a claim of an address of ours in @m.  True: there is one. */
bool arp_addr_conflict(struct neigh_table *table, struct eth *eth,
		       const struct arp_msg *m, uint64_t now_ns);
/* The READY address of ours on @eth that has most in common with @addr. */
bool arp_addr_nearest(const struct neigh_table *table, const struct eth *eth,
		      struct ip4 addr, struct ip4 *own);
void arp_addr_fini(struct neigh_table *table);

extern const struct mac arp_broadcast;

/* ---- IPv6 ---- */

/* An advertisement of @addr on @eth came. */
void neigh_advertised(struct neigh_table *table, struct eth *eth, const struct addr *addr,
		      const struct nd_msg *m, uint64_t now_ns);
/* Asks the station @at, or when it is NULL all, who has @target.  False: nobody can ask
 * now. */
bool nd_solicit(struct neigh_table *table, struct eth *eth, struct ip6 target,
		const struct mac *at, uint64_t now_ns);
/* The address of ours on @eth, in whatever state; NULL: not ours. */
struct nd_addr *nd_addr_find(struct neigh_table *table, const struct eth *eth,
			     struct ip6 addr);
/* The READY address of ours on @eth that has most in common with @addr. */
bool nd_addr_nearest(const struct neigh_table *table, const struct eth *eth,
		     struct ip6 addr, struct ip6 *own);
/* A solicitation of @a came.  True: whoever sent it is about to take it, too. */
bool nd_addr_solicited(struct nd_addr *a, const struct pkt *p, const struct nd_msg *m,
		       uint64_t now_ns);
/* An advertisement of @a by another came. */
void nd_addr_claimed(struct nd_addr *a, const struct nd_msg *m, uint64_t now_ns);
void nd_addr_fini(struct neigh_table *table);

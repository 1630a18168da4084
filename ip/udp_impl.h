/*
 * The inside of UDP, for udp.c and udp_group.c.
 */
#pragma once

#include "ip/udp.h"
#include "stack/base/hash.h"
#include "stack/base/pool.h"

enum { UDP_BUCKETS = 1024 };

/* A group that a port is in. */
struct udp_group {
	struct udp_group *next;
	struct addr group;
	uint8_t iface;
};

struct udp {
	struct ip *ip;
	struct pkt_pool *pool;
	const struct hash_key *key;
	uint64_t n_chosen; /* ephemeral ports, of which each has its own secret hash */
	struct list ready;
	struct list by_port[UDP_BUCKETS]; /* struct udp_port, by local port number */
	struct pool groups;		  /* struct udp_group */
	struct udp_stats stats;
};

/* ---- udp.c ---- */

struct list *udp_bucket(struct udp *udp, uint16_t local_port);
/* How well @port suits @flow: 0 not at all, 3 best. */
unsigned udp_suits(const struct udp_port *port, const struct flow *flow);
/* Queues @p, whose cb says from where, for @port. */
struct step udp_enqueue(struct udp *udp, struct udp_port *port, struct pkt *p);

/* ---- udp_group.c ---- */

/* Queues @p for all ports that hear it. */
struct step udp_group_input(struct udp *udp, const struct flow *flow, struct pkt *p);
/* How a datagram of @port to a group goes.  0 or -ENETUNREACH. */
int udp_group_route(struct udp *udp, const struct udp_port *port, const struct udp_to *to,
		    struct ip_out *how);

/*
 * Sockets of one core: numbers that programs hold, over TCP and UDP below.
 *
 * The core owns a struct socks, tells it the time each turn, and calls socks_learn()
 * after the burst so that ready sets hear what happened.  The calls of stack/api
 * find it through socks_current(), the only thing that a thread keeps for itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/map.h"
#include "stack/base/pool.h"

struct ip;
struct pkt_pool;
struct rng;
struct tcp;
struct udp;

struct socks {
	struct tcp *tcp;
	struct udp *udp;
	struct ip *ip;
	struct pkt_pool *pkts;
	struct rng *rng;
	struct pool socks;	/* struct sock, found by number */
	struct pool setups;	/* struct sock_setup of sockets not yet connected */
	struct map bound;	/* of those, who is bound, by port (sock_port.h) */
	struct pool udp_ports;	/* struct udp_port */
	struct pool mores;	/* struct sock_more of the few that have it */
	uint64_t now_ns;	/* of the turn */
	struct list sets;	/* ready sets */
	struct list stamped;	/* struct sock_more with marks */
	uint32_t notsent_lowat; /* of sockets that set none; UINT32_MAX: none */
	uint32_t n_lent;	/* zero-copy memory out */
	uint32_t n_made;	/* sockets so far */
};

enum { SOCKS_UDP_MAX = 4096, SOCKS_BOUND_FIRST = 16 };

/* Room for @max sockets.  0 or -ENOMEM. */
int socks_init(struct socks *ss, uint32_t max, struct tcp *tcp, struct udp *udp,
	       struct ip *ip, struct pkt_pool *pkts, struct rng *rng);
/* Closes what is open, silently. */
void socks_fini(struct socks *ss);

/* Ready sets learn what TCP and UDP put on their ready lists. */
void socks_learn(struct socks *ss);
/* TCP spoke: what left now has its time (SO_TIMESTAMPING). */
void socks_spoke(struct socks *ss);
/* Some set has news that its program did not hear, or that are still true. */
bool socks_have_news(struct socks *ss);

/* The sockets that this thread's calls mean; NULL: none.  Set by the core. */
struct socks *socks_current(void);
void socks_use(struct socks *ss);

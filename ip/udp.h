/*
 * UDP of one core (RFC 768, RFC 1122 4.1).
 *
 * A struct udp_port is what a socket binds: received datagrams wait in it, bounded
 * in number and bytes, until the program reads them.  Ports with news are on a
 * ready list that the socket layer drains after the burst.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip/ip.h"
#include "stack/base/addr.h"
#include "stack/base/list.h"
#include "stack/base/verdict.h"

struct pkt;
struct udp;

struct udp_group;

enum {
	UDP_QUEUE_MAX = 256,
	UDP_QUEUE_BYTES_MAX = 1 << 18,
	UDP_GROUPS_MAX = 20,	   /* that one port is in */
	UDP_GROUPS_ALL_MAX = 1024, /* and all of a core */
	UDP_COPIES_MAX = 64,	   /* of one datagram to a group, for so many ports */
};

struct udp_port {
	struct list ready; /* in udp's ready list when there is news */
	struct list node;  /* in udp's table while bound */
	struct flow flow;  /* remote ADDR_NONE: from anybody */
	uint8_t family;	   /* enum addr_family of all it hears; ADDR_NONE: of both */
	struct pkt *queue, **queue_end; /* linked by ->link; data at the payload */
	uint32_t n_queued, bytes_queued;
	int error;	  /* errno of an ICMP error, given once; 0: none */
	uint8_t ttl, tos; /* of what is sent; 0: the default */
	uint8_t ip_flags; /* enum ip_flag, of what is sent */
	/* enum next: a layer that reads each datagram at once, with struct udp_from in its
	 * cb; NEXT_NONE: they wait for a socket. */
	uint8_t service;
	bool no_sum;	/* of IPv4, nothing is summed (RFC 768) */
	bool pmtu_want; /* kept to be told */
	uint8_t tell;	/* kept for who reads: what to tell beside the bytes */
	bool reuse;	/* others that have it, too, may bind the same */
	/* Of what is sent to groups: how far, 1 at first (RFC 1112 6.1); not to ourselves;
	 * the interface and one, 0: as routes say. */
	bool group_ttl_set, group_quiet;
	uint8_t group_ttl, group_via;
	uint8_t n_groups;
	struct udp_group *groups; /* that it is in */
	void *user;		  /* the socket */
};

/* In the cb of a queued datagram; its source address is in pkt->src. */
struct udp_from {
	uint16_t port;
};

/* clang-format off */
#define UDP_COUNTERS(C)							\
	C(in,		"datagrams queued for a socket")		\
	C(out,		"datagrams sent")				\
	C(errors_in,	"ICMP errors given to a socket")		\
	C(no_memory,	"datagrams not sent because a pool was empty")
/* clang-format on */

struct udp_stats {
#define C(name, text) uint64_t name;
	UDP_COUNTERS(C)
#undef C
};

int udp_new(struct udp **udp, struct ip *ip, struct pkt_pool *pool, struct rng *rng,
	    const struct hash_key *key);
void udp_free(struct udp *udp);

/*
 * Binds @port to its flow: local ADDR_NONE is any address, local_port 0 an
 * ephemeral one (RFC 6056), which is written back.  Two ports may share a local port
 * number when their addresses, or whom they listen to, tell them apart; to each
 * datagram belongs the one that says most about it.  0, -EADDRINUSE (which is also the
 * answer when all ephemeral ports are taken), -EADDRNOTAVAIL for a local address that
 * is not ours.  The port is the caller's and stays where it is.
 */
int udp_bind(struct udp *udp, struct udp_port *port);
/* Frees what is queued.  Harmless for a port that was unbound. */
void udp_unbind(struct udp *udp, struct udp_port *port);

/*
 * @port hears what comes to @group by @iface, bound or not.  0; -EADDRINUSE: it does
 * already; -ENOBUFS: too many; -EINVAL as mcast_join().
 */
int udp_group_join(struct udp *udp, struct udp_port *port, unsigned iface,
		   const struct addr *group, uint64_t now_ns);
/* 0 or -EADDRNOTAVAIL. */
int udp_group_leave(struct udp *udp, struct udp_port *port, unsigned iface,
		    const struct addr *group, uint64_t now_ns);
/* Before the port goes away. */
void udp_group_leave_all(struct udp *udp, struct udp_port *port, uint64_t now_ns);

/* What is sent to a group, or to all stations, each port gets that fits, as far as it is
 * in the group; that of all hosts everybody is in. */
struct step udp_input(struct udp *udp, struct pkt *p, uint64_t now_ns);
/*
 * An ICMP error; @p as icmp4_input() made it.  It reaches the port only when that is
 * connected, for no other can tell what it was about (RFC 1122 4.1.3.3); and path MTUs are
 * believed only when the port forbids fragments, so that nobody can make us send some.
 */
struct step udp_error_input(struct udp *udp, struct pkt *p, uint64_t now_ns);

/*
 * Sends the payload @p to @dst.  Takes @p, which should have 86 bytes of headroom (one
 * more descriptor goes in front when not).  0 or -errno as ip_output().
 */
int udp_output(struct udp *udp, struct udp_port *port, struct pkt *p,
	       const struct addr *dst, uint16_t dst_port, uint64_t now_ns);
/* Where one datagram goes, and what its port does not say. */
struct udp_to {
	struct addr dst;
	struct addr src; /* ADDR_NONE: the port's, or as routes say */
	uint16_t port;
	uint8_t via; /* as struct ip_out has it */
	uint8_t ttl; /* 0: the port's */
	bool has_tos;
	uint8_t tos; /* when @has_tos, instead of the port's */
};

/* The same with more to say. */
int udp_output_to(struct udp *udp, struct udp_port *port, struct pkt *p,
		  const struct udp_to *to, uint64_t now_ns);
/* The oldest datagram, now the caller's; NULL: none. */
struct pkt *udp_recv(struct udp_port *port);
/* A port with news, taken off the ready list; NULL: none. */
struct udp_port *udp_ready_pop(struct udp *udp);

const struct udp_stats *udp_stats(const struct udp *udp);

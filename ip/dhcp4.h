/*
 * A DHCP client for IPv4 (RFC 2131; options of RFC 2132 and 3442; client identifiers of
 * RFC 4361), one for each interface of a core that is told to be one.
 *
 *	        start                   DISCOVER                 OFFER
 *	OFF ------------> INIT -----------------> SELECTING ----------------+
 *	 |                 ^  <----------------------------------------+    |
 *	 | start with an   |  NAK; no answer                           |    v
 *	 | address         +------------------+-----------------+ REQUESTING
 *	 v                 |                  |                         |
 *	REBOOTING ---------+                  |                     ACK |
 *	 |  ACK                      in use:  |                         v
 *	 +----------------------------------- | -----------------> PROBING
 *	                             DECLINE  +-------------------------|
 *	            ACK                                                 | free
 *	BOUND <--------------+------------+                             v
 *	 |   T1              |            |                           BOUND
 *	 +-----------> RENEWING --> REBINDING --> INIT, without an address
 *	                     T2               at the end of the lease; or NAK
 *
 * While PROBING, ARP asks whether somebody has the address already (RFC 5227).  What
 * the ACK says is then put in force: address, routes, MTU.  Name servers and the domain
 * are kept for who asks.  A server can do no more than that: messages that are malformed
 * or offer what cannot be are counted and change nothing; whoever keeps refusing us is
 * asked less and less often.
 *
 * The core's loop gives it what comes to port 68; timers do the rest.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip/dhcp_wire.h"
#include "stack/base/addr.h"
#include "stack/base/verdict.h"

struct dhcp4;
struct ip;
struct pkt;
struct udp;

enum {
	DHCP4_LEASE_LEAST_S = 30, /* shorter ones are refused */
	DHCP4_MTU_LEAST = 576,	  /* smaller ones are not believed */
	DHCP4_METRIC = 100,	  /* of its routes: those of the user come first */
};

enum dhcp4_state {
	DHCP4_OFF,
	DHCP4_INIT,
	DHCP4_SELECTING,
	DHCP4_REQUESTING,
	DHCP4_REBOOTING,
	DHCP4_PROBING,
	DHCP4_BOUND,
	DHCP4_RENEWING,
	DHCP4_REBINDING,
	DHCP4_N_STATES,
};

/* clang-format off */
#define DHCP4_COUNTERS(C)						\
	C(sent,		"messages sent to servers")			\
	C(not_sent,	"messages not sent for want of memory or of a way") \
	C(offers,	"offers of an address")				\
	C(acks,		"leases given or renewed")			\
	C(naks,		"requests refused by a server")			\
	C(bad,		"messages that are malformed")			\
	C(not_ours,	"messages to others, or not asked for")		\
	C(absurd,	"offers and leases of what cannot be")		\
	C(odd,		"options of a lease that cannot be, passed over") \
	C(declined,	"addresses that somebody had already")		\
	C(expired,	"leases that came to their end")		\
	C(released,	"leases given back")
/* clang-format on */

struct dhcp4_stats {
#define C(name, text) uint64_t name;
	DHCP4_COUNTERS(C)
#undef C
};

struct dhcp4_info {
	enum dhcp4_state state;
	/* Counted up when anything of what follows changed. */
	uint32_t generation;
	/* Of the lease; ADDR_NONE: there is no address that may be used. */
	struct addr addr, server;
	uint8_t bits;
	uint8_t n_dns;
	struct ip4 dns[DHCP_DNS_MAX];
	char domain[DHCP_DOMAIN_LEN];
	uint64_t ends_ns; /* UINT64_MAX: never */
};

/* What a client shall do at first, and how. */
struct dhcp4_conf {
	struct ip4 again; /* an address it had; 0.0.0.0: none (RFC 2131 3.2) */
	bool probe;	  /* look whether somebody has the address */
};

/* Binds port 68.  Borrows @ip and @udp.  0, -ENOMEM or -EADDRINUSE. */
int dhcp4_new(struct dhcp4 **dhcp, struct ip *ip, struct udp *udp);
/* Interfaces keep their addresses, and servers hear nothing: see dhcp4_stop(). */
void dhcp4_free(struct dhcp4 *dhcp);

/* From now on @iface, which is in @ip and is OFF, has a client.  0; -EINVAL: there is no
 * such interface, or nobody to ask on it (a point-to-point link). */
int dhcp4_start(struct dhcp4 *dhcp, unsigned iface, const struct dhcp4_conf *conf,
		uint64_t now_ns);
/* Gives the lease back, and the address with it, as far as the server can be reached
 * without asking for its Ethernet address; OFF.  Harmless when it is. */
void dhcp4_stop(struct dhcp4 *dhcp, unsigned iface, uint64_t now_ns);

/* A datagram to port 68 that udp_input() stripped. */
struct step dhcp4_input(struct dhcp4 *dhcp, struct pkt *p, uint64_t now_ns);

void dhcp4_info(const struct dhcp4 *dhcp, unsigned iface, struct dhcp4_info *info);
const struct dhcp4_stats *dhcp4_stats(const struct dhcp4 *dhcp);
/* "BOUND" */
const char *dhcp4_state_name(enum dhcp4_state state);

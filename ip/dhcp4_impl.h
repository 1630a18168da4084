/*
 * The inside of the DHCP client, for dhcp4.c, dhcp4_lease.c and their tests.
 */
#pragma once

#include "ip/dhcp4.h"
#include "ip/ip.h"
#include "ip/udp.h"
#include "stack/base/wheel.h"

/* Of one interface. */
struct dhcp4_client {
	struct dhcp4 *dhcp;
	uint8_t iface;
	uint8_t state; /* enum dhcp4_state, changed by enter() of dhcp4.c only */
	bool probe;
	bool has_addr;	/* @lease.yiaddr is on the interface */
	uint8_t n_sent; /* in this state */
	uint8_t n_naks; /* since it was BOUND */
	uint16_t secs;
	uint32_t xid;
	struct timer timer;
	uint64_t began_ns; /* to look for an address, or to renew it */
	uint64_t asked_ns; /* when the request was sent that may be answered */
	uint64_t t1_ns, t2_ns, ends_ns;
	struct dhcp_msg lease; /* what was offered, then what was acknowledged */
	uint32_t generation;
	uint8_t n_routes; /* of @lease, in force */
	struct ip_route routes[DHCP_ROUTES_MAX];
};

struct dhcp4 {
	struct ip *ip;
	struct udp *udp;
	struct udp_port port;
	uint64_t n_xids;
	struct dhcp4_client clients[IP_IFACE_MAX];
	struct dhcp4_stats stats;
};

/* ---- dhcp4_lease.c ---- */

/* True for an offer or an acknowledgement of something that can be.  Fills in what may be
 * left out. */
bool dhcp4_lease_check(struct dhcp_msg *m);
/* Sets the times of the lease, from when it was asked for. */
void dhcp4_lease_times(struct dhcp4_client *c);
/* The address, to be probed first or not.  0 or -errno. */
int dhcp4_lease_begin(struct dhcp4_client *c, bool probe, uint64_t now_ns);
/* All else that the lease says. */
void dhcp4_lease_apply(struct dhcp4_client *c);
/* Takes address and all away. */
void dhcp4_lease_drop(struct dhcp4_client *c);
/* The lease goes on as @m says. */
void dhcp4_lease_renew(struct dhcp4_client *c, const struct dhcp_msg *m, uint64_t now_ns);

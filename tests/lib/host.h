/*
 * A host without a core: two interfaces on hand-made ports, with everything from
 * Ethernet to UDP, a clock turned by hand, and a walk of packets as the core's loop
 * does it.  For suites and fuzz targets; mistakes end in ASSERT.
 *
 *	192.0.2.1/24     02-00-00-00-00-01  interface 0, default route by 192.0.2.254
 *	198.51.100.1/24  02-00-00-00-00-02  interface 1
 *
 * and with host_speak6(), which host6_with_peers() calls:
 *
 *	2001:db8::1/64, fe80::1    interface 0, default route by fe80::fe
 *	2001:db8:1::1/64, fe80::2  interface 1
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arp/neigh.h"
#include "eth/eth.h"
#include "ip/dhcp4.h"
#include "ip/ip.h"
#include "ip/ip6.h"
#include "ip/udp.h"
#include "stack/base/hash.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"
#include "stack/base/wheel.h"
#include "tests/lib/build6.h"
#include "tests/lib/capture.h"
#include "tests/lib/look.h"

enum { HOST_IFACES = 2, HOST_PKTS = 8192, HOST_BUFS = 4096 };

struct host {
	struct pkt_pool pool;
	struct wheel wheel;
	struct rng rng;
	struct hash_key key;
	struct capture cap[HOST_IFACES];
	struct eth eth[HOST_IFACES];
	struct neigh_table *neigh;
	struct ip *ip;
	struct udp *udp;
	struct dhcp4 *dhcp; /* NULL until a test makes one */
	uint64_t now_ns;

	/* What the last packet that came went up to, when that is TCP; NULL: not. */
	struct pkt *up;
	/* The frame that host_sent() took last. */
	uint32_t frame_len;
	uint8_t frame[BUILD_MAX];
};

/* The addresses above, and a peer on each network that the tests speak for. */
extern const struct mac host_mac[HOST_IFACES], peer_mac[HOST_IFACES], all_mac;
extern const struct ip4 host_ip[HOST_IFACES], peer_ip[HOST_IFACES], gateway_ip;
extern const struct ip6 host_ip6[HOST_IFACES], host_ll[HOST_IFACES],
	peer_ip6[HOST_IFACES], gateway_ll;

/* On the heap.  Without addresses: nothing was announced and nothing is known. */
struct host *host_bare(void);
/* With the addresses and routes above; the announcements are taken away. */
struct host *host_new(void);
/* With both peers and the gateway (at peer_mac[0]) in the table of neighbours, too,
 * and reachable. */
struct host *host_with_peers(void);
/* The same with IPv6 peers only, which are 2001:db8::9 and 2001:db8:1::9. */
struct host *host6_with_peers(void);
/* Gives IPv6 addresses and routes, too; what that makes it send is taken away. */
void host_speak6(struct host *h);
/* Checks every layer, ends them, and asserts that nothing is out. */
void host_free(struct host *h);

/* Time goes on by so much, with all timers on the way. */
void host_pass(struct host *h, uint64_t ns);
/*
 * A frame comes by interface @i and climbs as far as it can, with what it makes us
 * send to ourselves.  What becomes of it: NEXT_TCP and NEXT_TCP_ERROR leave the packet
 * in h->up until the next frame, all else ends.
 */
struct step host_receive(struct host *h, unsigned i, const void *frame, uint32_t len);
/* The same for a packet that begins with its Ethernet header; takes it. */
struct step host_receive_pkt(struct host *h, unsigned i, struct pkt *p);
/* The same for the next packet that we sent to ourselves; V_COUNT: there is none. */
struct step host_loop(struct host *h);
/* Takes the next frame that was sent by interface @i.  False: none was. */
bool host_sent(struct host *h, unsigned i, struct look *l);
/* Takes away whatever was sent; how many frames. */
unsigned host_drain(struct host *h);

/* The headers of a packet from peer_ip[i] to host_ip[i], and back. */
struct build_ip4 host_from_peer(unsigned i);
struct build_ip6 host6_from_peer(unsigned i);
/* @ip at @mac asks for host_ip6[i], so that it is known; the answer is taken away. */
void host6_learn(struct host *h, unsigned i, struct ip6 ip, struct mac mac);
/* @ip at @mac asks for us, so that it is known; the answer is taken away. */
void host_learn(struct host *h, unsigned i, struct ip4 ip, struct mac mac);
/* A packet of @len bytes 0, 1, 2, ... with room for headers in front. */
struct pkt *host_bytes(struct host *h, uint32_t len);

/*
 * A port whose other side is the host's kernel, and a TCP connection with it made by
 * hand: what a driver's interop test needs to see its frames understood.
 *
 * We are 192.0.2.2, the kernel 192.0.2.1.  A check that fails ends the program with a
 * sentence; so does anything that takes longer than five seconds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eth/eth.h"
#include "stack/base/pkt.h"
#include "tests/lib/look.h"

enum { PEER_PORT = 7777, PEER_FRAME_MAX = PKT_MAX_LEN };

#define PEER_CHECK(cond) ((cond) ? (void)0 : peer_fail(__FILE__, __LINE__, #cond))

struct peer {
	struct pkt_pool pool;
	struct eth eth;
	struct mac kernel_mac;
	int netns;    /* where the kernel's sockets are; -1: here */
	int listener; /* sockets of the kernel */
	int conn, udp;
	uint32_t snd, rcv; /* TCP: our next number, and theirs */
	/* The last frame that peer_receive() gave out. */
	uint8_t frame[PEER_FRAME_MAX];
	uint32_t len, flags, gso_len, vlan;
	bool sum_ok;
	struct look look;
};

_Noreturn void peer_fail(const char *file, int line, const char *what);

/* Makes the pool and opens @name.  @netns is a name of `ip netns`, or NULL. */
void peer_open(struct peer *peer, const char *name, const char *netns,
	       struct port_conf conf);
/* Closes everything; nothing may be out of the pool. */
void peer_close(struct peer *peer);

/* A raw socket on device @dev of the kernel's side. */
int peer_raw(const struct peer *peer, const char *dev);

/* Learns the kernel's address and tells it ours. */
void peer_meet(struct peer *peer);
/* The next IP frame from the kernel for us, in peer->frame and peer->look. */
void peer_receive(struct peer *peer);
/* A connection to the kernel's listener, which accepts it. */
void peer_connect(struct peer *peer);
/* Sends @len bytes in one frame of parts of @piece bytes; the kernel reads the same. */
void peer_send_super(struct peer *peer, uint32_t len, uint32_t piece);
/* The kernel sends @len bytes, which arrive.  How many came in super-frames. */
uint32_t peer_receive_stream(struct peer *peer, uint32_t len);
/* A datagram of @len bytes there and back, its sum partial. */
void peer_udp(struct peer *peer, uint32_t len);
/* The kernel sends us @len bytes by UDP. */
void peer_udp_send(struct peer *peer, uint32_t len);
/* A datagram for us with an 802.1Q tag leaves the kernel's device @dev. */
void peer_send_tagged(struct peer *peer, const char *dev, uint16_t tci);

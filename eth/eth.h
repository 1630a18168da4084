/*
 * Ethernet II on one port (IEEE 802.3), in a VLAN of it (802.1Q) or in none.
 *
 * The core loop gives it received frames; neighbours and ARP give it packets to
 * send, which wait in @txq until the turn's end or until it is full.  Frames of
 * other VLANs than the interface's end as V_ETH_VLAN; when it is in none, those that
 * carry only a priority (VLAN 0) are read like untagged ones.
 *
 * A port that is a point-to-point link has neither headers nor stations: what is said
 * of them here does not apply, and packets go as they are.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eth/eth_wire.h"
#include "eth/port.h"
#include "stack/base/addr.h"
#include "stack/base/verdict.h"

enum { ETH_TXQ_LEN = 256 };

struct eth {
	struct port *port; /* owned: closed by eth_fini() */
	struct mac mac;
	uint16_t mtu;
	bool point_to_point; /* as the port says */
	uint8_t index;	     /* number of the interface in its core */
	uint16_t vlan;	     /* 1 to 4094, set after eth_init(); 0: none, no tags */
	uint16_t n_txq;
	struct pkt *txq[ETH_TXQ_LEN];
};

void eth_init(struct eth *eth, struct port *port, uint8_t index);
/* Frees what waits, and closes the port. */
void eth_fini(struct eth *eth);

/*
 * Strips the header (and a tag); sets flags, vlan, iface and l3.  All group
 * addresses are ours, marked PKT_BROADCAST: the layer above knows its groups.
 */
struct step eth_input(struct eth *eth, struct pkt *p);

/*
 * Puts the header in front, for which there must be headroom, sets l3 and queues
 * the frame.  Takes @p.  A packet with PKT_SUM_PARTIAL or gso_len has l4 and proto
 * set; gso_len needs PKT_SUM_PARTIAL.
 */
void eth_output(struct eth *eth, struct pkt *p, struct mac dst, enum ethertype type,
		uint64_t now_ns);

/* Hands all queued frames to the port, after the software offloads it lacks. */
void eth_flush(struct eth *eth, uint64_t now_ns);

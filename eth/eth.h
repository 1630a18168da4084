/*
 * Ethernet II on one port (IEEE 802.3, 802.1Q tags read).
 *
 * The core loop gives it received frames; neighbours and ARP give it packets to
 * send, which wait in @txq until the turn's end or until it is full.
 */
#pragma once

#include <stdint.h>

#include "eth/port.h"
#include "stack/base/addr.h"
#include "stack/base/verdict.h"

enum { ETH_HEADER_LEN = 14, ETH_TXQ_LEN = 256 };

enum ethertype { ETHERTYPE_IP4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_IP6 = 0x86dd };

struct eth {
	struct port *port; /* owned: closed by eth_fini() */
	struct mac mac;
	uint16_t mtu;
	uint8_t index; /* number of the interface in its core */
	uint16_t n_txq;
	struct pkt *txq[ETH_TXQ_LEN];
	uint64_t now_ns; /* of the turn, for the driver */
};

void eth_init(struct eth *eth, struct port *port, uint8_t index);
void eth_fini(struct eth *eth);

/* Strips the header (and a tag); sets flags, vlan, iface and l3. */
struct step eth_input(struct eth *eth, struct pkt *p);

/* Puts the header in front and queues the frame.  Takes @p. */
void eth_output(struct eth *eth, struct pkt *p, struct mac dst, enum ethertype type,
		uint64_t now_ns);

/* Hands all queued frames to the port, after software offloads it lacks. */
void eth_flush(struct eth *eth, uint64_t now_ns);

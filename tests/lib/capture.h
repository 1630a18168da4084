/*
 * A port made by hand: what is sent is kept to be looked at, what shall be received
 * is put in by the test.
 *
 *	struct capture cap;
 *	capture_init(&cap, &pool, mac, 0);
 *	eth_init(&eth, &cap.port, 0);
 *	...
 *	eth_flush(&eth, now);
 *	n = capture_take(&cap, frame, sizeof(frame));
 */
#pragma once

#include <stdint.h>

#include "eth/port.h"
#include "stack/base/addr.h"
#include "stack/base/pkt.h"

struct capture {
	struct port port; /* first: the driver's functions are given this */
	struct pkt *rx, **rx_end;
	struct pkt *tx, **tx_end;
	uint32_t n_rx, n_tx; /* frames waiting on each side */
};

/* A port of MTU 1500 with offloads @caps (enum port_cap).  The struct is the test's. */
void capture_init(struct capture *c, struct pkt_pool *pool, struct mac mac,
		  uint32_t caps);
/* Frees what waits; port_close() and so eth_fini() do it too. */
void capture_fini(struct capture *c);

/* A packet with the bytes of @frame, with the headroom a driver leaves. */
struct pkt *capture_pkt(struct pkt_pool *pool, const void *frame, uint32_t len);
/* @frame will be received by the next rx burst. */
void capture_inject(struct capture *c, const void *frame, uint32_t len);

/* The oldest frame that was sent, now the caller's; NULL: none. */
struct pkt *capture_pop(struct capture *c);
/* Its bytes, at most @len of them, and frees it; how many, 0: none was sent. */
uint32_t capture_take(struct capture *c, void *out, uint32_t len);

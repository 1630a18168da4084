/*
 * What drivers share.  For eth/ and its tests only.
 */
#pragma once

#include "eth/port.h"

extern const struct port_ops port_sim_ops;

/* Writes the sentence to @error and returns -@err. */
int port_error(int err, char error[static PORT_ERROR_LEN], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A packet with these bytes, headers contiguous, as port.h promises.  NULL: no memory. */
struct pkt *port_pkt(struct pkt_pool *pool, const uint8_t *bytes, uint32_t len);
/* Counts a frame that is about to be given to the caller, and dates it. */
void port_count_rx(struct port *port, struct pkt *p, uint64_t now_ns);
/* Counts a frame that the device took. */
void port_count_tx(struct port *port, const struct pkt *p);

/*
 * What drivers share.  For eth/ and its tests only.
 */
#pragma once

#include <sys/uio.h>

#include "eth/port.h"

/* A super-frame in buffers that are filled has 18 parts; the kernel takes 1024. */
enum { PORT_IOV_MAX = 128 };

extern const struct port_ops port_fault_ops;
extern const struct port_ops port_packet_ops;
extern const struct port_ops port_pcap_ops;
extern const struct port_ops port_ring_ops;
extern const struct port_ops port_sim_ops;
extern const struct port_ops port_tap_ops;
extern const struct port_ops port_tun_ops;

/* Writes the sentence to @error and returns -@err. */
int port_error(int err, char error[static PORT_ERROR_LEN], const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The MTU of a device of the host, as far as a port can use it; PORT_MTU if unknown. */
uint16_t port_dev_mtu(const char *name);

/* A packet with these bytes, headers contiguous, as port.h promises.  NULL: no memory. */
struct pkt *port_pkt(struct pkt_pool *pool, const uint8_t *bytes, uint32_t len);
/*
 * The descriptors of a frame as one vector of at most PORT_IOV_MAX parts; how many.
 * port_few() makes sure that there are not more: it takes @p and returns it or, when
 * it has more parts, a copy in few; NULL: no memory.
 */
int port_gather(const struct pkt *p, struct iovec iov[static PORT_IOV_MAX]);
struct pkt *port_few(struct pkt *p);
/* Counts a frame that is about to be given to the caller, and dates it. */
void port_count_rx(struct port *port, struct pkt *p, uint64_t now_ns);
/* Counts a frame that the device took. */
void port_count_tx(struct port *port, const struct pkt *p);

/*
 * A port: where frames come from and go to, in bursts.
 *
 * One port is one queue pair of one device, used by one core.  Drivers are named
 * by a text: "tap:pb0", "tun:pb0", "packet:eth0", "ring:eth0", "sim:link/0", or a wrapper
 * around another one, "pcap:/tmp/trace.pcapng:tap:pb0".  port_open() finds the driver.
 *
 * Offloads are the same for every driver.  To send: a frame with PKT_SUM_PARTIAL
 * or gso_len may be given only to a port whose @caps say so; eth_flush() does in
 * software what is missing (eth/offload.c).  Received: a driver sets PKT_SUM_OK
 * when the sum is known to be good, and may deliver super-frames.  With PKT_SUM_OK
 * the bytes of the checksum field mean nothing: they may still be a partial sum.
 *
 * A received frame that fits lies in its descriptor's head[], a longer one in buffers
 * of the pool.  Short frames may use the pool's reserve: among them are the ACKs that
 * empty a pool full of unacknowledged data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct pkt;
struct pkt_pool;
struct port;
struct sim;

enum {
	PORT_BURST = 64,
	PORT_NAME_LEN = 128,
	PORT_ERROR_LEN = 200,
	PORT_DEV_LEN = 16,    /* longest name of a device of the host, with its NUL */
	PORT_MTU = 1500,      /* of a device that has none of its own */
	PORT_MTU_MIN = 68,    /* RFC 791 3.2: every link carries so much */
	PORT_MTU_MAX = 65521, /* 65535 less an Ethernet header: the kernel's limit */
};

enum port_cap {
	PORT_TX_SUM = 1 << 0,  /* completes PKT_SUM_PARTIAL */
	PORT_TX_TSO4 = 1 << 1, /* cuts TCP/IPv4 super-frames, or passes them whole */
	PORT_TX_TSO6 = 1 << 2,
};

struct port_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
	uint64_t rx_no_memory;	     /* frames lost because the pool was empty */
	uint64_t rx_missed;	     /* frames lost in the host before we read them */
	uint64_t rx_bad;	     /* frames too long, or refused by the driver */
	uint64_t tx_dropped;	     /* frames the device did not take */
	uint64_t tx_no_memory;	     /* segments not cut because the pool was empty */
	uint64_t capture_lost;	     /* pcap: frames that could not be written */
	uint64_t fault_lost;	     /* fault: frames lost as it was asked for */
	uint64_t rx_super, tx_super; /* of the packets, super-frames */
};

/* What a driver needs to know to open a device.  All optional but @pool. */
struct port_conf {
	struct pkt_pool *pool;
	struct mac mac;	 /* ours; zeros: the driver finds one */
	uint16_t mtu;	 /* 0: the device's own, or 1500 */
	bool offload;	 /* use offloads of the device where it has them */
	bool persist;	 /* tap, tun: the device stays when we go */
	struct sim *sim; /* sim: the one that holds the link */
};

struct port_ops {
	const char *name; /* "tap" */
	/*
	 * Opens what @arg (the text behind "name:") says.  0 and *@port, or -errno and
	 * a sentence for the user in @error.
	 */
	int (*open)(const char *arg, const struct port_conf *conf, struct port **port,
		    char error[static PORT_ERROR_LEN]);
	/* Up to @n frames, now owned by the caller.  0: none is waiting. */
	unsigned (*rx_burst)(struct port *port, struct pkt **burst, unsigned n,
			     uint64_t now_ns);
	/*
	 * Takes all @n frames, at most PORT_BURST; what the device refuses is freed and
	 * counted.
	 */
	void (*tx_burst)(struct port *port, struct pkt **burst, unsigned n,
			 uint64_t now_ns);
	/* Frees everything.  Frames still inside go back to their pools. */
	void (*close)(struct port *port);
};

/* The common part, first in every driver's own struct. */
struct port {
	const struct port_ops *ops;
	char name[PORT_NAME_LEN]; /* the text it was opened with */
	struct mac mac;
	uint16_t mtu;  /* longest IP packet of one segment */
	uint32_t caps; /* enum port_cap */
	/* A link of two ends: its frames are IP packets and nothing else, and whatever is
	 * sent arrives at the other end.  @mac means nothing. */
	bool point_to_point;
	int fd; /* readable when frames wait; -1: must be polled */
	/*
	 * The device of the host at the far side of ours, which the core configures
	 * (stack/core/host_nl.h); empty when there is none, or when it is not ours.
	 */
	char host_dev[PORT_DEV_LEN];
	/* Descriptors, each with a buffer, that the driver keeps ready for reading: out
	 * of the pool as long as the port is open. */
	uint32_t n_standing;
	struct pkt_pool *pool;
	struct port_stats stats;
};

/*
 * Opens the port called @name, "driver:argument".  0 and *@port, or -errno and a
 * sentence for the user in @error.  @conf is read, not kept; what it points to is
 * borrowed for the port's life.
 */
int port_open(const char *name, const struct port_conf *conf, struct port **port,
	      char error[static PORT_ERROR_LEN]);
/* Frees everything, and gives back the frames still inside. */
void port_close(struct port *port);

static inline unsigned port_rx_burst(struct port *port, struct pkt **burst, unsigned n,
				     uint64_t now_ns)
{
	return port->ops->rx_burst(port, burst, n, now_ns);
}

static inline void port_tx_burst(struct port *port, struct pkt **burst, unsigned n,
				 uint64_t now_ns)
{
	port->ops->tx_burst(port, burst, n, now_ns);
}

/* The drivers of this build, NULL at the end. */
const struct port_ops *const *port_drivers(void);

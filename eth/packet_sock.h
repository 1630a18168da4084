/*
 * A packet socket on an interface of the host: what port_packet.c and port_ring.c,
 * which differ in how they receive, have in common.
 *
 * Each frame has a vnet header (vnet.h) in front, both ways: on a veth the peer's kernel
 * leaves checksums open and sends super-frames, and does not ask whether we like it.
 */
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include "eth/port_impl.h"
#include "eth/vnet.h"

enum {
	PACKET_SOCK_BYTES = 16 << 20, /* that may wait in the kernel, each way */
	PACKET_SOCK_IOV = 1024,
};

struct packet_sock {
	struct port port;
	int ifindex;
	/* What tx_burst gathers for one system call. */
	struct mmsghdr msgs[PORT_BURST];
	struct virtio_net_hdr vnet[PORT_BURST];
	struct iovec iov[PACKET_SOCK_IOV];
};

/*
 * Opens the socket of interface @dev and fills in @s->port but for ops; nothing is
 * received before packet_sock_bind().  @kind is the driver's name.  0, or -errno and a
 * sentence.
 */
int packet_sock_open(struct packet_sock *s, const char *kind, const char *dev,
		     const struct port_conf *conf, char error[static PORT_ERROR_LEN]);
/* From now on frames come in.  0 or -errno. */
int packet_sock_bind(struct packet_sock *s);
void packet_sock_close(struct packet_sock *s);

/* The tx_burst of both drivers; the port is the first member of their packet_sock. */
void packet_sock_tx(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns);

/* The kernel took a VLAN tag off @p. */
void packet_sock_vlan(struct pkt *p, uint32_t tp_status, uint16_t tci);

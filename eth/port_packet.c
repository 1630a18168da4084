/*
 * "packet:IFNAME": an interface that the host has, shared with its kernel.
 *
 * Frames are read from the socket, one system call each, straight to buffers of the
 * pool, as port_tap.c does; a burst is sent by one call.  Why not by a ring in shared
 * memory: a TPACKET_V3 ring gives out frames a block at a time, and a lone frame waits
 * a millisecond for its block to be closed.  That is port_ring.c, for those who count
 * frames and not round trips.
 *
 * The kernel sees the same frames.  It leaves them alone when the interface has no
 * address of the kernel's; else our addresses must not be its own.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>

#include "eth/packet_sock.h"
#include "eth/rx_set.h"
#include "stack/base/pkt.h"

struct port_packet {
	struct packet_sock sock;
	struct rx_set rx;
	uint32_t n_missed; /* the kernel's count, which wraps */
};

enum { CONTROL_LEN = CMSG_SPACE(sizeof(struct tpacket_auxdata)) + CMSG_SPACE(4) };

/* What came beside the frame: its VLAN tag, and how many were lost before it. */
static void read_control(struct port_packet *pp, struct msghdr *m, struct pkt *p)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
			struct tpacket_auxdata aux;

			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
			packet_sock_vlan(p, aux.tp_status, aux.tp_vlan_tci);
		}
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			uint32_t missed;

			memcpy(&missed, CMSG_DATA(c), sizeof(missed));
			pp->sock.port.stats.rx_missed += missed - pp->n_missed;
			pp->n_missed = missed;
		}
	}
}

/* A message of @len bytes was read, vnet header and frame; NULL: it is lost. */
static struct pkt *input(struct port_packet *pp, struct msghdr *m, uint32_t len,
			 uint64_t now_ns)
{
	const uint8_t *vnet = pp->rx.bufs[0]->data;
	struct port *port = &pp->sock.port;
	struct pkt *p;

	if (m->msg_flags & MSG_TRUNC || len <= VNET_LEN || len - VNET_LEN > PKT_MAX_LEN) {
		port->stats.rx_bad++;
		return NULL;
	}
	p = rx_set_take(&pp->rx, VNET_LEN, len - VNET_LEN);
	if (!p) {
		port->stats.rx_no_memory++;
		return NULL;
	}
	if (!vnet_input(p, vnet)) {
		port->stats.rx_bad++;
		pkt_free(p);
		return NULL;
	}
	read_control(pp, m, p);
	port_count_rx(port, p, now_ns);
	return p;
}

static unsigned rx_burst(struct port *port, struct pkt **burst, unsigned n,
			 uint64_t now_ns)
{
	struct port_packet *pp = container_of(port, struct port_packet, sock.port);
	_Alignas(struct cmsghdr) char control[CONTROL_LEN];
	unsigned done = 0;

	/* As many reads as frames are asked for: a flood that finds no memory ends too. */
	for (unsigned i = 0; i < n; i++) {
		struct msghdr m = {
			.msg_iov = pp->rx.iov,
			.msg_iovlen = RX_SET_BUFS,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t len = recvmsg(port->fd, &m, 0);

		if (len < 0 && errno == EAGAIN)
			break;
		/* Else one frame could not be told to us, or the interface went down. */
		if (len < 0) {
			port->stats.rx_bad++;
			continue;
		}
		burst[done] = input(pp, &m, (uint32_t)len, now_ns);
		done += burst[done] != NULL;
	}
	return done;
}

static void packet_close(struct port *port)
{
	struct port_packet *pp = container_of(port, struct port_packet, sock.port);

	packet_sock_close(&pp->sock);
	rx_set_fini(&pp->rx);
	free(pp);
}

static int start(struct port_packet *pp, const struct port_conf *conf)
{
	int err, one = 1, fd = pp->sock.port.fd;

	if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one)) < 0)
		return -errno;
	err = rx_set_init(&pp->rx, conf->pool);
	if (err)
		return err;
	pp->sock.port.n_standing = RX_SET_BUFS;
	err = packet_sock_bind(&pp->sock);
	if (err)
		rx_set_fini(&pp->rx);
	return err;
}

static int packet_open(const char *arg, const struct port_conf *conf, struct port **port,
		       char error[static PORT_ERROR_LEN])
{
	struct port_packet *pp = calloc(1, sizeof(*pp));
	int err;

	if (!pp)
		return port_error(ENOMEM, error, "packet:%.60s: no memory", arg);
	pp->sock.port.ops = &port_packet_ops;
	err = packet_sock_open(&pp->sock, "packet", arg, conf, error);
	if (err)
		goto no_sock;
	err = start(pp, conf);
	if (err) {
		port_error(-err, error, "packet:%s: %s", arg, strerror(-err));
		goto no_start;
	}
	*port = &pp->sock.port;
	return 0;
no_start:
	packet_sock_close(&pp->sock);
no_sock:
	free(pp);
	return err;
}

const struct port_ops port_packet_ops = {
	.name = "packet",
	.open = packet_open,
	.rx_burst = rx_burst,
	.tx_burst = packet_sock_tx,
	.close = packet_close,
};

/*
 * "ring:IFNAME": an interface that the host has, received through a ring in memory
 * that the kernel shares (TPACKET_V3).
 *
 *   block 0              block 1              ...       block RING_BLOCKS - 1
 *   +------------------+ +------------------+           +------------------+
 *   | status, n frames | |                  |           |                  |
 *   | hdr vnet frame   | | the kernel fills |           |                  |
 *   | hdr vnet frame   | | this one         |           |                  |
 *   +------------------+ +------------------+           +------------------+
 *     ours until we clear its status
 *
 * No system call while frames flow, and one for a burst sent: the cheapest way to many
 * small frames.  But the kernel gives a block away when it is full or its timer fires,
 * and a millisecond is the shortest timer there is; so a lone frame is late by that.
 * Dialogues are better served by "packet:".
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "eth/packet_sock.h"
#include "stack/base/pkt.h"

enum {
	RING_BLOCKS = 64,
	RING_BLOCK_LEN = 1 << 18,
	RING_FRAME_LEN = 2048, /* the kernel wants a divisor; frames may be longer */
	RING_CLOSE_MS = 1,     /* an open block is given to us after so long */
};

struct port_ring {
	struct packet_sock sock;
	uint8_t *ring;
	unsigned block;		       /* the one we read, or wait for */
	unsigned n_left;	       /* frames in it that are still to be read */
	const struct tpacket3_hdr *at; /* the first of them */
};

static struct tpacket_hdr_v1 *block_header(const struct port_ring *pr)
{
	uint8_t *block = pr->ring + (size_t)pr->block * RING_BLOCK_LEN;

	return &((struct tpacket_block_desc *)(void *)block)->hdr.bh1;
}

/* Frames were lost; asking how many begins a new count. */
static void count_missed(struct port *port)
{
	struct tpacket_stats_v3 stats;
	socklen_t len = sizeof(stats);

	if (getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
		port->stats.rx_missed += stats.tp_drops;
}

/* True when a block is ours, with its first frame at @at. */
static bool open_block(struct port_ring *pr)
{
	struct tpacket_hdr_v1 *b = block_header(pr);
	uint32_t status = __atomic_load_n(&b->block_status, __ATOMIC_ACQUIRE);

	if (!(status & TP_STATUS_USER))
		return false;
	if (status & TP_STATUS_LOSING)
		count_missed(&pr->sock.port);
	pr->n_left = b->num_pkts;
	pr->at = (const void *)((uint8_t *)b - offsetof(struct tpacket_block_desc, hdr) +
				b->offset_to_first_pkt);
	return true;
}

/* Gives the block to the kernel again. */
static void close_block(struct port_ring *pr)
{
	__atomic_store_n(&block_header(pr)->block_status, TP_STATUS_KERNEL,
			 __ATOMIC_RELEASE);
	pr->block = (pr->block + 1) % RING_BLOCKS;
}

/* True when there is a frame at @at. */
static bool have_frame(struct port_ring *pr)
{
	while (pr->n_left == 0) {
		if (!open_block(pr))
			return false;
		if (pr->n_left == 0)
			close_block(pr);
	}
	return true;
}

static void next_frame(struct port_ring *pr)
{
	pr->at = (const void *)((const uint8_t *)pr->at + pr->at->tp_next_offset);
	if (--pr->n_left == 0)
		close_block(pr);
}

/* A copy of the frame at @at; NULL: it is lost. */
static struct pkt *input(struct port_ring *pr, uint64_t now_ns)
{
	const uint8_t *frame = (const uint8_t *)pr->at + pr->at->tp_mac;
	struct port *port = &pr->sock.port;
	struct pkt *p;

	if (pr->at->tp_snaplen < pr->at->tp_len || pr->at->tp_len > PKT_MAX_LEN) {
		port->stats.rx_bad++;
		return NULL;
	}
	p = port_pkt(port->pool, frame, pr->at->tp_snaplen);
	if (!p) {
		port->stats.rx_no_memory++;
		return NULL;
	}
	if (!vnet_input(p, frame - VNET_LEN)) {
		port->stats.rx_bad++;
		pkt_free(p);
		return NULL;
	}
	packet_sock_vlan(p, pr->at->tp_status, (uint16_t)pr->at->hv1.tp_vlan_tci);
	port_count_rx(port, p, now_ns);
	return p;
}

static unsigned rx_burst(struct port *port, struct pkt **burst, unsigned n,
			 uint64_t now_ns)
{
	struct port_ring *pr = container_of(port, struct port_ring, sock.port);
	unsigned done = 0;

	for (unsigned i = 0; i < n && have_frame(pr); i++) {
		burst[done] = input(pr, now_ns);
		done += burst[done] != NULL;
		next_frame(pr);
	}
	return done;
}

static void ring_close(struct port *port)
{
	struct port_ring *pr = container_of(port, struct port_ring, sock.port);

	munmap(pr->ring, (size_t)RING_BLOCKS * RING_BLOCK_LEN);
	packet_sock_close(&pr->sock);
	free(pr);
}

static int start(struct port_ring *pr)
{
	struct tpacket_req3 req = {
		.tp_block_size = RING_BLOCK_LEN,
		.tp_block_nr = RING_BLOCKS,
		.tp_frame_size = RING_FRAME_LEN,
		.tp_frame_nr = RING_BLOCK_LEN / RING_FRAME_LEN * RING_BLOCKS,
		.tp_retire_blk_tov = RING_CLOSE_MS,
	};
	int version = TPACKET_V3, fd = pr->sock.port.fd, err;

	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)) < 0)
		return -errno;
	pr->ring = mmap(NULL, (size_t)RING_BLOCKS * RING_BLOCK_LEN,
			PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pr->ring == MAP_FAILED)
		return -errno;
	err = packet_sock_bind(&pr->sock);
	if (err)
		munmap(pr->ring, (size_t)RING_BLOCKS * RING_BLOCK_LEN);
	return err;
}

static int ring_open(const char *arg, const struct port_conf *conf, struct port **port,
		     char error[static PORT_ERROR_LEN])
{
	struct port_ring *pr = calloc(1, sizeof(*pr));
	int err;

	if (!pr)
		return port_error(ENOMEM, error, "ring:%.60s: no memory", arg);
	pr->sock.port.ops = &port_ring_ops;
	err = packet_sock_open(&pr->sock, "ring", arg, conf, error);
	if (err)
		goto no_sock;
	err = start(pr);
	if (err) {
		port_error(-err, error, "ring:%s: %s", arg, strerror(-err));
		goto no_start;
	}
	*port = &pr->sock.port;
	return 0;
no_start:
	packet_sock_close(&pr->sock);
no_sock:
	free(pr);
	return err;
}

const struct port_ops port_ring_ops = {
	.name = "ring",
	.open = ring_open,
	.rx_burst = rx_burst,
	.tx_burst = packet_sock_tx,
	.close = ring_close,
};

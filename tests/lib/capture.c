#include "tests/lib/capture.h"

#include <errno.h>
#include <stdio.h>

#include "stack/base/check.h"

/* 18 bytes of Ethernet header and tag, rounded up, and a vnet header. */
enum { CAPTURE_HEADROOM = 64 };

static void append(struct pkt ***end, struct pkt *p)
{
	p->link = NULL;
	**end = p;
	*end = &p->link;
}

static struct pkt *take_first(struct pkt **first, struct pkt ***end)
{
	struct pkt *p = *first;

	if (!p)
		return NULL;
	*first = p->link;
	p->link = NULL;
	if (!*first)
		*end = first;
	return p;
}

static int capture_open(const char *arg, const struct port_conf *conf, struct port **port,
			char error[static PORT_ERROR_LEN])
{
	(void)arg;
	(void)conf;
	(void)port;
	snprintf(error, PORT_ERROR_LEN, "made by capture_init() only");
	return -ENOSYS;
}

static unsigned capture_rx(struct port *port, struct pkt **burst, unsigned n,
			   uint64_t now_ns)
{
	struct capture *c = container_of(port, struct capture, port);
	unsigned got = 0;

	while (got < n && c->rx) {
		burst[got] = take_first(&c->rx, &c->rx_end);
		burst[got]->at_ns = now_ns;
		c->n_rx--;
		port->stats.rx_packets++;
		port->stats.rx_bytes += burst[got++]->total_len;
	}
	return got;
}

static void capture_tx(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns)
{
	struct capture *c = container_of(port, struct capture, port);

	for (unsigned i = 0; i < n; i++) {
		burst[i]->at_ns = now_ns;
		port->stats.tx_packets++;
		port->stats.tx_bytes += burst[i]->total_len;
		c->n_tx++;
		append(&c->tx_end, burst[i]);
	}
}

static void capture_close(struct port *port)
{
	capture_fini(container_of(port, struct capture, port));
}

static const struct port_ops capture_ops = {
	.name = "capture",
	.open = capture_open,
	.rx_burst = capture_rx,
	.tx_burst = capture_tx,
	.close = capture_close,
};

void capture_init(struct capture *c, struct pkt_pool *pool, struct mac mac, uint32_t caps)
{
	*c = (struct capture){
		.port = {
			.ops = &capture_ops,
			.name = "capture:",
			.mac = mac,
			.mtu = 1500,
			.caps = caps,
			.fd = -1,
			.pool = pool,
		},
		.rx_end = &c->rx,
		.tx_end = &c->tx,
	};
}

void capture_fini(struct capture *c)
{
	pkt_free_list(c->rx);
	pkt_free_list(c->tx);
	capture_init(c, c->port.pool, c->port.mac, c->port.caps);
}

struct pkt *capture_pkt(struct pkt_pool *pool, const void *frame, uint32_t len)
{
	const uint8_t *at = frame;
	struct pkt *first = NULL;

	do {
		struct pkt *p = pkt_new_buf(pool, PKT_DATA, first ? 0 : CAPTURE_HEADROOM);
		uint32_t n;

		ASSERT(p);
		n = len < pkt_room(p) ? len : pkt_room(p);
		ASSERT(pkt_append(p, at, n));
		at += n;
		len -= n;
		if (first)
			pkt_chain(first, p);
		else
			first = p;
	} while (len);
	return first;
}

void capture_inject(struct capture *c, const void *frame, uint32_t len)
{
	append(&c->rx_end, capture_pkt(c->port.pool, frame, len));
	c->n_rx++;
}

struct pkt *capture_pop(struct capture *c)
{
	struct pkt *p = take_first(&c->tx, &c->tx_end);

	if (p)
		c->n_tx--;
	return p;
}

uint32_t capture_take(struct capture *c, void *out, uint32_t len)
{
	struct pkt *p = capture_pop(c);
	uint32_t n;

	if (!p)
		return 0;
	n = pkt_read(p, 0, out, len);
	pkt_free(p);
	return n;
}

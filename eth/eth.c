#include "eth/eth.h"

#include "eth/offload.h"
#include "stack/base/pkt.h"

void eth_init(struct eth *eth, struct port *port, uint8_t index)
{
	*eth = (struct eth){
		.port = port,
		.mac = port->mac,
		.mtu = port->mtu,
		.point_to_point = port->point_to_point,
		.index = index,
	};
}

void eth_fini(struct eth *eth)
{
	for (unsigned i = 0; i < eth->n_txq; i++)
		pkt_free(eth->txq[i]);
	eth->n_txq = 0;
	port_close(eth->port);
	eth->port = NULL;
}

static struct step next_of(uint16_t type)
{
	switch (type) {
	case ETHERTYPE_IP4: return step_to(NEXT_IP4);
	case ETHERTYPE_ARP: return step_to(NEXT_ARP);
	case ETHERTYPE_IP6: return step_to(NEXT_IP6);
	case ETHERTYPE_VLAN: return step_end(V_ETH_VLAN); /* a tag in a tag */
	default: return step_end(V_ETH_TYPE);
	}
}

/* No header: the packet says itself of which version it is. */
static struct step packet_input(struct pkt *p)
{
	if (p->len == 0)
		return step_end(V_SHORT);
	p->l3 = p->data;
	switch (p->data[0] >> 4) {
	case 4: return step_to(NEXT_IP4);
	case 6: return step_to(NEXT_IP6);
	default: return step_end(V_ETH_TYPE);
	}
}

struct step eth_input(struct eth *eth, struct pkt *p)
{
	struct rd r = rd_of(p->data, p->len);
	struct eth_header h;

	p->iface = eth->index;
	if (eth->point_to_point)
		return packet_input(p);
	if (!eth_parse(&r, &h))
		return step_end(V_SHORT);
	if (mac_is_multicast(h.dst))
		p->flags |= PKT_BROADCAST;
	else if (!mac_eq(h.dst, eth->mac))
		return step_end(V_ETH_NOT_OURS);
	if (h.tagged) {
		/* The port took one tag off already: this is the second. */
		if (p->flags & PKT_VLAN)
			return step_end(V_ETH_VLAN);
		p->flags |= PKT_VLAN;
		p->vlan = h.tci;
	}
	if ((p->flags & PKT_VLAN ? p->vlan & ETH_VLAN_MASK : 0) != eth->vlan)
		return step_end(V_ETH_VLAN);
	pkt_pull(p, h.len);
	p->l3 = p->data;
	return next_of(h.type);
}

static void put_header(struct eth *eth, struct pkt *p, struct mac dst,
		       enum ethertype type)
{
	struct eth_header h = {
		.dst = dst,
		.src = eth->mac,
		.type = (uint16_t)type,
		.tci = eth->vlan,
		.tagged = eth->vlan != 0,
	};
	uint32_t len = ETH_HEADER_LEN + (h.tagged ? ETH_TAG_LEN : 0);
	struct wr w = wr_of(pkt_push(p, len), len);

	eth_emit(&w, &h);
}

void eth_output(struct eth *eth, struct pkt *p, struct mac dst, enum ethertype type,
		uint64_t now_ns)
{
	p->l3 = p->data;
	if (!eth->point_to_point)
		put_header(eth, p, dst, type);
	if (eth->n_txq == ETH_TXQ_LEN)
		eth_flush(eth, now_ns);
	eth->txq[eth->n_txq++] = p;
}

/* Frames on their way to the port, handed over when the burst is full. */
struct burst {
	struct port *port;
	uint64_t now_ns;
	unsigned n;
	struct pkt *frames[PORT_BURST];
};

static void burst_send(struct burst *b)
{
	if (b->n)
		port_tx_burst(b->port, b->frames, b->n, b->now_ns);
	b->n = 0;
}

static void burst_add(struct burst *b, struct pkt *p)
{
	if (p->flags & PKT_SUM_PARTIAL && !(b->port->caps & PORT_TX_SUM))
		offload_sum(p);
	b->frames[b->n++] = p;
	if (b->n == PORT_BURST)
		burst_send(b);
}

static void burst_add_cut(struct burst *b, struct pkt *super)
{
	struct offload_cut cut;
	struct pkt *seg;

	offload_cut_start(&cut, super);
	while ((seg = offload_cut_next(&cut)))
		burst_add(b, seg);
	b->port->stats.tx_no_memory += offload_cut_end(&cut);
}

void eth_flush(struct eth *eth, uint64_t now_ns)
{
	struct burst b = { .port = eth->port, .now_ns = now_ns };

	for (unsigned i = 0; i < eth->n_txq; i++) {
		struct pkt *p = eth->txq[i];

		if (offload_must_cut(p, b.port->caps))
			burst_add_cut(&b, p);
		else
			burst_add(&b, p);
	}
	eth->n_txq = 0;
	burst_send(&b);
}

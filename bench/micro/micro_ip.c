/*
 * What IP does with each packet: from the transport's header to the port's queue, and
 * from the stripped frame to the transport.
 *
 * Packets go to one neighbour, to a few hosts behind the gateway (all remembered with
 * the way to them), and to very many (each has to be looked up).  The port throws
 * away what it is given, at once.
 */
#include "arp/arp_wire.h"
#include "arp/neigh.h"
#include "bench/micro/micro.h"
#include "eth/eth.h"
#include "ip/ip.h"
#include "ip/ip4_wire.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"
#include "stack/base/wheel.h"

enum { N_PKTS = 512, TCP_LEN = 32, N_FEW = 16, N_MANY = 4096 };

struct bench {
	struct pkt_pool pool;
	struct wheel wheel;
	struct rng rng;
	struct hash_key key;
	struct port port;
	struct eth eth;
	struct neigh_table *neigh;
	struct ip *ip;
	struct pkt *pkts[N_PKTS];
	uint8_t *l3[N_PKTS]; /* where the received ones begin */
	uint32_t n_dsts, next;
	struct addr dsts[N_MANY];
};

static const struct addr host = { ADDR_IP4, .ip4 = { { 192, 0, 2, 1 } } };
static const struct addr gateway = { ADDR_IP4, .ip4 = { { 192, 0, 2, 254 } } };

static void throw_away(struct port *port, struct pkt **burst, unsigned n, uint64_t now_ns)
{
	(void)port;
	(void)now_ns;
	for (unsigned i = 0; i < n; i++)
		pkt_free(burst[i]);
}

static const struct port_ops null_ops = { .name = "null", .tx_burst = throw_away };

/* ---- out ---- */

static void run_output(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned i = 0; i < N_PKTS; i++) {
		struct ip_out how = {
			.src = host,
			.dst = b->dsts[b->next++ % b->n_dsts],
			.proto = IP_PROTO_TCP,
			.flags = IP_DF,
		};
		struct pkt *p = pkt_new(&b->pool, PKT_CONTROL);

		pkt_push(p, TCP_LEN);
		micro_keep((uint64_t)ip_output(b->ip, p, &how, 0));
	}
	eth_flush(&b->eth, 0);
}

/* ---- in ---- */

static void make_received(struct bench *b)
{
	struct ip4_header h = {
		.total_len = IP4_HEADER_LEN + TCP_LEN,
		.df = true,
		.ttl = 64,
		.proto = IP_PROTO_TCP,
		.src = gateway.ip4,
		.dst = host.ip4,
	};

	for (unsigned i = 0; i < N_PKTS; i++) {
		struct pkt *p = pkt_new_buf(&b->pool, PKT_DATA, 64);

		ASSERT(p);
		p->len = p->total_len = h.total_len;
		ip4_emit(p->data, &h);
		b->pkts[i] = p;
		b->l3[i] = p->data;
	}
}

static void rewind_received(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned i = 0; i < N_PKTS; i++) {
		struct pkt *p = b->pkts[i];

		p->data = b->l3[i];
		p->len = p->total_len = IP4_HEADER_LEN + TCP_LEN;
	}
}

static void run_input(void *ctx)
{
	struct bench *b = ctx;

	for (unsigned i = 0; i < N_PKTS; i++)
		micro_keep(ip4_input(b->ip, b->pkts[i], 0).next);
}

/* ---- all of it ---- */

/* The gateway asks for us, and so is known; a connection confirms it. */
static void learn_gateway(struct bench *b)
{
	struct arp_msg ask = {
		.op = ARP_REQUEST,
		.sender_mac = { { 2, 0, 0, 0, 0, 2 } },
		.sender_ip = gateway.ip4,
		.target_ip = host.ip4,
	};
	struct pkt *p = pkt_new(&b->pool, PKT_CONTROL);
	struct wr w = wr_of(pkt_push(p, ARP_LEN), ARP_LEN);

	arp_emit(&w, &ask);
	ASSERT(arp_input(b->neigh, &b->eth, p, 0).verdict == V_DONE);
	pkt_free(p);
	neigh_confirm(b->neigh, &b->eth, &gateway, 0);
	eth_flush(&b->eth, 0);
}

static void set_up(struct bench *b)
{
	struct ip_route out = { .prefix.family = ADDR_IP4, .gateway = gateway };

	ASSERT(pkt_pool_init(&b->pool, 4096, 1024) == 0);
	wheel_init(&b->wheel, 0);
	rng_init(&b->rng, 1);
	b->port = (struct port){ .ops = &null_ops, .mtu = 1500, .fd = -1 };
	eth_init(&b->eth, &b->port, 0);
	ASSERT(neigh_new(&b->neigh, NEIGH_MAX, &b->pool, &b->wheel, &b->rng) == 0);
	ASSERT(ip_new(&b->ip, b->neigh, &b->pool, &b->wheel, &b->rng, &b->key) == 0);
	ASSERT(ip_iface_add(b->ip, &b->eth) == 0);
	ASSERT(ip_addr_add(b->ip, 0, &host, 24, false, 0) == 0);
	ASSERT(ip_route_add(b->ip, &out) == 0);
	learn_gateway(b);
	for (unsigned i = 0; i < N_MANY; i++) {
		b->dsts[i].family = ADDR_IP4;
		b->dsts[i].ip4 =
			(struct ip4){ { 10, 0, (uint8_t)(i / 256), (uint8_t)i } };
	}
	make_received(b);
}

void micro_ip(void)
{
	static struct bench b;
	struct micro output = {
		.what = "ip output",
		.n_ops = N_PKTS,
		.run = run_output,
		.ctx = &b,
	};
	struct micro input = {
		.what = "ip4 input",
		.size = "1 peer",
		.n_ops = N_PKTS,
		.before = rewind_received,
		.run = run_input,
		.ctx = &b,
	};

	set_up(&b);
	b.n_dsts = 1;
	output.size = "1 host";
	micro_row(&output);
	b.n_dsts = N_FEW;
	output.size = "16 hosts";
	micro_row(&output);
	b.n_dsts = N_MANY;
	output.size = "4096";
	micro_row(&output);
	micro_row(&input);
}

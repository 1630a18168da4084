#include "tests/lib/host.h"

#include <stdlib.h>

#include "stack/base/check.h"

enum { HOST_HEADROOM = 128 };

const struct mac host_mac[HOST_IFACES] = {
	{ { 2, 0, 0, 0, 0, 1 } },
	{ { 2, 0, 0, 0, 0, 2 } },
};
const struct mac peer_mac[HOST_IFACES] = {
	{ { 2, 0, 0, 0, 1, 1 } },
	{ { 2, 0, 0, 0, 1, 2 } },
};
const struct mac all_mac = { { 255, 255, 255, 255, 255, 255 } };
const struct ip4 host_ip[HOST_IFACES] = {
	{ { 192, 0, 2, 1 } },
	{ { 198, 51, 100, 1 } },
};
const struct ip4 peer_ip[HOST_IFACES] = {
	{ { 192, 0, 2, 9 } },
	{ { 198, 51, 100, 9 } },
};
const struct ip4 gateway_ip = { { 192, 0, 2, 254 } };

const struct ip6 host_ip6[HOST_IFACES] = {
	{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
	{ { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 1 } },
};
const struct ip6 host_ll[HOST_IFACES] = {
	{ { 0xfe, 0x80, [15] = 1 } },
	{ { 0xfe, 0x80, [15] = 2 } },
};
const struct ip6 peer_ip6[HOST_IFACES] = {
	{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 9 } },
	{ { 0x20, 0x01, 0x0d, 0xb8, 0, 1, [15] = 9 } },
};
const struct ip6 gateway_ll = { { 0xfe, 0x80, [15] = 0xfe } };

struct host *host_bare(void)
{
	struct host *h = calloc(1, sizeof(*h));

	ASSERT(h);
	h->key = (struct hash_key){ { 1, 2 } };
	h->now_ns = UINT64_C(1000000000);
	ASSERT(pkt_pool_init(&h->pool, HOST_PKTS, HOST_BUFS) == 0);
	wheel_init(&h->wheel, h->now_ns);
	rng_init(&h->rng, 1);
	ASSERT(neigh_new(&h->neigh, NEIGH_MAX, &h->pool, &h->wheel, &h->rng) == 0);
	ASSERT(ip_new(&h->ip, h->neigh, &h->pool, &h->wheel, &h->rng, &h->key) == 0);
	ASSERT(udp_new(&h->udp, h->ip, &h->pool, &h->rng, &h->key) == 0);
	for (unsigned i = 0; i < HOST_IFACES; i++) {
		capture_init(&h->cap[i], &h->pool, host_mac[i], 0);
		eth_init(&h->eth[i], &h->cap[i].port, (uint8_t)i);
		ASSERT(ip_iface_add(h->ip, &h->eth[i]) == 0);
	}
	return h;
}

struct host *host_new(void)
{
	struct host *h = host_bare();
	struct ip_route out = {
		.prefix = { .family = ADDR_IP4 },
		.gateway = addr_ip4(gateway_ip),
	};

	for (unsigned i = 0; i < HOST_IFACES; i++) {
		struct addr own = addr_ip4(host_ip[i]);

		ASSERT(ip_addr_add(h->ip, i, &own, 24, false, h->now_ns) == 0);
	}
	ASSERT(ip_route_add(h->ip, &out) == 0);
	host_pass(h, UINT64_C(3000000000));
	host_drain(h);
	return h;
}

struct host *host_with_peers(void)
{
	struct host *h = host_new();
	struct addr gateway = addr_ip4(gateway_ip);

	for (unsigned i = 0; i < HOST_IFACES; i++)
		host_learn(h, i, peer_ip[i], peer_mac[i]);
	host_learn(h, 0, gateway_ip, peer_mac[0]);
	/* They are reachable, so that nothing is asked about them in between. */
	for (unsigned i = 0; i < HOST_IFACES; i++) {
		struct addr peer = addr_ip4(peer_ip[i]);

		neigh_confirm(h->neigh, &h->eth[i], &peer, h->now_ns);
	}
	neigh_confirm(h->neigh, &h->eth[0], &gateway, h->now_ns);
	return h;
}

void host_speak6(struct host *h)
{
	struct ip_route out = {
		.prefix = { .family = ADDR_IP6 },
		.gateway = addr_ip6(gateway_ll),
	};

	for (unsigned i = 0; i < HOST_IFACES; i++) {
		struct addr own = addr_ip6(host_ip6[i]), ll = addr_ip6(host_ll[i]);

		ASSERT(ip_addr_add(h->ip, i, &ll, 64, false, h->now_ns) == 0);
		ASSERT(ip_addr_add(h->ip, i, &own, 64, false, h->now_ns) == 0);
	}
	ASSERT(ip_route_add(h->ip, &out) == 0);
	host_pass(h, UINT64_C(3000000000));
	host_drain(h);
}

struct host *host6_with_peers(void)
{
	struct host *h = host_bare();
	struct addr gateway = addr_ip6(gateway_ll);

	host_speak6(h);
	for (unsigned i = 0; i < HOST_IFACES; i++) {
		struct addr peer = addr_ip6(peer_ip6[i]);

		host6_learn(h, i, peer_ip6[i], peer_mac[i]);
		neigh_confirm(h->neigh, &h->eth[i], &peer, h->now_ns);
	}
	host6_learn(h, 0, gateway_ll, peer_mac[0]);
	neigh_confirm(h->neigh, &h->eth[0], &gateway, h->now_ns);
	return h;
}

void host_free(struct host *h)
{
	neigh_check(h->neigh);
	ip_check(h->ip);
	pkt_free(h->up);
	if (h->dhcp)
		dhcp4_free(h->dhcp);
	udp_free(h->udp);
	ip_free(h->ip);
	neigh_free(h->neigh);
	for (unsigned i = 0; i < HOST_IFACES; i++)
		eth_fini(&h->eth[i]);
	ASSERT(h->wheel.n_armed == 0);
	ASSERT(h->pool.pkts.n_out == 0 && h->pool.bufs.n_out == 0);
	pkt_pool_fini(&h->pool);
	free(h);
}

void host_pass(struct host *h, uint64_t ns)
{
	uint64_t until_ns = h->now_ns + ns;
	uint64_t due_ns;

	while ((due_ns = wheel_due(&h->wheel)) < until_ns) {
		h->now_ns = due_ns > h->now_ns ? due_ns : h->now_ns;
		wheel_run(&h->wheel, h->now_ns);
	}
	h->now_ns = until_ns;
	wheel_run(&h->wheel, h->now_ns);
}

/* Passes @p on from layer to layer, as the core's loop does. */
static struct step walk(struct host *h, struct pkt *p, struct step s)
{
	struct eth *eth = &h->eth[p->iface % HOST_IFACES];

	for (;;) {
		switch (s.next) {
		case NEXT_ARP: s = arp_input(h->neigh, eth, p, h->now_ns); break;
		case NEXT_IP4: s = ip4_input(h->ip, p, h->now_ns); break;
		case NEXT_ICMP4: s = icmp4_input(h->ip, p, h->now_ns); break;
		case NEXT_UDP: s = udp_input(h->udp, p, h->now_ns); break;
		case NEXT_UDP_ERROR: s = udp_error_input(h->udp, p, h->now_ns); break;
		case NEXT_IP6: s = ip6_input(h->ip, p, h->now_ns); break;
		case NEXT_ICMP6: s = icmp6_input(h->ip, p, h->now_ns); break;
		case NEXT_DHCP4: s = dhcp4_input(h->dhcp, p, h->now_ns); break;
		case NEXT_TCP:
		case NEXT_TCP_ERROR: h->up = p; return s;
		case NEXT_NONE:
			if (s.verdict != V_KEPT)
				pkt_free(p);
			return s;
		}
	}
}

struct step host_receive_pkt(struct host *h, unsigned i, struct pkt *p)
{
	pkt_free(h->up);
	h->up = NULL;
	return walk(h, p, eth_input(&h->eth[i], p));
}

struct step host_receive(struct host *h, unsigned i, const void *frame, uint32_t len)
{
	return host_receive_pkt(h, i, capture_pkt(&h->pool, frame, len));
}

struct step host_loop(struct host *h)
{
	struct pkt *p = ip_loop_pop(h->ip);

	pkt_free(h->up);
	h->up = NULL;
	if (!p)
		return step_end(V_COUNT);
	return walk(h, p, step_to(p->data[0] >> 4 == 6 ? NEXT_IP6 : NEXT_IP4));
}

bool host_sent(struct host *h, unsigned i, struct look *l)
{
	eth_flush(&h->eth[i], h->now_ns);
	h->frame_len = capture_take(&h->cap[i], h->frame, sizeof(h->frame));
	*l = look(h->frame, h->frame_len);
	return h->frame_len != 0;
}

unsigned host_drain(struct host *h)
{
	struct look l;
	unsigned n = 0;

	for (unsigned i = 0; i < HOST_IFACES; i++)
		while (host_sent(h, i, &l))
			n++;
	return n;
}

struct build_ip4 host_from_peer(unsigned i)
{
	return (struct build_ip4){
		.eth_dst = host_mac[i],
		.eth_src = peer_mac[i],
		.src = peer_ip[i],
		.dst = host_ip[i],
	};
}

struct build_ip6 host6_from_peer(unsigned i)
{
	return (struct build_ip6){
		.eth_dst = host_mac[i],
		.eth_src = peer_mac[i],
		.src = peer_ip6[i],
		.dst = host_ip6[i],
	};
}

void host6_learn(struct host *h, unsigned i, struct ip6 ip, struct mac mac)
{
	struct build_nd ask = {
		.type = 135, .target = host_ip6[i], .mac_option = 1, .mac = mac
	};
	struct build_ip6 packet = {
		.eth_dst = build_group_mac(build_solicited_node(host_ip6[i])),
		.eth_src = mac,
		.src = ip,
		.dst = build_solicited_node(host_ip6[i]),
	};
	uint8_t frame[128];

	host_receive(h, i, frame, build_nd(frame, &packet, &ask));
	host_drain(h);
}

void host_learn(struct host *h, unsigned i, struct ip4 ip, struct mac mac)
{
	struct build_arp ask = {
		.eth_dst = all_mac,
		.eth_src = mac,
		.op = 1,
		.sender_mac = mac,
		.sender_ip = ip,
		.target_ip = host_ip[i],
	};
	uint8_t frame[64];

	host_receive(h, i, frame, build_arp(frame, &ask));
	host_drain(h);
}

struct pkt *host_bytes(struct host *h, uint32_t len)
{
	struct pkt *first = NULL;
	uint32_t at = 0;

	do {
		struct pkt *p =
			pkt_new_buf(&h->pool, PKT_DATA, first ? 0 : HOST_HEADROOM);

		ASSERT(p);
		for (; pkt_room(p) && at < len; at++) {
			uint8_t byte = (uint8_t)at;

			ASSERT(pkt_append(p, &byte, 1));
		}
		if (first)
			pkt_chain(first, p);
		else
			first = p;
	} while (at < len);
	return first;
}

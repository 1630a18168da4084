#include <criterion/criterion.h>
#include <stdio.h>

#include "eth/eth.h"
#include "stack/base/pkt.h"
#include "tests/lib/build.h"
#include "tests/lib/capture.h"
#include "tests/lib/case.h"
#include "tests/lib/look.h"

static const struct mac ours = { { 2, 0, 0, 0, 0, 1 } };
static const struct mac theirs = { { 2, 0, 0, 0, 0, 2 } };
static const struct mac all = { { 255, 255, 255, 255, 255, 255 } };
static const struct mac group = { { 1, 0, 0x5e, 0, 0, 1 } };

static struct pkt_pool pool;
static struct capture cap;
static struct eth eth;

static void setup_with(uint32_t caps)
{
	cr_assert_eq(pkt_pool_init(&pool, 2048, 256), 0);
	capture_init(&cap, &pool, ours, caps);
	eth_init(&eth, &cap.port, 3);
}

static void setup(void)
{
	setup_with(0);
}

static void clean(void)
{
	eth_fini(&eth);
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(eth, setup, clean);

/* What becomes of a frame; its packet is freed unless @keep. */
static struct step input(const uint8_t *frame, uint32_t len, struct pkt **keep)
{
	struct pkt *p = capture_pkt(&pool, frame, len);
	struct step s = eth_input(&eth, p);

	if (keep)
		*keep = p;
	else
		pkt_free(p);
	return s;
}

static struct step input_to(struct mac dst, uint16_t type)
{
	uint8_t frame[64];
	uint32_t len = build_eth(frame, dst, theirs, type, "hello", 5);

	return input(frame, len, NULL);
}

static void expect_next(struct step s, enum next next)
{
	cr_assert_eq(s.next, next);
}

static void expect_end(struct step s, enum verdict v)
{
	cr_assert_eq(s.next, NEXT_NONE);
	cr_assert_eq(s.verdict, v);
}

Case(eth, says_who_reads_the_packet)
{
	expect_next(input_to(ours, ETHERTYPE_ARP), NEXT_ARP);
	expect_next(input_to(ours, ETHERTYPE_IP4), NEXT_IP4);
	expect_next(input_to(ours, ETHERTYPE_IP6), NEXT_IP6);
}

Case(eth, strips_the_header_and_says_where_the_packet_came_in)
{
	uint8_t frame[64];
	uint32_t len = build_eth(frame, ours, theirs, ETHERTYPE_IP4, "hello", 5);
	struct pkt *p;

	expect_next(input(frame, len, &p), NEXT_IP4);
	cr_assert_eq(p->total_len, 5);
	cr_assert_arr_eq(p->data, "hello", 5);
	cr_assert_eq(p->l3, p->data);
	cr_assert_eq(p->iface, 3);
	cr_assert_eq(p->flags & (PKT_BROADCAST | PKT_VLAN), 0);
	pkt_free(p);
}

Case(eth, takes_group_addresses_and_marks_them)
{
	static const struct mac *const groups[] = { &all, &group };

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		uint8_t frame[64];
		uint32_t len = build_eth(frame, *groups[i], theirs, ETHERTYPE_ARP, "", 0);
		struct pkt *p;

		expect_next(input(frame, len, &p), NEXT_ARP);
		cr_assert(p->flags & PKT_BROADCAST);
		pkt_free(p);
	}
}

Case(eth, leaves_frames_for_other_stations)
{
	for (unsigned i = 0; i < 48; i++) {
		struct mac other = ours;

		other.b[i / 8] ^= (uint8_t)(1 << i % 8);
		if (mac_is_multicast(other))
			continue;
		expect_end(input_to(other, ETHERTYPE_IP4), V_ETH_NOT_OURS);
	}
}

Case(eth, refuses_every_truncation_of_a_header)
{
	uint8_t frame[64];

	build_eth(frame, ours, theirs, ETHERTYPE_VLAN, "\0\0\x08\0", 4);
	for (uint32_t len = 1; len < 18; len++)
		expect_end(input(frame, len, NULL), V_SHORT);
	expect_next(input(frame, 18, NULL), NEXT_IP4);
	build_eth(frame, ours, theirs, ETHERTYPE_IP4, NULL, 0);
	for (uint32_t len = 1; len < 14; len++)
		expect_end(input(frame, len, NULL), V_SHORT);
	expect_next(input(frame, 14, NULL), NEXT_IP4);
}

Case(eth, ends_types_that_nobody_speaks)
{
	expect_end(input_to(ours, 0x88a8), V_ETH_TYPE);
	expect_end(input_to(ours, 0x0026), V_ETH_TYPE); /* an IEEE 802.3 length */
	expect_end(input_to(group, 0x88cc), V_ETH_TYPE);
}

static struct step input_tagged(uint16_t tci, const char *type, struct pkt **keep)
{
	uint8_t frame[64], payload[6] = { (uint8_t)(tci >> 8), (uint8_t)tci };
	uint32_t len;

	memcpy(payload + 2, type, 2);
	len = build_eth(frame, ours, theirs, ETHERTYPE_VLAN, payload, sizeof(payload));
	return input(frame, len, keep);
}

Case(eth, reads_a_priority_tag_and_strips_it)
{
	struct pkt *p;

	expect_next(input_tagged(0xe000, "\x08\x06", &p), NEXT_ARP);
	cr_assert(p->flags & PKT_VLAN);
	cr_assert_eq(p->vlan, 0xe000);
	cr_assert_eq(p->total_len, 2);
	cr_assert_eq(p->l3, p->data);
	pkt_free(p);
}

Case(eth, leaves_frames_of_a_vlan)
{
	expect_end(input_tagged(0x0001, "\x08\x00", NULL), V_ETH_VLAN);
	expect_end(input_tagged(0x0fff, "\x08\x00", NULL), V_ETH_VLAN);
	expect_end(input_tagged(0x0000, "\x81\x00", NULL), V_ETH_VLAN);
}

Case(eth, counts_a_tag_that_the_port_took_off)
{
	static const struct {
		uint16_t vlan, type;
		struct step step;
	} cases[] = {
		{ 0x2000, ETHERTYPE_IP4, { NEXT_IP4, V_KEPT } },
		{ 0x2005, ETHERTYPE_IP4, { NEXT_NONE, V_ETH_VLAN } },
		{ 0x2000, ETHERTYPE_VLAN, { NEXT_NONE, V_ETH_VLAN } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t frame[64];
		uint32_t len =
			build_eth(frame, ours, theirs, cases[i].type, "\0\0\x08\0", 4);
		struct pkt *p = capture_pkt(&pool, frame, len);
		struct step s;

		p->flags |= PKT_VLAN;
		p->vlan = cases[i].vlan;
		s = eth_input(&eth, p);
		cr_assert_eq(s.next, cases[i].step.next, "case %zu", i);
		cr_assert_eq(s.verdict, cases[i].step.verdict, "case %zu", i);
		pkt_free(p);
	}
}

static void output(const char *text)
{
	struct pkt *p = pkt_new(&pool, PKT_CONTROL);
	uint32_t len = (uint32_t)strlen(text);

	memcpy(pkt_push(p, len), text, len);
	eth_output(&eth, p, theirs, ETHERTYPE_ARP, 0);
}

Case(eth, sends_at_the_end_of_the_turn_with_a_header)
{
	uint8_t frame[64];

	output("hello");
	cr_assert_eq(cap.n_tx, 0);
	eth_flush(&eth, 0);
	cr_assert_eq(capture_take(&cap, frame, sizeof(frame)), 14 + 5);
	cr_assert_arr_eq(frame, "\2\0\0\0\0\2\2\0\0\0\0\1\x08\x06hello", 19);
	eth_flush(&eth, 0);
	cr_assert_eq(cap.n_tx, 0);
}

Case(eth, flushes_a_full_queue_early_and_keeps_the_order)
{
	enum { N = 2 * ETH_TXQ_LEN + 3 };
	uint8_t frame[64];

	for (int i = 0; i < N; i++) {
		char text[8];

		snprintf(text, sizeof(text), "%d", i);
		output(text);
	}
	cr_assert_eq(cap.n_tx, 2 * ETH_TXQ_LEN);
	eth_flush(&eth, 0);
	cr_assert_eq(cap.n_tx, N);
	for (int i = 0; i < N; i++) {
		uint32_t len = capture_take(&cap, frame, sizeof(frame));

		frame[len] = 0;
		cr_assert_eq(atoi((char *)frame + 14), i);
	}
}

Case(eth, gives_back_what_waits_when_it_ends)
{
	output("never sent");
	cr_assert_eq(pool.pkts.n_out, 1);
	/* clean() looks at the pools */
}

/* A TCP packet of @len bytes of payload in one buffer, ready for eth_output(). */
static struct pkt *tcp_packet(uint32_t len, uint16_t gso_len)
{
	static const struct build_ip4 ip = { .src = { { 192, 0, 2, 1 } },
					     .dst = { { 192, 0, 2, 2 } } };
	static const struct build_tcp tcp = { .src_port = 25, .dst_port = 4000 };
	static uint8_t frame[4096], payload[4096 - 54];
	struct pkt *p = pkt_new(&pool, PKT_DATA);
	struct pkt *tail = pkt_new_buf(&pool, PKT_DATA, 0);
	uint16_t sum = build_partial(ip.src, ip.dst, 6, 20 + len);

	build_tcp(frame, &ip, &tcp, payload, len);
	memcpy(pkt_push(p, 40), frame + 14, 40);
	cr_assert(pkt_append(tail, frame + 54, len));
	pkt_chain(p, tail);
	p->l4 = p->data + 20;
	p->proto = 6;
	p->gso_len = gso_len;
	p->flags |= PKT_SUM_PARTIAL;
	memcpy(p->l4 + 16, &sum, sizeof(sum));
	return p;
}

Case(eth, cuts_and_sums_what_the_port_cannot)
{
	uint8_t frame[2048];

	eth_output(&eth, tcp_packet(2500, 1000), theirs, ETHERTYPE_IP4, 0);
	eth_output(&eth, tcp_packet(10, 0), theirs, ETHERTYPE_IP4, 0);
	eth_flush(&eth, 0);
	cr_assert_eq(cap.n_tx, 4);
	for (unsigned i = 0; i < 4; i++) {
		static const uint32_t payload[] = { 1000, 1000, 500, 10 };
		struct look l = look(frame, capture_take(&cap, frame, sizeof(frame)));

		cr_assert(l.sound);
		cr_assert_eq(l.payload_len, payload[i]);
		cr_assert(mac_eq(l.eth_dst, theirs) && mac_eq(l.eth_src, ours));
	}
}

Case(eth, counts_segments_for_which_there_was_no_memory)
{
	struct pkt *p = tcp_packet(2500, 1000), *held = NULL, *q;

	while ((q = pkt_new(&pool, PKT_DATA))) {
		q->link = held;
		held = q;
	}
	eth_output(&eth, p, theirs, ETHERTYPE_IP4, 0);
	eth_flush(&eth, 0);
	cr_assert_eq(cap.n_tx, 0);
	cr_assert_eq(cap.port.stats.tx_no_memory, 3);
	pkt_free_list(held);
}

static void setup_capable(void)
{
	setup_with(PORT_TX_SUM | PORT_TX_TSO4);
}

Cases(eth_offload, setup_capable, clean);

Case(eth_offload, passes_super_frames_whole_to_a_port_that_can)
{
	struct pkt *p;

	eth_output(&eth, tcp_packet(2500, 1000), theirs, ETHERTYPE_IP4, 0);
	eth_flush(&eth, 0);
	cr_assert_eq(cap.n_tx, 1);
	p = capture_pop(&cap);
	cr_assert_eq(p->gso_len, 1000);
	cr_assert(p->flags & PKT_SUM_PARTIAL);
	cr_assert_eq(p->l3, p->data + 14);
	cr_assert_eq(p->l4, p->data + 34);
	pkt_free(p);
}

Case(eth, a_point_to_point_link_carries_packets_as_they_are)
{
	static const uint8_t ip4[20] = { 0x45 }, ip6[40] = { 0x60 }, other[] = { 0x10 };
	uint8_t out[64];
	struct pkt *p;

	eth.point_to_point = true;
	expect_next(input(ip4, sizeof(ip4), &p), NEXT_IP4);
	cr_assert_eq(p->l3, p->data);
	cr_assert_eq(p->total_len, sizeof(ip4));
	cr_assert_eq(p->iface, 3);
	pkt_free(p);
	expect_next(input(ip6, sizeof(ip6), NULL), NEXT_IP6);
	expect_end(input(other, sizeof(other), NULL), V_ETH_TYPE);
	eth_output(&eth, capture_pkt(&pool, ip4, sizeof(ip4)), all, ETHERTYPE_IP4, 0);
	eth_flush(&eth, 0);
	cr_assert_eq(capture_take(&cap, out, sizeof(out)), sizeof(ip4));
	cr_assert_arr_eq(out, ip4, sizeof(ip4));
}

/* ---- in a VLAN ---- */

/* A frame with the tag @tci in front of an IPv4 packet. */
static struct step input_in_vlan(uint16_t tci)
{
	uint8_t tag[4] = { (uint8_t)(tci >> 8), (uint8_t)tci, 8, 0 }, frame[64];

	return input(frame, build_eth(frame, ours, theirs, ETHERTYPE_VLAN, tag, 4), NULL);
}

Case(eth, of_a_vlan_reads_what_is_tagged_so_and_nothing_else)
{
	eth.vlan = 10;
	expect_next(input_in_vlan(10), NEXT_IP4);
	expect_next(input_in_vlan(0xe000 | 10), NEXT_IP4); /* with any priority */
	expect_end(input_in_vlan(11), V_ETH_VLAN);
	expect_end(input_in_vlan(0), V_ETH_VLAN);
	expect_end(input_to(ours, ETHERTYPE_IP4), V_ETH_VLAN);
	eth.vlan = 0;
	expect_end(input_in_vlan(10), V_ETH_VLAN);
}

Case(eth, of_a_vlan_tags_what_it_sends)
{
	static const uint8_t head[] = { 2, 0, 0, 0,    0, 2,	2,    0, 0,
					0, 0, 1, 0x81, 0, 0x0f, 0xfe, 8, 0 };
	struct pkt *p = pkt_new(&pool, PKT_DATA);
	uint8_t frame[64];

	eth.vlan = 4094;
	memset(pkt_push(p, 5), 'x', 5);
	eth_output(&eth, p, theirs, ETHERTYPE_IP4, 0);
	eth_flush(&eth, 0);
	cr_assert_eq(capture_take(&cap, frame, sizeof(frame)), sizeof(head) + 5);
	cr_assert_arr_eq(frame, head, sizeof(head));
}

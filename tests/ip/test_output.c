#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;

static void setup(void)
{
	h = host_with_peers();
}

static void clean(void)
{
	host_free(h);
}

Cases(output, setup, clean);

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	cr_assert(text[0] == 0 || addr_parse(text, &a));
	return a;
}

/* A packet of 40 bytes from @src ("": any) to @dst. */
static int output(const char *src, const char *dst, uint8_t flags)
{
	struct ip_out how = {
		.src = addr(src),
		.dst = addr(dst),
		.proto = 200,
		.flags = flags,
	};

	return ip_output(h->ip, host_bytes(h, 40), &how, h->now_ns);
}

static bool sent(unsigned iface, struct mac to, const char *src, const char *dst)
{
	struct addr a = addr(src), b = addr(dst);

	return host_sent(h, iface, &l) && l.sound && l.type == 0x0800 &&
	       mac_eq(l.eth_dst, to) && ip4_eq(l.src, a.ip4) && ip4_eq(l.dst, b.ip4);
}

static bool silent(void)
{
	return !host_sent(h, 0, &l) && !host_sent(h, 1, &l);
}

/* ---- where to ---- */

Case(output, to_a_neighbour_directly)
{
	cr_assert_eq(output("", "192.0.2.9", 0), 0);
	cr_assert(sent(0, peer_mac[0], "192.0.2.1", "192.0.2.9"));
	cr_assert(l.ttl == IP_TTL_DEFAULT && l.proto == 200 && l.tos == 0 && !l.df);
	cr_assert_eq(output("", "198.51.100.9", 0), 0);
	cr_assert(sent(1, peer_mac[1], "198.51.100.1", "198.51.100.9"));
	cr_assert_eq(ip_stats(h->ip)->out, 2);
}

Case(output, to_others_by_the_gateway)
{
	cr_assert_eq(output("", "203.0.113.5", 0), 0);
	cr_assert(sent(0, peer_mac[0], "192.0.2.1", "203.0.113.5"));
}

Case(output, with_the_source_that_was_given)
{
	cr_assert_eq(output("198.51.100.1", "203.0.113.5", 0), 0);
	cr_assert(sent(0, peer_mac[0], "198.51.100.1", "203.0.113.5"));
}

Case(output, the_header_says_how_it_shall_go)
{
	struct ip_out how = {
		.dst = addr("192.0.2.9"),
		.proto = IP_PROTO_TCP,
		.ttl = 3,
		.tos = 0xb8,
		.flags = IP_DF,
	};
	struct pkt *p = host_bytes(h, 20);
	const uint8_t *l4 = p->data;

	cr_assert_eq(ip_output(h->ip, p, &how, h->now_ns), 0);
	cr_assert(p->l4 == l4 && p->l3 == l4 - 20 && p->proto == IP_PROTO_TCP);
	cr_assert(host_sent(h, 0, &l) && l.ttl == 3 && l.tos == 0xb8 && l.df);
}

Case(output, without_a_route_nothing_is_sent)
{
	struct ip_route all = {
		.prefix.family = ADDR_IP4,
		.gateway = addr("192.0.2.254"),
	};

	cr_assert_eq(ip_route_del(h->ip, &all), 0);
	cr_assert_eq(output("", "203.0.113.5", 0), -ENETUNREACH);
	cr_assert_eq(output("", "2001:db8::1", 0), -ENETUNREACH);
	cr_assert_eq(output("", "", 0), -ENETUNREACH);
	cr_assert_eq(ip_stats(h->ip)->out_no_route, 3);
	cr_assert(silent());
}

Case(output, not_to_addresses_that_nobody_can_have)
{
	cr_assert_eq(output("", "0.0.0.0", 0), -ENETUNREACH);
	cr_assert_eq(output("", "0.1.2.3", 0), -ENETUNREACH);
	cr_assert_eq(output("", "240.0.0.1", 0), -ENETUNREACH);
	cr_assert_eq(output("", "255.255.255.254", 0), -ENETUNREACH);
	cr_assert(silent());
}

Case(output, a_new_route_counts_at_once)
{
	struct ip_route r = {
		.prefix = addr("203.0.113.0"),
		.bits = 24,
		.iface = 1,
		.gateway = addr("198.51.100.9"),
	};

	output("", "203.0.113.5", 0);
	cr_assert(sent(0, peer_mac[0], "192.0.2.1", "203.0.113.5"));
	cr_assert_eq(ip_route_add(h->ip, &r), 0);
	output("", "203.0.113.5", 0);
	cr_assert(sent(1, peer_mac[1], "198.51.100.1", "203.0.113.5"));
	cr_assert_eq(ip_route_del(h->ip, &r), 0);
	output("", "203.0.113.5", 0);
	cr_assert(sent(0, peer_mac[0], "192.0.2.1", "203.0.113.5"));
}

Case(output, destinations_do_not_disturb_each_other)
{
	char text[32];

	/* Many more than are remembered, twice. */
	for (unsigned i = 0; i < 1000; i++) {
		unsigned n = i % 500;

		snprintf(text, sizeof(text), "203.0.%u.%u", n / 16, n % 16);
		cr_assert_eq(output("", text, 0), 0);
		cr_assert(sent(0, peer_mac[0], "192.0.2.1", text));
	}
}

/* ---- groups ---- */

Case(output, broadcast_must_be_asked_for)
{
	cr_assert_eq(output("", "255.255.255.255", 0), -EACCES);
	cr_assert_eq(output("", "192.0.2.255", 0), -EACCES);
	cr_assert(silent());
	cr_assert_eq(output("", "255.255.255.255", IP_BROADCAST_OK), 0);
	cr_assert(sent(0, all_mac, "192.0.2.1", "255.255.255.255"));
	cr_assert_eq(output("", "198.51.100.255", IP_BROADCAST_OK), 0);
	cr_assert(sent(1, all_mac, "198.51.100.1", "198.51.100.255"));
}

Case(output, a_group_is_where_its_sender_is)
{
	struct mac mapped = { { 1, 0, 0x5e, 1, 1, 1 } };

	cr_assert_eq(output("", "239.1.1.1", 0), 0);
	cr_assert(sent(0, mapped, "192.0.2.1", "239.1.1.1"));
	cr_assert_eq(output("198.51.100.1", "239.1.1.1", 0), 0);
	cr_assert(sent(1, mapped, "198.51.100.1", "239.1.1.1"));
	cr_assert_eq(output("", "239.1.1.1", 0), 0);
	cr_assert(sent(0, mapped, "192.0.2.1", "239.1.1.1"));
	cr_assert_eq(output("198.51.100.1", "255.255.255.255", IP_BROADCAST_OK), 0);
	cr_assert(sent(1, all_mac, "198.51.100.1", "255.255.255.255"));
}

Case(output, a_group_is_where_its_route_goes)
{
	struct mac mapped = { { 1, 0, 0x5e, 1, 1, 1 } };
	struct ip_route r = { .prefix = addr("224.0.0.0"), .bits = 4, .iface = 1 };

	cr_assert_eq(ip_route_add(h->ip, &r), 0);
	cr_assert_eq(output("", "239.1.1.1", 0), 0);
	cr_assert(sent(1, mapped, "198.51.100.1", "239.1.1.1"));
}

/* ---- to ourselves ---- */

static struct udp_port port;

static int to_port(const char *src, const char *dst, uint32_t len, uint16_t flags)
{
	struct ip_out how = {
		.src = addr(src),
		.dst = addr(dst),
		.proto = IP_PROTO_UDP,
	};
	struct pkt *p = host_bytes(h, 8 + len);
	struct addr from = addr(src[0] ? src : dst), to = addr(dst);
	struct udp_header {
		uint8_t b[8];
	} header = { { 0, 9, 0, 99, (uint8_t)((8 + len) >> 8), (uint8_t)(8 + len) } };
	uint16_t sum;

	memcpy(p->data, header.b, 8);
	sum = build_sum(build_pseudo(from.ip4, to.ip4, 17, 8 + len), NULL, 0);
	if (!(flags & PKT_SUM_PARTIAL))
		sum = 0;
	p->data[6] = (uint8_t)(sum >> 8);
	p->data[7] = (uint8_t)sum;
	p->flags = flags;
	return ip_output(h->ip, p, &how, h->now_ns);
}

static uint32_t took(void)
{
	struct pkt *p = udp_recv(&port);
	uint32_t len = p ? p->total_len : 0;

	pkt_free(p);
	return len;
}

static void listen_99(void)
{
	port = (struct udp_port){ .flow.local_port = 99 };
	cr_assert_eq(udp_bind(h->udp, &port), 0);
}

Case(output, what_we_send_to_ourselves_comes_back)
{
	listen_99();
	cr_assert_eq(to_port("", "192.0.2.1", 40, 0), 0);
	cr_assert_eq(to_port("198.51.100.1", "192.0.2.1", 41, 0), 0);
	cr_assert_eq(to_port("", "127.0.0.1", 42, 0), 0);
	cr_assert(silent());
	for (uint32_t len = 40; len <= 42; len++) {
		cr_assert_eq(host_loop(h).verdict, V_KEPT);
		cr_assert_eq(took(), len);
	}
	cr_assert_eq(host_loop(h).verdict, V_COUNT);
}

Case(output, to_ourselves_sums_need_not_be_finished_nor_packets_cut)
{
	struct addr own = addr("192.0.2.1");

	listen_99();
	cr_assert(ip_can_gso(h->ip, &own));
	cr_assert_eq(ip_path_mtu(h->ip, &own), 65535);
	cr_assert_eq(to_port("", "192.0.2.1", 65507, PKT_SUM_PARTIAL), 0);
	cr_assert_eq(host_loop(h).verdict, V_KEPT);
	cr_assert_eq(took(), 65507);
}

Case(output, loopback_never_leaves_the_host)
{
	cr_assert_eq(output("127.0.0.1", "192.0.2.9", 0), -ENETUNREACH);
	cr_assert(silent());
}

Case(output, packets_to_ourselves_are_bounded)
{
	for (unsigned i = 0; i <= IP_LOOP_MAX; i++)
		cr_assert_eq(output("", "127.0.0.1", 0), 0);
	cr_assert_eq(ip_stats(h->ip)->loop_full, 1);
	ip_check(h->ip);
}

/* ---- super-frames ---- */

Case(output, super_frames_go_whole_to_a_port_that_takes_them)
{
	struct ip_out how = {
		.dst = addr("192.0.2.9"),
		.proto = IP_PROTO_TCP,
		.flags = IP_DF,
	};
	struct pkt *p;

	cr_assert(!ip_can_gso(h->ip, &how.dst));
	h->cap[0].port.caps = PORT_TX_SUM | PORT_TX_TSO4;
	h->ip->generation++;
	cr_assert(ip_can_gso(h->ip, &how.dst));
	p = host_bytes(h, 65515);
	p->flags = PKT_SUM_PARTIAL;
	p->gso_len = 1448;
	cr_assert_eq(ip_output(h->ip, p, &how, h->now_ns), 0);
	eth_flush(&h->eth[0], h->now_ns);
	p = capture_pop(&h->cap[0]);
	cr_assert(p && p->total_len == 14 + 65535 && p->gso_len == 1448);
	pkt_free(p);
	p = host_bytes(h, 65516);
	p->gso_len = 1448;
	cr_assert_eq(ip_output(h->ip, p, &how, h->now_ns), -EMSGSIZE);
	/* Each of its segments must fit the path. */
	p = host_bytes(h, 4000);
	p->data[12] = 0x80;
	p->gso_len = 1500 - 20 - 32 + 1;
	cr_assert_eq(ip_output(h->ip, p, &how, h->now_ns), -EMSGSIZE);
	/* But not to a group. */
	how.dst = addr("239.1.1.1");
	cr_assert(!ip_can_gso(h->ip, &how.dst));
}

/* ---- identification ---- */

Case(output, what_is_never_cut_needs_no_identification)
{
	for (unsigned i = 0; i < 3; i++) {
		output("", "192.0.2.9", IP_DF);
		cr_assert(sent(0, peer_mac[0], "192.0.2.1", "192.0.2.9") && l.id == 0);
	}
}

static uint16_t next_id(const char *dst)
{
	cr_assert_eq(output("", dst, 0), 0);
	cr_assert(host_sent(h, 0, &l));
	return l.id;
}

Case(output, identifications_to_one_say_nothing_of_another)
{
	uint16_t a = next_id("203.0.113.1"), b = next_id("203.0.113.2");
	unsigned steps = 0;

	/* They go on in steps that differ, each pair from its own start. */
	cr_assert_neq((uint16_t)(b - a), 1);
	for (unsigned i = 0; i < 20; i++) {
		uint16_t next = next_id("203.0.113.1");
		uint16_t step = (uint16_t)(next - a);

		cr_assert(step >= 1 && step <= 4);
		steps |= 1u << step;
		a = next;
	}
	cr_assert_eq(steps, 0x1e);
}

/* ---- neighbours ---- */

Case(output, progress_keeps_the_next_hop_reachable)
{
	struct addr far = addr("203.0.113.5");

	for (unsigned i = 0; i < 10; i++) {
		ip_confirm(h->ip, &far, h->now_ns);
		host_pass(h, 10 * NS_PER_S);
	}
	output("", "203.0.113.5", 0);
	cr_assert(host_sent(h, 0, &l) && l.type == 0x0800);
	cr_assert(silent()); /* no probe */
	ip_confirm(h->ip, &far, h->now_ns);
	far = addr("127.0.0.1");
	ip_confirm(h->ip, &far, h->now_ns);
}

Case(output, nobody_answering_is_told_to_the_transport)
{
	struct ip_out how = {
		.dst = addr("192.0.2.77"),
		.proto = IP_PROTO_TCP,
		.flags = IP_DF,
	};
	struct addr own = addr("192.0.2.1");
	struct ip_quote quote;

	cr_assert_eq(ip_output(h->ip, host_bytes(h, 20), &how, h->now_ns), 0);
	host_pass(h, 4 * NS_PER_S);
	cr_assert_eq(host_loop(h).next, NEXT_TCP_ERROR);
	memcpy(&quote, h->up->cb, sizeof(quote));
	cr_assert_eq(quote.error, IP_ERROR_HOST_UNREACHABLE);
	cr_assert(addr_eq(&h->up->src, &own) && addr_eq(&h->up->dst, &how.dst));
	cr_assert(h->up->total_len == 20 && h->up->data[19] == 19);
	cr_assert_eq(host_loop(h).verdict, V_COUNT);
	host_drain(h);
}

Case(output, nobody_answering_an_echo_is_told_to_nobody)
{
	struct build_ip4 ip = host_from_peer(0);
	uint8_t f[128];

	ip.src.b[3] = 77;
	host_receive(h, 0, f, build_icmp(f, &ip, 0x0800, 0, "ping", 4));
	host_pass(h, 4 * NS_PER_S);
	cr_assert_eq(host_loop(h).verdict, V_COUNT);
	host_drain(h);
}

/* ---- by an interface that is named ---- */

static int output_by(unsigned iface, const char *dst, uint32_t len, uint8_t flags)
{
	struct ip_out how = {
		.dst = addr(dst),
		.proto = 17,
		.flags = flags,
		.via = (uint8_t)(iface + 1),
	};

	return ip_output(h->ip, host_bytes(h, len), &how, h->now_ns);
}

Case(output, to_all_by_a_named_interface_needs_no_address_and_no_route)
{
	static const struct ip4 nobody, everybody = { { 255, 255, 255, 255 } };

	cr_assert_eq(output_by(1, "255.255.255.255", 100, 0), 0);
	cr_assert(host_sent(h, 1, &l) && mac_eq(l.eth_dst, all_mac));
	cr_assert(ip4_eq(l.src, nobody) && ip4_eq(l.dst, everybody) && !l.df);
	cr_assert_eq(l.total_len, 120);
}

Case(output, to_a_group_by_a_named_interface_may_ask_routers_to_look)
{
	static const struct mac of_group = { { 1, 0, 0x5e, 1, 2, 3 } };

	cr_assert_eq(output_by(1, "239.1.2.3", 8, IP_ALERT), 0);
	cr_assert(host_sent(h, 1, &l) && mac_eq(l.eth_dst, of_group));
	cr_assert(h->frame[14] == 0x46 && h->frame[34] == 148 && h->frame[35] == 4);
	cr_assert_eq(l.total_len, 20 + 4 + 8);
}

Case(output, by_a_named_interface_what_is_too_long_is_cut)
{
	cr_assert_eq(output_by(0, "239.1.2.3", 2000, 0), 0);
	cr_assert(host_sent(h, 0, &l) && l.mf && l.total_len == 1500);
	cr_assert(host_sent(h, 0, &l) && !l.mf && l.frag_off == 1480);
	cr_assert_eq(output_by(0, "239.1.2.3", 2000, IP_DF), -EMSGSIZE);
	cr_assert_eq(output_by(0, "239.1.2.3", 65516, 0), -EMSGSIZE);
}

Case(output, by_a_named_interface_no_station_is_reached)
{
	cr_assert_eq(output_by(0, "192.0.2.9", 8, 0), -ENETUNREACH);
	cr_assert_eq(output_by(7, "239.1.2.3", 8, 0), -ENETUNREACH);
	cr_assert_eq(output_by(254, "239.1.2.3", 8, 0), -ENETUNREACH);
}

#include <criterion/criterion.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static uint8_t f[BUILD_MAX];

static void setup(void)
{
	h = host_with_peers();
}

static void clean(void)
{
	host_free(h);
}

Cases(ip4, setup, clean);

static const struct build_tcp syn = { .src_port = 1000, .dst_port = 25, .flags = 2 };

/* The end of a SYN from the peer with the header @ip. */
static struct step receive(const struct build_ip4 *ip)
{
	return host_receive(h, 0, f, build_tcp(f, ip, &syn, NULL, 0));
}

static enum verdict verdict_of(const struct build_ip4 *ip)
{
	struct step s = receive(ip);

	return s.next == NEXT_NONE ? s.verdict : V_COUNT;
}

static bool silent(void)
{
	return !host_sent(h, 0, &l) && !host_sent(h, 1, &l);
}

/* ---- what goes on ---- */

Case(ip4, a_segment_goes_on_with_all_that_the_header_says)
{
	struct build_ip4 ip = host_from_peer(0);
	struct addr src = addr_ip4(peer_ip[0]), dst = addr_ip4(host_ip[0]);

	ip.tos = 0x12;
	ip.ttl = 7;
	cr_assert_eq(receive(&ip).next, NEXT_TCP);
	cr_assert(addr_eq(&h->up->src, &src) && addr_eq(&h->up->dst, &dst));
	cr_assert(h->up->tos == 0x12 && h->up->ttl == 7 && h->up->proto == 6);
	cr_assert(h->up->l4 == h->up->data && h->up->l3 == h->up->data - 20);
	cr_assert(h->up->total_len == 20 && h->up->iface == 0);
	cr_assert_eq(ip_stats(h->ip)->in, 1);
}

Case(ip4, a_time_to_live_of_zero_is_no_reason_to_refuse)
{
	struct build_ip4 ip = host_from_peer(0);
	uint32_t len = build_tcp(f, &ip, &syn, NULL, 0);

	f[BUILD_L3 + 8] = 0;
	build_fix_ip4(f);
	cr_assert_eq(host_receive(h, 0, f, len).next, NEXT_TCP);
}

Case(ip4, padding_of_the_frame_is_cut)
{
	struct build_ip4 ip = host_from_peer(0);

	memset(f, 0xee, sizeof(f));
	build_tcp(f, &ip, &syn, NULL, 0);
	cr_assert_eq(host_receive(h, 0, f, 60).next, NEXT_TCP);
	cr_assert_eq(h->up->total_len, 20);
}

Case(ip4, options_are_skipped)
{
	struct build_ip4 ip = host_from_peer(0);

	ip.options = "\7\7\4\0\0\0\0\1\1\1\1\0";
	ip.options_len = 12;
	cr_assert_eq(receive(&ip).next, NEXT_TCP);
	cr_assert(h->up->total_len == 20 && h->up->l4 == h->up->l3 + 32);
	cr_assert(silent());
}

Case(ip4, super_frames_go_on_whole)
{
	struct build_ip4 ip = host_from_peer(0);
	static uint8_t payload[65000];
	uint32_t len = build_tcp(f, &ip, &syn, payload, sizeof(payload));

	cr_assert_eq(host_receive(h, 0, f, len).next, NEXT_TCP);
	cr_assert_eq(h->up->total_len, 65020);
}

/* ---- what is not sound ---- */

Case(ip4, refuses_every_truncation)
{
	struct build_ip4 ip = host_from_peer(0);
	uint32_t len = build_udp(f, &ip, 1, 2, "payload", 7);

	for (uint32_t n = BUILD_L3; n < len; n++) {
		struct step s = host_receive(h, 0, f, n);

		cr_assert(s.next == NEXT_NONE && s.verdict == V_SHORT, "%u bytes", n);
	}
	cr_assert(silent());
}

Case(ip4, refuses_impossible_headers)
{
	static const struct {
		uint8_t at, value;
		enum verdict verdict;
	} cases[] = {
		{ 0, 0x55, V_IP_BAD_HEADER }, { 0, 0x44, V_IP_BAD_HEADER },
		{ 0, 0x40, V_IP_BAD_HEADER }, { 3, 19, V_IP_BAD_HEADER },
		{ 2, 0x10, V_SHORT },
	};
	struct build_ip4 ip = host_from_peer(0);

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t len = build_tcp(f, &ip, &syn, NULL, 0);

		f[BUILD_L3 + cases[i].at] = cases[i].value;
		build_fix_ip4(f);
		cr_assert_eq(host_receive(h, 0, f, len).verdict, cases[i].verdict,
			     "case %u", i);
	}
}

Case(ip4, refuses_every_changed_bit_of_the_header)
{
	struct build_ip4 ip = host_from_peer(0);
	uint32_t len = build_tcp(f, &ip, &syn, NULL, 0);

	for (unsigned bit = 0; bit < 160; bit++) {
		f[BUILD_L3 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_eq(host_receive(h, 0, f, len).next, NEXT_NONE, "bit %u", bit);
		f[BUILD_L3 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cr_assert(silent());
}

Case(ip4, answers_impossible_options_with_their_place)
{
	struct build_ip4 ip = host_from_peer(0);

	ip.options = "\1\1\7\11";
	ip.options_len = 4;
	cr_assert_eq(verdict_of(&ip), V_IP_BAD_HEADER);
	cr_assert(host_sent(h, 0, &l) && l.sound);
	cr_assert(l.icmp_type == 12 && l.icmp_code == 0 && l.icmp_rest == 22u << 24);
	cr_assert(ip4_eq(l.dst, peer_ip[0]) && l.payload_len == 24 + 20);
}

Case(ip4, refuses_source_routes_in_silence)
{
	struct build_ip4 ip = host_from_peer(0);

	ip.options_len = 8;
	ip.options = "\203\7\4\1\2\3\4\0";
	cr_assert_eq(verdict_of(&ip), V_IP_SOURCE_ROUTE);
	ip.options = "\211\7\10\1\2\3\4\0";
	cr_assert_eq(verdict_of(&ip), V_IP_SOURCE_ROUTE);
	cr_assert(silent());
}

/* ---- who cannot be ---- */

Case(ip4, refuses_senders_that_cannot_be)
{
	static const struct ip4 nobodies[] = {
		{ { 0, 0, 0, 0 } },	    { { 0, 1, 2, 3 } },
		{ { 127, 0, 0, 1 } },	    { { 224, 0, 0, 1 } },
		{ { 239, 255, 255, 1 } },   { { 240, 0, 0, 1 } },
		{ { 255, 255, 255, 255 } }, { { 192, 0, 2, 255 } },
		{ { 192, 0, 2, 1 } },	    { { 198, 51, 100, 1 } },
	};
	struct build_ip4 ip = host_from_peer(0);

	for (unsigned i = 0; i < ARRAY_LEN(nobodies); i++) {
		ip.src = nobodies[i];
		cr_assert_eq(verdict_of(&ip), V_IP_BAD_SOURCE, "case %u", i);
	}
	cr_assert(silent());
}

Case(ip4, refuses_what_is_for_others)
{
	static const struct ip4
		others[] = {
			{ { 192, 0, 2, 7 } },
			{ { 198, 51, 100, 1 } }, /* the other interface */
			{ { 127, 0, 0, 1 } },
			{ { 0, 0, 0, 0 } },
			{ { 224, 0, 0, 2 } },
			{ { 239, 1, 1, 1 } },
			{ { 240, 0, 0, 1 } },
			{ { 192, 0, 2, 0 } },
			{ { 198, 51, 100, 255 } },
		};
	struct build_ip4 ip = host_from_peer(0);

	for (unsigned i = 0; i < ARRAY_LEN(others); i++) {
		ip.dst = others[i];
		cr_assert_eq(verdict_of(&ip), V_IP_NOT_OURS, "case %u", i);
	}
	cr_assert(silent());
}

Case(ip4, groups_reach_udp_but_never_tcp)
{
	static const struct ip4 groups[] = { { { 255, 255, 255, 255 } },
					     { { 192, 0, 2, 255 } },
					     { { 224, 0, 0, 1 } } };
	struct build_ip4 ip = host_from_peer(0);

	for (unsigned i = 0; i < ARRAY_LEN(groups); i++) {
		struct step s;

		ip.eth_dst = all_mac;
		ip.dst = groups[i];
		cr_assert_eq(verdict_of(&ip), V_IP_NOT_OURS, "case %u", i);
		s = host_receive(h, 0, f, build_udp(f, &ip, 1, 2, "x", 1));
		cr_assert_eq(s.verdict, V_UDP_NO_SOCKET, "case %u", i);
	}
	/* RFC 1122 3.2.2: no errors about what was sent to many. */
	cr_assert(silent());
}

Case(ip4, refuses_one_of_us_in_a_broadcast_frame)
{
	struct build_ip4 ip = host_from_peer(0);

	ip.eth_dst = all_mac;
	cr_assert_eq(verdict_of(&ip), V_IP_NOT_OURS);
	cr_assert(silent());
}

Case(ip4, answers_for_protocols_that_nobody_speaks)
{
	struct build_ip4 ip = host_from_peer(0);
	struct step s;

	ip.proto = 132;
	s = host_receive(h, 0, f, build_ip4(f, &ip, "12345678", 8));
	cr_assert_eq(s.verdict, V_IP_PROTOCOL);
	cr_assert(host_sent(h, 0, &l) && l.sound && l.icmp_type == 3 && l.icmp_code == 2);
	cr_assert_eq(l.payload_len, 28);
	cr_assert_arr_eq(l.payload, f + BUILD_L3, 28);
}

Case(ip4, an_address_is_not_ours_before_arp_says_so)
{
	struct addr more = addr_ip4((struct ip4){ { 192, 0, 2, 50 } });
	struct build_ip4 ip = host_from_peer(0);

	cr_assert_eq(ip_addr_add(h->ip, 0, &more, 24, true, h->now_ns), 0);
	ip.dst = more.ip4;
	cr_assert_eq(verdict_of(&ip), V_IP_NOT_OURS);
	cr_assert(!ip_is_ours(h->ip, &more));
	host_pass(h, 10 * NS_PER_S);
	cr_assert_eq(receive(&ip).next, NEXT_TCP);
	cr_assert(ip_is_ours(h->ip, &more));
	host_drain(h);
}

Case(ip4, a_packet_of_no_interface_of_ours_is_refused)
{
	struct build_ip4 ip = host_from_peer(0);
	struct pkt *p = capture_pkt(&h->pool, f, build_tcp(f, &ip, &syn, NULL, 0));

	pkt_pull(p, BUILD_L3);
	p->iface = IP_IFACE_MAX - 1;
	cr_assert_eq(ip4_input(h->ip, p, h->now_ns).verdict, V_IP_NOT_OURS);
	p->iface = 254;
	cr_assert_eq(ip4_input(h->ip, p, h->now_ns).verdict, V_IP_NOT_OURS);
	pkt_free(p);
}

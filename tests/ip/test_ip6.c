#include <criterion/criterion.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static struct build_ip6 ip;
static uint8_t f[BUILD_MAX];

static void setup(void)
{
	h = host6_with_peers();
	ip = host6_from_peer(0);
}

static void clean(void)
{
	host_free(h);
}

Cases(ip6, setup, clean);

static const struct build_tcp syn = { .src_port = 1000, .dst_port = 25, .flags = 2 };

/* The end of a SYN from the peer with the header @ip. */
static struct step receive(void)
{
	return host_receive(h, 0, f, build_tcp6(f, &ip, &syn, NULL, 0));
}

static enum verdict verdict(void)
{
	struct step s = receive();

	return s.next == NEXT_NONE ? s.verdict : V_COUNT;
}

static bool silent(void)
{
	return !host_sent(h, 0, &l) && !host_sent(h, 1, &l);
}

static struct ip6 ip6(const char *text)
{
	struct addr a;

	cr_assert(addr_parse(text, &a) && a.family == ADDR_IP6, "%s", text);
	return a.ip6;
}

/* ---- what goes on ---- */

Case(ip6, a_segment_goes_on_with_all_that_the_header_says)
{
	struct addr src = addr_ip6(peer_ip6[0]), dst = addr_ip6(host_ip6[0]);

	ip.tclass = 0x12;
	ip.hops = 7;
	ip.flow = 0xfffff;
	cr_assert_eq(receive().next, NEXT_TCP);
	cr_assert(addr_eq(&h->up->src, &src) && addr_eq(&h->up->dst, &dst));
	cr_assert(h->up->tos == 0x12 && h->up->ttl == 7 && h->up->proto == 6);
	cr_assert(h->up->l4 == h->up->data && h->up->l3 == h->up->data - 40);
	cr_assert(h->up->total_len == 20 && h->up->iface == 0);
}

Case(ip6, link_local_addresses_go_on_with_their_zone)
{
	for (unsigned i = 0; i < HOST_IFACES; i++) {
		uint32_t len;

		ip = host6_from_peer(i);
		ip.src = ip6("fe80::9");
		ip.dst = host_ll[i];
		len = build_tcp6(f, &ip, &syn, NULL, 0);
		cr_assert_eq(host_receive(h, i, f, len).next, NEXT_TCP);
		cr_assert(h->up->src.zone == i + 1 && h->up->dst.zone == i + 1);
	}
}

Case(ip6, padding_of_the_frame_is_cut)
{
	uint32_t len = build_tcp6(f, &ip, &syn, NULL, 0);

	memset(f + len, 0xee, 60);
	cr_assert_eq(host_receive(h, 0, f, len + 60).next, NEXT_TCP);
	cr_assert_eq(h->up->total_len, 20);
}

Case(ip6, extension_headers_are_behind_the_transport)
{
	ip.exts = "\74\0\5\2\0\0\1\0"
		  "\0\0\1\4\0\0\0\0";
	ip.exts_len = 16;
	ip.last_ext = 8;
	ip.ext = 0;
	cr_assert_eq(receive().next, NEXT_TCP);
	cr_assert(h->up->total_len == 20 && h->up->l4 == h->up->l3 + 56);
	cr_assert(h->up->proto == 6 && silent());
}

Case(ip6, super_frames_go_on_whole)
{
	static uint8_t payload[65000];
	uint32_t len = build_tcp6(f, &ip, &syn, payload, sizeof(payload));

	cr_assert_eq(host_receive(h, 0, f, len).next, NEXT_TCP);
	cr_assert_eq(h->up->total_len, 65020);
}

/* ---- what is not sound ---- */

Case(ip6, refuses_every_truncation)
{
	uint32_t len = build_udp6(f, &ip, 1, 2, "payload", 7);

	for (uint32_t n = BUILD_L3; n < len; n++) {
		struct step s = host_receive(h, 0, f, n);

		cr_assert(s.next == NEXT_NONE && s.verdict == V_SHORT, "%u bytes", n);
	}
	cr_assert(silent());
}

Case(ip6, refuses_senders_that_cannot_be)
{
	static const char *const nobodies[] = {
		"::",	       "::1",	  "ff02::1",   "::ffff:192.0.2.1",
		"2001:db8::1", "fe80::1", "fe80:1::9",
	};

	for (unsigned i = 0; i < ARRAY_LEN(nobodies); i++) {
		ip.src = ip6(nobodies[i]);
		cr_assert_eq(verdict(), V_IP_BAD_SOURCE, "%s", nobodies[i]);
	}
	cr_assert(silent());
}

Case(ip6, refuses_what_is_for_others)
{
	static const char *const others[] = {
		"2001:db8::7", "2001:db8:1::1", "::1",	   "::",
		"fe80::2",     "ff02::2",	"ff0e::1", "ff02::1:ff00:7",
	};

	for (unsigned i = 0; i < ARRAY_LEN(others); i++) {
		ip.dst = ip6(others[i]);
		cr_assert_eq(verdict(), V_IP_NOT_OURS, "%s", others[i]);
	}
	cr_assert(silent());
}

Case(ip6, groups_reach_udp_but_never_tcp)
{
	static const char *const groups[] = { "ff02::1", "ff01::1", "ff02::1:ff00:1" };

	for (unsigned i = 0; i < ARRAY_LEN(groups); i++) {
		struct step s;

		ip.dst = ip6(groups[i]);
		ip.eth_dst = build_group_mac(ip.dst);
		cr_assert_eq(verdict(), V_IP_NOT_OURS, "%s", groups[i]);
		s = host_receive(h, 0, f, build_udp6(f, &ip, 1, 2, "x", 1));
		cr_assert_eq(s.verdict, V_UDP_NO_SOCKET, "%s", groups[i]);
	}
	/* RFC 4443 2.4 (e.3): no errors about what was sent to many. */
	cr_assert(silent());
}

Case(ip6, refuses_one_of_us_in_a_group_frame)
{
	ip.eth_dst = all_mac;
	cr_assert_eq(verdict(), V_IP_NOT_OURS);
	cr_assert(silent());
}

Case(ip6, a_datagram_without_a_sum_is_wrong)
{
	uint32_t len = build_udp6(f, &ip, 1, 2, "x", 1);

	f[BUILD6_L4 + 6] = f[BUILD6_L4 + 7] = 0;
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_UDP_BAD_SUM);
}

Case(ip6, an_address_is_not_ours_before_the_search_for_others_is_over)
{
	struct addr more = addr_ip6(ip6("2001:db8::50"));

	cr_assert_eq(ip_addr_add(h->ip, 0, &more, 64, true, h->now_ns), 0);
	ip.dst = more.ip6;
	cr_assert_eq(verdict(), V_IP_NOT_OURS);
	cr_assert(!ip_is_ours(h->ip, &more) && ip_is_configured(h->ip, &more));
	host_pass(h, 3 * NS_PER_S);
	cr_assert_eq(receive().next, NEXT_TCP);
	cr_assert(ip_is_ours(h->ip, &more));
	host_drain(h);
}

/* ---- what is answered ---- */

/* The parameter problem that the packet made us send. */
static void expect_problem(uint8_t code, uint32_t pointer)
{
	struct look quoted;

	cr_assert(host_sent(h, 0, &l) && l.sound && l.icmp_type == 4);
	cr_assert(l.icmp_code == code && l.icmp_rest == pointer, "code %u, at %u",
		  l.icmp_code, l.icmp_rest);
	cr_assert(ip6_eq(l.src6, host_ip6[0]) && ip6_eq(l.dst6, peer_ip6[0]));
	quoted = look_quote6(l.payload, l.payload_len);
	cr_assert(ip6_eq(quoted.dst6, ip.dst) && ip6_eq(quoted.src6, ip.src));
	cr_assert(silent());
}

Case(ip6, answers_for_protocols_that_nobody_speaks)
{
	ip.next = 132;
	cr_assert_eq(host_receive(h, 0, f, build_ip6(f, &ip, "12345678", 8)).verdict,
		     V_IP_PROTOCOL);
	expect_problem(1, 6);
	ip.exts = "\0\0\1\4\0\0\0\0";
	ip.exts_len = 8;
	ip.ext = 60;
	cr_assert_eq(host_receive(h, 0, f, build_ip6(f, &ip, "12345678", 8)).verdict,
		     V_IP_PROTOCOL);
	expect_problem(1, 40);
}

Case(ip6, what_says_that_nothing_follows_is_done)
{
	ip.next = 59;
	cr_assert_eq(host_receive(h, 0, f, build_ip6(f, &ip, "x", 1)).verdict, V_DONE);
	cr_assert(silent());
}

Case(ip6, answers_a_source_route_that_is_not_done)
{
	ip.exts = "\0\2\0\1\0\0\0\0\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\7";
	ip.exts_len = 24;
	ip.ext = 43;
	cr_assert_eq(verdict(), V_IP_BAD_HEADER);
	expect_problem(0, 42);
}

Case(ip6, answers_unknown_options_as_they_ask)
{
	ip.exts_len = 8;
	ip.ext = 60;
	ip.exts = "\0\0\36\4\0\0\0\0";
	cr_assert_eq(receive().next, NEXT_TCP);
	ip.exts = "\0\0\136\4\0\0\0\0";
	cr_assert_eq(verdict(), V_IP_EXT_DISCARD);
	cr_assert(silent());
	ip.exts = "\0\0\236\4\0\0\0\0";
	cr_assert_eq(verdict(), V_IP_BAD_HEADER);
	expect_problem(2, 42);
	ip.exts = "\0\0\336\4\0\0\0\0";
	cr_assert_eq(verdict(), V_IP_BAD_HEADER);
	expect_problem(2, 42);
	/* RFC 8200 4.2: of these two only the first is answered when it was for many. */
	ip.dst = ip6("ff02::1");
	ip.eth_dst = build_group_mac(ip.dst);
	cr_assert_eq(verdict(), V_IP_BAD_HEADER);
	cr_assert(silent());
	ip.exts = "\0\0\236\4\0\0\0\0";
	cr_assert_eq(verdict(), V_IP_BAD_HEADER);
	expect_problem(2, 42);
}

Case(ip6, more_headers_than_are_read_end_in_silence)
{
	static uint8_t exts[8 * 9];

	for (unsigned i = 0; i < 9; i++)
		memcpy(exts + 8 * i, "\74\0\1\4\0\0\0\0", 8);
	ip.exts = exts;
	ip.exts_len = sizeof(exts);
	ip.last_ext = 64;
	ip.ext = 60;
	cr_assert_eq(verdict(), V_IP_EXT_LIMIT);
	cr_assert(silent());
}

Case(ip6, a_packet_of_no_interface_of_ours_is_refused)
{
	struct pkt *p = capture_pkt(&h->pool, f, build_tcp6(f, &ip, &syn, NULL, 0));

	pkt_pull(p, BUILD_L3);
	p->iface = IP_IFACE_MAX - 1;
	cr_assert_eq(ip6_input(h->ip, p, h->now_ns).verdict, V_IP_NOT_OURS);
	p->iface = 254;
	cr_assert_eq(ip6_input(h->ip, p, h->now_ns).verdict, V_IP_NOT_OURS);
	pkt_free(p);
}

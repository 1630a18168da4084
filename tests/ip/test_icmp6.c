#include <criterion/criterion.h>

#include "ip/ip6_wire.h"
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

Cases(icmp6, setup, clean);

static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };

static const struct ip_stats *stats(void)
{
	return ip_stats(h->ip);
}

static bool silent(void)
{
	return !host_sent(h, 0, &l) && !host_sent(h, 1, &l);
}

static enum verdict receive(uint32_t len)
{
	struct step s = host_receive(h, 0, f, len);

	return s.next == NEXT_NONE ? s.verdict : V_COUNT;
}

static enum verdict ping(const void *bytes, uint32_t len)
{
	return receive(build_icmp6(f, &ip, 0x8000, 0xabcd0001, bytes, len));
}

/* ---- echo ---- */

Case(icmp6, answers_an_echo_with_the_same_bytes)
{
	for (uint32_t len = 0; len < 1453; len += 31) {
		static uint8_t bytes[1453];

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(i * len);
		cr_assert_eq(ping(bytes, len), V_KEPT);
		cr_assert(host_sent(h, 0, &l) && l.sound);
		cr_assert(l.icmp_type == 129 && l.icmp_code == 0);
		cr_assert(l.icmp_rest == 0xabcd0001 && l.payload_len == len);
		cr_assert(memcmp(l.payload, bytes, len) == 0);
		cr_assert(ip6_eq(l.src6, host_ip6[0]) && ip6_eq(l.dst6, peer_ip6[0]));
	}
	cr_assert(silent());
}

Case(icmp6, an_echo_keeps_its_service_but_not_its_congestion)
{
	ip.tclass = 0xbb;
	ip.hops = 3;
	cr_assert_eq(ping("x", 1), V_KEPT);
	cr_assert(host_sent(h, 0, &l) && l.sound);
	cr_assert(l.tos == 0xb8 && l.ttl == IP_TTL_DEFAULT);
}

Case(icmp6, one_of_many_answers_with_its_own_address)
{
	ip.dst = all_nodes;
	ip.eth_dst = build_group_mac(ip.dst);
	cr_assert_eq(ping("x", 1), V_KEPT);
	cr_assert(host_sent(h, 0, &l) && l.sound);
	cr_assert(ip6_eq(l.src6, host_ip6[0]) && ip6_eq(l.dst6, peer_ip6[0]));
}

Case(icmp6, answers_an_echo_in_fragments)
{
	static uint8_t bytes[4008];
	uint32_t len, got = 0;

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i ^ i >> 8);
	build_icmp6(f, &ip, 0x8000, 7, bytes, 4000);
	memcpy(bytes, f + BUILD6_L4, sizeof(bytes));
	ip.next = 58;
	for (uint32_t off = 0; off < sizeof(bytes); off += 1448) {
		uint32_t n = sizeof(bytes) - off < 1448 ? sizeof(bytes) - off : 1448;

		len = build_frag6(f, &ip, 77, (uint16_t)off, off + n < sizeof(bytes),
				  bytes + off, n);
		cr_assert_eq(receive(len), V_KEPT);
	}
	while (host_sent(h, 0, &l)) {
		cr_assert(l.sound && l.frag_off == got && l.n_exts == 1);
		got += l.payload_len + (l.frag_off ? 0 : 8);
	}
	cr_assert_eq(got, sizeof(bytes));
}

Case(icmp6, refuses_every_truncation_and_every_wrong_sum)
{
	uint32_t len = build_icmp6(f, &ip, 0x8000, 1, "abc", 3);

	for (unsigned bit = 0; bit < 11 * 8; bit++) {
		f[BUILD6_L4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_eq(receive(len), V_ICMP_BAD_SUM, "bit %u", bit);
		f[BUILD6_L4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (uint32_t n = 0; n < 11; n++) {
		uint8_t message[16];

		build_icmp6(f, &ip, 0x8000, 1, "abc", 3);
		memcpy(message, f + BUILD6_L4, sizeof(message));
		ip.next = 58;
		cr_assert_eq(receive(build_ip6(f, &ip, message, n)),
			     n < 8 ? V_SHORT : V_ICMP_BAD_SUM);
	}
	cr_assert(silent());
}

Case(icmp6, echoes_have_a_limit)
{
	unsigned n = 0;

	while (ping("x", 1) == V_KEPT) {
		host_drain(h);
		n++;
	}
	cr_assert_eq(n, IP_ECHO_PER_S / 10);
	cr_assert_eq(ping("x", 1), V_ICMP_LIMIT);
	cr_assert_eq(stats()->icmp_echo, n);
	host_pass(h, NS_PER_MS);
	cr_assert_eq(ping("x", 1), V_KEPT);
}

/* ---- what is said about packets of ours ---- */

/* An error that quotes a segment or datagram of ours, of which @len bytes are there. */
static enum verdict error(uint16_t type_code, uint32_t rest, uint8_t proto, uint32_t len)
{
	struct build_ip6 ours = { .src = host_ip6[0], .dst = peer_ip6[0], .next = proto };
	uint8_t quoted[200];

	build_ip6(quoted, &ours, "\0\31\3\350\1\2\3\4\5\6\7\10\11\12\13\14", 16);
	return receive(build_icmp6(f, &ip, type_code, rest, quoted + BUILD_L3, len));
}

Case(icmp6, errors_go_to_the_transport_that_they_quote)
{
	static const struct {
		uint16_t type_code;
		enum ip_error error;
	} cases[] = {
		{ 0x0100, IP_ERROR_NET_UNREACHABLE },
		{ 0x0101, IP_ERROR_PROHIBITED },
		{ 0x0102, IP_ERROR_HOST_UNREACHABLE },
		{ 0x0103, IP_ERROR_HOST_UNREACHABLE },
		{ 0x0104, IP_ERROR_PORT_UNREACHABLE },
		{ 0x0105, IP_ERROR_PROHIBITED },
		{ 0x0106, IP_ERROR_NET_UNREACHABLE },
		{ 0x0200, IP_ERROR_TOO_BIG },
		{ 0x0300, IP_ERROR_TIME_EXCEEDED },
		{ 0x0400, IP_ERROR_PARAMETER },
		{ 0x0401, IP_ERROR_PROTO_UNREACHABLE },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct ip_quote quote;

		cr_assert_eq(error(cases[i].type_code, 1400, 6, 56), V_COUNT);
		memcpy(&quote, h->up->cb, sizeof(quote));
		cr_assert_eq(quote.error, cases[i].error, "case %u", i);
		cr_assert(quote.error != IP_ERROR_TOO_BIG || quote.mtu == 1400);
		cr_assert(ip6_eq(h->up->src.ip6, host_ip6[0]));
		cr_assert(ip6_eq(h->up->dst.ip6, peer_ip6[0]));
		cr_assert(h->up->proto == 6 && h->up->total_len == 16);
	}
	cr_assert_eq(stats()->icmp_errors_in, ARRAY_LEN(cases));
}

Case(icmp6, too_big_for_less_than_the_least_mtu_is_discarded)
{
	cr_assert_eq(error(0x0200, IP6_MTU_MIN - 1, 6, 56), V_ICMP_MTU);
	cr_assert_eq(error(0x0200, 0, 6, 56), V_ICMP_MTU);
	cr_assert_eq(stats()->icmp_errors_in, 0);
	cr_assert_eq(error(0x0200, IP6_MTU_MIN, 6, 56), V_COUNT);
	cr_assert_eq(stats()->icmp_errors_in, 1);
}

Case(icmp6, errors_that_quote_no_packet_of_ours_end)
{
	struct build_ip6 other = { .src = peer_ip6[0], .dst = host_ip6[0], .next = 6 };
	uint8_t quoted[200];

	for (uint32_t len = 0; len < 48; len++)
		cr_assert_eq(error(0x0104, 0, 6, len), V_ICMP_NO_FLOW, "%u bytes", len);
	cr_assert_eq(error(0x0104, 0, 58, 56), V_ICMP_NO_FLOW);
	cr_assert_eq(error(0x01ff, 0, 6, 56), V_ICMP_TYPE);
	build_ip6(quoted, &other, "1234567890", 10);
	cr_assert_eq(receive(build_icmp6(f, &ip, 0x0104, 0, quoted + BUILD_L3, 50)),
		     V_ICMP_NO_FLOW);
	cr_assert(silent());
}

Case(icmp6, a_quoted_first_fragment_says_whose_it_is)
{
	struct build_ip6 ours = { .src = host_ip6[0], .dst = peer_ip6[0], .next = 17 };
	uint8_t quoted[200];

	build_frag6(quoted, &ours, 1, 0, true, "\0\31\3\350\0\20\0\0", 8);
	receive(build_icmp6(f, &ip, 0x0200, 1280, quoted + BUILD_L3, 56));
	cr_assert_eq(stats()->icmp_errors_in, 1);
	build_frag6(quoted, &ours, 1, 1448, true, "\0\31\3\350\0\20\0\0", 8);
	cr_assert_eq(receive(build_icmp6(f, &ip, 0x0200, 1280, quoted + BUILD_L3, 56)),
		     V_ICMP_NO_FLOW);
}

/* ---- what we say ---- */

static enum verdict datagram(uint32_t len)
{
	static uint8_t bytes[1452];

	return receive(build_udp6(f, &ip, 1000, 9, bytes, len));
}

Case(icmp6, a_port_where_nobody_listens_is_told_with_as_much_as_fits)
{
	cr_assert_eq(datagram(10), V_UDP_NO_SOCKET);
	cr_assert(host_sent(h, 0, &l) && l.sound);
	cr_assert(l.icmp_type == 1 && l.icmp_code == 4 && l.payload_len == 58);
	cr_assert_arr_eq(l.payload, f + BUILD_L3, 58);
	cr_assert_eq(datagram(1452), V_UDP_NO_SOCKET);
	cr_assert(host_sent(h, 0, &l) && l.sound);
	cr_assert_eq(l.total_len, 1280);
	cr_assert_arr_eq(l.payload, f + BUILD_L3, l.payload_len);
}

Case(icmp6, says_nothing_about_errors_groups_and_nobodies)
{
	uint8_t quoted[200] = { 0x60 };

	ip.exts = "\0\0\236\4\0\0\0\0";
	ip.exts_len = 8;
	ip.ext = 60;
	cr_assert_eq(receive(build_icmp6(f, &ip, 0x0104, 0, quoted, 56)),
		     V_IP_BAD_HEADER);
	cr_assert_eq(receive(build_icmp6(f, &ip, 0x8900, 0, quoted, 56)),
		     V_IP_BAD_HEADER);
	cr_assert(silent());
	/* But about a question, once it is known to be one. */
	cr_assert_eq(ping("x", 1), V_IP_BAD_HEADER);
	cr_assert(host_sent(h, 0, &l) && l.icmp_type == 4);
	ip.exts_len = 0;
	ip.dst = all_nodes;
	cr_assert_eq(datagram(10), V_UDP_NO_SOCKET);
	cr_assert(silent());
}

Case(icmp6, errors_have_a_limit)
{
	for (unsigned i = 0; i < 500; i++)
		cr_assert_eq(datagram(1), V_UDP_NO_SOCKET);
	cr_assert_leq(stats()->icmp_errors_out, 50);
	cr_assert_eq(stats()->icmp_errors_out + stats()->icmp_held_back, 500);
	host_drain(h);
}

Case(icmp6, whoever_does_not_answer_is_told_to_ourselves)
{
	struct addr src = addr_ip6(host_ip6[0]), dst = addr_ip6(peer_ip6[0]);
	struct ip_out how = { .src = src, .dst = dst, .proto = 6 };
	struct ip_quote quote;

	how.dst.ip6.b[15] = 0x77;
	ip_output(h->ip, host_bytes(h, 40), &how, h->now_ns);
	host_pass(h, 10 * NS_PER_S);
	host_drain(h);
	cr_assert_eq(host_loop(h).next, NEXT_TCP_ERROR);
	memcpy(&quote, h->up->cb, sizeof(quote));
	cr_assert_eq(quote.error, IP_ERROR_HOST_UNREACHABLE);
	cr_assert(addr_eq(&h->up->dst, &how.dst) && addr_eq(&h->up->src, &src));
}

Case(icmp6, our_own_address_is_believed_only_from_ourselves)
{
	ip.src = host_ip6[0];
	cr_assert_eq(ping("x", 1), V_IP_BAD_SOURCE);
	cr_assert(silent());
}

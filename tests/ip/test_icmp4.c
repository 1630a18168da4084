#include <criterion/criterion.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static struct build_ip4 ip;
static uint8_t f[BUILD_MAX];

static void setup(void)
{
	h = host_with_peers();
	ip = host_from_peer(0);
}

static void clean(void)
{
	host_free(h);
}

Cases(icmp4, setup, clean);

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
	return receive(build_icmp(f, &ip, 0x0800, 0xabcd0001, bytes, len));
}

/* ---- echo ---- */

Case(icmp4, answers_an_echo_with_the_same_bytes)
{
	for (uint32_t len = 0; len < 1473; len += 31) {
		static uint8_t bytes[1473];

		for (uint32_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)(i * len);
		cr_assert_eq(ping(bytes, len), V_KEPT);
		cr_assert(host_sent(h, 0, &l) && l.sound);
		cr_assert(l.icmp_type == 0 && l.icmp_code == 0);
		cr_assert(l.icmp_rest == 0xabcd0001 && l.payload_len == len);
		cr_assert(memcmp(l.payload, bytes, len) == 0);
		cr_assert(ip4_eq(l.src, host_ip[0]) && ip4_eq(l.dst, peer_ip[0]));
	}
	cr_assert(silent());
}

Case(icmp4, an_echo_keeps_its_code_and_service_but_not_its_congestion)
{
	ip.tos = 0xbb;
	ip.ttl = 3;
	cr_assert_eq(receive(build_icmp(f, &ip, 0x0809, 1, "x", 1)), V_KEPT);
	cr_assert(host_sent(h, 0, &l) && l.sound && l.icmp_code == 9);
	cr_assert(l.tos == 0xb8 && l.ttl == IP_TTL_DEFAULT);
}

Case(icmp4, answers_the_largest_echo_in_fragments)
{
	static uint8_t bytes[65507], back[65507];
	uint32_t len, got = 0, n_bufs;

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i ^ i >> 8);
	len = build_icmp(f, &ip, 0x0800, 7, bytes, 65499) - BUILD_L4;
	memcpy(bytes, f + BUILD_L4, len);
	ip.proto = 1;
	for (uint32_t off = 0; off < len; off += 1480) {
		uint32_t n = len - off < 1480 ? len - off : 1480;

		ip.frag = (uint16_t)(off / 8 | (off + n < len ? BUILD_MF : 0));
		cr_assert_eq(receive(build_ip4(f, &ip, bytes + off, n)), V_KEPT);
	}
	n_bufs = h->pool.bufs.n_out;
	while (host_sent(h, 0, &l)) {
		cr_assert(l.sound && l.frag_off == got);
		/* look() strips the ICMP header of the first one. */
		if (!got) {
			l.payload -= 8;
			l.payload_len += 8;
		}
		memcpy(back + got, l.payload, l.payload_len);
		got += l.payload_len;
	}
	cr_assert_eq(got, len);
	cr_assert_eq(build_sum(0, back, len), 0xffff);
	cr_assert(back[0] == 0 && memcmp(back + 4, bytes + 4, len - 4) == 0);
	/* It was sent from where it had been received. */
	cr_assert_eq(n_bufs, 45);
}

Case(icmp4, refuses_every_truncated_echo)
{
	build_icmp(f, &ip, 0x0800, 1, "abc", 3);
	for (uint32_t len = 0; len < 11; len++) {
		uint8_t message[16];

		build_icmp(f, &ip, 0x0800, 1, "abc", 3);
		memcpy(message, f + BUILD_L4, sizeof(message));
		ip.proto = 1;
		cr_assert_eq(receive(build_ip4(f, &ip, message, len)),
			     len < 8 ? V_SHORT : V_ICMP_BAD_SUM);
	}
	cr_assert(silent());
}

Case(icmp4, refuses_every_changed_bit)
{
	uint32_t len = build_icmp(f, &ip, 0x0800, 1, "abc", 3);

	for (unsigned bit = 0; bit < 11 * 8; bit++) {
		f[BUILD_L4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert_eq(receive(len), V_ICMP_BAD_SUM, "bit %u", bit);
		f[BUILD_L4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cr_assert(silent());
}

Case(icmp4, echoes_to_groups_are_not_answered)
{
	static const struct ip4 groups[] = { { { 255, 255, 255, 255 } },
					     { { 192, 0, 2, 255 } },
					     { { 224, 0, 0, 1 } } };

	ip.eth_dst = all_mac;
	for (unsigned i = 0; i < ARRAY_LEN(groups); i++) {
		ip.dst = groups[i];
		cr_assert_eq(ping("x", 1), V_IP_NOT_OURS);
	}
	cr_assert(silent());
}

Case(icmp4, echoes_are_limited_in_rate)
{
	unsigned n = 0;

	while (ping("x", 1) == V_KEPT) {
		n++;
		host_drain(h);
	}
	cr_assert_eq(n, IP_ECHO_PER_S / 10);
	cr_assert_eq(ping("x", 1), V_ICMP_LIMIT);
	cr_assert_eq(stats()->icmp_held_back, 2);
	cr_assert_eq(stats()->icmp_echo, n);
	host_pass(h, 10 * NS_PER_MS);
	cr_assert_eq(ping("x", 1), V_KEPT);
	host_drain(h);
}

Case(icmp4, an_empty_pool_costs_the_answer_only)
{
	struct pkt *p = capture_pkt(&h->pool, f, build_icmp(f, &ip, 0x0800, 1, "x", 1));
	struct pkt *all[HOST_PKTS];
	unsigned n = 0;

	while ((all[n] = pkt_new(&h->pool, PKT_CONTROL)))
		n++;
	cr_assert_eq(host_receive_pkt(h, 0, p).verdict, V_NO_MEMORY);
	while (n)
		pkt_free(all[--n]);
	cr_assert(silent());
}

Case(icmp4, everything_else_that_asks_is_ignored)
{
	for (unsigned type = 0; type < 256; type++) {
		if (type == 3 || type == 8 || type == 11 || type == 12)
			continue;
		cr_assert_eq(receive(build_icmp(f, &ip, (uint16_t)(type << 8), 0,
						"12345678901234567890", 20)),
			     V_ICMP_TYPE, "type %u", type);
	}
	cr_assert(silent());
}

/* ---- errors about what we sent ---- */

static uint8_t quoted[1500];
static uint32_t quoted_len;

/* What we may have sent: @len bytes of payload of UDP or TCP to the peer. */
static void quote(uint8_t proto, uint32_t len)
{
	struct build_ip4 ours = { .src = host_ip[0], .dst = peer_ip[0] };
	struct build_tcp tcp = { .src_port = 25, .dst_port = 4000, .seq = 77 };
	static const uint8_t zeros[1400];

	if (proto == 6)
		quoted_len = build_tcp(f, &ours, &tcp, zeros, len);
	else
		quoted_len = build_udp(f, &ours, 25, 4000, zeros, len);
	quoted_len -= BUILD_L3;
	memcpy(quoted, f + BUILD_L3, quoted_len);
}

static struct step error(uint16_t type_code, uint32_t rest)
{
	return host_receive(h, 0, f,
			    build_icmp(f, &ip, type_code, rest, quoted, quoted_len));
}

static struct ip_quote told(void)
{
	struct ip_quote q;

	memcpy(&q, h->up->cb, sizeof(q));
	return q;
}

Case(icmp4, an_error_goes_to_the_transport_with_what_it_quotes)
{
	struct addr src = addr_ip4(host_ip[0]), dst = addr_ip4(peer_ip[0]);

	quote(6, 0);
	cr_assert_eq(error(0x0301, 0).next, NEXT_TCP_ERROR);
	cr_assert_eq(told().error, IP_ERROR_HOST_UNREACHABLE);
	cr_assert(addr_eq(&h->up->src, &src) && addr_eq(&h->up->dst, &dst));
	cr_assert(h->up->proto == 6 && h->up->total_len == 20);
	cr_assert(h->up->l4 == h->up->data && memcmp(h->up->data, quoted + 20, 20) == 0);
	cr_assert_eq(stats()->icmp_errors_in, 1);
}

Case(icmp4, eight_bytes_of_a_quote_are_enough_and_seven_are_not)
{
	quote(6, 0);
	quoted_len = 28;
	cr_assert_eq(error(0x0303, 0).next, NEXT_TCP_ERROR);
	cr_assert_eq(h->up->total_len, 8);
	for (quoted_len = 27; quoted_len; quoted_len--)
		cr_assert_eq(error(0x0303, 0).verdict, V_ICMP_NO_FLOW);
	cr_assert_eq(error(0x0303, 0).verdict, V_ICMP_NO_FLOW);
}

Case(icmp4, what_follows_the_quote_is_cut)
{
	quote(6, 0);
	memset(quoted + quoted_len, 0xee, 100);
	quoted_len += 100; /* as RFC 4884 puts it */
	cr_assert_eq(error(0x0303, 0).next, NEXT_TCP_ERROR);
	cr_assert_eq(h->up->total_len, 20);
}

Case(icmp4, every_code_has_its_meaning)
{
	static const struct {
		uint16_t type_code;
		enum ip_error error;
	} codes[] = {
		{ 0x0300, IP_ERROR_NET_UNREACHABLE },
		{ 0x0301, IP_ERROR_HOST_UNREACHABLE },
		{ 0x0302, IP_ERROR_PROTO_UNREACHABLE },
		{ 0x0303, IP_ERROR_PORT_UNREACHABLE },
		{ 0x0304, IP_ERROR_TOO_BIG },
		{ 0x0305, IP_ERROR_HOST_UNREACHABLE },
		{ 0x0306, IP_ERROR_NET_UNREACHABLE },
		{ 0x0307, IP_ERROR_HOST_UNREACHABLE },
		{ 0x0308, IP_ERROR_HOST_UNREACHABLE },
		{ 0x0309, IP_ERROR_PROHIBITED },
		{ 0x030a, IP_ERROR_PROHIBITED },
		{ 0x030b, IP_ERROR_NET_UNREACHABLE },
		{ 0x030c, IP_ERROR_HOST_UNREACHABLE },
		{ 0x030d, IP_ERROR_PROHIBITED },
		{ 0x030e, IP_ERROR_PROHIBITED },
		{ 0x030f, IP_ERROR_PROHIBITED },
		{ 0x0b00, IP_ERROR_TIME_EXCEEDED },
		{ 0x0b01, IP_ERROR_TIME_EXCEEDED },
		{ 0x0c00, IP_ERROR_PARAMETER },
	};

	for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
		quote(6, 0);
		cr_assert_eq(error(codes[i].type_code, 0).next, NEXT_TCP_ERROR);
		cr_assert_eq(told().error, codes[i].error, "case %u", i);
	}
	quote(6, 0);
	cr_assert_eq(error(0x0310, 0).verdict, V_ICMP_TYPE);
}

Case(icmp4, too_big_says_what_fits)
{
	quote(6, 1380);
	quoted_len = 28;
	error(0x0304, 1400);
	cr_assert(told().error == IP_ERROR_TOO_BIG && told().mtu == 1400);
	error(0x0304, 0xffff0500);
	cr_assert_eq(told().mtu, 0x500);
}

Case(icmp4, too_big_without_a_number_means_the_next_plateau)
{
	static const struct {
		uint16_t len, mtu;
	} cases[] = { { 65535, 32000 }, { 9000, 8166 }, { 1500, 1492 }, { 1492, 1006 },
		      { 1006, 508 },	{ 297, 296 },	{ 296, 68 },	{ 40, 68 } };

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		quote(6, 0);
		quoted[2] = (uint8_t)(cases[i].len >> 8);
		quoted[3] = (uint8_t)cases[i].len;
		quoted_len = 28;
		error(0x0304, 0);
		cr_assert_eq(told().mtu, cases[i].mtu, "case %u", i);
	}
}

Case(icmp4, nothing_is_believed_of_packets_that_cannot_be_ours)
{
	static const struct {
		uint8_t at, value;
	} cases[] = {
		{ 0, 0x65 }, /* not version 4 */
		{ 0, 0x44 }, /* a header too short */
		{ 0, 0x4f }, /* a header that is not there */
		{ 3, 19 },   /* shorter than its header */
		{ 3, 27 },   /* without the transport's eight bytes */
		{ 7, 1 },    /* not the first fragment */
		{ 9, 1 },    /* an echo: we send none */
		{ 9, 50 },   /* a protocol that we do not speak */
		{ 15, 77 },  /* from another host */
		{ 12, 198 }, /* from another host */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct step s;

		quote(6, 0);
		quoted[cases[i].at] = cases[i].value;
		s = error(0x0301, 0);
		cr_assert(s.next == NEXT_NONE && s.verdict == V_ICMP_NO_FLOW, "case %u",
			  i);
	}
	/* From an address of ours, but not the one to which it is told. */
	quote(6, 0);
	memcpy(quoted + 12, host_ip[1].b, 4);
	cr_assert_eq(error(0x0301, 0).verdict, V_ICMP_NO_FLOW);
	/* Told to all. */
	quote(6, 0);
	memset(quoted + 12, 255, 4);
	memset(ip.dst.b, 255, 4);
	cr_assert_eq(error(0x0301, 0).verdict, V_ICMP_NO_FLOW);
	cr_assert_eq(stats()->icmp_errors_in, 0);
	cr_assert(silent());
}

/* ---- errors that we send ---- */

static enum verdict to_nobody(uint32_t len)
{
	static const uint8_t zeros[60000];

	return receive(build_udp(f, &ip, 1000, 9999, zeros, len));
}

Case(icmp4, an_error_quotes_what_it_is_about)
{
	cr_assert_eq(to_nobody(20), V_UDP_NO_SOCKET);
	cr_assert(host_sent(h, 0, &l) && l.sound);
	cr_assert(l.icmp_type == 3 && l.icmp_code == 3 && l.icmp_rest == 0);
	cr_assert(ip4_eq(l.src, host_ip[0]) && ip4_eq(l.dst, peer_ip[0]));
	cr_assert_eq(l.payload_len, 48);
	cr_assert_arr_eq(l.payload, f + BUILD_L3, 48);
	cr_assert_eq(stats()->icmp_errors_out, 1);
}

Case(icmp4, an_error_is_never_longer_than_576_bytes)
{
	to_nobody(1400);
	cr_assert(host_sent(h, 0, &l) && l.sound && l.total_len == 576);
	cr_assert_arr_eq(l.payload, f + BUILD_L3, 548);
}

Case(icmp4, an_error_about_options_quotes_them)
{
	ip.options = "\1\1\1\0";
	ip.options_len = 4;
	to_nobody(20);
	cr_assert(host_sent(h, 0, &l) && l.payload_len == 52);
	cr_assert_arr_eq(l.payload, f + BUILD_L3, 52);
}

Case(icmp4, the_transport_may_say_why)
{
	static const struct {
		enum ip_error why;
		int code; /* -1: nothing is sent */
	} cases[] = {
		{ IP_ERROR_NET_UNREACHABLE, 0 },   { IP_ERROR_HOST_UNREACHABLE, 1 },
		{ IP_ERROR_PROTO_UNREACHABLE, 2 }, { IP_ERROR_PORT_UNREACHABLE, 3 },
		{ IP_ERROR_PROHIBITED, 13 },	   { IP_ERROR_NONE, -1 },
		{ IP_ERROR_TOO_BIG, -1 },	   { IP_ERROR_TIME_EXCEEDED, -1 },
		{ IP_ERROR_PARAMETER, -1 },
	};
	struct build_tcp tcp = { .dst_port = 1 };

	cr_assert_eq(host_receive(h, 0, f, build_tcp(f, &ip, &tcp, NULL, 0)).next,
		     NEXT_TCP);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		icmp4_unreachable(h->ip, h->up, cases[i].why, h->now_ns);
		cr_assert_eq(host_sent(h, 0, &l), cases[i].code >= 0);
		if (cases[i].code >= 0)
			cr_assert(l.sound && l.icmp_code == cases[i].code);
	}
}

Case(icmp4, no_errors_about_errors)
{
	/* Options that cannot be, which would be answered. */
	ip.options = "\7\1\1\0";
	ip.options_len = 4;
	cr_assert_eq(ping("x", 1), V_IP_BAD_HEADER);
	cr_assert(host_sent(h, 0, &l) && l.icmp_type == 12);
	for (unsigned type = 1; type < 256; type++) {
		if (type == 8)
			continue;
		cr_assert_eq(
			receive(build_icmp(f, &ip, (uint16_t)(type << 8), 0, "x", 1)),
			V_IP_BAD_HEADER);
	}
	cr_assert(silent());
}

Case(icmp4, no_errors_about_later_fragments)
{
	ip.options = "\7\1\1\0";
	ip.options_len = 4;
	ip.frag = BUILD_MF;
	cr_assert_eq(to_nobody(24), V_IP_BAD_HEADER);
	cr_assert(host_sent(h, 0, &l) && l.icmp_type == 12);
	ip.frag = 1;
	cr_assert_eq(to_nobody(24), V_IP_BAD_HEADER);
	cr_assert(silent());
}

Case(icmp4, errors_are_limited_in_rate)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 500; i++)
		to_nobody(1);
	n = host_drain(h);
	cr_assert(n <= 50 && n >= 25);
	cr_assert_eq(stats()->icmp_held_back, 500 - n);
	host_pass(h, NS_PER_S);
	for (unsigned i = 0; i < 500; i++)
		to_nobody(1);
	cr_assert(host_drain(h) > 0);
}

Case(icmp4, how_many_errors_remain_cannot_be_counted)
{
	unsigned counts = 0;

	/* Each time the bucket is full, another number is let through. */
	for (unsigned i = 0; i < 10; i++) {
		unsigned n;

		host_pass(h, 10 * NS_PER_S);
		for (unsigned k = 0; k < 60; k++)
			to_nobody(1);
		n = host_drain(h);
		counts |= n > 25 && n <= 56 ? 1u << (n - 25) : 0;
	}
	cr_assert(__builtin_popcount(counts) > 2);
}

Case(icmp4, an_empty_pool_costs_the_error_only)
{
	struct pkt *p = capture_pkt(&h->pool, f, build_udp(f, &ip, 1, 9999, "x", 1));
	struct pkt *all[HOST_PKTS];
	unsigned n = 0;

	while ((all[n] = pkt_new(&h->pool, PKT_CONTROL)))
		n++;
	cr_assert_eq(host_receive_pkt(h, 0, p).verdict, V_UDP_NO_SOCKET);
	while (n)
		pkt_free(all[--n]);
	cr_assert(silent());
	cr_assert_eq(stats()->icmp_errors_out, 0);
}

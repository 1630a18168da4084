#include <criterion/criterion.h>
#include <errno.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static struct build_ip6 ip;
static uint8_t f[BUILD_MAX];

/* A UDP datagram of 3000 bytes behind its header, as one packet would carry it. */
enum { DATAGRAM = 3008 };
static uint8_t datagram[DATAGRAM];
static struct udp_port port;

static void setup(void)
{
	h = host6_with_peers();
	ip = host6_from_peer(0);
	ip.next = 17;
	for (unsigned i = 8; i < DATAGRAM; i++)
		datagram[i] = (uint8_t)(i * 13 + i / 256);
	build_udp6(f, &ip, 1000, 53, datagram + 8, DATAGRAM - 8);
	memcpy(datagram, f + BUILD6_L4, 8);
	port = (struct udp_port){ .flow.local_port = 53 };
	cr_assert_eq(udp_bind(h->udp, &port), 0);
}

static void clean(void)
{
	udp_unbind(h->udp, &port);
	host_free(h);
}

Cases(ip6_frag, setup, clean);

static const struct ip_stats *stats(void)
{
	return ip_stats(h->ip);
}

/* The bytes from @off to @end of the datagram come, as a fragment of packet @id. */
static enum verdict piece(uint32_t id, uint32_t off, uint32_t end)
{
	uint32_t len = build_frag6(f, &ip, id, (uint16_t)off, end < DATAGRAM,
				   datagram + off, end - off);

	return host_receive(h, 0, f, len).verdict;
}

/* The datagram is in the socket, and is right. */
static void expect_datagram(void)
{
	static uint8_t got[DATAGRAM];
	struct pkt *p = udp_recv(&port);

	cr_assert(p, "nothing came");
	cr_assert_eq(pkt_read(p, 0, got, sizeof(got)), DATAGRAM - 8);
	cr_assert_arr_eq(got, datagram + 8, DATAGRAM - 8);
	pkt_free(p);
}

static bool silent(void)
{
	return !host_sent(h, 0, &l) && !host_sent(h, 1, &l);
}

/* ---- in ---- */

Case(ip6_frag, fragments_in_every_order_become_the_packet)
{
	static const uint32_t at[] = { 0, 1000, 2000, DATAGRAM };
	static const unsigned orders[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
					      { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

	for (unsigned i = 0; i < ARRAY_LEN(orders); i++) {
		for (unsigned k = 0; k < 3; k++) {
			unsigned n = orders[i][k];

			cr_assert_eq(piece(i, at[n], at[n + 1]), V_KEPT);
		}
		expect_datagram();
	}
	cr_assert_eq(stats()->reass_done, ARRAY_LEN(orders));
	cr_assert(silent());
}

Case(ip6_frag, headers_in_front_of_the_fragment_header_are_behind_us)
{
	ip.exts = "\54\0\1\4\0\0\0\0";
	ip.exts_len = 8;
	ip.ext = 60;
	piece(1, 0, 1000);
	piece(1, 1000, DATAGRAM);
	expect_datagram();
}

Case(ip6_frag, headers_behind_it_are_read_when_the_packet_is_whole)
{
	static uint8_t bytes[DATAGRAM + 8] = "\21\0\1\4\0\0\0\0";
	uint32_t len;

	memcpy(bytes + 8, datagram, DATAGRAM);
	ip.next = 60;
	len = build_frag6(f, &ip, 9, 1400, false, bytes + 1400, DATAGRAM + 8 - 1400);
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_KEPT);
	len = build_frag6(f, &ip, 9, 0, true, bytes, 1400);
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_KEPT);
	expect_datagram();
}

Case(ip6_frag, an_atomic_fragment_is_a_packet_of_its_own)
{
	/* RFC 6946 4: also while fragments of the same identification wait. */
	cr_assert_eq(piece(5, 0, 1000), V_KEPT);
	cr_assert_eq(piece(5, 0, DATAGRAM), V_KEPT);
	expect_datagram();
	cr_assert_eq(piece(5, 1000, DATAGRAM), V_KEPT);
	expect_datagram();
	cr_assert_eq(stats()->reass_done, 1);
}

Case(ip6_frag, fragments_that_overlap_refuse_the_packet)
{
	cr_assert_eq(piece(1, 0, 1000), V_KEPT);
	cr_assert_eq(piece(1, 992, 2000), V_FRAG_OVERLAP);
	cr_assert_eq(piece(1, 1000, DATAGRAM), V_FRAG_OVERLAP);
	cr_assert_eq(stats()->reass_refused, 1);
	cr_assert(!udp_recv(&port) && silent());
	/* RFC 8200 4.5: a copy is no overlap. */
	cr_assert_eq(piece(2, 0, 1000), V_KEPT);
	cr_assert_eq(piece(2, 0, 1000), V_DONE);
	cr_assert_eq(piece(2, 1000, DATAGRAM), V_KEPT);
	expect_datagram();
}

Case(ip6_frag, packets_of_other_ends_or_identifications_do_not_mix)
{
	cr_assert_eq(piece(1, 0, 1000), V_KEPT);
	cr_assert_eq(piece(2, 1000, DATAGRAM), V_KEPT);
	ip.src.b[15] = 10;
	cr_assert_eq(piece(1, 1000, DATAGRAM), V_KEPT);
	cr_assert(!udp_recv(&port));
	ip = host6_from_peer(0);
	ip.next = 17;
	cr_assert_eq(piece(1, 1000, DATAGRAM), V_KEPT);
	expect_datagram();
}

/* The problem that was answered. */
static void expect_problem(uint32_t pointer)
{
	cr_assert(host_sent(h, 0, &l) && l.sound && l.icmp_type == 4);
	cr_assert(l.icmp_code == 0 && l.icmp_rest == pointer, "at %u", l.icmp_rest);
}

Case(ip6_frag, a_length_that_is_no_multiple_of_eight_is_answered)
{
	cr_assert_eq(piece(1, 0, 1001), V_FRAG_BAD);
	expect_problem(4);
	/* The last one may be of any length. */
	cr_assert_eq(piece(2, 0, 1000), V_KEPT);
}

Case(ip6_frag, a_packet_that_would_be_too_long_is_answered)
{
	uint32_t len = build_frag6(f, &ip, 1, 65528, false, datagram, 16);

	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_FRAG_BAD);
	expect_problem(42);
}

Case(ip6_frag, a_packet_that_is_never_whole_is_given_up_and_told)
{
	piece(1, 0, 1000);
	piece(2, 1000, 2000);
	host_pass(h, 59 * NS_PER_S);
	cr_assert(silent());
	host_pass(h, 2 * NS_PER_S);
	/* RFC 8200 4.5: only about the one whose beginning came. */
	cr_assert(host_sent(h, 0, &l) && l.sound && l.icmp_type == 3 && l.icmp_code == 1);
	cr_assert(silent());
	cr_assert_eq(stats()->reass_timeout, 2);
	cr_assert_eq(h->pool.pkts.n_out, 0);
}

Case(ip6_frag, both_families_share_the_limit_of_packets)
{
	for (uint32_t i = 0; i < IP_REASS_MAX + 5; i++)
		cr_assert_eq(piece(i, 1000, 2000), V_KEPT);
	cr_assert_eq(stats()->reass_evicted, 5);
	host_pass(h, 61 * NS_PER_S);
}

Case(ip6_frag, a_first_fragment_without_the_whole_tcp_header_is_refused)
{
	uint32_t len;

	ip.next = 6;
	len = build_frag6(f, &ip, 1, 0, true, datagram, 16);
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_FRAG_BAD);
}

/* ---- out ---- */

static int send_to(struct ip6 dst, uint32_t len, uint8_t flags)
{
	struct ip_out how = { .dst = addr_ip6(dst), .proto = 17, .flags = flags };

	return ip_output(h->ip, host_bytes(h, len), &how, h->now_ns);
}

Case(ip6_frag, a_long_packet_leaves_in_fragments_that_become_it)
{
	static uint8_t got[65535];
	uint32_t at = 0, id = 0, n = 0;
	bool last = false;

	cr_assert_eq(send_to(peer_ip6[0], 5000, 0), 0);
	while (host_sent(h, 0, &l)) {
		cr_assert(l.sound && l.n_exts == 1 && l.exts[0] == 44 && !last);
		cr_assert(l.total_len <= 1500 && l.frag_off == at);
		cr_assert(n++ == 0 || l.frag_id == id);
		id = l.frag_id;
		last = !l.mf;
		/* look() strips the UDP header of the first one. */
		if (!at) {
			l.payload -= 8;
			l.payload_len += 8;
		}
		cr_assert(last || l.payload_len % 8 == 0);
		memcpy(got + at, l.payload, l.payload_len);
		at += l.payload_len;
	}
	cr_assert(last && at == 5000 && n == 4);
	for (uint32_t i = 0; i < at; i++)
		cr_assert_eq(got[i], (uint8_t)i);
	cr_assert_eq(stats()->frag_made, 4);
	cr_assert_eq(send_to(peer_ip6[0], 5000, 0), 0);
	cr_assert(host_sent(h, 0, &l) && l.frag_id != id && l.frag_id != id + 1);
	host_drain(h);
}

Case(ip6_frag, what_must_not_be_cut_is_refused)
{
	cr_assert_eq(send_to(peer_ip6[0], 1460, IP_DF), 0);
	cr_assert(host_sent(h, 0, &l) && l.n_exts == 0 && l.total_len == 1500);
	cr_assert_eq(send_to(peer_ip6[0], 1461, IP_DF), -EMSGSIZE);
	cr_assert_eq(send_to(peer_ip6[0], 65536, 0), -EMSGSIZE);
	cr_assert_eq(stats()->out_too_big, 2);
	cr_assert(silent());
}

Case(ip6_frag, a_narrower_path_is_learned_but_never_below_the_least)
{
	struct addr dst = addr_ip6(peer_ip6[0]);

	ip_path_mtu_set(h->ip, &dst, 1400, h->now_ns);
	cr_assert_eq(ip_path_mtu(h->ip, &dst), 1400);
	/* RFC 8201 4: neither raised nor lowered below 1280. */
	ip_path_mtu_set(h->ip, &dst, 1450, h->now_ns);
	cr_assert_eq(ip_path_mtu(h->ip, &dst), 1400);
	ip_path_mtu_set(h->ip, &dst, 100, h->now_ns);
	cr_assert_eq(ip_path_mtu(h->ip, &dst), 1280);
	cr_assert_eq(send_to(peer_ip6[0], 1241, IP_DF), -EMSGSIZE);
	cr_assert_eq(send_to(peer_ip6[0], 1241, 0), 0);
	while (host_sent(h, 0, &l))
		cr_assert(l.sound && l.n_exts == 1 && l.total_len <= 1280);
	host_pass(h, (IP_PMTU_SECONDS + 1) * NS_PER_S);
	cr_assert_eq(ip_path_mtu(h->ip, &dst), 1500);
}

Case(ip6_frag, no_memory_for_a_fragment_is_no_packet)
{
	struct pkt *p = host_bytes(h, 5000), *hoard = NULL, *q;
	struct ip_out how = { .dst = addr_ip6(peer_ip6[0]), .proto = 17 };

	while ((q = pkt_new(&h->pool, PKT_DATA))) {
		q->link = hoard;
		hoard = q;
	}
	cr_assert_eq(ip_output(h->ip, p, &how, h->now_ns), -ENOBUFS);
	pkt_free_list(hoard);
	cr_assert(silent() && stats()->out_no_memory == 1);
}

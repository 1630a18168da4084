#include <criterion/criterion.h>

#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

enum { PORT = 4000, WHOLE_MAX = 65515 };

static struct host *h;
static struct look l;
static struct udp_port port;
static uint8_t f[BUILD_MAX];

/* The datagram that comes in fragments: its UDP header and payload. */
static uint8_t whole[WHOLE_MAX];
static uint32_t whole_len;
static struct build_ip4 ip;

static void setup(void)
{
	h = host_with_peers();
	port = (struct udp_port){ .flow.local_port = PORT };
	cr_assert_eq(udp_bind(h->udp, &port), 0);
	ip = host_from_peer(0);
	ip.proto = 17;
	ip.id = 7;
}

static void clean(void)
{
	host_free(h);
}

Cases(reass, setup, clean);

static void make_whole(uint32_t payload_len)
{
	static uint8_t payload[WHOLE_MAX];

	for (uint32_t i = 0; i < payload_len; i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
	build_udp(f, &ip, 1000, PORT, payload, payload_len);
	whole_len = 8 + payload_len;
	memcpy(whole, f + BUILD_L4, whole_len);
}

static uint32_t build_frag(uint32_t off, uint32_t len, bool more)
{
	struct build_ip4 part = ip;

	part.frag = (uint16_t)(off / 8 | (more ? BUILD_MF : 0));
	return build_ip4(f, &part, whole + off, len);
}

/* Bytes @off to @off + @len of the datagram arrive. */
static enum verdict frag(uint32_t off, uint32_t len, bool more)
{
	return host_receive(h, 0, f, build_frag(off, len, more)).verdict;
}

static enum verdict middle(uint32_t off, uint32_t len)
{
	return frag(off, len, true);
}

static enum verdict last(uint32_t off)
{
	return frag(off, whole_len - off, false);
}

/* The datagram is in the socket, byte for byte; takes it. */
static bool arrived(void)
{
	static uint8_t got[WHOLE_MAX];
	struct pkt *p = udp_recv(&port);
	uint32_t n;

	if (!p)
		return false;
	n = pkt_read(p, 0, got, sizeof(got));
	cr_assert(p->total_len == n && !p->link);
	pkt_free(p);
	return n == whole_len - 8 && memcmp(got, whole + 8, n) == 0;
}

static const struct ip_stats *stats(void)
{
	return ip_stats(h->ip);
}

static bool silent(void)
{
	return !host_sent(h, 0, &l);
}

/* ---- in every order ---- */

/* The @n-th order of four things. */
static void order_of(unsigned n, unsigned order[4])
{
	unsigned left[4] = { 0, 1, 2, 3 };

	for (unsigned i = 0; i < 4; i++) {
		unsigned radix = 4 - i, pick = n % radix;

		n /= radix;
		order[i] = left[pick];
		memmove(left + pick, left + pick + 1, (3 - pick) * sizeof(unsigned));
	}
}

Case(reass, four_fragments_in_every_order)
{
	static const uint32_t at[] = { 0, 64, 200, 1200 };

	make_whole(2000);
	for (unsigned n = 0; n < 24; n++) {
		unsigned order[4];

		order_of(n, order);
		for (unsigned i = 0; i < 4; i++) {
			unsigned k = order[i];
			enum verdict v =
				k == 3 ? last(at[3]) : middle(at[k], at[k + 1] - at[k]);

			cr_assert_eq(v, V_KEPT);
			ip_check(h->ip);
			cr_assert_eq(port.n_queued, i == 3);
		}
		cr_assert(arrived(), "order %u", n);
	}
	cr_assert(stats()->reass_done == 24 && stats()->frag_in == 96);
}

/* As a driver may give short frames: the bytes inside the descriptor. */
static enum verdict frag_in_head(uint32_t off, uint32_t len, bool more)
{
	uint32_t n = build_frag(off, len, more);
	struct pkt *p = pkt_new(&h->pool, PKT_DATA);

	memcpy(pkt_push(p, n), f, n);
	return host_receive_pkt(h, 0, p).verdict;
}

Case(reass, fragments_inside_descriptors_in_every_order)
{
	make_whole(100);
	for (unsigned n = 0; n < 24; n++) {
		unsigned order[4];

		order_of(n, order);
		for (unsigned i = 0; i < 4; i++) {
			uint32_t off = order[i] * 24;
			bool more = order[i] < 3;

			/* Some so and some so, and both as the one that completes. */
			if ((order[i] + n) % 2)
				frag_in_head(off, more ? 24 : whole_len - off, more);
			else
				frag(off, more ? 24 : whole_len - off, more);
		}
		cr_assert(arrived(), "order %u", n);
	}
}

Case(reass, fragments_of_many_buffers)
{
	make_whole(30000);
	cr_assert_eq(last(24000), V_KEPT);
	cr_assert_eq(middle(8000, 16000), V_KEPT);
	cr_assert_eq(middle(0, 8000), V_KEPT);
	cr_assert(arrived());
}

Case(reass, the_longest_datagram_from_back_to_front)
{
	make_whole(65507);
	cr_assert_eq(last(65120), V_KEPT);
	for (uint32_t off = 65120; off; off -= 1480)
		cr_assert_eq(middle(off - 1480, 1480), V_KEPT);
	cr_assert(arrived());
}

Case(reass, two_fragments_of_eight_bytes)
{
	make_whole(8);
	middle(0, 8);
	last(8);
	cr_assert(arrived());
}

Case(reass, a_segment_goes_on_with_its_whole_header_in_front)
{
	struct build_tcp tcp = { .src_port = 9, .dst_port = 25, .flags = 16 };

	ip.proto = 6;
	whole_len = build_tcp(f, &ip, &tcp, "0123456789abcdef", 16) - BUILD_L4;
	memcpy(whole, f + BUILD_L4, whole_len);
	cr_assert_eq(last(24), V_KEPT);
	cr_assert_eq(host_receive(h, 0, f, build_frag(0, 24, true)).next, NEXT_TCP);
	cr_assert(h->up->total_len == 36 && h->up->len >= 20);
	cr_assert(h->up->l4 == h->up->data && h->up->l3[9] == 6);
}

Case(reass, packets_mix_without_touching)
{
	make_whole(100);
	middle(0, 64);
	ip.id = 8;
	middle(0, 64);
	ip.id = 7;
	last(64);
	cr_assert(arrived() && !arrived());
	/* Neither sender, receiver nor protocol is the same. */
	ip.id = 8;
	ip.src.b[3]++;
	last(64);
	ip = host_from_peer(0);
	ip.id = 8;
	ip.proto = 1;
	last(64);
	ip.proto = 17;
	ip.dst = (struct ip4){ { 255, 255, 255, 255 } };
	last(64);
	cr_assert_eq(port.n_queued, 0);
	ip.dst = host_ip[0];
	last(64);
	cr_assert(arrived());
}

Case(reass, a_checksum_is_verified_over_the_whole)
{
	struct pkt *p;
	uint32_t len;

	make_whole(100);
	whole[50] ^= 1;
	middle(0, 64);
	/* Whatever a port says of a piece. */
	len = build_frag(64, whole_len - 64, false);
	p = capture_pkt(&h->pool, f, len);
	p->flags |= PKT_SUM_OK;
	cr_assert_eq(host_receive_pkt(h, 0, p).verdict, V_UDP_BAD_SUM);
}

Case(reass, congestion_of_one_fragment_is_of_all)
{
	struct pkt *p;

	make_whole(100);
	ip.tos = 2;
	middle(0, 48);
	ip.tos = 3;
	middle(48, 16);
	ip.tos = 2;
	last(64);
	p = udp_recv(&port);
	cr_assert(p && p->tos == 3);
	pkt_free(p);
}

Case(reass, a_mark_beside_what_may_not_be_marked_spoils_the_packet)
{
	/* RFC 3168 5.3 */
	make_whole(100);
	ip.tos = 0;
	cr_assert_eq(middle(0, 48), V_KEPT);
	ip.tos = 3;
	cr_assert_eq(middle(48, 16), V_FRAG_BAD);
	ip.tos = 0;
	last(64);
	cr_assert(!arrived());
	cr_assert_eq(stats()->reass_refused, 1);
}

/* ---- what is tolerated ---- */

Case(reass, exact_copies_are_dropped_alone)
{
	make_whole(100);
	cr_assert_eq(middle(0, 48), V_KEPT);
	cr_assert_eq(middle(0, 48), V_DONE);
	cr_assert_eq(last(64), V_KEPT);
	cr_assert_eq(last(64), V_DONE);
	cr_assert_eq(middle(48, 16), V_KEPT);
	cr_assert(arrived());
	cr_assert_eq(stats()->reass_refused, 0);
}

/* ---- what is refused, with all that belongs to it ---- */

/* Nothing of packet 7 is taken any more, and nothing is said about it. */
static void cr_refused(void)
{
	enum verdict v = middle(1600, 8);

	cr_assert(v == V_FRAG_OVERLAP || v == V_FRAG_BAD || v == V_FRAG_LIMIT);
	middle(0, 1600);
	last(1600);
	cr_assert_eq(port.n_queued, 0);
	cr_assert_eq(stats()->reass_refused, 1);
	cr_assert_eq(h->ip->reass.memory, 0);
	host_pass(h, (IP_REASS_SECONDS + 1) * NS_PER_S);
	cr_assert(silent());
	cr_assert_eq(stats()->reass_timeout, 0);
	/* Later its number is as good as any. */
	make_whole(2000);
	middle(0, 1600);
	last(1600);
	cr_assert(arrived());
}

Case(reass, overlaps_are_refused)
{
	static const struct {
		uint32_t off, len;
		bool more;
	} cases[] = {
		{ 400, 56, true },  /* the start */
		{ 544, 56, true },  /* the end */
		{ 480, 24, true },  /* inside */
		{ 440, 200, true }, /* around */
		{ 448, 56, true },  /* from its start, shorter */
		{ 448, 160, true }, /* from its start, longer */
		{ 504, 48, true },  /* to its end, shorter */
		{ 8, 2000, false }, /* all of it */
		{ 504, 1504, false },
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		make_whole(2000);
		cr_assert_eq(middle(448, 104), V_KEPT);
		cr_assert_eq(frag(cases[i].off, cases[i].len, cases[i].more),
			     V_FRAG_OVERLAP, "case %u", i);
		cr_refused();
		clean();
		setup();
	}
}

Case(reass, an_overlap_far_back_is_found)
{
	make_whole(2000);
	for (uint32_t off = 0; off < 1000; off += 40)
		cr_assert_eq(middle(off, 32), V_KEPT);
	cr_assert_eq(middle(504, 16), V_FRAG_OVERLAP);
	cr_refused();
}

Case(reass, a_copy_with_other_bytes_is_refused)
{
	make_whole(2000);
	middle(0, 1000);
	whole[999] ^= 1;
	cr_assert_eq(middle(0, 1000), V_FRAG_OVERLAP);
	cr_refused();
}

Case(reass, a_copy_that_says_something_else_about_the_end_is_refused)
{
	make_whole(2000);
	middle(8, 1000);
	cr_assert_eq(frag(8, 1000, false), V_FRAG_BAD);
	cr_refused();
	clean();
	setup();
	make_whole(2000);
	last(1000);
	cr_assert_eq(middle(1000, 1008), V_FRAG_BAD);
	cr_refused();
}

Case(reass, two_ends_are_refused)
{
	make_whole(2000);
	frag(400, 100, false);
	cr_assert_eq(frag(800, 100, false), V_FRAG_BAD);
	cr_refused();
}

Case(reass, something_behind_the_end_is_refused)
{
	make_whole(2000);
	frag(400, 100, false);
	cr_assert_eq(middle(800, 8), V_FRAG_BAD);
	cr_refused();
}

Case(reass, something_up_to_the_end_is_not_followed)
{
	make_whole(2000);
	frag(400, 104, false);
	cr_assert_eq(middle(304, 200), V_FRAG_OVERLAP);
	cr_refused();
}

Case(reass, an_end_before_what_is_there_is_refused)
{
	make_whole(2000);
	middle(800, 8);
	cr_assert_eq(frag(400, 100, false), V_FRAG_BAD);
	cr_refused();
}

Case(reass, pieces_that_are_not_whole_eights_are_refused)
{
	for (uint32_t len = 1; len < 8; len++) {
		make_whole(2000);
		cr_assert_eq(middle(0, 96 + len), V_FRAG_BAD);
		cr_refused();
		clean();
		setup();
	}
}

Case(reass, empty_pieces_are_refused)
{
	make_whole(2000);
	cr_assert_eq(middle(800, 0), V_FRAG_BAD);
	cr_refused();
	clean();
	setup();
	make_whole(2000);
	cr_assert_eq(frag(800, 0, false), V_FRAG_BAD);
	cr_refused();
}

Case(reass, a_packet_longer_than_any_is_refused)
{
	make_whole(2000);
	ip.frag = 8184; /* byte 65472 */
	cr_assert_eq(host_receive(h, 0, f, build_ip4(f, &ip, whole, 43)).verdict, V_KEPT);
	clean();
	setup();
	ip.frag = 8184;
	cr_assert_eq(host_receive(h, 0, f, build_ip4(f, &ip, whole, 44)).verdict,
		     V_FRAG_BAD);
	ip.frag = 0;
	cr_refused();
}

Case(reass, options_count_for_the_longest)
{
	make_whole(2000);
	ip.options = "\1\1\1\1";
	ip.options_len = 4;
	ip.frag = 8184;
	cr_assert_eq(host_receive(h, 0, f, build_ip4(f, &ip, whole, 40)).verdict,
		     V_FRAG_BAD);
}

Case(reass, a_first_piece_must_hold_the_whole_tcp_header)
{
	struct build_tcp tcp = {
		.flags = 2,
		.options = "\2\4\5\264",
		.options_len = 4,
	};

	ip.proto = 6;
	for (uint32_t len = 8; len <= 24; len += 8) {
		build_tcp(f, &ip, &tcp, "0123456789abcdef", 16);
		memcpy(whole, f + BUILD_L4, 40);
		whole_len = 40;
		cr_assert_eq(middle(0, len), len < 24 ? V_FRAG_BAD : V_KEPT);
		ip.id++;
	}
}

/* ---- limits ---- */

Case(reass, a_packet_that_stays_incomplete_is_told_of_if_it_began)
{
	make_whole(100);
	middle(0, 48);
	last(64);
	host_pass(h, IP_REASS_SECONDS * NS_PER_S - NS_PER_MS);
	cr_assert(silent());
	host_pass(h, NS_PER_MS);
	cr_assert(host_sent(h, 0, &l) && l.sound);
	cr_assert(l.icmp_type == 11 && l.icmp_code == 1);
	cr_assert(ip4_eq(l.dst, peer_ip[0]) && ip4_eq(l.src, host_ip[0]));
	cr_assert_eq(l.payload_len, 20 + 48);
	cr_assert(look_quote(l.payload, l.payload_len).src_port == 1000);
	cr_assert_eq(stats()->reass_timeout, 1);
	host_drain(h);
	/* What comes too late begins anew. */
	cr_assert_eq(middle(48, 16), V_KEPT);
	cr_assert_eq(port.n_queued, 0);
}

Case(reass, a_packet_that_did_not_begin_ends_in_silence)
{
	make_whole(100);
	last(64);
	host_pass(h, (IP_REASS_SECONDS + 1) * NS_PER_S);
	cr_assert(silent());
	cr_assert_eq(stats()->reass_timeout, 1);
	cr_assert_eq(h->ip->reass.memory, 0);
}

Case(reass, time_is_not_prolonged_by_more_fragments)
{
	make_whole(200);
	for (unsigned i = 0; i < 4; i++) {
		middle(i * 8, 8);
		host_pass(h, IP_REASS_SECONDS * NS_PER_S / 4);
	}
	cr_assert_eq(stats()->reass_timeout, 1);
	host_drain(h);
}

Case(reass, the_oldest_packet_makes_room_for_one_too_many)
{
	make_whole(100);
	for (unsigned i = 0; i <= IP_REASS_MAX; i++) {
		ip.id = (uint16_t)i;
		cr_assert_eq(middle(0, 64), V_KEPT);
	}
	cr_assert_eq(stats()->reass_evicted, 1);
	for (unsigned i = 1; i <= IP_REASS_MAX; i++) {
		ip.id = (uint16_t)i;
		last(64);
		cr_assert(arrived(), "packet %u", i);
	}
	ip.id = 0;
	last(64);
	cr_assert(!arrived());
}

Case(reass, the_oldest_packets_make_room_for_memory)
{
	const unsigned each = 100;
	unsigned n = 0;

	make_whole(2000);
	while (stats()->reass_evicted == 0) {
		ip.id = (uint16_t)n++;
		for (unsigned i = 0; i < each; i++)
			cr_assert_eq(middle(i * 16, 8), V_KEPT);
		ip_check(h->ip);
		cr_assert(h->ip->reass.memory <= IP_REASS_BYTES_MAX);
		cr_assert(n < IP_REASS_MAX);
	}
	/* It was memory, and all that there is was used. */
	cr_assert(n * each >= IP_REASS_BYTES_MAX / (PKT_BUF_LEN + sizeof(struct pkt)));
}

Case(reass, the_oldest_packet_may_use_the_memory_of_the_others)
{
	unsigned n = 0;

	make_whole(2000);
	ip.id = 60000;
	middle(0, 8);
	while (stats()->reass_evicted == 0) {
		ip.id = (uint16_t)n++;
		for (unsigned i = 0; i < 100 && stats()->reass_evicted == 0; i++) {
			/* Just before memory is short it is the oldest one's turn. */
			if (h->ip->reass.memory + 2 * PKT_BUF_LEN > IP_REASS_BYTES_MAX)
				goto full;
			middle(i * 16, 8);
		}
	}
full:
	ip.id = 60000;
	for (unsigned i = 1; i < 10; i++)
		cr_assert_eq(middle(i * 16, 8), V_KEPT);
	cr_assert_eq(stats()->reass_evicted, 1);
	ip_check(h->ip);
}

Case(reass, so_many_fragments_and_no_more)
{
	make_whole(4000);
	for (unsigned i = 0; i < IP_REASS_FRAGS_MAX; i++)
		cr_assert_eq(middle(i * 16, 8), V_KEPT);
	cr_assert_eq(middle(8, 8), V_FRAG_LIMIT);
	cr_assert_eq(h->ip->reass.memory, 0);
	cr_assert_eq(middle(24, 8), V_FRAG_LIMIT);
}

Case(reass, refused_packets_make_room_too)
{
	make_whole(100);
	for (unsigned i = 0; i <= IP_REASS_MAX; i++) {
		ip.id = (uint16_t)i;
		cr_assert_eq(middle(0, 7), V_FRAG_BAD);
	}
	cr_assert_eq(stats()->reass_evicted, 1);
	ip_check(h->ip);
}

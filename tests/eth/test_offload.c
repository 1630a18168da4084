#include <criterion/criterion.h>

#include "eth/offload.h"
#include "eth/port.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"
#include "tests/lib/build.h"
#include "tests/lib/case.h"
#include "tests/lib/look.h"

enum { FIN = 1, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

static const struct build_ip4 ip = {
	.eth_dst = { { 2, 0, 0, 0, 0, 2 } },
	.eth_src = { { 2, 0, 0, 0, 0, 1 } },
	.src = { { 192, 0, 2, 1 } },
	.dst = { { 192, 0, 2, 2 } },
	.id = 0xfffe,
	.frag = BUILD_DF,
};

static struct pkt_pool pool;
static uint8_t payload[65000];

static void setup(void)
{
	struct rng rng;

	rng_init(&rng, 1);
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)rng_u32(&rng);
	cr_assert_eq(pkt_pool_init(&pool, 4096, 1024), 0);
}

static void clean(void)
{
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(offload, setup, clean);

/* The first @header_len bytes of @frame in a head[], the rest in buffers of @piece. */
static struct pkt *chained(const uint8_t *frame, uint32_t header_len, uint32_t len,
			   uint32_t piece)
{
	struct pkt *p = pkt_new(&pool, PKT_DATA);

	memcpy(pkt_push(p, header_len), frame, header_len);
	for (uint32_t at = header_len; at < len; at += piece) {
		struct pkt *part = pkt_new_buf(&pool, PKT_DATA, 0);
		uint32_t n = len - at < piece ? len - at : piece;

		cr_assert(part && pkt_append(part, frame + at, n));
		pkt_chain(p, part);
	}
	p->l3 = p->data + 14;
	return p;
}

/* A super-frame of @len bytes of payload in pieces. */
static struct pkt *super4(const struct build_tcp *tcp, uint32_t len, uint32_t piece,
			  uint16_t gso_len)
{
	static uint8_t frame[BUILD_MAX];
	uint32_t header_len = BUILD_L4 + 20u + tcp->options_len;
	uint16_t sum = build_partial(ip.src, ip.dst, 6, 20u + tcp->options_len + len);
	struct pkt *p;

	build_tcp(frame, &ip, tcp, payload, len);
	memcpy(frame + BUILD_L4 + 16, &sum, sizeof(sum));
	p = chained(frame, header_len, header_len + len, piece);
	p->l4 = p->data + BUILD_L4;
	p->proto = 6;
	p->gso_len = gso_len;
	p->flags = PKT_SUM_PARTIAL;
	return p;
}

static void no_segments(const struct look *l, unsigned i)
{
	(void)l;
	(void)i;
}

/*
 * Cuts @super, completes the sums, gives each segment to @each, and checks that the
 * payload is all there in order; how many there were.
 */
static unsigned cut(struct pkt *super, uint32_t len,
		    void (*each)(const struct look *l, unsigned i))
{
	struct offload_cut c;
	struct pkt *seg;
	uint32_t at = 0;
	unsigned n = 0;

	offload_cut_start(&c, super);
	while ((seg = offload_cut_next(&c))) {
		static uint8_t bytes[BUILD_MAX];
		struct look l;

		cr_assert(seg->flags & PKT_SUM_PARTIAL);
		cr_assert_eq(seg->gso_len, 0);
		offload_sum(seg);
		cr_assert_eq(seg->flags & PKT_SUM_PARTIAL, 0);
		l = look(bytes, pkt_read(seg, 0, bytes, sizeof(bytes)));
		cr_assert(l.sound, "segment %u", n);
		cr_assert_eq(l.seq, 1000 + at);
		cr_assert_arr_eq(l.payload, payload + at, l.payload_len);
		cr_assert_eq(l.total_len + 14u, seg->total_len);
		at += l.payload_len;
		each(&l, n++);
		pkt_free(seg);
	}
	cr_assert_eq(at, len);
	cr_assert_eq(offload_cut_end(&c), 0);
	return n;
}

static const struct build_tcp plain = { .seq = 1000, .flags = ACK };

Case(offload, segments_together_are_the_super_frame)
{
	static const uint32_t lens[] = { 1, 99, 100, 101, 1000, 4321, 60000, 65000 };
	static const uint32_t pieces[] = { 7, 100, 1449, 4096 };

	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			uint16_t gso = lens[i] > 4321 ? 1448 : 100;
			struct pkt *p;

			if (lens[i] / pieces[k] > 500)
				continue;
			p = super4(&plain, lens[i], pieces[k], gso);
			cr_assert_eq(cut(p, lens[i], no_segments),
				     (lens[i] + gso - 1) / gso);
		}
	}
}

Case(offload, segments_share_the_buffers)
{
	struct offload_cut c;
	struct pkt *segs[4];

	offload_cut_start(&c, super4(&plain, 4000, 4096, 1000));
	for (unsigned i = 0; i < 4; i++) {
		segs[i] = offload_cut_next(&c);
		cr_assert_not_null(segs[i]);
	}
	cr_assert_null(offload_cut_next(&c));
	cr_assert_eq(offload_cut_end(&c), 0);
	cr_assert_eq(pool.bufs.n_out, 1);
	for (unsigned i = 0; i < 4; i++)
		pkt_free(segs[i]);
}

static void expect_flags(const struct look *l, unsigned i)
{
	static const uint16_t flags[] = { ACK | CWR | ECE, ACK | ECE,
					  ACK | ECE | FIN | PSH };

	cr_assert_eq(l->flags, flags[i], "segment %u has %x", i, l->flags);
}

Case(offload, fin_and_psh_are_on_the_last_and_cwr_on_the_first)
{
	struct build_tcp tcp = { .seq = 1000, .flags = ACK | FIN | PSH | CWR | ECE };

	cr_assert_eq(cut(super4(&tcp, 300, 4096, 100), 300, expect_flags), 3);
}

static void expect_all_flags(const struct look *l, unsigned i)
{
	cr_assert_eq(i, 0);
	cr_assert_eq(l->flags, ACK | FIN | PSH | CWR);
}

Case(offload, a_single_segment_keeps_all_flags)
{
	struct build_tcp tcp = { .seq = 1000, .flags = ACK | FIN | PSH | CWR };

	cr_assert_eq(cut(super4(&tcp, 99, 4096, 100), 99, expect_all_flags), 1);
}

static void expect_id(const struct look *l, unsigned i)
{
	cr_assert_eq(l->id, (uint16_t)(0xfffe + i));
	cr_assert(l->df);
}

Case(offload, identification_counts_on_around_zero)
{
	cr_assert_eq(cut(super4(&plain, 400, 4096, 100), 400, expect_id), 4);
}

static void expect_urgent(const struct look *l, unsigned i)
{
	static const uint16_t urgent[] = { 150, 50, 0 };

	cr_assert_eq(l->urgent, urgent[i]);
	cr_assert_eq(!!(l->flags & URG), urgent[i] != 0);
}

Case(offload, urgent_pointer_keeps_pointing_at_its_byte)
{
	struct build_tcp tcp = { .seq = 1000, .flags = ACK | URG, .urgent = 150 };

	cr_assert_eq(cut(super4(&tcp, 300, 4096, 100), 300, expect_urgent), 3);
}

static void expect_options(const struct look *l, unsigned i)
{
	(void)i;
	cr_assert_eq(l->options_len, 12);
	cr_assert_arr_eq(l->options, "\1\1\x08\x0a\0\0\0\1\0\0\0\2", 12);
	cr_assert_eq(l->ack, 77);
	cr_assert_eq(l->window, 512);
}

Case(offload, options_and_acknowledgement_are_in_every_segment)
{
	struct build_tcp tcp = {
		.seq = 1000,
		.ack = 77,
		.window = 512,
		.flags = ACK,
		.options = "\1\1\x08\x0a\0\0\0\1\0\0\0\2",
		.options_len = 12,
	};

	cr_assert_eq(cut(super4(&tcp, 300, 4096, 100), 300, expect_options), 3);
}

Case(offload, an_empty_pool_ends_the_cut_and_leaks_nothing)
{
	/* With n descriptors left, some segment fails, at its head or in its payload. */
	for (uint32_t left = 0; left < 8; left++) {
		struct pkt *super = super4(&plain, 1000, 150, 100), *all = NULL, *p;
		uint32_t made = 0, n_free = 0;
		struct pkt *segs[10];
		struct offload_cut c;

		while ((p = pkt_new(&pool, PKT_DATA))) {
			p->link = all;
			all = p;
		}
		for (; n_free < left; n_free++) {
			p = all;
			all = p->link;
			pkt_free(p);
		}
		offload_cut_start(&c, super);
		while ((segs[made] = offload_cut_next(&c)))
			made++;
		cr_assert_lt(made, 10);
		cr_assert_eq(offload_cut_end(&c), 10 - made);
		for (uint32_t i = 0; i < made; i++)
			pkt_free(segs[i]);
		pkt_free_list(all);
	}
}

static uint32_t sum16(uint32_t sum, const uint8_t *b, uint32_t len)
{
	return build_sum(sum, b, len);
}

Case(offload, cuts_ip6_and_counts_its_length_without_the_header)
{
	static uint8_t frame[14 + 40 + 20 + 2500];
	struct offload_cut c;
	struct pkt *super, *seg;
	uint32_t at = 0;

	memcpy(frame + 12, "\x86\xdd\x60\0\0\0", 6);
	frame[14 + 6] = 6;
	memcpy(frame + 14 + 8, payload, 32); /* addresses, of any bytes */
	frame[54 + 12] = 0x50;
	memcpy(frame + 74, payload, 2500);
	super = chained(frame, 74, sizeof(frame), 4096);
	super->l4 = super->data + 54;
	super->proto = 6;
	super->gso_len = 1000;
	super->flags = PKT_SUM_PARTIAL;
	offload_cut_start(&c, super);
	while ((seg = offload_cut_next(&c))) {
		static uint8_t out[2000];
		uint32_t len, n;

		offload_sum(seg);
		len = pkt_read(seg, 0, out, sizeof(out));
		n = len - 74;
		cr_assert_eq(n, at < 2000 ? 1000 : 500);
		cr_assert_eq((uint32_t)(out[18] << 8 | out[19]), 20 + n);
		cr_assert_eq(sum16(sum16(6 + 20 + n, out + 22, 32), out + 54, 20 + n),
			     0xffff);
		cr_assert_arr_eq(out + 74, payload + at, n);
		at += n;
		pkt_free(seg);
	}
	cr_assert_eq(at, 2500);
	cr_assert_eq(offload_cut_end(&c), 0);
}

Case(offload, a_port_must_cut_what_it_cannot_send)
{
	struct pkt *p = super4(&plain, 300, 4096, 100);

	cr_assert(offload_must_cut(p, 0));
	cr_assert(offload_must_cut(p, PORT_TX_SUM | PORT_TX_TSO6));
	cr_assert(!offload_must_cut(p, PORT_TX_SUM | PORT_TX_TSO4));
	p->data[14] = 0x60;
	cr_assert(offload_must_cut(p, PORT_TX_SUM | PORT_TX_TSO4));
	cr_assert(!offload_must_cut(p, PORT_TX_SUM | PORT_TX_TSO6));
	p->gso_len = 0;
	cr_assert(!offload_must_cut(p, 0));
	pkt_free(p);
}

static struct pkt *udp(const uint8_t *bytes, uint32_t len)
{
	static uint8_t frame[BUILD_MAX];
	uint16_t sum = build_partial(ip.src, ip.dst, 17, 8 + len);
	struct pkt *p;

	build_udp(frame, &ip, 5353, 53, bytes, len);
	memcpy(frame + BUILD_L4 + 6, &sum, sizeof(sum));
	p = chained(frame, BUILD_L4 + 8, BUILD_L4 + 8 + len, 101);
	p->l4 = p->data + BUILD_L4;
	p->proto = 17;
	p->flags = PKT_SUM_PARTIAL;
	return p;
}

Case(offload, completes_the_sum_of_udp_in_odd_pieces)
{
	uint8_t bytes[2048];
	struct pkt *p = udp(payload, 777);

	offload_sum(p);
	cr_assert(look(bytes, pkt_read(p, 0, bytes, sizeof(bytes))).sound);
	pkt_free(p);
}

Case(offload, sends_a_udp_sum_of_zero_as_ones)
{
	uint8_t bytes[2] = { 0 };
	struct pkt *p = udp(bytes, 2);
	uint16_t rest;

	/* The payload that makes all words add up to ffff, and so the sum zero. */
	offload_sum(p);
	memcpy(&rest, p->l4 + 6, sizeof(rest));
	pkt_free(p);
	memcpy(bytes, &rest, sizeof(rest));
	p = udp(bytes, 2);
	offload_sum(p);
	cr_assert_arr_eq(p->l4 + 6, "\xff\xff", 2);
	pkt_free(p);
}

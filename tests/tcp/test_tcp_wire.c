#include <criterion/criterion.h>

#include "tcp/tcp_wire.h"

/* The SYN of a Linux host. */
static const uint8_t syn_bytes[40] = {
	0x9c, 0x40, 0x00, 0x19,				/* ports 40000, 25 */
	0x12, 0x34, 0x56, 0x78,				/* sequence */
	0x00, 0x00, 0x00, 0x00,				/* ack */
	0xa0, 0x02, 0xfa, 0xf0,				/* 40 bytes, SYN, window */
	0x00, 0x00, 0x00, 0x00,				/* sum, urgent */
	0x02, 0x04, 0x05, 0xb4,				/* MSS 1460 */
	0x04, 0x02,					/* SACK permitted */
	0x08, 0x0a, 0x01, 0x02, 0x03, 0x04, 0, 0, 0, 0, /* timestamps */
	0x01, 0x03, 0x03, 0x07,				/* nop, window scale 7 */
};

static const struct tcp_seg syn = {
	.src_port = 40000,
	.dst_port = 25,
	.seq = { 0x12345678 },
	.flags = TCP_SYN,
	.window = 64240,
	.has = TCP_HAS_MSS | TCP_HAS_SACK_OK | TCP_HAS_TS | TCP_HAS_WSCALE,
	.mss = 1460,
	.wscale = 7,
	.header_len = 40,
	.ts_val = 0x01020304,
};

/* An ACK with three blocks, as a Linux host with timestamps sends it. */
static const uint8_t ack_bytes[60] = {
	0x00, 0x19, 0x9c, 0x40,				   /* ports 25, 40000 */
	0x00, 0x00, 0x00, 0x01,				   /* sequence */
	0x80, 0x00, 0x00, 0x00,				   /* ack */
	0xf1, 0xf8, 0x01, 0x00,				   /* 60, AE and others, window */
	0x00, 0x00, 0x00, 0x09,				   /* sum, urgent */
	0x01, 0x01, 0x08, 0x0a, 0, 0, 0, 5,    0, 0, 0, 6, /* timestamps */
	0x01, 0x01, 0x05, 0x1a,				   /* SACK */
	0,    0,    1,	  0,	0, 0, 2, 0,    0, 0, 3, 0, 0, 0, 4, 0, /* two blocks */
	0xff, 0xff, 0xff, 0xf0, 0, 0, 0, 0x10, /* one across zero */
};

static const struct tcp_seg ack = {
	.src_port = 25,
	.dst_port = 40000,
	.seq = { 1 },
	.ack = { 0x80000000 },
	.flags = TCP_AE | TCP_CWR | TCP_ECE | TCP_URG | TCP_ACK | TCP_PSH,
	.window = 256,
	.urgent = 9,
	.has = TCP_HAS_TS,
	.n_sack = 3,
	.header_len = 60,
	.ts_val = 5,
	.ts_ecr = 6,
	.sack = { { { 0x100 }, { 0x200 } },
		  { { 0x300 }, { 0x400 } },
		  { { 0xfffffff0 }, { 0x10 } } },
};

static bool parses(const uint8_t *bytes, size_t len, struct tcp_seg *seg)
{
	struct rd r = rd_of(bytes, len);

	return tcp_parse(&r, seg);
}

/* A header with these options, padded with zeros. */
static struct tcp_seg with_options(uint16_t flags, const uint8_t *options, size_t len)
{
	uint8_t bytes[TCP_HEADER_MAX] = { 0 };
	size_t header_len = TCP_HEADER_LEN + (len + 3) / 4 * 4;
	struct tcp_seg seg;

	memcpy(bytes + TCP_HEADER_LEN, options, len);
	bytes[12] = (uint8_t)(header_len / 4 << 4);
	bytes[13] = (uint8_t)flags;
	cr_assert(parses(bytes, header_len, &seg));
	cr_assert_eq(seg.header_len, header_len);
	return seg;
}

#define OPTIONS(flags, ...)                                   \
	with_options(flags, (const uint8_t[]){ __VA_ARGS__ }, \
		     sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void same(const struct tcp_seg *a, const struct tcp_seg *b)
{
	cr_assert_eq(a->src_port, b->src_port);
	cr_assert_eq(a->dst_port, b->dst_port);
	cr_assert(seq_eq(a->seq, b->seq) && seq_eq(a->ack, b->ack));
	cr_assert_eq(a->flags, b->flags);
	cr_assert_eq(a->window, b->window);
	cr_assert_eq(a->urgent, b->urgent);
	cr_assert_eq(a->has, b->has);
	cr_assert_eq(a->mss, b->mss);
	cr_assert_eq(a->wscale, b->wscale);
	cr_assert_eq(a->header_len, b->header_len);
	cr_assert_eq(a->ts_val, b->ts_val);
	cr_assert_eq(a->ts_ecr, b->ts_ecr);
	cr_assert_eq(a->n_sack, b->n_sack);
	for (unsigned i = 0; i < a->n_sack; i++)
		cr_assert(seq_eq(a->sack[i].start, b->sack[i].start) &&
			  seq_eq(a->sack[i].end, b->sack[i].end));
}

static uint8_t emits(const struct tcp_seg *seg, uint8_t out[TCP_HEADER_MAX])
{
	struct wr w = wr_of(out, TCP_HEADER_MAX);
	uint8_t len = tcp_emit(&w, seg);

	cr_assert(!w.bad);
	cr_assert_eq(w.p - out, len);
	cr_assert_eq(tcp_emit_len(seg), len);
	return len;
}

Test(tcp_wire, parses_a_syn_byte_for_byte)
{
	struct tcp_seg seg;

	cr_assert(parses(syn_bytes, sizeof(syn_bytes), &seg));
	same(&seg, &syn);
}

Test(tcp_wire, parses_an_ack_with_blocks_byte_for_byte)
{
	struct tcp_seg seg;

	cr_assert(parses(ack_bytes, sizeof(ack_bytes), &seg));
	same(&seg, &ack);
}

Test(tcp_wire, emits_the_same_bytes)
{
	uint8_t out[TCP_HEADER_MAX];

	cr_assert_eq(emits(&syn, out), sizeof(syn_bytes));
	cr_assert_arr_eq(out, syn_bytes, sizeof(syn_bytes));
	cr_assert_eq(emits(&ack, out), sizeof(ack_bytes));
	cr_assert_arr_eq(out, ack_bytes, sizeof(ack_bytes));
}

Test(tcp_wire, leaves_the_reader_at_the_payload)
{
	uint8_t bytes[sizeof(syn_bytes) + 3] = { 0 };
	struct rd r = rd_of(bytes, sizeof(bytes));
	struct tcp_seg seg;

	memcpy(bytes, syn_bytes, sizeof(syn_bytes));
	cr_assert(tcp_parse(&r, &seg));
	cr_assert_eq(rd_left(&r), 3);
}

Test(tcp_wire, refuses_every_truncation)
{
	struct tcp_seg seg, before;

	memset(&seg, 0x5a, sizeof(seg));
	before = seg;
	for (size_t len = 0; len < sizeof(ack_bytes); len++)
		cr_assert(!parses(ack_bytes, len, &seg), "accepted %zu bytes", len);
	cr_assert_eq(memcmp(&seg, &before, sizeof(seg)), 0);
}

Test(tcp_wire, refuses_an_offset_inside_the_header)
{
	uint8_t bytes[TCP_HEADER_MAX] = { 0 };
	struct tcp_seg seg;

	for (unsigned words = 0; words < 16; words++) {
		bytes[12] = (uint8_t)(words << 4);
		cr_assert_eq(parses(bytes, sizeof(bytes), &seg), words >= 5);
	}
}

/* Every set of options comes back as it was, at the length that was told before. */
Test(tcp_wire, every_set_of_options_goes_round)
{
	for (unsigned has = 0; has < 16; has++) {
		for (uint8_t n_sack = 0; n_sack <= TCP_SACK_MAX; n_sack++) {
			struct tcp_seg in = ack, seg;
			uint8_t out[TCP_HEADER_MAX];

			in.flags = TCP_SYN | TCP_ACK;
			in.has = (uint16_t)has;
			in.n_sack = n_sack;
			in.sack[3] = (struct tcp_block){ { 7 }, { 8 } };
			in.mss = has & TCP_HAS_MSS ? 536 : 0;
			in.wscale = has & TCP_HAS_WSCALE ? 14 : 0;
			if (!(has & TCP_HAS_TS))
				in.ts_val = in.ts_ecr = 0;
			in.header_len = emits(&in, out);
			cr_assert_eq(in.header_len % 4, 0);
			cr_assert(parses(out, in.header_len, &seg));
			cr_assert_leq(seg.n_sack, n_sack);
			in.n_sack = seg.n_sack;
			same(&seg, &in);
		}
	}
}

Test(tcp_wire, emits_as_many_blocks_as_fit)
{
	static const struct {
		uint16_t has;
		uint8_t fit, len;
	} cases[] = {
		{ 0, 4, 56 },
		{ TCP_HAS_TS, 3, 60 },
		{ TCP_HAS_MSS | TCP_HAS_SACK_OK | TCP_HAS_TS | TCP_HAS_WSCALE, 2, 60 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tcp_seg seg = { .flags = TCP_SYN,
				       .has = cases[i].has,
				       .n_sack = 4 };
		uint8_t out[TCP_HEADER_MAX];

		cr_assert_eq(emits(&seg, out), cases[i].len);
		cr_assert(parses(out, cases[i].len, &seg));
		cr_assert_eq(seg.n_sack, cases[i].fit);
	}
}

Test(tcp_wire, writes_the_padding_that_linux_writes)
{
	static const uint8_t sack_ok[] = { 2, 4, 2, 24, 1, 1, 4, 2, 1, 3, 3, 2 };
	struct tcp_seg seg = { .has = TCP_HAS_MSS | TCP_HAS_SACK_OK | TCP_HAS_WSCALE,
			       .flags = TCP_SYN,
			       .mss = 536,
			       .wscale = 2 };
	uint8_t out[TCP_HEADER_MAX];

	cr_assert_eq(emits(&seg, out), TCP_HEADER_LEN + sizeof(sack_ok));
	cr_assert_arr_eq(out + TCP_HEADER_LEN, sack_ok, sizeof(sack_ok));
}

Test(tcp_wire, does_not_write_past_the_room_it_has)
{
	uint8_t out[TCP_HEADER_MAX] = { 0 };
	struct wr w = wr_of(out, 39);

	cr_assert_eq(tcp_emit(&w, &syn), 40);
	cr_assert(w.bad);
	cr_assert_eq(out[0], 0);
	/* nor after something else did not fit */
	w = wr_of(out, 40);
	w.bad = true;
	tcp_emit(&w, &syn);
	cr_assert_eq(out[0], 0);
}

Test(tcp_wire, skips_options_that_it_does_not_know)
{
	struct tcp_seg seg =
		OPTIONS(TCP_SYN, 253, 4, 0xf9, 0x89, 1, 30, 2, 2, 4, 5, 0xb4);

	cr_assert_eq(seg.has, TCP_HAS_MSS);
	cr_assert_eq(seg.mss, 1460);
}

Test(tcp_wire, known_options_of_a_wrong_length_are_unknown)
{
	struct tcp_seg seg = OPTIONS(TCP_SYN, 2, 3, 5, 3, 4, 7, 7, 4, 3, 0, 8, 9, 0, 0, 0,
				     0, 0, 0, 0, 5, 9, 0, 0, 0, 0, 0, 0, 0, 3, 3, 5);

	cr_assert_eq(seg.has, TCP_HAS_WSCALE);
	cr_assert_eq(seg.wscale, 5);
	cr_assert_eq(seg.n_sack, 0);
}

/* RFC 7413 4.1.1 */
Test(tcp_wire, reads_a_cookie_and_the_request_for_one)
{
	struct tcp_seg seg = OPTIONS(TCP_SYN, 34, 6, 1, 2, 3, 4);

	cr_assert_eq(seg.has, TCP_HAS_FO);
	cr_assert_eq(seg.fo_len, 4);
	seg = OPTIONS(TCP_SYN | TCP_ACK, 34, 2);
	cr_assert_eq(seg.has, TCP_HAS_FO);
	cr_assert_eq(seg.fo_len, 0);
	seg = OPTIONS(TCP_SYN, 254, 8, 0xf9, 0x89, 1, 2, 3, 4);
	cr_assert_eq(seg.has, TCP_HAS_FO | TCP_HAS_FO_EXP);
	cr_assert_eq(seg.fo_len, 4);
	seg = OPTIONS(TCP_SYN, 254, 4, 0xf9, 0x89, 34, 2);
	cr_assert_eq(seg.has, TCP_HAS_FO, "the last counts");
}

Test(tcp_wire, a_cookie_of_an_impossible_length_is_none)
{
	cr_assert_eq(OPTIONS(TCP_SYN, 34, 4, 1, 2).has, 0);
	cr_assert_eq(OPTIONS(TCP_SYN, 34, 7, 1, 2, 3, 4, 5).has, 0);
	cr_assert_eq(OPTIONS(TCP_SYN, 34, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
			     14, 15, 16, 17, 18)
			     .has,
		     0);
	cr_assert_eq(OPTIONS(TCP_ACK, 34, 6, 1, 2, 3, 4).has, 0, "in a SYN only");
	cr_assert_eq(OPTIONS(TCP_SYN, 254, 2).has, 0);
	cr_assert_eq(OPTIONS(TCP_SYN, 254, 8, 0xf9, 0x88, 1, 2, 3, 4).has, 0,
		     "another experiment");
}

Test(tcp_wire, writes_cookies_as_linux_does)
{
	static const uint8_t bytes[] = { 34,  6, 1,    2,    3, 4, 1, 1,
					 254, 8, 0xf9, 0x89, 1, 2, 3, 4 };
	struct tcp_seg seg = {
		.flags = TCP_SYN, .has = TCP_HAS_FO, .fo_len = 4, .fo = bytes + 2
	};
	uint8_t out[TCP_HEADER_MAX];

	cr_assert_eq(emits(&seg, out), TCP_HEADER_LEN + 8);
	cr_assert_arr_eq(out + TCP_HEADER_LEN, bytes, 8);
	seg.has |= TCP_HAS_FO_EXP;
	cr_assert_eq(emits(&seg, out), TCP_HEADER_LEN + 8);
	cr_assert_arr_eq(out + TCP_HEADER_LEN, bytes + 8, 8);
	seg.has |= TCP_HAS_MSS | TCP_HAS_SACK_OK | TCP_HAS_TS | TCP_HAS_WSCALE;
	seg.fo_len = 16;
	seg.fo = (const uint8_t[16]){ 0 };
	seg.n_sack = 1;
	cr_assert_eq(emits(&seg, out), TCP_HEADER_MAX, "and no block behind it");
}

/* RFC 9768 3.2.3 */
Test(tcp_wire, accecn_goes_round_in_every_length)
{
	struct tcp_seg seg = { .flags = TCP_ACK, .acc = { 1, 0x234567, 0xffffff } };
	uint8_t out[TCP_HEADER_MAX];
	struct tcp_seg back;

	for (unsigned n = 0; n <= 3; n++) {
		seg.has = n % 2 ? TCP_HAS_ACC0 : TCP_HAS_ACC1;
		seg.n_acc = (uint8_t)n;
		cr_assert_eq(emits(&seg, out), TCP_HEADER_LEN + (2 + 3 * n + 3) / 4 * 4);
		cr_assert(parses(out, sizeof(out), &back));
		cr_assert(back.has == seg.has && back.n_acc == n);
		for (unsigned i = 0; i < n; i++)
			cr_assert_eq(back.acc[i], seg.acc[i]);
	}
}

Test(tcp_wire, accecn_of_another_length_is_read_as_far_as_it_goes)
{
	struct tcp_seg seg = OPTIONS(TCP_ACK, 172, 7, 0, 0, 9, 1, 1);

	cr_assert(seg.has == TCP_HAS_ACC0 && seg.n_acc == 1 && seg.acc[0] == 9);
	seg = OPTIONS(TCP_ACK, 174, 15, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0);
	cr_assert(seg.has == TCP_HAS_ACC1 && seg.n_acc == 3 && seg.acc[2] == 3);
	cr_assert_eq(OPTIONS(TCP_SYN, 172, 2).has, 0, "not of a SYN");
	cr_assert_eq(OPTIONS(TCP_SYN | TCP_ACK, 172, 2).has, TCP_HAS_ACC0);
}

Test(tcp_wire, an_impossible_length_ends_the_options)
{
	struct tcp_seg seg = OPTIONS(TCP_SYN, 3, 3, 5, 8, 0, 4, 2);

	cr_assert_eq(seg.has, TCP_HAS_WSCALE);
	seg = OPTIONS(TCP_SYN, 3, 3, 5, 8, 1, 4, 2);
	cr_assert_eq(seg.has, TCP_HAS_WSCALE);
	seg = OPTIONS(TCP_SYN, 4, 2, 2, 4, 5, 0xb4, 8, 10);
	cr_assert_eq(seg.has, TCP_HAS_SACK_OK | TCP_HAS_MSS);
	seg = OPTIONS(TCP_SYN, 1, 1, 1, 2);
	cr_assert_eq(seg.has, 0);
}

Test(tcp_wire, the_end_of_options_ends_them)
{
	struct tcp_seg seg = OPTIONS(TCP_SYN, 4, 2, 0, 3, 3, 5, 1, 1);

	cr_assert_eq(seg.has, TCP_HAS_SACK_OK);
}

Test(tcp_wire, a_window_scale_above_14_is_14)
{
	struct tcp_seg seg = OPTIONS(TCP_SYN, 3, 3, 15);

	cr_assert_eq(seg.wscale, 14);
	seg = OPTIONS(TCP_SYN, 3, 3, 255);
	cr_assert_eq(seg.wscale, 14);
}

Test(tcp_wire, what_a_syn_agrees_on_counts_in_a_syn_only)
{
	struct tcp_seg seg = OPTIONS(TCP_ACK, 2, 4, 5, 0xb4, 4, 2, 3, 3, 7);

	cr_assert_eq(seg.has, 0);
}

Test(tcp_wire, four_blocks_are_read_and_an_empty_list_is_none)
{
	struct tcp_seg seg =
		OPTIONS(TCP_ACK, 5, 34, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0,
			0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8);

	cr_assert_eq(seg.n_sack, 4);
	cr_assert_eq(seg.sack[3].start.n, 7);
	cr_assert_eq(seg.sack[3].end.n, 8);
	seg = OPTIONS(TCP_ACK, 5, 2, 1, 1);
	cr_assert_eq(seg.n_sack, 0);
}

Test(tcp_wire, many_short_lists_are_at_most_four_blocks)
{
	struct tcp_seg seg =
		OPTIONS(TCP_ACK, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2, 5, 26, 0, 0, 0, 3, 0, 0,
			0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 8);

	cr_assert_eq(seg.n_sack, 4);
	cr_assert_eq(seg.sack[3].start.n, 7);
}

#include <criterion/criterion.h>

#include "ip/ip4_wire.h"

/* clang-format off */
static const uint8_t bytes[] = {
	0x45, 0x10, 0x00, 0x54, 0x12, 0x34, 0x20, 0x03,
	64, 17, 0xc4, 0x4e, 192, 0, 2, 1,
	192, 0, 2, 2,
};
/* clang-format on */

static const struct ip4_header header = {
	.header_len = 20,
	.tos = 0x10,
	.total_len = 84,
	.id = 0x1234,
	.mf = true,
	.frag_off = 24,
	.ttl = 64,
	.proto = 17,
	.src = { { 192, 0, 2, 1 } },
	.dst = { { 192, 0, 2, 2 } },
};

static bool parses(const uint8_t *b, size_t len, struct ip4_header *h)
{
	struct rd r = rd_of(b, len);

	return ip4_parse(&r, h);
}

Test(ip4_wire, parses_a_header_byte_for_byte)
{
	struct ip4_header h;

	cr_assert(parses(bytes, sizeof(bytes), &h));
	cr_assert(h.header_len == 20 && h.tos == 0x10 && h.total_len == 84);
	cr_assert(h.id == 0x1234 && h.mf && !h.df && h.frag_off == 24);
	cr_assert(h.ttl == 64 && h.proto == 17);
	cr_assert(ip4_eq(h.src, header.src) && ip4_eq(h.dst, header.dst));
	cr_assert(ip4_sum_is_right(bytes, sizeof(bytes)));
}

Test(ip4_wire, emits_the_same_bytes)
{
	uint8_t out[IP4_HEADER_LEN];

	ip4_emit(out, &header);
	cr_assert_arr_eq(out, bytes, sizeof(bytes));
}

Test(ip4_wire, refuses_every_truncation)
{
	uint8_t with_options[60];
	struct ip4_header h;

	memset(with_options, 1, sizeof(with_options));
	memcpy(with_options, bytes, sizeof(bytes));
	with_options[0] = 0x4f;
	for (size_t len = 0; len < 60; len++)
		cr_assert(!parses(with_options, len, &h), "accepted %zu bytes", len);
	cr_assert(parses(with_options, 60, &h));
	cr_assert_eq(h.header_len, 60);
}

Test(ip4_wire, skips_the_options)
{
	uint8_t b[24] = { 0 };
	struct rd r = rd_of(b, sizeof(b));
	struct ip4_header h;

	memcpy(b, bytes, sizeof(bytes));
	b[0] = 0x46;
	cr_assert(ip4_parse(&r, &h));
	cr_assert_eq(rd_left(&r), 0);
}

Test(ip4_wire, refuses_impossible_fields)
{
	static const struct {
		size_t at;
		uint8_t value;
	} strange[] = {
		{ 0, 0x55 }, { 0, 0x65 }, { 0, 0x05 },
		{ 0, 0x44 }, { 0, 0x40 }, { 3, 19 },
	};

	for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++) {
		uint8_t b[sizeof(bytes)];
		struct ip4_header h;

		memcpy(b, bytes, sizeof(bytes));
		b[strange[i].at] = strange[i].value;
		cr_assert(!parses(b, sizeof(b), &h), "case %zu", i);
	}
}

Test(ip4_wire, sum_sees_every_changed_bit)
{
	for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
		uint8_t b[sizeof(bytes)];

		memcpy(b, bytes, sizeof(bytes));
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_assert(!ip4_sum_is_right(b, sizeof(b)), "bit %zu", bit);
	}
}

static enum ip4_options options(const char *b, size_t len, uint8_t *at)
{
	return ip4_options_read(rd_of(b, len), at);
}

Test(ip4_wire, options_that_ask_for_nothing_are_fine)
{
	uint8_t at;

	cr_assert_eq(options("", 0, &at), IP4_OPTIONS_FINE);
	cr_assert_eq(options("\1\1\1\0", 4, &at), IP4_OPTIONS_FINE);
	cr_assert_eq(options("\7\7\4\0\0\0\0\0", 8, &at), IP4_OPTIONS_FINE);
	cr_assert_eq(options("\1\224\4\0\0\0\0\0", 8, &at), IP4_OPTIONS_FINE);
	/* Nothing is read behind the end of the list. */
	cr_assert_eq(options("\0\203\0\0", 4, &at), IP4_OPTIONS_FINE);
}

Test(ip4_wire, options_of_impossible_lengths_are_found)
{
	uint8_t at = 99;

	cr_assert_eq(options("\7\0\0\0", 4, &at), IP4_OPTIONS_BAD);
	cr_assert_eq(at, 0);
	cr_assert_eq(options("\1\7\1\0", 4, &at), IP4_OPTIONS_BAD);
	cr_assert_eq(at, 1);
	cr_assert_eq(options("\1\1\7\3", 4, &at), IP4_OPTIONS_BAD);
	cr_assert_eq(at, 2);
	cr_assert_eq(options("\1\1\1\7", 4, &at), IP4_OPTIONS_BAD);
	cr_assert_eq(at, 3);
}

Test(ip4_wire, source_routes_are_found)
{
	uint8_t at = 99;

	cr_assert_eq(options("\203\7\4\1\2\3\4\0", 8, &at), IP4_OPTIONS_SOURCE_ROUTE);
	cr_assert_eq(at, 0);
	cr_assert_eq(options("\1\211\3\4", 4, &at), IP4_OPTIONS_SOURCE_ROUTE);
	cr_assert_eq(at, 1);
}

Test(ip4_wire, every_header_comes_back_from_its_bytes)
{
	for (unsigned i = 0; i < 64; i++) {
		struct ip4_header h = header, back;
		uint8_t out[IP4_HEADER_LEN];

		h.df = i & 1;
		h.mf = i & 2;
		h.frag_off = (uint16_t)(i * 1040);
		h.total_len = (uint16_t)(20 + i * 1039);
		h.id = (uint16_t)(i * 1021);
		ip4_emit(out, &h);
		cr_assert(ip4_sum_is_right(out, sizeof(out)));
		cr_assert(parses(out, sizeof(out), &back));
		cr_assert(back.df == h.df && back.mf == h.mf && back.id == h.id);
		cr_assert(back.frag_off == h.frag_off && back.total_len == h.total_len);
	}
}

Test(ip4_wire, emits_a_router_alert)
{
	static const uint8_t alert[] = { 148, 4, 0, 0 };
	struct ip4_header h = { .total_len = 24, .ttl = 1, .proto = 2 }, got;
	uint8_t b[IP4_HEADER_LEN + IP4_ALERT_LEN], at;
	struct rd r = rd_of(b, sizeof(b));

	ip4_emit_alert(b, &h);
	cr_assert(ip4_parse(&r, &got) && got.header_len == sizeof(b));
	cr_assert(ip4_sum_is_right(b, sizeof(b)));
	cr_assert_arr_eq(b + IP4_HEADER_LEN, alert, sizeof(alert));
	r = rd_of(alert, sizeof(alert));
	cr_assert_eq(ip4_options_read(r, &at), IP4_OPTIONS_FINE);
}

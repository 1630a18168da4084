#include <criterion/criterion.h>

#include "ip/ip6_wire.h"

/* clang-format off */
static const uint8_t bytes[] = {
	0x61, 0x2a, 0xbc, 0xde,			/* version 6, class 0x12, label 0xabcde */
	0x01, 0x02, 17, 63,			/* payload 258, UDP, hop limit */
	0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,	/* from 2001:db8::1 */
	0, 0, 0, 0, 0, 0, 0, 1,
	0xfe, 0x80, 0, 0, 0, 0, 0, 0,		/* to fe80::2 */
	0, 0, 0, 0, 0, 0, 0, 2,
};
static const uint8_t frag_bytes[] = {
	58, 0, 0x05, 0xa9,			/* ICMPv6, at 1448, more follow */
	0x12, 0x34, 0x56, 0x78,			/* identification */
};
/* clang-format on */

static const struct ip6_header header = {
	.tclass = 0x12,
	.flow = 0xabcde,
	.payload_len = 258,
	.next = 17,
	.hop_limit = 63,
	.src = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } },
	.dst = { { 0xfe, 0x80, [15] = 2 } },
};

static bool parses(const uint8_t *b, size_t len, struct ip6_header *h)
{
	struct rd r = rd_of(b, len);

	return ip6_parse(&r, h);
}

Test(ip6_wire, parses_a_header_byte_for_byte)
{
	struct ip6_header h;

	cr_assert(parses(bytes, sizeof(bytes), &h));
	cr_assert(h.tclass == 0x12 && h.flow == 0xabcde && h.payload_len == 258);
	cr_assert(h.next == 17 && h.hop_limit == 63);
	cr_assert(ip6_eq(h.src, header.src) && ip6_eq(h.dst, header.dst));
}

Test(ip6_wire, emits_the_same_bytes)
{
	uint8_t out[IP6_HEADER_LEN];

	ip6_emit(out, &header);
	cr_assert_arr_eq(out, bytes, sizeof(bytes));
}

Test(ip6_wire, refuses_every_truncation)
{
	struct ip6_header h;
	struct ip6_frag f;

	for (size_t len = 0; len < sizeof(bytes); len++)
		cr_assert(!parses(bytes, len, &h), "accepted %zu bytes", len);
	for (size_t len = 0; len < sizeof(frag_bytes); len++) {
		struct rd r = rd_of(frag_bytes, len);

		cr_assert(!ip6_frag_parse(&r, &f), "accepted %zu bytes", len);
	}
}

Test(ip6_wire, refuses_every_other_version)
{
	for (unsigned v = 0; v < 16; v++) {
		uint8_t b[sizeof(bytes)];
		struct ip6_header h;

		memcpy(b, bytes, sizeof(bytes));
		b[0] = (uint8_t)(v << 4 | 1);
		cr_assert_eq(parses(b, sizeof(b), &h), v == 6, "version %u", v);
	}
}

Test(ip6_wire, a_fragment_header_comes_back_from_its_bytes)
{
	struct rd r = rd_of(frag_bytes, sizeof(frag_bytes));
	uint8_t out[IP6_FRAG_LEN];
	struct ip6_frag f;

	cr_assert(ip6_frag_parse(&r, &f));
	cr_assert(f.next == 58 && f.frag_off == 1448 && f.mf && f.id == 0x12345678);
	ip6_frag_emit(out, &f);
	cr_assert_arr_eq(out, frag_bytes, sizeof(out));
}

Test(ip6_wire, what_is_reserved_in_a_fragment_header_is_ignored)
{
	uint8_t b[sizeof(frag_bytes)];
	struct rd r = rd_of(b, sizeof(b));
	struct ip6_frag f;

	memcpy(b, frag_bytes, sizeof(b));
	b[1] = 0xff;
	b[3] |= 6;
	cr_assert(ip6_frag_parse(&r, &f) && f.frag_off == 1448 && f.mf);
}

Test(ip6_wire, a_label_that_is_too_long_does_not_change_the_class)
{
	struct ip6_header h = header;
	uint8_t out[IP6_HEADER_LEN];

	h.flow |= 0xfff00000;
	ip6_emit(out, &h);
	cr_assert_arr_eq(out, bytes, sizeof(bytes));
}

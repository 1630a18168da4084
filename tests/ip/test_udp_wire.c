#include <criterion/criterion.h>

#include "ip/udp_wire.h"

static const uint8_t bytes[UDP_HEADER_LEN] = { 0xc0, 1, 0, 53, 0, 11, 0, 0 };

Test(udp_wire, parses_and_emits_byte_for_byte)
{
	struct rd r = rd_of(bytes, sizeof(bytes));
	uint8_t out[UDP_HEADER_LEN];
	struct wr w = wr_of(out, sizeof(out));
	struct udp_header h;

	cr_assert(udp_parse(&r, &h));
	cr_assert(h.src_port == 0xc001 && h.dst_port == 53 && h.len == 11 && !h.has_sum);
	udp_emit(&w, &h);
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, bytes, sizeof(out));
}

Test(udp_wire, sees_either_byte_of_a_sum)
{
	for (unsigned at = 6; at < 8; at++) {
		uint8_t b[UDP_HEADER_LEN];
		struct udp_header h;
		struct rd r;

		memcpy(b, bytes, sizeof(b));
		b[at] = 1;
		r = rd_of(b, sizeof(b));
		cr_assert(udp_parse(&r, &h) && h.has_sum);
	}
}

Test(udp_wire, refuses_every_truncation)
{
	for (size_t len = 0; len < UDP_HEADER_LEN; len++) {
		struct rd r = rd_of(bytes, len);
		struct udp_header h;

		cr_assert(!udp_parse(&r, &h), "accepted %zu bytes", len);
	}
}

Test(udp_wire, refuses_a_length_of_less_than_the_header)
{
	for (uint8_t len = 0; len < UDP_HEADER_LEN; len++) {
		uint8_t b[UDP_HEADER_LEN];
		struct udp_header h;
		struct rd r = rd_of(b, sizeof(b));

		memcpy(b, bytes, sizeof(b));
		b[5] = len;
		cr_assert(!udp_parse(&r, &h), "accepted a length of %u", len);
	}
}

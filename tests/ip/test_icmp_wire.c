#include <criterion/criterion.h>

#include "ip/icmp_wire.h"

static const uint8_t too_big[ICMP_HEADER_LEN] = { 3, 4, 0, 0, 0, 0, 0x05, 0x78 };

Test(icmp_wire, parses_and_emits_byte_for_byte)
{
	struct rd r = rd_of(too_big, sizeof(too_big));
	uint8_t out[ICMP_HEADER_LEN];
	struct wr w = wr_of(out, sizeof(out));
	struct icmp_header h;

	cr_assert(icmp_parse(&r, &h));
	cr_assert(h.type == ICMP_UNREACHABLE && h.code == ICMP_UNREACHABLE_TOO_BIG);
	cr_assert_eq(icmp_mtu(&h), 1400);
	icmp_emit(&w, &h);
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, too_big, sizeof(out));
}

Test(icmp_wire, refuses_every_truncation)
{
	for (size_t len = 0; len < ICMP_HEADER_LEN; len++) {
		struct rd r = rd_of(too_big, len);
		struct icmp_header h;

		cr_assert(!icmp_parse(&r, &h), "accepted %zu bytes", len);
	}
}

Test(icmp_wire, only_echoes_are_surely_no_errors)
{
	for (unsigned type = 0; type < 256; type++)
		cr_assert_eq(icmp_may_be_error((uint8_t)type), type != 0 && type != 8);
}

/*
 * The headers of IPv4, ICMP and UDP: what was understood is written as the same bytes.
 * The first byte of the input says which.
 */
#include "ip/icmp_wire.h"
#include "ip/ip4_wire.h"
#include "ip/udp_wire.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void ip4(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	uint8_t out[IP4_HEADER_LEN], at = 0;
	struct ip4_header h;

	if (!ip4_parse(&r, &h))
		return;
	ASSERT(r.p == bytes + h.header_len && h.total_len >= h.header_len);
	ip4_sum_is_right(bytes, h.header_len);
	if (h.header_len > IP4_HEADER_LEN) {
		struct rd options = rd_of(bytes + 20, h.header_len - 20u);

		if (ip4_options_read(options, &at) != IP4_OPTIONS_FINE)
			ASSERT(at < h.header_len - 20);
		return;
	}
	ip4_emit(out, &h);
	ASSERT(ip4_sum_is_right(out, sizeof(out)));
	/* The reserved bit and the sum are what we do not take over. */
	ASSERT(memcmp(out, bytes, 6) == 0 && out[6] == (bytes[6] & 0x7f));
	ASSERT(memcmp(out + 7, bytes + 7, 3) == 0 &&
	       memcmp(out + 12, bytes + 12, 8) == 0);
}

static void icmp(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	uint8_t out[ICMP_HEADER_LEN];
	struct wr w = wr_of(out, sizeof(out));
	struct icmp_header h;

	if (!icmp_parse(&r, &h))
		return;
	icmp_emit(&w, &h);
	ASSERT(!w.bad && w.p == w.end);
	ASSERT(memcmp(out, bytes, 2) == 0 && memcmp(out + 4, bytes + 4, 4) == 0);
}

static void udp(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	uint8_t out[UDP_HEADER_LEN];
	struct wr w = wr_of(out, sizeof(out));
	struct udp_header h;

	if (!udp_parse(&r, &h))
		return;
	udp_emit(&w, &h);
	ASSERT(!w.bad && w.p == w.end && memcmp(out, bytes, 6) == 0);
	ASSERT(h.has_sum == (bytes[6] || bytes[7]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	switch (bytes[0] % 3) {
	case 0: ip4(bytes + 1, len - 1); break;
	case 1: icmp(bytes + 1, len - 1); break;
	case 2: udp(bytes + 1, len - 1); break;
	}
	return 0;
}

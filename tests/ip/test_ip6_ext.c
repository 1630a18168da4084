#include <criterion/criterion.h>
#include <string.h>

#include "ip/icmp6_wire.h"
#include "ip/ip6_ext.h"
#include "ip/ip6_wire.h"

static uint8_t packet[IP6_HEADER_LEN + 512];
static size_t len;
static struct ip6_ext x;

/* A packet with @n bytes of headers, the first of the number @next. */
static enum ip6_ext_end walk(uint8_t next, const char *bytes, size_t n)
{
	memcpy(packet + IP6_HEADER_LEN, bytes, n);
	len = IP6_HEADER_LEN + n;
	x = (struct ip6_ext){ .next = next, .at = IP6_HEADER_LEN, .next_at = 6 };
	return ip6_ext_walk(&x, packet, len);
}

#define WALK(next, bytes) walk(next, bytes, sizeof(bytes) - 1)

Test(ip6_ext, a_transport_ends_the_walk_at_once)
{
	cr_assert_eq(WALK(6, "12345678"), IP6_EXT_UPPER);
	cr_assert(x.next == 6 && x.at == 40 && x.next_at == 6 && x.n == 0);
	cr_assert_eq(WALK(59, ""), IP6_EXT_UPPER);
	cr_assert_eq(x.next, 59);
}

Test(ip6_ext, headers_are_skipped_to_the_transport)
{
	/* hop-by-hop with a router alert, destination options, a way that is done. */
	cr_assert_eq(WALK(0, "\74\0\5\2\0\0\1\0"
			     "\53\1\1\14\0\0\0\0\0\0\0\0\0\0\0\0"
			     "\6\0\0\0\0\0\0\0"
			     "tcp"),
		     IP6_EXT_UPPER);
	cr_assert(x.next == 6 && x.at == 40 + 32 && x.next_at == 40 + 24 && x.n == 3);
}

Test(ip6_ext, a_fragment_header_ends_the_walk)
{
	cr_assert_eq(WALK(60, "\54\0\1\4\0\0\0\0"
			      "\6\0\0\1\1\2\3\4"),
		     IP6_EXT_FRAGMENT);
	cr_assert(x.at == 48 && x.next_at == 40 && x.n == 1);
}

Test(ip6_ext, hop_by_hop_options_come_first_or_are_unknown)
{
	cr_assert_eq(WALK(60, "\0\0\1\4\0\0\0\0"
			      "\6\0\1\4\0\0\0\0"),
		     IP6_EXT_PROBLEM);
	cr_assert(x.code == ICMP6_PARAMETER_NEXT && x.pointer == 40);
}

Test(ip6_ext, a_way_that_is_not_done_is_refused_whatever_its_type)
{
	for (unsigned type = 0; type < 256; type++) {
		uint8_t h[24] = { 6, 2, (uint8_t)type, 1 };

		cr_assert_eq(walk(43, (const char *)h, sizeof(h)), IP6_EXT_PROBLEM);
		cr_assert(x.code == ICMP6_PARAMETER_FIELD && x.pointer == 42);
		h[3] = 0;
		cr_assert_eq(walk(43, (const char *)h, sizeof(h)), IP6_EXT_UPPER);
	}
}

Test(ip6_ext, unknown_options_say_themselves_what_becomes_of_the_packet)
{
	cr_assert_eq(WALK(60, "\6\0\1\0\36\2\0\0"), IP6_EXT_UPPER);
	cr_assert_eq(WALK(60, "\6\0\1\0\136\2\0\0"), IP6_EXT_DISCARD);
	cr_assert_eq(WALK(60, "\6\0\1\0\236\2\0\0"), IP6_EXT_PROBLEM);
	cr_assert(x.code == ICMP6_PARAMETER_OPTION && x.pointer == 44);
	cr_assert_eq(WALK(60, "\6\0\1\0\336\2\0\0"), IP6_EXT_PROBLEM_ONE);
	cr_assert(x.code == ICMP6_PARAMETER_OPTION && x.pointer == 44);
	/* RFC 2675: a jumbogram is one of those. */
	cr_assert_eq(WALK(0, "\6\0\302\4\0\1\0\0"), IP6_EXT_PROBLEM_ONE);
}

Test(ip6_ext, refuses_every_truncation)
{
	static const char headers[] = "\74\0\5\2\0\0\1\0"
				      "\6\1\1\14\0\0\0\0\0\0\0\0\0\0\0\0";

	for (size_t n = 0; n < sizeof(headers) - 1; n++)
		cr_assert_eq(walk(0, headers, n), IP6_EXT_SHORT, "%zu bytes", n);
	cr_assert_eq(walk(0, headers, sizeof(headers) - 1), IP6_EXT_UPPER);
}

Test(ip6_ext, an_option_longer_than_its_header_is_a_problem)
{
	cr_assert_eq(WALK(60, "\6\0\1\0\1\3\0\0"), IP6_EXT_PROBLEM);
	cr_assert(x.code == ICMP6_PARAMETER_FIELD && x.pointer == 44);
	cr_assert_eq(WALK(60, "\6\0\1\3\0\0\0\1"), IP6_EXT_PROBLEM);
	cr_assert(x.code == ICMP6_PARAMETER_FIELD && x.pointer == 47);
}

Test(ip6_ext, so_many_headers_and_no_more)
{
	uint8_t h[8 * (IP6_EXT_MAX + 1)];

	for (unsigned i = 0; i <= IP6_EXT_MAX; i++)
		memcpy(h + 8 * i, "\74\0\1\4\0\0\0\0", 8);
	h[8 * (IP6_EXT_MAX - 1)] = 6;
	cr_assert_eq(walk(60, (const char *)h, sizeof(h)), IP6_EXT_UPPER);
	h[8 * (IP6_EXT_MAX - 1)] = 60;
	cr_assert_eq(walk(60, (const char *)h, sizeof(h)), IP6_EXT_LIMIT);
}

Test(ip6_ext, so_many_options_and_no_more)
{
	uint8_t h[8 + 2 * 8 + 8] = { 6, 3 };

	for (unsigned i = 0; i < IP6_EXT_OPTIONS_MAX; i++)
		h[2 + 2 * i] = 30;
	h[2 + 2 * IP6_EXT_OPTIONS_MAX] = 1;
	h[3 + 2 * IP6_EXT_OPTIONS_MAX] = 12;
	cr_assert_eq(walk(60, (const char *)h, sizeof(h)), IP6_EXT_UPPER);
	h[2 + 2 * IP6_EXT_OPTIONS_MAX] = 30;
	cr_assert_eq(walk(60, (const char *)h, sizeof(h)), IP6_EXT_LIMIT);
}

Test(ip6_ext, so_much_padding_and_no_more)
{
	uint8_t h[32] = { 6, 3 };

	cr_assert_eq(walk(60, (const char *)h, sizeof(h)), IP6_EXT_LIMIT);
	h[2 + IP6_EXT_PADS_MAX - 1] = 1;
	h[3 + IP6_EXT_PADS_MAX - 1] = (uint8_t)(30 - IP6_EXT_PADS_MAX - 1);
	cr_assert_eq(walk(60, (const char *)h, sizeof(h)), IP6_EXT_UPPER);
}

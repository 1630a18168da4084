#include <criterion/criterion.h>

#include "eth/pcapng_wire.h"

Test(pcapng_wire, a_file_begins_with_section_and_interface)
{
	static const uint8_t bytes[] = {
		/* section: magic, version 1.0, length not known */
		0x0a,
		0x0d,
		0x0d,
		0x0a,
		0,
		0,
		0,
		28,
		0x1a,
		0x2b,
		0x3c,
		0x4d,
		0,
		1,
		0,
		0,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		255,
		0,
		0,
		0,
		28,
		/* interface: Ethernet, no snap length */
		0,
		0,
		0,
		1,
		0,
		0,
		0,
		44,
		0,
		1,
		0,
		0,
		0,
		0,
		0,
		0,
		/* its name, 10^-9 s, no more options */
		0,
		2,
		0,
		5,
		't',
		'a',
		'p',
		':',
		'x',
		0,
		0,
		0,
		0,
		9,
		0,
		1,
		9,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		44,
	};
	uint8_t out[PCAPNG_START_MAX];
	struct wr w = wr_of(out, sizeof(out));

	pcapng_emit_start(&w, PCAPNG_ETHERNET, "tap:x");
	cr_assert(!w.bad);
	cr_assert_eq(w.p - out, sizeof(bytes));
	cr_assert_arr_eq(out, bytes, sizeof(bytes));
}

Test(pcapng_wire, the_longest_name_fits)
{
	char name[PCAPNG_NAME_MAX + 1];

	for (size_t len = 0; len <= PCAPNG_NAME_MAX; len++) {
		uint8_t out[PCAPNG_START_MAX];
		struct wr w = wr_of(out, sizeof(out));

		memset(name, 'n', len);
		name[len] = 0;
		pcapng_emit_start(&w, PCAPNG_ETHERNET, name);
		cr_assert(!w.bad, "%zu", len);
		cr_assert_eq((w.p - out) % 4, 0);
		cr_assert_eq(be32(out + 32), w.p - out - 28);
		cr_assert_eq(be32(w.p - 4), w.p - out - 28);
	}
}

Test(pcapng_wire, a_packet_has_time_length_and_direction)
{
	static const uint8_t head[] = {
		0,    0,    0,	  6,	0,    0,    0, 52, 0, 0, 0, 0, 0x11, 0x22,
		0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0,  0, 5, 0, 0, 0,    5,
	};
	static const uint8_t tail[] = {
		0, 0, 0, /* padding */
		0, 2, 0, 4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 52,
	};
	uint8_t out[64];
	struct wr w = wr_of(out, PCAPNG_PACKET_HEAD_LEN);

	pcapng_emit_head(&w, UINT64_C(0x1122334455667788), 5);
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, head, sizeof(head));
	w = wr_of(out, PCAPNG_PACKET_TAIL_MAX);
	pcapng_emit_tail(&w, PCAPNG_OUT, 5);
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, tail, sizeof(tail));
	w = wr_of(out, PCAPNG_PACKET_TAIL_MAX);
	pcapng_emit_tail(&w, PCAPNG_IN, 8);
	cr_assert_eq(w.p - out, 16);
	cr_assert_eq(out[7], 1);
}

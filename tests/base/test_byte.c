#include <criterion/criterion.h>

#include "stack/base/byte.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };

Test(byte, numbers_are_read_in_network_order)
{
	struct rd r = rd_of(bytes, 10);
	uint8_t three[3];

	cr_assert_eq(rd8(&r), 1);
	cr_assert_eq(rd16(&r), 0x0203);
	cr_assert_eq(rd32(&r), 0x04050607);
	cr_assert_eq(rd_left(&r), 3);
	rd_copy(&r, three, 3);
	cr_assert_arr_eq(three, bytes + 7, 3);
	cr_assert(!r.bad && rd_left(&r) == 0);
}

Test(byte, reading_past_the_end_sticks_and_yields_zeros)
{
	struct rd r = rd_of(bytes, 3);
	uint8_t four[4] = { 9, 9, 9, 9 };

	cr_assert_eq(rd32(&r), 0);
	cr_assert(r.bad);
	cr_assert_eq(rd8(&r), 0, "also where a byte is left");
	rd_copy(&r, four, 4);
	cr_assert_arr_eq(four, ((uint8_t[4]){ 0 }), 4);
	cr_assert_eq(r.p, bytes);
}

Test(byte, taking_more_than_the_limit_is_bad)
{
	uint8_t many[RD_TAKE_MAX + 1] = { 0 };
	struct rd r = rd_of(many, sizeof(many));

	cr_assert_eq(rd_take(&r, RD_TAKE_MAX), many);
	r = rd_of(many, sizeof(many));
	cr_assert_neq(rd_take(&r, RD_TAKE_MAX + 1), many);
	cr_assert(r.bad);
}

Test(byte, empty_input_is_bad_only_when_asked)
{
	struct rd r = rd_of(NULL, 0);

	cr_assert(!r.bad && rd_left(&r) == 0);
	rd8(&r);
	cr_assert(r.bad);
}

Test(byte, what_is_written_reads_back)
{
	uint8_t out[10];
	struct wr w = wr_of(out, sizeof(out));

	wr8(&w, 1);
	wr16(&w, 0x0203);
	wr32(&w, 0x04050607);
	wr_copy(&w, bytes + 7, 3);
	cr_assert(!w.bad && w.p == w.end);
	cr_assert_arr_eq(out, bytes, 10);
}

Test(byte, writing_past_the_end_sticks_and_writes_nothing)
{
	uint8_t out[4] = { 9, 9, 9, 9 };
	struct wr w = wr_of(out, 3);

	wr16(&w, 0x0102);
	wr32(&w, 0x03040506);
	wr8(&w, 7);
	cr_assert(w.bad);
	cr_assert_arr_eq(out, ((uint8_t[]){ 1, 2, 9, 9 }), 4);
}

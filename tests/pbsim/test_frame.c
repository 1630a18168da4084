#include <criterion/criterion.h>

#include "stack/base/cksum.h"
#include "tests/pbsim/frames.h"

static struct frame_shop shop;

static void open_shop(void)
{
	frame_shop_init(&shop);
}

TestSuite(frame, .init = open_shop);

Test(frame, is_marked_and_its_header_sum_stays_right)
{
	for (unsigned ecn = FRAME_ECT1; ecn <= FRAME_CE; ecn++) {
		struct frame *f = frame_made(&shop, 100, (enum frame_ecn)ecn, 1);

		cr_assert(frame_mark(f));
		cr_assert_eq(frame_ecn(f), FRAME_CE);
		cr_assert(ip4_sum_is_right(f->bytes, 20));
		frame_free(&shop, f);
	}
	frame_shop_fini(&shop);
}

Test(frame, is_not_marked_when_its_sender_cannot_read_it)
{
	struct frame *f = frame_made(&shop, 100, FRAME_NOT_ECT, 1);

	cr_assert_not(frame_mark(f));
	cr_assert_eq(frame_ecn(f), FRAME_NOT_ECT);
	frame_free(&shop, f);
	frame_shop_fini(&shop);
}

Test(frame, of_ipv6_has_the_same_bits)
{
	struct frame *f = frame_new(&shop, 60);
	struct addr dst;

	memset(f->bytes, 0, 60);
	f->bytes[0] = 0x60;
	f->bytes[1] = FRAME_ECT0 << 4;
	f->bytes[7] = 2;
	f->bytes[39] = 9;
	cr_assert_eq(frame_ecn(f), FRAME_ECT0);
	cr_assert(frame_mark(f));
	cr_assert_eq(f->bytes[1], 0x30);
	cr_assert(frame_hop(f));
	cr_assert_not(frame_hop(f));
	cr_assert(frame_dst(f, &dst));
	cr_assert_eq(dst.family, ADDR_IP6);
	cr_assert_eq(dst.ip6.b[15], 9);
	frame_free(&shop, f);
	frame_shop_fini(&shop);
}

Test(frame, ends_when_it_has_no_hop_left)
{
	struct frame *f = frame_made(&shop, 100, FRAME_NOT_ECT, 1);

	for (unsigned i = 1; i < 64; i++) {
		cr_assert(frame_hop(f));
		cr_assert(ip4_sum_is_right(f->bytes, 20));
	}
	cr_assert_not(frame_hop(f));
	frame_free(&shop, f);
	frame_shop_fini(&shop);
}

Test(frame, hash_is_of_the_flow)
{
	struct frame *a = frame_made(&shop, 100, FRAME_ECT0, 1);
	struct frame *b = frame_made(&shop, 1500, FRAME_NOT_ECT, 1);
	struct frame *c = frame_made(&shop, 100, FRAME_ECT0, 2);

	cr_assert_eq(frame_flow_hash(a, 7), frame_flow_hash(b, 7));
	cr_assert_neq(frame_flow_hash(a, 7), frame_flow_hash(c, 7));
	cr_assert_neq(frame_flow_hash(a, 7), frame_flow_hash(a, 8));
	frame_free(&shop, a);
	frame_free(&shop, b);
	frame_free(&shop, c);
	frame_shop_fini(&shop);
}

Test(frame, that_is_too_short_says_nothing)
{
	struct frame *f = frame_new(&shop, 19);
	struct frame_tcp tcp;
	struct addr dst;

	memset(f->bytes, 0x45, 19);
	cr_assert_not(frame_dst(f, &dst));
	cr_assert_not(frame_hop(f));
	cr_assert_not(frame_mark(f));
	cr_assert_not(frame_tcp(f, &tcp));
	frame_free(&shop, f);
	frame_shop_fini(&shop);
}

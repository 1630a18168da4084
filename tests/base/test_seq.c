#include <criterion/criterion.h>

#include "stack/base/seq.h"

static struct seq s(uint32_t n)
{
	return (struct seq){ n };
}

Test(seq, order_holds_across_the_wrap)
{
	static const uint32_t bases[] = { 0,	      1,	  0x7fffffff,
					  0x80000000, 0xfffffff0, UINT32_MAX };

	for (size_t i = 0; i < 6; i++) {
		struct seq a = s(bases[i]);

		for (uint32_t d = 1; d < 0x80000000; d = d * 2 + 1) {
			struct seq b = seq_add(a, d);

			cr_assert(seq_before(a, b) && seq_after(b, a));
			cr_assert(!seq_before(b, a) && !seq_after(a, b));
			cr_assert(seq_before_eq(a, b) && !seq_before_eq(b, a));
			cr_assert(seq_after_eq(b, a) && !seq_after_eq(a, b));
			cr_assert_eq(seq_dist(a, b), d);
			cr_assert_eq(seq_max(a, b).n, b.n);
			cr_assert_eq(seq_max(b, a).n, b.n);
			cr_assert_eq(seq_min(a, b).n, a.n);
		}
		cr_assert(seq_eq(a, a) && seq_before_eq(a, a) && seq_after_eq(a, a));
	}
}

Test(seq, window_across_the_wrap_has_its_two_ends)
{
	cr_assert(seq_in(s(0xfffffff0), s(0xfffffff0), 32));
	cr_assert(seq_in(s(15), s(0xfffffff0), 32));
	cr_assert(!seq_in(s(16), s(0xfffffff0), 32));
	cr_assert(!seq_in(s(0xffffffef), s(0xfffffff0), 32));
	cr_assert(!seq_in(s(5), s(5), 0), "an empty window holds nothing");
}

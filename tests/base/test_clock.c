#include <criterion/criterion.h>

#include "stack/base/clock.h"

Test(clock, monotonic_never_goes_back)
{
	uint64_t last = clock_now_ns();

	for (unsigned i = 0; i < 10000; i++) {
		uint64_t now_ns = clock_now_ns();

		cr_assert_geq(now_ns, last);
		last = now_ns;
	}
}

Test(clock, wall_counts_from_1970)
{
	/* Later than 2020, and no more than 500 years. */
	cr_assert_gt(clock_wall_ns(), UINT64_C(1577836800) * NS_PER_S);
	cr_assert_lt(clock_wall_ns(), UINT64_C(16000000000) * NS_PER_S);
}

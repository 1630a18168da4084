#include <criterion/criterion.h>

#include "stack/base/bucket.h"
#include "stack/base/clock.h"

static unsigned take_all(struct bucket *b, uint64_t now_ns)
{
	unsigned n = 0;

	while (bucket_take(b, now_ns))
		n++;
	return n;
}

Test(bucket, gives_its_burst_and_then_its_rate)
{
	struct bucket b;

	bucket_init(&b, 10, 3);
	cr_assert_eq(take_all(&b, 0), 3);
	cr_assert_eq(take_all(&b, 99 * NS_PER_MS), 0);
	cr_assert_eq(take_all(&b, 100 * NS_PER_MS), 1);
	cr_assert_eq(take_all(&b, 300 * NS_PER_MS), 2);
}

Test(bucket, holds_no_more_than_its_burst_after_a_long_time)
{
	struct bucket b;

	bucket_init(&b, 10, 3);
	cr_assert_eq(take_all(&b, 1000 * NS_PER_S), 3);
	cr_assert_eq(take_all(&b, 2000 * NS_PER_S), 3);
}

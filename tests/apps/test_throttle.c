#include <criterion/criterion.h>

#include "apps/lib/throttle.h"
#include "tests/lib/case.h"

static struct throttle *t;

static void setup(void)
{
	cr_assert_eq(throttle_new(3, &t), 0);
}

static void clean(void)
{
	throttle_free(t);
}

Cases(throttle, setup, clean);

Case(throttle, debt_grows_and_goes_with_time)
{
	uint64_t name = throttle_name(t, 'a', "192.0.2.1", 9);

	cr_assert_eq(throttle_debt(t, name, 1000), 0);
	throttle_add(t, name, 1000, 10);
	throttle_add(t, name, 1005, 10);
	cr_assert_eq(throttle_debt(t, name, 1005), 15);
	cr_assert_eq(throttle_debt(t, name, 1019), 1);
	cr_assert_eq(throttle_debt(t, name, 1020), 0);
	/* What was paid back is no credit. */
	throttle_add(t, name, 5000, 10);
	cr_assert_eq(throttle_debt(t, name, 5000), 10);
}

Case(throttle, names_of_two_kinds_are_two)
{
	uint64_t a = throttle_name(t, 'a', "x", 1), b = throttle_name(t, 'b', "x", 1);

	cr_assert_neq(a, b);
	throttle_add(t, a, 0, 10);
	cr_assert_eq(throttle_debt(t, b, 0), 0);
}

Case(throttle, forgets_the_least_debt_when_it_is_full)
{
	uint64_t deep = throttle_name(t, 'a', "deep", 4);

	throttle_add(t, deep, 0, 1000000);
	for (uint32_t i = 0; i < 100 * THROTTLE_SETS * THROTTLE_WAYS; i++)
		throttle_add(t, throttle_name(t, 'b', &i, sizeof(i)), 0, 1000);
	cr_assert_eq(throttle_debt(t, deep, 0), 1000000);
}

#include <criterion/criterion.h>

#include "stack/base/rng.h"

Test(rng, gives_the_published_numbers)
{
	/* xoshiro256** from the state 1, 2, 3, 4. */
	static const uint64_t first[] = { 11520, 0, 1509978240,
					  UINT64_C(1215971899390074240) };
	struct rng r = { { 1, 2, 3, 4 } };

	for (size_t i = 0; i < 4; i++)
		cr_assert_eq(rng_u64(&r), first[i], "number %zu", i);
}

Test(rng, seed_is_spread_by_splitmix)
{
	struct rng r;

	rng_init(&r, 1234567);
	cr_assert_eq(r.s[0], UINT64_C(6457827717110365317));
	cr_assert_eq(r.s[1], UINT64_C(3203168211198807973));
	cr_assert_eq(r.s[2], UINT64_C(9817491932198370423));
	cr_assert_eq(r.s[3], UINT64_C(4593380528125082431));
}

Test(rng, same_seed_same_numbers_and_another_seed_others)
{
	struct rng a, b, c;

	rng_init(&a, 42);
	rng_init(&b, 42);
	rng_init(&c, 43);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t n = rng_u64(&a);

		cr_assert_eq(n, rng_u64(&b));
		cr_assert_neq(n, rng_u64(&c));
	}
}

Test(rng, below_is_even_and_never_reaches_its_limit)
{
	unsigned n_of[10] = { 0 };
	struct rng r;

	rng_init(&r, 1);
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t n = rng_below(&r, 10);

		cr_assert_lt(n, 10);
		n_of[n]++;
	}
	/* 10,000 each; five standard deviations are 474. */
	for (unsigned i = 0; i < 10; i++)
		cr_assert(n_of[i] > 9500 && n_of[i] < 10500, "%u: %u", i, n_of[i]);
	cr_assert_eq(rng_below(&r, 1), 0);
}

Test(rng, below_keeps_even_where_the_range_does_not_divide)
{
	/* Without rejection, every third number would come twice as often here. */
	uint32_t n = 3u << 30, n_low = 0;
	struct rng r;

	rng_init(&r, 2);
	for (unsigned i = 0; i < 30000; i++)
		n_low += rng_below(&r, n) % 3 == 0;
	cr_assert(n_low > 9500 && n_low < 10500, "%u", n_low);
}

Test(rng, chance_holds_at_its_ends_and_between)
{
	unsigned n = 0;
	struct rng r;

	rng_init(&r, 3);
	for (unsigned i = 0; i < 100000; i++) {
		cr_assert(!rng_chance(&r, 0));
		cr_assert(rng_chance(&r, 1));
		n += rng_chance(&r, 0.05) != 0;
	}
	cr_assert(n > 4600 && n < 5400, "%u", n);
}

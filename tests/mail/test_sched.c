#include <criterion/criterion.h>

#include "apps/mail/queue/sched.h"
#include "stack/base/rng.h"

static const struct sched_conf conf = {
	.first_ms = 1000, .most_ms = 10000, .warn_ms = 50000, .give_up_ms = 200000
};

Test(sched, intervals_double_up_to_the_longest)
{
	static const uint64_t base[] = { 1000, 2000, 4000, 8000, 10000, 10000 };
	struct rng rng;

	rng_init(&rng, 1);
	for (uint32_t n = 1; n <= 6; n++)
		for (int i = 0; i < 1000; i++) {
			uint64_t interval = sched_interval(&conf, n, &rng);

			cr_assert_geq(interval, base[n - 1] * 3 / 4);
			cr_assert_lt(interval, base[n - 1] * 5 / 4);
		}
	cr_assert_lt(sched_interval(&conf, UINT32_MAX, &rng), 12500);
}

Test(sched, what_failed_together_does_not_come_back_together)
{
	uint64_t least = UINT64_MAX, most = 0;
	struct rng rng;

	rng_init(&rng, 2);
	for (int i = 0; i < 100; i++) {
		uint64_t due = sched_next(&conf, 0, 500, 1, &rng);

		least = due < least ? due : least;
		most = due > most ? due : most;
	}
	cr_assert_gt(most - least, 400);
}

Test(sched, the_same_seed_gives_the_same_times)
{
	struct rng a, b;

	rng_init(&a, 3);
	rng_init(&b, 3);
	for (uint32_t n = 1; n < 100; n++)
		cr_assert_eq(sched_next(&conf, 0, n, n, &a),
			     sched_next(&conf, 0, n, n, &b));
}

Test(sched, nothing_sleeps_through_its_warning_or_its_end)
{
	struct rng rng;

	rng_init(&rng, 4);
	cr_assert_eq(sched_next(&conf, 1000, 50500, 9, &rng), 51000);
	cr_assert_eq(sched_next(&conf, 1000, 200000, 9, &rng), 201000);
	/* Behind both there is only the interval. */
	cr_assert_gt(sched_next(&conf, 1000, 300000, 9, &rng), 300000);
}

Test(sched, age_decides_what_the_sender_is_told)
{
	struct sched_conf never = conf;

	never.warn_ms = 0;
	cr_assert_eq(sched_age(&conf, 1000, 50999), SCHED_YOUNG);
	cr_assert_eq(sched_age(&conf, 1000, 51000), SCHED_LATE);
	cr_assert_eq(sched_age(&conf, 1000, 200999), SCHED_LATE);
	cr_assert_eq(sched_age(&conf, 1000, 201000), SCHED_OVER);
	cr_assert_eq(sched_age(&never, 1000, 51000), SCHED_YOUNG);
	/* A clock that was set back. */
	cr_assert_eq(sched_age(&conf, 1000, 0), SCHED_YOUNG);
}

#include <criterion/criterion.h>

#include "tcp/rtt.h"

Test(rtt, waits_a_second_before_the_first_sample)
{
	struct rtt r;

	rtt_init(&r);
	cr_assert_eq(rtt_rto_us(&r), 1000000);
	cr_assert_eq(r.min_us, UINT32_MAX);
}

Test(rtt, first_sample_sets_both_estimates)
{
	struct rtt r;

	/* RFC 6298 2.2: SRTT = R, RTTVAR = R/2, RTO = R + 4 * R/2 */
	rtt_init(&r);
	rtt_sample(&r, 500000);
	cr_assert_eq(r.srtt_x8_us / 8, 500000);
	cr_assert_eq(r.rttvar_x4_us / 4, 250000);
	cr_assert_eq(rtt_rto_us(&r), 1500000);
}

Test(rtt, later_samples_move_the_estimates_by_an_eighth_and_a_quarter)
{
	struct rtt r;

	/* RFC 6298 2.3, worked out by hand */
	rtt_init(&r);
	rtt_sample(&r, 800000);
	rtt_sample(&r, 1600000);
	/* RTTVAR = 3/4 * 400 + 1/4 * 800, SRTT = 7/8 * 800 + 1/8 * 1600 */
	cr_assert_eq(r.rttvar_x4_us / 4, 500000);
	cr_assert_eq(r.srtt_x8_us / 8, 900000);
	cr_assert_eq(rtt_rto_us(&r), 2900000);
	rtt_sample(&r, 100000);
	/* RTTVAR = 3/4 * 500 + 1/4 * 800, SRTT = 7/8 * 900 + 1/8 * 100 */
	cr_assert_eq(r.rttvar_x4_us / 4, 575000);
	cr_assert_eq(r.srtt_x8_us / 8, 800000);
	cr_assert_eq(rtt_rto_us(&r), 3100000);
	cr_assert_eq(r.min_us, 100000);
}

Test(rtt, steady_samples_leave_the_least_variance)
{
	struct rtt r;

	rtt_init(&r);
	for (int i = 0; i < 200; i++)
		rtt_sample(&r, 400000);
	cr_assert_eq(rtt_rto_us(&r), 400000 + RTO_VAR_MIN_US);
}

Test(rtt, timeout_stays_between_its_bounds)
{
	struct rtt r;

	rtt_init(&r);
	for (int i = 0; i < 100; i++)
		rtt_sample(&r, 0);
	cr_assert_eq(rtt_rto_us(&r), RTO_VAR_MIN_US);
	for (int i = 0; i < 100; i++)
		rtt_sample(&r, UINT32_MAX);
	cr_assert_eq(rtt_rto_us(&r), RTO_MAX_US);
	for (int i = 0; i < 200; i++)
		rtt_sample(&r, 1);
	cr_assert_eq(rtt_rto_us(&r), RTO_VAR_MIN_US);
}

Test(rtt, backoff_doubles_until_the_bound_and_a_sample_ends_it)
{
	struct rtt r;

	rtt_init(&r);
	rtt_sample(&r, 1000);
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		uint64_t rto = (uint64_t)(1000 + RTO_VAR_MIN_US) << (i < 20 ? i : 20);

		r.backoff = (uint8_t)i;
		cr_assert_eq(rtt_rto_us(&r), rto < RTO_MAX_US ? rto : RTO_MAX_US);
	}
	rtt_sample(&r, 1000);
	cr_assert_eq(r.backoff, 0);
	cr_assert_eq(rtt_rto_us(&r), 1000 + RTO_VAR_MIN_US);
}

Test(rtt, least_sample_is_that_of_some_minutes)
{
	/* RFC 8985 6.2 step 1: "a windowed min-filtered estimate"; a longer path is one */
	struct rtt r;

	rtt_init(&r);
	rtt_least(&r, 1000, 250);
	rtt_least(&r, 2000, 251);
	cr_assert_eq(r.min_us, 1000);
	rtt_least(&r, 2000, (uint8_t)(250 + RTT_MIN_TICKS));
	cr_assert_eq(r.min_us, 1000);
	rtt_least(&r, 2000, (uint8_t)(251 + RTT_MIN_TICKS));
	cr_assert_eq(r.min_us, 2000);
	rtt_least(&r, 1500, (uint8_t)(252 + RTT_MIN_TICKS));
	cr_assert_eq(r.min_us, 1500);
	/* One as low makes it young again. */
	rtt_least(&r, 1500, 250);
	rtt_least(&r, 1600, 252);
	cr_assert_eq(r.min_us, 1500);
}

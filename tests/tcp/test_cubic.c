#include <criterion/criterion.h>
#include <math.h>

#include "stack/base/clock.h"
#include "tcp/cc.h"

enum { MSS = 1000 };

static struct cc cc;
static uint64_t now_ns, rtt_ms;

static void setup(void)
{
	cc_init(&cc, cc_find("cubic"), MSS, 0);
	now_ns = 1000 * NS_PER_S;
	rtt_ms = 100;
}

TestSuite(cubic, .init = setup);

static void ack(uint32_t n, bool limited)
{
	const struct cc_ack ack = {
		.now_ns = now_ns,
		.n_acked = n,
		.in_flight = cc.cwnd,
		.mss = MSS,
		.rtt_ns = rtt_ms * NS_PER_MS,
		.srtt_ns = rtt_ms * NS_PER_MS,
		.cwnd_limited = limited,
	};

	cc.ops->ack(&cc, &ack);
}

/* A round trip: its ACKs come evenly, one for two segments. */
static void pass_round(bool limited)
{
	uint32_t n = cc.cwnd / (2 * MSS) + 1;

	for (uint32_t i = 0; i < n; i++) {
		now_ns += rtt_ms * NS_PER_MS / n;
		ack(2 * MSS, limited);
	}
}

static void pass(uint64_t ms)
{
	uint64_t end_ns = now_ns + ms * NS_PER_MS;

	while (now_ns + rtt_ms * NS_PER_MS <= end_ns)
		pass_round(true);
}

static void lose(enum cc_loss why)
{
	cc.ops->loss(&cc, why, cc.cwnd, MSS, now_ns);
}

/* A window of that many segments is lost in. */
static void lose_at(uint32_t segments)
{
	cc.cwnd = segments * MSS;
	cc.ssthresh = UINT32_MAX;
	lose(CC_LOSS_FAST);
}

static double segments(void)
{
	return (double)cc.cwnd / MSS;
}

Test(cubic, keeps_seven_tenths_of_what_was_in_flight)
{
	lose_at(1000);
	cr_assert_eq(cc.ssthresh, 700 * MSS);
	cr_assert_eq(cc.cwnd, 700 * MSS);
	cc.cwnd = MSS;
	lose(CC_LOSS_FAST);
	cr_assert_eq(cc.ssthresh, 2 * MSS);
}

/* RFC 9438 4.2: K = cbrt((W_max - cwnd) / C) */
Test(cubic, is_back_after_k_flat_there_and_steep_beyond)
{
	double before, k_s = cbrt(300 / 0.4);

	lose_at(1000);
	pass((uint64_t)(k_s * 500));
	cr_assert_float_eq(segments(), 1000 - 0.4 * pow(k_s / 2, 3), 4);
	pass((uint64_t)(k_s * 500));
	cr_assert_float_eq(segments(), 1000, 3);
	before = segments();
	pass(1000);
	cr_assert_lt(segments() - before, 2);
	pass(3000);
	cr_assert_float_eq(segments(), 1000 + 0.4 * 4 * 4 * 4, 4);
}

Test(cubic, does_not_depend_on_the_round_trip_time)
{
	double far;

	rtt_ms = 200;
	lose_at(1000);
	pass(6000);
	far = segments();
	setup();
	rtt_ms = 50;
	lose_at(1000);
	pass(6000);
	cr_assert_float_eq(segments(), far, 5);
}

Test(cubic, never_grows_by_more_than_half_in_a_round)
{
	lose_at(1000);
	ack(2 * MSS, true); /* begins */
	now_ns += 60 * NS_PER_S;
	cc.cwnd = 100 * MSS;
	ack(100 * MSS, true);
	cr_assert_leq(segments(), 150);
}

/* 4.3: with C * (t - K)^3 alone it would take K = 1.4 s to be back at 10 */
Test(cubic, is_no_slower_than_reno_in_small_windows_and_short_paths)
{
	rtt_ms = 10;
	lose_at(10);
	cr_assert_eq(cc.cwnd, 7 * MSS);
	pass(60);
	cr_assert_geq(segments(), 9.5);
	pass(200);
	cr_assert_geq(segments(), 25, "%f: a segment a round since W_est is past it",
		      segments());
}

/* 4.7 */
Test(cubic, who_finds_less_than_before_gives_way)
{
	lose_at(1000);
	pass(3000);
	cr_assert_lt(segments(), 950);
	cc.cwnd = 900 * MSS;
	lose(CC_LOSS_FAST);
	/* W_max is 900 * 0.85, and K that of 765 - 630 */
	pass((uint64_t)(cbrt(135 / 0.4) * 1000));
	cr_assert_float_eq(segments(), 765, 4);
}

/* 5.8 */
Test(cubic, time_in_which_the_window_was_not_used_is_none)
{
	double before;

	lose_at(1000);
	pass(4000);
	before = segments();
	for (int i = 0; i < 100; i++)
		pass_round(false);
	cr_assert_float_eq(segments(), before, 0.001);
	pass_round(true);
	cr_assert_float_eq(segments(), before, 8);
}

/* 4.8 */
Test(cubic, behind_a_timeout_it_begins_where_slow_start_ends)
{
	cc.cwnd = 1000 * MSS;
	lose(CC_LOSS_RTO);
	cr_assert_eq(cc.cwnd, MSS);
	cr_assert_eq(cc.ssthresh, 700 * MSS);
	ack(4 * MSS, true);
	cr_assert_eq(cc.cwnd, 2 * MSS);
	cc.cwnd = cc.ssthresh;
	pass(10000);
	cr_assert_float_eq(segments(), 700 + 0.4 * 10 * 10 * 10, 8);
}

Test(cubic, second_timeout_of_a_segment_keeps_the_threshold)
{
	cc.cwnd = 1000 * MSS;
	lose(CC_LOSS_RTO);
	lose(CC_LOSS_RTO);
	cr_assert_eq(cc.ssthresh, 700 * MSS);
}

Test(cubic, first_slow_start_ends_when_the_round_trip_time_rises)
{
	for (int i = 0; i < 4; i++)
		pass_round(true);
	cr_assert_eq(cc.ssthresh, UINT32_MAX);
	rtt_ms = 130;
	for (int i = 0; i < 8; i++)
		pass_round(true);
	cr_assert_lt(cc.ssthresh, UINT32_MAX);
	cr_assert_geq(cc.cwnd, cc.ssthresh);
}

Test(cubic, does_not_grow_in_recovery)
{
	const struct cc_ack ack = { .now_ns = now_ns,
				    .n_acked = MSS,
				    .mss = MSS,
				    .cwnd_limited = true,
				    .recovering = true };

	lose_at(100);
	cc.ops->ack(&cc, &ack);
	cr_assert_eq(cc.cwnd, 70 * MSS);
	cc.cwnd = 30 * MSS;
	cc.ops->recovered(&cc, 30 * MSS, MSS, now_ns);
	cr_assert_eq(cc.cwnd, 70 * MSS);
}

Test(cubic, window_has_an_end)
{
	cc.cwnd = cc.ssthresh = CC_CWND_MAX - 1;
	for (int i = 0; i < 1000; i++) {
		now_ns += NS_PER_S;
		ack(CC_CWND_MAX / 4, true);
	}
	cr_assert_eq(cc.cwnd, CC_CWND_MAX);
}

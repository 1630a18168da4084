#include <criterion/criterion.h>

#include "tcp/cc.h"

enum { MSS = 1000 };

static struct cc cc;

static void setup(void)
{
	cc_init(&cc, cc_find("reno"), MSS, 0);
}

TestSuite(cc, .init = setup);

static void acks(uint32_t n_acked)
{
	const struct cc_ack ack = {
		.n_acked = n_acked, .in_flight = cc.cwnd, .mss = MSS, .cwnd_limited = true
	};

	cc.ops->ack(&cc, &ack);
}

static void lose(enum cc_loss why, uint32_t in_flight)
{
	cc.ops->loss(&cc, why, in_flight, MSS, 0);
}

Test(cc, initial_window_is_that_of_rfc_6928)
{
	static const struct {
		uint32_t mss, window;
	} cases[] = { { 536, 5360 },
		      { 1448, 14480 },
		      { 1460, 14600 },
		      { 4000, 14600 },
		      { 8960, 17920 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_eq(cc_initial_window(cases[i].mss), cases[i].window);
}

Test(cc, algorithms_are_found_by_name)
{
	cr_assert_eq(cc_find("reno"), &cc_reno);
	cr_assert_eq(cc_find("cubic"), &cc_cubic);
	cr_assert_eq(cc_find("bbr"), &cc_bbr);
	cr_assert_null(cc_find("ren"));
	cr_assert_null(cc_find("renoo"));
	cr_assert_null(cc_find(""));
}

Test(cc, begins_with_the_initial_window_and_no_threshold)
{
	cr_assert_eq(cc.cwnd, 10 * MSS);
	cr_assert_eq(cc.ssthresh, UINT32_MAX);
}

Test(cc, slow_start_grows_by_what_is_acknowledged_up_to_two_segments)
{
	acks(MSS);
	cr_assert_eq(cc.cwnd, 11 * MSS);
	acks(100);
	cr_assert_eq(cc.cwnd, 11 * MSS + 100);
	acks(9 * MSS);
	cr_assert_eq(cc.cwnd, 13 * MSS + 100);
}

Test(cc, slow_start_ends_at_the_threshold)
{
	cc.ssthresh = 10 * MSS + 300;
	acks(2 * MSS);
	cr_assert_eq(cc.cwnd, cc.ssthresh);
}

Test(cc, avoidance_grows_one_segment_for_a_window_of_bytes)
{
	cc.ssthresh = cc.cwnd;
	for (int i = 0; i < 9; i++)
		acks(MSS);
	cr_assert_eq(cc.cwnd, 10 * MSS);
	acks(MSS);
	cr_assert_eq(cc.cwnd, 11 * MSS);
	acks(MSS);
	cr_assert_eq(cc.cwnd, 11 * MSS);
	/* what was left over counts for the next */
	acks(10 * MSS + 10);
	cr_assert_eq(cc.cwnd, 12 * MSS);
	acks(12 * MSS - 10);
	cr_assert_eq(cc.cwnd, 13 * MSS);
}

Test(cc, window_that_is_not_used_does_not_grow)
{
	struct cc_ack ack = { .n_acked = MSS, .mss = MSS };

	cc.ops->ack(&cc, &ack);
	cr_assert_eq(cc.cwnd, 10 * MSS);
	ack.cwnd_limited = ack.recovering = true;
	cc.ops->ack(&cc, &ack);
	cr_assert_eq(cc.cwnd, 10 * MSS);
}

Test(cc, fast_recovery_halves_what_is_in_flight)
{
	lose(CC_LOSS_FAST, 16 * MSS);
	cr_assert_eq(cc.ssthresh, 8 * MSS);
	cr_assert_eq(cc.cwnd, 8 * MSS);
	lose(CC_LOSS_FAST, 12 * MSS);
	cr_assert_eq(cc.cwnd, 6 * MSS);
	lose(CC_LOSS_FAST, MSS);
	cr_assert_eq(cc.ssthresh, 2 * MSS);
}

Test(cc, timeout_begins_again_with_one_segment)
{
	lose(CC_LOSS_RTO, 40 * MSS);
	cr_assert_eq(cc.cwnd, MSS);
	cr_assert_eq(cc.ssthresh, 20 * MSS);
}

Test(cc, second_timeout_of_a_segment_keeps_the_threshold)
{
	lose(CC_LOSS_RTO, 40 * MSS);
	lose(CC_LOSS_RTO, MSS);
	cr_assert_eq(cc.ssthresh, 20 * MSS);
	acks(MSS);
	lose(CC_LOSS_RTO, 6 * MSS);
	cr_assert_eq(cc.ssthresh, 3 * MSS);
}

Test(cc, slow_start_after_a_timeout_grows_one_segment_an_ack)
{
	lose(CC_LOSS_RTO, 10 * MSS);
	acks(4 * MSS);
	cr_assert_eq(cc.cwnd, 2 * MSS);
	while (cc.cwnd < cc.ssthresh)
		acks(4 * MSS);
	cr_assert_eq(cc.cwnd, 5 * MSS);
	acks(MSS);
	/* the next slow start is an ordinary one */
	cc.ssthresh = UINT32_MAX;
	acks(4 * MSS);
	cr_assert_eq(cc.cwnd, 7 * MSS);
}

Test(cc, recovery_ends_with_ssthresh)
{
	lose(CC_LOSS_FAST, 20 * MSS);
	cc.cwnd = 4 * MSS;
	cc.ops->recovered(&cc, 3 * MSS, MSS, 0);
	cr_assert_eq(cc.cwnd, 10 * MSS);
}

Test(cc, idle_connection_restarts_with_at_most_the_initial_window)
{
	cc.cwnd = 50 * MSS;
	cc.ops->idle(&cc, MSS, 0);
	cr_assert_eq(cc.cwnd, 10 * MSS);
	cc.cwnd = 3 * MSS;
	cc.ops->idle(&cc, MSS, 0);
	cr_assert_eq(cc.cwnd, 3 * MSS);
}

/* Nearly a window of bytes is counted; after each event the count begins anew. */
static void grows_late_after(void (*event)(void))
{
	cc.cwnd = cc.ssthresh = 20 * MSS;
	acks(20 * MSS - 1);
	event();
	cc.cwnd = cc.ssthresh = 10 * MSS;
	acks(10 * MSS - 1);
	cr_assert_eq(cc.cwnd, 10 * MSS);
	acks(1);
	cr_assert_eq(cc.cwnd, 11 * MSS);
}

static void loses(void)
{
	lose(CC_LOSS_FAST, 20 * MSS);
}

static void recovers(void)
{
	cc.ops->recovered(&cc, 10 * MSS, MSS, 0);
}

static void idles(void)
{
	cc.ops->idle(&cc, MSS, 0);
}

Test(cc, avoidance_counts_anew_after_every_event)
{
	grows_late_after(loses);
	grows_late_after(recovers);
	grows_late_after(idles);
}

Test(cc, window_has_an_end)
{
	cc.cwnd = CC_CWND_MAX - 1;
	acks(2 * MSS);
	cr_assert_eq(cc.cwnd, CC_CWND_MAX);
	cc.ssthresh = CC_CWND_MAX;
	acks(UINT32_MAX - MSS);
	cr_assert_eq(cc.cwnd, CC_CWND_MAX);
}

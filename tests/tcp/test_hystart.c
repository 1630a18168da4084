#include <criterion/criterion.h>

#include "stack/base/clock.h"
#include "tcp/hystart.h"

enum { MSS = 1000 };

static struct hystart h;
static uint32_t cwnd;

static void setup(void)
{
	h = (struct hystart){ .n_left = 0 };
	cwnd = 10 * MSS;
}

TestSuite(hystart, .init = setup);

static uint32_t ack(uint32_t n, uint32_t rtt_ms)
{
	const struct cc_ack ack = {
		.n_acked = n, .in_flight = cwnd, .mss = MSS, .rtt_ns = rtt_ms * NS_PER_MS
	};
	uint32_t grown = hystart_ack(&h, &ack);

	cwnd += grown;
	return grown;
}

/* A round, in ACKs of one segment. */
static void round_of(uint32_t rtt_ms)
{
	do
		ack(MSS, rtt_ms);
	while (h.n_left > MSS);
}

Test(hystart, grows_by_what_is_acknowledged_up_to_eight_segments)
{
	cr_assert_eq(ack(MSS, 100), MSS);
	cr_assert_eq(ack(300, 100), 300);
	cr_assert_eq(ack(9 * MSS, 100), 8 * MSS);
}

Test(hystart, a_round_trip_time_that_stays_is_no_reason)
{
	for (int i = 0; i < 6; i++)
		round_of(100 + (i & 1) * 10);
	cr_assert_eq(h.phase, HYSTART_ALERT);
	cr_assert_geq(cwnd, 200 * MSS);
}

Test(hystart, one_that_rises_slows_it_down_and_ends_it_after_five_rounds)
{
	round_of(100);
	round_of(100);
	round_of(113);
	cr_assert_eq(h.phase, HYSTART_CSS);
	for (int i = 0; i < 3; i++) {
		uint32_t before = cwnd;

		round_of(113);
		cr_assert_eq(h.phase, HYSTART_CSS, "round %d", i);
		cr_assert_leq(cwnd, before + before / 4 + MSS);
		cr_assert_geq(cwnd, before + before / 5);
	}
	round_of(113);
	round_of(113);
	cr_assert_eq(h.phase, HYSTART_DONE);
}

Test(hystart, one_that_falls_again_lets_it_go_on)
{
	round_of(100);
	round_of(100);
	round_of(113);
	cr_assert_eq(h.phase, HYSTART_CSS);
	round_of(105);
	cr_assert_eq(h.phase, HYSTART_ALERT);
	cr_assert_eq(ack(MSS, 105), MSS);
}

Test(hystart, few_samples_say_nothing)
{
	cwnd = 7 * MSS;
	for (int i = 0; i < 4; i++) {
		round_of(10 + 50 * (uint32_t)i);
		cwnd = 7 * MSS;
		h.n_left = 0; /* each is a round of its own */
	}
	cr_assert_eq(h.phase, HYSTART_ALERT);
}

Test(hystart, what_a_queue_may_add_is_between_four_and_sixteen_ms)
{
	static const struct {
		uint32_t before_ms, calm_ms, rise_ms;
	} cases[] = { { 8, 11, 12 }, { 80, 89, 90 }, { 400, 415, 416 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		setup();
		round_of(cases[i].before_ms);
		round_of(cases[i].before_ms);
		round_of(cases[i].calm_ms);
		cr_assert_eq(h.phase, HYSTART_ALERT, "case %zu", i);
		setup();
		round_of(cases[i].before_ms);
		round_of(cases[i].before_ms);
		round_of(cases[i].rise_ms);
		cr_assert_eq(h.phase, HYSTART_CSS, "case %zu", i);
	}
}

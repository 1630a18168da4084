/* BBR on a path made by hand: so many bytes a second, a round-trip time, no queue's end. */

#include "stack/base/clock.h"
#include "tcp/bbr.h"
#include "tests/lib/case.h"

enum { MSS = 1000, RTT_MS = 50, BDP = 100 * MSS };

static struct cc cc;
static struct cc_ack ack;
static uint64_t now_ns;

static void setup(void)
{
	now_ns = 1000 * NS_PER_S;
	cc_init(&cc, cc_find("bbr"), MSS, now_ns);
	ack = (struct cc_ack){ .mss = MSS, .cwnd_limited = true };
}

static void teardown(void)
{
	cc_fini(&cc);
}

Cases(bbr, setup, teardown);

/* A window is sent and delivered, in ACKs of two segments; @lost bytes of it are not. */
static void pass_round(uint32_t lost, uint32_t marked)
{
	uint32_t window = cc.cwnd, left = window - lost, sent = ack.delivered;
	uint64_t us = RTT_MS * 1000;

	/* More than the path holds waits in its queue. */
	if (window > BDP)
		us = us * window / BDP;
	ack.rtt_ns = ack.srtt_ns = us * NS_PER_US;
	ack.tx_in_flight = window;
	ack.tx_lost = ack.n_lost = lost;
	ack.n_ce = marked;
	ack.prior_delivered = sent;
	ack.rate_us = (uint32_t)us;
	while (left) {
		uint32_t n = left < 2 * MSS ? left : 2 * MSS;

		left -= n;
		/* As they leave the bottleneck. */
		now_ns += us * NS_PER_US * n / (window - lost);
		ack.now_ns = now_ns;
		ack.n_delivered = ack.n_acked = n;
		ack.delivered += n;
		ack.pipe = left;
		ack.rate_bytes = left ? 0 : window - lost;
		ack.rate_us = left ? 0 : (uint32_t)us;
		cc.ops->ack(&cc, &ack);
		ack.n_lost = ack.n_ce = 0;
	}
}

static void pass(unsigned n)
{
	while (n--)
		pass_round(0, 0);
}

static bool is_probing_bw(void)
{
	return bbr_of(&cc)->state >= BBR_DOWN && bbr_of(&cc)->state <= BBR_UP;
}

Case(bbr, startup_finds_the_rate_and_ends)
{
	uint64_t rate = (uint64_t)BDP * 1000 / RTT_MS;

	pass(3);
	cr_assert_eq(bbr_of(&cc)->state, BBR_STARTUP);
	cr_assert_geq(cc.cwnd, 40 * MSS);
	pass(12);
	cr_assert(is_probing_bw());
	cr_assert_geq(bbr_of(&cc)->max_bw, rate * 95 / 100);
	cr_assert_leq(bbr_of(&cc)->max_bw, rate * 101 / 100);
}

Case(bbr, startup_is_not_ended_by_a_rate_that_the_program_limits)
{
	ack.app_limited = true;
	for (int i = 0; i < 20; i++) {
		cc.cwnd = 10 * MSS;
		pass_round(0, 0);
	}
	cr_assert_eq(bbr_of(&cc)->state, BBR_STARTUP);
}

Case(bbr, startup_ends_where_too_much_is_lost)
{
	pass(3);
	cr_assert_eq(bbr_of(&cc)->state, BBR_STARTUP);
	pass_round(20 * MSS, 0);
	pass(2);
	cr_assert_neq(bbr_of(&cc)->state, BBR_STARTUP);
	cr_assert_lt(bbr_of(&cc)->inflight_hi, UINT32_MAX);
}

static void reach_cruise(void)
{
	for (int i = 0; i < 60 && bbr_of(&cc)->state != BBR_CRUISE; i++)
		pass_round(0, 0);
	cr_assert_eq(bbr_of(&cc)->state, BBR_CRUISE);
}

Case(bbr, loss_while_cruising_bounds_the_window)
{
	uint32_t before;

	reach_cruise();
	before = cc.cwnd;
	pass_round(before / 2, 0);
	cr_assert_lt(bbr_of(&cc)->inflight_lo, UINT32_MAX);
	cr_assert_geq(bbr_of(&cc)->inflight_lo, before * 69 / 100);
	cr_assert_leq(cc.cwnd, bbr_of(&cc)->inflight_lo);
}

Case(bbr, a_mark_is_as_a_loss)
{
	cr_assert(cc.ops->own_ecn);
	reach_cruise();
	pass_round(0, 0);
	cr_assert_eq(bbr_of(&cc)->bw_lo, UINT64_MAX);
	pass_round(0, MSS);
	cr_assert_leq(bbr_of(&cc)->bw_lo, bbr_of(&cc)->max_bw);
}

Case(bbr, probes_for_more_within_three_seconds)
{
	bool up = false;

	reach_cruise();
	for (uint64_t end_ns = now_ns + 3500 * NS_PER_MS; now_ns < end_ns;) {
		pass_round(0, 0);
		up |= bbr_of(&cc)->state == BBR_UP;
	}
	cr_assert(up);
}

Case(bbr, looks_for_the_round_trip_time_every_five_seconds)
{
	unsigned n = 0;
	bool was = false;

	reach_cruise();
	for (uint64_t end_ns = now_ns + 21 * NS_PER_S; now_ns < end_ns;) {
		bool is = bbr_of(&cc)->state == BBR_PROBE_RTT;

		n += is && !was;
		if (is)
			cr_assert_leq(cc.cwnd, BDP);
		was = is;
		pass_round(0, 0);
	}
	cr_assert_geq(n, 2u);
	cr_assert_leq(n, 5u);
}

Case(bbr, a_timeout_keeps_the_window_for_afterwards)
{
	uint32_t before;

	reach_cruise();
	before = cc.cwnd;
	cc.ops->loss(&cc, CC_LOSS_RTO, before, MSS, now_ns);
	cr_assert_eq(cc.cwnd, MSS);
	cc.ops->undone(&cc);
	cr_assert_eq(cc.cwnd, before);
}

Case(bbr, has_a_rate_once_it_heard_an_ack)
{
	cr_assert_eq(cc.ops->rate(&cc), 0);
	pass(1);
	/* 2.77 times the initial window in a round trip */
	cr_assert_geq(cc.ops->rate(&cc), 10 * MSS * 1000 / RTT_MS * 2);
}

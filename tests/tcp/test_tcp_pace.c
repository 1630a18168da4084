#include <criterion/criterion.h>

#include "tcp/tcp_impl.h"
#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static void begin(bool pacing, unsigned rtt_ms)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.pacing = pacing;
	dialog_begin(&d, &conf);
	d.rtt_ms = rtt_ms;
	dialog_accept(&d, "mss 1000", 65535);
}

static void end(void)
{
	dialog_drop(&d);
	dialog_end(&d);
}

/* cwnd lets twelve segments go, in 100 ms at 1.2 or 2 times their rate. */
static void acknowledge_the_first(void)
{
	dialog_write(&d, 40000);
	cr_assert_eq(tcp_conn_flight(d.c), 10000);
	tick(&d, 100);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 10001");
	cr_assert_eq(d.c->cc.cwnd, 12000);
}

Test(tcp_pace, spreads_a_window_over_the_round_trip)
{
	begin(true, 100);
	acknowledge_the_first();
	cr_assert_leq(tcp_conn_flight(d.c), 2000);
	tick(&d, 20);
	cr_assert_geq(tcp_conn_flight(d.c), 4000);
	cr_assert_leq(tcp_conn_flight(d.c), 8000);
	tick(&d, 40);
	cr_assert_eq(tcp_conn_flight(d.c), 12000);
	end();
}

Test(tcp_pace, is_off_unless_it_is_wanted)
{
	begin(false, 100);
	acknowledge_the_first();
	cr_assert_eq(tcp_conn_flight(d.c), 12000);
	end();
}

Test(tcp_pace, leaves_a_short_path_alone)
{
	begin(true, 0);
	dialog_write(&d, 40000);
	inject(&d, ". 1:1(0) ack 10001");
	cr_assert_eq(tcp_conn_flight(d.c), 12000);
	end();
}

Test(tcp_pace, of_bbr_is_its_own)
{
	begin(false, 100);
	cr_assert_eq(tcp_set_cc(d.tcp, d.c, "bbr"), 0);
	dialog_write(&d, 60000);
	tick(&d, 100);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 10001");
	cr_assert_gt(tcp_pace_rate(d.c), 0);
	cr_assert_leq(tcp_conn_flight(d.c), 3000);
	tick(&d, 90);
	cr_assert_geq(tcp_conn_flight(d.c), 15000);
	end();
}

Test(tcp_pace, does_not_hold_what_a_timeout_sends_again)
{
	begin(true, 100);
	acknowledge_the_first();
	tick(&d, 90);
	dialog_drop(&d);
	d.c->x->depart_ns = d.now_ns + 30 * UINT64_C(1000000000);
	tick(&d, 1000);
	cr_assert_geq(d.c->n_rto, 1);
	expect(&d, ". 10001:11001(1000) ack 1");
	end();
}

Test(tcp_pace, algorithms_change_places_while_bytes_fly)
{
	static const char *const names[] = { "bbr", "reno", "bbr", "cubic", "bbr" };

	begin(false, 100);
	dialog_write(&d, 60000);
	for (unsigned i = 0; i < 5; i++) {
		cr_assert_eq(tcp_set_cc(d.tcp, d.c, names[i]), 0);
		cr_assert_str_eq(d.c->cc.ops->name, names[i]);
		tick(&d, 50);
		dialog_drop(&d);
		inject(&d, i % 2 ? ". 1:1(0) ack 3001" : ". 1:1(0) ack 2001");
	}
	end();
}

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static struct tcp_conn_info info(void)
{
	struct tcp_conn_info i;

	tcp_conn_info(d.tcp, d.c, &i);
	return i;
}

static void again(const struct tcp_conf *conf)
{
	dialog_end(&d);
	dialog_begin(&d, conf);
}

Dialog(tcp_rto, sends_again_ever_more_slowly)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1");
	after(&d, 200, "P. 1:101(100) ack 1");
	after(&d, 400, "P. 1:101(100) ack 1");
	after(&d, 800, "P. 1:101(100) ack 1");
	cr_assert_eq(info().backoff, 3);
	cr_assert_eq(info().rtos, 3);
	inject(&d, ". 1:1(0) ack 101");
	tick(&d, 10000);
	nothing(&d);
	cr_assert_eq(info().bytes_retrans, 300);
	cr_assert_eq(tcp_stats(d.tcp)->rto, 3);
}

Dialog(tcp_rto, follows_the_round_trip_time)
{
	dialog_accept(&d, "mss 1000", 65535);
	for (uint32_t i = 0; i < 20; i++) {
		dialog_write(&d, 100);
		tick(&d, 300);
		if (d.ip.n_waiting > 1)
			dialog_drop(&d), tick(&d, 300);
		dialog_drain(&d);
	}
	cr_assert_geq(info().srtt_us, 250000);
	cr_assert_geq(info().rto_us, 300000);
	dialog_write(&d, 100);
	dialog_drop(&d);
	tick(&d, info().rto_us / 1000 - 2);
	nothing(&d);
	tick(&d, 4);
	cr_assert_eq(d.ip.n_waiting, 1);
	dialog_drop(&d);
}

Dialog(tcp_rto, does_not_measure_what_was_sent_twice)
{
	/* Karn; RFC 6298 3, 5 */
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1");
	after(&d, 200, "P. 1:101(100) ack 1");
	inject(&d, ". 1:1(0) ack 101");
	cr_assert_lt(info().srtt_us, 1000);
	cr_assert_eq(info().backoff, 1, "until something is measured");
	dialog_write(&d, 100);
	expect(&d, "P. 101:201(100) ack 1");
	after(&d, 400, "P. 101:201(100) ack 1");
	inject(&d, ". 1:1(0) ack 201");
	dialog_write(&d, 100);
	expect(&d, "P. 201:301(100) ack 1");
	inject(&d, ". 1:1(0) ack 301");
	cr_assert_eq(info().backoff, 0);
}

Dialog(tcp_rto, timestamps_measure_even_that)
{
	dialog_accept(&d, "mss 1000,sackOK,TS val 1 ecr 0", 65535);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1 <nop,nop,TS val 0 ecr 1000000>");
	after(&d, 200, "P. 1:101(100) ack 1");
	inject(&d, ". 1:1(0) ack 101");
	cr_assert_eq(info().backoff, 0);
}

/* Three segments; the first two are acknowledged 150 ms apart. */
static void two_of_three(bool rto_restart)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.rto_restart = rto_restart;
	again(&conf);
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 3000);
	dialog_drop(&d);
	tick(&d, 150);
	inject(&d, ". 1:1(0) ack 1001");
	nothing(&d);
	tick(&d, 50);
	inject(&d, ". 1:1(0) ack 2001");
	nothing(&d);
}

Dialog(tcp_rto, begins_anew_with_each_ack)
{
	/* RFC 6298 5.3 */
	two_of_three(false);
	after(&d, info().rto_us / 1000, "P. 2001:3001(1000) ack 1");
}

Dialog(tcp_rto, restarts_from_the_oldest_when_little_is_in_flight)
{
	/* RFC 7765 4 */
	two_of_three(true);
	after(&d, info().rto_us / 1000 - 200, "P. 2001:3001(1000) ack 1");
}

Dialog(tcp_rto, repairs_in_slow_start)
{
	/* RFC 5681 3.1 */
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 10000);
	dialog_drop(&d);
	after(&d, 200, ". 1:1001(1000) ack 1");
	cr_assert_eq(info().cwnd, 1000);
	cr_assert_eq(info().ssthresh, 5000);
	nothing(&d);
	inject(&d, ". 1:1(0) ack 1001");
	expect(&d, ". 1001:2001(1000) ack 1");
	expect(&d, ". 2001:3001(1000) ack 1");
	nothing(&d);
	/* The rest was only late. */
	inject(&d, ". 1:1(0) ack 9001");
	expect(&d, "P. 9001:10001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 10001");
	nothing(&d);
}

/* Four segments over a path of 10 ms; the second is reported, the first sent again. */
static void one_of_four(void)
{
	d.rtt_ms = 10;
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	dialog_write(&d, 4000);
	dialog_drop(&d);
	tick(&d, 10);
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>");
	nothing(&d);
	tick(&d, 3);
	expect(&d, ". 1:1001(1000) ack 1");
	nothing(&d);
}

Dialog(tcp_rto, sends_only_what_is_not_reported)
{
	one_of_four();
	tick(&d, 210);
	expect(&d, ". 1:1001(1000) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 2001");
	expect(&d, ". 2001:3001(1000) ack 1");
	expect(&d, "P. 3001:4001(1000) ack 1");
}

Dialog(tcp_rto, forgets_reports_that_the_peer_took_back)
{
	/* RFC 2018 8 */
	one_of_four();
	tick(&d, 210);
	expect(&d, ". 1:1001(1000) ack 1");
	after(&d, 420, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001");
	expect(&d, ". 1001:2001(1000) ack 1");
	expect(&d, ". 2001:3001(1000) ack 1");
}

Dialog(tcp_rto, a_peer_that_forgets_what_it_reported_is_asked_again)
{
	/* RFC 2018 8: the ACK stops at a byte that was reported */
	one_of_four();
	inject(&d, ". 1:1(0) ack 1001 <nop,nop,sack 3001:4001>");
	dialog_drop(&d);
	tick(&d, 11);
	expect(&d, ". 1001:2001(1000) ack 1");
	cr_assert_eq(info().sacked, 0);
	dialog_drain(&d);
}

Dialog(tcp_rto, gives_up_after_the_user_timeout)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_USER_TIMEOUT_MS, 3000);
	dialog_write(&d, 100);
	tick(&d, 2999);
	cr_assert_eq(tcp_error(d.c), 0);
	tick(&d, 2);
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
	cr_assert_eq(tcp_stats(d.tcp)->timed_out, 1);
	dialog_drop(&d);
}

Dialog(tcp_rto, gives_up_after_15_minutes_by_default)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	tick(&d, 100 * 1000);
	cr_assert_eq(tcp_error(d.c), 0, "RFC 9293 3.8.3: R2 is at least 100 seconds");
	tick(&d, 801 * 1000);
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
	dialog_drop(&d);
}

Dialog(tcp_rto, progress_puts_the_user_timeout_off)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_USER_TIMEOUT_MS, 3000);
	dialog_write(&d, 2000);
	tick(&d, 2500);
	inject(&d, ". 1:1(0) ack 1001");
	tick(&d, 2500);
	cr_assert_eq(tcp_error(d.c), 0);
	dialog_drop(&d);
}

Dialog(tcp_rto, begins_slowly_after_silence)
{
	/* RFC 5681 4.1 */
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.sndbuf = 100000;
	again(&conf);
	dialog_accept(&d, "mss 1000", 65535);
	for (unsigned i = 0; i < 5; i++) {
		dialog_write(&d, 50000);
		dialog_drain(&d);
	}
	cr_assert_gt(info().cwnd, 20000);
	tick(&d, 100);
	dialog_write(&d, 20000);
	cr_assert_gt(d.ip.n_waiting, 10);
	dialog_drain(&d);
	tick(&d, 1000);
	dialog_write(&d, 50000);
	cr_assert_eq(d.ip.n_waiting, 10, "the initial window");
	dialog_drop(&d);
}

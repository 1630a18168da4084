#include <criterion/criterion.h>
#include <errno.h>

#include "stack/base/clock.h"
#include "tcp/mtu_probe.h"
#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static struct tcp_conn_info info(void)
{
	struct tcp_conn_info i;

	tcp_conn_info(d.tcp, d.c, &i);
	return i;
}

/* The next @n timeouts, with all that they make us send. */
static void time_out(unsigned n)
{
	uint64_t timeouts = tcp_stats(d.tcp)->rto;

	for (unsigned ms = 0; tcp_stats(d.tcp)->rto < timeouts + n; ms++) {
		dialog_drop(&d);
		cr_assert_lt(ms, 1000000);
		tick(&d, 1);
	}
}

/* RFC 4821 7.7 */
Dialog(tcp_mtu, full_segments_that_are_lost_again_and_again_become_shorter)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 14600);
	time_out(2);
	expect(&d, ". 1:1461(1460) ack 1");
	time_out(1);
	expect(&d, ". 1:1241(1240) ack 1");
	cr_assert_eq(d.ip.mtu, 1500); /* nobody else has heard of it yet */
	inject(&d, ". 1:1(0) ack 1241");
	cr_assert_eq(d.ip.mtu, MTU_BASE);
	cr_assert_eq(tcp_stats(d.tcp)->mtu_found, 1);
	expect(&d, ". 1241:2481(1240) ack 1");
	cr_assert_eq(info().mss, 1240);
	dialog_drain(&d);
}

/* where nine timeouts would take longer than TCP is patient */
Dialog(tcp_mtu, far_peers_are_found_out_before_they_are_given_up)
{
	d.rtt_ms = 900;
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 1000);
	time_out(5);
	expect(&d, "P. 1:1001(1000) ack 1");
	time_out(1);
	expect(&d, ". 1:537(536) ack 1");
	inject(&d, ". 1:1(0) ack 1001");
	dialog_drop(&d);
}

Dialog(tcp_mtu, and_shorter_when_that_does_not_help)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 14600);
	time_out(5);
	expect(&d, ". 1:1241(1240) ack 1");
	time_out(1);
	expect(&d, ". 1:537(536) ack 1");
	inject(&d, ". 1:1(0) ack 537");
	cr_assert_eq(d.ip.mtu, MTU_LAST);
	dialog_drain(&d);
}

Dialog(tcp_mtu, a_peer_that_is_gone_leaves_nothing_behind)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 14600);
	time_out(9);
	cr_assert_eq(d.ip.mtu, 1500);
	cr_assert_eq(tcp_stats(d.tcp)->mtu_found, 0);
	dialog_drop(&d);
}

Dialog(tcp_mtu, small_segments_that_are_lost_say_nothing_about_long_ones)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 1000);
	time_out(7);
	cr_assert_eq(tcp_stats(d.tcp)->mtu_guesses, 0);
	expect(&d, "P. 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001");
	cr_assert_eq(d.ip.mtu, 1500);
	cr_assert_eq(info().mss, 1460);
}

Dialog(tcp_mtu, segments_that_the_peer_wants_short_stay_as_they_are)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 3000);
	time_out(7);
	expect(&d, ". 1:1001(1000) ack 1");
	cr_assert_eq(tcp_stats(d.tcp)->mtu_guesses, 0);
	dialog_drain(&d);
}

/* A path of 1000 bytes whose routers say nothing: no full segment will ever tell. */
Dialog(tcp_mtu, small_segments_that_never_arrive_become_shorter)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 1000);
	time_out(8);
	expect(&d, "P. 1:1001(1000) ack 1");
	time_out(1);
	expect(&d, ". 1:537(536) ack 1");
	inject(&d, ". 1:1(0) ack 537");
	expect(&d, "P. 537:1001(464) ack 1");
	inject(&d, ". 1:1(0) ack 1001");
}

/* ICMP said 1080, and then the path became narrower in silence. */
Dialog(tcp_mtu, a_path_that_is_known_may_become_narrower)
{
	d.ip.mtu = 1080;
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 3120);
	time_out(8);
	expect(&d, ". 1:1041(1040) ack 1");
	time_out(1);
	expect(&d, ". 1:537(536) ack 1");
	inject(&d, ". 1:1(0) ack 537");
	cr_assert_eq(d.ip.mtu, MTU_LAST);
	dialog_drain(&d);
}

Dialog(tcp_mtu, two_timeouts_and_an_answer_are_no_black_hole)
{
	dialog_accept(&d, "mss 1460", 65535);
	dialog_write(&d, 4380);
	time_out(2);
	expect(&d, ". 1:1461(1460) ack 1");
	inject(&d, ". 1:1(0) ack 1461");
	time_out(2);
	cr_assert_eq(info().mss, 1460);
	dialog_drain(&d);
}

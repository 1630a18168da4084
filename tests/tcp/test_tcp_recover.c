#include <criterion/criterion.h>

#include "tcp/conn.h"
#include "tests/lib/tcp_dialog.h"

enum { RTT_MS = 10 };

static struct dialog d;

static struct tcp_conn_info info(void)
{
	struct tcp_conn_info i;

	tcp_conn_info(d.tcp, d.c, &i);
	return i;
}

/* Ten segments of 1000 bytes are in flight, and more waits. */
static void fly(const char *options)
{
	d.rtt_ms = RTT_MS;
	dialog_accept(&d, options, 65535);
	dialog_write(&d, 20000);
	cr_assert_eq(d.ip.n_waiting, 10);
	dialog_drop(&d);
	tick(&d, RTT_MS);
}

/* ---- without SACK: RFC 5681, RFC 6582 ---- */

Dialog(tcp_recover, sends_new_data_for_the_first_two_duplicates)
{
	/* RFC 3042 */
	fly("mss 1000");
	inject(&d, ". 1:1(0) ack 1");
	expect(&d, ". 10001:11001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	expect(&d, ". 11001:12001(1000) ack 1");
	nothing(&d);
	cr_assert_eq(info().cwnd, 10000);
}

Dialog(tcp_recover, repairs_at_the_third_duplicate)
{
	unsigned n = 0;

	fly("mss 1000");
	inject(&d, ". 1:1(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1");
	expect(&d, ". 1:1001(1000) ack 1");
	nothing(&d);
	cr_assert_eq(info().ssthresh, 5000, "half of what was in flight before");
	/* RFC 9937 6.2: five stay in flight; then each duplicate lets one go. */
	for (unsigned i = 0; i < 10; i++) {
		inject(&d, ". 1:1(0) ack 1");
		n += d.ip.n_waiting;
		dialog_drop(&d);
	}
	cr_assert_eq(n, 6);
	/* All of what was in flight when it began. */
	inject(&d, ". 1:1(0) ack 12001");
	cr_assert_eq(info().cwnd, 5000);
	cr_assert_eq(info().fast_recoveries, 1);
	cr_assert_eq(tcp_stats(d.tcp)->fast_recovery, 1);
	dialog_drop(&d);
}

Dialog(tcp_recover, a_partial_ack_sends_the_next_hole)
{
	/* RFC 6582 3.2 (3) */
	fly("mss 1000");
	for (unsigned i = 0; i < 3; i++)
		inject(&d, ". 1:1(0) ack 1");
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 3001");
	expect(&d, ". 3001:4001(1000) ack 1");
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 7001");
	expect(&d, ". 7001:8001(1000) ack 1");
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 12001");
	cr_assert_eq(info().fast_recoveries, 1);
	dialog_drop(&d);
}

Dialog(tcp_recover, duplicates_of_its_own_making_begin_nothing)
{
	/* RFC 6582 4.1 */
	fly("mss 1000");
	after(&d, 200, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 10001");
	dialog_drop(&d);
	for (unsigned i = 0; i < 5; i++)
		inject(&d, ". 1:1(0) ack 10001");
	cr_assert_eq(info().fast_recoveries, 0);
	dialog_drop(&d);
}

Dialog(tcp_recover, a_window_update_is_no_duplicate)
{
	fly("mss 1000");
	inject(&d, ". 1:1(0) ack 1 win 60000");
	inject(&d, ". 1:1(0) ack 1 win 60001");
	inject(&d, ". 1:1(0) ack 1 win 60002");
	nothing(&d);
	inject(&d, "P. 1:2(1) ack 1 win 60002");
	inject(&d, "P. 2:3(1) ack 1 win 60002");
	inject(&d, "P. 3:4(1) ack 1 win 60002");
	cr_assert_eq(info().fast_recoveries, 0);
	dialog_drop(&d);
}

/* ---- with SACK: RFC 6675 ---- */

Dialog(tcp_recover, three_reports_begin_a_recovery)
{
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>");
	expect(&d, ". 10001:11001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:3001>");
	expect(&d, ". 11001:12001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:4001>");
	expect(&d, ". 1:1001(1000) ack 1");
	nothing(&d);
	cr_assert_eq(info().ssthresh, 5000);
	cr_assert_eq(info().cwnd, 9000, "what is in flight, and the repair");
	cr_assert_eq(info().sacked, 3000);
}

Dialog(tcp_recover, one_report_of_three_segments_is_enough)
{
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:4001>");
	expect(&d, ". 1:1001(1000) ack 1");
	dialog_drop(&d);
	cr_assert_eq(info().fast_recoveries, 1);
}

Dialog(tcp_recover, fills_holes_before_it_sends_new_bytes)
{
	fly("mss 1000,nop,nop,sackOK");
	/* 1, 3 and 5 are lost. */
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 5001:10001 3001:4001 1001:2001>");
	expect(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 2001:3001(1000) ack 1");
	expect(&d, ". 4001:5001(1000) ack 1");
	expect(&d, ". 10001:11001(1000) ack 1");
	expect(&d, ". 11001:12001(1000) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 2001 <nop,nop,sack 5001:10001 3001:4001>");
	expect(&d, ". 12001:13001(1000) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 10001");
	/* RFC 9937 6.2: then cwnd is ssthresh */
	expect(&d, ". 13001:14001(1000) ack 1");
	expect(&d, ". 14001:15001(1000) ack 1");
	nothing(&d);
	cr_assert_eq(info().cwnd, 5000);
	cr_assert_eq(info().ssthresh, 5000);
	cr_assert_eq(info().bytes_retrans, 3000);
}

Dialog(tcp_recover, sends_each_hole_once)
{
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:5001>");
	expect(&d, ". 1:1001(1000) ack 1");
	dialog_drop(&d);
	for (unsigned i = 0; i < 5; i++)
		inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:5001>");
	nothing(&d);
	cr_assert_eq(info().bytes_retrans, 1000);
}

Dialog(tcp_recover, a_probe_finds_the_lost_tail)
{
	/* RFC 8985 7 */
	d.rtt_ms = RTT_MS;
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	dialog_write(&d, 10000);
	dialog_drop(&d);
	tick(&d, RTT_MS);
	/* The last two are lost. */
	inject(&d, ". 1:1(0) ack 8001");
	nothing(&d);
	after(&d, 22, "P. 9001:10001(1000) ack 1");
	cr_assert_eq(tcp_stats(d.tcp)->tlp, 1);
	nothing(&d);
	tick(&d, RTT_MS);
	inject(&d, ". 1:1(0) ack 8001 <nop,nop,sack 9001:10001>");
	tick(&d, 3);
	expect(&d, ". 8001:9001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 10001");
	nothing(&d);
	cr_assert_eq(info().rtos, 0);
}

Dialog(tcp_recover, goes_over_to_the_timer_when_a_repair_is_lost)
{
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:10001>");
	dialog_drop(&d);
	after(&d, 210, ". 1:1001(1000) ack 1");
	cr_assert_eq(info().rtos, 1);
	cr_assert_eq(info().cwnd, 1000);
	inject(&d, ". 1:1(0) ack 10001");
	dialog_drop(&d);
}

/* RFC 6298 5.1, where the path is longer than the timeout was: a full queue */
Dialog(tcp_recover, a_repair_has_the_whole_timeout)
{
	fly("mss 1000,nop,nop,sackOK");
	tick(&d, 150);
	dialog_drop(&d); /* a loss probe */
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:10001>");
	expect(&d, ". 1:1001(1000) ack 1");
	tick(&d, 150);
	cr_assert_eq(info().rtos, 0);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 10001");
	dialog_drop(&d);
}

Dialog(tcp_recover, believes_no_report_of_what_was_not_sent)
{
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 20001:90001>");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 5001:4001>");
	nothing(&d);
	cr_assert_eq(info().sacked, 0);
}

Dialog(tcp_recover, sends_super_segments_again)
{
	d.ip.gso = true;
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	dialog_write(&d, 10000);
	expect(&d, "P. 1:5001(5000) ack 1");
	expect(&d, "P. 5001:10001(5000) ack 1");
	after(&d, 3, "P. 9001:10001(1000) ack 1");
	after(&d, 200, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001");
	expect(&d, ". 1001:2001(1000) ack 1");
	expect(&d, ". 2001:3001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 3001");
	expect(&d, ". 3001:4001(1000) ack 1");
	expect(&d, ". 4001:5001(1000) ack 1");
	expect(&d, ". 5001:6001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 6001");
	expect(&d, "P. 6001:8001(2000) ack 1");
	cr_assert_eq(d.last->gso_len, 1000);
	dialog_drop(&d);
}

Dialog(tcp_recover, time_alone_lets_one_segment_go)
{
	/* RFC 8985 6.3: the reordering timer; all before the report seems lost */
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 8001:9001>");
	expect(&d, ". 10001:11001(1000) ack 1");
	nothing(&d);
	after(&d, 3, ". 1:1001(1000) ack 1");
	nothing(&d);
	cr_assert_eq(info().lost, 8000);
	/* Then what each ACK tells to have arrived. */
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 8001:10001>");
	expect(&d, ". 1001:2001(1000) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 11001");
	dialog_drop(&d);
}

Dialog(tcp_recover, what_was_delivered_goes_though_more_went_before)
{
	/* RFC 9937 6.2: SndCnt = MAX(prr_delivered - prr_out, DeliveredData) */
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 6001:7001>");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 6001:8001>");
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 6001:10001>");
	cr_assert_eq(d.ip.n_waiting, 2);
	dialog_drop(&d);
	tick(&d, RTT_MS);
	/* A safe ACK: one segment more than was delivered. */
	inject(&d, ". 1:1(0) ack 1001 <nop,nop,sack 6001:10001>");
	cr_assert_eq(d.ip.n_waiting, 2);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1001 <nop,nop,sack 6001:12001>");
	cr_assert_eq(d.ip.n_waiting, 2);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 12001");
	dialog_drop(&d);
}

Dialog(tcp_recover, a_late_ack_is_heard_for_its_reports)
{
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 3001 <nop,nop,sack 4001:5001>");
	dialog_drop(&d);
	cr_assert_eq(info().sacked, 1000);
	/* Sent before, it came later; its window is an old one. */
	inject(&d, ". 1:1(0) ack 2001 win 10 <nop,nop,sack 7001:8001 4001:5001>");
	cr_assert_eq(info().sacked, 2000);
	cr_assert_eq(info().snd_wnd, 65535);
	inject(&d, ". 1:1(0) ack 10001");
	dialog_drop(&d);
}

Dialog(tcp_recover, tells_how_far_segments_were_overtaken)
{
	fly("mss 1000,nop,nop,sackOK");
	cr_assert_eq(info().reordering, 3);
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 7001:8001>");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 3001:4001 7001:8001>");
	cr_assert_eq(info().reordering, 5);
	inject(&d, ". 1:1(0) ack 8001");
	cr_assert_eq(info().reordering, 8);
	dialog_drop(&d);
}

Dialog(tcp_recover, what_was_reported_before_does_not_open_the_window)
{
	/* Limited transmit (RFC 3042) let a segment go for each of the two already. */
	fly("mss 1000,nop,nop,sackOK");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:3001>");
	inject(&d, ". 1:1(0) ack 3001");
	cr_assert_eq(info().cwnd, 11000);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 14001");
	dialog_drop(&d);
}

/* ---- hours ---- */

/* What was delivered before a silence says nothing of what is sent behind it, though
 * microseconds are counted modulo 2^32. */
Dialog(tcp_recover, what_was_delivered_long_ago_tells_of_no_loss)
{
	d.rtt_ms = RTT_MS;
	dialog_accept(&d, "mss 1000,sackOK", 65535);
	/* Unread bytes: the queues are not given back. */
	inject(&d, "P. 1:11(10) ack 1");
	dialog_write(&d, 2000);
	tick(&d, RTT_MS);
	inject(&d, ". 11:11(0) ack 2001");
	dialog_drop(&d);
	tick(&d, 40 * 60 * 1000);
	dialog_drop(&d);
	dialog_write(&d, 2000);
	cr_assert_eq(d.ip.n_waiting, 2);
	dialog_drop(&d);
	tick(&d, 2 * RTT_MS);
	inject(&d, ". 11:11(0) ack 3001");
	tick(&d, RTT_MS / 2);
	nothing(&d);
	inject(&d, ". 11:11(0) ack 4001");
	cr_assert_eq(info().bytes_retrans, 0);
}

/* ---- the tail ---- */

/* A connection that found no memory speaks later, when all may be acknowledged. */
Dialog(tcp_recover, a_probe_that_is_not_wanted_any_more_is_not_sent)
{
	d.rtt_ms = RTT_MS;
	dialog_accept(&d, "mss 1000,sackOK", 65535);
	dialog_write(&d, 1000);
	dialog_drop(&d);
	for (unsigned ms = 0; !d.c->x->tlp_due; ms++) {
		cr_assert_lt(ms, 1000);
		d.now_ns += 1000000;
		wheel_run(&d.wheel, d.now_ns);
	}
	inject(&d, ". 1:1(0) ack 1001");
	nothing(&d);
	cr_assert_eq(info().bytes_retrans, 0);
}

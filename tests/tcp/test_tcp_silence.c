#include <criterion/criterion.h>
#include <stdio.h>

#include "tcp/conn.h"
#include "tests/lib/tcp_dialog.h"

/* Nothing that a peer or a program does keeps loss recovery from its work for ever. */

enum { RTT_MS = 100 };

static struct dialog d;

static void begin(void)
{
	d.rtt_ms = RTT_MS;
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	d.c->opts.nodelay = true;
}

Dialog(tcp_silence, who_goes_on_writing_learns_that_nothing_arrives)
{
	/* RFC 8985 7.2, RFC 6298 5.1: the timeout is that of the oldest bytes */
	begin();
	for (unsigned i = 0; i < 40; i++) {
		dialog_write(&d, 10);
		tick(&d, 50);
	}
	cr_assert_geq(tcp_stats(d.tcp)->tlp, 1);
	cr_assert_geq(tcp_stats(d.tcp)->rto, 1);
	dialog_drop(&d);
	dialog_drain(&d);
}

Dialog(tcp_silence, a_peer_that_goes_on_sending_does_not_put_off_the_probe)
{
	char line[64];

	begin();
	dialog_write(&d, 2000);
	dialog_drop(&d);
	/* 2 SRTT and a little: RFC 8985 7.2 restarts it for new bytes alone */
	for (unsigned i = 0; i < 11; i++) {
		tick(&d, 20);
		snprintf(line, sizeof(line), ". %u:%u(10) ack 1", 1 + i * 10,
			 11 + i * 10);
		inject(&d, line);
	}
	cr_assert_eq(tcp_stats(d.tcp)->tlp, 1);
	dialog_read(&d, 110);
	dialog_drop(&d);
	dialog_drain(&d);
}

Dialog(tcp_silence, a_peer_that_reneged_and_goes_on_sending_is_served)
{
	/* RFC 2018 8 */
	char line[64];

	begin();
	dialog_write(&d, 8000);
	dialog_drop(&d);
	tick(&d, RTT_MS);
	inject(&d, ". 1:1(0) ack 1001 <nop,nop,sack 3001:4001>");
	inject(&d, ". 1:1(0) ack 3001");
	dialog_drop(&d);
	for (unsigned i = 0; i < 100; i++) {
		tick(&d, 5);
		snprintf(line, sizeof(line), ". %u:%u(10) ack 3001", 1 + i * 10,
			 11 + i * 10);
		inject(&d, line);
	}
	cr_assert_geq(tcp_stats(d.tcp)->rto, 1);
	dialog_read(&d, 1000);
	dialog_drop(&d);
	dialog_drain(&d);
}

Dialog(tcp_silence, an_hour_later_the_last_delivery_says_nothing)
{
	/* Times are modulo 2^32 microseconds; bytes that nobody reads keep the block. */
	begin();
	inject(&d, "P. 1:11(10) ack 1");
	dialog_write(&d, 1000);
	tick(&d, RTT_MS);
	inject(&d, ". 11:11(0) ack 1001");
	dialog_drop(&d);
	tick(&d, 40 * 60 * 1000);
	dialog_write(&d, 3000);
	tick(&d, RTT_MS + 10);
	/* The path is a little slower now. */
	inject(&d, ". 11:11(0) ack 2001");
	tick(&d, 1);
	inject(&d, ". 11:11(0) ack 3001");
	tick(&d, 30);
	cr_assert_eq(tcp_stats(d.tcp)->fast_recovery, 0);
	inject(&d, ". 11:11(0) ack 4001");
	cr_assert_eq(tcp_stats(d.tcp)->bytes_retrans, 0);
	dialog_read(&d, 10);
	dialog_drop(&d);
}

Dialog(tcp_silence, a_probe_leaves_nagle_as_it_was)
{
	begin();
	d.c->opts.nodelay = false;
	dialog_write(&d, 9000);
	dialog_write(&d, 10);
	dialog_write(&d, 2000);
	dialog_drop(&d);
	/* cwnd is used up; the probe is a full segment of new bytes. */
	after(&d, 202, ". 9011:10011(1000) ack 1");
	inject(&d, ". 1:1(0) ack 9001");
	expect(&d, "P. 10011:11011(1000) ack 1");
	/* The small one is still in flight. */
	dialog_write(&d, 10);
	nothing(&d);
	inject(&d, ". 1:1(0) ack 11011");
	dialog_drop(&d);
	dialog_drain(&d);
}

Dialog(tcp_silence, a_peer_that_goes_on_sending_does_not_keep_cork_shut)
{
	/* What a recovery without SACK remembers makes each ACK count. */
	char line[64];

	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 5000);
	for (unsigned i = 0; i < 3; i++)
		inject(&d, ". 1:1(0) ack 1");
	inject(&d, ". 1:1(0) ack 5001");
	dialog_drop(&d);
	tcp_set(d.tcp, d.c, TCP_OPT_CORK, 1);
	dialog_write(&d, 10);
	nothing(&d);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(line, sizeof(line), ". %u:%u(10) ack 5001", 1 + i * 10,
			 11 + i * 10);
		tick(&d, 50);
		inject(&d, line);
	}
	cr_assert_eq(tcp_conn_flight(d.c), 10);
	dialog_read(&d, 50);
	dialog_drop(&d);
	dialog_drain(&d);
}

Dialog(tcp_silence, undoing_does_not_undo_the_choice_of_an_algorithm)
{
	struct tcp_conn_info info;

	begin();
	dialog_write(&d, 8000);
	tick(&d, RTT_MS);
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:8001>");
	dialog_drop(&d);
	cr_assert_eq(tcp_stats(d.tcp)->fast_recovery, 1);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_str_eq(info.cc, "reno");
	cr_assert_eq(tcp_set_cc(d.tcp, d.c, "cubic"), 0);
	inject(&d, ". 1:1(0) ack 8001 <nop,nop,sack 1:1001>");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_str_eq(info.cc, "cubic");
}

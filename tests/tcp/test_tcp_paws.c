#include <criterion/criterion.h>

#include "tests/lib/tcp_dialog.h"

/* RFC 7323. */

static struct dialog d;

static const char options[] = "mss 1000,sackOK,TS val 1000 ecr 0,nop,wscale 2";

/* An accepted connection whose last timestamp from the peer was 2000. */
static void open_at_2000(void)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1000,sackOK,TS val 1000 ecr 0,nop,wscale 2>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 0 ecr 1000,nop,wscale 7>");
	inject(&d, ". 1:1(0) ack 1 win 1000 <nop,nop,TS val 2000 ecr 0>");
	d.c = tcp_accept(d.tcp, d.l, NULL);
	cr_assert_not_null(d.c);
}

Dialog(tcp_paws, echoes_the_last_timestamp)
{
	open_at_2000();
	inject(&d, "P. 1:11(10) ack 1 <nop,nop,TS val 2001 ecr 0>");
	expect(&d, ". 1:1(0) ack 11 <nop,nop,TS val 0 ecr 2001>");
	tick(&d, 70);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 11 <nop,nop,TS val 70 ecr 2001>");
	dialog_read(&d, 10);
}

Dialog(tcp_paws, echoes_the_first_of_what_it_acknowledges)
{
	/* RFC 7323 4.3: the delay of our ACK is part of the round trip */
	open_at_2000();
	hear(&d, ". 1:11(10) ack 1 <nop,nop,TS val 2001 ecr 0>");
	hear(&d, ". 11:21(10) ack 1 <nop,nop,TS val 2005 ecr 0>");
	dialog_turn(&d);
	expect(&d, ". 1:1(0) ack 21 <nop,nop,TS val 0 ecr 2001>");
	dialog_read(&d, 20);
}

Dialog(tcp_paws, does_not_echo_what_came_early)
{
	open_at_2000();
	inject(&d, ". 11:21(10) ack 1 <nop,nop,TS val 2005 ecr 0>");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS val 0 ecr 2000,nop,nop,sack 11:21>");
}

Dialog(tcp_paws, refuses_segments_that_are_older_than_the_last)
{
	open_at_2000();
	inject(&d, "P. 1:11(10) ack 1 <nop,nop,TS val 1999 ecr 0>");
	cr_assert_eq(d.verdict, V_TCP_PAWS);
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS val 0 ecr 2000>");
	cr_assert_eq(tcp_recv_ready(d.c), 0);
	inject(&d, "P. 1:11(10) ack 1 <nop,nop,TS val 2000 ecr 0>");
	cr_assert_eq(tcp_recv_ready(d.c), 10);
}

Dialog(tcp_paws, believes_a_reset_whatever_its_timestamp)
{
	/* RFC 7323 5.2 */
	open_at_2000();
	inject(&d, "R 1:1(0) <nop,nop,TS val 1 ecr 0>");
	cr_assert_eq(dialog_state(&d), TCP_CLOSED);
}

Dialog(tcp_paws, drops_segments_without_a_timestamp)
{
	/* RFC 7323 3.2 */
	open_at_2000();
	inject(&d, "P. 1:11(10) ack 1 <>");
	cr_assert_eq(d.verdict, V_TCP_NO_TIMESTAMP);
	nothing(&d);
	cr_assert_eq(tcp_recv_ready(d.c), 0);
	/* but a RST */
	inject(&d, "R 1:1(0) <>");
	cr_assert_eq(dialog_state(&d), TCP_CLOSED);
}

Dialog(tcp_paws, drops_the_ack_of_a_handshake_without_a_timestamp)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1000,sackOK,TS val 1000 ecr 0>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1 <>");
	cr_assert_eq(d.verdict, V_TCP_NO_TIMESTAMP);
	cr_assert_eq(tcp_listener_waiting(d.l), 0);
	inject(&d, ". 1:1(0) ack 1 <nop,nop,TS val 1001 ecr 0>");
	cr_assert_eq(tcp_listener_waiting(d.l), 1);
}

Dialog(tcp_paws, a_timestamp_counts_when_its_ack_does)
{
	/* RFC 5961 5, RFC 7323 5.3: blind, with a number in the window */
	open_at_2000();
	inject(&d, ". 1:1(0) ack 5000000 <nop,nop,TS val 2000000000 ecr 0>");
	cr_assert_eq(d.verdict, V_TCP_BAD_ACK);
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS val 0 ecr 2000>");
	inject(&d, "P. 1:11(10) ack 1 <nop,nop,TS val 2001 ecr 0>");
	cr_assert_eq(tcp_recv_ready(d.c), 10);
	expect(&d, ". 1:1(0) ack 11 <nop,nop,TS val 0 ecr 2001>");
	dialog_read(&d, 10);
}

Dialog(tcp_paws, timestamps_wrap_around)
{
	open_at_2000();
	inject(&d, ". 1:1(0) ack 1 <nop,nop,TS val 2000000000 ecr 0>");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,TS val 4000000000 ecr 0>");
	inject(&d, "P. 1:11(10) ack 1 <nop,nop,TS val 100 ecr 0>");
	expect(&d, ". 1:1(0) ack 11 <nop,nop,TS val 0 ecr 100>");
	dialog_read(&d, 10);
}

Dialog(tcp_paws, forgets_a_timestamp_after_24_days)
{
	/* RFC 7323 5.5 */
	open_at_2000();
	d.now_ns += UINT64_C(25) * 24 * 3600 * 1000000000;
	wheel_run(&d.wheel, d.now_ns);
	inject(&d, "P. 1:11(10) ack 1 <nop,nop,TS val 1 ecr 0>");
	expect(&d, ". 1:1(0) ack 11 <nop,nop,TS>");
	cr_assert_eq(d.peer->ts_last - d.peer->ts_base, 25u * 24 * 3600 * 1000);
	dialog_read(&d, 10);
}

Dialog(tcp_paws, scales_windows_both_ways)
{
	struct tcp_conn_info info;

	dialog_accept(&d, options, 1000);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.snd_wnd, 4000);
	inject(&d, ". 1:1(0) ack 1 win 65535");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.snd_wnd, 65535 * 4);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1 win 511");
}

Dialog(tcp_paws, clocks_of_two_connections_tell_nothing_of_each_other)
{
	struct dialog_peer other = { .port = DIALOG_PEER_PORT + 1 };

	dialog_accept(&d, options, 1000);
	d.peer = &other;
	dialog_accept(&d, options, 1000);
	cr_assert_gt(other.ts_base - d.first.ts_base + 1000000, 2000000);
}

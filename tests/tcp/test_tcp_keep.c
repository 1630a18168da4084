#include <criterion/criterion.h>
#include <errno.h>

#include "tests/lib/tcp_dialog.h"

/* RFC 9293 3.8.4. */

static struct dialog d;

static void open_keeping(void)
{
	dialog_accept(&d, "mss 1000", 65535);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_KEEPALIVE, 1), 0);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_KEEP_IDLE_MS, 10000), 0);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_KEEP_INTVL_MS, 3000), 0);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_KEEP_PROBES, 3), 0);
	dialog_turn(&d);
}

Dialog(tcp_keep, is_off_by_default)
{
	dialog_accept(&d, "mss 1000", 65535);
	tick(&d, 10 * 3600 * 1000);
	nothing(&d);
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
}

Dialog(tcp_keep, waits_two_hours_by_default)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_KEEPALIVE, 1);
	dialog_turn(&d);
	tick(&d, 7199 * 1000);
	nothing(&d);
	tick(&d, 2000);
	expect(&d, ". 0:0(0) ack 1");
}

Dialog(tcp_keep, asks_and_hears_that_the_peer_is_there)
{
	open_keeping();
	after(&d, 10000, ". 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	after(&d, 10000, ". 0:0(0) ack 1");
	after(&d, 3000, ". 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	after(&d, 10000, ". 0:0(0) ack 1");
	cr_assert_eq(tcp_stats(d.tcp)->keepalive, 4);
}

Dialog(tcp_keep, gives_up_after_its_probes)
{
	open_keeping();
	after(&d, 10000, ". 0:0(0) ack 1");
	after(&d, 3000, ". 0:0(0) ack 1");
	after(&d, 3000, ". 0:0(0) ack 1");
	cr_assert_eq(tcp_error(d.c), 0);
	after(&d, 3000, "R. 1:1(0) ack 1");
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
}

Dialog(tcp_keep, any_segment_puts_it_off)
{
	open_keeping();
	tick(&d, 9000);
	inject(&d, "P. 1:2(1) ack 1");
	expect(&d, ". 1:1(0) ack 2");
	tick(&d, 9000);
	nothing(&d);
	after(&d, 1000, ". 0:0(0) ack 2");
}

Dialog(tcp_keep, does_not_ask_while_data_is_in_flight)
{
	open_keeping();
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	tick(&d, 12000);
	while (d.ip.n_waiting)
		expect(&d, "P. 1:11(10) ack 1");
	inject(&d, ". 1:1(0) ack 11");
	after(&d, 10000, ". 10:10(0) ack 1");
}

Dialog(tcp_keep, is_answered_when_the_peer_asks)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, ". 0:0(0) ack 1");
	expect(&d, ". 1:1(0) ack 1");
	tick(&d, 1000);
	inject(&d, ". 0:1(1) ack 1");
	expect(&d, ". 1:1(0) ack 1");
	cr_assert_eq(tcp_recv_ready(d.c), 0, "the old byte is garbage");
}

Dialog(tcp_keep, can_be_turned_off_again)
{
	open_keeping();
	tcp_set(d.tcp, d.c, TCP_OPT_KEEPALIVE, 0);
	dialog_turn(&d);
	tick(&d, 60000);
	nothing(&d);
}

Dialog(tcp_keep, a_shorter_time_counts_at_once)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_KEEPALIVE, 1);
	dialog_turn(&d);
	tcp_set(d.tcp, d.c, TCP_OPT_KEEP_IDLE_MS, 5000);
	dialog_turn(&d);
	after(&d, 5000, ". 0:0(0) ack 1");
}

Dialog(tcp_keep, a_user_timeout_ends_it_sooner)
{
	/* as Linux's TCP_USER_TIMEOUT */
	open_keeping();
	tcp_set(d.tcp, d.c, TCP_OPT_USER_TIMEOUT_MS, 12000);
	after(&d, 10000, ". 0:0(0) ack 1");
	tick(&d, 3000);
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
	dialog_drop(&d);
}

Dialog(tcp_keep, keeps_the_connection_of_a_closed_socket)
{
	/* The peer that vanished is found out although nobody owns the connection. */
	open_keeping();
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, ". 1:1(0) ack 2");
	tick(&d, 61 * 1000);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	dialog_drop(&d);
}

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static ssize_t read_byte(void)
{
	char byte;

	return tcp_recv(d.tcp, d.c, &byte, 1, false);
}

static uint32_t n_conns(void)
{
	return tcp_stats(d.tcp)->n_conns;
}

static uint32_t n_wait(void)
{
	return tcp_stats(d.tcp)->n_time_wait;
}

Dialog(tcp_close, closes_first)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_shutdown(&d);
	expect(&d, "F. 1:1(0) ack 1");
	cr_assert_eq(dialog_state(&d), TCP_FIN_WAIT_1);
	cr_assert_eq(tcp_send(d.tcp, d.c, "x", 1, false), -EPIPE);
	inject(&d, ". 1:1(0) ack 2");
	cr_assert_eq(dialog_state(&d), TCP_FIN_WAIT_2);
	inject(&d, "F. 1:1(0) ack 2");
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(dialog_state(&d), TCP_TIME_WAIT);
	cr_assert(tcp_conn_news(d.c) & TCP_FINISHED);
	cr_assert_eq(read_byte(), 0);
	cr_assert_eq(n_wait(), 1);
	dialog_close(&d);
	nothing(&d);
	cr_assert_eq(n_conns(), 0);
	cr_assert_eq(n_wait(), 1);
	cr_assert_eq(tcp_stats(d.tcp)->closed, 1);
	tick(&d, 59 * 1000);
	cr_assert_eq(n_wait(), 1);
	tick(&d, 2 * 1000);
	cr_assert_eq(n_wait(), 0);
}

Dialog(tcp_close, closes_second)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "F. 1:1(0) ack 1");
	expect(&d, ". 1:1(0) ack 2");
	cr_assert_eq(dialog_state(&d), TCP_CLOSE_WAIT);
	cr_assert(tcp_conn_news(d.c) & TCP_PEER_CLOSED);
	cr_assert(!(tcp_conn_news(d.c) & TCP_FINISHED));
	cr_assert_eq(read_byte(), 0);
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 2");
	cr_assert_eq(n_conns(), 1, "LAST-ACK");
	inject(&d, ". 2:2(0) ack 2");
	nothing(&d);
	cr_assert_eq(n_conns(), 0);
	cr_assert_eq(n_wait(), 0);
	cr_assert_eq(tcp_stats(d.tcp)->closed, 1);
}

Dialog(tcp_close, closes_at_the_same_time_as_the_peer)
{
	/* RFC 9293 figure 13 */
	dialog_accept(&d, "mss 1000", 65535);
	dialog_shutdown(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, "F. 1:1(0) ack 1");
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(dialog_state(&d), TCP_CLOSING);
	inject(&d, ". 2:2(0) ack 2");
	cr_assert_eq(dialog_state(&d), TCP_TIME_WAIT);
	nothing(&d);
	dialog_close(&d);
	cr_assert_eq(n_wait(), 1);
}

Dialog(tcp_close, acknowledges_a_crossing_fin_when_both_acks_come_in_one_burst)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_shutdown(&d);
	expect(&d, "F. 1:1(0) ack 1");
	hear(&d, "F. 1:1(0) ack 1");
	hear(&d, ". 2:2(0) ack 2");
	dialog_turn(&d);
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(dialog_state(&d), TCP_TIME_WAIT);
	nothing(&d);
}

Dialog(tcp_close, answers_fin_with_fin_in_one_segment)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_shutdown(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, "F. 1:1(0) ack 2");
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(dialog_state(&d), TCP_TIME_WAIT);
}

Dialog(tcp_close, receives_after_its_own_fin)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_shutdown(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, "P. 1:501(500) ack 2");
	expect(&d, ". 2:2(0) ack 501");
	dialog_read(&d, 500);
	inject(&d, "FP. 501:601(100) ack 2");
	expect(&d, ". 2:2(0) ack 602");
	dialog_read(&d, 100);
	cr_assert_eq(read_byte(), 0);
}

Dialog(tcp_close, sends_after_the_peers_fin)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "F. 1:1(0) ack 1");
	expect(&d, ". 1:1(0) ack 2");
	dialog_write(&d, 300);
	expect(&d, "P. 1:301(300) ack 2");
	inject(&d, ". 2:2(0) ack 301");
	dialog_write(&d, 300);
	dialog_close(&d);
	expect(&d, "P. 301:601(300) ack 2");
	expect(&d, "F. 601:601(0) ack 2");
	inject(&d, ". 2:2(0) ack 602");
	nothing(&d);
	cr_assert_eq(n_conns(), 0);
}

Dialog(tcp_close, sends_the_fin_with_the_last_bytes)
{
	uint8_t bytes[1500];

	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = dialog_byte(i);
	dialog_accept(&d, "mss 1000", 65535);
	cr_assert_eq(tcp_send(d.tcp, d.c, bytes, 1500, false), 1500);
	dialog_close(&d);
	expect(&d, ". 1:1001(1000) ack 1");
	expect(&d, "FP. 1001:1501(500) ack 1");
	nothing(&d);
}

Dialog(tcp_close, sends_the_fin_behind_what_the_window_holds_back)
{
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 1500);
	dialog_close(&d);
	expect(&d, ". 1:1001(1000) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 1001 win 500");
	expect(&d, "P. 1001:1501(500) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 1501 win 500");
	expect(&d, "F. 1501:1501(0) ack 1");
}

Dialog(tcp_close, sends_a_lost_fin_again)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	dialog_close(&d);
	expect(&d, "P. 1:101(100) ack 1");
	expect(&d, "F. 101:101(0) ack 1");
	inject(&d, ". 1:1(0) ack 101");
	after(&d, 200, "F. 101:101(0) ack 1");
	after(&d, 400, "F. 101:101(0) ack 1");
	inject(&d, ". 1:1(0) ack 102");
	nothing(&d);
}

Dialog(tcp_close, sends_lost_bytes_and_fin_again_together)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	dialog_close(&d);
	expect(&d, "P. 1:101(100) ack 1");
	expect(&d, "F. 101:101(0) ack 1");
	after(&d, 200, "FP. 1:101(100) ack 1");
}

Dialog(tcp_close, acknowledges_a_repeated_fin)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "F. 1:1(0) ack 1");
	expect(&d, ". 1:1(0) ack 2");
	inject(&d, "F. 1:1(0) ack 1");
	expect(&d, ". 1:1(0) ack 2");
	inject(&d, "P. 2:5(3) ack 1");
	expect(&d, ". 1:1(0) ack 2");
	cr_assert_eq(read_byte(), 0);
}

Dialog(tcp_close, remembers_a_fin_that_came_early)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	inject(&d, "FP. 11:21(10) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 11:21>");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 22 <>");
	cr_assert_eq(dialog_state(&d), TCP_CLOSE_WAIT);
	dialog_read(&d, 20);
	cr_assert_eq(read_byte(), 0);
}

Dialog(tcp_close, forgets_an_early_fin_that_bytes_overran)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "F. 11:11(0) ack 1");
	expect(&d, ". 1:1(0) ack 1");
	inject(&d, "P. 1:31(30) ack 1");
	expect(&d, ". 1:1(0) ack 31");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	dialog_read(&d, 30);
}

Dialog(tcp_close, resets_when_bytes_were_not_read)
{
	/* RFC 2525 2.17 */
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	dialog_close(&d);
	expect(&d, "R. 1:1(0) ack 11");
	cr_assert_eq(n_conns(), 0);
}

Dialog(tcp_close, resets_when_linger_is_zero)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	tcp_set(d.tcp, d.c, TCP_OPT_LINGER_MS, 0);
	dialog_close(&d);
	expect(&d, "R. 11:11(0) ack 1");
	cr_assert_eq(n_conns(), 0);
}

Dialog(tcp_close, aborts_with_a_reset)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	expect(&d, "R. 1:1(0) ack 1");
	cr_assert_eq(n_conns(), 0);
	inject(&d, ". 1:1(0) ack 1");
	expect(&d, "R 1:1(0)");
}

Dialog(tcp_close, resets_who_sends_to_a_closed_socket)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, "P. 1:11(10) ack 2");
	cr_assert_eq(d.verdict, V_TCP_CLOSED);
	expect(&d, "R. 2:2(0) ack 1");
	cr_assert_eq(n_conns(), 0);
}

Dialog(tcp_close, waits_a_minute_for_the_peer_to_close_too)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, ". 1:1(0) ack 2");
	tick(&d, 59 * 1000);
	cr_assert_eq(n_conns(), 1);
	tick(&d, 2 * 1000);
	cr_assert_eq(n_conns(), 0);
	nothing(&d);
	inject(&d, "F. 1:1(0) ack 2");
	expect(&d, "R 2:2(0)");
}

Dialog(tcp_close, waits_for_ever_while_somebody_owns_it)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_shutdown(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, ". 1:1(0) ack 2");
	tick(&d, 600 * 1000);
	cr_assert_eq(dialog_state(&d), TCP_FIN_WAIT_2);
	dialog_close(&d);
	tick(&d, 61 * 1000);
	cr_assert_eq(n_conns(), 0);
	nothing(&d);
}

Dialog(tcp_close, a_shut_reader_is_at_the_end_but_for_what_comes)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	tcp_shutdown_recv(d.tcp, d.c);
	dialog_turn(&d);
	for (unsigned i = 0; i < 10; i++)
		cr_assert_eq(read_byte(), 1);
	cr_assert_eq(read_byte(), 0);
	inject(&d, "P. 21:31(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	inject(&d, "P. 11:21(10) ack 1");
	expect(&d, ". 1:1(0) ack 31");
	cr_assert_eq(tcp_recv_ready(d.c), 20);
	for (unsigned i = 0; i < 20; i++)
		cr_assert_eq(read_byte(), 1);
	cr_assert_eq(read_byte(), 0);
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 31");
}

/* ---- a reset in every state ---- */

Dialog(tcp_close, a_reset_ends_an_established_connection)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 11:11(0) ack 11");
	inject(&d, "R 11:11(0)");
	nothing(&d);
	cr_assert_eq(tcp_error(d.c), ECONNRESET);
	dialog_read(&d, 10);
	cr_assert_eq(read_byte(), -ECONNRESET, "after what had come");
	cr_assert_eq(read_byte(), 0);
	cr_assert_eq(tcp_send(d.tcp, d.c, "x", 1, false), -EPIPE);
	tick(&d, 1000);
	nothing(&d);
	dialog_close(&d);
	nothing(&d);
}

Dialog(tcp_close, a_reset_is_said_once_to_who_writes_or_reads)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	inject(&d, "R 11:11(0)");
	cr_assert_eq(tcp_send(d.tcp, d.c, "x", 1, false), -ECONNRESET);
	cr_assert_eq(tcp_send(d.tcp, d.c, "x", 1, false), -EPIPE);
	dialog_read(&d, 10);
	cr_assert_eq(read_byte(), 0);
	dialog_close(&d);
}

Dialog(tcp_close, a_reset_after_both_fins_is_no_error)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "F. 1:1(0) ack 1");
	expect(&d, ". 1:1(0) ack 2");
	dialog_shutdown(&d);
	expect(&d, "F. 1:1(0) ack 2");
	inject(&d, "R 2:2(0)");
	cr_assert_eq(tcp_error(d.c), 0);
	cr_assert(tcp_conn_news(d.c) & TCP_FINISHED);
}

Dialog(tcp_close, a_reset_ends_fin_wait)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_shutdown(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, "R 1:1(0)");
	cr_assert_eq(tcp_error(d.c), ECONNRESET);
	dialog_close(&d);
	cr_assert_eq(n_conns(), 0);
}

Dialog(tcp_close, gives_up_an_orphan_that_nobody_answers)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.user_timeout_ms = 5000;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	dialog_accept(&d, "mss 1000", 65535);
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 1");
	tick(&d, 4999);
	cr_assert_eq(n_conns(), 1);
	tick(&d, 2);
	cr_assert_eq(n_conns(), 0);
	cr_assert_eq(tcp_stats(d.tcp)->timed_out, 1);
	while (d.ip.n_waiting > 1)
		expect(&d, "F. 1:1(0) ack 1");
	expect(&d, "R. 2:2(0) ack 1");
}

Dialog(tcp_close, frees_everything_with_all_connections_open)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	dialog_write(&d, 5000);
	inject(&d, "P. 11:21(10) ack 1");
	inject(&d, "P. 1:6(5) ack 1");
	dialog_drop(&d);
}

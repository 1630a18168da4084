#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static void again(const struct tcp_conf *conf)
{
	dialog_end(&d);
	dialog_begin(&d, conf);
}

static uint32_t rcv_wnd(void)
{
	struct tcp_conn_info info;

	tcp_conn_info(d.tcp, d.c, &info);
	return info.rcv_wnd;
}

/* ---- what the peer allows ---- */

Dialog(tcp_window, sends_no_more_than_the_peer_allows)
{
	dialog_accept(&d, "mss 1000", 2500);
	dialog_write(&d, 5000);
	expect(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 1001:2001(1000) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 1001 win 2500");
	expect(&d, ". 2001:3001(1000) ack 1");
	nothing(&d);
}

Dialog(tcp_window, probes_a_closed_window_ever_more_slowly)
{
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 2000);
	expect(&d, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 0");
	after(&d, 200, ". 1000:1000(0) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 0");
	after(&d, 400, ". 1000:1000(0) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 0");
	after(&d, 800, ". 1000:1000(0) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 2000");
	expect(&d, "P. 1001:2001(1000) ack 1");
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->window_probe, 3);
}

Dialog(tcp_window, probes_for_ever_while_the_peer_answers)
{
	struct tcp_conf conf;
	unsigned n = 0;

	dialog_conf(&conf);
	conf.user_timeout_ms = 300 * 1000;
	again(&conf);
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 2000);
	expect(&d, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 0");
	for (unsigned i = 0; i < 10000; i++) {
		tick(&d, 1000);
		if (!d.ip.n_waiting)
			continue;
		n++;
		expect(&d, ". 1000:1000(0) ack 1");
		inject(&d, ". 1:1(0) ack 1001 win 0");
	}
	cr_assert_geq(n, 10000 / 121, "at least every two minutes");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
}

Dialog(tcp_window, gives_up_when_probes_are_not_answered)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.user_timeout_ms = 10 * 1000;
	again(&conf);
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 2000);
	inject(&d, ". 1:1(0) ack 1001 win 0");
	tick(&d, 9 * 1000);
	cr_assert_eq(tcp_error(d.c), 0);
	tick(&d, 20 * 1000);
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
	dialog_drop(&d);
}

Dialog(tcp_window, an_orphan_is_not_kept_by_answers_alone)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.user_timeout_ms = 10 * 1000;
	again(&conf);
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 2000);
	dialog_close(&d);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1001 win 0");
	for (unsigned i = 0; i < 30; i++) {
		tick(&d, 1000);
		if (d.ip.n_waiting) {
			dialog_drop(&d);
			inject(&d, ". 1:1(0) ack 1001 win 0");
		}
	}
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	dialog_drop(&d);
}

Dialog(tcp_window, probes_for_a_fin_too)
{
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 1000);
	expect(&d, "P. 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 0");
	dialog_shutdown(&d);
	nothing(&d);
	after(&d, 200, ". 1000:1000(0) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 1");
	expect(&d, "F. 1001:1001(0) ack 1");
}

Dialog(tcp_window, old_segments_do_not_bring_old_windows_back)
{
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 3000);
	expect(&d, ". 1:1001(1000) ack 1");
	inject(&d, "P. 1:11(10) ack 1 win 1000");
	expect(&d, ". 1001:1001(0) ack 11");
	inject(&d, "P. 11:21(10) ack 1001 win 0");
	expect(&d, ". 1001:1001(0) ack 21");
	inject(&d, "P. 1:11(10) ack 1001 win 5000");
	expect(&d, ". 1001:1001(0) ack 21");
	nothing(&d);
	inject(&d, ". 21:21(0) ack 1001 win 5000");
	expect(&d, ". 1001:2001(1000) ack 21");
	dialog_read(&d, 20);
	dialog_drop(&d);
}

Dialog(tcp_window, keeps_trying_when_the_peer_takes_its_window_back)
{
	/* RFC 9293 3.8.6: a sender must live with it */
	dialog_accept(&d, "mss 1000", 2000);
	dialog_write(&d, 2000);
	expect(&d, ". 1:1001(1000) ack 1");
	expect(&d, "P. 1001:2001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1 win 0");
	after(&d, 200, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1 win 2000");
	nothing(&d);
	after(&d, 400, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 2000");
	expect(&d, "P. 1001:2001(1000) ack 1");
}

/* ---- silly windows ---- */

Dialog(tcp_window, does_not_fill_a_silly_window)
{
	/* RFC 9293 3.8.6.2.1 */
	dialog_accept(&d, "mss 1000", 4000);
	dialog_write(&d, 4000);
	for (unsigned i = 0; i < 4; i++)
		cr_assert(d.ip.n_waiting == 4);
	dialog_drop(&d);
	dialog_write(&d, 4000);
	inject(&d, ". 1:1(0) ack 4001 win 300");
	nothing(&d);
	/* the override timeout */
	after(&d, 200, ". 4001:4301(300) ack 1");
}

Dialog(tcp_window, takes_half_of_a_window_that_never_was_larger)
{
	dialog_accept(&d, "mss 1000", 400);
	dialog_write(&d, 1000);
	expect(&d, ". 1:401(400) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 401 win 100");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 401 win 200");
	expect(&d, ". 401:601(200) ack 1");
}

Dialog(tcp_window, opens_its_window_by_segments_not_by_bytes)
{
	/* RFC 9293 3.8.6.2.2 */
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.rcvbuf = 4000;
	again(&conf);
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, ". 1:1001(1000) ack 1");
	inject(&d, ". 1001:2001(1000) ack 1");
	inject(&d, ". 2001:3001(1000) ack 1");
	inject(&d, "P. 3001:4001(1000) ack 1");
	dialog_drop(&d);
	cr_assert_eq(rcv_wnd(), 0);
	dialog_read(&d, 100);
	nothing(&d);
	inject(&d, ". 4000:4000(0) ack 1");
	expect(&d, ". 1:1(0) ack 4001 win 0");
	dialog_read(&d, 1800);
	nothing(&d);
	dialog_read(&d, 100);
	expect(&d, ". 1:1(0) ack 4001 win 2000");
	dialog_read(&d, 2000);
	expect(&d, ". 1:1(0) ack 4001 win 4000");
}

Dialog(tcp_window, never_moves_its_right_edge_back)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 1001 win 64535");
	tcp_set(d.tcp, d.c, TCP_OPT_RCVBUF, 10000);
	inject(&d, ". 1001:2001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 2001 win 63535");
	dialog_read(&d, 2000);
	nothing(&d);
	cr_assert_eq(rcv_wnd(), 63535);
}

/* ---- the limit grows as the program reads ---- */

Dialog(tcp_window, opens_to_the_whole_buffer_as_it_is_read)
{
	struct tcp_conf conf;
	uint32_t at = 1;

	dialog_conf(&conf);
	conf.rcvbuf = 1 << 20;
	again(&conf);
	d.gso_len = 1000;
	dialog_accept(&d, "mss 1000,nop,wscale 7", 65535);
	cr_assert_eq(rcv_wnd(), 65535);
	for (unsigned i = 0; i < 40; i++) {
		char line[64];

		snprintf(line, sizeof(line), "P. %u:%u(20000) ack 1", at, at + 20000);
		hear(&d, line);
		dialog_read(&d, 20000);
		at += 20000;
	}
	cr_assert_geq(rcv_wnd(), (1 << 20) - 128);
	dialog_drop(&d);
}

Dialog(tcp_window, does_not_grow_for_who_does_not_read)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.rcvbuf = 1 << 20;
	again(&conf);
	d.gso_len = 1000;
	dialog_accept(&d, "mss 1000,nop,wscale 7", 65535);
	inject(&d, "P. 1:20001(20000) ack 1");
	inject(&d, "P. 20001:40001(20000) ack 1");
	inject(&d, "P. 40001:60001(20000) ack 1");
	cr_assert_leq(rcv_wnd(), 65535 + 40000);
	dialog_drop(&d);
}

Dialog(tcp_window, fills_exactly_and_opens_by_one_update)
{
	dialog_accept(&d, "mss 1000", 65535);
	d.gso_len = 1000;
	inject(&d, "P. 1:30001(30000) ack 1");
	inject(&d, "P. 30001:60001(30000) ack 1");
	inject(&d, "P. 60001:65536(5535) ack 1");
	dialog_drop(&d);
	cr_assert_eq(rcv_wnd(), 0);
	/* Many reads in a turn are one update. */
	for (unsigned i = 0; i < 13107; i++) {
		char bytes[5];

		cr_assert_eq(tcp_recv(d.tcp, d.c, bytes, sizeof(bytes), false), 5);
	}
	dialog_turn(&d);
	expect(&d, ". 1:1(0) ack 65536 win 65535");
	nothing(&d);
}

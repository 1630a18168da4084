#include <criterion/criterion.h>
#include <errno.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

/* Begins anew with another configuration. */
static void again(const struct tcp_conf *conf)
{
	dialog_end(&d);
	dialog_begin(&d, conf);
}

Dialog(tcp_open, moves_bytes_both_ways_and_closes)
{
	dialog_accept(&d, "mss 1460,nop,nop,sackOK,nop,wscale 7", 65535);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	dialog_read(&d, 10);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 11");
	inject(&d, ". 11:11(0) ack 101");
	dialog_close(&d);
	expect(&d, "F. 101:101(0) ack 11");
	inject(&d, ". 11:11(0) ack 102");
	inject(&d, "F. 11:11(0) ack 102");
	expect(&d, ". 102:102(0) ack 12");
	nothing(&d);
}

Dialog(tcp_open, offers_all_options_and_uses_those_that_come_back)
{
	struct tcp_conn_info info;

	d.conf.rcvbuf = 65535;
	dialog_connect_begin(&d);
	inject(&d,
	       "S. 0:0(0) ack 1 win 1000 <mss 1200,sackOK,TS val 70 ecr 0,nop,wscale 3>");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS val 0 ecr 70>");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert(info.sack && info.timestamps);
	cr_assert_eq(info.snd_wscale, 3);
	cr_assert_eq(info.rcv_wscale, 7);
	cr_assert_eq(info.mss, 1200 - 12, "timestamps are taken off");
	cr_assert_eq(info.snd_wnd, 1000, "a SYN's window is not scaled");
	inject(&d, ". 1:1(0) ack 1 win 1000");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.snd_wnd, 8000);
	cr_assert(tcp_conn_news(d.c) & TCP_CONNECTED);
	cr_assert(tcp_conn_news(d.c) & TCP_WRITABLE);
}

Dialog(tcp_open, sends_the_syn_as_linux_does)
{
	struct flow f = { .remote = dialog_peer_addr(&d),
			  .remote_port = DIALOG_PEER_PORT };
	struct tcp_conn_info info;

	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &d.c), 0);
	tcp_conn_info(d.tcp, d.c, &info);
	d.local_port = info.flow.local_port;
	cr_assert_geq(d.local_port, 32768);
	dialog_turn(&d);
	expect(&d, "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 0 ecr 0,nop,wscale 7>");
}

Dialog(tcp_open, uses_no_option_that_the_peer_does_not_name)
{
	struct tcp_conn_info info;

	dialog_connect(&d, "mss 1460", 5000);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert(!info.sack && !info.timestamps);
	cr_assert_eq(info.snd_wscale, 0);
	cr_assert_eq(info.rcv_wscale, 0);
	cr_assert_eq(info.mss, 1460);
}

Dialog(tcp_open, takes_the_least_when_the_peer_names_no_mss)
{
	struct tcp_conn_info info;

	dialog_connect(&d, "", 5000);
	tcp_conn_info(d.tcp, d.c, &info);
	/* RFC 9293 3.7.1 */
	cr_assert_eq(info.mss, d.ip.ours.family == ADDR_IP6 ? 1220 : 536);
}

Dialog(tcp_open, does_not_believe_a_tiny_mss)
{
	struct tcp_conn_info info;

	dialog_connect(&d, "mss 1", 5000);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.mss, 64);
}

Dialog(tcp_open, offers_only_what_is_configured)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.sack = conf.timestamps = conf.window_scale = false;
	conf.rcvbuf = 8000;
	again(&conf);
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 5000 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 2>");
	expect(&d, "S. 0:0(0) ack 1 win 8000 <mss 1460>");
}

Dialog(tcp_open, answers_only_the_options_that_the_syn_names)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 5000 <mss 1460,nop,wscale 2>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,nop,wscale 7>");
	inject(&d, "R 1:1(0)");
	inject(&d, "S 0:0(0) win 5000 <mss 1460,nop,nop,sackOK>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>");
}

Dialog(tcp_open, repeats_the_syn_ever_more_slowly_and_gives_up)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.syn_tries = 4;
	again(&conf);
	dialog_connect_begin(&d);
	after(&d, 1000, "S 0:0(0)");
	after(&d, 2000, "S 0:0(0)");
	after(&d, 4000, "S 0:0(0)");
	tick(&d, 7999);
	cr_assert_eq(tcp_error(d.c), 0);
	tick(&d, 2);
	nothing(&d);
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
	cr_assert(tcp_conn_news(d.c) & TCP_FAILED);
	cr_assert_eq(tcp_recv(d.tcp, d.c, &conf, 1, false), -ETIMEDOUT);
	cr_assert_eq(tcp_recv(d.tcp, d.c, &conf, 1, false), -ENOTCONN);
	cr_assert_eq(tcp_send(d.tcp, d.c, "x", 1, false), -EPIPE);
	dialog_close(&d);
}

Dialog(tcp_open, gives_up_a_syn_when_the_user_timeout_is_over)
{
	/* RFC 5482 */
	dialog_connect_begin(&d);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_USER_TIMEOUT_MS, 2500), 0);
	after(&d, 1000, "S 0:0(0)");
	tick(&d, 1499);
	cr_assert_eq(tcp_error(d.c), 0);
	tick(&d, 2);
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
	nothing(&d);
	dialog_close(&d);
}

Dialog(tcp_open, waits_three_minutes_for_an_answer_to_a_syn)
{
	/* RFC 9293 3.8.3, MUST-23 */
	dialog_connect_begin(&d);
	tick(&d, 180 * 1000);
	cr_assert_eq(dialog_state(&d), TCP_SYN_SENT);
	tick(&d, 180 * 1000);
	cr_assert_eq(dialog_state(&d), TCP_CLOSED);
	while (d.ip.n_waiting)
		expect(&d, "S 0:0(0)");
}

Dialog(tcp_open, begins_slowly_after_a_lost_syn)
{
	struct tcp_conn_info info;

	dialog_connect_begin(&d);
	after(&d, 1000, "S 0:0(0)");
	inject(&d, "S. 0:0(0) ack 1 win 65535 <mss 1000>");
	expect(&d, ". 1:1(0) ack 1");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.cwnd, 1000, "RFC 5681 3.1");
	cr_assert_eq(info.rto_us, 3000000, "RFC 6298 5.7");
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1");
	after(&d, 3000, "P. 1:101(100) ack 1");
}

Dialog(tcp_open, is_refused_by_a_reset_that_acknowledges_the_syn)
{
	dialog_connect_begin(&d);
	inject(&d, "R. 0:0(0) ack 1");
	nothing(&d);
	cr_assert_eq(tcp_error(d.c), ECONNREFUSED);
	cr_assert_eq(tcp_stats(d.tcp)->reset_in, 1);
	dialog_close(&d);
}

Dialog(tcp_open, ignores_a_reset_that_acknowledges_nothing)
{
	dialog_connect_begin(&d);
	inject(&d, "R 0:0(0)");
	cr_assert_eq(d.verdict, V_TCP_BAD_RST);
	inject(&d, "R. 0:0(0) ack 2");
	cr_assert_eq(d.verdict, V_TCP_BAD_ACK);
	nothing(&d);
	cr_assert_eq(dialog_state(&d), TCP_SYN_SENT);
}

Dialog(tcp_open, resets_a_syn_ack_that_echoes_what_we_did_not_say)
{
	/* RFC 7323 3.2: it belongs to a connection that is long over */
	dialog_connect_begin(&d);
	tick(&d, 10);
	inject(&d, "S. 0:0(0) ack 1 win 1000 <mss 1460,sackOK,TS val 7 ecr 11>");
	expect(&d, "R 1:1(0)");
	cr_assert_eq(dialog_state(&d), TCP_SYN_SENT);
	inject(&d, "S. 0:0(0) ack 1 win 1000 <mss 1460,sackOK,TS val 7 ecr 10>");
	expect(&d, ". 1:1(0) ack 1");
}

Dialog(tcp_open, gives_up_after_as_many_syns_as_the_socket_says)
{
	dialog_connect_begin(&d);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_SYN_TRIES, 0), -EINVAL);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_SYN_TRIES, 1), 0);
	after(&d, 1000, "S 0:0(0)");
	tick(&d, 1999);
	cr_assert_eq(tcp_error(d.c), 0);
	tick(&d, 2);
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
	nothing(&d);
	dialog_close(&d);
}

Dialog(tcp_open, resets_who_acknowledges_what_was_not_sent)
{
	dialog_connect_begin(&d);
	inject(&d, "S. 0:0(0) ack 5 win 1000 <mss 1460>");
	expect(&d, "R 5:5(0)");
	inject(&d, ". 0:0(0) ack 0");
	expect(&d, "R 0:0(0)");
	cr_assert_eq(dialog_state(&d), TCP_SYN_SENT);
	inject(&d, ". 0:0(0) ack 1");
	nothing(&d);
	cr_assert_eq(dialog_state(&d), TCP_SYN_SENT);
}

Dialog(tcp_open, reads_data_that_comes_with_the_syn_ack)
{
	dialog_connect_begin(&d);
	inject(&d, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
	expect(&d, ". 1:1(0) ack 1");
	inject(&d, "P. 1:6(5) ack 1");
	dialog_read(&d, 5);
	expect(&d, ". 1:1(0) ack 6");
}

Dialog(tcp_open, acknowledges_a_repeated_syn_ack)
{
	dialog_connect(&d, "mss 1460", 1000);
	inject(&d, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
	expect(&d, ". 1:1(0) ack 1");
	cr_assert_eq(tcp_stats(d.tcp)->challenge_ack, 1);
}

Dialog(tcp_open, opens_from_both_sides_at_once)
{
	/* RFC 9293 figure 8 */
	dialog_connect_begin(&d);
	inject(&d, "S 0:0(0) win 2000 <mss 1000,nop,nop,sackOK>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>");
	cr_assert_eq(dialog_state(&d), TCP_SYN_RECEIVED);
	inject(&d, "S. 0:0(0) ack 1 win 2000 <mss 1000,nop,nop,sackOK>");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	/* RFC 2883 4: its SYN came twice */
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 0:1>");
	nothing(&d);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	inject(&d, "P. 1:4(3) ack 11");
	expect(&d, ". 11:11(0) ack 4");
	dialog_read(&d, 3);
}

Dialog(tcp_open, opens_from_both_sides_with_all_options)
{
	struct tcp_conn_info info;

	dialog_connect_begin(&d);
	tick(&d, 5);
	inject(&d, "S 0:0(0) win 2000 <mss 1000,sackOK,TS val 90 ecr 0,nop,wscale 4>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 5 ecr 90,nop,wscale 7>");
	inject(&d,
	       "S. 0:0(0) ack 1 win 2000 <mss 1000,sackOK,TS val 95 ecr 0,nop,wscale 4>");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS val 5 ecr 90,nop,nop,sack 0:1>");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 1 win 2000 <nop,nop,TS val 96 ecr 5>");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert(info.sack && info.timestamps);
	cr_assert_eq(info.snd_wnd, 2000 << 4);
	cr_assert_eq(info.rcv_wscale, 7);
	inject(&d, "P. 11:21(10) ack 1 <nop,nop,TS val 97 ecr 5>");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS val 5 ecr 96,nop,nop,sack 11:21>");
	inject(&d, "P. 1:11(10) ack 1 <nop,nop,TS val 98 ecr 5>");
	expect(&d, ". 1:1(0) ack 21 <nop,nop,TS val 5 ecr 98>");
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 21 <nop,nop,TS val 5 ecr 98>");
}

Dialog(tcp_open, opens_from_both_sides_though_a_syn_ack_is_lost)
{
	dialog_connect_begin(&d);
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	/* The peer repeats its SYN, for ours was lost before it. */
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, "S. 0:0(0) ack 1 win 2000 <mss 1000>");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
}

Dialog(tcp_open, opens_from_both_sides_by_an_ack)
{
	dialog_connect_begin(&d);
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, ". 1:1(0) ack 7");
	expect(&d, "R 7:7(0)");
	after(&d, 1000, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	nothing(&d);
}

Dialog(tcp_open, opens_from_both_sides_within_a_turn)
{
	dialog_connect_begin(&d);
	hear(&d, "S 0:0(0) win 2000 <mss 1000>");
	hear(&d, ". 1:1(0) ack 1");
	dialog_turn(&d);
	expect(&d, ". 1:1(0) ack 1");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
}

Dialog(tcp_open, answers_what_is_not_acceptable_while_it_opens)
{
	dialog_connect_begin(&d);
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 90000:90000(0) ack 1");
	expect(&d, ". 1:1(0) ack 1");
	cr_assert_eq(dialog_state(&d), TCP_SYN_RECEIVED);
}

Dialog(tcp_open, the_window_of_a_crossing_syn_ack_is_not_scaled)
{
	/* RFC 7323 2.2 */
	struct tcp_conn_info info;

	dialog_connect_begin(&d);
	inject(&d, "S 0:0(0) win 1000 <mss 1000,nop,wscale 4>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, "S. 0:0(0) ack 1 win 2000 <mss 1000,nop,wscale 4>");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.snd_wnd, 2000);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1 win 2000");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.snd_wnd, 32000);
}

Dialog(tcp_open, close_waits_for_the_end_of_a_simultaneous_open)
{
	dialog_connect_begin(&d);
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	dialog_close(&d);
	nothing(&d);
	inject(&d, ". 1:1(0) ack 1");
	expect(&d, "F. 1:1(0) ack 1");
}

Dialog(tcp_open, the_other_syn_may_come_before_ours_left)
{
	struct flow f = { .remote = dialog_peer_addr(&d), .remote_port = d.peer->port };
	struct tcp_conn_info info;

	cr_assert_eq(tcp_connect(d.tcp, &f, &d, d.now_ns, &d.c), 0);
	tcp_conn_info(d.tcp, d.c, &info);
	d.local_port = info.flow.local_port;
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
}

Dialog(tcp_open, a_reset_ends_a_simultaneous_open)
{
	dialog_connect_begin(&d);
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, "R 1:1(0)");
	cr_assert_eq(tcp_error(d.c), ECONNREFUSED);
}

Dialog(tcp_open, closes_without_a_word_before_the_syn_is_answered)
{
	dialog_connect_begin(&d);
	dialog_close(&d);
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	inject(&d, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
	expect(&d, "R 1:1(0)");
}

Dialog(tcp_open, says_why_it_cannot_connect)
{
	struct flow f = { .remote = dialog_peer_addr(&d), .remote_port = 25 };
	struct tcp_conn *c, *c2;
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.max_conns = 1;
	again(&conf);
	f.local = dialog_other_addr(&d);
	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &c), -EADDRNOTAVAIL);
	f.local = (struct addr){ 0 };
	d.ip.mtu = 0;
	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &c), -ENETUNREACH);
	d.ip.mtu = 1500;
	f.local_port = 77;
	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &c), 0);
	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &c2), -EADDRINUSE);
	f.local_port = 78;
	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &c2), -ENOMEM);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 1);
	tcp_close(d.tcp, c, d.now_ns);
	dialog_turn(&d);
	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &c2), 0);
}

Dialog(tcp_open, sends_nothing_before_it_is_connected)
{
	char byte;

	dialog_connect_begin(&d);
	cr_assert_eq(tcp_send(d.tcp, d.c, "x", 1, false), -EAGAIN);
	cr_assert_eq(tcp_recv(d.tcp, d.c, &byte, 1, false), -EAGAIN);
	cr_assert_eq(tcp_shutdown_send(d.tcp, d.c), -ENOTCONN);
	cr_assert_eq(tcp_conn_news(d.c), 0);
	cr_assert_null(tcp_ready_pop(d.tcp));
	inject(&d, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
	expect(&d, ". 1:1(0) ack 1");
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c, "once, when it is connected");
	cr_assert_null(tcp_ready_pop(d.tcp));
}

Dialog(tcp_open, begins_elsewhere_for_every_flow)
{
	struct dialog_peer other = { .port = DIALOG_PEER_PORT + 1, .isn = 5 };
	uint32_t first;

	dialog_listen(&d, 8);
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	first = d.peer->our_isn;
	d.peer = &other;
	inject(&d, "S 0:0(0) win 2000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	cr_assert_gt(other.our_isn - first + 100000, 200000, "RFC 6528");
}

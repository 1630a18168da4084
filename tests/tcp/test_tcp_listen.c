#include <criterion/criterion.h>
#include <errno.h>

#include "tcp/fastopen.h"
#include "tcp/opt.h"
#include "tests/lib/tcp_dialog.h"

static struct dialog d;
static struct dialog_peer peers[40];

static struct dialog_peer *peer(unsigned i)
{
	peers[i].port = (uint16_t)(41000 + i);
	return &peers[i];
}

/* Begins anew with another configuration. */
static void again(const struct tcp_conf *conf)
{
	dialog_end(&d);
	dialog_begin(&d, conf);
}

Dialog(tcp_listen, refuses_a_port_where_nobody_listens)
{
	d.peer->our_isn = 0;
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	cr_assert_eq(d.verdict, V_TCP_NO_SOCKET);
	d.peer->know_ours = true;
	expect(&d, "R. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 77");
	expect(&d, "R 77:77(0)");
	inject(&d, "FP 5:15(10)");
	expect(&d, "R. 0:0(0) ack 16");
	inject(&d, "R. 1:1(0) ack 77");
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->reset_out, 3);
}

Dialog(tcp_listen, bounds_its_refusals)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.rst_per_s = 5;
	again(&conf);
	for (unsigned i = 0; i < 20; i++)
		inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	cr_assert_eq(d.ip.n_sent, 5);
	cr_assert_eq(tcp_stats(d.tcp)->rst_held, 15);
	tick(&d, 1000);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	cr_assert_eq(d.ip.n_sent, 6);
}

Dialog(tcp_listen, hears_only_a_syn)
{
	/* RFC 9293 3.10.7.2 */
	dialog_listen(&d, 1);
	d.peer->know_ours = true;
	inject(&d, "R 0:0(0)");
	cr_assert_eq(d.verdict, V_TCP_BAD_RST);
	nothing(&d);
	inject(&d, ". 0:0(0) ack 9");
	cr_assert_eq(d.verdict, V_TCP_BAD_COOKIE);
	expect(&d, "R 9:9(0)");
	inject(&d, "S. 0:0(0) ack 9");
	expect(&d, "R 9:9(0)");
	inject(&d, "P 0:1(1)");
	inject(&d, "F 0:0(0)");
	inject(&d, "SF 0:0(0)");
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 0);
}

Dialog(tcp_listen, repeats_the_syn_ack_and_gives_up)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.synack_tries = 3;
	again(&conf);
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	tick(&d, 990);
	nothing(&d);
	tick(&d, 30);
	expect(&d, "S. 0:0(0) ack 1");
	tick(&d, 1950);
	nothing(&d);
	tick(&d, 50);
	expect(&d, "S. 0:0(0) ack 1");
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 1);
	tick(&d, 5000);
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 0);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0, "no control block was made");
}

Dialog(tcp_listen, says_the_syn_ack_again_for_a_repeated_syn)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460,nop,nop,TS val 5 ecr 0>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 0 ecr 5>");
	inject(&d, "S 0:0(0) win 1000 <mss 1460,nop,nop,TS val 9 ecr 0>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val 0 ecr 9>");
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 1);
}

Dialog(tcp_listen, challenges_another_syn_for_a_half_open_connection)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, "S 500:500(0) win 1000 <mss 1460>");
	expect(&d, ". 1:1(0) ack 1");
	/* The peer, which means the second one, resets the first. */
	inject(&d, "R 1:1(0)");
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 0);
	inject(&d, "S 500:500(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 501");
}

Dialog(tcp_listen, lets_only_an_exact_reset_end_a_half_open_connection)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, "R 2:2(0)");
	expect(&d, ". 1:1(0) ack 1");
	inject(&d, "R 70000:70000(0)");
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 1);
	inject(&d, "R 1:1(0)");
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 0);
}

Dialog(tcp_listen, wants_the_right_ack)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460,nop,nop,TS val 5 ecr 0>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 2");
	expect(&d, "R 2:2(0)");
	inject(&d, "P 1:2(1)");
	cr_assert_eq(d.verdict, V_TCP_NO_ACK);
	inject(&d, ". 70000:70000(0) ack 1");
	cr_assert_eq(d.verdict, V_TCP_NOT_IN_WINDOW);
	expect(&d, ". 1:1(0) ack 1");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,TS val 4 ecr 0>");
	cr_assert_eq(d.verdict, V_TCP_PAWS);
	expect(&d, ". 1:1(0) ack 1");
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	inject(&d, ". 1:1(0) ack 1 <nop,nop,TS val 6 ecr 0>");
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 1);
}

Dialog(tcp_listen, reads_data_that_comes_with_the_ack)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, "P. 1:101(100) ack 1");
	expect(&d, ". 1:1(0) ack 101");
	d.c = tcp_accept(d.tcp, d.l, NULL);
	cr_assert(tcp_conn_news(d.c) & TCP_READABLE);
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c, "accept tells its news");
	dialog_read(&d, 100);
}

Dialog(tcp_listen, opens_by_data_that_overtook_the_ack)
{
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, "P. 11:21(10) ack 1");
	expect(&d, ". 1:1(0) ack 1");
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 21");
	d.c = tcp_accept(d.tcp, d.l, NULL);
	dialog_read(&d, 20);
}

Dialog(tcp_listen, tells_once_that_there_is_somebody)
{
	dialog_listen(&d, 8);
	for (unsigned i = 0; i < 2; i++) {
		d.peer = peer(i);
		inject(&d, "S 0:0(0) win 1000 <mss 1460>");
		expect(&d, "S. 0:0(0) ack 1");
		inject(&d, ". 1:1(0) ack 1");
	}
	cr_assert_eq(tcp_ready_listener_pop(d.tcp), d.l);
	cr_assert_null(tcp_ready_listener_pop(d.tcp));
	cr_assert_eq(tcp_listener_waiting(d.l), 2);
	cr_assert_eq(tcp_listener_user(d.l), &d);
	d.c = tcp_accept(d.tcp, d.l, peer(0));
	cr_assert_eq(tcp_conn_user(d.c), peer(0));
	cr_assert_not_null(tcp_accept(d.tcp, d.l, NULL));
	cr_assert_null(tcp_accept(d.tcp, d.l, NULL));
}

static void shake_hands(struct dialog_peer *peer)
{
	d.peer = peer;
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	nothing(&d);
}

Dialog(tcp_listen, lets_no_more_wait_than_the_backlog)
{
	dialog_listen(&d, 2);
	/* A third is half open when the backlog fills. */
	d.peer = peer(2);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	shake_hands(peer(0));
	shake_hands(peer(1));
	d.peer = peer(2);
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(d.verdict, V_TCP_BACKLOG);
	cr_assert_eq(tcp_stats(d.tcp)->accept_drop, 1);
	d.peer = peer(3);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	cr_assert_eq(d.verdict, V_TCP_BACKLOG);
	cr_assert_eq(tcp_stats(d.tcp)->syn_drop, 1);
	nothing(&d);
	/* When there is room its SYN-ACK, sent again, brings the third in. */
	cr_assert_not_null(tcp_accept(d.tcp, d.l, NULL));
	d.peer = peer(2);
	tick(&d, 1020);
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(tcp_listener_waiting(d.l), 2);
}

Dialog(tcp_listen, accepts_what_died_while_it_waited)
{
	char byte;

	dialog_listen(&d, 2);
	shake_hands(peer(0));
	inject(&d, "R 1:1(0)");
	d.c = tcp_accept(d.tcp, d.l, NULL);
	cr_assert_not_null(d.c);
	cr_assert_eq(tcp_recv(d.tcp, d.c, &byte, 1, false), -ECONNRESET);
	cr_assert_eq(tcp_recv(d.tcp, d.c, &byte, 1, false), 0);
	dialog_close(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
}

Dialog(tcp_listen, resets_who_waits_when_it_closes)
{
	dialog_listen(&d, 2);
	d.peer = peer(1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	shake_hands(peer(0));
	tcp_listener_close(d.tcp, d.l, d.now_ns);
	dialog_turn(&d);
	expect(&d, "R. 1:1(0) ack 1");
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 0);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	cr_assert_eq(tcp_stats(d.tcp)->n_listeners, 0);
	d.peer = peer(1);
	inject(&d, ". 1:1(0) ack 1");
	expect(&d, "R 1:1(0)");
}

Dialog(tcp_listen, prefers_the_exact_address)
{
	struct addr any = { .family = d.ip.ours.family };
	struct addr ours = d.ip.ours;
	struct tcp_listener *l1, *l2;

	cr_assert_eq(tcp_listen(d.tcp, &any, DIALOG_PORT, 1, NULL, &l1), 0);
	cr_assert_eq(tcp_listen(d.tcp, &any, DIALOG_PORT, 1, NULL, &l2), -EADDRINUSE);
	cr_assert_eq(tcp_listen(d.tcp, &ours, DIALOG_PORT, 1, NULL, &l2), 0);
	cr_assert_eq(tcp_listen(d.tcp, &ours, DIALOG_PORT, 1, NULL, &l2), -EADDRINUSE);
	shake_hands(peer(0));
	cr_assert_eq(tcp_listener_waiting(l1), 0);
	cr_assert_eq(tcp_listener_waiting(l2), 1);
	tcp_listener_close(d.tcp, l2, d.now_ns);
	dialog_turn(&d);
	expect(&d, "R. 1:1(0) ack 1");
	shake_hands(peer(1));
	cr_assert_eq(tcp_listener_waiting(l1), 1);
}

Dialog(tcp_listen, gives_its_options_to_its_connections)
{
	dialog_listen(&d, 2);
	cr_assert_eq(tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_NODELAY, 1), 0);
	cr_assert_eq(tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_SNDBUF, 12345), 0);
	cr_assert_eq(tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_MAXSEG, 700), 0);
	cr_assert_eq(tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_KEEP_IDLE_MS, -1),
		     -EINVAL);
	d.peer = peer(0);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1 <mss 700>");
	inject(&d, ". 1:1(0) ack 1");
	d.c = tcp_accept(d.tcp, d.l, NULL);
	cr_assert_eq(tcp_get(d.c, TCP_OPT_NODELAY), 1);
	cr_assert_eq(tcp_get(d.c, TCP_OPT_SNDBUF), 12345);
	cr_assert_eq(tcp_get(d.c, TCP_OPT_MAXSEG), 700);
}

/* ---- TCP_DEFER_ACCEPT ---- */

static void half_open_deferred(uint32_t defer_s)
{
	dialog_listen(&d, 8);
	tcp_listener_set_defer(d.l, defer_s);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	tick(&d, 50);
	inject(&d, ". 1:1(0) ack 1");
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0, "no control block, nobody is woken");
	cr_assert_null(tcp_ready_listener_pop(d.tcp));
}

Dialog(tcp_listen, who_defers_is_woken_by_data)
{
	half_open_deferred(10);
	/* The client is silent, and our SYN-ACK did arrive. */
	tick(&d, 5000);
	nothing(&d);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	d.c = tcp_accept(d.tcp, d.l, &d);
	cr_assert(d.c);
	dialog_read(&d, 10);
}

Dialog(tcp_listen, who_defers_is_woken_by_a_fin)
{
	half_open_deferred(10);
	inject(&d, "F. 1:1(0) ack 1");
	expect(&d, ". 1:1(0) ack 2");
	cr_assert(tcp_accept(d.tcp, d.l, &d));
}

Dialog(tcp_listen, who_defers_waits_no_longer_than_it_said)
{
	half_open_deferred(5);
	tick(&d, 4900);
	nothing(&d);
	/* The first try behind the deadline asks for another ACK. */
	tick(&d, 2200);
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	d.c = tcp_accept(d.tcp, d.l, &d);
	cr_assert(d.c);
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1");
}

Dialog(tcp_listen, who_defers_for_very_long_does_not_lose_who_is_silent)
{
	unsigned n = 0;

	half_open_deferred(3600);
	for (unsigned s = 0; s < 200 && !d.ip.n_waiting; s++, n++)
		tick(&d, 1000);
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	cr_assert(tcp_accept(d.tcp, d.l, &d), "after %u s", n);
}

/* ---- when the SYN queue is full ---- */

static void fill_queue(const char *syn)
{
	for (unsigned i = 0; i < d.conf.max_syn; i++) {
		d.peer = peer(20 + i);
		inject(&d, syn);
		expect(&d, "S. 0:0(0) ack 1");
	}
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, d.conf.max_syn);
}

Dialog(tcp_listen, sends_cookies_when_the_syn_queue_is_full)
{
	struct tcp_conn_info info;

	dialog_listen(&d, 8);
	fill_queue("S 0:0(0) win 1000 <mss 1460>");
	d.peer = peer(0);
	inject(&d, "S 0:0(0) win 1000 <mss 1460,sackOK,TS val 9 ecr 0,nop,wscale 5>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 0 ecr 9,nop,wscale 7>");
	cr_assert_eq(tcp_stats(d.tcp)->syn_cookie_out, 1);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, d.conf.max_syn);
	tick(&d, 100);
	inject(&d, "P. 1:11(10) ack 1 win 1000 <nop,nop,TS val 10 ecr 0>");
	cr_assert_eq(tcp_stats(d.tcp)->syn_cookie_in, 1);
	expect(&d, ". 1:1(0) ack 11");
	d.c = tcp_accept(d.tcp, d.l, NULL);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert(info.sack && info.timestamps);
	cr_assert_eq(info.snd_wscale, 5);
	cr_assert_eq(info.snd_wnd, 1000 << 5);
	cr_assert_gt(info.mss, 1300);
	dialog_read(&d, 10);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 11");
}

Dialog(tcp_listen, cookies_without_timestamps_carry_only_the_mss)
{
	struct tcp_conn_info info;

	dialog_listen(&d, 8);
	fill_queue("S 0:0(0) win 1000 <mss 1460>");
	d.peer = peer(0);
	inject(&d, "S 0:0(0) win 1000 <mss 1460,nop,nop,sackOK,nop,wscale 5>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, ". 1:1(0) ack 1 win 1000");
	nothing(&d);
	d.c = tcp_accept(d.tcp, d.l, NULL);
	cr_assert_not_null(d.c);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert(!info.sack && !info.timestamps);
	cr_assert_eq(info.snd_wnd, 1000);
	cr_assert_eq(info.rcv_wscale, 0);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
}

Dialog(tcp_listen, refuses_a_cookie_that_is_none)
{
	dialog_listen(&d, 8);
	fill_queue("S 0:0(0) win 1000 <mss 1460>");
	d.peer = peer(0);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 100");
	cr_assert_eq(d.verdict, V_TCP_BAD_COOKIE);
	expect(&d, "R 100:100(0)");
	inject(&d, ". 100:100(0) ack 1");
	cr_assert_eq(d.verdict, V_TCP_BAD_COOKIE);
	expect(&d, "R 1:1(0)");
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
}

Dialog(tcp_listen, cookies_grow_old)
{
	dialog_listen(&d, 8);
	fill_queue("S 0:0(0) win 1000 <mss 1460>");
	d.peer = peer(0);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	tick(&d, 200 * 1000);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(d.verdict, V_TCP_BAD_COOKIE);
	expect(&d, "R 1:1(0)");
}

Dialog(tcp_listen, drops_syns_when_cookies_are_off)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.syn_cookies = false;
	again(&conf);
	dialog_listen(&d, 8);
	fill_queue("S 0:0(0) win 1000 <mss 1460>");
	d.peer = peer(0);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	cr_assert_eq(d.verdict, V_TCP_BACKLOG);
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->syn_drop, 1);
}

Dialog(tcp_listen, keeps_the_half_open_when_there_is_no_control_block)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.max_conns = 1;
	again(&conf);
	dialog_listen(&d, 8);
	shake_hands(peer(0));
	d.peer = peer(1);
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(d.verdict, V_NO_MEMORY);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 1);
	tcp_abort(d.tcp, tcp_accept(d.tcp, d.l, NULL), d.now_ns);
	dialog_turn(&d);
	d.peer = peer(0);
	expect(&d, "R. 1:1(0) ack 1");
	d.peer = peer(1);
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(tcp_listener_waiting(d.l), 1);
}

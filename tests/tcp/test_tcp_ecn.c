#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "ip/ip.h"
#include "tcp/ecn.h"
#include "tcp/opt.h"
#include "tests/lib/tcp_dialog.h"

static struct dialog d;

/* Begins anew in another mode. */
static void mode(enum tcp_ecn ecn)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.ecn = (uint8_t)ecn;
	dialog_end(&d);
	dialog_begin(&d, &conf);
}

/* The IP field of what expect() saw last. */
static unsigned field(void)
{
	return d.last->tos & ECN_MASK;
}

/* A peer with classic ECN connects to us. */
static void accept_ecn(void)
{
	dialog_listen(&d, 8);
	inject(&d, "SEW 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SE. 0:0(0) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT, "RFC 3168 6.1.1");
	inject(&d, ". 1:1(0) ack 1 win 60000");
	nothing(&d);
	d.c = tcp_accept(d.tcp, d.l, &d);
	cr_assert(d.c);
}

static uint32_t cwnd(void)
{
	struct tcp_conn_info info;

	tcp_conn_info(d.tcp, d.c, &info);
	return info.cwnd;
}

static bool has_ecn(void)
{
	struct tcp_conn_info info;

	tcp_conn_info(d.tcp, d.c, &info);
	return info.ecn;
}

/* We connect in the present mode; the SYN is looked at. */
static void connect_with(const char *syn)
{
	struct flow f = { .remote = dialog_peer_addr(&d), .remote_port = d.peer->port };
	struct tcp_conn_info info;

	cr_assert_eq(tcp_connect(d.tcp, &f, &d, d.now_ns, &d.c), 0);
	tcp_conn_info(d.tcp, d.c, &info);
	d.local_port = info.flow.local_port;
	dialog_turn(&d);
	expect(&d, syn);
	cr_assert_eq(field(), ECN_NOT_ECT);
}

/* ---- the handshake ---- */

Dialog(tcp_ecn, is_accepted_and_not_asked_for_at_first)
{
	accept_ecn();
	cr_assert(has_ecn());
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	dialog_drop(&d);
	d.peer->know_ours = false;
	connect_with("S 0:0(0)");
}

Dialog(tcp_ecn, is_refused_when_it_is_off)
{
	mode(TCP_ECN_OFF);
	dialog_listen(&d, 8);
	inject(&d, "SEW 0:0(0) win 60000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	d.c = tcp_accept(d.tcp, d.l, &d);
	cr_assert(!has_ecn());
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
}

Dialog(tcp_ecn, needs_both_flags_in_a_syn_that_is_not_capable_itself)
{
	dialog_listen(&d, 8);
	inject(&d, "SE 0:0(0) win 60000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, "R 1:1(0)");
	d.peer->know_ours = false;
	inject(&d, "SW 0:0(0) win 60000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, "R 1:1(0)");
	d.peer->know_ours = false;
	d.tos = ECN_ECT0;
	inject(&d, "SEW 0:0(0) win 60000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
}

Dialog(tcp_ecn, is_asked_for_and_confirmed)
{
	mode(TCP_ECN_CLASSIC);
	connect_with("SEW 0:0(0)");
	inject(&d, "SE. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ". 1:1(0) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT, "a pure ACK");
	cr_assert(has_ecn());
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
}

Dialog(tcp_ecn, a_syn_ack_that_reflects_all_flags_confirms_nothing)
{
	mode(TCP_ECN_CLASSIC);
	connect_with("SEW 0:0(0)");
	inject(&d, "SEW. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ". 1:1(0) ack 1");
	cr_assert(!has_ecn());
}

Dialog(tcp_ecn, a_repeated_syn_does_not_ask)
{
	/* RFC 3168 6.1.1.1 */
	mode(TCP_ECN_CLASSIC);
	connect_with("SEW 0:0(0)");
	after(&d, 1000, "S 0:0(0)");
	inject(&d, "S. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ". 1:1(0) ack 1");
	cr_assert(!has_ecn());
}

Dialog(tcp_ecn, is_a_matter_of_the_socket_too)
{
	dialog_listen(&d, 8);
	cr_assert_eq(tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_ECN, TCP_N_ECN),
		     -EINVAL);
	cr_assert_eq(tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_ECN, TCP_ECN_OFF), 0);
	inject(&d, "SEW 0:0(0) win 60000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
}

Dialog(tcp_ecn, survives_a_syn_queue_that_is_full)
{
	struct dialog_peer more[16];
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.max_syn = 1;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	dialog_listen(&d, 8);
	more[0] = (struct dialog_peer){ .port = 1000 };
	d.peer = &more[0];
	inject(&d, "S 0:0(0) win 60000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	d.peer = &d.first;
	inject(&d, "SEW 0:0(0) win 60000 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 3>");
	expect(&d, "SE. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(tcp_stats(d.tcp)->syn_cookie_in, 1);
	d.c = tcp_accept(d.tcp, d.l, &d);
	cr_assert(has_ecn());
}

/* ---- receiver ---- */

Dialog(tcp_ecn, echoes_a_mark_until_it_was_heard)
{
	/* RFC 3168 6.1.3 */
	accept_ecn();
	d.tos = ECN_CE;
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, "E. 1:1(0) ack 11");
	d.tos = ECN_ECT0;
	inject(&d, "P. 11:21(10) ack 1");
	expect(&d, "E. 1:1(0) ack 21");
	dialog_write(&d, 10);
	expect(&d, "PE. 1:11(10) ack 21");
	inject(&d, "PW. 21:31(10) ack 11");
	expect(&d, ". 11:11(0) ack 31");
	/* One with both begins again. */
	d.tos = ECN_CE;
	inject(&d, "PW. 31:41(10) ack 11");
	expect(&d, "E. 11:11(0) ack 41");
	cr_assert_eq(tcp_stats(d.tcp)->ecn_ce_in, 2);
}

Dialog(tcp_ecn, acknowledges_the_first_mark_at_once)
{
	accept_ecn();
	for (unsigned i = 0; i < 20; i++) {
		char line[80];

		snprintf(line, sizeof(line), "P. %u:%u(1) ack 1", i + 1, i + 2);
		inject(&d, line);
	}
	tick(&d, 100);
	dialog_drop(&d);
	inject(&d, "P. 21:22(1) ack 1");
	nothing(&d);
	d.tos = ECN_CE;
	inject(&d, "P. 22:23(1) ack 1");
	expect(&d, "E. 1:1(0) ack 23");
}

Dialog(tcp_ecn, a_mark_on_a_pure_ack_means_nothing)
{
	accept_ecn();
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	d.tos = ECN_CE;
	inject(&d, ". 1:1(0) ack 11");
	d.tos = 0;
	inject(&d, "P. 1:11(10) ack 11");
	expect(&d, ". 11:11(0) ack 11");
}

Dialog(tcp_ecn, says_nothing_to_who_did_not_agree)
{
	dialog_accept(&d, "mss 1000", 60000);
	d.tos = ECN_CE;
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	dialog_write(&d, 1000);
	expect(&d, "P. 1:1001(1000) ack 11");
	cr_assert_eq(field(), ECN_NOT_ECT);
	inject(&d, "E. 11:11(0) ack 1001");
	cr_assert_eq(tcp_stats(d.tcp)->ecn_reduced, 0);
}

/* ---- sender ---- */

Dialog(tcp_ecn, slows_down_once_a_round_trip_and_says_so)
{
	/* RFC 3168 6.1.2 */
	accept_ecn();
	cr_assert_eq(cwnd(), 10000);
	dialog_write(&d, 20000);
	for (unsigned i = 0; i < 10; i++) {
		cr_assert(d.ip.n_waiting);
		pkt_free(fake_ip_pop(&d.ip));
	}
	nothing(&d);
	inject(&d, "E. 1:1(0) ack 1001");
	cr_assert_eq(tcp_stats(d.tcp)->ecn_reduced, 1);
	inject(&d, "E. 1:1(0) ack 2001");
	inject(&d, "E. 1:1(0) ack 9001");
	cr_assert_eq(tcp_stats(d.tcp)->ecn_reduced, 1, "the same window of data");
	cr_assert_leq(cwnd(), 6000);
	expect(&d, "W. 10001:11001(1000) ack 1");
	expect(&d, ". 11001:12001(1000) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
	dialog_drop(&d);
	inject(&d, "E. 1:1(0) ack 10001");
	cr_assert_eq(tcp_stats(d.tcp)->ecn_reduced, 1, "all of it from before");
	dialog_drop(&d);
	inject(&d, "E. 1:1(0) ack 11001");
	cr_assert_eq(tcp_stats(d.tcp)->ecn_reduced, 2, "another window");
	dialog_drop(&d);
}

Dialog(tcp_ecn, a_loss_is_a_reduction_too)
{
	/* RFC 3168 6.1.2: "for any reason" */
	accept_ecn();
	dialog_write(&d, 10000);
	dialog_drop(&d);
	for (unsigned i = 0; i < 3; i++)
		inject(&d, ". 1:1(0) ack 1 win 60000");
	expect(&d, ". 1:1001(1000) ack 1");
	inject(&d, "E. 1:1(0) ack 10001 win 60000");
	cr_assert_eq(tcp_stats(d.tcp)->ecn_reduced, 0, "the window that was lost from");
	dialog_write(&d, 1000);
	expect(&d, "PW. 10001:11001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 11001 win 60000");
	dialog_write(&d, 1000);
	expect(&d, "P. 11001:12001(1000) ack 1");
}

Dialog(tcp_ecn, what_is_sent_again_is_not_capable)
{
	/* RFC 3168 6.1.5 */
	accept_ecn();
	dialog_write(&d, 1000);
	expect(&d, "P. 1:1001(1000) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
	tick(&d, 1000);
	expect(&d, "P. 1:1001(1000) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1001");
}

Dialog(tcp_ecn, probes_and_fins_are_not_capable)
{
	/* RFC 3168 6.1.6 */
	accept_ecn();
	inject(&d, ". 1:1(0) ack 1 win 0");
	dialog_write(&d, 10);
	tick(&d, 1000);
	expect(&d, ". 0:0(0) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1 win 1000");
	expect(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
	inject(&d, ". 1:1(0) ack 11 win 1000");
	dialog_close(&d);
	expect(&d, "F. 11:11(0) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
}

Dialog(tcp_ecn, leaves_the_rest_of_the_tos_to_the_program)
{
	accept_ecn();
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_TOS, 0xb9), 0);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(d.last->tos, 0xb8 | ECN_ECT0);
	inject(&d, "P. 1:11(10) ack 11");
	expect(&d, ". 11:11(0) ack 11");
	cr_assert_eq(d.last->tos, 0xb8);
}

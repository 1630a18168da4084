#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "ip/ip.h"
#include "tcp/ecn.h"
#include "tcp/fastopen.h"
#include "tcp/opt.h"
#include "tests/lib/tcp_dialog.h"

/* Digits in the place of flags are the three of RFC 9768: 2 is Not-ECT in a handshake, 5
 * a counter that did not move. */

static struct dialog d;

static void mode(enum tcp_ecn ecn)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.ecn = (uint8_t)ecn;
	dialog_end(&d);
	dialog_begin(&d, &conf);
}

static unsigned field(void)
{
	return d.last->tos & ECN_MASK;
}

static void take(void)
{
	struct tcp_conn_info info;

	d.c = tcp_accept(d.tcp, d.l, &d);
	cr_assert(d.c);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert(info.accecn);
}

/* A peer with AccECN connects; its ACK of our SYN-ACK has @ack for flags. */
static void accept_with(const char *ack)
{
	char line[80];

	mode(TCP_ECN_ACC_ACCEPT);
	dialog_listen(&d, 8);
	inject(&d, "SEWA 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SW. 0:0(0) ack 1 <mss 1460,ECN0 1 0 1>");
	cr_assert_eq(field(), ECN_NOT_ECT);
	snprintf(line, sizeof(line), ".%s 1:1(0) ack 1 win 60000 <ECN0 1 0 1>", ack);
	inject(&d, line);
	nothing(&d);
	take();
}

static void connect_with(const char *syn)
{
	struct flow f = { .remote = dialog_peer_addr(&d), .remote_port = d.peer->port };
	struct tcp_conn_info info;

	cr_assert_eq(tcp_connect(d.tcp, &f, &d, d.now_ns, &d.c), 0);
	tcp_conn_info(d.tcp, d.c, &info);
	d.local_port = info.flow.local_port;
	dialog_turn(&d);
	expect(&d, syn);
}

static bool is_acc(void)
{
	struct tcp_conn_info info;

	tcp_conn_info(d.tcp, d.c, &info);
	return info.accecn;
}

static uint64_t n_reduced(void)
{
	return tcp_stats(d.tcp)->ecn_reduced;
}

/* ---- negotiation, server ---- */

Dialog(tcp_accecn, tells_the_field_of_the_syn)
{
	/* RFC 9768 table 2 */
	static const struct {
		uint8_t tos;
		const char *syn_ack;
	} rows[] = {
		{ ECN_NOT_ECT, "SW. 0:0(0) ack 1 <mss 1460,ECN0 1 0 1>" },
		{ ECN_ECT1, "SEW. 0:0(0) ack 1 <mss 1460,ECN0 1 0 1>" },
		{ ECN_ECT0, "SA. 0:0(0) ack 1 <mss 1460,ECN0 1 0 1>" },
		{ ECN_CE, "SWA. 0:0(0) ack 1 <mss 1460,ECN0 1 0 1>" },
	};

	mode(TCP_ECN_ACC_ACCEPT);
	dialog_listen(&d, 8);
	for (unsigned i = 0; i < 4; i++) {
		d.peer->know_ours = false;
		d.tos = rows[i].tos;
		inject(&d, "SEWA 0:0(0) win 60000 <mss 1000>");
		expect(&d, rows[i].syn_ack);
		d.tos = 0;
		inject(&d, "R 1:1(0)");
	}
}

Dialog(tcp_accecn, falls_back_to_what_the_client_has)
{
	mode(TCP_ECN_ACC_ACCEPT);
	dialog_listen(&d, 8);
	inject(&d, "SEW 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SE. 0:0(0) ack 1 <mss 1460>");
	inject(&d, "R 1:1(0)");
	d.peer->know_ours = false;
	inject(&d, "S 0:0(0) win 60000 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, "R 1:1(0)");
	/* RFC 9768 3.1.3: what nobody says yet */
	d.peer->know_ours = false;
	inject(&d, "SA 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SW. 0:0(0) ack 1 <mss 1460,ECN0 1 0 1>");
}

Dialog(tcp_accecn, is_classic_for_who_does_not_want_it)
{
	dialog_listen(&d, 8);
	inject(&d, "SEWA 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SE. 0:0(0) ack 1 <mss 1460>");
}

Dialog(tcp_accecn, gives_up_option_and_flags_where_syn_acks_are_lost)
{
	/* RFC 9768 3.2.3.2.2, 3.1.5 */
	mode(TCP_ECN_ACC_ACCEPT);
	dialog_listen(&d, 8);
	inject(&d, "SEWA 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SW. 0:0(0) ack 1 <mss 1460,ECN0 1 0 1>");
	tick(&d, 1020);
	expect(&d, "SW. 0:0(0) ack 1 <mss 1460>");
	tick(&d, 2020);
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, ".2 1:1(0) ack 1 win 60000");
	take();
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT, "never again");
}

Dialog(tcp_accecn, a_plain_syn_behind_leaves_the_mode_and_mutes)
{
	/* RFC 9768 3.1.5 */
	mode(TCP_ECN_ACC_ACCEPT);
	dialog_listen(&d, 8);
	inject(&d, "SEWA 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SW. 0:0(0) ack 1");
	inject(&d, "S 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SW. 0:0(0) ack 1");
	inject(&d, ".2 1:1(0) ack 1 win 60000");
	take();
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
}

Dialog(tcp_accecn, data_is_capable_and_what_is_sent_again_is_not)
{
	accept_with("2");
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
	tick(&d, 1000);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
	dialog_drop(&d);
	inject(&d, ".5 1:1(0) ack 11");
}

Dialog(tcp_accecn, a_changed_syn_ack_mutes)
{
	/* RFC 9768 3.2.2.3: it was Not-ECT, and came as ECT(0) */
	accept_with("4");
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
}

Dialog(tcp_accecn, a_zero_in_the_last_ack_deafens)
{
	/* RFC 9768 table 4, note 1 */
	accept_with("");
	dialog_write(&d, 1000);
	expect(&d, "P.5 1:1001(1000) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
	inject(&d, ".6 1:1(0) ack 1001");
	cr_assert_eq(n_reduced(), 0);
	/* But it goes on to count. */
	d.tos = ECN_CE;
	inject(&d, "P.6 1:11(10) ack 1001");
	expect(&d, ".6 1001:1001(0) ack 11");
}

Dialog(tcp_accecn, resets_who_asks_in_two_ways)
{
	/* RFC 9768 3.1.5 */
	mode(TCP_ECN_ACC_ACCEPT);
	dialog_listen(&d, 8);
	inject(&d, "SEWA 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SW. 0:0(0) ack 1");
	inject(&d, "SEW 0:0(0) win 60000 <mss 1000>");
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 0);
	cr_assert_eq(tcp_stats(d.tcp)->reset_out, 1);
	dialog_drop(&d);
}

/* ---- negotiation, client ---- */

Dialog(tcp_accecn, asks_and_tells_the_field_of_the_syn_ack)
{
	/* RFC 9768 table 3 */
	static const struct {
		uint8_t tos;
		const char *ack, *data;
	} rows[] = {
		{ ECN_NOT_ECT, ".2 1:1(0) ack 1 <ECN0 1 0 1>", "P.5 1:11(10) ack 1" },
		{ ECN_ECT1, ".3 1:1(0) ack 1 <ECN0 1 0 1>", "P.5 1:11(10) ack 1" },
		{ ECN_ECT0, ".4 1:1(0) ack 1 <ECN0 1 0 1>", "P.5 1:11(10) ack 1" },
		{ ECN_CE, ".6 1:1(0) ack 1 <ECN0 1 0 1>", "P.6 1:11(10) ack 1" },
	};

	for (unsigned i = 0; i < 4; i++) {
		mode(TCP_ECN_ACC);
		connect_with("SEWA 0:0(0)");
		d.tos = rows[i].tos;
		inject(&d, "SW. 0:0(0) ack 1 win 60000 <mss 1000,ECN0 1 0 1>");
		d.tos = 0;
		expect(&d, rows[i].ack);
		cr_assert(is_acc());
		dialog_write(&d, 10);
		expect(&d, rows[i].data);
		cr_assert_eq(field(), ECN_ECT0);
		d.n_written = 0;
	}
}

Dialog(tcp_accecn, falls_back_to_what_the_server_has)
{
	mode(TCP_ECN_ACC);
	connect_with("SEWA 0:0(0)");
	inject(&d, "SE. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ". 1:1(0) ack 1 <>");
	cr_assert(!is_acc());
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
}

Dialog(tcp_accecn, a_server_that_reflects_has_none)
{
	mode(TCP_ECN_ACC);
	connect_with("SEWA 0:0(0)");
	inject(&d, "SEWA. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ". 1:1(0) ack 1 <>");
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
}

Dialog(tcp_accecn, the_value_that_nobody_has_yet_confirms)
{
	/* RFC 9768 3.1.3 */
	mode(TCP_ECN_ACC);
	connect_with("SEWA 0:0(0)");
	inject(&d, "SEA. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ".2 1:1(0) ack 1");
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
}

Dialog(tcp_accecn, a_changed_syn_mutes_the_client)
{
	mode(TCP_ECN_ACC);
	connect_with("SEWA 0:0(0)");
	inject(&d, "SA. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ".2 1:1(0) ack 1");
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_NOT_ECT);
}

Dialog(tcp_accecn, asks_twice_and_then_no_more)
{
	/* RFC 9768 3.1.4.1 */
	mode(TCP_ECN_ACC);
	connect_with("SEWA 0:0(0)");
	after(&d, 1000, "SEWA 0:0(0)");
	after(&d, 2000, "S 0:0(0)");
	inject(&d, "SW. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ".2 1:1(0) ack 1");
	cr_assert(is_acc(), "the answer to one of the first");
}

Dialog(tcp_accecn, meets_one_that_opens_at_the_same_time)
{
	mode(TCP_ECN_ACC);
	connect_with("SEWA 0:0(0)");
	inject(&d, "SEWA 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SW. 0:0(0) ack 1");
	inject(&d, "SW. 0:0(0) ack 1 win 60000 <mss 1000>");
	cr_assert(is_acc());
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
}

/* ---- receiver ---- */

Dialog(tcp_accecn, counts_packets_and_bytes)
{
	/* RFC 9768 3.2 */
	accept_with("2");
	d.tos = ECN_ECT0;
	inject(&d, "P.5 1:101(100) ack 1");
	expect(&d, ".5 1:1(0) ack 101 <ECN0 101 0 1>");
	d.tos = ECN_CE;
	inject(&d, "P.5 101:151(50) ack 1");
	expect(&d, ".6 1:1(0) ack 151 <ECN0 101 50 1>");
	d.tos = ECN_ECT1;
	inject(&d, "P.5 151:158(7) ack 1");
	expect(&d, ".6 1:1(0) ack 158 <ECN1 8 50 101>");
	d.tos = ECN_CE;
	for (unsigned i = 0; i < 8; i++) {
		char in[60], out[60];

		snprintf(in, sizeof(in), "P.5 %u:%u(1) ack 1", 158 + i, 159 + i);
		snprintf(out, sizeof(out), "%s 1:1(0) ack %u",
			 (const char *[]){ ".7", ".", ".1", ".2", ".3", ".4", ".5",
					   ".6" }[i],
			 159 + i);
		inject(&d, in);
		expect(&d, out);
	}
}

Dialog(tcp_accecn, pure_acks_with_a_mark_count_and_are_answered)
{
	/* RFC 9768 3.2.2.5.1: every third */
	accept_with("2");
	d.tos = ECN_CE;
	inject(&d, ".5 1:1(0) ack 1");
	inject(&d, ".5 1:1(0) ack 1");
	nothing(&d);
	inject(&d, ".5 1:1(0) ack 1");
	expect(&d, ". 1:1(0) ack 1");
}

Dialog(tcp_accecn, the_first_mark_is_acknowledged_at_once)
{
	accept_with("2");
	for (unsigned i = 0; i < 20; i++) {
		char line[80];

		snprintf(line, sizeof(line), "P.5 %u:%u(1) ack 1", i + 1, i + 2);
		inject(&d, line);
	}
	tick(&d, 100);
	dialog_drop(&d);
	inject(&d, "P.5 21:22(1) ack 1");
	nothing(&d);
	d.tos = ECN_CE;
	inject(&d, "P.5 22:23(1) ack 1");
	expect(&d, ".6 1:1(0) ack 23");
	inject(&d, "P.5 23:24(1) ack 1");
	nothing(&d);
	inject(&d, "P.5 24:25(1) ack 1");
	expect(&d, ". 1:1(0) ack 25");
}

Dialog(tcp_accecn, the_option_does_not_lengthen_full_segments)
{
	accept_with("2");
	d.tos = ECN_ECT0;
	hear(&d, "P.5 1:101(100) ack 1");
	dialog_write(&d, 1000);
	expect(&d, "P.5 1:1001(1000) ack 101 <>");
	cr_assert_eq(d.last->total_len, 20 + 1000);
	nothing(&d);
	inject(&d, ".5 101:101(0) ack 1001");
}

Dialog(tcp_accecn, keeps_its_counters_while_it_is_idle)
{
	accept_with("2");
	d.tos = ECN_CE;
	inject(&d, "P.5 1:11(10) ack 1");
	expect(&d, ".6 1:1(0) ack 11");
	dialog_read(&d, 10);
	tick(&d, 60000);
	d.tos = 0;
	inject(&d, "P.5 11:21(10) ack 1");
	tick(&d, 100);
	expect(&d, ".6 1:1(0) ack 21");
}

/* ---- sender ---- */

static void fly(uint32_t len)
{
	dialog_write(&d, len);
	dialog_drop(&d);
}

Dialog(tcp_accecn, slows_down_once_a_round_trip)
{
	accept_with("2");
	fly(10000);
	inject(&d, ".6 1:1(0) ack 1001 <ECN0 1 1000 1>");
	cr_assert_eq(n_reduced(), 1);
	inject(&d, ".7 1:1(0) ack 2001 <ECN0 1 2000 1>");
	inject(&d, ". 1:1(0) ack 10001 <ECN0 1 3000 1>");
	cr_assert_eq(n_reduced(), 1);
	fly(1000);
	inject(&d, ". 1:1(0) ack 11001 <ECN0 1001 3000 1>");
	cr_assert_eq(n_reduced(), 1, "no new mark");
	fly(1000);
	inject(&d, ".1 1:1(0) ack 12001 <ECN0 1001 4000 1>");
	cr_assert_eq(n_reduced(), 2);
}

Dialog(tcp_accecn, an_old_ack_tells_nothing)
{
	/* RFC 9768 appendix A.1 */
	accept_with("2");
	fly(5000);
	inject(&d, ".5 1:1(0) ack 3001 <ECN0 3001 0 1>");
	inject(&d, ".4 1:1(0) ack 2001 <ECN0 2001 9 1>");
	cr_assert_eq(n_reduced(), 0);
	inject(&d, ".5 1:1(0) ack 5001 <ECN0 5001 0 1>");
	cr_assert_eq(n_reduced(), 0);
}

Dialog(tcp_accecn, sends_no_options_where_the_first_bytes_were_lost)
{
	/* RFC 9768 3.2.3.2.2 */
	mode(TCP_ECN_ACC);
	connect_with("SEWA 0:0(0)");
	inject(&d, "SW. 0:0(0) ack 1 win 60000 <mss 1000,ECN0 1 0 1>");
	expect(&d, ".2 1:1(0) ack 1 <ECN0 1 0 1>");
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1 <ECN0 1 0 1>");
	tick(&d, 1000);
	expect(&d, "P.5 1:11(10) ack 1 <>");
	dialog_drop(&d);
	inject(&d, ".5 1:1(0) ack 11");
	d.tos = ECN_CE;
	inject(&d, "P.5 1:11(10) ack 11");
	expect(&d, ".6 11:11(0) ack 11 <>");
}

/* ---- variants ---- */

Dialog(tcp_accecn, marks_for_l4s_when_the_socket_asks)
{
	/* RFC 9331 4.1 */
	mode(TCP_ECN_ACC_ACCEPT);
	dialog_listen(&d, 8);
	cr_assert_eq(tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_L4S, 1), 0);
	inject(&d, "SEWA 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SW. 0:0(0) ack 1");
	inject(&d, ".2 1:1(0) ack 1 win 60000");
	take();
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT1);
}

Dialog(tcp_accecn, does_not_mark_for_l4s_with_classic_ecn)
{
	dialog_listen(&d, 8);
	tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_L4S, 1);
	inject(&d, "SEW 0:0(0) win 60000 <mss 1000>");
	expect(&d, "SE. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1 win 60000");
	d.c = tcp_accept(d.tcp, d.l, &d);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
}

Dialog(tcp_accecn, control_packets_are_capable_when_configured)
{
	/* draft-ietf-tcpm-generalized-ecn */
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.ecn = TCP_ECN_ACC;
	conf.ecn_plus = true;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	connect_with("SEWA 0:0(0)");
	cr_assert_eq(field(), ECN_ECT0);
	inject(&d, "SA. 0:0(0) ack 1 win 60000 <mss 1000>");
	expect(&d, ".2 1:1(0) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 1");
	tick(&d, 1000);
	expect(&d, "P.5 1:11(10) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
	dialog_drop(&d);
	inject(&d, ".5 1:1(0) ack 11");
	dialog_close(&d);
	expect(&d, "F.5 11:11(0) ack 1");
	cr_assert_eq(field(), ECN_ECT0);
}

Dialog(tcp_accecn, opens_by_fast_open_too)
{
	mode(TCP_ECN_ACC_ACCEPT);
	tcp_set_fastopen(d.tcp, TCP_FO_SERVER | TCP_FO_SERVER_BARE, NULL);
	dialog_listen(&d, 8);
	tcp_listener_set_fastopen(d.l, 4);
	d.tos = ECN_ECT1;
	inject(&d, "SEWA 0:10(10) win 60000 <mss 1000>");
	expect(&d, "SEW. 0:0(0) ack 11 <mss 1460,ECN0 1 0 1>");
	d.tos = 0;
	inject(&d, ".2 11:11(0) ack 1 win 60000 <ECN0 1 0 1>");
	take();
	dialog_write(&d, 10);
	expect(&d, "P.5 1:11(10) ack 11");
	cr_assert_eq(field(), ECN_ECT0);
}

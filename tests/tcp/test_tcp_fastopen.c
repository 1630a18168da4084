#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "ip/ip.h"
#include "stack/base/clock.h"

#include "tcp/fastopen.h"
#include "tcp/fo_cookie.h"
#include "tcp/opt.h"
#include "tests/lib/tcp_dialog.h"

enum { LINE = 200, MAX = 2 };

static const struct fo_keys keys = { .n = 1, .key = { { { 5, 6 } } } };
static struct dialog d;
static struct dialog_peer peers[8];
static char text[LINE];

/* ---- server ---- */

/* The cookie that @k gives the peer. */
static const char *cookie_of(const struct fo_keys *k)
{
	struct addr peer = dialog_peer_addr(&d);
	static char hex[2 * FO_COOKIE_LEN + 1];
	struct fo_cookie c;

	fo_cookie_make(k, &peer, &d.ip.ours, &c);
	for (unsigned i = 0; i < c.len; i++)
		snprintf(hex + 2 * i, 3, "%02x", c.bytes[i]);
	return hex;
}

/* A line with the good cookie where it says %s. */
static const char *with_cookie(const char *line)
{
	snprintf(text, sizeof(text), line, cookie_of(&keys));
	return text;
}

static void serve(void)
{
	tcp_set_fastopen(d.tcp, TCP_FO_CLIENT | TCP_FO_SERVER, &keys);
	dialog_listen(&d, 8);
	tcp_listener_set_fastopen(d.l, MAX);
}

/* The peer's SYN with @len bytes opens a connection. */
static void open_by_syn(void)
{
	inject(&d, with_cookie("S 0:100(100) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 101 <mss 1460>");
}

static void accept_one(void)
{
	d.c = tcp_accept(d.tcp, d.l, &d);
	cr_assert(d.c);
}

static struct dialog_peer *peer(unsigned i)
{
	peers[i].port = (uint16_t)(41000 + i);
	return &peers[i];
}

Dialog(tcp_fastopen, gives_a_cookie_to_who_asks)
{
	/* RFC 7413 4.2.1 */
	serve();
	inject(&d, "S 0:0(0) win 5000 <mss 1460,FO>");
	expect(&d, with_cookie("S. 0:0(0) ack 1 <mss 1460,FO %s>"));
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	/* It is not given again; the second SYN-ACK is an ordinary one. */
	tick(&d, 1020);
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, ". 1:1(0) ack 1");
	accept_one();
}

Dialog(tcp_fastopen, answers_the_experiment_in_kind)
{
	serve();
	inject(&d, "S 0:0(0) win 5000 <mss 1460,FOEXP>");
	expect(&d, with_cookie("S. 0:0(0) ack 1 <mss 1460,FOEXP %s>"));
	d.peer = peer(1);
	inject(&d, with_cookie("S 0:10(10) win 5000 <mss 1460,FOEXP %s>"));
	expect(&d, "S. 0:0(0) ack 11 <mss 1460>");
}

Dialog(tcp_fastopen, ignores_data_without_a_good_cookie)
{
	serve();
	inject(&d, "S 0:10(10) win 5000 <mss 1460,FO 0011223344556677>");
	expect(&d, with_cookie("S. 0:0(0) ack 1 <mss 1460,FO %s>"));
	d.peer = peer(1);
	inject(&d, "S 0:10(10) win 5000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	cr_assert_eq(tcp_stats(d.tcp)->fastopen_bad_cookie, 1);
}

Dialog(tcp_fastopen, is_not_for_listeners_that_did_not_ask)
{
	serve();
	tcp_listener_set_fastopen(d.l, 0);
	inject(&d, with_cookie("S 0:10(10) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	d.peer = peer(1);
	tcp_listener_set_fastopen(d.l, 1);
	tcp_set_fastopen(d.tcp, TCP_FO_CLIENT, NULL);
	inject(&d, with_cookie("S 0:10(10) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
}

Dialog(tcp_fastopen, reads_and_writes_before_the_ack)
{
	struct tcp_conn_info info;

	serve();
	open_by_syn();
	accept_one();
	cr_assert_eq(dialog_state(&d), TCP_SYN_RECEIVED);
	dialog_read(&d, 100);
	dialog_write(&d, 2000);
	expect(&d, ". 1:1461(1460) ack 101");
	expect(&d, "P. 1461:2001(540) ack 101");
	tick(&d, 50);
	inject(&d, ". 101:101(0) ack 1");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.unacked, 2000);
	cr_assert_eq(info.srtt_us, 50000, "of the SYN-ACK");
	inject(&d, "P. 101:111(10) ack 2001");
	expect(&d, ". 2001:2001(0) ack 111");
	dialog_read(&d, 10);
	dialog_close(&d);
	expect(&d, "F. 2001:2001(0) ack 111");
}

Dialog(tcp_fastopen, sends_no_more_than_the_initial_window_before_the_ack)
{
	serve();
	inject(&d, with_cookie("S 0:100(100) win 60000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 101");
	accept_one();
	dialog_write(&d, 30000);
	for (uint32_t at = 1; at < 14601; at += 1460) {
		snprintf(text, sizeof(text), ". %u:%u(1460) ack 101", at, at + 1460);
		expect(&d, text);
	}
	nothing(&d);
}

Dialog(tcp_fastopen, repeats_only_the_syn_ack_until_its_ack)
{
	serve();
	open_by_syn();
	accept_one();
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 101");
	after(&d, 1000, "S. 0:0(0) ack 101 <mss 1460>");
	nothing(&d);
	after(&d, 2000, "S. 0:0(0) ack 101 <mss 1460>");
	inject(&d, ". 101:101(0) ack 1");
	nothing(&d);
	/* From now on it is data like any other. */
	tick(&d, 10000);
	expect(&d, "P. 1:11(10) ack 101");
	inject(&d, ". 101:101(0) ack 11");
}

Dialog(tcp_fastopen, repeats_the_syn_ack_for_a_repeated_syn)
{
	serve();
	open_by_syn();
	inject(&d, with_cookie("S 0:100(100) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 101 <mss 1460>");
	/* RFC 7413 4.2.2: an ordinary one, as who lost the first sends it */
	inject(&d, "S 0:0(0) win 5000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 101 <mss 1460>");
	inject(&d, "S 5:5(0) win 5000 <mss 1460>");
	expect(&d, ". 1:1(0) ack 101");
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 1);
}

Dialog(tcp_fastopen, gives_up_who_never_acknowledges)
{
	char byte[100];

	serve();
	open_by_syn();
	accept_one();
	tick(&d, 200 * 1000);
	dialog_drop(&d);
	cr_assert_eq(tcp_error(d.c), ETIMEDOUT);
	cr_assert_eq(tcp_recv(d.tcp, d.c, byte, sizeof(byte), false), 100);
	dialog_close(&d);
	/* Its place is free. */
	for (unsigned i = 0; i < MAX; i++) {
		d.peer = peer(i);
		open_by_syn();
	}
}

Dialog(tcp_fastopen, opens_without_data_too)
{
	serve();
	inject(&d, with_cookie("S 0:0(0) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	accept_one();
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1");
	inject(&d, "P. 1:6(5) ack 11");
	expect(&d, ". 11:11(0) ack 6");
	dialog_read(&d, 5);
}

Dialog(tcp_fastopen, lets_no_more_pend_than_the_limit)
{
	/* RFC 7413 5.1 */
	serve();
	for (unsigned i = 0; i < MAX; i++) {
		d.peer = peer(i);
		open_by_syn();
	}
	d.peer = peer(MAX);
	inject(&d, with_cookie("S 0:100(100) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	cr_assert_eq(tcp_stats(d.tcp)->fastopen_limit, 1);
	d.peer = peer(0);
	inject(&d, ". 101:101(0) ack 1");
	d.peer = peer(MAX + 1);
	open_by_syn();
}

Dialog(tcp_fastopen, what_was_reset_counts_for_a_minute)
{
	/* RFC 7413 5.1: else the victims' resets would lift the limit */
	serve();
	for (unsigned i = 0; i < MAX; i++) {
		d.peer = peer(i);
		open_by_syn();
		inject(&d, "R. 101:101(0) ack 1");
	}
	d.peer = peer(MAX);
	inject(&d, with_cookie("S 0:100(100) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, "R. 1:1(0) ack 1");
	d.peer->know_ours = false;
	tick(&d, 59 * 1000);
	inject(&d, with_cookie("S 0:100(100) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, "R. 1:1(0) ack 1");
	d.peer->know_ours = false;
	tick(&d, 62 * 1000);
	open_by_syn();
}

Dialog(tcp_fastopen, what_was_reset_waits_to_be_accepted)
{
	char byte[100];

	serve();
	open_by_syn();
	inject(&d, "R. 101:101(0) ack 1");
	accept_one();
	cr_assert_eq(tcp_recv(d.tcp, d.c, byte, sizeof(byte), false), 100);
	cr_assert_eq(tcp_recv(d.tcp, d.c, byte, 1, false), -ECONNRESET);
	dialog_close(&d);
}

Dialog(tcp_fastopen, ends_with_its_listener_or_outlives_it)
{
	serve();
	open_by_syn();
	accept_one();
	d.peer = peer(1);
	open_by_syn();
	tcp_listener_close(d.tcp, d.l, d.now_ns);
	dialog_turn(&d);
	expect(&d, "R. 1:1(0) ack 101");
	/* Another has the block of the closed one, and nothing to do with it. */
	dialog_listen(&d, 1);
	d.peer = &d.first;
	inject(&d, ". 101:101(0) ack 1");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	nothing(&d);
}

Dialog(tcp_fastopen, closes_before_the_ack)
{
	serve();
	open_by_syn();
	accept_one();
	dialog_read(&d, 100);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 101");
	dialog_close(&d);
	expect(&d, "F. 11:11(0) ack 101");
	inject(&d, ". 101:101(0) ack 12");
	inject(&d, "F. 101:101(0) ack 12");
	expect(&d, ". 12:12(0) ack 102");
}

Dialog(tcp_fastopen, closes_with_unread_bytes_by_a_reset)
{
	serve();
	open_by_syn();
	accept_one();
	dialog_close(&d);
	expect(&d, "R. 1:1(0) ack 101");
}

Dialog(tcp_fastopen, takes_the_key_before_and_gives_a_new_cookie)
{
	struct fo_keys both = { .n = 2, .key = { { { 7, 8 } }, { { 5, 6 } } } };

	serve();
	*tcp_listener_fo_keys(d.l) = both;
	inject(&d, with_cookie("S 0:10(10) win 5000 <mss 1460,FO %s>"));
	snprintf(text, sizeof(text), "S. 0:0(0) ack 11 <mss 1460,FO %s>",
		 cookie_of(&both));
	expect(&d, text);
	after(&d, 1000, "S. 0:0(0) ack 11 <mss 1460>");
}

Dialog(tcp_fastopen, needs_no_cookie_where_the_listener_says_so)
{
	serve();
	cr_assert_eq(tcp_opt_set(tcp_listener_opts(d.l), TCP_OPT_FO_BARE, 1), 0);
	inject(&d, "S 0:10(10) win 5000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 11 <mss 1460>");
	d.peer = peer(1);
	inject(&d, "S 0:0(0) win 5000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 1, "without data as always");
}

Dialog(tcp_fastopen, without_a_control_block_it_is_a_handshake)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.max_conns = 1;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	serve();
	open_by_syn();
	d.peer = peer(1);
	inject(&d, with_cookie("S 0:10(10) win 5000 <mss 1460,FO %s>"));
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
}

/* ---- client ---- */

/* Connects, with @len bytes for the SYN; what tcp_fastopen() says. */
static ssize_t open_with(uint32_t len, const char *syn)
{
	struct flow f = { .remote = dialog_peer_addr(&d), .remote_port = d.peer->port };
	uint8_t bytes[4000];
	struct tcp_conn_info info;
	ssize_t n;

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = dialog_byte(i);
	d.peer->know_ours = false;
	cr_assert_eq(tcp_connect(d.tcp, &f, &d, d.now_ns, &d.c), 0);
	n = tcp_fastopen(d.tcp, d.c, bytes, len);
	d.n_written = n > 0 ? (uint32_t)n : 0;
	tcp_conn_info(d.tcp, d.c, &info);
	d.local_port = info.flow.local_port;
	dialog_turn(&d);
	expect(&d, syn);
	nothing(&d);
	return n;
}

/* A handshake that brings us the cookie. */
static void learn(const char *syn_ack)
{
	cr_assert_eq(
		open_with(10, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7,FO>"),
		-EINPROGRESS);
	inject(&d, syn_ack);
	expect(&d, ". 1:1(0) ack 1");
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	expect(&d, "R. 1:1(0) ack 1");
}

#define SYN_WITH(len, fo)                                                  \
	"S 0:" #len "(" #len ") <mss 1460,sackOK,TS val 0 ecr 0,wscale 7," \
	"FO" fo ">"

Dialog(tcp_fastopen, asks_for_a_cookie_and_sends_data_with_it_next_time)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	cr_assert_eq(open_with(10, SYN_WITH(10, " 0123abcd")), 10);
	cr_assert_eq(tcp_send(d.tcp, d.c, "x", 1, false), -EAGAIN);
	inject(&d, "S. 0:0(0) ack 11 win 5000 <mss 1460>");
	expect(&d, ". 11:11(0) ack 1");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	cr_assert_eq(tcp_stats(d.tcp)->fastopen_out, 1);
	dialog_write(&d, 5);
	expect(&d, "P. 11:16(5) ack 1");
	inject(&d, ". 1:1(0) ack 16");
	dialog_close(&d);
	expect(&d, "F. 16:16(0) ack 1");
}

Dialog(tcp_fastopen, leaves_room_for_options_in_the_servers_mss)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1000,FO 0123abcd>");
	cr_assert_eq(open_with(4000, SYN_WITH(960, " 0123abcd")), 960);
}

Dialog(tcp_fastopen, sends_again_at_once_what_is_not_acknowledged)
{
	/* RFC 7413 4.2.2 */
	struct tcp_conn_info info;

	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(700, SYN_WITH(700, " 0123abcd"));
	tick(&d, 20);
	inject(&d, "S. 0:0(0) ack 1 win 5000 <mss 1460>");
	expect(&d, "P. 1:701(700) ack 1");
	nothing(&d);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.srtt_us, 20000);
	inject(&d, ". 1:1(0) ack 701");
	cr_assert_eq(tcp_stats(d.tcp)->fastopen_out, 0);
}

Dialog(tcp_fastopen, sends_again_the_rest_of_what_is_acknowledged_in_part)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(1300, SYN_WITH(1300, " 0123abcd"));
	inject(&d, "S. 0:0(0) ack 101 win 5000 <mss 1000>");
	expect(&d, ". 101:1101(1000) ack 1");
	expect(&d, "P. 1101:1301(200) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 1301");
}

Dialog(tcp_fastopen, refuses_an_ack_of_more_than_it_sent)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(100, SYN_WITH(100, " 0123abcd"));
	inject(&d, "S. 0:0(0) ack 102 win 5000 <mss 1460>");
	expect(&d, "R 102:102(0)");
	cr_assert_eq(dialog_state(&d), TCP_SYN_SENT);
}

Dialog(tcp_fastopen, a_repeated_syn_is_an_ordinary_one)
{
	/* RFC 7413 4.1.3.1 */
	struct tcp_conn_info info;

	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(100, SYN_WITH(100, " 0123abcd"));
	after(&d, 1000, "S 0:0(0) <mss 1460,sackOK,TS val 1000 ecr 0,wscale 7>");
	inject(&d, "S. 0:0(0) ack 1 win 5000 <mss 1460>");
	expect(&d, "P. 1:101(100) ack 1");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.cwnd, 1460, "RFC 5681 3.1");
	inject(&d, ". 1:1(0) ack 101");
}

Dialog(tcp_fastopen, takes_the_late_answer_to_the_first_syn)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(100, SYN_WITH(100, " 0123abcd"));
	after(&d, 1000, "S 0:0(0)");
	inject(&d, "S. 0:0(0) ack 101 win 5000 <mss 1460>");
	expect(&d, ". 101:101(0) ack 1");
	nothing(&d);
}

Dialog(tcp_fastopen, pauses_after_two_lost_syns)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	for (unsigned i = 0; i < 2; i++) {
		open_with(100, SYN_WITH(100, " 0123abcd"));
		after(&d, 1000, "S 0:0(0)");
		inject(&d, "S. 0:0(0) ack 1 win 5000 <mss 1460>");
		expect(&d, "P. 1:101(100) ack 1");
		tcp_abort(d.tcp, d.c, d.now_ns);
		dialog_turn(&d);
		dialog_drop(&d);
	}
	cr_assert_eq(open_with(100, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7>"),
		     -EINPROGRESS);
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	tick(&d, 120 * 1000);
	open_with(100, SYN_WITH(100, " 0123abcd"));
}

Dialog(tcp_fastopen, pauses_after_a_connection_that_falls_silent)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(100, SYN_WITH(100, " 0123abcd"));
	inject(&d, "S. 0:0(0) ack 101 win 5000 <mss 1460>");
	expect(&d, ". 101:101(0) ack 1");
	dialog_write(&d, 10);
	tick(&d, 10000);
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	dialog_drop(&d);
	open_with(100, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7>");
}

Dialog(tcp_fastopen, asks_by_the_experiment_when_the_number_is_not_known)
{
	open_with(10, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7,FO>");
	inject(&d, "S. 0:0(0) ack 1 win 5000 <mss 1460>");
	expect(&d, ". 1:1(0) ack 1");
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	dialog_drop(&d);
	open_with(10, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7,FOEXP>");
	inject(&d, "S. 0:0(0) ack 1 win 5000 <mss 1460,FOEXP 01020304>");
	expect(&d, ". 1:1(0) ack 1");
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	dialog_drop(&d);
	cr_assert_eq(open_with(10, "S 0:10(10) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7,"
				   "FOEXP 01020304>"),
		     10);
}

Dialog(tcp_fastopen, keeps_no_cookie_that_it_did_not_ask_for)
{
	dialog_connect(&d, "mss 1460,FO 01020304", 5000);
	cr_assert(!tcp_fastopen_ready(d.tcp, &(struct addr){ 0 }, tcp_opts(d.tcp)));
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	dialog_drop(&d);
	open_with(10, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7,FO>");
}

Dialog(tcp_fastopen, needs_no_cookie_when_told_so)
{
	tcp_set_fastopen(d.tcp, TCP_FO_CLIENT | TCP_FO_CLIENT_BARE, NULL);
	cr_assert_eq(
		open_with(10, "S 0:10(10) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7>"),
		10);
	inject(&d, "S. 0:0(0) ack 11 win 5000 <mss 1460,FO 01020304>");
	expect(&d, ". 11:11(0) ack 1");
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	dialog_drop(&d);
	tcp_set_fastopen(d.tcp, TCP_FO_CLIENT, NULL);
	open_with(10, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7,FO>");
}

Dialog(tcp_fastopen, is_off_when_configured_so)
{
	tcp_set_fastopen(d.tcp, TCP_FO_SERVER, NULL);
	cr_assert_eq(open_with(10, "S 0:0(0) <mss 1460,sackOK,TS val 0 ecr 0,wscale 7>"),
		     -EOPNOTSUPP);
	cr_assert_eq(tcp_fastopen(d.tcp, d.c, "x", 1), -EOPNOTSUPP);
	tcp_set_fastopen(d.tcp, TCP_FO_CLIENT, NULL);
	cr_assert_eq(tcp_fastopen(d.tcp, d.c, "x", 1), -EALREADY);
}

Dialog(tcp_fastopen, sends_a_bare_syn_when_the_path_is_too_narrow)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(1400, SYN_WITH(1400, " 0123abcd"));
	dialog_icmp(&d, IP_ERROR_TOO_BIG, 1000, 0);
	expect(&d, "S 0:0(0) <mss 960,sackOK,TS val 0 ecr 0,wscale 7>");
	inject(&d, "S. 0:0(0) ack 1 win 5000 <mss 1460>");
	expect(&d, ". 1:961(960) ack 1");
	expect(&d, "P. 961:1401(440) ack 1");
}

Dialog(tcp_fastopen, meets_a_peer_that_opens_at_the_same_time)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(100, SYN_WITH(100, " 0123abcd"));
	/* RFC 7413 4.2.2: data with a crossing SYN will come again */
	inject(&d, "S 0:50(50) win 5000 <mss 1460,FO 01020304>");
	expect(&d, "S. 0:0(0) ack 1 <mss 1460>");
	inject(&d, "S. 0:0(0) ack 101 win 5000 <mss 1460>");
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	nothing(&d);
	inject(&d, "P. 1:51(50) ack 101");
	expect(&d, ". 101:101(0) ack 51");
	dialog_read(&d, 50);
}

Dialog(tcp_fastopen, reads_data_and_fin_with_the_syn_ack)
{
	learn("S. 0:0(0) ack 1 win 5000 <mss 1460,FO 0123abcd>");
	open_with(100, SYN_WITH(100, " 0123abcd"));
	inject(&d, "SFP. 0:50(50) ack 101 win 5000 <mss 1460>");
	expect(&d, ". 101:101(0) ack 52");
	cr_assert_eq(dialog_state(&d), TCP_CLOSE_WAIT);
	dialog_read(&d, 50);
}

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

/* A connection that we closed first, in TIME-WAIT: 2:2 is next of us, 2 of the peer. */
static void wait_with(const char *options)
{
	dialog_accept(&d, options, 65535);
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, "F. 1:1(0) ack 2");
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(tcp_stats(d.tcp)->n_time_wait, 1);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
}

static uint32_t n_wait(void)
{
	return tcp_stats(d.tcp)->n_time_wait;
}

Dialog(tcp_wait, acknowledges_a_repeated_fin_and_waits_anew)
{
	wait_with("mss 1000");
	tick(&d, 50 * 1000);
	inject(&d, "F. 1:1(0) ack 2");
	expect(&d, ". 2:2(0) ack 2");
	tick(&d, 50 * 1000);
	cr_assert_eq(n_wait(), 1);
	tick(&d, 11 * 1000);
	cr_assert_eq(n_wait(), 0);
}

Dialog(tcp_wait, no_reset_ends_it)
{
	/* RFC 1337 */
	wait_with("mss 1000");
	inject(&d, "R 2:2(0)");
	inject(&d, "R. 2:2(0) ack 2");
	cr_assert_eq(d.verdict, V_TCP_BAD_RST);
	nothing(&d);
	cr_assert_eq(n_wait(), 1);
}

Dialog(tcp_wait, is_silent_to_a_plain_ack)
{
	wait_with("mss 1000");
	inject(&d, ". 2:2(0) ack 2");
	nothing(&d);
	inject(&d, "P 2:3(1)");
	cr_assert_eq(d.verdict, V_TCP_NO_ACK);
	nothing(&d);
}

Dialog(tcp_wait, answers_old_segments_within_a_limit)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.challenge_ack_per_s = 10;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	wait_with("mss 1000");
	for (unsigned i = 0; i < 100; i++)
		inject(&d, "P. 1:2(1) ack 2");
	cr_assert_leq(tcp_stats(d.tcp)->challenge_ack, 15);
	cr_assert_geq(tcp_stats(d.tcp)->challenge_ack, 5);
	cr_assert_geq(tcp_stats(d.tcp)->challenge_held, 85);
	while (d.ip.n_waiting)
		expect(&d, ". 2:2(0) ack 2");
}

Dialog(tcp_wait, makes_room_for_a_syn_with_a_later_timestamp)
{
	/* RFC 6191 2 */
	uint32_t old_isn;

	wait_with("mss 1000,sackOK,TS val 1000 ecr 0");
	old_isn = d.peer->our_isn;
	inject(&d, "S 0:0(0) win 500 <mss 1000,nop,nop,TS val 999 ecr 0>");
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(n_wait(), 1);
	d.peer->know_ours = false;
	inject(&d, "S 0:0(0) win 500 <mss 1000,nop,nop,TS val 2000000 ecr 0>");
	expect(&d, "S. 0:0(0) ack 1");
	cr_assert_eq(n_wait(), 0);
	cr_assert_eq(tcp_stats(d.tcp)->time_wait_reused, 1);
	cr_assert_gt((int32_t)(d.peer->our_isn - old_isn), 65535,
		     "numbers of the old connection are not used again");
	inject(&d, ". 1:1(0) ack 1 <nop,nop,TS val 2000001 ecr 0>");
	cr_assert_eq(tcp_listener_waiting(d.l), 1);
}

Dialog(tcp_wait, makes_room_for_a_syn_with_a_higher_number)
{
	wait_with("mss 1000");
	inject(&d, "S 1:1(0) win 500 <mss 1000>");
	expect(&d, ". 2:2(0) ack 2");
	d.peer->know_ours = false;
	inject(&d, "S 3:3(0) win 500 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 4");
	cr_assert_eq(n_wait(), 0);
}

Dialog(tcp_wait, makes_no_room_for_a_cookie)
{
	/* whose first number may lie among those of the old connection */
	struct dialog_peer *waiter, other = { .port = 50000 };
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.max_syn = 1;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	wait_with("mss 1000");
	waiter = d.peer;
	d.peer = &other;
	inject(&d, "S 0:0(0) win 500 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	d.peer = waiter;
	inject(&d, "S 3:3(0) win 500 <mss 1000>");
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(n_wait(), 1);
	d.peer = &other;
	inject(&d, "R 1:1(0)");
	d.peer = waiter;
	d.peer->know_ours = false;
	inject(&d, "S 3:3(0) win 500 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 4");
}

Dialog(tcp_wait, makes_no_room_where_nobody_listens)
{
	wait_with("mss 1000");
	tcp_listener_close(d.tcp, d.l, d.now_ns);
	inject(&d, "S 3:3(0) win 500 <mss 1000>");
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(n_wait(), 1);
}

Dialog(tcp_wait, the_oldest_goes_when_the_table_is_full)
{
	struct dialog_peer peers[3];
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.max_time_wait = 2;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	for (unsigned i = 0; i < 3; i++) {
		peers[i] = (struct dialog_peer){ .port = (uint16_t)(50000 + i) };
		d.peer = &peers[i];
		dialog_accept(&d, "mss 1000", 65535);
		dialog_close(&d);
		expect(&d, "F. 1:1(0) ack 1");
		inject(&d, "F. 1:1(0) ack 2");
		expect(&d, ". 2:2(0) ack 2");
		tick(&d, 10);
	}
	cr_assert_eq(n_wait(), 2);
	cr_assert_eq(tcp_stats(d.tcp)->time_wait_dropped, 1);
	d.peer = &peers[0];
	inject(&d, "F. 1:1(0) ack 2");
	expect(&d, "R 2:2(0)");
	d.peer = &peers[1];
	inject(&d, "F. 1:1(0) ack 2");
	expect(&d, ". 2:2(0) ack 2");
}

/* We connected from @port and closed first. */
static void wait_connected(uint16_t port, const char *syn_ack)
{
	struct flow f = { .remote = dialog_peer_addr(&d),
			  .local_port = port,
			  .remote_port = d.peer->port };

	d.local_port = port;
	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &d.c), 0);
	dialog_turn(&d);
	expect(&d, "S 0:0(0)");
	inject(&d, syn_ack);
	expect(&d, ". 1:1(0) ack 1");
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 1");
	inject(&d, "F. 1:1(0) ack 2");
	expect(&d, ". 2:2(0) ack 2");
	cr_assert_eq(n_wait(), 1);
}

static int connect_from(uint16_t port)
{
	struct flow f = { .remote = dialog_peer_addr(&d),
			  .local_port = port,
			  .remote_port = d.peer->port };
	int err = tcp_connect(d.tcp, &f, NULL, d.now_ns, &d.c);

	dialog_turn(&d);
	return err;
}

Dialog(tcp_wait, is_succeeded_by_our_own_connect_with_timestamps)
{
	uint32_t old_isn;

	wait_connected(700, "S. 0:0(0) ack 1 win 500 <mss 1000,nop,nop,TS val 5 ecr 0>");
	old_isn = d.peer->our_isn;
	tick(&d, 10);
	cr_assert_eq(connect_from(700), 0);
	d.peer->know_ours = false;
	expect(&d, "S 0:0(0)");
	cr_assert_gt((int32_t)(d.peer->our_isn - old_isn), 65535);
	cr_assert_eq(n_wait(), 0);
}

Dialog(tcp_wait, holds_the_port_without_timestamps)
{
	wait_connected(700, "S. 0:0(0) ack 1 win 500 <mss 1000>");
	cr_assert_eq(connect_from(700), -EADDRINUSE);
	tick(&d, 61 * 1000);
	cr_assert_eq(connect_from(700), 0);
	d.peer->know_ours = false;
	expect(&d, "S 0:0(0)");
}

Dialog(tcp_wait, checks_timestamps)
{
	/* RFC 7323 5: the answer to an old duplicate is an ACK, not a new wait */
	wait_with("mss 1000,nop,nop,TS val 1000 ecr 0");
	inject(&d, "P. 2:3(1) ack 2 <nop,nop,TS val 1 ecr 0>");
	expect(&d, ". 2:2(0) ack 2 <nop,nop,TS>");
}

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/lib/tcp_dialog.h"

/* RFC 5961: somebody who guesses. */

static struct dialog d;

static void open_and_send(void)
{
	dialog_accept(&d, "mss 1000", 20000);
	dialog_write(&d, 1000);
	expect(&d, "P. 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 20000");
	nothing(&d);
}

Dialog(tcp_blind, a_reset_must_have_the_very_next_number)
{
	/* RFC 5961 3.2 */
	open_and_send();
	inject(&d, "R 2:2(0)");
	cr_assert_eq(d.verdict, V_TCP_BAD_RST);
	expect(&d, ". 1001:1001(0) ack 1");
	tick(&d, 500);
	inject(&d, "R 60000:60000(0)");
	expect(&d, ". 1001:1001(0) ack 1");
	inject(&d, "R 0:0(0)");
	inject(&d, "R 70000:70000(0)");
	nothing(&d);
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
	inject(&d, "R 1:1(0)");
	cr_assert_eq(tcp_error(d.c), ECONNRESET);
}

Dialog(tcp_blind, a_syn_is_only_challenged)
{
	/* RFC 5961 4.2 */
	open_and_send();
	inject(&d, "S 1:1(0) win 1000 <mss 1000>");
	cr_assert_eq(d.verdict, V_TCP_SYN_IN_WINDOW);
	expect(&d, ". 1001:1001(0) ack 1");
	tick(&d, 500);
	inject(&d, "S 90000:90000(0) win 1000 <mss 1000>");
	expect(&d, ". 1001:1001(0) ack 1");
	tick(&d, 500);
	inject(&d, "S. 1:1(0) ack 1001 win 1000 <mss 1000>");
	expect(&d, ". 1001:1001(0) ack 1");
	cr_assert_eq(tcp_stats(d.tcp)->challenge_ack, 3);
	cr_assert_eq(dialog_state(&d), TCP_ESTABLISHED);
}

Dialog(tcp_blind, data_must_have_a_possible_ack)
{
	/* RFC 5961 5.2 */
	open_and_send();
	inject(&d, "P. 1:11(10) ack 1002");
	cr_assert_eq(d.verdict, V_TCP_BAD_ACK);
	expect(&d, ". 1001:1001(0) ack 1");
	/* older than the largest window that there ever was */
	tick(&d, 500);
	d.peer->our_isn -= 30000;
	inject(&d, "P. 1:11(10) ack 2000");
	cr_assert_eq(d.verdict, V_TCP_BAD_ACK);
	d.peer->our_isn += 30000;
	expect(&d, ". 1001:1001(0) ack 1");
	cr_assert_eq(tcp_recv_ready(d.c), 0);
	/* old, but possible */
	inject(&d, "P. 1:11(10) ack 1");
	cr_assert_eq(tcp_recv_ready(d.c), 10);
	expect(&d, ". 1001:1001(0) ack 11");
}

Dialog(tcp_blind, data_must_have_an_ack)
{
	open_and_send();
	inject(&d, "P 1:11(10)");
	cr_assert_eq(d.verdict, V_TCP_NO_ACK);
	nothing(&d);
	cr_assert_eq(tcp_recv_ready(d.c), 0);
}

static struct dialog_peer peers[60];

static void accept_from(unsigned i)
{
	peers[i] = (struct dialog_peer){ .port = (uint16_t)(30000 + i), .isn = i };
	d.peer = &peers[i];
	dialog_accept(&d, "mss 1000", 65535);
}

Dialog(tcp_blind, challenges_are_limited_by_a_number_nobody_knows)
{
	/* RFC 5961 7; with jitter, so that the limit is no side channel */
	enum { N = 60, PER_S = 20, ROUNDS = 8 };
	uint64_t sent[ROUNDS], last = 0;
	unsigned n_different = 0;
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.challenge_ack_per_s = PER_S;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	for (unsigned k = 0; k < N; k++)
		accept_from(k);
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (unsigned k = 0; k < N; k++) {
			d.peer = &peers[k];
			inject(&d, "R 2:2(0)");
		}
		sent[i] = tcp_stats(d.tcp)->challenge_ack - last;
		last = tcp_stats(d.tcp)->challenge_ack;
		cr_assert(sent[i] >= PER_S / 2 && sent[i] <= PER_S + PER_S / 2, "%lu",
			  sent[i]);
		n_different += i && sent[i] != sent[i - 1];
		dialog_drop(&d);
		tick(&d, 1000);
	}
	cr_assert_geq(n_different, 5);
	cr_assert_eq(tcp_stats(d.tcp)->challenge_held, ROUNDS * N - last);
}

Dialog(tcp_blind, one_connection_cannot_use_up_the_challenges_of_others)
{
	accept_from(0);
	for (unsigned i = 0; i < 2000; i++)
		inject(&d, "R 2:2(0)");
	cr_assert_eq(tcp_stats(d.tcp)->challenge_ack, 1);
	dialog_drop(&d);
	accept_from(1);
	inject(&d, "R 2:2(0)");
	expect(&d, ". 1:1(0) ack 1");
	/* Nor can who sends SYNs only. */
	d.peer = &peers[2];
	peers[2] = (struct dialog_peer){ .port = 31000 };
	inject(&d, "S 0:0(0) win 1000 <mss 1000>");
	for (unsigned i = 0; i < 2000; i++)
		inject(&d, "S 5:5(0) win 1000 <mss 1000>");
	dialog_drop(&d);
	accept_from(3);
	inject(&d, "R 2:2(0)");
	expect(&d, ". 1:1(0) ack 1");
}

Dialog(tcp_blind, two_ends_that_disagree_do_not_answer_each_other_for_ever)
{
	open_and_send();
	for (unsigned i = 0; i < 100; i++)
		inject(&d, ". 80000:80000(0) ack 1001");
	cr_assert_eq(d.ip.n_waiting, 1);
	dialog_drop(&d);
}

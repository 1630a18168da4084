#include <criterion/criterion.h>
#include <stdio.h>

#include "tcp/conn.h"
#include "tests/lib/tcp_dialog.h"

static struct dialog d;

/* 2000 bytes are there and read: nothing is borrowed for the connection. */
static void begin(void)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	inject(&d, ". 1:1001(1000) ack 1");
	inject(&d, ". 1001:2001(1000) ack 1");
	dialog_read(&d, 2000);
	dialog_drop(&d);
}

Dialog(tcp_dsack, a_segment_again_is_reported_below_the_ack)
{
	/* RFC 2883 4.1.1 */
	begin();
	inject(&d, ". 1001:2001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 2001 <nop,nop,sack 1001:2001>");
	nothing(&d);
	/* Once. */
	inject(&d, ". 2001:3001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 3001");
	nothing(&d);
	dialog_read(&d, 1000);
	cr_assert_eq(tcp_stats(d.tcp)->dsack_out, 1);
}

Dialog(tcp_dsack, the_old_part_of_a_segment_is_reported)
{
	/* RFC 2883 4.2: "Reporting Partial Duplicate Segments" */
	begin();
	inject(&d, ". 1501:2501(1000) ack 1");
	expect(&d, ". 1:1(0) ack 2501 <nop,nop,sack 1501:2001>");
	nothing(&d);
	dialog_read(&d, 500);
}

Dialog(tcp_dsack, inside_an_island_the_island_follows)
{
	/* RFC 2883 4.1.3: the second block is the larger one that holds the first */
	begin();
	inject(&d, ". 3001:4001(1000) ack 1");
	inject(&d, ". 4001:5001(1000) ack 1");
	inject(&d, ". 6001:7001(1000) ack 1");
	dialog_drop(&d);
	inject(&d, ". 4001:5001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 2001 <nop,nop,sack 4001:5001 3001:5001 6001:7001>");
	nothing(&d);
	/* New bytes around an old part. */
	inject(&d, ". 5501:6501(1000) ack 1");
	expect(&d, ". 1:1(0) ack 2001 <nop,nop,sack 6001:6501 5501:7001 3001:5001>");
	nothing(&d);
	inject(&d, ". 2001:3501(1500) ack 1");
	expect(&d, ". 1:1(0) ack 5001 <nop,nop,sack 3001:3501 5501:7001>");
	nothing(&d);
	inject(&d, ". 5001:5501(500) ack 1");
	expect(&d, ". 1:1(0) ack 7001");
	dialog_read(&d, 5000);
	dialog_drop(&d);
}

Dialog(tcp_dsack, the_report_comes_before_four_islands)
{
	begin();
	for (unsigned i = 0; i < 5; i++) {
		char line[64];

		snprintf(line, sizeof(line), ". %u:%u(1000) ack 1", 3001 + 2000 * i,
			 4001 + 2000 * i);
		inject(&d, line);
	}
	dialog_drop(&d);
	inject(&d, ". 1001:2001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 2001 "
		   "<nop,nop,sack 1001:2001 11001:12001 9001:10001 7001:8001>");
	nothing(&d);
	for (unsigned i = 0; i < 5; i++) {
		char line[64];

		snprintf(line, sizeof(line), ". %u:%u(1000) ack 1", 2001 + 2000 * i,
			 3001 + 2000 * i);
		inject(&d, line);
	}
	dialog_read(&d, 10000);
	dialog_drop(&d);
}

Dialog(tcp_dsack, one_ack_for_each_duplicate_at_most)
{
	/* Segments of one burst: what does not fit one report has its own ACK. */
	unsigned n = 0;

	begin();
	hear(&d, ". 1:501(500) ack 1");
	hear(&d, ". 501:1001(500) ack 1");
	dialog_turn(&d);
	expect(&d, ". 1:1(0) ack 2001 <nop,nop,sack 1:1001>");
	nothing(&d);
	hear(&d, ". 1001:2001(1000) ack 1");
	hear(&d, ". 1:501(500) ack 1");
	hear(&d, ". 1:501(500) ack 1");
	dialog_turn(&d);
	expect(&d, ". 1:1(0) ack 2001 <nop,nop,sack 1001:2001>");
	expect(&d, ". 1:1(0) ack 2001 <nop,nop,sack 1:501>");
	expect(&d, ". 1:1(0) ack 2001 <nop,nop,sack 1:501>");
	nothing(&d);
	for (unsigned i = 0; i < 100; i++)
		hear(&d, i % 2 ? ". 3001:3501(500) ack 1" : ". 1:501(500) ack 1");
	dialog_turn(&d);
	n = d.ip.n_waiting;
	cr_assert_leq(n, 100, "%u ACKs for 100 segments", n);
	dialog_drop(&d);
	inject(&d, ". 2001:3001(1000) ack 1");
	dialog_read(&d, 1500);
	dialog_drop(&d);
}

Dialog(tcp_dsack, bare_acks_bring_no_report)
{
	begin();
	tick(&d, 1000);
	inject(&d, ". 1000:1000(0) ack 1");
	expect(&d, ". 1:1(0) ack 2001");
	nothing(&d);
}

Dialog(tcp_dsack, a_fin_again_is_reported)
{
	begin();
	inject(&d, "F. 2001:2001(0) ack 1");
	expect(&d, ". 1:1(0) ack 2002");
	inject(&d, "F. 2001:2001(0) ack 1");
	expect(&d, ". 1:1(0) ack 2002 <nop,nop,sack 2001:2002>");
	inject(&d, "F. 1001:2001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 2002 <nop,nop,sack 1001:2002>");
	nothing(&d);
}

Dialog(tcp_dsack, data_carries_the_report)
{
	/* RFC 2018 4: the option goes with what is sent, and makes room for itself */
	begin();
	hear(&d, ". 1001:2001(1000) ack 1");
	dialog_write(&d, 1000);
	expect(&d, ". 1:989(988) ack 2001 <nop,nop,sack 1001:2001>");
	tick(&d, 1);
	inject(&d, ". 2001:2001(0) ack 1001");
	dialog_drop(&d);
}

Dialog(tcp_dsack, without_sack_there_is_no_report)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 1001");
	expect(&d, ". 1:1(0) ack 1001");
	nothing(&d);
	dialog_read(&d, 1000);
}

Dialog(tcp_dsack, what_was_borrowed_for_it_is_given_back)
{
	begin();
	cr_assert_null(d.c->x);
	inject(&d, ". 1001:2001(1000) ack 1");
	dialog_drop(&d);
	cr_assert_null(d.c->x);
}

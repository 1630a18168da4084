#include <criterion/criterion.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

/* Uses up the quick ACKs of the beginning: the next number of the peer is 1601. */
static void settle(void)
{
	static const char *const lines[] = {
		"P. 1:101(100) ack 1",	   "P. 101:201(100) ack 1",
		"P. 201:301(100) ack 1",   "P. 301:401(100) ack 1",
		"P. 401:501(100) ack 1",   "P. 501:601(100) ack 1",
		"P. 601:701(100) ack 1",   "P. 701:801(100) ack 1",
		"P. 801:901(100) ack 1",   "P. 901:1001(100) ack 1",
		"P. 1001:1101(100) ack 1", "P. 1101:1201(100) ack 1",
		"P. 1201:1301(100) ack 1", "P. 1301:1401(100) ack 1",
		"P. 1401:1501(100) ack 1", "P. 1501:1601(100) ack 1",
	};

	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	for (unsigned i = 0; i < 16; i++) {
		inject(&d, lines[i]);
		cr_assert_eq(d.ip.n_waiting, 1, "quick at the beginning");
		dialog_drop(&d);
		dialog_read(&d, 100);
	}
	nothing(&d);
}

Dialog(tcp_delack, acknowledges_at_once_at_the_beginning)
{
	settle();
	inject(&d, "P. 1601:1701(100) ack 1");
	nothing(&d);
}

Dialog(tcp_delack, waits_40_ms_for_something_to_say)
{
	settle();
	inject(&d, "P. 1601:1701(100) ack 1");
	after(&d, 40, ". 1:1(0) ack 1701");
	tick(&d, 1000);
	nothing(&d);
}

Dialog(tcp_delack, acknowledges_with_data)
{
	settle();
	inject(&d, "P. 1601:1701(100) ack 1");
	tick(&d, 20);
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1701");
	inject(&d, ". 1701:1701(0) ack 11");
	tick(&d, 1000);
	nothing(&d);
}

Dialog(tcp_delack, acknowledges_every_second_full_segment)
{
	/* RFC 5681 4.2 */
	settle();
	inject(&d, ". 1601:2601(1000) ack 1");
	nothing(&d);
	inject(&d, ". 2601:3601(1000) ack 1");
	expect(&d, ". 1:1(0) ack 3601");
	inject(&d, ". 3601:4601(1000) ack 1");
	nothing(&d);
	inject(&d, "P. 4601:4602(1) ack 1");
	expect(&d, ". 1:1(0) ack 4602");
}

Dialog(tcp_delack, acknowledges_a_burst_once)
{
	settle();
	hear(&d, ". 1601:2601(1000) ack 1");
	hear(&d, ". 2601:3601(1000) ack 1");
	hear(&d, ". 3601:4601(1000) ack 1");
	hear(&d, ". 4601:5601(1000) ack 1");
	nothing(&d);
	dialog_turn(&d);
	expect(&d, ". 1:1(0) ack 5601");
	nothing(&d);
}

Dialog(tcp_delack, reads_and_acknowledges_in_one_segment)
{
	/* The program reads before the turn ends: the window is open again. */
	settle();
	hear(&d, ". 1601:2601(1000) ack 1");
	hear(&d, ". 2601:3601(1000) ack 1");
	dialog_read(&d, 2000);
	expect(&d, ". 1:1(0) ack 3601 win 65535");
	nothing(&d);
}

Dialog(tcp_delack, duplicates_at_once_for_each_early_segment)
{
	settle();
	hear(&d, ". 1701:1801(100) ack 1");
	expect(&d, ". 1:1(0) ack 1601 <nop,nop,sack 1701:1801>");
	hear(&d, ". 1801:1901(100) ack 1");
	expect(&d, ". 1:1(0) ack 1601 <nop,nop,sack 1701:1901>");
	dialog_turn(&d);
	nothing(&d);
}

Dialog(tcp_delack, acknowledges_at_once_what_fills_a_gap)
{
	settle();
	inject(&d, ". 1701:1801(100) ack 1");
	inject(&d, ". 1901:2001(100) ack 1");
	dialog_drop(&d);
	inject(&d, ". 1601:1701(100) ack 1");
	expect(&d, ". 1:1(0) ack 1801 <nop,nop,sack 1901:2001>");
	inject(&d, ". 1801:1901(100) ack 1");
	expect(&d, ". 1:1(0) ack 2001 <>");
}

Dialog(tcp_delack, acknowledges_a_repetition_at_once)
{
	settle();
	inject(&d, "P. 1501:1601(100) ack 1");
	expect(&d, ". 1:1(0) ack 1601");
}

Dialog(tcp_delack, acknowledges_a_fin_at_once)
{
	settle();
	inject(&d, "F. 1601:1601(0) ack 1");
	expect(&d, ". 1:1(0) ack 1602");
}

Dialog(tcp_delack, never_acknowledges_an_ack)
{
	settle();
	dialog_write(&d, 10);
	expect(&d, "P. 1:11(10) ack 1601");
	inject(&d, ". 1601:1601(0) ack 11");
	inject(&d, ". 1601:1601(0) ack 11 win 5");
	inject(&d, ". 1601:1601(0) ack 11");
	tick(&d, 1000);
	nothing(&d);
}

Dialog(tcp_delack, old_segments_without_data_are_answered_now_and_then)
{
	/* as keep-alive probes of the peer */
	settle();
	inject(&d, ". 1600:1600(0) ack 1");
	expect(&d, ". 1:1(0) ack 1601");
	inject(&d, ". 1600:1600(0) ack 1");
	nothing(&d);
	tick(&d, 500);
	inject(&d, ". 1600:1600(0) ack 1");
	expect(&d, ". 1:1(0) ack 1601");
	/* with data they are no ping-pong of ACKs */
	inject(&d, ". 1600:1601(1) ack 1");
	expect(&d, ". 1:1(0) ack 1601");
	inject(&d, ". 1600:1601(1) ack 1");
	expect(&d, ". 1:1(0) ack 1601");
}

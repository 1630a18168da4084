#include <criterion/criterion.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

Dialog(tcp_nagle, has_one_small_segment_in_flight)
{
	/* RFC 9293 3.7.4, as Minshall refined it */
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1");
	dialog_write(&d, 100);
	dialog_write(&d, 100);
	nothing(&d);
	inject(&d, ". 1:1(0) ack 101");
	expect(&d, "P. 101:301(200) ack 1");
}

Dialog(tcp_nagle, an_empty_last_part_ends_what_more_held_back)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write_more(&d, 100);
	nothing(&d);
	cr_assert_eq(tcp_send(d.tcp, d.c, "", 0, false), 0);
	dialog_turn(&d);
	expect(&d, "P. 1:101(100) ack 1");
}

Dialog(tcp_nagle, full_segments_do_not_wait)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1");
	dialog_write(&d, 1500);
	expect(&d, ". 101:1101(1000) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 101");
	expect(&d, "P. 1101:1601(500) ack 1");
}

Dialog(tcp_nagle, a_small_tail_goes_with_the_full_ones_before_it)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 2100);
	expect(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 1001:2001(1000) ack 1");
	expect(&d, "P. 2001:2101(100) ack 1");
}

Dialog(tcp_nagle, is_off_with_nodelay)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1");
	dialog_write(&d, 100);
	nothing(&d);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_NODELAY, 1), 0);
	dialog_turn(&d);
	expect(&d, "P. 101:201(100) ack 1");
	dialog_write(&d, 100);
	expect(&d, "P. 201:301(100) ack 1");
}

Dialog(tcp_nagle, a_fin_takes_the_small_segment_along)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 1");
	dialog_write(&d, 100);
	nothing(&d);
	dialog_close(&d);
	expect(&d, "FP. 101:201(100) ack 1");
}

Dialog(tcp_nagle, cork_holds_what_is_not_full)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_CORK, 1);
	dialog_write(&d, 1100);
	expect(&d, ". 1:1001(1000) ack 1");
	nothing(&d);
	inject(&d, ". 1:1(0) ack 1001");
	nothing(&d);
	tcp_set(d.tcp, d.c, TCP_OPT_CORK, 0);
	dialog_turn(&d);
	expect(&d, "P. 1001:1101(100) ack 1");
}

Dialog(tcp_nagle, cork_holds_for_200_ms)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_CORK, 1);
	dialog_write(&d, 100);
	after(&d, 200, "P. 1:101(100) ack 1");
	inject(&d, ". 1:1(0) ack 101");
	dialog_write(&d, 100);
	after(&d, 200, "P. 101:201(100) ack 1");
}

Dialog(tcp_nagle, more_is_not_pushed)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write_more(&d, 1000);
	expect(&d, ". 1:1001(1000) ack 1");
	dialog_write_more(&d, 100);
	nothing(&d);
	/* An ACK releases what the program did not go on with, as on Linux. */
	inject(&d, ". 1:1(0) ack 1001");
	expect(&d, ". 1001:1101(100) ack 1");
	inject(&d, ". 1:1(0) ack 1101");
	dialog_write(&d, 100);
	expect(&d, "P. 1101:1201(100) ack 1");
}

Dialog(tcp_nagle, nodelay_pushes_what_cork_holds)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_CORK, 1);
	dialog_write(&d, 80);
	nothing(&d);
	tcp_set(d.tcp, d.c, TCP_OPT_NODELAY, 1);
	dialog_turn(&d);
	expect(&d, "P. 1:81(80) ack 1");
	dialog_write(&d, 80);
	nothing(&d);
	tcp_set(d.tcp, d.c, TCP_OPT_CORK, 0);
	dialog_turn(&d);
	expect(&d, "P. 81:161(80) ack 1");
}

Dialog(tcp_nagle, more_holds_until_the_last_write)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write_more(&d, 100);
	dialog_write_more(&d, 100);
	nothing(&d);
	dialog_write(&d, 100);
	expect(&d, "P. 1:301(300) ack 1");
	inject(&d, ". 1:1(0) ack 301");
	dialog_write_more(&d, 1200);
	expect(&d, ". 301:1301(1000) ack 1");
	nothing(&d);
	dialog_close(&d);
	expect(&d, "FP. 1301:1501(200) ack 1");
}

#include <criterion/criterion.h>
#include <errno.h>

#include "tcp/tcp_impl.h"
#include "tests/lib/tcp_dialog.h"

/* RFC 6093. */

static struct dialog d;

static ssize_t read_all(char bytes[100])
{
	return tcp_recv(d.tcp, d.c, bytes, 100, false);
}

Dialog(tcp_urgent, points_behind_the_urgent_byte)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write_more(&d, 10);
	tcp_send_urgent(d.tcp, d.c);
	dialog_write(&d, 10);
	expect(&d, "PU. 1:21(20) ack 1 urg 10");
	inject(&d, ". 1:1(0) ack 21");
	dialog_write(&d, 10);
	expect(&d, "P. 21:31(10) ack 1");
}

Dialog(tcp_urgent, every_segment_before_it_points_to_it)
{
	dialog_accept(&d, "mss 1000", 65535);
	d.n_written = 0;
	dialog_write_more(&d, 900);
	dialog_write_more(&d, 1600);
	dialog_drop(&d);
	tcp_send_urgent(d.tcp, d.c);
	dialog_write(&d, 1000);
	expect(&d, "U. 2001:3001(1000) ack 1 urg 500");
	inject(&d, ". 1:1(0) ack 2001");
	expect(&d, "P. 3001:3501(500) ack 1");
	after(&d, 200, "U. 2001:3001(1000) ack 1 urg 500");
}

Dialog(tcp_urgent, is_announced_through_a_closed_window)
{
	/* RFC 9293 3.8.5 */
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 3000);
	expect(&d, ". 1:1001(1000) ack 1");
	inject(&d, ". 1:1(0) ack 1001 win 0");
	tcp_send_urgent(d.tcp, d.c);
	dialog_turn(&d);
	after(&d, 200, "U. 1000:1000(0) ack 1 urg 2001");
}

Dialog(tcp_urgent, numbers_that_were_acknowledged_are_forgotten)
{
	/* 2 GiB later they would be ahead again */
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write_more(&d, 500);
	tcp_send_urgent(d.tcp, d.c);
	dialog_write(&d, 100);
	expect(&d, "PU. 1:601(600) ack 1 urg 500");
	dialog_write(&d, 1000);
	expect(&d, "P. 601:1601(1000) ack 1");
	inject(&d, ". 1:1(0) ack 499");
	cr_assert(d.c->x->snd_urgent && d.c->x->small_out);
	inject(&d, ". 1:1(0) ack 501");
	cr_assert(!d.c->x->snd_urgent && d.c->x->small_out);
	inject(&d, ". 1:1(0) ack 601");
	cr_assert(!d.c->x->small_out);
}

Dialog(tcp_urgent, nothing_queued_is_not_urgent)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_send_urgent(d.tcp, d.c);
	dialog_turn(&d);
	nothing(&d);
}

Dialog(tcp_urgent, the_byte_is_read_out_of_band)
{
	char bytes[100];

	dialog_accept(&d, "mss 1000", 65535);
	while (tcp_ready_pop(d.tcp))
		;
	cr_assert_eq(tcp_recv_urgent(d.tcp, d.c, bytes), -EINVAL);
	inject(&d, "PU. 1:11(10) ack 1 urg 5");
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c);
	cr_assert(tcp_conn_news(d.c) & TCP_URGENT);
	cr_assert_eq(tcp_recv_urgent(d.tcp, d.c, bytes), 1);
	cr_assert_eq((uint8_t)bytes[0], dialog_byte(4));
	cr_assert(!(tcp_conn_news(d.c) & TCP_URGENT));
	cr_assert_eq(tcp_recv_urgent(d.tcp, d.c, bytes), -EINVAL);
	/* The stream stops before it, and steps over it. */
	cr_assert_eq(read_all(bytes), 4);
	cr_assert_eq((uint8_t)bytes[3], dialog_byte(3));
	cr_assert_eq(read_all(bytes), 5);
	cr_assert_eq((uint8_t)bytes[0], dialog_byte(5));
	cr_assert_eq(read_all(bytes), -EAGAIN);
	dialog_drop(&d);
}

Dialog(tcp_urgent, the_byte_is_kept_when_the_stream_passes_it)
{
	char bytes[100];

	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "PU. 1:4(3) ack 1 urg 1");
	cr_assert_eq(read_all(bytes), 2);
	cr_assert_eq((uint8_t)bytes[0], dialog_byte(1));
	cr_assert(tcp_conn_news(d.c) & TCP_URGENT);
	cr_assert_eq(tcp_recv_urgent(d.tcp, d.c, bytes), 1);
	cr_assert_eq((uint8_t)bytes[0], dialog_byte(0));
	cr_assert(!(tcp_conn_news(d.c) & TCP_URGENT));
	dialog_drop(&d);
}

Dialog(tcp_urgent, is_announced_before_the_byte_comes)
{
	char bytes[100];

	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "U. 1:1(0) ack 1 urg 20");
	cr_assert(tcp_conn_news(d.c) & TCP_URGENT);
	cr_assert_eq(tcp_recv_urgent(d.tcp, d.c, bytes), -EAGAIN);
	inject(&d, "P. 1:31(30) ack 1");
	cr_assert_eq(tcp_recv_urgent(d.tcp, d.c, bytes), 1);
	cr_assert_eq((uint8_t)bytes[0], dialog_byte(19));
	cr_assert_eq(read_all(bytes), 19);
	cr_assert_eq(read_all(bytes), 10);
	dialog_drop(&d);
}

Dialog(tcp_urgent, stays_in_the_stream_when_asked)
{
	char bytes[100];

	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_OOBINLINE, 1);
	inject(&d, "PU. 1:11(10) ack 1 urg 5");
	cr_assert(tcp_conn_news(d.c) & TCP_URGENT);
	cr_assert_eq(tcp_recv_urgent(d.tcp, d.c, bytes), -EINVAL);
	cr_assert_eq(read_all(bytes), 4);
	cr_assert_eq(read_all(bytes), 6);
	cr_assert_eq((uint8_t)bytes[0], dialog_byte(4));
	cr_assert(!(tcp_conn_news(d.c) & TCP_URGENT));
	dialog_drop(&d);
}

Dialog(tcp_urgent, a_later_one_takes_its_place)
{
	char bytes[100];

	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "PU. 1:11(10) ack 1 urg 5");
	inject(&d, "PU. 11:21(10) ack 1 urg 3");
	/* and an old one does not */
	inject(&d, "U. 1:11(10) ack 1 urg 5");
	cr_assert_eq(tcp_recv_urgent(d.tcp, d.c, bytes), 1);
	cr_assert_eq((uint8_t)bytes[0], dialog_byte(12));
	cr_assert_eq(read_all(bytes), 12, "the earlier one is a byte like others");
	cr_assert_eq(read_all(bytes), 7);
	dialog_drop(&d);
}

Dialog(tcp_urgent, lent_packets_stop_at_it)
{
	struct pkt *p;

	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "PU. 1:11(10) ack 1 urg 5");
	cr_assert_eq(tcp_recv_pkt(d.tcp, d.c, &p), 0);
	cr_assert_eq(p->total_len, 4);
	tcp_recv_pkt_done(d.tcp, d.c, p);
	cr_assert_eq(tcp_recv_pkt(d.tcp, d.c, &p), 0);
	cr_assert_eq(p->total_len, 5);
	cr_assert_eq(p->data[0], dialog_byte(5));
	tcp_recv_pkt_done(d.tcp, d.c, p);
	dialog_drop(&d);
}

Dialog(tcp_urgent, a_pointer_to_nothing_new_is_ignored)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "PU. 1:11(10) ack 1 urg 0");
	cr_assert(!(tcp_conn_news(d.c) & TCP_URGENT));
	dialog_read(&d, 10);
	inject(&d, "U. 11:11(0) ack 1 urg 0");
	cr_assert(!(tcp_conn_news(d.c) & TCP_URGENT));
	dialog_drop(&d);
}

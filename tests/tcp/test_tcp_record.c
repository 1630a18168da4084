/* Records of a stream (MSG_EOR): where one ends, a segment does. */
#include <criterion/criterion.h>
#include <errno.h>

#include "tcp/conn.h"
#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static void write_record(uint32_t len)
{
	uint8_t bytes[16384];

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = dialog_byte(d.n_written + i);
	cr_assert_eq(tcp_send(d.tcp, d.c, bytes, len, false), (ssize_t)len);
	d.n_written += len;
	tcp_send_end_record(d.tcp, d.c);
}

static void write_plain(uint32_t len)
{
	uint8_t bytes[16384];

	for (uint32_t i = 0; i < len; i++)
		bytes[i] = dialog_byte(d.n_written + i);
	cr_assert_eq(tcp_send(d.tcp, d.c, bytes, len, false), (ssize_t)len);
	d.n_written += len;
}

Dialog(tcp_record, ends_a_segment)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	write_record(400);
	write_record(1400);
	write_plain(2000);
	dialog_turn(&d);
	expect(&d, "P. 1:401(400) ack 1");
	expect(&d, ". 401:1401(1000) ack 1");
	expect(&d, "P. 1401:1801(400) ack 1");
	expect(&d, ". 1801:2801(1000) ack 1");
	expect(&d, "P. 2801:3801(1000) ack 1");
	nothing(&d);
	dialog_drain(&d);
}

Dialog(tcp_record, ends_a_segment_that_is_sent_again)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	write_record(400);
	write_record(400);
	write_plain(1000);
	dialog_turn(&d);
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 801:1801>");
	tick(&d, 100);
	expect(&d, "P. 1:401(400) ack 1");
	expect(&d, "P. 401:801(400) ack 1");
	nothing(&d);
	dialog_drain(&d);
}

Dialog(tcp_record, at_the_end_obeys_nagle)
{
	dialog_accept(&d, "mss 1000", 65535);
	write_record(400);
	dialog_turn(&d);
	expect(&d, "P. 1:401(400) ack 1");
	write_record(400);
	dialog_turn(&d);
	nothing(&d);
	inject(&d, ". 1:1(0) ack 401");
	expect(&d, "P. 401:801(400) ack 1");
	inject(&d, ". 1:1(0) ack 801");
}

Dialog(tcp_record, pins_at_most_four_times_its_bytes)
{
	uint32_t n = 0;
	ssize_t r;

	dialog_accept(&d, "mss 1000", 0);
	cr_assert_eq(tcp_set(d.tcp, d.c, TCP_OPT_SNDBUF, 65536), 0);
	while ((r = tcp_send(d.tcp, d.c, (uint8_t[1]){ 0 }, 1, false)) > 0) {
		tcp_send_end_record(d.tcp, d.c);
		n++;
	}
	cr_assert_eq(r, -EAGAIN);
	cr_assert_geq(n, 60);
	cr_assert_leq(n, 66, "a buffer of 4 KiB each: %u", n);
}

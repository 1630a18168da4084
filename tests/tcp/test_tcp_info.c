/* What is told of a connection's life, and how long the bursts are that it sends. */
#include <criterion/criterion.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static struct tcp_conn_info info(void)
{
	struct tcp_conn_info i;

	tcp_conn_info(d.tcp, d.c, &i);
	return i;
}

Dialog(tcp_info, a_connection_without_bytes_counts_its_handshake)
{
	dialog_accept(&d, "mss 1000", 65535);
	cr_assert_eq(info().delivered, 1);
	cr_assert_eq(info().data_segs_in + info().data_segs_out, 0);
	cr_assert_eq(info().pmtu, 1500 + fake_ip_more(&d.ip));
	cr_assert_eq(info().advmss, 1460);
	tcp_set(d.tcp, d.c, TCP_OPT_MAXSEG, 1100);
	cr_assert_eq(info().advmss, 1100);
}

Dialog(tcp_info, counts_segments_both_ways)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	dialog_write(&d, 2500);
	dialog_drop(&d);
	dialog_write(&d, 100);
	cr_assert_eq(info().data_segs_out, 3);
	cr_assert_eq(info().unsent, 100);
	inject(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>");
	cr_assert_eq(info().delivered, 2);
	inject(&d, ". 1:1(0) ack 2501");
	expect(&d, "P. 2501:2601(100) ack 1");
	cr_assert_eq(info().delivered, 4, "what was reported counts once");
	inject(&d, "P. 1:101(100) ack 2601");
	inject(&d, "P. 201:301(100) ack 2601");
	dialog_drop(&d);
	cr_assert_eq(info().delivered, 5);
	cr_assert_eq(info().data_segs_in, 2);
	cr_assert_eq(info().segs_early, 1);
	cr_assert_eq(info().segs_retrans, 0);
}

Dialog(tcp_info, counts_what_is_sent_again)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 1000);
	expect(&d, "P. 1:1001(1000) ack 1");
	tick(&d, 1000);
	expect(&d, "P. 1:1001(1000) ack 1");
	dialog_drop(&d);
	cr_assert_geq(info().segs_retrans, 1);
	cr_assert_eq(info().data_segs_out, 1 + info().segs_retrans);
}

Dialog(tcp_info, tells_how_long_ago_things_came)
{
	dialog_accept(&d, "mss 1000", 65535);
	tick(&d, 1000);
	cr_assert_eq(info().rx_age_ms, 1000);
	inject(&d, "P. 1:101(100) ack 1");
	dialog_drop(&d);
	tick(&d, 300);
	inject(&d, ". 101:101(0) ack 1");
	dialog_drop(&d);
	cr_assert_eq(info().rx_age_ms, 300);
	cr_assert_eq(info().ack_age_ms, 0);
}

Dialog(tcp_info, tells_what_a_sender_waited_for)
{
	dialog_accept(&d, "mss 1000", 1000);
	tick(&d, 100);
	cr_assert_eq(info().busy_us, 0);
	dialog_write(&d, 1000);
	tick(&d, 20);
	inject(&d, ". 1:1(0) ack 1001 win 10");
	dialog_drop(&d);
	cr_assert_eq(info().busy_us, 20000);
	tick(&d, 50);
	cr_assert_eq(info().busy_us, 20000, "idle in between");
	dialog_write(&d, 1000);
	tick(&d, 100);
	cr_assert_eq(info().rwnd_limited_us, 100000);
	inject(&d, ". 1:1(0) ack 1001 win 2000");
	dialog_drop(&d);
	tick(&d, 30);
	inject(&d, ". 1:1(0) ack 2001 win 2000");
	cr_assert_eq(info().rwnd_limited_us, 100000);
	cr_assert_eq(info().sndbuf_limited_us, 0);
	cr_assert_eq(info().busy_us, 150000);
}

Dialog(tcp_info, tells_that_the_send_buffer_was_too_small)
{
	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_SNDBUF, 5000);
	dialog_write(&d, 5000);
	tick(&d, 50);
	dialog_drop(&d);
	/* The program wrote all that it could and waits to write more. */
	cr_assert_eq(info().sndbuf_limited_us, 50000);
	inject(&d, ". 1:1(0) ack 5001");
	tick(&d, 50);
	cr_assert_eq(info().sndbuf_limited_us, 50000);
}

/* The payload of the first packet of a flow with that round trip. */
static uint32_t first_burst(unsigned rtt_ms)
{
	d.ip.gso = true;
	dialog_listen(&d, 1);
	inject(&d, "S 0:0(0) win 65535 <mss 1000>");
	expect(&d, "S. 0:0(0) ack 1");
	tick(&d, rtt_ms);
	inject(&d, ". 1:1(0) ack 1 win 65535");
	d.c = tcp_accept(d.tcp, d.l, &d);
	dialog_drop(&d);
	dialog_write(&d, 10000);
	d.last = fake_ip_pop(&d.ip);
	return d.last->total_len - 20;
}

Dialog(tcp_info, bursts_of_a_slow_flow_are_short)
{
	cr_assert_eq(first_burst(100), 2000);
	dialog_drop(&d);
}

Dialog(tcp_info, bursts_over_a_short_path_are_half_of_cwnd)
{
	cr_assert_eq(first_burst(0), 5000);
	dialog_drop(&d);
}

#include <criterion/criterion.h>
#include <errno.h>

#include "ip/ip.h"
#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static ssize_t read_byte(void)
{
	char byte;

	return tcp_recv(d.tcp, d.c, &byte, 1, false);
}

/* ---- sending ---- */

Dialog(tcp_data, cuts_what_is_written_into_segments)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 2500);
	expect(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 1001:2001(1000) ack 1");
	expect(&d, "P. 2001:2501(500) ack 1");
	nothing(&d);
}

Dialog(tcp_data, puts_small_writes_of_a_turn_together)
{
	uint8_t b[4] = { dialog_byte(0), dialog_byte(1), dialog_byte(2), dialog_byte(3) };

	dialog_accept(&d, "mss 1000", 65535);
	for (unsigned i = 0; i < 4; i++)
		cr_assert_eq(tcp_send(d.tcp, d.c, b + i, 1, false), 1);
	dialog_turn(&d);
	expect(&d, "P. 1:5(4) ack 1");
}

Dialog(tcp_data, sends_super_segments_where_the_way_down_cuts_them)
{
	d.ip.gso = true;
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 4500);
	expect(&d, "P. 1:4501(4500) ack 1");
	cr_assert_eq(d.last->gso_len, 1000);
	cr_assert(d.last->flags & PKT_SUM_PARTIAL);
	cr_assert_eq(d.last->cb[0], IP_DF);
	nothing(&d);
	inject(&d, ". 1:1(0) ack 4501");
	dialog_write(&d, 1000);
	expect(&d, "P. 4501:5501(1000) ack 1");
	cr_assert_eq(d.last->gso_len, 0, "one segment is none to cut");
}

Dialog(tcp_data, a_super_segment_is_at_most_half_of_cwnd_and_pushed)
{
	d.ip.gso = true;
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 20000);
	expect(&d, "P. 1:5001(5000) ack 1");
	expect(&d, "P. 5001:10001(5000) ack 1");
	nothing(&d);
	/* One segment is pushed by the end of what was written alone. */
	inject(&d, ". 1:1(0) ack 1001 win 10000");
	expect(&d, ". 10001:11001(1000) ack 1");
}

Dialog(tcp_data, a_super_segment_is_at_most_64_kib)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.sndbuf = 400000;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	d.ip.gso = true;
	dialog_accept(&d, "mss 1460,nop,wscale 7", 65535);
	inject(&d, ". 1:1(0) ack 1 win 65535");
	for (unsigned i = 0; i < 60; i++) {
		dialog_write(&d, 200000);
		dialog_drain(&d);
	}
	dialog_drop(&d);
	dialog_write(&d, 100000);
	d.last = fake_ip_pop(&d.ip);
	cr_assert_eq(d.last->total_len, 20 + 44 * 1460);
	dialog_drop(&d);
}

Dialog(tcp_data, sends_again_by_reference)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 3000);
	cr_assert_eq(d.pool.bufs.n_out, 1);
	tick(&d, 250);
	cr_assert_eq(d.pool.bufs.n_out, 1);
	expect(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 1001:2001(1000) ack 1");
	expect(&d, "P. 2001:3001(1000) ack 1");
	expect(&d, ". 1:1001(1000) ack 1");
}

Dialog(tcp_data, takes_a_packet_whole)
{
	struct pkt *p;

	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_SNDBUF, 4096);
	p = pkt_new_buf(&d.pool, PKT_DATA, 0);
	for (uint32_t i = 0; i < 3000; i++)
		pkt_append(p, &(uint8_t){ dialog_byte(i) }, 1);
	cr_assert_eq(tcp_send_pkt(d.tcp, d.c, p), 0);
	dialog_turn(&d);
	expect(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 1001:2001(1000) ack 1");
	expect(&d, "P. 2001:3001(1000) ack 1");
	p = pkt_new_buf(&d.pool, PKT_DATA, 0);
	p->len = p->total_len = 2000;
	cr_assert_eq(tcp_send_pkt(d.tcp, d.c, p), -EAGAIN, "all or nothing");
	pkt_free(p);
	dialog_shutdown(&d);
	expect(&d, "F. 3001:3001(0) ack 1");
	p = pkt_new_buf(&d.pool, PKT_DATA, 0);
	cr_assert_eq(tcp_send_pkt(d.tcp, d.c, p), -EPIPE);
	pkt_free(p);
}

Dialog(tcp_data, is_writable_again_when_a_third_is_free)
{
	char bytes[8192] = { 0 };

	dialog_accept(&d, "mss 1000", 65535);
	tcp_set(d.tcp, d.c, TCP_OPT_SNDBUF, 6000);
	while (tcp_ready_pop(d.tcp))
		;
	cr_assert_eq(tcp_send_room(d.c), 6000);
	cr_assert_eq(tcp_send(d.tcp, d.c, bytes, sizeof(bytes), false), 6000);
	cr_assert_eq(tcp_send(d.tcp, d.c, bytes, 1, false), -EAGAIN);
	cr_assert(!(tcp_conn_news(d.c) & TCP_WRITABLE));
	dialog_turn(&d);
	inject(&d, ". 1:1(0) ack 1001");
	cr_assert_null(tcp_ready_pop(d.tcp));
	cr_assert(!(tcp_conn_news(d.c) & TCP_WRITABLE));
	inject(&d, ". 1:1(0) ack 2001");
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c);
	cr_assert(tcp_conn_news(d.c) & TCP_WRITABLE);
	inject(&d, ". 1:1(0) ack 3001");
	cr_assert_null(tcp_ready_pop(d.tcp), "told once");
	dialog_drop(&d);
}

Dialog(tcp_data, lets_others_speak_after_sixteen_packets)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.sndbuf = 400000;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	dialog_accept(&d, "mss 100,nop,wscale 7", 65535);
	inject(&d, ". 1:1(0) ack 1 win 65535");
	for (unsigned i = 0; i < 10; i++) {
		dialog_write(&d, 4000);
		dialog_drain(&d);
	}
	dialog_write(&d, 2400);
	cr_assert_eq(d.ip.n_waiting, 16);
	cr_assert(tcp_wants_to_speak(d.tcp));
	dialog_turn(&d);
	cr_assert_eq(d.ip.n_waiting, 24);
	dialog_drop(&d);
}

Dialog(tcp_data, counts_what_it_does)
{
	struct tcp_conn_info info;

	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 1500);
	inject(&d, "P. 1:101(100) ack 1001");
	dialog_read(&d, 100);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.bytes_acked, 1000);
	cr_assert_eq(info.bytes_sent, 1500);
	cr_assert_eq(info.bytes_received, 100);
	cr_assert_eq(info.unacked, 500);
	cr_assert_eq(info.sndq_len, 500);
	cr_assert_eq(info.segs_in, 2);
	cr_assert_str_eq(info.cc, "reno");
	cr_assert_eq(tcp_stats(d.tcp)->bytes_out, 1500);
	cr_assert_eq(tcp_stats(d.tcp)->bytes_in, 100);
	dialog_drop(&d);
}

/* ---- receiving ---- */

Dialog(tcp_data, gives_bytes_in_order)
{
	char bytes[10];

	dialog_accept(&d, "mss 1000", 65535);
	while (tcp_ready_pop(d.tcp))
		;
	cr_assert_eq(read_byte(), -EAGAIN);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c);
	cr_assert_eq(tcp_recv_ready(d.c), 10);
	cr_assert(tcp_conn_news(d.c) & TCP_READABLE);
	cr_assert_eq(tcp_recv(d.tcp, d.c, bytes, 4, true), 4);
	cr_assert_eq((uint8_t)bytes[3], dialog_byte(3));
	dialog_read(&d, 10);
	cr_assert(!(tcp_conn_news(d.c) & TCP_READABLE));
	cr_assert_eq(read_byte(), -EAGAIN);
}

Dialog(tcp_data, cuts_off_what_came_before)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	inject(&d, "P. 6:16(10) ack 1");
	expect(&d, ". 1:1(0) ack 16");
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 16");
	dialog_read(&d, 15);
	cr_assert_eq(read_byte(), -EAGAIN);
}

Dialog(tcp_data, cuts_off_what_lies_behind_the_window)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.rcvbuf = 5000;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "P. 1:4001(4000) ack 1");
	expect(&d, ". 1:1(0) ack 4001 win 1000");
	inject(&d, "P. 4001:6001(2000) ack 1");
	expect(&d, ". 1:1(0) ack 5001 win 0");
	inject(&d, "P. 5001:6001(1000) ack 1");
	cr_assert_eq(d.verdict, V_TCP_NOT_IN_WINDOW);
	expect(&d, ". 1:1(0) ack 5001 win 0");
	inject(&d, "P. 7001:8001(1000) ack 1");
	cr_assert_eq(d.verdict, V_TCP_NOT_IN_WINDOW);
	expect(&d, ". 1:1(0) ack 5001 win 0");
	dialog_read(&d, 5000);
	cr_assert_eq(read_byte(), -EAGAIN);
}

Dialog(tcp_data, keeps_what_came_early_and_reports_it)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	inject(&d, ". 11:21(10) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 11:21>");
	inject(&d, ". 31:41(10) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 31:41 11:21>");
	inject(&d, ". 51:61(10) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 51:61 31:41 11:21>");
	inject(&d, ". 21:31(10) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 11:41 51:61>");
	inject(&d, ". 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 41 <nop,nop,sack 51:61>");
	dialog_read(&d, 40);
	inject(&d, ". 41:51(10) ack 1");
	expect(&d, ". 1:1(0) ack 61 <>");
	dialog_read(&d, 20);
	cr_assert_eq(tcp_stats(d.tcp)->dup_ack_out, 4);
	cr_assert_eq(tcp_stats(d.tcp)->ooo_bytes, 40);
}

Dialog(tcp_data, reports_to_those_who_understand)
{
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, ". 11:21(10) ack 1");
	expect(&d, ". 1:1(0) ack 1 <>");
}

Dialog(tcp_data, reports_three_islands_beside_timestamps)
{
	dialog_accept(&d, "mss 1000,sackOK,TS val 1 ecr 0", 65535);
	inject(&d, ". 11:21(10) ack 1");
	inject(&d, ". 31:41(10) ack 1");
	inject(&d, ". 51:61(10) ack 1");
	inject(&d, ". 71:81(10) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS,nop,nop,sack 11:21>");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS,nop,nop,sack 31:41 11:21>");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS,nop,nop,sack 51:61 31:41 11:21>");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,TS,nop,nop,sack 71:81 51:61 31:41>");
}

Dialog(tcp_data, makes_room_for_reports_in_its_own_segments)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	inject(&d, ". 11:21(10) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 11:21>");
	dialog_write(&d, 2000);
	expect(&d, ". 1:989(988) ack 1 <nop,nop,sack 11:21>");
	expect(&d, ". 989:1977(988) ack 1 <nop,nop,sack 11:21>");
	expect(&d, "P. 1977:2001(24) ack 1 <nop,nop,sack 11:21>");
}

Dialog(tcp_data, bounds_what_comes_early)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.ooo_bytes_max = 6000; /* one buffer, and not two */
	dialog_end(&d);
	dialog_begin(&d, &conf);
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	inject(&d, ". 1001:1901(900) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:1901>");
	inject(&d, ". 3001:3201(200) ack 1");
	expect(&d, ". 1:1(0) ack 1 <nop,nop,sack 1001:1901>");
	cr_assert_eq(tcp_stats(d.tcp)->ooo_drop, 1);
	inject(&d, "P. 1:1001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 1901 <>");
	dialog_read(&d, 1900);
}

Dialog(tcp_data, lends_packets)
{
	struct tcp_conn_info info;
	struct pkt *p, *q;

	dialog_accept(&d, "mss 1000", 65535);
	cr_assert_eq(tcp_recv_pkt(d.tcp, d.c, &p), -EAGAIN);
	inject(&d, "P. 1:2001(2000) ack 1");
	inject(&d, "P. 2001:4001(2000) ack 1");
	expect(&d, ". 1:1(0) ack 2001 win 63535");
	expect(&d, ". 1:1(0) ack 4001 win 61535");
	cr_assert_eq(tcp_recv_pkt(d.tcp, d.c, &p), 0);
	cr_assert_eq(tcp_recv_pkt(d.tcp, d.c, &q), 0);
	cr_assert_eq(p->total_len, 2000);
	cr_assert_eq(q->data[0], dialog_byte(2000));
	cr_assert_eq(tcp_recv_ready(d.c), 0);
	dialog_turn(&d);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.rcv_wnd, 61535, "lent bytes count against the window");
	tcp_recv_pkt_done(d.tcp, d.c, q);
	tcp_recv_pkt_done(d.tcp, d.c, p);
	dialog_turn(&d);
	inject(&d, "FP. 4001:4002(1) ack 1");
	expect(&d, ". 1:1(0) ack 4003");
	cr_assert_eq(tcp_recv_pkt(d.tcp, d.c, &p), 0);
	cr_assert_eq(p->total_len, 1);
	tcp_recv_pkt_done(d.tcp, d.c, p);
	cr_assert_eq(tcp_recv_pkt(d.tcp, d.c, &p), 0);
	cr_assert_null(p, "the end");
}

Dialog(tcp_data, reads_super_frames)
{
	struct tcp_conn_info info;

	d.gso_len = 1000;
	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "P. 1:30001(30000) ack 1");
	expect(&d, ". 1:1(0) ack 30001");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.rcv_mss, 1000);
	dialog_read(&d, 30000);
}

Dialog(tcp_data, takes_a_frame_put_together_on_its_way_for_many_segments)
{
	struct tcp_conn_info info;

	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "P. 1:30001(30000) ack 1");
	expect(&d, ". 1:1(0) ack 30001");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.rcv_mss, 1460, "no longer than we announced");
	dialog_read(&d, 30000);
}

Dialog(tcp_data, an_idle_connection_borrows_nothing)
{
	struct tcp_conn_info info;

	dialog_accept(&d, "mss 1000", 65535);
	inject(&d, "P. 1:101(100) ack 1");
	dialog_read(&d, 100);
	dialog_write(&d, 100);
	inject(&d, ". 101:101(0) ack 101");
	tick(&d, 1000);
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert_eq(info.sndq_len + info.rcvq_len + info.unacked, 0);
	dialog_drop(&d);
	cr_assert_eq(d.pool.pkts.n_out, 0);
	cr_assert_eq(d.wheel.n_armed, 0);
}

/* ---- what is not for a connection ---- */

Dialog(tcp_data, refuses_bad_sums_and_headers)
{
	struct pkt *p;

	dialog_accept(&d, "mss 1000", 65535);
	for (unsigned i = 0; i < 20; i++) {
		uint8_t header[21] = { [12] = 0x50, [16] = 1 };

		p = pkt_new_buf(&d.pool, PKT_DATA, 0);
		pkt_append(p, header, i);
		cr_assert_eq(tcp_input(d.tcp, p, d.now_ns).verdict, V_SHORT);
		pkt_free(p);
	}
	p = pkt_new_buf(&d.pool, PKT_DATA, 0);
	pkt_append(p, (uint8_t[20]){ [12] = 0x40 }, 20);
	cr_assert_eq(tcp_input(d.tcp, p, d.now_ns).verdict, V_TCP_BAD_HEADER);
	pkt_free(p);
	p = pkt_new_buf(&d.pool, PKT_DATA, 0);
	pkt_append(p, (uint8_t[20]){ [12] = 0x50 }, 20);
	p->src = p->dst = d.ip.ours;
	cr_assert_eq(tcp_input(d.tcp, p, d.now_ns).verdict, V_TCP_BAD_SUM);
	p->flags = PKT_SUM_OK | PKT_BROADCAST;
	cr_assert_eq(tcp_input(d.tcp, p, d.now_ns).verdict, V_TCP_NO_SOCKET);
	pkt_free(p);
	nothing(&d);
}

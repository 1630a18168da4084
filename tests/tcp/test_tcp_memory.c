#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "stack/base/clock.h"
#include "tests/lib/tcp_dialog.h"

/* A pool that is empty: later, never a stall. */

static struct dialog d;
static struct pkt *hoard;

static void take(struct pkt *p)
{
	p->link = hoard;
	hoard = p;
}

/* Takes buffers until @level tenths are left. */
static void drain_bufs(unsigned level)
{
	while (pkt_pool_level(&d.pool) > level)
		take(pkt_new_buf(&d.pool, PKT_DATA, 0));
}

/* Takes every descriptor. */
static void drain_all(void)
{
	struct pkt *p;

	while ((p = pkt_new(&d.pool, PKT_CONTROL)))
		take(p);
}

static void give_back(void)
{
	pkt_free_list(hoard);
	hoard = NULL;
}

static uint32_t rcv_wnd(void)
{
	struct tcp_conn_info info;

	tcp_conn_info(d.tcp, d.c, &info);
	return info.rcv_wnd;
}

Dialog(tcp_memory, writes_are_refused_and_told_when_there_is_room)
{
	char byte = (char)dialog_byte(0);

	dialog_accept(&d, "mss 1000", 65535);
	while (tcp_ready_pop(d.tcp))
		;
	drain_bufs(0);
	cr_assert_eq(tcp_send(d.tcp, d.c, &byte, 1, false), -EAGAIN);
	cr_assert(!(tcp_conn_news(d.c) & TCP_WRITABLE));
	tick(&d, 100);
	cr_assert_null(tcp_ready_pop(d.tcp));
	/* Something that arrives meanwhile does not make it forget. */
	inject(&d, ". 1:1(0) ack 1");
	give_back();
	tick(&d, 30);
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c);
	cr_assert(tcp_conn_news(d.c) & TCP_WRITABLE);
	cr_assert_eq(tcp_send(d.tcp, d.c, &byte, 1, false), 1);
	dialog_turn(&d);
	expect(&d, "P. 1:2(1) ack 1");
}

/* Writes until no more is taken; how many bytes. */
static size_t write_all(struct tcp_conn *c)
{
	static const uint8_t zeros[65536];
	size_t sum = 0;
	ssize_t n;

	while ((n = tcp_send(d.tcp, c, zeros, sizeof(zeros), false)) > 0)
		sum += (size_t)n;
	cr_assert_eq(n, -EAGAIN);
	return sum;
}

/* Peer number @i has a connection. */
static void accept_from(unsigned i)
{
	static struct dialog_peer peers[64];

	peers[i] = (struct dialog_peer){ .port = (uint16_t)(30000 + i), .isn = i };
	d.peer = &peers[i];
	dialog_accept(&d, "mss 1000", 65535);
}

Dialog(tcp_memory, peers_that_do_not_read_leave_memory_to_others)
{
	enum { N = 60 };
	struct tcp_conf conf;
	uint8_t line[100];

	dialog_conf(&conf);
	conf.sndbuf = 2 << 20;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	for (unsigned i = 0; i < N; i++) {
		accept_from(i);
		cr_assert_geq(write_all(d.c), PKT_BUF_LEN);
		dialog_turn(&d);
		dialog_drop(&d);
	}
	/* 120 MB would have been welcome. */
	cr_assert_geq(pkt_pool_level(&d.pool), 1);
	accept_from(N);
	cr_assert(tcp_conn_news(d.c) & TCP_WRITABLE);
	cr_assert_eq(tcp_send(d.tcp, d.c, line, sizeof(line), false), sizeof(line));
	dialog_turn(&d);
	dialog_drop(&d);
}

Dialog(tcp_memory, a_short_reply_may_be_written_when_little_is_left)
{
	dialog_accept(&d, "mss 1000", 65535);
	while (tcp_ready_pop(d.tcp))
		;
	drain_bufs(1);
	cr_assert_eq(write_all(d.c), PKT_BUF_LEN);
	dialog_turn(&d);
	dialog_drop(&d);
	cr_assert(!(tcp_conn_news(d.c) & TCP_WRITABLE));
	tick(&d, 100);
	cr_assert_null(tcp_ready_pop(d.tcp));
	/* Room comes with an ACK, */
	inject(&d, ". 1:1(0) ack 4001");
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c);
	cr_assert_eq(write_all(d.c), 4000);
	dialog_turn(&d);
	dialog_drop(&d);
	/* or when others give memory back. */
	give_back();
	tick(&d, 30);
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c);
	cr_assert(tcp_conn_news(d.c) & TCP_WRITABLE);
	dialog_drop(&d);
}

Dialog(tcp_memory, who_has_much_queued_is_told_when_it_is_little)
{
	char line[80];

	dialog_accept(&d, "mss 1000", 65535);
	cr_assert_eq(write_all(d.c), 200000);
	dialog_turn(&d);
	while (tcp_ready_pop(d.tcp))
		;
	drain_bufs(1);
	for (unsigned i = 0; i < 100; i++)
		take(pkt_new_buf(&d.pool, PKT_DATA, 0));
	for (uint32_t at = 2001; at <= 196001; at += 2000) {
		dialog_drop(&d);
		snprintf(line, sizeof(line), ". 1:1(0) ack %u", at);
		inject(&d, line);
		cr_assert_null(tcp_ready_pop(d.tcp), "at %u", at);
	}
	dialog_drop(&d);
	inject(&d, ". 1:1(0) ack 198001");
	cr_assert_eq(tcp_ready_pop(d.tcp), d.c);
	give_back();
	dialog_drop(&d);
}

Dialog(tcp_memory, unread_bytes_take_no_more_when_little_is_left)
{
	struct tcp_conf conf;
	char line[80];

	dialog_conf(&conf);
	conf.rcvbuf = 1 << 20;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	dialog_accept(&d, "mss 1460", 65535);
	for (uint32_t at = 1; at < 40000; at += 1400) {
		snprintf(line, sizeof(line), ". %u:%u(1400) ack 1", at, at + 1400);
		inject(&d, line);
	}
	dialog_drop(&d);
	drain_bufs(1);
	inject(&d, ". 40601:42001(1400) ack 1");
	cr_assert_eq(d.verdict, V_NO_MEMORY);
	expect(&d, ". 1:1(0) ack 40601");
	dialog_read(&d, 40600);
	dialog_drop(&d);
	inject(&d, ". 40601:42001(1400) ack 1");
	cr_assert_eq(d.verdict, V_KEPT);
	dialog_read(&d, 1400);
	dialog_drop(&d);
	give_back();
}

Dialog(tcp_memory, what_cannot_be_sent_goes_later)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_drop(&d);
	cr_assert_eq(tcp_send(d.tcp, d.c, &(uint8_t){ dialog_byte(0) }, 1, false), 1);
	drain_all();
	dialog_turn(&d);
	nothing(&d);
	tick(&d, 1000);
	nothing(&d);
	give_back();
	tick(&d, 30);
	expect(&d, "P. 1:2(1) ack 1");
}

Dialog(tcp_memory, what_cannot_be_sent_again_goes_later)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_write(&d, 100);
	dialog_drop(&d);
	drain_all();
	tick(&d, 1000);
	nothing(&d);
	give_back();
	tick(&d, 30);
	expect(&d, "P. 1:101(100) ack 1");
}

Dialog(tcp_memory, an_ack_goes_later)
{
	struct pkt *p;

	dialog_accept(&d, "mss 1000", 65535);
	dialog_drop(&d);
	hear(&d, "P. 1:101(100) ack 1");
	drain_all();
	dialog_turn(&d);
	nothing(&d);
	give_back();
	tick(&d, 30);
	expect(&d, ". 1:1(0) ack 101");
	cr_assert_eq(tcp_recv_pkt(d.tcp, d.c, &p), 0);
	tcp_recv_pkt_done(d.tcp, d.c, p);
}

Dialog(tcp_memory, a_syn_goes_later)
{
	struct flow f = { .remote = dialog_peer_addr(&d),
			  .local_port = DIALOG_PORT,
			  .remote_port = DIALOG_PEER_PORT };

	drain_all();
	cr_assert_eq(tcp_connect(d.tcp, &f, NULL, d.now_ns, &d.c), 0);
	dialog_turn(&d);
	tick(&d, 500);
	nothing(&d);
	give_back();
	tick(&d, 30);
	expect(&d, "S 0:0(0)");
	inject(&d, "S. 0:0(0) ack 1 win 1000 <mss 1460>");
	expect(&d, ". 1:1(0) ack 1");
}

Dialog(tcp_memory, a_syn_ack_goes_later)
{
	dialog_listen(&d, 1);
	hear(&d, "S 0:0(0) win 1000 <mss 1460>");
	dialog_drop(&d);
	drain_all();
	tick(&d, 1100);
	nothing(&d);
	give_back();
	tick(&d, 2100);
	d.peer->know_ours = false;
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(tcp_listener_waiting(d.l), 1);
}

Dialog(tcp_memory, a_probe_goes_later)
{
	dialog_accept(&d, "mss 1000", 1000);
	dialog_write(&d, 2000);
	inject(&d, ". 1:1(0) ack 1001 win 0");
	dialog_drop(&d);
	drain_all();
	tick(&d, 5000);
	nothing(&d);
	give_back();
	tick(&d, 5000);
	cr_assert_geq(d.ip.n_waiting, 1);
	expect(&d, ". 1000:1000(0) ack 1");
	dialog_drop(&d);
}

Dialog(tcp_memory, a_reset_that_cannot_be_sent_ends_the_connection_all_the_same)
{
	dialog_accept(&d, "mss 1000", 65535);
	dialog_drop(&d);
	drain_all();
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	give_back();
	nothing(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	inject(&d, ". 1:1(0) ack 1");
	expect(&d, "R 1:1(0)");
}

Dialog(tcp_memory, windows_shrink_as_the_pool_drains)
{
	dialog_accept(&d, "mss 1000", 65535);
	drain_bufs(2);
	/* What was promised is kept; more is not promised. */
	inject(&d, ". 1:1001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 1001 win 64535");
	dialog_read(&d, 1000);
	inject(&d, ". 1001:2001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 2001 win 63535");
	dialog_read(&d, 1000);
	cr_assert_eq(rcv_wnd(), 63535);
	give_back();
	inject(&d, ". 2001:3001(1000) ack 1");
	dialog_read(&d, 1000);
	inject(&d, ". 3001:4001(1000) ack 1");
	dialog_drop(&d);
	dialog_read(&d, 1000);
	cr_assert_geq(rcv_wnd(), 64000);
}

Dialog(tcp_memory, a_window_that_memory_shut_opens_when_it_is_back)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.rcvbuf = 4096;
	dialog_end(&d);
	dialog_begin(&d, &conf);
	dialog_accept(&d, "mss 1000", 65535);
	d.gso_len = 1000;
	drain_bufs(0);
	inject(&d, ". 1:4097(4096) ack 1");
	expect(&d, ". 1:1(0) ack 4097 win 0");
	dialog_read(&d, 4096);
	nothing(&d);
	tick(&d, 500);
	nothing(&d);
	give_back();
	tick(&d, 30);
	expect(&d, ". 1:1(0) ack 4097 win 4096");
}

Dialog(tcp_memory, early_bytes_are_dropped_when_memory_is_gone)
{
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
	drain_bufs(0);
	inject(&d, ". 11:21(10) ack 1");
	cr_assert_eq(d.verdict, V_NO_MEMORY);
	expect(&d, ". 1:1(0) ack 1 <>");
	inject(&d, ". 1:21(20) ack 1");
	expect(&d, ". 1:1(0) ack 21");
	dialog_read(&d, 20);
	give_back();
}

#include <criterion/criterion.h>
#include <errno.h>

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
	drain_bufs(1);
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
	struct flow f = { .remote = addr_ip4((struct ip4){ { 198, 51, 100, 1 } }),
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

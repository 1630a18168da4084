#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/tcp_dialog.h"
#include "tests/lib/tcp_line.h"

/* What a program closed and TCP finishes alone: it is bounded whatever the peer does. */

enum { ORPHANS_MAX = 16, N_PEERS = 80, SNDBUF = 1 << 20, BUFS_OF_SNDBUF = 256 };

static struct dialog d;
static struct dialog_peer peers[N_PEERS];
static struct pkt *hoard;

static const struct tcp_stats *stats(void)
{
	return tcp_stats(d.tcp);
}

static void again(uint32_t sndbuf, uint32_t max_conns)
{
	struct tcp_conf conf;

	dialog_conf(&conf);
	conf.sndbuf = sndbuf;
	conf.max_conns = max_conns;
	dialog_end(&d);
	dialog_begin(&d, &conf);
}

/* Peer number @i has a connection, which is d.c. */
static void accept_from(unsigned i)
{
	peers[i] = (struct dialog_peer){ .port = (uint16_t)(30000 + i), .isn = i };
	d.peer = &peers[i];
	d.n_written = d.n_read = 0;
	dialog_accept(&d, "mss 1000", 65535);
}

/* The program says @len bytes to peer @i, who hears nothing, and closes. */
static void orphan(unsigned i, uint32_t len)
{
	accept_from(i);
	dialog_write(&d, len);
	dialog_close(&d);
	dialog_drop(&d);
}

Dialog(tcp_orphan, has_a_minute)
{
	orphan(0, 30);
	cr_assert_eq(stats()->n_orphans, 1);
	tick(&d, 59 * 1000);
	cr_assert_eq(stats()->n_conns, 1);
	dialog_drop(&d);
	tick(&d, 1001);
	expect(&d, "R. 32:32(0) ack 1");
	cr_assert_eq(stats()->n_conns, 0);
	cr_assert_eq(stats()->n_orphans, 0);
	cr_assert_eq(stats()->timed_out, 1);
}

Dialog(tcp_orphan, a_short_reply_pins_no_buffer)
{
	for (unsigned i = 0; i < ORPHANS_MAX; i++)
		orphan(i, 100);
	cr_assert_eq(stats()->n_orphans, ORPHANS_MAX);
	cr_assert_eq(d.pool.bufs.n_out, 0);
}

/* The peer takes @n bytes ten times in each of @s seconds. */
static void takes(unsigned s, uint32_t n)
{
	char line[TCP_LINE_LEN];

	for (unsigned i = 1; i <= s * 10; i++) {
		dialog_drop(&d);
		snprintf(line, sizeof(line), ". 1:1(0) ack %u", 1 + i * n);
		inject(&d, line);
		tick(&d, 100);
		cr_assert_eq(stats()->n_conns, 1, "after %u00 ms", i);
	}
}

Dialog(tcp_orphan, lives_while_the_peer_takes_enough)
{
	again(SNDBUF, 64);
	accept_from(0);
	dialog_write(&d, 700000);
	dialog_close(&d);
	takes(135, 500);
	/* Then it stalls. */
	tick(&d, 106 * 1000);
	cr_assert_eq(stats()->n_conns, 0);
	dialog_drop(&d);
}

Dialog(tcp_orphan, is_not_kept_by_a_peer_that_takes_little)
{
	accept_from(0);
	dialog_write(&d, 200000);
	dialog_close(&d);
	takes(59, 300);
	tick(&d, 1001);
	cr_assert_eq(stats()->n_conns, 0);
	dialog_drop(&d);
}

Dialog(tcp_orphan, one_too_many_ends_the_oldest)
{
	for (unsigned i = 0; i < ORPHANS_MAX; i++) {
		orphan(i, 1);
		tick(&d, 10);
	}
	nothing(&d);
	cr_assert_eq(stats()->orphan_evicted, 0);
	accept_from(ORPHANS_MAX);
	dialog_close(&d);
	d.peer = &peers[0];
	expect(&d, "R. 3:3(0) ack 1");
	d.peer = &peers[ORPHANS_MAX];
	expect(&d, "F. 1:1(0) ack 1");
	cr_assert_eq(stats()->n_orphans, ORPHANS_MAX);
	cr_assert_eq(stats()->orphan_evicted, 1);
}

Dialog(tcp_orphan, a_quarter_of_the_buffers_is_all_they_get)
{
	again(SNDBUF, 64);
	for (unsigned i = 0; i < 4; i++)
		orphan(i, SNDBUF);
	cr_assert_eq(d.pool.bufs.n_out, 4 * BUFS_OF_SNDBUF);
	cr_assert_eq(stats()->orphan_evicted, 0);
	accept_from(4);
	dialog_write(&d, 4000);
	dialog_drop(&d);
	dialog_close(&d);
	d.peer = &peers[0];
	cr_assert_eq(stats()->orphan_evicted, 1);
	/* What the peer took counts no more. */
	dialog_drop(&d);
	d.peer = &peers[1];
	inject(&d, ". 1:1(0) ack 10001");
	dialog_drop(&d);
	cr_assert_eq(stats()->orphan_evicted, 1);
	cr_assert_eq(stats()->n_orphans, 4);
}

Dialog(tcp_orphan, waits_in_fin_wait_2_keep_nobody_out)
{
	again(200000, 20);
	for (unsigned i = 0; i < 20; i++)
		accept_from(i);
	/* All places are taken; five close, and their peers never do. */
	for (unsigned i = 0, n = 0; n < 5; i++) {
		struct tcp_conn *c = tcp_conn_at(d.tcp, i);

		d.peer = &peers[i];
		tcp_close(d.tcp, c, d.now_ns);
		dialog_turn(&d);
		dialog_drop(&d);
		inject(&d, ". 1:1(0) ack 2");
		n++;
	}
	cr_assert_eq(stats()->n_conns, 20);
	peers[20] = (struct dialog_peer){ .port = 31000 };
	d.peer = &peers[20];
	inject(&d, "S 0:0(0) win 1000 <mss 1460>");
	expect(&d, "S. 0:0(0) ack 1");
	inject(&d, ". 1:1(0) ack 1");
	cr_assert_eq(d.verdict, V_DONE);
	cr_assert_eq(tcp_listener_waiting(d.l), 1);
	cr_assert_eq(stats()->orphan_evicted, 1);
	d.peer = &peers[0];
	expect(&d, "R. 2:2(0) ack 1");
}

Dialog(tcp_orphan, gives_its_memory_to_who_writes)
{
	again(SNDBUF, 64);
	orphan(0, SNDBUF);
	accept_from(1);
	while (pkt_pool_level(&d.pool) > 1) {
		struct pkt *p = pkt_new_buf(&d.pool, PKT_DATA, 0);

		p->link = hoard;
		hoard = p;
	}
	dialog_write(&d, 20000);
	cr_assert_eq(stats()->orphan_evicted, 1);
	cr_assert_eq(stats()->n_orphans, 0);
	dialog_drop(&d);
	pkt_free_list(hoard);
	hoard = NULL;
}

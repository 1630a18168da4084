#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/lib/tcp_dialog.h"
#include "tests/lib/tcp_line.h"

/* What holes made on purpose may cost. */

enum { N_PEERS = 40, ISLANDS = 200 };

static struct dialog d;
static struct dialog_peer peers[N_PEERS];
static struct pkt *hoard;

static const struct tcp_stats *stats(void)
{
	return tcp_stats(d.tcp);
}

static void accept_from(unsigned i)
{
	peers[i] = (struct dialog_peer){ .port = (uint16_t)(30000 + i), .isn = i };
	d.peer = &peers[i];
	dialog_accept(&d, "mss 1000,nop,nop,sackOK", 65535);
}

/* The peer sends @n pieces of @len bytes, with as long a hole before each. */
static void islands(uint32_t n, uint32_t len)
{
	char line[TCP_LINE_LEN];

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = 1 + (2 * i + 1) * len;

		snprintf(line, sizeof(line), ". %u:%u(%u) ack 1", at, at + len, len);
		inject(&d, line);
	}
	dialog_drop(&d);
}

static void drain(unsigned level)
{
	while (pkt_pool_level(&d.pool) > level) {
		struct pkt *p = pkt_new_buf(&d.pool, PKT_DATA, 0);

		p->link = hoard;
		hoard = p;
	}
}

static void give_back(void)
{
	pkt_free_list(hoard);
	hoard = NULL;
}

static uint32_t ooo_len(void)
{
	struct tcp_conn_info info;

	tcp_conn_info(d.tcp, d.c, &info);
	return info.ooo_len;
}

Dialog(tcp_early, single_bytes_pin_no_buffers)
{
	accept_from(0);
	islands(ISLANDS, 1);
	cr_assert_eq(ooo_len(), ISLANDS);
	cr_assert_eq(d.pool.bufs.n_out, 0);
}

Dialog(tcp_early, a_connection_pins_four_times_its_buffer)
{
	accept_from(0);
	islands(ISLANDS, 160);
	/* 65,535 bytes four times, in buffers with their descriptors */
	cr_assert_eq(d.pool.bufs.n_out, 65535 * 4 / (PKT_BUF_LEN + sizeof(struct pkt)));
	cr_assert_geq(stats()->ooo_drop, 1);
}

Dialog(tcp_early, all_together_pin_a_quarter_and_the_oldest_gives_way)
{
	uint32_t quarter = d.pool.bufs.max / 4, n = 30;

	for (unsigned i = 0; i < n; i++) {
		accept_from(i);
		islands(ISLANDS, 160);
		cr_assert_gt(ooo_len(), 0);
		cr_assert_leq(d.pool.bufs.n_out, quarter);
	}
	/* less the descriptors, and the islands of one connection */
	cr_assert_geq(d.pool.bufs.n_out, quarter * 9 / 10 - 64);
	cr_assert_gt(stats()->ooo_shed, 0);
	d.c = tcp_conn_at(d.tcp, 0);
	cr_assert_eq(ooo_len(), 0);
	/* What was thrown away comes again, and nothing is wrong. */
	d.peer = &peers[0];
	d.n_read = 0;
	inject(&d, "P. 1:1001(1000) ack 1");
	expect(&d, ". 1:1(0) ack 1001 <>");
	dialog_read(&d, 1000);
}

Dialog(tcp_early, give_way_to_who_writes)
{
	accept_from(0);
	for (unsigned i = 1; i <= 16; i++) {
		accept_from(i);
		islands(ISLANDS, 160);
	}
	drain(1);
	d.c = tcp_conn_at(d.tcp, 0);
	d.peer = &peers[0];
	dialog_write(&d, 5000);
	cr_assert_gt(stats()->ooo_shed, 0);
	dialog_drop(&d);
	give_back();
}

Dialog(tcp_early, are_not_kept_for_a_program_that_closed)
{
	accept_from(0);
	islands(ISLANDS, 160);
	dialog_close(&d);
	expect(&d, "F. 1:1(0) ack 1 <>");
	cr_assert_eq(d.pool.bufs.n_out, 0);
}

Dialog(tcp_early, are_forgotten_one_by_one_as_holes_are_filled)
{
	accept_from(0);
	islands(10, 160);
	inject(&d, "P. 1:161(160) ack 1");
	inject(&d, "P. 321:481(160) ack 1");
	inject(&d, "P. 641:3201(2560) ack 1");
	dialog_drop(&d);
	cr_assert_eq(ooo_len(), 0);
	dialog_read(&d, 3200);
	cr_assert_eq(d.pool.bufs.n_out, 0);
}

/* Attacks on what opens connections: floods, guesses, tricks (RFC 4987, 6528, 6056). */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "ip/ip.h"
#include "stack/base/clock.h"
#include "stack/base/hash.h"
#include "tcp/fastopen.h"
#include "tcp/fo_cookie.h"
#include "tcp/isn.h"
#include "tcp/lport.h"
#include "tests/lib/tcp_dialog.h"

enum { N_FLOOD = 20000, N_FLOWS = 1 << 16, N_BUCKETS = 256 };

static struct dialog d;
static struct dialog_peer attacker, client;

static const char syn_all[] =
	"S 0:0(0) win 1000 <mss 1460,sackOK,TS val 9 ecr 0,nop,wscale 5>";

/* SYNs from one port after another, that are never answered. */
static void flood(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		attacker = (struct dialog_peer){ .port = (uint16_t)(1024 + i % 60000),
						 .isn = i * 977 };
		d.peer = &attacker;
		inject(&d, syn_all);
		dialog_drop(&d);
	}
}

/* An honest client connects, with everything that it asked for. */
static void connect_honestly(uint16_t port)
{
	struct tcp_conn_info info;

	client = (struct dialog_peer){ .port = port, .isn = 77 };
	d.peer = &client;
	inject(&d, syn_all);
	expect(&d, "S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 0 ecr 9,nop,wscale 7>");
	tick(&d, 30);
	dialog_drop(&d);
	inject(&d, "P. 1:11(10) ack 1 win 1000 <nop,nop,TS val 39 ecr 0>");
	expect(&d, ". 1:1(0) ack 11");
	d.c = tcp_accept(d.tcp, d.l, &d);
	cr_assert(d.c, "the flood kept it out");
	tcp_conn_info(d.tcp, d.c, &info);
	cr_assert(info.sack && info.timestamps && info.snd_wscale == 5);
	d.n_read = 0;
	dialog_read(&d, 10);
	tcp_abort(d.tcp, d.c, d.now_ns);
	dialog_turn(&d);
	dialog_drop(&d);
}

Dialog(tcp_flood, of_syns_costs_no_more_than_the_queue)
{
	const struct tcp_stats *s;

	dialog_listen(&d, 8);
	flood(N_FLOOD);
	s = tcp_stats(d.tcp);
	cr_assert_eq(s->n_syn, d.conf.max_syn, "the limit");
	cr_assert_eq(s->n_conns, 0);
	cr_assert_eq(d.pool.pkts.n_out, 0);
	cr_assert_eq(d.pool.bufs.n_out, 0);
	cr_assert_eq(s->syn_cookie_out, N_FLOOD - d.conf.max_syn);
}

Dialog(tcp_flood, of_syns_does_not_keep_honest_clients_out)
{
	dialog_listen(&d, 8);
	for (uint16_t i = 0; i < 20; i++) {
		flood(500);
		connect_honestly((uint16_t)(62000 + i));
	}
	cr_assert_eq(tcp_stats(d.tcp)->syn_cookie_in, 20);
}

Dialog(tcp_flood, of_syns_is_forgotten_when_it_ends)
{
	dialog_listen(&d, 8);
	flood(1000);
	tick(&d, 200 * 1000);
	dialog_drop(&d);
	cr_assert_eq(tcp_stats(d.tcp)->n_syn, 0);
	connect_honestly(62000);
	cr_assert_eq(tcp_stats(d.tcp)->syn_cookie_in, 0, "an entry of the queue again");
}

Dialog(tcp_flood, of_guessed_acks_opens_nothing)
{
	dialog_listen(&d, 8);
	flood(d.conf.max_syn + 1);
	attacker = (struct dialog_peer){ .port = 3, .know_ours = true };
	for (unsigned i = 0; i < N_FLOOD; i++) {
		char line[80];

		snprintf(line, sizeof(line), ". 1:1(0) ack %u",
			 (unsigned)rng_u32(&d.rng));
		inject(&d, line);
		dialog_drop(&d);
	}
	cr_assert_eq(tcp_stats(d.tcp)->n_conns, 0);
	cr_assert_eq(tcp_stats(d.tcp)->syn_cookie_in, 0);
}

Dialog(tcp_flood, of_handshakes_ends_at_the_backlog)
{
	dialog_listen(&d, 8);
	for (unsigned i = 0; i < 100; i++) {
		attacker = (struct dialog_peer){ .port = (uint16_t)(1024 + i) };
		d.peer = &attacker;
		inject(&d, "S 0:0(0) win 1000 <mss 1460>");
		dialog_drop(&d);
		attacker.know_ours = true;
		inject(&d, ". 1:1(0) ack 1");
		dialog_drop(&d);
	}
	cr_assert_leq(tcp_stats(d.tcp)->n_conns, 8);
}

Dialog(tcp_flood, of_fast_open_data_ends_at_its_limit)
{
	/* RFC 7413 5.1 */
	tcp_set_fastopen(d.tcp, TCP_FO_SERVER | TCP_FO_SERVER_BARE, NULL);
	dialog_listen(&d, 64);
	tcp_listener_set_fastopen(d.l, 4);
	for (unsigned i = 0; i < 1000; i++) {
		attacker = (struct dialog_peer){ .port = (uint16_t)(1024 + i) };
		d.peer = &attacker;
		inject(&d, "S 0:1000(1000) win 1000 <mss 1460>");
		dialog_drop(&d);
		/* Those whose addresses were used reset what they know nothing of. */
		if (i % 3 == 0)
			inject(&d, "R. 1001:1001(0) ack 1");
	}
	cr_assert_leq(tcp_stats(d.tcp)->n_conns, 4);
	cr_assert_leq(d.pool.bufs.n_out, 8);
}

Dialog(tcp_flood, of_tiny_segments_is_not_for_a_peer_to_order)
{
	/* CVE-2019-11477 to 11479: a tiny MSS makes every byte cost a segment */
	unsigned n = 0, bytes = 0;

	dialog_accept(&d, "mss 1,nop,nop,sackOK", 65535);
	dialog_write(&d, 60000);
	while (d.ip.n_waiting) {
		struct pkt *p = fake_ip_pop(&d.ip);
		uint32_t len = p->total_len - 20;

		cr_assert(len >= 64 || bytes + len == 60000, "%u bytes", len);
		bytes += len;
		n++;
		pkt_free(p);
	}
	cr_assert_leq(n, 16, "a turn's share");
}

/* ---- what can be guessed ---- */

static struct flow flow_of(uint16_t port)
{
	return (struct flow){ .local = addr_ip4((struct ip4){ { 192, 0, 2, 1 } }),
			      .remote = addr_ip4((struct ip4){ { 198, 51, 100, 7 } }),
			      .local_port = 80,
			      .remote_port = port };
}

/* Of @n numbers in N_BUCKETS, with 255 degrees of freedom: 310 is one in a hundred. */
static double chi_square(const unsigned *count, unsigned n)
{
	double want = (double)n / N_BUCKETS, sum = 0;

	for (unsigned i = 0; i < N_BUCKETS; i++)
		sum += (count[i] - want) * (count[i] - want) / want;
	return sum;
}

Test(tcp_guess, initial_numbers_of_neighbouring_flows_do_not_tell_of_each_other)
{
	/* RFC 6528 3 */
	const struct hash_key key = { { 11, 12 } };
	unsigned high[N_BUCKETS] = { 0 }, low[N_BUCKETS] = { 0 }, diff[N_BUCKETS] = { 0 };
	uint32_t last = 0;

	for (unsigned i = 0; i < N_FLOWS; i++) {
		struct flow f = flow_of((uint16_t)i);
		uint32_t n = isn_new(&key, &f, 5 * NS_PER_S).n;

		high[n >> 24]++;
		low[n & 255]++;
		diff[(n - last) >> 24]++;
		last = n;
	}
	cr_assert_lt(chi_square(high, N_FLOWS), 340);
	cr_assert_lt(chi_square(low, N_FLOWS), 340);
	cr_assert_lt(chi_square(diff, N_FLOWS), 340);
}

Test(tcp_guess, initial_numbers_of_one_flow_go_up_by_its_clock)
{
	/* RFC 6528 3, RFC 9293 3.4.1: old duplicates stay behind */
	const struct hash_key key = { { 11, 12 } };
	struct flow f = flow_of(5);

	cr_assert_eq(isn_new(&key, &f, NS_PER_S).n - isn_new(&key, &f, 0).n, 250000);
}

static bool none_is_taken(void *ctx, const struct flow *f)
{
	(void)ctx;
	(void)f;
	return false;
}

Test(tcp_guess, ports_toward_different_peers_do_not_tell_of_each_other)
{
	/* RFC 6056 3.3.4 */
	const struct hash_key key = { { 13, 14 } };
	unsigned count[N_BUCKETS] = { 0 }, n = 0;
	struct lport l;

	lport_init(&l, &key, 1);
	for (unsigned i = 0; i < N_FLOWS; i++) {
		struct flow f = flow_of((uint16_t)i);

		f.remote.ip4.b[3] = (uint8_t)(i >> 8);
		f.local_port = 0;
		cr_assert_eq(lport_choose(&l, &f, none_is_taken, NULL), 0);
		cr_assert(f.local_port >= LPORT_FIRST && f.local_port <= LPORT_LAST);
		/* 28,160 of them are 256 equal shares. */
		if (f.local_port - LPORT_FIRST >= 28160)
			continue;
		count[(f.local_port - LPORT_FIRST) / 110]++;
		n++;
	}
	cr_assert_lt(chi_square(count, n), 340);
}

Test(tcp_guess, flows_that_collide_under_one_key_do_not_under_another)
{
	/* A peer that knew the key could fill one slot of the table with all its flows. */
	const struct hash_key known = { { 1, 2 } }, secret = { { 3, 4 } };
	unsigned count[N_BUCKETS] = { 0 }, n = 0, most = 0;

	for (unsigned i = 0; i < N_FLOWS; i++) {
		struct flow f = flow_of((uint16_t)i);

		if (hash_flow(&known, &f) % N_BUCKETS)
			continue;
		n++;
		count[hash_flow(&secret, &f) % N_BUCKETS]++;
	}
	cr_assert_gt(n, 150, "they were easy to find");
	for (unsigned i = 0; i < N_BUCKETS; i++)
		most = count[i] > most ? count[i] : most;
	cr_assert_leq(most, 8);
}

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "eth/eth.h"
#include "eth/port_sim.h"
#include "stack/base/clock.h"
#include "stack/base/pkt.h"
#include "tests/lib/build.h"
#include "tests/lib/case.h"
#include "tests/lib/look.h"

enum { N_PKTS = 4096, N_BUFS = 1024 };

static struct pkt_pool pool;
static struct sim *sim;
static struct port *end[2];

static void setup(void)
{
	cr_assert_eq(pkt_pool_init(&pool, N_PKTS, N_BUFS), 0);
}

static void unplug(void)
{
	for (unsigned i = 0; i < 2; i++) {
		if (end[i])
			port_close(end[i]);
		end[i] = NULL;
	}
	if (sim)
		sim_free(sim);
	sim = NULL;
}

static void clean(void)
{
	unplug();
	cr_assert_eq(pool.pkts.n_out, 0);
	cr_assert_eq(pool.bufs.n_out, 0);
	pkt_pool_fini(&pool);
}

Cases(sim, setup, clean);

static struct port *plug(const char *name, bool offload)
{
	struct port_conf conf = { .pool = &pool, .sim = sim, .offload = offload };
	char error[PORT_ERROR_LEN];
	struct port *port;

	cr_assert_eq(port_open(name, &conf, &port, error), 0, "%s", error);
	return port;
}

/* A link "l" with the same conf both ways, and a port at each end. */
static void wire(uint64_t seed, const struct sim_dir_conf *dir, bool offload)
{
	struct sim_link_conf conf = { .dir = { *dir, *dir }, .offload = offload };

	unplug();
	sim = sim_new(seed);
	cr_assert_eq(sim_link_add(sim, "l", &conf), 0);
	end[0] = plug("sim:l/0", offload);
	end[1] = plug("sim:l/1", offload);
}

/* Frames of @len bytes that begin with a number. */
static void send_number(struct port *port, uint32_t number, uint32_t len, uint64_t now_ns)
{
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);

	memset(p->data, 0, len);
	memcpy(p->data, &number, sizeof(number));
	p->len = p->total_len = len;
	port_tx_burst(port, &p, 1, now_ns);
}

static bool receive(struct port *port, uint64_t now_ns, uint32_t *number)
{
	struct pkt *p;

	if (!port_rx_burst(port, &p, 1, now_ns))
		return false;
	memcpy(number, p->data, sizeof(*number));
	cr_assert_eq(p->at_ns, now_ns);
	pkt_free(p);
	return true;
}

static const struct sim_stats *stats(void)
{
	return sim_link_stats(sim, "l", 0);
}

Case(sim, a_perfect_wire_delivers_at_once_both_ways)
{
	struct sim_dir_conf conf = { 0 };
	uint32_t number;

	wire(1, &conf, false);
	cr_assert_eq(sim_due(sim), UINT64_MAX);
	send_number(end[0], 7, 60, 5);
	send_number(end[1], 8, 60, 5);
	cr_assert_eq(sim_due(sim), 5);
	cr_assert(!receive(end[1], 4, &number));
	cr_assert(receive(end[1], 5, &number) && number == 7);
	cr_assert(receive(end[0], 5, &number) && number == 8);
	cr_assert_eq(sim_due(sim), UINT64_MAX);
	cr_assert_eq(stats()->delivered, 1);
	cr_assert_eq(stats()->delivered_bytes, 60);
}

Case(sim, a_frame_arrives_after_its_bits_and_the_delay)
{
	struct sim_dir_conf conf = { .rate_bps = 1000000000, .delay_ns = 5000 };
	uint32_t number;

	wire(1, &conf, false);
	send_number(end[0], 1, 1250, 100);
	send_number(end[0], 2, 125, 100);
	/* 1250 bytes at 1 Gbit/s are 10 us, 125 bytes 1 us */
	cr_assert_eq(sim_due(sim), 100 + 10000 + 5000);
	cr_assert(!receive(end[1], 15099, &number));
	cr_assert(receive(end[1], 15100, &number) && number == 1);
	cr_assert_eq(sim_due(sim), 100 + 11000 + 5000);
	cr_assert(receive(end[1], 16100, &number) && number == 2);
	/* The wire was idle since: the next begins when it is sent. */
	send_number(end[0], 3, 125, 1000000);
	cr_assert_eq(sim_due(sim), 1000000 + 1000 + 5000);
}

Case(sim, fractions_of_a_nanosecond_add_up_exactly)
{
	/* 100 bytes at 3 bit/ns are 266.67 ns: three of them 800. */
	struct sim_dir_conf conf = { .rate_bps = 3000000000 };

	wire(1, &conf, false);
	for (uint32_t i = 0; i < 300; i++)
		send_number(end[0], i, 100, 0);
	for (uint32_t i = 0; i < 300; i++) {
		uint64_t due = sim_due(sim);
		uint32_t number;

		cr_assert_eq(due, ((i + 1) * 800 + 2) / 3);
		cr_assert(receive(end[1], due, &number) && number == i);
	}
}

Case(sim, slow_and_fast_rates_do_not_overflow)
{
	static const uint64_t rates[] = { 1, 300, UINT64_C(1000000000000000) };

	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		struct sim_dir_conf conf = { .rate_bps = rates[i],
					     .queue_bytes = 1 << 30 };
		unsigned __int128 ns;

		wire(1, &conf, false);
		for (unsigned n = 0; n < 10; n++)
			send_number(end[0], n, 1000, 0);
		for (unsigned n = 1; n <= 10; n++) {
			uint32_t number;

			ns = (unsigned __int128)n * 8000 * NS_PER_S;
			ns = (ns + rates[i] - 1) / rates[i];
			cr_assert_eq(sim_due(sim), (uint64_t)ns);
			cr_assert(receive(end[1], sim_due(sim), &number));
		}
	}
}

Case(sim, a_full_queue_drops_the_last)
{
	/* 1 byte a microsecond; 300 bytes may wait, with what is half sent. */
	struct sim_dir_conf conf = { .rate_bps = 8000000, .queue_bytes = 300 };
	uint32_t number;

	wire(1, &conf, false);
	for (uint32_t i = 0; i < 5; i++)
		send_number(end[0], i, 100, 0);
	cr_assert_eq(stats()->queue_full, 2);
	/* 249 bytes are left, rounded down: no room for 52. */
	send_number(end[0], 5, 52, 51 * NS_PER_US);
	send_number(end[0], 6, 51, 51 * NS_PER_US);
	cr_assert_eq(stats()->queue_full, 3);
	for (uint32_t i = 0; i < 3; i++)
		cr_assert(receive(end[1], NS_PER_S, &number) && number == i);
	cr_assert(receive(end[1], NS_PER_S, &number) && number == 6);
	cr_assert(!receive(end[1], NS_PER_S, &number));
}

Case(sim, a_queue_is_full_to_the_byte_when_its_time_is_not_whole)
{
	/* 100 bytes take 266.67 s. */
	struct sim_dir_conf conf = { .rate_bps = 3, .queue_bytes = 199 };

	wire(1, &conf, false);
	send_number(end[0], 0, 100, 0);
	send_number(end[0], 1, 100, 0);
	cr_assert_eq(stats()->queue_full, 1);
	send_number(end[0], 2, 99, 0);
	cr_assert_eq(stats()->queue_full, 1);
}

Case(sim, a_frame_longer_than_the_queue_passes_when_it_is_empty)
{
	struct sim_dir_conf conf = { .rate_bps = 8000000, .queue_bytes = 50 };

	wire(1, &conf, false);
	send_number(end[0], 0, 100, 0);
	send_number(end[0], 1, 100, 0);
	send_number(end[0], 2, 100, 100 * NS_PER_US);
	cr_assert_eq(stats()->queue_full, 1);
}

Case(sim, what_is_in_flight_is_bounded)
{
	struct sim_dir_conf conf = { .delay_ns = NS_PER_S };
	uint32_t n = SIM_FLIGHT_BYTES_MAX / 1024;

	wire(1, &conf, false);
	for (uint32_t i = 0; i < n + 3; i++)
		send_number(end[0], i, 1024, 0);
	cr_assert_eq(stats()->flight_full, 3);
	cr_assert_eq(stats()->sent, n + 3);
}

Case(sim, a_frame_longer_than_the_mtu_does_not_pass)
{
	struct sim_dir_conf conf = { .mtu = 1000 };

	wire(1, &conf, false);
	cr_assert_eq(end[0]->mtu, 1000);
	send_number(end[0], 0, 1014, 0);
	send_number(end[0], 1, 1015, 0);
	cr_assert_eq(stats()->too_long, 1);
	conf.mtu = 0;
	cr_assert_eq(sim_link_set(sim, "l", 0, &conf), 0);
	send_number(end[0], 2, 1514, 0);
	send_number(end[0], 3, 1515, 0);
	cr_assert_eq(stats()->too_long, 2);
}

/* Sends @n frames a microsecond apart; how many arrive, and how many early. */
static uint32_t run(uint32_t n, uint32_t *out_of_order)
{
	uint32_t got = 0, number = 0, last = 0;

	for (uint32_t i = 0; i < n; i++)
		send_number(end[0], i, 60, i * NS_PER_US);
	*out_of_order = 0;
	while (sim_due(sim) != UINT64_MAX) {
		cr_assert(receive(end[1], sim_due(sim), &number));
		*out_of_order += number < last;
		last = number;
		got++;
	}
	return got;
}

Case(sim, loses_as_often_as_it_should)
{
	struct sim_dir_conf conf = { .loss = 0.05 };
	uint32_t got, late;

	wire(3, &conf, false);
	got = run(20000, &late);
	cr_assert_eq(got, 20000 - stats()->lost);
	cr_assert_eq(late, 0);
	/* 1000 are expected, 31 is the standard deviation. */
	cr_assert(stats()->lost > 850 && stats()->lost < 1150);
}

Case(sim, loses_all_and_loses_none)
{
	struct sim_dir_conf conf = { .loss = 1 };
	uint32_t late;

	wire(3, &conf, false);
	cr_assert_eq(run(1000, &late), 0);
	conf.loss = 0;
	cr_assert_eq(sim_link_set(sim, "l", 0, &conf), 0);
	cr_assert_eq(run(1000, &late), 1000);
}

Case(sim, reorders_as_often_as_it_should)
{
	struct sim_dir_conf conf = { .reorder = 0.1, .reorder_ns = 2500 };
	uint32_t late;

	wire(4, &conf, false);
	cr_assert_eq(run(10000, &late), 10000);
	cr_assert(stats()->reordered > 850 && stats()->reordered < 1150);
	/* A late one is overtaken by the next two, unless those are late as well. */
	cr_assert(late > 800 && late <= stats()->reordered);
}

Case(sim, jitter_delays_but_keeps_the_order)
{
	struct sim_dir_conf conf = { .delay_ns = 100, .jitter_ns = 5000 };
	uint64_t min = UINT64_MAX, max = 0;

	wire(5, &conf, false);
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t sent = i * 10 * NS_PER_US, took;
		uint32_t number;

		send_number(end[0], i, 60, sent);
		took = sim_due(sim) - sent;
		min = took < min ? took : min;
		max = took > max ? took : max;
		cr_assert(receive(end[1], sim_due(sim), &number) && number == i);
	}
	cr_assert(min >= 100 && min < 200);
	cr_assert(max > 5000 && max <= 5100);
	{
		uint32_t late;

		cr_assert_eq(run(1000, &late), 1000);
		cr_assert_eq(late, 0);
	}
}

Case(sim, duplicates_arrive_twice_together)
{
	struct sim_dir_conf conf = { .duplicate = 1 };
	uint32_t number;

	wire(6, &conf, false);
	send_number(end[0], 42, 60, 9);
	cr_assert(receive(end[1], 9, &number) && number == 42);
	cr_assert(receive(end[1], 9, &number) && number == 42);
	cr_assert(!receive(end[1], 9, &number));
	cr_assert_eq(stats()->duplicated, 1);
	cr_assert_eq(stats()->delivered, 2);
}

Case(sim, corruption_turns_one_bit_anywhere)
{
	struct sim_dir_conf conf = { .corrupt = 1 };
	unsigned seen[64 * 8] = { 0 }, kinds = 0;

	wire(7, &conf, false);
	for (unsigned i = 0; i < 5000; i++) {
		unsigned bits = 0;
		struct pkt *p;

		send_number(end[0], 0, 64, i);
		cr_assert_eq(port_rx_burst(end[1], &p, 1, i), 1);
		for (unsigned bit = 0; bit < 64 * 8; bit++) {
			if (p->data[bit / 8] >> bit % 8 & 1) {
				kinds += seen[bit]++ == 0;
				bits++;
			}
		}
		cr_assert_eq(bits, 1);
		pkt_free(p);
	}
	cr_assert_gt(kinds, 500); /* of 512 */
	cr_assert_eq(stats()->corrupted, 5000);
}

static uint64_t digest_of(uint64_t seed)
{
	struct sim_dir_conf conf = {
		.rate_bps = 100000000,
		.delay_ns = NS_PER_MS,
		.jitter_ns = NS_PER_MS / 10,
		.queue_bytes = 20000,
		.loss = 0.05,
		.reorder = 0.05,
		.reorder_ns = NS_PER_MS,
		.duplicate = 0.01,
		.corrupt = 0.01,
	};
	uint64_t digest;

	wire(seed, &conf, false);
	for (uint32_t i = 0; i < 2000; i++)
		send_number(end[i % 3 == 0], i, 60 + i % 1400, i * 50 * NS_PER_US);
	while (sim_due(sim) != UINT64_MAX) {
		uint64_t now = sim_due(sim);
		uint32_t number;

		for (unsigned k = 0; k < 2; k++) {
			while (receive(end[k], now, &number))
				;
		}
	}
	cr_assert_gt(stats()->lost + stats()->queue_full, 0);
	digest = sim_digest(sim);
	unplug();
	return digest;
}

Case(sim, the_same_seed_gives_the_same_frames_and_another_does_not)
{
	uint64_t first = digest_of(11);

	cr_assert_eq(digest_of(11), first);
	cr_assert_neq(digest_of(12), first);
}

Case(sim, the_digest_sees_bytes_times_and_ends)
{
	static const struct {
		unsigned from;
		uint32_t number;
		uint64_t at_ns;
	} runs[] = { { 0, 1, 1 }, { 1, 1, 1 }, { 0, 2, 1 }, { 0, 1, 2 } };
	uint64_t digests[ARRAY_LEN(runs)];
	struct sim_dir_conf conf = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(runs); i++) {
		uint32_t number;

		wire(1, &conf, false);
		send_number(end[runs[i].from], runs[i].number, 60, runs[i].at_ns);
		cr_assert(receive(end[!runs[i].from], runs[i].at_ns, &number));
		digests[i] = sim_digest(sim);
		for (size_t k = 0; k < i; k++)
			cr_assert_neq(digests[i], digests[k]);
	}
}

static bool not_the_third(void *ctx, const uint8_t *frame, uint32_t len, uint64_t now_ns)
{
	unsigned *n = ctx;

	(void)frame;
	cr_assert_eq(len, 60);
	cr_assert_eq(now_ns, 5);
	return ++*n != 3;
}

Case(sim, a_filter_loses_just_the_frame_it_wants)
{
	struct sim_dir_conf conf = { 0 };
	uint32_t number;
	unsigned n = 0;

	wire(1, &conf, false);
	cr_assert_eq(sim_link_filter(sim, "l", 0, not_the_third, &n), 0);
	for (uint32_t i = 0; i < 5; i++)
		send_number(end[0], i, 60, 5);
	for (uint32_t i = 0; i < 5; i++) {
		if (i != 2)
			cr_assert(receive(end[1], 5, &number) && number == i);
	}
	cr_assert_eq(stats()->filtered, 1);
}

Case(sim, an_empty_pool_loses_frames_and_counts_them)
{
	struct sim_dir_conf conf = { .delay_ns = 10 };
	struct pkt *all = NULL, *p;

	wire(1, &conf, false);
	send_number(end[0], 1, 1000, 0);
	while ((p = pkt_new(&pool, PKT_DATA))) {
		p->link = all;
		all = p;
	}
	cr_assert_eq(port_rx_burst(end[1], &p, 1, 10), 0);
	cr_assert_eq(stats()->no_memory, 1);
	cr_assert_eq(end[1]->stats.rx_no_memory, 1);
	pkt_free_list(all);
}

Case(sim, frames_to_nobody_are_lost)
{
	struct sim_dir_conf conf = { .delay_ns = 10 };

	wire(1, &conf, false);
	send_number(end[0], 1, 60, 0);
	cr_assert_eq(sim_due(sim), 10);
	port_close(end[1]);
	end[1] = NULL;
	cr_assert_eq(sim_due(sim), UINT64_MAX);
	send_number(end[0], 2, 60, 0);
	cr_assert_eq(stats()->no_receiver, 1);
}

Case(sim, directions_have_conditions_and_luck_of_their_own)
{
	struct sim_dir_conf slow = { .delay_ns = 100, .loss = 0.5 }, fast = { 0 };
	uint32_t late, got, number;

	wire(8, &slow, false);
	got = run(1000, &late);
	wire(8, &slow, false);
	cr_assert_eq(sim_link_set(sim, "l", 1, &fast), 0);
	/* Traffic the other way, in between, changes nothing. */
	for (uint32_t i = 0; i < 10; i++) {
		send_number(end[1], i, 60, 3);
		cr_assert(receive(end[0], 3, &number));
	}
	cr_assert_eq(run(1000, &late), got);
}

Case(sim, directions_do_not_lose_the_same_frames)
{
	struct sim_dir_conf conf = { .loss = 0.5 };
	unsigned same = 0;

	wire(9, &conf, false);
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t number;

		send_number(end[0], i, 60, i);
		send_number(end[1], i, 60, i);
		same += receive(end[1], i, &number) == receive(end[0], i, &number);
	}
	cr_assert(same > 400 && same < 600);
}

Case(sim, links_are_named_once_and_bounded)
{
	struct sim_link_conf conf = { 0 };
	char name[SIM_NAME_LEN + 1];

	sim = sim_new(1);
	cr_assert_eq(sim_link_add(sim, "", &conf), -EINVAL);
	cr_assert_eq(sim_link_add(sim, "a/b", &conf), -EINVAL);
	memset(name, 'n', SIM_NAME_LEN);
	name[SIM_NAME_LEN] = 0;
	cr_assert_eq(sim_link_add(sim, name, &conf), -EINVAL);
	for (int i = 0; i < SIM_LINK_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		cr_assert_eq(sim_link_add(sim, name, &conf), 0);
		cr_assert_eq(sim_link_add(sim, name, &conf), -EEXIST);
	}
	cr_assert_eq(sim_link_add(sim, "more", &conf), -ENOSPC);
	cr_assert_eq(sim_link_set(sim, "more", 0, &conf.dir[0]), -ENOENT);
	cr_assert_eq(sim_link_set(sim, "1", 2, &conf.dir[0]), -ENOENT);
	cr_assert_eq(sim_link_filter(sim, "more", 0, NULL, NULL), -ENOENT);
	cr_assert_null(sim_link_stats(sim, "more", 0));
}

Case(sim, ends_have_addresses_of_their_own_in_every_run)
{
	struct sim_dir_conf conf = { 0 };
	struct mac first;

	wire(1, &conf, false);
	first = end[0]->mac;
	cr_assert(!mac_eq(end[0]->mac, end[1]->mac));
	cr_assert_eq(first.b[0], 2);
	wire(2, &conf, false);
	cr_assert(mac_eq(end[0]->mac, first));
}

Case(sim, a_point_to_point_link_carries_packets_without_a_header)
{
	const struct sim_link_conf conf = { .point_to_point = true };
	uint32_t number;

	sim = sim_new(1);
	cr_assert_eq(sim_link_add(sim, "l", &conf), 0);
	end[0] = plug("sim:l/0", false);
	end[1] = plug("sim:l/1", false);
	cr_assert(end[0]->point_to_point && end[1]->point_to_point);
	send_number(end[0], 1, PORT_MTU + 1, 0);
	send_number(end[0], 2, PORT_MTU, 0);
	cr_assert(receive(end[1], 0, &number));
	cr_assert_eq(number, 2);
	cr_assert_eq(stats()->too_long, 1);
}

/* A TCP frame of 3000 bytes of payload in segments of @gso_len, its sum partial. */
static struct pkt *tcp_packet(uint16_t gso_len)
{
	static const struct build_ip4 ip = { .src = { { 192, 0, 2, 1 } },
					     .dst = { { 192, 0, 2, 2 } } };
	static const struct build_tcp tcp = { .seq = 1, .flags = 16 };
	static uint8_t frame[54 + 3000], payload[3000];
	uint16_t sum = build_partial(ip.src, ip.dst, 6, 3020);
	struct pkt *p = pkt_new_buf(&pool, PKT_DATA, 0);

	build_tcp(frame, &ip, &tcp, payload, sizeof(payload));
	memcpy(frame + 50, &sum, sizeof(sum));
	cr_assert(pkt_append(p, frame, sizeof(frame)));
	p->l3 = p->data + 14;
	p->l4 = p->data + 34;
	p->proto = 6;
	p->gso_len = gso_len;
	p->flags = PKT_SUM_PARTIAL;
	return p;
}

Case(sim, super_frames_pass_where_the_link_takes_them)
{
	/* A bit a nanosecond. */
	struct sim_dir_conf conf = { .rate_bps = 1000000000 };
	struct pkt *p = tcp_packet(1000);

	wire(1, &conf, true);
	cr_assert_eq(end[0]->caps, PORT_TX_SUM | PORT_TX_TSO4 | PORT_TX_TSO6);
	port_tx_burst(end[0], &p, 1, 0);
	cr_assert_eq(sim_due(sim), 3 * (1000 + 54) * 8);
	cr_assert_eq(port_rx_burst(end[1], &p, 1, NS_PER_S), 1);
	cr_assert_eq(p->gso_len, 1000);
	cr_assert_eq(p->total_len, 3054);
	cr_assert(p->flags & PKT_SUM_OK);
	cr_assert_eq(end[1]->stats.rx_super, 1);
	cr_assert_eq(end[0]->stats.tx_super, 1);
	pkt_free(p);
}

Case(sim, a_segment_of_a_super_frame_obeys_the_mtu)
{
	struct sim_dir_conf conf = { .mtu = 1040 };
	struct pkt *p = tcp_packet(1000);

	wire(1, &conf, true);
	port_tx_burst(end[0], &p, 1, 0);
	cr_assert_eq(stats()->too_long, 0);
	p = tcp_packet(1001);
	port_tx_burst(end[0], &p, 1, 0);
	cr_assert_eq(stats()->too_long, 1);
	cr_assert_eq(port_rx_burst(end[1], &p, 1, 0), 1);
	pkt_free(p);
}

Case(sim, nobody_vouches_for_a_corrupted_frame)
{
	struct sim_dir_conf conf = { .corrupt = 1 };
	static uint8_t bytes[4096];

	wire(2, &conf, true);
	for (unsigned i = 0; i < 100; i++) {
		struct pkt *p = tcp_packet(1000);

		port_tx_burst(end[0], &p, 1, i);
		cr_assert_eq(port_rx_burst(end[1], &p, 1, i), 1);
		cr_assert_eq(p->flags & PKT_SUM_OK, 0);
		/* Whatever bit it was behind the link's header, it shows. */
		pkt_read(p, 0, bytes, sizeof(bytes));
		if (memcmp(bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0", 14) == 0)
			cr_assert(!look(bytes, p->total_len).sound);
		pkt_free(p);
	}
}

Case(sim, ports_without_offload_get_none)
{
	struct sim_dir_conf conf = { 0 };

	wire(1, &conf, false);
	cr_assert_eq(end[0]->caps, 0);
}

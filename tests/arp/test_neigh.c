#include <criterion/criterion.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;

static void setup(void)
{
	h = host_new();
}

static void clean(void)
{
	host_free(h);
}

Cases(neigh, setup, clean);

enum { NONE = 99 };

/* ---- what happens ---- */

/* A packet of 20 bytes, all @mark, to @ip. */
static void output_to(struct ip4 ip, uint8_t mark)
{
	struct addr hop = addr_ip4(ip);
	struct pkt *p = host_bytes(h, 20);

	memset(p->data, mark, 20);
	neigh_output(h->neigh, &h->eth[0], &hop, p, h->now_ns);
}

static void output(uint8_t mark)
{
	output_to(peer_ip[0], mark);
}

static struct step arp(uint16_t op, struct mac mac, struct ip4 ip, struct ip4 target)
{
	struct build_arp m = {
		.eth_dst = host_mac[0],
		.eth_src = mac,
		.op = op,
		.sender_mac = mac,
		.sender_ip = ip,
		.target_mac = host_mac[0],
		.target_ip = target,
	};
	uint8_t f[64];

	return host_receive(h, 0, f, build_arp(f, &m));
}

static void peer_answers(void)
{
	arp(2, peer_mac[0], peer_ip[0], host_ip[0]);
}

static void confirm(void)
{
	struct addr hop = addr_ip4(peer_ip[0]);

	neigh_confirm(h->neigh, &h->eth[0], &hop, h->now_ns);
}

/* ---- what is to be seen ---- */

static bool info_of(struct ip4 ip, struct neigh_info *info)
{
	struct addr want = addr_ip4(ip);

	for (uint32_t i = 0; neigh_info(h->neigh, i, info); i++)
		if (addr_eq(&info->addr, &want))
			return true;
	return false;
}

static unsigned state(void)
{
	struct neigh_info info;

	return info_of(peer_ip[0], &info) ? info.state : NONE;
}

/* The next frame is a packet of output(@mark) to @mac. */
static bool sent(uint8_t mark, struct mac mac)
{
	return host_sent(h, 0, &l) && l.type == 0x0800 && mac_eq(l.eth_dst, mac) &&
	       h->frame[BUILD_L3] == mark && h->frame_len == 14 + 20;
}

/* The next frame asks @to for @ip. */
static bool asked_for(struct ip4 ip, struct mac to)
{
	static const struct mac none;

	return host_sent(h, 0, &l) && l.sound && l.type == 0x0806 && l.arp_op == 1 &&
	       mac_eq(l.eth_dst, to) && mac_eq(l.sender_mac, host_mac[0]) &&
	       ip4_eq(l.sender_ip, host_ip[0]) && mac_eq(l.target_mac, none) &&
	       ip4_eq(l.target_ip, ip);
}

static bool asked(struct mac to)
{
	return asked_for(peer_ip[0], to);
}

static bool silent(void)
{
	return !host_sent(h, 0, &l);
}

static void make_reachable(void)
{
	output(1);
	peer_answers();
	cr_assert_eq(host_drain(h), 2);
	cr_assert_eq(state(), NEIGH_REACHABLE);
}

static void make_stale(void)
{
	make_reachable();
	host_pass(h, 45 * NS_PER_S);
	cr_assert_eq(state(), NEIGH_STALE);
}

/* ---- resolving ---- */

Case(neigh, packets_wait_while_everybody_is_asked)
{
	output(1);
	output(2);
	cr_assert(asked(all_mac));
	cr_assert(silent());
	cr_assert_eq(state(), NEIGH_INCOMPLETE);
	peer_answers();
	cr_assert_eq(state(), NEIGH_REACHABLE);
	cr_assert(sent(1, peer_mac[0]));
	cr_assert(sent(2, peer_mac[0]));
	output(3);
	cr_assert(sent(3, peer_mac[0]));
	cr_assert(silent());
}

Case(neigh, asks_three_times_a_second_apart_then_gives_the_packets_back)
{
	output(1);
	output(2);
	cr_assert(asked(all_mac));
	for (unsigned i = 1; i < NEIGH_TRIES; i++) {
		host_pass(h, NS_PER_S - NS_PER_MS);
		cr_assert(silent());
		host_pass(h, NS_PER_MS);
		cr_assert(asked(all_mac));
	}
	host_pass(h, NS_PER_S);
	cr_assert_eq(state(), NONE);
	cr_assert(silent());
	cr_assert_eq(neigh_stats(h->neigh)->unreachable, 2);
	cr_assert_eq(neigh_stats(h->neigh)->requests, NEIGH_TRIES);
}

static uint8_t given_back[4];
static unsigned n_given_back;

static void take_back(void *ctx, struct pkt *p, uint64_t now_ns)
{
	cr_assert(ctx == h && now_ns == h->now_ns && !p->link);
	given_back[n_given_back++] = p->data[0];
	pkt_free(p);
}

Case(neigh, gives_back_in_the_order_of_sending)
{
	neigh_on_unreachable(h->neigh, take_back, h);
	for (uint8_t i = 1; i <= 4; i++)
		output(i);
	host_pass(h, 3 * NS_PER_S);
	cr_assert_eq(n_given_back, 4);
	cr_assert_arr_eq(given_back, "\1\2\3\4", 4);
	host_drain(h);
}

Case(neigh, many_packets_to_one_address_make_one_request_a_second)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 25; i++) {
		output(1);
		host_pass(h, 100 * NS_PER_MS);
		while (host_sent(h, 0, &l))
			n++;
	}
	cr_assert_eq(n, 3);
}

Case(neigh, queue_drops_the_oldest)
{
	for (unsigned i = 0; i < NEIGH_QUEUE_MAX + 2; i++)
		output((uint8_t)i);
	cr_assert_eq(neigh_stats(h->neigh)->queue_dropped, 2);
	cr_assert(asked(all_mac));
	peer_answers();
	for (unsigned i = 2; i < NEIGH_QUEUE_MAX + 2; i++)
		cr_assert(sent((uint8_t)i, peer_mac[0]));
	cr_assert(silent());
}

Case(neigh, packets_that_wait_are_bounded_over_all_addresses)
{
	struct ip4 ip = { { 192, 0, 2, 100 } };
	unsigned n_addrs = NEIGH_WAITING_MAX / NEIGH_QUEUE_MAX;

	for (unsigned i = 0; i < NEIGH_WAITING_MAX; i++) {
		ip.b[3] = (uint8_t)(100 + i % n_addrs);
		output_to(ip, 1);
	}
	neigh_check(h->neigh);
	cr_assert_eq(neigh_stats(h->neigh)->queue_dropped, 0);
	output(1);
	cr_assert_eq(neigh_stats(h->neigh)->table_full, 1);
	cr_assert_eq(state(), NONE);
	output_to(ip, 1);
	cr_assert_eq(neigh_stats(h->neigh)->queue_dropped, 1);
	host_drain(h);
}

Case(neigh, being_asked_resolves_but_does_not_prove)
{
	output(1);
	cr_assert(asked(all_mac));
	arp(1, peer_mac[0], peer_ip[0], host_ip[0]);
	cr_assert_eq(state(), NEIGH_STALE);
	cr_assert(sent(1, peer_mac[0]));
	cr_assert(host_sent(h, 0, &l) && l.arp_op == 2);
	cr_assert(silent());
}

Case(neigh, requests_are_limited_over_all_addresses)
{
	struct ip4 ip = { { 10, 0, 0, 0 } };
	unsigned n = 0;

	for (unsigned i = 0; i < NEIGH_REQUESTS_PER_S + 50; i++) {
		ip.b[2] = (uint8_t)(i / 256);
		ip.b[3] = (uint8_t)i;
		output_to(ip, 1);
	}
	while (host_sent(h, 0, &l))
		n++;
	cr_assert_eq(n, NEIGH_REQUESTS_PER_S);
	cr_assert_eq(neigh_stats(h->neigh)->held_back, 50);
	/* Those that were held back come when there is room for them. */
	host_pass(h, 500 * NS_PER_MS);
	cr_assert_eq(host_drain(h), 50);
}

Case(neigh, an_address_that_cannot_be_asked_for_is_given_up_in_time)
{
	arp_addr_del(h->neigh, &h->eth[0], host_ip[0]);
	output(1);
	host_pass(h, (NEIGH_GIVE_UP_S - 1) * NS_PER_S);
	cr_assert_eq(state(), NEIGH_INCOMPLETE);
	host_pass(h, 2 * NS_PER_S);
	cr_assert_eq(state(), NONE);
	cr_assert_eq(neigh_stats(h->neigh)->unreachable, 1);
	cr_assert_eq(neigh_stats(h->neigh)->requests, 0);
	cr_assert(silent());
}

Case(neigh, an_empty_pool_delays_the_request)
{
	struct pkt *all[HOST_PKTS];
	unsigned n = 0;

	output(1);
	cr_assert(asked(all_mac));
	while ((all[n] = pkt_new(&h->pool, PKT_CONTROL)))
		n++;
	host_pass(h, 1001 * NS_PER_MS);
	cr_assert(neigh_stats(h->neigh)->no_memory > 0);
	cr_assert(silent());
	while (n)
		pkt_free(all[--n]);
	host_pass(h, 300 * NS_PER_MS);
	cr_assert(asked(all_mac));
}

Case(neigh, packets_may_wait_at_the_end)
{
	output(1);
	output_to(gateway_ip, 2);
	cr_assert_eq(host_drain(h), 2);
}

/* ---- states ---- */

Case(neigh, reachable_becomes_stale_by_time_alone)
{
	make_reachable();
	host_pass(h, (NEIGH_REACHABLE_S / 2 - 1) * NS_PER_S);
	cr_assert_eq(state(), NEIGH_REACHABLE);
	host_pass(h, (NEIGH_REACHABLE_S + 1) * NS_PER_S);
	cr_assert_eq(state(), NEIGH_STALE);
	cr_assert(silent());
}

Case(neigh, confirmed_stays_reachable_without_a_word)
{
	make_reachable();
	for (unsigned i = 0; i < 20; i++) {
		host_pass(h, 10 * NS_PER_S);
		confirm();
		cr_assert_eq(state(), NEIGH_REACHABLE);
	}
	cr_assert(silent());
}

Case(neigh, confirmed_stale_is_reachable)
{
	make_stale();
	confirm();
	cr_assert_eq(state(), NEIGH_REACHABLE);
}

Case(neigh, confirmation_of_what_is_unknown_changes_nothing)
{
	confirm();
	cr_assert_eq(state(), NONE);
	output(1);
	confirm();
	cr_assert_eq(state(), NEIGH_INCOMPLETE);
	host_drain(h);
}

Case(neigh, stale_is_used_and_asked_alone)
{
	make_stale();
	output(7);
	cr_assert(sent(7, peer_mac[0]));
	cr_assert(asked(peer_mac[0]));
	cr_assert_eq(state(), NEIGH_PROBE);
	output(8);
	cr_assert(sent(8, peer_mac[0]));
	cr_assert(silent());
	peer_answers();
	cr_assert_eq(state(), NEIGH_REACHABLE);
}

Case(neigh, probed_without_an_answer_is_forgotten)
{
	make_stale();
	output(1);
	for (unsigned i = 0; i < NEIGH_TRIES; i++) {
		host_pass(h, NS_PER_S);
		cr_assert_eq(state(), i < NEIGH_TRIES - 1 ? (unsigned)NEIGH_PROBE : NONE);
	}
	cr_assert_eq(host_drain(h), 1 + NEIGH_TRIES);
	output(2);
	cr_assert(asked(all_mac));
}

Case(neigh, confirmed_probe_is_reachable)
{
	make_stale();
	output(1);
	confirm();
	cr_assert_eq(state(), NEIGH_REACHABLE);
	host_drain(h);
	host_pass(h, 5 * NS_PER_S);
	cr_assert(silent());
}

Case(neigh, a_neighbour_that_moved_is_followed_but_not_trusted)
{
	struct ip4 other = { { 192, 0, 2, 77 } };

	make_reachable();
	/* An announcement, as after a failover. */
	arp(1, peer_mac[1], peer_ip[0], peer_ip[0]);
	cr_assert_eq(state(), NEIGH_STALE);
	output(1);
	cr_assert(sent(1, peer_mac[1]));
	cr_assert(asked(peer_mac[1]));
	arp(1, peer_mac[0], peer_ip[0], other);
	cr_assert_eq(state(), NEIGH_STALE);
	output(2);
	cr_assert(sent(2, peer_mac[0]));
	host_drain(h);
}

Case(neigh, the_same_said_again_changes_nothing)
{
	make_reachable();
	host_pass(h, 10 * NS_PER_S);
	arp(1, peer_mac[0], peer_ip[0], peer_ip[0]);
	cr_assert_eq(state(), NEIGH_REACHABLE);
	host_pass(h, 35 * NS_PER_S);
	cr_assert_eq(state(), NEIGH_STALE);
}

/* ---- who gets an entry ---- */

Case(neigh, only_who_asks_for_us_is_learned)
{
	struct ip4 other = { { 192, 0, 2, 77 } };

	arp(2, peer_mac[0], peer_ip[0], host_ip[0]); /* answers nothing we asked */
	arp(1, peer_mac[0], peer_ip[0], other);
	arp(1, peer_mac[0], peer_ip[0], peer_ip[0]);
	cr_assert_eq(state(), NONE);
	arp(1, peer_mac[0], peer_ip[0], host_ip[0]);
	cr_assert_eq(state(), NEIGH_STALE);
	host_drain(h);
}

Case(neigh, the_same_address_on_two_interfaces_is_two_neighbours)
{
	struct addr hop = addr_ip4(peer_ip[0]);

	make_reachable();
	neigh_output(h->neigh, &h->eth[1], &hop, host_bytes(h, 20), h->now_ns);
	cr_assert(silent());
	cr_assert(host_sent(h, 1, &l) && l.arp_op == 1);
}

Case(neigh, groups_are_mapped_not_asked_for)
{
	struct ip4 group = { { 239, 129, 2, 3 } }, broadcast = { { 255, 255, 255, 255 } };
	struct mac mapped = { { 1, 0, 0x5e, 1, 2, 3 } };

	output_to(group, 1);
	output_to(broadcast, 2);
	cr_assert(sent(1, mapped));
	cr_assert(sent(2, all_mac));
	cr_assert(silent());
}

/* ---- a small table ---- */

enum { SMALL = 6 };

static struct neigh_table *small;

static void small_setup(void)
{
	h = host_new();
	cr_assert_eq(neigh_new(&small, SMALL, &h->pool, &h->wheel, &h->rng), 0);
	cr_assert_eq(arp_addr_add(small, &h->eth[0], host_ip[0], false, h->now_ns), 0);
	host_drain(h);
}

static void small_clean(void)
{
	neigh_check(small);
	neigh_free(small);
	host_free(h);
}

Cases(neigh_small, small_setup, small_clean);

static void small_output(uint8_t last)
{
	struct addr hop = addr_ip4((struct ip4){ { 192, 0, 2, last } });

	neigh_output(small, &h->eth[0], &hop, host_bytes(h, 20), h->now_ns);
}

static void small_learn(uint8_t last)
{
	struct build_arp m = {
		.op = 1,
		.sender_mac = { { 2, 0, 0, 0, 9, last } },
		.sender_ip = { { 192, 0, 2, last } },
		.target_ip = host_ip[0],
	};
	uint8_t f[64];
	struct pkt *p = capture_pkt(&h->pool, f, build_arp(f, &m));

	pkt_pull(p, BUILD_L3);
	cr_assert_eq(arp_input(small, &h->eth[0], p, h->now_ns).verdict, V_DONE);
	pkt_free(p);
	host_drain(h);
}

static bool small_has(uint8_t last)
{
	struct neigh_info info;

	for (uint32_t i = 0; neigh_info(small, i, &info); i++)
		if (info.addr.ip4.b[3] == last)
			return true;
	return false;
}

Case(neigh_small, the_least_recently_used_makes_room)
{
	for (uint8_t i = 1; i <= SMALL; i++)
		small_learn(100 + i);
	small_output(101);
	small_learn(50);
	cr_assert(small_has(101) && !small_has(102) && small_has(50));
	cr_assert_eq(neigh_stats(small)->evicted, 1);
	small_output(60);
	cr_assert(!small_has(103) && small_has(60));
	neigh_check(small);
	host_drain(h);
}

Case(neigh_small, addresses_without_an_answer_hold_at_most_half)
{
	for (uint8_t i = 1; i <= SMALL; i++)
		small_learn(100 + i);
	for (uint8_t i = 1; i <= SMALL; i++)
		small_output(i + 10);
	cr_assert_eq(neigh_stats(small)->table_full, SMALL / 2);
	cr_assert_eq(neigh_stats(small)->evicted, SMALL / 2);
	cr_assert(small_has(101 + SMALL / 2) && small_has(100 + SMALL));
	neigh_check(small);
	/* When they are given up, others may be asked for. */
	host_pass(h, 4 * NS_PER_S);
	small_output(30);
	cr_assert(small_has(30));
	host_drain(h);
}

Case(neigh_small, every_entry_is_listed_once)
{
	struct neigh_info info;
	unsigned seen = 0;

	for (uint8_t i = 1; i <= SMALL; i++)
		small_learn(10 + i);
	small_learn(200);
	for (uint32_t i = 0; neigh_info(small, i, &info); i++) {
		cr_assert(info.iface == 0 && info.mac.b[5] == info.addr.ip4.b[3]);
		seen++;
	}
	cr_assert_eq(seen, SMALL);
}

Case(neigh, the_other_end_of_a_point_to_point_link_needs_no_finding)
{
	struct pkt *p;

	h->eth[0].point_to_point = true;
	output(7);
	cr_assert_eq(state(), NONE);
	eth_flush(&h->eth[0], h->now_ns);
	p = capture_pop(&h->cap[0]);
	cr_assert_not_null(p);
	cr_assert_eq(p->total_len, 20);
	cr_assert_eq(p->data[0], 7);
	pkt_free(p);
}

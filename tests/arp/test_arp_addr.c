#include <criterion/criterion.h>
#include <errno.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;

static void setup(void)
{
	h = host_bare();
}

static void clean(void)
{
	host_free(h);
}

Cases(arp_addr, setup, clean);

static const struct ip4 nobody;

static int add(bool probe)
{
	return arp_addr_add(h->neigh, &h->eth[0], host_ip[0], probe, h->now_ns);
}

static enum arp_addr_state state(void)
{
	return arp_addr_state(h->neigh, &h->eth[0], host_ip[0]);
}

/* A question to all with @sender and about @target, from @mac. */
static enum verdict hear(struct mac mac, struct ip4 sender, struct ip4 target)
{
	struct build_arp m = {
		.eth_dst = all_mac,
		.eth_src = mac,
		.op = 1,
		.sender_mac = mac,
		.sender_ip = sender,
		.target_ip = target,
	};
	uint8_t f[64];

	return host_receive(h, 0, f, build_arp(f, &m)).verdict;
}

static bool said(struct ip4 sender)
{
	return host_sent(h, 0, &l) && l.sound && l.arp_op == 1 &&
	       mac_eq(l.eth_dst, all_mac) && mac_eq(l.sender_mac, host_mac[0]) &&
	       ip4_eq(l.sender_ip, sender) && ip4_eq(l.target_ip, host_ip[0]);
}

static bool probed(void)
{
	return said(nobody);
}

static bool announced(void)
{
	return said(host_ip[0]);
}

static bool silent(void)
{
	return !host_sent(h, 0, &l);
}

/* Passes time in small steps until something is sent; after how long. */
static uint64_t until_sent(uint64_t limit_ns)
{
	uint64_t start_ns = h->now_ns;

	while (h->now_ns - start_ns < limit_ns) {
		host_pass(h, NS_PER_MS);
		if (h->eth[0].n_txq)
			break;
	}
	return h->now_ns - start_ns;
}

static void become_ready(void)
{
	cr_assert_eq(add(false), 0);
	host_pass(h, 5 * NS_PER_S);
	cr_assert_eq(host_drain(h), 2);
}

Case(arp_addr, is_announced_twice_and_ready_at_once)
{
	cr_assert_eq(add(false), 0);
	cr_assert_eq(state(), ARP_ADDR_READY);
	cr_assert(announced());
	cr_assert(silent());
	cr_assert_eq(until_sent(5 * NS_PER_S) / NS_PER_MS / 10, 200);
	cr_assert(announced());
	host_pass(h, 100 * NS_PER_S);
	cr_assert(silent());
	cr_assert_eq(neigh_stats(h->neigh)->announcements, 2);
}

Case(arp_addr, is_probed_three_times_before_use)
{
	uint64_t ns;

	cr_assert_eq(add(true), 0);
	cr_assert(until_sent(2 * NS_PER_S) <= 1001 * NS_PER_MS);
	cr_assert(probed());
	for (unsigned i = 1; i < 3; i++) {
		ns = until_sent(3 * NS_PER_S);
		cr_assert(ns >= NS_PER_S && ns <= 2001 * NS_PER_MS);
		cr_assert(probed());
		cr_assert_eq(state(), ARP_ADDR_PROBING);
	}
	ns = until_sent(3 * NS_PER_S);
	cr_assert(ns >= 2 * NS_PER_S && ns <= 2001 * NS_PER_MS);
	cr_assert(announced());
	cr_assert_eq(state(), ARP_ADDR_READY);
	until_sent(3 * NS_PER_S);
	cr_assert(announced());
	host_pass(h, 100 * NS_PER_S);
	cr_assert(silent());
}

Case(arp_addr, is_not_answered_for_while_it_is_probed)
{
	cr_assert_eq(add(true), 0);
	cr_assert_eq(hear(peer_mac[0], peer_ip[0], host_ip[0]), V_ARP_NOT_OURS);
	cr_assert(silent());
}

Case(arp_addr, in_use_by_another_is_a_conflict_until_that_one_leaves)
{
	struct arp_addr_info info;

	cr_assert_eq(add(true), 0);
	host_pass(h, 1500 * NS_PER_MS);
	cr_assert_eq(hear(peer_mac[0], host_ip[0], peer_ip[0]), V_ARP_CONFLICT);
	cr_assert_eq(state(), ARP_ADDR_CONFLICT);
	cr_assert_eq(neigh_stats(h->neigh)->conflicts, 1);
	cr_assert(arp_addr_info(h->neigh, &h->eth[0], host_ip[0], &info));
	cr_assert(info.n_conflicts == 1 && mac_eq(info.rival, peer_mac[0]));
	host_drain(h);
	/* The owner may speak; that is no news. */
	cr_assert_eq(hear(peer_mac[0], host_ip[0], peer_ip[0]), V_ARP_NOT_OURS);
	host_pass(h, 59 * NS_PER_S);
	cr_assert(silent());
	host_pass(h, 2 * NS_PER_S);
	cr_assert_eq(state(), ARP_ADDR_PROBING);
	host_pass(h, 8 * NS_PER_S);
	cr_assert_eq(state(), ARP_ADDR_READY);
	host_drain(h);
}

Case(arp_addr, probed_by_another_too_is_a_conflict)
{
	cr_assert_eq(add(true), 0);
	cr_assert_eq(hear(peer_mac[0], nobody, host_ip[0]), V_ARP_CONFLICT);
	cr_assert_eq(state(), ARP_ADDR_CONFLICT);
}

Case(arp_addr, probed_by_another_later_is_only_answered)
{
	become_ready();
	cr_assert_eq(hear(peer_mac[0], nobody, host_ip[0]), V_DONE);
	cr_assert(host_sent(h, 0, &l) && l.arp_op == 2);
	cr_assert_eq(neigh_stats(h->neigh)->conflicts, 0);
}

Case(arp_addr, is_defended_once_in_ten_seconds_and_never_given_up)
{
	become_ready();
	for (unsigned i = 0; i < 100; i++) {
		cr_assert_eq(hear(peer_mac[0], host_ip[0], host_ip[0]), V_ARP_CONFLICT);
		if (i % 10 == 0)
			cr_assert(announced(), "after %u s", i);
		cr_assert(silent(), "after %u s", i);
		host_pass(h, 1001 * NS_PER_MS);
	}
	cr_assert_eq(state(), ARP_ADDR_READY);
	cr_assert_eq(neigh_stats(h->neigh)->conflicts, 100);
}

Case(arp_addr, claimed_by_another_is_not_learned)
{
	struct neigh_info info;

	become_ready();
	hear(peer_mac[0], host_ip[0], host_ip[0]);
	cr_assert(!neigh_info(h->neigh, 0, &info));
	host_drain(h);
}

Case(arp_addr, is_there_once)
{
	cr_assert_eq(add(false), 0);
	cr_assert_eq(add(true), -EEXIST);
	host_drain(h);
}

Case(arp_addr, unknown_is_not_to_be_used)
{
	cr_assert_eq(state(), ARP_ADDR_CONFLICT);
	become_ready();
	cr_assert_eq(arp_addr_state(h->neigh, &h->eth[1], host_ip[0]), ARP_ADDR_CONFLICT);
	arp_addr_del(h->neigh, &h->eth[0], host_ip[0]);
	cr_assert_eq(state(), ARP_ADDR_CONFLICT);
	cr_assert_eq(hear(peer_mac[0], peer_ip[0], host_ip[0]), V_ARP_NOT_OURS);
	arp_addr_del(h->neigh, &h->eth[0], host_ip[0]); /* twice does no harm */
}

Case(arp_addr, so_many_and_no_more)
{
	struct ip4 ip = { { 192, 0, 2, 0 } };

	for (unsigned i = 0; i < ARP_ADDR_MAX; i++) {
		ip.b[3] = (uint8_t)(i + 1);
		cr_assert_eq(arp_addr_add(h->neigh, &h->eth[0], ip, true, h->now_ns), 0);
	}
	ip.b[3]++;
	cr_assert_eq(arp_addr_add(h->neigh, &h->eth[0], ip, true, h->now_ns), -ENOSPC);
	arp_addr_del(h->neigh, &h->eth[0], host_ip[0]);
	cr_assert_eq(arp_addr_add(h->neigh, &h->eth[0], ip, true, h->now_ns), 0);
}

Case(arp_addr, asks_with_the_address_nearest_to_whom_it_asks)
{
	static const struct ip4 own[] = { { { 10, 1, 0, 1 } }, { { 192, 168, 3, 1 } } };
	struct addr hop = addr_ip4((struct ip4){ { 192, 168, 3, 9 } });

	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(arp_addr_add(h->neigh, &h->eth[0], own[i], false, h->now_ns),
			     0);
	host_drain(h);
	neigh_output(h->neigh, &h->eth[0], &hop, host_bytes(h, 20), h->now_ns);
	cr_assert(host_sent(h, 0, &l) && ip4_eq(l.sender_ip, own[1]));
	hop.ip4.b[0] = 10;
	neigh_output(h->neigh, &h->eth[0], &hop, host_bytes(h, 20), h->now_ns);
	cr_assert(host_sent(h, 0, &l) && ip4_eq(l.sender_ip, own[0]));
}

Case(arp_addr, a_whole_list_costs_no_timer_in_the_end)
{
	become_ready();
	host_pass(h, 10 * NS_PER_S);
	cr_assert_eq(h->wheel.n_armed, 0);
}

Case(arp_addr, a_point_to_point_link_has_nobody_to_tell_or_to_ask)
{
	h->eth[0].point_to_point = true;
	cr_assert_eq(add(true), 0);
	cr_assert_eq(state(), ARP_ADDR_READY);
	host_pass(h, 60 * NS_PER_S);
	cr_assert(!host_sent(h, 0, &l));
}

#include <criterion/criterion.h>

#include <errno.h>

#include "arp/nd.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static uint8_t f[256];

static void setup(void)
{
	h = host_bare();
	host_speak6(h);
}

static void clean(void)
{
	host_free(h);
}

Cases(nd, setup, clean);

enum { NONE = 99 };

static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };
static const struct mac other_mac = { { 2, 0, 0, 0, 1, 77 } };

/* ---- what happens ---- */

/* A packet of ours to the peer. */
static void output(void)
{
	struct addr hop = addr_ip6(peer_ip6[0]);

	neigh_output(h->neigh, &h->eth[0], &hop, host_bytes(h, 60), h->now_ns);
}

/* The peer advertises itself with @flags in the first byte, at @mac; NULL: unsaid. */
static enum verdict advert(uint8_t flags, const struct mac *mac)
{
	struct build_ip6 ip = host6_from_peer(0);
	struct build_nd nd = {
		.type = 136,
		.flags = (uint32_t)flags << 24,
		.target = peer_ip6[0],
	};

	if (mac) {
		nd.mac_option = 2;
		nd.mac = *mac;
	}
	return host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict;
}

/* @src at @mac asks who has @target; a zero mac is not said. */
static enum verdict solicit(struct ip6 src, struct mac mac, struct ip6 target)
{
	struct build_ip6 ip = host6_from_peer(0);
	struct build_nd nd = { .type = 135, .target = target, .mac = mac };

	nd.mac_option = mac.b[0] ? 1 : 0;
	ip.src = src;
	ip.dst = build_solicited_node(target);
	ip.eth_dst = build_group_mac(ip.dst);
	return host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict;
}

static const struct ip6 nobody;
static const struct mac unsaid;

/* ---- what is to be seen ---- */

static unsigned state(void)
{
	struct addr want = addr_ip6(peer_ip6[0]);
	struct neigh_info info;

	for (uint32_t i = 0; neigh_info(h->neigh, i, &info); i++)
		if (addr_eq(&info.addr, &want))
			return info.state;
	return NONE;
}

static bool silent(void)
{
	return !host_sent(h, 0, &l) && !host_sent(h, 1, &l);
}

/* The next frame is a solicitation of the peer: to its group, or to @mac. */
static void expect_solicit(const struct mac *mac)
{
	struct ip6 group = build_solicited_node(peer_ip6[0]);

	cr_assert(host_sent(h, 0, &l) && l.sound && l.icmp_type == 135 && l.ttl == 255);
	cr_assert(ip6_eq(l.src6, host_ip6[0]));
	cr_assert(ip6_eq(l.dst6, mac ? peer_ip6[0] : group));
	cr_assert(mac_eq(l.eth_dst, mac ? *mac : build_group_mac(group)));
	cr_assert_arr_eq(l.payload, peer_ip6[0].b, 16);
	/* RFC 4861 7.2.2: with our own address, so that the answer needs no question. */
	cr_assert(l.payload_len == 24 && l.payload[16] == 1 && l.payload[17] == 1);
	cr_assert_arr_eq(l.payload + 18, host_mac[0].b, 6);
}

static void expect_packet(struct mac mac)
{
	cr_assert(host_sent(h, 0, &l) && l.type == 0x86dd && l.icmp_type != 135);
	cr_assert(mac_eq(l.eth_dst, mac));
}

static void resolve(void)
{
	output();
	expect_solicit(NULL);
	cr_assert_eq(advert(0x60, &peer_mac[0]), V_DONE);
	expect_packet(peer_mac[0]);
	cr_assert_eq(state(), NEIGH_REACHABLE);
}

/* ---- addresses of others ---- */

Case(nd, a_packet_waits_for_the_answer_to_its_question)
{
	output();
	cr_assert_eq(state(), NEIGH_INCOMPLETE);
	expect_solicit(NULL);
	cr_assert(silent());
	output();
	cr_assert(silent());
	cr_assert_eq(advert(0x60, &peer_mac[0]), V_DONE);
	expect_packet(peer_mac[0]);
	expect_packet(peer_mac[0]);
	cr_assert(silent() && state() == NEIGH_REACHABLE);
}

Case(nd, an_answer_that_nobody_asked_for_is_stale_and_one_without_address_is_none)
{
	output();
	expect_solicit(NULL);
	advert(0x60, NULL);
	cr_assert(silent() && state() == NEIGH_INCOMPLETE);
	advert(0x20, &peer_mac[0]);
	expect_packet(peer_mac[0]);
	cr_assert(state() == NEIGH_STALE || state() == NEIGH_DELAY);
}

Case(nd, whoever_does_not_answer_is_given_up)
{
	output();
	for (unsigned i = 0; i < NEIGH_TRIES; i++) {
		expect_solicit(NULL);
		cr_assert(silent());
		host_pass(h, NS_PER_S + 1);
	}
	cr_assert(silent() && state() == NONE);
	cr_assert_eq(neigh_stats(h->neigh)->unreachable, 1);
}

Case(nd, a_neighbour_of_old_is_used_and_then_asked)
{
	resolve();
	host_pass(h, 100 * NS_PER_S);
	cr_assert_eq(state(), NEIGH_STALE);
	output();
	expect_packet(peer_mac[0]);
	cr_assert_eq(state(), NEIGH_DELAY);
	host_pass(h, NEIGH_DELAY_S * NS_PER_S - NS_PER_MS);
	cr_assert(silent());
	host_pass(h, 2 * NS_PER_MS);
	cr_assert_eq(state(), NEIGH_PROBE);
	expect_solicit(&peer_mac[0]);
	advert(0x60, NULL);
	cr_assert_eq(state(), NEIGH_REACHABLE);
}

Case(nd, what_works_is_not_asked)
{
	struct addr peer = addr_ip6(peer_ip6[0]);

	resolve();
	host_pass(h, 100 * NS_PER_S);
	output();
	expect_packet(peer_mac[0]);
	cr_assert_eq(state(), NEIGH_DELAY);
	neigh_confirm(h->neigh, &h->eth[0], &peer, h->now_ns);
	cr_assert_eq(state(), NEIGH_REACHABLE);
	host_pass(h, 10 * NS_PER_S);
	cr_assert(silent());
}

Case(nd, a_neighbour_that_is_gone_is_forgotten)
{
	resolve();
	host_pass(h, 100 * NS_PER_S);
	output();
	expect_packet(peer_mac[0]);
	host_pass(h, (NEIGH_DELAY_S + NEIGH_TRIES) * NS_PER_S + NS_PER_S / 2);
	for (unsigned i = 0; i < NEIGH_TRIES; i++)
		expect_solicit(&peer_mac[0]);
	cr_assert(silent() && state() == NONE);
}

Case(nd, another_address_is_taken_only_when_it_overrides)
{
	resolve();
	/* RFC 4861 7.2.5 I: it may be a proxy. */
	advert(0x40, &other_mac);
	cr_assert_eq(state(), NEIGH_STALE);
	advert(0x40, &other_mac);
	output();
	expect_packet(peer_mac[0]);
	/* II */
	advert(0x20, &other_mac);
	cr_assert_eq(state(), NEIGH_STALE);
	output();
	expect_packet(other_mac);
	advert(0x60, &other_mac);
	cr_assert_eq(state(), NEIGH_REACHABLE);
}

Case(nd, nobody_is_learned_from_what_nobody_asked_for)
{
	advert(0x60, &peer_mac[0]);
	advert(0x20, &peer_mac[0]);
	cr_assert(state() == NONE && silent());
}

/* ---- addresses of ours ---- */

/* The next frame is an advertisement of host_ip6[0] to @dst at @mac. */
static void expect_advert(struct ip6 dst, struct mac mac, uint8_t flags)
{
	cr_assert(host_sent(h, 0, &l) && l.sound && l.icmp_type == 136 && l.ttl == 255);
	cr_assert(ip6_eq(l.src6, host_ip6[0]) && ip6_eq(l.dst6, dst));
	cr_assert(mac_eq(l.eth_dst, mac));
	cr_assert_eq(l.icmp_rest >> 24, flags);
	cr_assert(l.payload_len == 24 && l.payload[16] == 2);
	cr_assert_arr_eq(l.payload, host_ip6[0].b, 16);
	cr_assert_arr_eq(l.payload + 18, host_mac[0].b, 6);
}

Case(nd, who_asks_for_us_is_answered_and_known)
{
	cr_assert_eq(solicit(peer_ip6[0], peer_mac[0], host_ip6[0]), V_DONE);
	expect_advert(peer_ip6[0], peer_mac[0], 0x60);
	cr_assert(state() == NEIGH_DELAY && silent());
}

Case(nd, who_searches_for_our_address_hears_it_with_all)
{
	cr_assert_eq(solicit(nobody, unsaid, host_ip6[0]), V_DONE);
	expect_advert(all_nodes, build_group_mac(all_nodes), 0x20);
	cr_assert(silent());
}

Case(nd, who_asks_for_others_is_not_answered)
{
	struct ip6 other = host_ip6[0];

	other.b[0] = 0xfc; /* the same group */
	cr_assert_eq(solicit(peer_ip6[0], peer_mac[0], other), V_ND_NOT_OURS);
	cr_assert(silent() && state() == NONE);
}

Case(nd, refuses_what_cannot_be)
{
	struct build_ip6 ip = host6_from_peer(0);
	struct build_nd nd = {
		.type = 135, .target = host_ip6[0], .mac_option = 1, .mac = peer_mac[0]
	};
	uint32_t len;

	/* RFC 4861 7.1.1: from afar, */
	ip.hops = 254;
	cr_assert_eq(host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict, V_ND_BAD);
	ip.hops = 0;
	/* of another code, */
	len = build_nd(f, &ip, &nd);
	f[BUILD6_L4 + 1] = 1;
	build_fix_icmp6(f, len);
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_ND_BAD);
	/* from nobody with an address, or not to the group, */
	cr_assert_eq(solicit(nobody, peer_mac[0], host_ip6[0]), V_ND_BAD);
	ip.src = nobody;
	ip.dst = all_nodes;
	nd.mac_option = 0;
	cr_assert_eq(host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict, V_ND_BAD);
	/* with a group's hardware address, */
	cr_assert_eq(solicit(peer_ip6[0], all_mac, host_ip6[0]), V_ND_BAD);
	/* answers to all that were asked for, */
	ip.src = peer_ip6[0];
	nd = (struct build_nd){ .type = 136, .flags = 0x60000000, .target = peer_ip6[0] };
	cr_assert_eq(host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict, V_ND_BAD);
	/* RFC 6980 5: in fragments. */
	ip = host6_from_peer(0);
	ip.hops = 255;
	ip.exts = "\0\0\0\0\1\2\3\4";
	ip.exts_len = 8;
	ip.ext = 44;
	nd = (struct build_nd){ .type = 135, .target = host_ip6[0] };
	cr_assert_eq(host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict, V_ND_BAD);
	cr_assert(silent() && state() == NONE);
}

Case(nd, a_claim_of_our_address_is_counted_and_answered_now_and_then)
{
	struct build_ip6 ip = host6_from_peer(0);
	struct build_nd nd = {
		.type = 136,
		.flags = 0x20000000,
		.target = host_ip6[0],
		.mac_option = 2,
		.mac = other_mac,
	};
	struct arp_addr_info info;

	ip.src = host_ip6[0];
	ip.dst = all_nodes;
	ip.eth_dst = build_group_mac(all_nodes);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict,
			     V_ND_CONFLICT);
	expect_advert(all_nodes, build_group_mac(all_nodes), 0x20);
	cr_assert(silent());
	cr_assert(nd_addr_info(h->neigh, &h->eth[0], host_ip6[0], &info));
	cr_assert(info.state == ARP_ADDR_READY && info.n_conflicts == 3);
	cr_assert(mac_eq(info.rival, other_mac));
}

/* ---- the search for duplicates ---- */

static const struct ip6 new_ip = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x50 } };

static unsigned own_state(void)
{
	return nd_addr_state(h->neigh, &h->eth[0], new_ip);
}

static void add_new(void)
{
	struct addr a = addr_ip6(new_ip);

	cr_assert_eq(ip_addr_add(h->ip, 0, &a, 64, true, h->now_ns), 0);
	cr_assert_eq(own_state(), ARP_ADDR_PROBING);
}

/* The question is asked, whose nonce is at l.payload + 18. */
static void expect_search(void)
{
	struct ip6 group = build_solicited_node(new_ip);

	host_pass(h, NS_PER_S + NS_PER_MS);
	do
		cr_assert(host_sent(h, 0, &l), "no search");
	while (l.icmp_type != 135);
	cr_assert(l.sound && ip6_eq(l.src6, nobody) && ip6_eq(l.dst6, group));
	cr_assert(l.ttl == 255 && l.payload_len == 24 && l.payload[16] == 14);
	cr_assert_arr_eq(l.payload, new_ip.b, 16);
}

Case(nd, an_address_that_nobody_minds_is_ours)
{
	add_new();
	expect_search();
	host_pass(h, NS_PER_S);
	cr_assert_eq(own_state(), ARP_ADDR_READY);
	/* RFC 9131 6.1.2: routers hear of it, and believe only what they do not know. */
	while (host_sent(h, 0, &l))
		if (l.icmp_type == 136)
			break;
	cr_assert(l.sound && l.icmp_rest == 0 && l.dst6.b[15] == 2);
	host_drain(h);
}

Case(nd, an_address_that_another_has_is_not_ours)
{
	struct build_ip6 ip = host6_from_peer(0);
	struct build_nd nd = {
		.type = 136,
		.flags = 0x20000000,
		.target = new_ip,
		.mac_option = 2,
		.mac = other_mac,
	};

	add_new();
	expect_search();
	ip.src = new_ip;
	ip.dst = all_nodes;
	ip.eth_dst = build_group_mac(all_nodes);
	cr_assert_eq(host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict, V_ND_CONFLICT);
	cr_assert_eq(own_state(), ARP_ADDR_CONFLICT);
	host_pass(h, 59 * NS_PER_S);
	cr_assert_eq(own_state(), ARP_ADDR_CONFLICT);
	host_pass(h, 4 * NS_PER_S);
	cr_assert_eq(own_state(), ARP_ADDR_READY);
	host_drain(h);
}

Case(nd, two_who_search_for_the_same_both_lose)
{
	add_new();
	expect_search();
	cr_assert_eq(solicit(nobody, unsaid, new_ip), V_ND_CONFLICT);
	cr_assert_eq(own_state(), ARP_ADDR_CONFLICT);
	host_drain(h);
}

Case(nd, a_link_that_gives_our_question_back_is_no_rival)
{
	uint8_t back[256];
	uint32_t len;

	add_new();
	expect_search();
	len = h->frame_len;
	memcpy(back, h->frame, len);
	cr_assert_eq(host_receive(h, 0, back, len).verdict, V_ND_NOT_OURS);
	cr_assert_eq(own_state(), ARP_ADDR_PROBING);
	host_pass(h, NS_PER_S);
	cr_assert_eq(own_state(), ARP_ADDR_READY);
	host_drain(h);
}

Case(nd, who_asks_for_an_address_that_is_searched_for_is_not_answered)
{
	add_new();
	expect_search();
	host_drain(h);
	cr_assert_eq(solicit(peer_ip6[0], peer_mac[0], new_ip), V_ND_NOT_OURS);
	cr_assert(silent() && own_state() == ARP_ADDR_PROBING);
}

Case(nd, so_many_addresses_and_no_more)
{
	struct ip6 a = new_ip;
	unsigned n = 0;
	int err;

	do {
		a.b[14]++;
		err = nd_addr_add(h->neigh, &h->eth[1], a, false, h->now_ns);
		n += !err;
	} while (!err);
	cr_assert_eq(err, -ENOSPC);
	cr_assert_eq(n + 4, ND_ADDR_MAX);
	cr_assert_eq(nd_addr_add(h->neigh, &h->eth[0], host_ip6[0], false, h->now_ns),
		     -EEXIST);
	host_drain(h);
}

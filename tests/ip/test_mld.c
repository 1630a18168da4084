#include <criterion/criterion.h>
#include <errno.h>

#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static struct mld *m;
static uint8_t f[256];

static void setup(void)
{
	h = host_bare();
	host_speak6(h);
	m = &h->ip->ifaces[0].ip6.mld;
}

static void clean(void)
{
	host_free(h);
}

Cases(mld, setup, clean);

static const struct ip6 group = { { 0xff, 5, [15] = 0x42 } };
static const struct ip6 all;

/* The next report that is sent within @ms, with @n records; false: none. */
static bool next_report(unsigned ms, unsigned n)
{
	host_pass(h, ms * NS_PER_MS);
	if (!host_sent(h, 0, &l))
		return false;
	/* RFC 3810 5.2.14: to all routers that know it, from our own link. */
	cr_assert(l.sound && l.icmp_type == 143 && l.ttl == 1 && l.n_exts == 1);
	cr_assert(l.exts[0] == 0 && l.dst6.b[1] == 2 && l.dst6.b[15] == 0x16);
	cr_assert(l.icmp_rest == n && l.payload_len == 20 * n, "%u records", l.icmp_rest);
	return true;
}

/* Record @i of the report is of that type and group. */
static bool says(unsigned i, uint8_t type, struct ip6 of)
{
	const uint8_t *r = l.payload + 20 * i;

	return r[0] == type && memcmp(r + 4, of.b, 16) == 0;
}

/* A router asks about @of, and wants the answer within a second. */
static enum verdict query(struct ip6 of, struct ip6 src, uint8_t hops)
{
	struct build_ip6 ip = host6_from_peer(0);
	uint8_t b[20] = { 0 };

	ip.src = src;
	ip.hops = hops;
	ip.dst = (struct ip6){ { 0xff, 2, [15] = 1 } };
	ip.eth_dst = build_group_mac(ip.dst);
	ip.exts = "\0\0\5\2\0\0\1\0";
	ip.exts_len = 8;
	ip.ext = 0;
	memcpy(b, of.b, 16);
	return host_receive(h, 0, f, build_icmp6(f, &ip, 0x8200, 1000u << 16, b, 20))
		.verdict;
}

Case(mld, a_group_that_is_joined_is_told_twice)
{
	cr_assert_eq(mld_join(m, group, h->now_ns), 0);
	cr_assert(mld_listens(m, group));
	cr_assert(next_report(1, 1) && says(0, 4, group));
	cr_assert(ip6_eq(l.src6, host_ll[0]));
	cr_assert(next_report(1000, 1) && says(0, 4, group));
	cr_assert(!next_report(10000, 0));
	/* Another who joins it changes nothing. */
	cr_assert_eq(mld_join(m, group, h->now_ns), 0);
	mld_leave(m, group, h->now_ns);
	cr_assert(mld_listens(m, group) && !next_report(10000, 0));
}

Case(mld, a_group_that_the_last_one_left_is_told_twice_and_gone)
{
	mld_join(m, group, h->now_ns);
	host_pass(h, 5 * NS_PER_S);
	host_drain(h);
	mld_leave(m, group, h->now_ns);
	cr_assert(!mld_listens(m, group));
	cr_assert(next_report(1, 1) && says(0, 3, group));
	cr_assert(next_report(1000, 1) && says(0, 3, group));
	cr_assert(!next_report(10000, 0) && m->n_groups == 1);
	mld_leave(m, group, h->now_ns);
	cr_assert(!next_report(10000, 0));
}

Case(mld, what_is_joined_and_left_in_one_turn_is_told_in_one_report)
{
	struct ip6 other = group;

	other.b[15]++;
	mld_join(m, group, h->now_ns);
	mld_join(m, other, h->now_ns);
	cr_assert(next_report(1, 2) && says(0, 4, group) && says(1, 4, other));
	mld_leave(m, group, h->now_ns);
	cr_assert(next_report(1000, 2) && says(0, 3, group) && says(1, 4, other));
}

Case(mld, a_query_is_answered_at_random_with_all_groups)
{
	mld_join(m, group, h->now_ns);
	host_pass(h, 5 * NS_PER_S);
	host_drain(h);
	cr_assert_eq(query(all, gateway_ll, 1), V_DONE);
	cr_assert(!host_sent(h, 0, &l));
	/* The one in which both addresses are solicited, and the one that was joined. */
	cr_assert(next_report(1000, 2));
	cr_assert(says(0, 2, build_solicited_node(host_ll[0])) && says(1, 2, group));
	cr_assert(!next_report(10000, 0));
	cr_assert_eq(query(group, gateway_ll, 1), V_DONE);
	cr_assert(next_report(1000, 1) && says(0, 2, group));
	/* About what we do not listen to there is nothing to say. */
	cr_assert_eq(query((struct ip6){ { 0xff, 5, [15] = 9 } }, gateway_ll, 1), V_DONE);
	cr_assert(!next_report(10000, 0));
}

Case(mld, queries_from_afar_or_of_no_neighbour_are_not_answered)
{
	cr_assert_eq(query(all, gateway_ll, 2), V_ND_BAD);
	cr_assert_eq(query(all, peer_ip6[0], 1), V_ND_BAD);
	cr_assert(!next_report(10000, 0));
}

Case(mld, the_group_of_all_nodes_is_never_told)
{
	struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } }, own = { { 0xff, 1, [15] = 9 } };

	mld_join(m, all_nodes, h->now_ns);
	mld_join(m, own, h->now_ns);
	cr_assert(!next_report(10000, 0));
	cr_assert(mld_listens(m, own));
}

Case(mld, packets_to_a_group_are_ours_while_we_listen)
{
	struct build_ip6 ip = host6_from_peer(0);
	uint32_t len;

	ip.dst = group;
	ip.eth_dst = build_group_mac(group);
	len = build_udp6(f, &ip, 1, 2, "x", 1);
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_IP_NOT_OURS);
	mld_join(m, group, h->now_ns);
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_UDP_NO_SOCKET);
	mld_leave(m, group, h->now_ns);
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_IP_NOT_OURS);
	host_pass(h, 5 * NS_PER_S);
	host_drain(h);
}

Case(mld, so_many_groups_and_no_more)
{
	struct ip6 g = group;
	unsigned n = m->n_groups;
	int err;

	do {
		g.b[14]++;
		err = mld_join(m, g, h->now_ns);
		n += !err;
	} while (!err);
	cr_assert_eq(err, -ENOBUFS);
	cr_assert_eq(n, MLD_GROUPS_MAX);
	/* All that is new is told in one packet, which every link carries. */
	cr_assert(next_report(1, MLD_GROUPS_MAX - 1));
	cr_assert_leq(l.total_len, 1280);
	host_pass(h, 5 * NS_PER_S);
	host_drain(h);
}

Case(mld, an_address_that_is_not_ready_speaks_from_nobody)
{
	struct host *bare = host_bare();
	struct look first;

	cr_assert_eq(ip6_start(bare->ip, 0, true, bare->now_ns), 0);
	host_pass(bare, NS_PER_MS);
	cr_assert(host_sent(bare, 0, &first) && first.sound && first.icmp_type == 143);
	cr_assert(ip6_eq(first.src6, all));
	host_pass(bare, 5 * NS_PER_S);
	host_drain(bare);
	host_free(bare);
}

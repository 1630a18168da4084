#include <criterion/criterion.h>
#include <errno.h>

#include "ip/igmp_wire.h"
#include "ip/ip_impl.h"
#include "ip/mcast.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

/* A host in groups of interface 0, and a router and another host, for which we speak. */
static struct host *h;
static struct look l;
static const struct ip4 a = { { 239, 1, 2, 3 } }, b = { { 239, 4, 5, 6 } };
static const struct ip4 all_hosts = { { 224, 0, 0, 1 } }, all = { { 0 } };
static const struct ip4 v3_routers = { { 224, 0, 0, 22 } };

static void setup(void)
{
	h = host_new();
}

static void clean(void)
{
	host_free(h);
}

Cases(igmp, setup, clean);

static int join(struct ip4 group)
{
	struct addr addr = addr_ip4(group);

	return mcast_join(h->ip, 0, &addr, h->now_ns);
}

static void leave(struct ip4 group)
{
	struct addr addr = addr_ip4(group);

	mcast_leave(h->ip, 0, &addr, h->now_ns);
}

/* An IGMP message to @dst. */
static enum verdict hear(struct ip4 dst, uint8_t ttl, const uint8_t *bytes, uint32_t len)
{
	struct build_ip4 ip = host_from_peer(0);
	uint8_t frame[256], m[64];
	uint16_t sum;

	memcpy(m, bytes, len);
	sum = (uint16_t)~build_sum(0, m, len);
	m[2] = (uint8_t)(sum >> 8);
	m[3] = (uint8_t)sum;
	ip.eth_dst = (struct mac){ { 1, 0, 0x5e, dst.b[1] & 0x7f, dst.b[2], dst.b[3] } };
	ip.dst = dst;
	ip.proto = 2;
	ip.ttl = ttl;
	return host_receive(h, 0, frame, build_ip4(frame, &ip, m, len)).verdict;
}

/* A query for @group (0.0.0.0: all), to be answered within so many tenths of a second. */
static void query(unsigned version, struct ip4 group, uint8_t tenths)
{
	uint8_t m[12] = { 0x11, version == 1 ? 0 : tenths };

	memcpy(m + 4, &group, sizeof(group));
	cr_assert_eq(
		hear(ip4_is_zero(group) ? all_hosts : group, 1, m, version == 3 ? 12 : 8),
		V_DONE);
}

static void other_reports(uint8_t type, struct ip4 group)
{
	uint8_t m[8] = { type };

	memcpy(m + 4, &group, sizeof(group));
	cr_assert_eq(hear(group, 1, m, sizeof(m)), V_DONE);
}

/* Takes the next IGMP message; true when it goes to @dst as it must.  Its bytes. */
static const uint8_t *said(struct ip4 dst)
{
	static const uint8_t alert[] = { 148, 4, 0, 0 };
	const uint8_t *ip = h->frame + 14;

	if (!host_sent(h, 0, &l))
		return NULL;
	cr_assert(l.proto == 2 && l.ttl == 1 && l.tos == 0xc0 && ip4_eq(l.dst, dst));
	cr_assert(ip4_eq(l.src, host_ip[0]));
	cr_assert(l.eth_dst.b[0] == 1 && l.eth_dst.b[2] == 0x5e &&
		  l.eth_dst.b[5] == dst.b[3]);
	cr_assert(ip[0] == 0x46 && memcmp(ip + 20, alert, sizeof(alert)) == 0);
	cr_assert_eq(build_sum(0, ip + 24, l.total_len - 24u), 0xffff);
	return ip + 24;
}

/* A report of version 3 with one record. */
static bool reported(enum igmp_record_type type, struct ip4 group)
{
	const uint8_t *m = said(v3_routers);

	return m && m[0] == 0x22 && be16(m + 6) == 1 && l.total_len == 24 + 16 &&
	       m[8] == type && be16(m + 10) == 0 && memcmp(m + 12, &group, 4) == 0;
}

static bool said_old(uint8_t type, struct ip4 group, struct ip4 dst)
{
	const uint8_t *m = said(dst);

	return m && m[0] == type && l.total_len == 24 + 8 &&
	       memcmp(m + 4, &group, 4) == 0;
}

static bool silent(uint64_t ms)
{
	host_pass(h, ms * NS_PER_MS);
	return !host_sent(h, 0, &l);
}

/* How long it takes until something is said. */
static uint64_t until_said(uint64_t limit_ms)
{
	for (uint64_t ms = 0; ms < limit_ms; ms++) {
		host_pass(h, NS_PER_MS);
		if (h->eth[0].n_txq)
			return ms + 1;
	}
	return UINT64_MAX;
}

/* A member that has told it and is quiet. */
static void be_in(struct ip4 group)
{
	cr_assert_eq(join(group), 0);
	host_pass(h, 30 * NS_PER_S);
	host_drain(h);
}

Case(igmp, a_join_is_told_twice_and_no_more)
{
	cr_assert_eq(join(a), 0);
	cr_assert(reported(IGMP_TO_EXCLUDE, a));
	cr_assert_leq(until_said(2001), 2001);
	cr_assert(reported(IGMP_TO_EXCLUDE, a));
	cr_assert(silent(100000));
	cr_assert_eq(h->wheel.n_armed, 0);
	leave(a);
	host_drain(h);
}

Case(igmp, a_leave_is_told_twice_and_no_more)
{
	be_in(a);
	leave(a);
	cr_assert(reported(IGMP_TO_INCLUDE, a));
	cr_assert_leq(until_said(2001), 2001);
	cr_assert(reported(IGMP_TO_INCLUDE, a));
	cr_assert(silent(100000));
	query(3, all, 10);
	cr_assert(silent(100000));
	cr_assert_eq(h->ip->ifaces[0].igmp.n_groups, 0);
}

Case(igmp, is_told_of_once_for_many_users)
{
	be_in(a);
	cr_assert_eq(join(a), 0);
	cr_assert(silent(10000));
	leave(a);
	cr_assert(silent(10000));
	leave(a);
	cr_assert(reported(IGMP_TO_INCLUDE, a));
	host_pass(h, 10 * NS_PER_S);
	host_drain(h);
}

Case(igmp, a_query_is_answered_for_all_groups_at_once_and_not_too_late)
{
	be_in(a);
	be_in(b);
	for (unsigned i = 0; i < 20; i++) {
		const uint8_t *m;

		query(3, all, 20);
		cr_assert_leq(until_said(2001), 2001);
		m = said(v3_routers);
		cr_assert(m && be16(m + 6) == 2 && m[8] == IGMP_IS_EXCLUDE &&
			  m[16] == IGMP_IS_EXCLUDE);
		cr_assert(silent(10000));
	}
}

Case(igmp, answers_do_not_come_all_at_the_same_time)
{
	uint64_t first, ms;
	bool differ = false;

	be_in(a);
	query(3, all, 100);
	first = until_said(10001);
	host_drain(h);
	for (unsigned i = 0; i < 5; i++) {
		query(3, all, 100);
		ms = until_said(10001);
		host_drain(h);
		differ |= ms + 500 < first || ms > first + 500;
	}
	cr_assert(differ);
}

Case(igmp, a_query_for_one_group_is_answered_for_that)
{
	be_in(a);
	be_in(b);
	query(3, b, 10);
	cr_assert_leq(until_said(1001), 1001);
	cr_assert(reported(IGMP_IS_EXCLUDE, b));
	cr_assert(silent(10000));
}

Case(igmp, many_queries_make_few_answers)
{
	unsigned n;

	be_in(a);
	for (unsigned i = 0; i < 1000; i++) {
		query(3, all, 0); /* "at once" */
		host_pass(h, NS_PER_MS);
	}
	host_pass(h, NS_PER_S);
	n = host_drain(h);
	cr_assert(n >= 1 && n <= 100, "%u answers in a second", n);
}

Case(igmp, the_group_of_all_hosts_is_never_told_of)
{
	cr_assert_eq(join(all_hosts), 0);
	query(3, all, 10);
	cr_assert(silent(100000));
	leave(all_hosts);
	cr_assert(silent(100000));
}

/* ---- queriers of version 2 and 1 ---- */

Case(igmp, speaks_version_2_to_who_speaks_it)
{
	static const struct ip4 routers = { { 224, 0, 0, 2 } };

	be_in(a);
	query(2, all, 10);
	cr_assert_leq(until_said(1001), 1001);
	cr_assert(said_old(IGMP_V2_REPORT, a, a));
	cr_assert_eq(join(b), 0);
	cr_assert(said_old(IGMP_V2_REPORT, b, b));
	cr_assert_leq(until_said(11001), 11001);
	cr_assert(said_old(IGMP_V2_REPORT, b, b));
	leave(b);
	cr_assert(said_old(IGMP_V2_LEAVE, b, routers));
	cr_assert(silent(100000));
	/* RFC 3376 8.12: and version 3 when no more of them come. */
	host_pass(h, IGMP_OLD_S * NS_PER_S);
	cr_assert_eq(join(b), 0);
	cr_assert(reported(IGMP_TO_EXCLUDE, b));
	host_pass(h, 10 * NS_PER_S);
	host_drain(h);
}

Case(igmp, in_version_2_a_report_of_another_is_enough)
{
	be_in(a);
	query(2, all, 100);
	other_reports(0x16, a);
	cr_assert(silent(20000));
	/* And it is for the other to say that it leaves. */
	leave(a);
	cr_assert(silent(20000));
}

Case(igmp, in_version_3_a_report_of_another_is_not)
{
	be_in(a);
	query(3, all, 10);
	other_reports(0x16, a);
	cr_assert_leq(until_said(1001), 1001);
	cr_assert(reported(IGMP_IS_EXCLUDE, a));
}

Case(igmp, speaks_version_1_to_who_speaks_it_and_does_not_leave)
{
	be_in(a);
	query(1, all, 0);
	cr_assert_leq(until_said(10001), 10001);
	cr_assert(said_old(IGMP_V1_REPORT, a, a));
	leave(a);
	cr_assert(silent(100000));
	cr_assert_eq(h->ip->ifaces[0].igmp.n_groups, 0);
}

/* ---- limits, and what is not so ---- */

Case(igmp, so_many_groups_and_no_more)
{
	struct ip4 group = a;

	for (unsigned i = 0; i < IGMP_GROUPS_MAX; i++, group.b[3]++)
		cr_assert_eq(join(group), 0);
	cr_assert_eq(join(group), -ENOBUFS);
	cr_assert_eq(h->ip->stats.groups_full, 1);
	cr_assert_eq(join(a), 0);
	host_pass(h, 10 * NS_PER_S);
	host_drain(h);
	query(3, all, 1);
	host_pass(h, NS_PER_S);
	cr_assert(host_sent(h, 0, &l));
	cr_assert_eq(l.total_len, 24 + 8 + IGMP_GROUPS_MAX * 8);
	cr_assert(!host_sent(h, 0, &l));
}

Case(igmp, only_groups_can_be_joined)
{
	cr_assert_eq(join((struct ip4){ { 192, 0, 2, 9 } }), -EINVAL);
	cr_assert_eq(join((struct ip4){ { 255, 255, 255, 255 } }), -EINVAL);
	cr_assert_eq(join((struct ip4){ { 0 } }), -EINVAL);
}

Case(igmp, what_was_routed_or_is_damaged_or_senseless_is_not_read)
{
	static const uint8_t good[8] = { 0x11, 10 }, v3_report[16] = { 0x22 };
	struct build_ip4 ip = host_from_peer(0);
	uint8_t frame[64];

	be_in(a);
	cr_assert_eq(hear(all_hosts, 2, good, sizeof(good)), V_IGMP_BAD);
	cr_assert_eq(hear(all_hosts, 1, good, 7), V_IGMP_BAD);
	cr_assert_eq(hear(all_hosts, 1, v3_report, sizeof(v3_report)), V_IGMP_BAD);
	ip.proto = 2;
	ip.ttl = 1;
	ip.dst = all_hosts;
	ip.eth_dst = all_mac;
	cr_assert_eq(host_receive(h, 0, frame, build_ip4(frame, &ip, good, 8)).verdict,
		     V_IGMP_BAD); /* without a sum */
	cr_assert(silent(20000));
}

Case(igmp, packets_to_groups_come_only_to_members)
{
	struct build_ip4 ip = host_from_peer(0);
	uint8_t frame[128];
	uint32_t len;

	ip.dst = a;
	ip.eth_dst = (struct mac){ { 1, 0, 0x5e, 1, 2, 3 } };
	len = build_udp(frame, &ip, 1000, 2000, "x", 1);
	cr_assert_eq(host_receive(h, 0, frame, len).verdict, V_IP_NOT_OURS);
	be_in(a);
	cr_assert_eq(host_receive(h, 0, frame, len).verdict, V_UDP_NO_SOCKET);
	cr_assert(silent(1000)); /* no ICMP about it */
	leave(a);
	cr_assert_eq(host_receive(h, 0, frame, len).verdict, V_IP_NOT_OURS);
	host_drain(h);
}

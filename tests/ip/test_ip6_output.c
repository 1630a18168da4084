#include <criterion/criterion.h>
#include <errno.h>

#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;

static void setup(void)
{
	h = host6_with_peers();
}

static void clean(void)
{
	host_free(h);
}

Cases(ip6_output, setup, clean);

static struct addr ip6(const char *text)
{
	struct addr a;

	cr_assert(addr_parse(text, &a), "%s", text);
	return a;
}

/* 40 bytes of UDP go as @how says, to @dst. */
static int output(struct ip_out how, const char *dst)
{
	how.dst = ip6(dst);
	how.proto = 17;
	return ip_output(h->ip, host_bytes(h, 40), &how, h->now_ns);
}

static bool silent(void)
{
	return !host_sent(h, 0, &l) && !host_sent(h, 1, &l);
}

Case(ip6_output, a_neighbour_gets_a_header_with_all_that_was_said)
{
	cr_assert_eq(output((struct ip_out){ .tos = 0x2a, .ttl = 9 }, "2001:db8::9"), 0);
	cr_assert(host_sent(h, 0, &l) && l.sound == false && l.type == 0x86dd);
	cr_assert(l.tos == 0x2a && l.ttl == 9 && l.proto == 17 && l.total_len == 80);
	cr_assert(ip6_eq(l.src6, host_ip6[0]) && ip6_eq(l.dst6, peer_ip6[0]));
	cr_assert(mac_eq(l.eth_dst, peer_mac[0]));
	output((struct ip_out){ 0 }, "2001:db8::9");
	cr_assert(host_sent(h, 0, &l) && l.ttl == IP_TTL_DEFAULT);
}

Case(ip6_output, each_network_goes_its_way)
{
	output((struct ip_out){ 0 }, "2001:db8:1::9");
	cr_assert(host_sent(h, 1, &l) && mac_eq(l.eth_dst, peer_mac[1]));
	cr_assert(ip6_eq(l.src6, host_ip6[1]));
	/* By the gateway, whose link-local address says where it is. */
	output((struct ip_out){ 0 }, "2001:db8:7::9");
	cr_assert(host_sent(h, 0, &l) && mac_eq(l.eth_dst, peer_mac[0]));
	cr_assert(ip6_eq(l.src6, host_ip6[0]) && silent());
}

Case(ip6_output, groups_go_to_their_frames_with_one_hop)
{
	struct addr group = ip6("ff02::fb");
	struct ip_out how = { .src = addr_ip6(host_ll[1]) };

	output((struct ip_out){ 0 }, "ff02::fb");
	cr_assert(host_sent(h, 0, &l) && l.ttl == 1);
	cr_assert(mac_eq(l.eth_dst, build_group_mac(group.ip6)));
	cr_assert(ip6_eq(l.src6, host_ll[0]));
	/* Where a group is, its speaker says; or its zone. */
	how.src.zone = 2;
	output(how, "ff02::fb");
	cr_assert(host_sent(h, 1, &l) && ip6_eq(l.src6, host_ll[1]));
	group.zone = 2;
	how = (struct ip_out){ .dst = group, .proto = 17 };
	ip_output(h->ip, host_bytes(h, 40), &how, h->now_ns);
	cr_assert(host_sent(h, 1, &l) && silent());
}

Case(ip6_output, a_link_local_address_is_where_its_zone_is)
{
	struct ip_out how = { .dst = addr_ip6(gateway_ll), .proto = 17 };

	for (unsigned i = 0; i < HOST_IFACES; i++) {
		how.dst.zone = (uint8_t)(i + 1);
		ip_output(h->ip, host_bytes(h, 40), &how, h->now_ns);
		cr_assert(host_sent(h, i, &l) && silent());
	}
	how.dst.zone = 7;
	cr_assert_eq(ip_output(h->ip, host_bytes(h, 40), &how, h->now_ns), -ENETUNREACH);
	cr_assert_eq(ip_default_zone(h->ip), 1);
}

Case(ip6_output, there_is_no_way_to_nobody)
{
	static const char *const nobodies[] = { "::", "::ffff:192.0.2.9" };
	struct ip_out how = { .src = ip6("::1") };

	for (unsigned i = 0; i < ARRAY_LEN(nobodies); i++)
		cr_assert_eq(output((struct ip_out){ 0 }, nobodies[i]), -ENETUNREACH);
	cr_assert_eq(output(how, "2001:db8::9"), -ENETUNREACH);
	cr_assert(silent());
}

Case(ip6_output, ourselves_are_reached_without_a_wire)
{
	static const char *const us[] = { "::1", "2001:db8::1", "2001:db8:1::1" };

	for (unsigned i = 0; i < ARRAY_LEN(us); i++) {
		struct addr dst = ip6(us[i]);
		struct ip_out how = { .dst = dst, .proto = 6 };

		cr_assert_eq(ip_output(h->ip, host_bytes(h, 40), &how, h->now_ns), 0);
		cr_assert_eq(host_loop(h).next, NEXT_TCP);
		cr_assert(addr_eq(&h->up->dst, &dst) && addr_eq(&h->up->src, &dst));
	}
	cr_assert(silent());
}

/* ---- flow labels ---- */

/* The label of a packet from and to these ports. */
static uint32_t label(uint16_t src, uint16_t dst)
{
	struct ip_out how = { .dst = addr_ip6(peer_ip6[0]), .proto = 17 };
	struct pkt *p = host_bytes(h, 40);

	p->data[0] = (uint8_t)(src >> 8);
	p->data[1] = (uint8_t)src;
	p->data[2] = (uint8_t)(dst >> 8);
	p->data[3] = (uint8_t)dst;
	ip_output(h->ip, p, &how, h->now_ns);
	cr_assert(host_sent(h, 0, &l));
	return l.flow;
}

Case(ip6_output, a_flow_has_one_label_and_another_flow_another)
{
	uint32_t seen[64];

	for (uint16_t i = 0; i < ARRAY_LEN(seen); i++) {
		seen[i] = label(1000, i);
		cr_assert_eq(label(1000, i), seen[i]);
		for (uint16_t k = 0; k < i; k++)
			cr_assert_neq(seen[i], seen[k], "%u and %u", i, k);
	}
}

/* ---- which of our addresses (RFC 6724 5) ---- */

static struct ip_iface iface;

static void have(const char *text, unsigned bits)
{
	iface.ip6.addrs[iface.ip6.n_addrs++] = (struct ip6_addr){
		.addr = ip6(text).ip6,
		.bits = (uint8_t)bits,
		.ready = true,
	};
}

static void expect_source(const char *dst, const char *want)
{
	struct ip6 src;

	cr_assert(ip6_select_source(&iface, ip6(dst).ip6, &src));
	cr_assert(ip6_eq(src, ip6(want).ip6), "to %s not from %s", dst, want);
}

Case(ip6_output, the_source_is_chosen_by_the_rules)
{
	iface = (struct ip_iface){ 0 };
	have("fe80::1", 64);
	have("2001:db8:1::1", 64);
	have("2001:db8:2::1", 64);
	have("fd00::1", 64);
	have("2002:c000:201::1", 64);
	/* Rule 1: the same; 2: a scope that reaches, and no more than that. */
	expect_source("fd00::1", "fd00::1");
	expect_source("fe80::9", "fe80::1");
	expect_source("ff02::1", "fe80::1");
	expect_source("2001:db8:9::9", "2001:db8:1::1");
	/* Rule 6: labels: our own kind speaks to its kind. */
	expect_source("fd00:1::9", "fd00::1");
	expect_source("2002:c000:202::9", "2002:c000:201::1");
	/* Rule 8: most in common. */
	expect_source("2001:db8:2::9", "2001:db8:2::1");
	/* Rule 3: not one whose time is over. */
	iface.ip6.addrs[2].deprecated = true;
	expect_source("2001:db8:2::9", "2001:db8:1::1");
	iface.ip6.addrs[1].deprecated = true;
	expect_source("2001:db8:2::9", "2002:c000:201::1");
	/* What is not ready is none. */
	for (unsigned i = 1; i < iface.ip6.n_addrs; i++)
		iface.ip6.addrs[i].ready = false;
	expect_source("2001:db8:2::9", "fe80::1");
	iface.ip6.addrs[0].ready = false;
	cr_assert(!ip6_select_source(&iface, ip6("fe80::9").ip6, &(struct ip6){ 0 }));
}

/* ---- interface identifiers ---- */

Case(ip6_output, an_identifier_is_the_same_on_a_network_and_another_elsewhere)
{
	struct ip6 a = slaac_addr(h->ip, 0, ip6("2001:db8:a::").ip6, 0);
	struct ip6 b = slaac_addr(h->ip, 0, ip6("2001:db8:b::").ip6, 0);

	cr_assert(memcmp(a.b, ip6("2001:db8:a::").ip6.b, 8) == 0);
	cr_assert(memcmp(a.b + 8, b.b + 8, 8) != 0);
	b = slaac_addr(h->ip, 0, ip6("2001:db8:a::").ip6, 0);
	cr_assert(ip6_eq(a, b));
	b = slaac_addr(h->ip, 0, ip6("2001:db8:a::").ip6, 1);
	cr_assert(!ip6_eq(a, b));
	b = slaac_addr(h->ip, 1, ip6("2001:db8:a::").ip6, 0);
	cr_assert(!ip6_eq(a, b));
	ip6_set_secret(h->ip, "known to nobody");
	b = slaac_addr(h->ip, 0, ip6("2001:db8:a::").ip6, 0);
	cr_assert(!ip6_eq(a, b));
}

Case(ip6_output, who_speaks_ipv6_has_a_link_local_address)
{
	struct host *bare = host_bare();
	unsigned n;

	cr_assert_eq(ip6_start(bare->ip, 0, true, bare->now_ns), 0);
	n = bare->ip->ifaces[0].ip6.n_addrs;
	cr_assert(n == 1 && !bare->ip->ifaces[0].ip6.addrs[0].ready);
	host_pass(bare, 3 * NS_PER_S);
	ip_iface_refresh(bare->ip);
	cr_assert(bare->ip->ifaces[0].ip6.addrs[0].ready);
	cr_assert(ip6_is_link_local(bare->ip->ifaces[0].ip6.addrs[0].addr));
	host_drain(bare);
	host_free(bare);
}

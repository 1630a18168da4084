#include <criterion/criterion.h>
#include <errno.h>

#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static struct addr far_host, other;

static void setup(void)
{
	h = host_with_peers();
	cr_assert(addr_parse("203.0.113.5", &far_host));
	cr_assert(addr_parse("203.0.113.6", &other));
}

static void clean(void)
{
	host_free(h);
}

Cases(pmtu, setup, clean);

static void set(const struct addr *dst, unsigned mtu)
{
	ip_path_mtu_set(h->ip, dst, mtu, h->now_ns);
}

static int output(uint32_t len, uint8_t flags)
{
	struct ip_out how = { .dst = far_host, .proto = 200, .flags = flags };

	return ip_output(h->ip, host_bytes(h, len), &how, h->now_ns);
}

Case(pmtu, is_of_the_interface_until_one_vouches_for_less)
{
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), 1500);
	set(&far_host, 1400);
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), 1400);
	cr_assert_eq(ip_path_mtu(h->ip, &other), 1500);
	cr_assert_eq(ip_stats(h->ip)->pmtu_set, 1);
}

Case(pmtu, only_goes_down)
{
	set(&far_host, 1500);
	set(&far_host, 9000);
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), 1500);
	set(&far_host, 1200);
	set(&far_host, 1300);
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), 1200);
	set(&far_host, 1000);
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), 1000);
	cr_assert_eq(ip_stats(h->ip)->pmtu_set, 2);
}

Case(pmtu, ends_ten_minutes_after_it_was_learned)
{
	set(&far_host, 1400);
	host_pass(h, 300 * NS_PER_S);
	set(&other, 1300);
	host_pass(h, 299 * NS_PER_S);
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), 1400);
	host_pass(h, 2 * NS_PER_S);
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), 1500);
	cr_assert_eq(ip_path_mtu(h->ip, &other), 1300);
	host_pass(h, 300 * NS_PER_S);
	cr_assert_eq(ip_path_mtu(h->ip, &other), 1500);
	cr_assert_eq(h->wheel.n_armed, 0);
}

Case(pmtu, learned_again_lives_anew)
{
	set(&far_host, 1400);
	set(&other, 1400);
	host_pass(h, 400 * NS_PER_S);
	set(&far_host, 1300);
	host_pass(h, 400 * NS_PER_S);
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), 1300);
	cr_assert_eq(ip_path_mtu(h->ip, &other), 1500);
}

Case(pmtu, what_must_not_be_cut_is_refused_above_it)
{
	set(&far_host, 1400);
	cr_assert_eq(output(1381, IP_DF), -EMSGSIZE);
	cr_assert_eq(output(1380, IP_DF), 0);
	cr_assert(host_sent(h, 0, &l) && l.df && l.total_len == 1400);
	cr_assert_eq(output(1381, 0), 0);
	cr_assert(host_sent(h, 0, &l) && l.mf && l.total_len <= 1400);
	host_drain(h);
}

Case(pmtu, below_the_floor_routers_may_cut)
{
	set(&far_host, 300);
	cr_assert_eq(ip_path_mtu(h->ip, &far_host), IP_PMTU_MIN);
	cr_assert_eq(output(500, IP_DF), 0);
	cr_assert(host_sent(h, 0, &l) && !l.df && !l.mf);
	/* The lowest is the lowest. */
	set(&far_host, 68);
	cr_assert_eq(ip_stats(h->ip)->pmtu_set, 1);
}

Case(pmtu, below_the_floor_each_segment_has_an_identification_of_its_own)
{
	struct ip_out how = { .dst = far_host, .proto = IP_PROTO_TCP, .flags = IP_DF };
	uint16_t ids[2];

	h->cap[0].port.caps = PORT_TX_SUM | PORT_TX_TSO4;
	set(&far_host, 300);
	for (unsigned i = 0; i < 2; i++) {
		struct pkt *p = host_bytes(h, 20 + 40 * 500);

		p->gso_len = 500;
		p->flags = PKT_SUM_PARTIAL;
		cr_assert_eq(ip_output(h->ip, p, &how, h->now_ns), 0);
		cr_assert(host_sent(h, 0, &l));
		ids[i] = l.id;
	}
	cr_assert((uint16_t)(ids[1] - ids[0]) >= 40);
	cr_assert((uint16_t)(ids[1] - ids[0]) <= 50);
}

Case(pmtu, is_nothing_for_groups_and_ourselves)
{
	struct addr own = addr_ip4(host_ip[0]), group;

	cr_assert(addr_parse("239.1.1.1", &group));
	set(&own, 600);
	set(&group, 600);
	cr_assert_eq(ip_path_mtu(h->ip, &own), 65535);
	cr_assert_eq(ip_path_mtu(h->ip, &group), 1500);
	cr_assert_eq(ip_path_mtu(h->ip, &(struct addr){ 0 }), 0);
}

Case(pmtu, the_oldest_makes_room)
{
	struct addr dst = far_host;

	for (unsigned i = 0; i <= IP_PMTU_MAX; i++) {
		dst.ip4.b[2] = (uint8_t)(i / 256);
		dst.ip4.b[3] = (uint8_t)i;
		set(&dst, 1000);
	}
	cr_assert_eq(h->ip->pmtu.entries.n_out, IP_PMTU_MAX);
	cr_assert_eq(ip_path_mtu(h->ip, &dst), 1000);
	dst.ip4.b[2] = 0;
	dst.ip4.b[3] = 0;
	cr_assert_eq(ip_path_mtu(h->ip, &dst), 1500);
	dst.ip4.b[3] = 1;
	cr_assert_eq(ip_path_mtu(h->ip, &dst), 1000);
}

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;

static void setup(void)
{
	h = host_bare();
}

static void clean(void)
{
	host_drain(h);
	host_free(h);
}

Cases(iface, setup, clean);

static int add(unsigned iface, const char *text)
{
	struct addr addr;
	unsigned bits;

	cr_assert(addr_parse_prefix(text, &addr, &bits));
	return ip_addr_add(h->ip, iface, &addr, bits, false, h->now_ns);
}

static bool ours(const char *text)
{
	struct addr addr;

	cr_assert(addr_parse(text, &addr));
	return ip_is_ours(h->ip, &addr);
}

/* Our address toward @text, as text; "" when there is none. */
static const char *source(const char *text, char out[static ADDR_TEXT_LEN])
{
	struct addr dst, src;

	cr_assert(addr_parse(text, &dst));
	return ip_source(h->ip, &dst, &src) ? "" : addr_text(&src, out);
}

Case(iface, an_address_brings_the_route_to_its_network)
{
	struct addr peer = addr_ip4((struct ip4){ { 10, 1, 255, 9 } });
	const struct ip_route *r;

	cr_assert_eq(add(1, "10.1.2.3/16"), 0);
	r = ip_route_find(h->ip, &peer);
	cr_assert(r && r->iface == 1 && r->bits == 16 && !r->gateway.family);
	peer.ip4.b[1] = 2;
	cr_assert_null(ip_route_find(h->ip, &peer));
	cr_assert(ours("10.1.2.3") && !ours("10.1.2.4"));
}

Case(iface, loopback_is_always_ours)
{
	cr_assert(ours("127.0.0.1") && ours("127.255.255.254"));
	cr_assert(ours("::1") && !ours("::2") && !ours("128.0.0.1"));
}

Case(iface, refuses_addresses_that_no_host_can_have)
{
	static const char *const bad[] = {
		"0.0.0.0/8",	 "0.1.2.3/8",
		"127.0.0.1/8",	 "224.0.0.1/24",
		"240.0.0.1/24",	 "255.255.255.255/32",
		"10.0.0.0/24",	 "10.0.0.255/24",
		"10.0.0.1/0",	 "::/64",
		"::1/128",	 "ff02::9/64",
		"2001:db8::1/0", "::ffff:10.0.0.1/96",
		"fe80::9/32",
	};

	for (unsigned i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert_eq(add(0, bad[i]), -EINVAL, "%s", bad[i]);
	cr_assert_eq(add(5, "10.0.0.1/24"), -EINVAL);
	cr_assert_eq(add(99, "10.0.0.1/24"), -EINVAL);
	cr_assert_eq(host_drain(h), 0);
}

Case(iface, two_on_a_link_need_no_broadcast)
{
	cr_assert_eq(add(0, "10.0.0.0/31"), 0);
	cr_assert_eq(add(1, "10.0.1.1/31"), 0);
	cr_assert_eq(add(1, "10.0.2.255/32"), 0);
}

Case(iface, an_address_is_there_once)
{
	cr_assert_eq(add(0, "10.0.0.1/24"), 0);
	cr_assert_eq(add(0, "10.0.0.1/24"), -EEXIST);
	/* A second one of the network shares its route. */
	cr_assert_eq(add(0, "10.0.0.2/24"), 0);
	cr_assert_eq(ip_iface_add(h->ip, &h->eth[0]), -EEXIST);
}

Case(iface, so_many_addresses_and_no_more)
{
	char text[32];

	for (unsigned i = 1; i <= IP_ADDR_MAX; i++) {
		snprintf(text, sizeof(text), "10.0.0.%u/24", i);
		cr_assert_eq(add(0, text), 0);
	}
	cr_assert_eq(add(0, "10.0.0.99/24"), -ENOSPC);
	/* And what could not be added is not claimed on the link either. */
	cr_assert_eq(
		arp_addr_state(h->neigh, &h->eth[0], (struct ip4){ { 10, 0, 0, 99 } }),
		ARP_ADDR_CONFLICT);
	cr_assert_eq(add(1, "10.0.1.1/24"), 0);
}

Case(iface, so_many_interfaces_and_no_more)
{
	struct eth eth = { .index = IP_IFACE_MAX };

	cr_assert_eq(ip_iface_add(h->ip, &eth), -ENOSPC);
	eth.index = IP_IFACE_MAX - 1;
	cr_assert_eq(ip_iface_add(h->ip, &eth), 0);
}

static int del(unsigned iface, const char *text)
{
	struct addr addr;

	cr_assert(addr_parse(text, &addr));
	return ip_addr_del(h->ip, iface, &addr);
}

Case(iface, an_address_that_is_taken_away_takes_its_route_with_it)
{
	struct addr peer = addr_ip4((struct ip4){ { 10, 0, 0, 9 } });
	char out[ADDR_TEXT_LEN];

	cr_assert_eq(add(0, "10.0.0.1/24"), 0);
	cr_assert_eq(add(0, "10.0.0.2/24"), 0);
	cr_assert_eq(del(0, "10.0.0.1"), 0);
	cr_assert(!ours("10.0.0.1") && ours("10.0.0.2"));
	cr_assert_str_eq(source("10.0.0.9", out), "10.0.0.2");
	cr_assert_eq(del(0, "10.0.0.2"), 0);
	cr_assert_str_eq(source("10.0.0.9", out), "");
	cr_assert_null(ip_route_find(h->ip, &peer));
	cr_assert_eq(del(0, "10.0.0.2"), -ENOENT);
	cr_assert_eq(del(99, "10.0.0.2"), -ENOENT);
	cr_assert_eq(add(0, "10.0.0.1/24"), 0);
}

Case(iface, an_address_can_be_taken_away_while_it_is_probed)
{
	struct addr addr = addr_ip4((struct ip4){ { 10, 0, 0, 1 } });

	cr_assert_eq(ip_addr_add(h->ip, 0, &addr, 24, true, h->now_ns), 0);
	cr_assert_eq(del(0, "10.0.0.1"), 0);
	host_pass(h, 60 * NS_PER_S);
	cr_assert(!ours("10.0.0.1"));
	cr_assert_eq(host_drain(h), 0);
}

Case(iface, the_source_is_of_the_network_of_the_next_hop)
{
	char out[ADDR_TEXT_LEN];
	struct ip_route r = { .prefix.family = ADDR_IP4, .iface = 0 };

	cr_assert_str_eq(source("10.0.0.9", out), "");
	add(0, "10.0.0.1/24");
	add(0, "10.0.5.1/24");
	add(1, "10.0.7.1/24");
	cr_assert(addr_parse("10.0.5.254", &r.gateway));
	cr_assert_eq(ip_route_add(h->ip, &r), 0);
	cr_assert_str_eq(source("10.0.0.9", out), "10.0.0.1");
	cr_assert_str_eq(source("10.0.5.9", out), "10.0.5.1");
	cr_assert_str_eq(source("10.0.7.9", out), "10.0.7.1");
	cr_assert_str_eq(source("203.0.113.5", out), "10.0.5.1");
	cr_assert_str_eq(source("10.0.7.1", out), "10.0.7.1");
	cr_assert_str_eq(source("127.0.0.1", out), "127.0.0.1");
	cr_assert_str_eq(source("2001:db8::1", out), "");
}

#include <criterion/criterion.h>
#include <errno.h>

#include "ip/ip6_impl.h"
#include "stack/base/addr.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;

static void setup(void)
{
	h = host_new();
}

static void clean(void)
{
	host_free(h);
}

Cases(route, setup, clean);

/* "10.0.0.0/8", by interface @iface and, if it is not NULL, @gateway. */
static struct ip_route route(const char *prefix, unsigned iface, uint32_t metric,
			     const char *gateway)
{
	struct ip_route r = { .iface = (uint8_t)iface, .metric = metric };
	unsigned bits;

	cr_assert(addr_parse_prefix(prefix, &r.prefix, &bits));
	r.bits = (uint8_t)bits;
	if (gateway)
		cr_assert(addr_parse(gateway, &r.gateway));
	return r;
}

static int add(const char *prefix, unsigned iface, uint32_t metric, const char *gateway)
{
	struct ip_route r = route(prefix, iface, metric, gateway);

	return ip_route_add(h->ip, &r);
}

static int del(const char *prefix, unsigned iface, uint32_t metric, const char *gateway)
{
	struct ip_route r = route(prefix, iface, metric, gateway);

	return ip_route_del(h->ip, &r);
}

/* The metric of the route to @text, by which the tests know it; -1: none. */
static int found(const char *text)
{
	const struct ip_route *r;
	struct addr dst;

	cr_assert(addr_parse(text, &dst));
	r = ip_route_find(h->ip, &dst);
	return r ? (int)r->metric : -1;
}

Case(route, the_longest_prefix_is_it)
{
	cr_assert_eq(add("10.0.0.0/8", 0, 8, NULL), 0);
	cr_assert_eq(add("10.1.2.0/24", 1, 24, NULL), 0);
	cr_assert_eq(add("10.1.2.3/32", 0, 32, NULL), 0);
	cr_assert_eq(add("10.1.0.0/16", 1, 16, NULL), 0);
	cr_assert_eq(found("10.9.9.9"), 8);
	cr_assert_eq(found("10.1.9.9"), 16);
	cr_assert_eq(found("10.1.2.9"), 24);
	cr_assert_eq(found("10.1.2.3"), 32);
	cr_assert_eq(found("11.0.0.1"), 0); /* the default route */
	ip_check(h->ip);
}

Case(route, among_equal_prefixes_the_lowest_metric_is_it)
{
	add("10.0.0.0/8", 0, 7, NULL);
	add("10.0.0.0/8", 1, 3, NULL);
	add("10.0.0.0/8", 1, 5, NULL);
	cr_assert_eq(found("10.0.0.1"), 3);
	cr_assert_eq(del("10.0.0.0/8", 1, 3, NULL), 0);
	cr_assert_eq(found("10.0.0.1"), 5);
}

Case(route, without_a_default_there_may_be_none)
{
	cr_assert_eq(del("0.0.0.0/0", 0, 0, "192.0.2.254"), 0);
	cr_assert_eq(found("11.0.0.1"), -1);
	cr_assert_eq(found("192.0.2.77"), 0);
	cr_assert_eq(found("2001:db8::1"), -1);
}

Case(route, is_there_once_and_goes_once)
{
	cr_assert_eq(add("10.0.0.0/8", 0, 1, "192.0.2.7"), 0);
	cr_assert_eq(add("10.0.0.0/8", 0, 1, "192.0.2.7"), -EEXIST);
	cr_assert_eq(add("10.0.0.0/8", 0, 1, "192.0.2.8"), 0);
	cr_assert_eq(del("10.0.0.0/8", 0, 1, "192.0.2.7"), 0);
	cr_assert_eq(del("10.0.0.0/8", 0, 1, "192.0.2.7"), -ENOENT);
	cr_assert_eq(found("10.0.0.1"), 1);
}

Case(route, refuses_what_cannot_be)
{
	struct ip_route r = route("10.0.0.0/8", 0, 0, NULL);

	cr_assert_eq(add("10.0.0.1/8", 0, 0, NULL), -EINVAL);
	cr_assert_eq(add("10.0.0.0/8", 5, 0, NULL), -EINVAL);
	cr_assert_eq(add("10.0.0.0/8", 200, 0, NULL), -EINVAL);
	cr_assert_eq(add("2001:db8::1/32", 0, 0, NULL), -EINVAL);
	r.bits = 33;
	cr_assert_eq(ip_route_add(h->ip, &r), -EINVAL);
}

Case(route, refuses_gateways_that_are_not_on_the_link)
{
	cr_assert_eq(add("10.0.0.0/8", 0, 0, "203.0.113.1"), -EINVAL);
	cr_assert_eq(add("10.0.0.0/8", 0, 0, "198.51.100.9"), -EINVAL);
	cr_assert_eq(add("10.0.0.0/8", 0, 0, "192.0.2.1"), -EINVAL); /* ourselves */
	cr_assert_eq(add("10.0.0.0/8", 0, 0, "224.0.0.1"), -EINVAL);
	cr_assert_eq(add("10.0.0.0/8", 0, 0, "2001:db8::1"), -EINVAL);
	cr_assert_eq(add("10.0.0.0/8", 1, 0, "198.51.100.9"), 0);
}

Case(route, so_many_and_no_more)
{
	struct ip_route r = route("10.0.0.0/32", 0, 0, NULL);
	unsigned n = 0;
	int err = 0;

	while (!err) {
		r.prefix.ip4.b[2] = (uint8_t)(n / 256);
		r.prefix.ip4.b[3] = (uint8_t)n;
		err = ip_route_add(h->ip, &r);
		n += !err;
	}
	cr_assert_eq(err, -ENOSPC);
	cr_assert_eq(n + 3, IP_ROUTE_MAX); /* two networks and the default */
	ip_check(h->ip);
}

/* ---- routes that say whose they are ---- */

static struct addr ip(const char *text)
{
	struct addr a = { 0 };

	cr_assert(addr_parse(text, &a));
	return a;
}

static int add_of(const char *prefix, unsigned iface, uint32_t metric,
		  const char *gateway, const char *src)
{
	struct ip_route r = route(prefix, iface, metric, gateway);

	r.src = ip(src);
	return ip_route_add(h->ip, &r);
}

/* Our address toward @dst. */
static const char *source(const char *dst)
{
	static char text[ADDR_TEXT_LEN];
	struct addr to = ip(dst), src;

	return ip_source(h->ip, &to, &src) ? "none" : addr_text(&src, text);
}

/* The interface by which a packet from @src (NULL: from nobody yet) goes; -1: none. */
static int goes_by(const char *src, const char *dst)
{
	struct ip_out how = { .dst = ip(dst), .proto = 17 };
	struct look l;
	int by = -1;

	if (src)
		how.src = ip(src);
	if (ip_output(h->ip, host_bytes(h, 8), &how, h->now_ns) == 0)
		for (int i = 0; i < HOST_IFACES; i++)
			if (host_sent(h, (unsigned)i, &l))
				by = i;
	host_pass(h, 10000000000);
	host_drain(h);
	return by;
}

/* 192.0.2.1 has the default route; 198.51.100.1 has one of its own. */
static void two_ways_out(void)
{
	cr_assert_eq(add_of("0.0.0.0/0", 1, 50, "198.51.100.254", "198.51.100.1"), 0);
}

Case(route, who_has_an_address_goes_its_way)
{
	two_ways_out();
	cr_assert_eq(goes_by(NULL, "203.0.113.1"), 0);
	cr_assert_eq(goes_by("192.0.2.1", "203.0.113.1"), 0);
	cr_assert_eq(goes_by("198.51.100.1", "203.0.113.1"), 1);
	/* In any order, and each again. */
	cr_assert_eq(goes_by(NULL, "203.0.113.1"), 0);
	cr_assert_eq(goes_by("198.51.100.1", "203.0.113.1"), 1);
	/* A longer prefix is a better way for all. */
	cr_assert_eq(add("203.0.113.0/24", 0, 0, NULL), 0);
	cr_assert_eq(goes_by("198.51.100.1", "203.0.113.1"), 0);
}

Case(route, the_source_is_what_the_route_says)
{
	struct addr more = ip("192.0.2.7");

	cr_assert_eq(ip_addr_add(h->ip, 0, &more, 24, false, h->now_ns), 0);
	cr_assert_eq(add_of("10.0.0.0/8", 0, 0, "192.0.2.254", "192.0.2.7"), 0);
	cr_assert_str_eq(source("203.0.113.1"), "192.0.2.1");
	cr_assert_str_eq(source("10.0.0.1"), "192.0.2.7");
	host_pass(h, 10000000000);
	host_drain(h);
}

Case(route, one_with_a_source_that_is_not_ours_cannot_be)
{
	cr_assert_eq(add_of("10.0.0.0/8", 0, 0, NULL, "192.0.2.77"), -EINVAL);
	cr_assert_eq(add_of("10.0.0.0/8", 0, 0, NULL, "2001:db8::1"), -EINVAL);
}

Case(route, goes_with_its_address)
{
	struct addr own = ip("198.51.100.1");
	struct ip_route r = route("0.0.0.0/0", 1, 50, "198.51.100.254");

	two_ways_out();
	cr_assert_eq(ip_addr_del(h->ip, 1, &own), 0);
	r.src = own;
	cr_assert_eq(ip_route_del(h->ip, &r), -ENOENT);
	cr_assert_eq(goes_by(NULL, "203.0.113.1"), 0);
}

Case(route, nothing_goes_from_an_address_that_is_not_ours)
{
	struct addr own = ip("198.51.100.1");

	cr_assert_eq(goes_by("198.51.100.1", "203.0.113.1"), 0);
	cr_assert_eq(ip_addr_del(h->ip, 1, &own), 0);
	cr_assert_eq(goes_by("198.51.100.1", "203.0.113.1"), -1);
	cr_assert_eq(goes_by("203.0.113.9", "203.0.113.1"), -1);
}

Case(route, of_ipv6_says_whose_it_is_too_and_goes_with_its_address)
{
	struct addr one = ip("2001:db8::1"), two = ip("2001:db8::2");

	cr_assert_eq(ip_addr_add(h->ip, 0, &one, 64, false, h->now_ns), 0);
	cr_assert_eq(ip_addr_add(h->ip, 0, &two, 64, false, h->now_ns), 0);
	cr_assert_eq(add("2001:db8:1::/48", 0, 0, "2001:db8::fe"), 0);
	cr_assert_str_eq(source("2001:db8:1::9"), "2001:db8::1");
	cr_assert_eq(del("2001:db8:1::/48", 0, 0, "2001:db8::fe"), 0);
	cr_assert_eq(add_of("2001:db8:1::/48", 0, 0, "2001:db8::fe", "2001:db8::2"), 0);
	cr_assert_str_eq(source("2001:db8:1::9"), "2001:db8::2");
	cr_assert_eq(ip6_addr_del(h->ip, 0, two.ip6, h->now_ns), 0);
	cr_assert_str_eq(source("2001:db8:1::9"), "none");
	host_drain(h);
}

#include <criterion/criterion.h>
#include <errno.h>

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

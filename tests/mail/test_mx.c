#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "apps/mail/relay/mx.h"
#include "apps/mail/relay/route.h"
#include "stack/base/clock.h"
#include "stack/base/rng.h"
#include "tests/lib/case.h"
#include "tests/lib/dns_test.h"
#include "tests/lib/net_mem.h"

static struct rng rng;
static struct dns_mx mxs[4];

static int order(size_t n, const char *self, char out[128])
{
	int r = mx_order(mxs, &n, self, &rng);

	out[0] = '\0';
	for (size_t i = 0; r == 0 && i < n; i++)
		snprintf(out + strlen(out), 128 - strlen(out), "%s ", mxs[i].host);
	return r;
}

static void set(size_t i, uint16_t preference, const char *host)
{
	mxs[i].preference = preference;
	strcpy(mxs[i].host, host);
}

Test(mx, hosts_come_by_preference)
{
	char out[128];

	set(0, 30, "c");
	set(1, 10, "a");
	set(2, 20, "b");
	cr_assert_eq(order(3, "self", out), 0);
	cr_assert_str_eq(out, "a b c ");
}

Test(mx, equal_hosts_come_in_an_order_of_chance)
{
	unsigned first = 0;
	char out[128];

	rng_init(&rng, 1);
	for (int i = 0; i < 1000; i++) {
		set(0, 10, "a");
		set(1, 10, "b");
		set(2, 5, "z");
		cr_assert_eq(order(3, "self", out), 0);
		cr_assert_eq(out[0], 'z');
		first += out[2] == 'a';
	}
	cr_assert(first > 400 && first < 600, "%u", first);
}

Test(mx, hosts_not_better_than_we_are_left_out)
{
	char out[128];

	set(0, 30, "c");
	set(1, 20, "SELF.example");
	set(2, 20, "b");
	set(3, 10, "a");
	cr_assert_eq(order(4, "self.example", out), 0);
	cr_assert_str_eq(out, "a ");
	set(0, 10, "self.example");
	set(1, 20, "b");
	cr_assert_eq(order(2, "self.example", out), -ELOOP);
}

Test(mx, null_mx_is_no_host)
{
	char out[128];

	set(0, 0, "");
	cr_assert_eq(order(1, "self", out), -ENOENT);
	set(0, 0, ".");
	cr_assert_eq(order(1, "self", out), -ENOENT);
	set(0, 0, "");
	set(1, 5, "a");
	cr_assert_eq(order(2, "self", out), 0);
	cr_assert_str_eq(out, "a ");
}

/* With name servers, which the test is. */
static struct dns_test t;
static struct mx mx;
static char told[512];

static void take(void *arg, const struct mx_found *found)
{
	size_t len = strlen(told);

	(void)arg;
	if (found->found)
		snprintf(told + len, sizeof(told) - len, "%s=%s ", found->host,
			 found->where);
	else
		snprintf(told + len, sizeof(told) - len, "%s:%u.%u.%u:%s ",
			 found->why.result == CLIENT_PERMANENT ? "no" : "later",
			 found->why.enhanced.class, found->why.enhanced.subject,
			 found->why.enhanced.detail, found->why.text);
}

static void setup(void)
{
	dns_test_init(&t);
	rng_init(&rng, 1);
	told[0] = '\0';
}

static void clean(void)
{
	mx_end(&mx);
	dns_test_fini(&t);
}

Cases(mx_lookup, setup, clean);

static void begin(const char *domain, const char *route)
{
	const struct mx_env env = { t.net, t.dns, &rng, "mx.a.example" };

	mx_end(&mx);
	mx_begin(&mx, &env, str_of(domain), route);
}

/* Addresses up to the end. */
static void all(const char *text)
{
	told[0] = '\0';
	for (int i = 0; i <= MX_TRIES_MAX && !strstr(told, ":4.") && !strstr(told, ":5.");
	     i++) {
		mx_next(&mx, take, NULL);
		dns_test_settle(&t);
	}
	cr_assert_str_eq(told, text);
}

Case(mx_lookup, goes_from_host_to_host)
{
	dns_test_mx(&t, "b.example", 20, "mx2.b.example");
	dns_test_mx(&t, "b.example", 10, "mx1.b.example");
	dns_test_a(&t, "mx1.b.example", "192.0.2.1");
	dns_test_a(&t, "mx2.b.example", "192.0.2.2");
	begin("b.example", NULL);
	all("mx1.b.example=192.0.2.1:25 mx2.b.example=192.0.2.2:25 "
	    "later:4.4.4:Its mail hosts have no address ");
}

Case(mx_lookup, asks_for_the_next_host_only_when_it_is_its_turn)
{
	dns_test_mx(&t, "b.example", 10, "mx1.b.example");
	dns_test_mx(&t, "b.example", 20, "mx2.b.example");
	dns_test_a(&t, "mx1.b.example", "192.0.2.1");
	begin("b.example", NULL);
	mx_next(&mx, take, NULL);
	dns_test_settle(&t);
	cr_assert_str_eq(told, "mx1.b.example=192.0.2.1:25 ");
	cr_assert_eq(t.n_asked, 3);
}

Case(mx_lookup, a_domain_without_mx_is_its_own_host)
{
	dns_test_a(&t, "b.example", "192.0.2.9");
	begin("b.example", NULL);
	all("b.example=192.0.2.9:25 no:5.1.2:There is no such address ");
}

Case(mx_lookup, no_such_domain_is_final)
{
	begin("none.example", NULL);
	all("no:5.1.2:There is no such domain ");
}

Case(mx_lookup, null_mx_is_final)
{
	dns_test_mx(&t, "b.example", 0, "");
	begin("b.example", NULL);
	all("no:5.1.10:The domain takes no mail ");
}

Case(mx_lookup, mail_that_would_come_back_to_us_is_final)
{
	dns_test_mx(&t, "b.example", 10, "mx.a.example");
	begin("b.example", NULL);
	all("no:5.4.6:Its mail host is this one ");
}

Case(mx_lookup, hosts_without_an_address_may_be_put_right)
{
	dns_test_mx(&t, "b.example", 10, "gone.b.example");
	begin("b.example", NULL);
	all("later:4.4.4:Its mail host has no address ");
}

Case(mx_lookup, both_families_come_by_turns_the_best_one_first)
{
	dns_test_mx(&t, "b.example", 10, "mx1.b.example");
	dns_test_mx(&t, "b.example", 20, "mx2.b.example");
	dns_test_a(&t, "mx1.b.example", "192.0.2.1");
	dns_test_aaaa(&t, "mx1.b.example", "2001:db8:9::1");
	dns_test_aaaa(&t, "mx1.b.example", "2001:db8::1");
	dns_test_aaaa(&t, "mx2.b.example", "2001:db8::2");
	begin("b.example", NULL);
	all("mx1.b.example=[2001:db8::1]:25 mx1.b.example=192.0.2.1:25 "
	    "mx1.b.example=[2001:db8:9::1]:25 mx2.b.example=[2001:db8::2]:25 "
	    "later:4.4.4:Its mail hosts have no address ");
}

Case(mx_lookup, a_host_without_ip6_passes_over_its_addresses)
{
	mem_no_ip6(t.net);
	dns_test_a(&t, "b.example", "192.0.2.9");
	dns_test_aaaa(&t, "b.example", "2001:db8::9");
	dns_test_aaaa(&t, "c.example", "2001:db8::9");
	begin("b.example", NULL);
	all("b.example=192.0.2.9:25 no:5.1.2:There is no such address ");
	/* When there is nothing else, the network shall say why not. */
	begin("c.example", NULL);
	all("c.example=[2001:db8::9]:25 no:5.1.2:There is no such address ");
}

Case(mx_lookup, only_so_many_addresses_of_a_host_but_both_families)
{
	char addr[ADDR_TEXT_LEN];
	unsigned n = 0, n_ip4 = 0;

	for (int i = 1; i <= 12; i++) {
		snprintf(addr, sizeof(addr), "2001:db8::%d", i);
		dns_test_aaaa(&t, "b.example", addr);
		snprintf(addr, sizeof(addr), "192.0.2.%d", i);
		dns_test_a(&t, "b.example", addr);
	}
	begin("b.example", NULL);
	do {
		told[0] = '\0';
		mx_next(&mx, take, NULL);
		dns_test_settle(&t);
		n += strchr(told, '=') != NULL;
		n_ip4 += strstr(told, "=192.") != NULL;
	} while (strchr(told, '='));
	cr_assert_eq(n, MX_ADDRS_MAX);
	cr_assert_eq(n_ip4, MX_ADDRS_MAX / 2);
}

static const enum dns_kind kind_aaaa = DNS_AAAA, kind_a = DNS_A;

/* RFC 8305 3 */
Case(mx_lookup, addresses_of_ip4_wait_a_moment_for_those_of_ip6)
{
	t.silent = &kind_aaaa;
	dns_test_a(&t, "b.example", "192.0.2.9");
	begin("b.example", NULL);
	mx_next(&mx, take, NULL);
	dns_test_settle(&t);
	cr_assert_str_eq(told, "");
	mem_advance(t.net, MX_RESOLVE_MS * NS_PER_MS);
	cr_assert_str_eq(told, "b.example=192.0.2.9:25 ");
	cr_assert(!mx_has_more(&mx));
}

Case(mx_lookup, addresses_of_ip6_wait_for_nobody)
{
	t.silent = &kind_a;
	dns_test_aaaa(&t, "b.example", "2001:db8::9");
	begin("b.example", NULL);
	mx_next(&mx, take, NULL);
	dns_test_settle(&t);
	cr_assert_str_eq(told, "b.example=[2001:db8::9]:25 ");
}

/* RFC 5321 5.1 */
Case(mx_lookup, our_own_address_ends_the_list)
{
	static const char *const own[] = { MEM_OWN_IP6, MEM_OWN_IP4 };

	dns_test_mx(&t, "b.example", 10, "we.b.example");
	dns_test_mx(&t, "b.example", 20, "mx2.b.example");
	dns_test_a(&t, "mx2.b.example", "192.0.2.2");
	dns_test_aaaa(&t, "we.b.example", own[0]);
	begin("b.example", NULL);
	all("no:5.4.6:Its mail host is this one ");
	dns_test_mx(&t, "c.example", 10, "mx2.b.example");
	dns_test_mx(&t, "c.example", 20, "we.c.example");
	dns_test_mx(&t, "c.example", 30, "mx2.b.example");
	dns_test_a(&t, "we.c.example", own[1]);
	begin("c.example", NULL);
	all("mx2.b.example=192.0.2.2:25 later:4.4.4:Its mail hosts have no address ");
	dns_test_a(&t, "d.example", own[1]);
	begin("d.example", NULL);
	all("no:5.4.6:Its mail host is this one ");
	/* Who says it by himself knows what he does. */
	begin("[" MEM_OWN_IP4 "]", NULL);
	all("[" MEM_OWN_IP4 "]=" MEM_OWN_IP4 ":25 no:5.1.2:There is no such address ");
}

Case(mx_lookup, literals_and_routes_need_no_name_server)
{
	begin("[192.0.2.5]", NULL);
	all("[192.0.2.5]=192.0.2.5:25 no:5.1.2:There is no such address ");
	begin("[IPv6:2001:db8::5]", NULL);
	all("[IPv6:2001:db8::5]=[2001:db8::5]:25 no:5.1.2:There is no such address ");
	begin("[x]", NULL);
	all("no:5.1.2:There is no such address ");
	begin("b.example", "192.0.2.6");
	all("192.0.2.6=192.0.2.6:25 no:5.1.2:There is no such address ");
	begin("b.example", "192.0.2.6:2525");
	all("192.0.2.6=192.0.2.6:2525 no:5.1.2:There is no such address ");
	cr_assert_eq(t.n_asked, 0);
}

Case(mx_lookup, a_route_to_a_name_takes_its_address)
{
	dns_test_a(&t, "relay.example", "192.0.2.8");
	begin("b.example", "relay.example:2525");
	all("relay.example=192.0.2.8:2525 no:5.1.2:There is no such address ");
}

Test(route, the_longest_match_counts)
{
	static const char *const texts[] = { "* via 10.0.0.1",
					     ".example.net via 10.0.0.2:26",
					     "example.net via mail.example.com" };
	struct route routes[3], waits;
	const struct route *r;

	for (size_t i = 0; i < 3; i++)
		cr_assert(route_parse(texts[i], &routes[i]), "%s", texts[i]);
	r = route_find(routes, 3, STR("EXAMPLE.net"));
	cr_assert_str_eq(r->via, "mail.example.com");
	r = route_find(routes, 3, STR("a.example.net"));
	cr_assert_str_eq(r->via, "10.0.0.2:26");
	r = route_find(routes, 3, STR("badexample.net"));
	cr_assert_str_eq(r->via, "10.0.0.1");
	cr_assert_null(route_find(routes + 1, 2, STR("example.org")));
	cr_assert(route_parse(".example.net waits", &waits));
	cr_assert_null(waits.via);
	cr_assert(str_eq(waits.domain, STR(".example.net")));
}

Test(route, refuses_what_is_none)
{
	static const char *const wrong[] = { "",
					     "example.net",
					     "example.net 10.0.0.1",
					     "example.net via",
					     "example.net wait",
					     "-x waits",
					     "example.net via ",
					     "-x via 10.0.0.1",
					     "a..b via 10.0.0.1",
					     "a via 10.0.0.1:0x",
					     "a via mail.example:70000",
					     "a via mail.example:",
					     "a via [2001:db8::1]:x" };
	struct route r;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_assert(!route_parse(wrong[i], &r), "%s", wrong[i]);
	cr_assert(route_parse("a.example via [2001:db8::1]:25", &r));
}

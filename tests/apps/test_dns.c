#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "apps/lib/dns.h"
#include "apps/lib/dns_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/dns_test.h"
#include "tests/lib/net_mem.h"

static struct dns_test t;
static char told[512];

static void setup(void)
{
	dns_test_init(&t);
	told[0] = '\0';
}

static void clean(void)
{
	cr_assert_eq(dns_stats(t.dns)->open, 0);
	dns_test_fini(&t);
}

Cases(dns, setup, clean);

static void add(const char *text)
{
	strncat(told, text, sizeof(told) - strlen(told) - 1);
}

static void take(void *arg, const struct dns_answer *answer)
{
	static const char *const statuses[] = { "found", "no record", "no name",
						"failed" };
	char text[ADDR_TEXT_LEN];

	(void)arg;
	add(statuses[answer->status]);
	for (size_t i = 0; i < answer->n; i++) {
		add(" ");
		if (answer->addrs) {
			add(addr_text(&answer->addrs[i], text));
		} else {
			snprintf(text, sizeof(text), "%u:", answer->mxs[i].preference);
			add(text);
			add(answer->mxs[i].host);
		}
	}
	add("|");
}

static void ask(enum dns_kind kind, const char *name)
{
	cr_assert(dns_ask(t.dns, kind, str_of(name), take, NULL));
	dns_test_settle(&t);
}

/* RFC 3596 */
Case(dns, finds_addresses_of_both_families)
{
	dns_test_a(&t, "mx.b.example", "192.0.2.1");
	dns_test_aaaa(&t, "mx.b.example", "2001:db8::1");
	dns_test_aaaa(&t, "mx.b.example", "2001:db8::2");
	dns_test_a(&t, "four.example", "192.0.2.4");
	ask(DNS_AAAA, "mx.b.example");
	ask(DNS_A, "mx.b.example");
	ask(DNS_AAAA, "four.example");
	ask(DNS_AAAA, "none.example");
	ask(DNS_AAAA, "MX.b.example");
	cr_assert_str_eq(told, "found 2001:db8::1 2001:db8::2|found 192.0.2.1|no record|"
			       "no name|found 2001:db8::1 2001:db8::2|");
	cr_assert_eq(t.n_asked, 4);
}

Case(dns, finds_addresses_and_mail_hosts)
{
	dns_test_a(&t, "mx.b.example", "192.0.2.1");
	dns_test_a(&t, "mx.b.example", "192.0.2.2");
	dns_test_mx(&t, "b.example", 10, "mx.b.example");
	ask(DNS_A, "mx.b.example");
	ask(DNS_MX, "B.Example.");
	cr_assert_str_eq(told, "found 192.0.2.1 192.0.2.2|found 10:mx.b.example|");
}

Case(dns, answers_come_later_also_from_the_cache)
{
	dns_test_a(&t, "mx.b.example", "192.0.2.1");
	ask(DNS_A, "mx.b.example");
	told[0] = '\0';
	cr_assert(dns_ask(t.dns, DNS_A, STR("mx.b.example"), take, NULL));
	cr_assert_str_eq(told, "");
	mem_settle(t.net);
	cr_assert_str_eq(told, "found 192.0.2.1|");
	cr_assert_eq(t.n_asked, 1);
	cr_assert_eq(dns_stats(t.dns)->cached, 1);
}

Case(dns, asks_again_when_an_answer_is_too_old)
{
	dns_test_a(&t, "mx.b.example", "192.0.2.1");
	ask(DNS_A, "mx.b.example");
	mem_advance(t.net, (DNS_TEST_TTL_S - 1) * NS_PER_S);
	ask(DNS_A, "mx.b.example");
	cr_assert_eq(t.n_asked, 1);
	mem_advance(t.net, 2 * NS_PER_S);
	ask(DNS_A, "mx.b.example");
	cr_assert_eq(t.n_asked, 2);
}

Case(dns, tells_no_name_from_no_record_and_remembers_both)
{
	dns_test_a(&t, "b.example", "192.0.2.1");
	for (int i = 0; i < 2; i++) {
		ask(DNS_MX, "b.example");
		ask(DNS_MX, "c.example");
	}
	cr_assert_str_eq(told, "no record|no name|no record|no name|");
	cr_assert_eq(t.n_asked, 2);
	cr_assert_eq(dns_stats(t.dns)->none, 4);
}

Case(dns, names_that_are_none_fail_without_a_question)
{
	char long_name[300];

	memset(long_name, 'a', sizeof(long_name));
	long_name[sizeof(long_name) - 1] = '\0';
	ask(DNS_A, "");
	ask(DNS_A, long_name);
	ask(DNS_A, "a..b");
	cr_assert_str_eq(told, "failed|failed|failed|");
	cr_assert_eq(t.n_asked, 0);
}

Case(dns, who_cancelled_is_told_nothing)
{
	struct dns_query *asked, *cached;

	dns_test_a(&t, "mx.b.example", "192.0.2.1");
	asked = dns_ask(t.dns, DNS_A, STR("mx.b.example"), take, NULL);
	dns_cancel(asked);
	dns_test_settle(&t);
	cr_assert_str_eq(told, "");
	ask(DNS_A, "mx.b.example");
	told[0] = '\0';
	cached = dns_ask(t.dns, DNS_A, STR("mx.b.example"), take, NULL);
	dns_cancel(cached);
	dns_test_settle(&t);
	cr_assert_str_eq(told, "");
}

Case(dns, servers_that_are_none_are_refused)
{
	struct dns *dns;

	cr_assert_eq(dns_new(t.net, "mail", 1, &dns), -EINVAL);
	cr_assert_eq(dns_new(t.net, "192.0.2.1,[2001:db8::1]:5353", 1, &dns), 0);
	dns_free(dns);
}

Case(dns, other_servers_are_asked_when_no_question_is_on_its_way)
{
	struct dns_query *q;

	dns_test_a(&t, "mx.b.example", "192.0.2.1");
	q = dns_ask(t.dns, DNS_A, STR("mx.b.example"), take, NULL);
	cr_assert_not_null(q);
	cr_assert_eq(dns_set_servers(t.dns, "192.0.2.54"), -EBUSY);
	dns_test_settle(&t);
	cr_assert_eq(dns_set_servers(t.dns, "mail"), -EINVAL);
	cr_assert_eq(dns_set_servers(t.dns, "192.0.2.54,192.0.2.55"), 0);
	ask(DNS_A, "c.example");
	cr_assert(t.n_asked == 1 && t.n_others == 1);
	cr_assert_str_eq(mem_where(t.others[0]), "192.0.2.54:53");
	dns_free(t.dns);
	dns_test_settle(&t);
	cr_assert_eq(dns_new(t.net, "192.0.2.53", 1, &t.dns), 0);
}

Case(dns, goes_away_with_questions_on_their_way)
{
	dns_ask(t.dns, DNS_A, STR("mx.b.example"), take, NULL);
	dns_free(t.dns);
	dns_test_settle(&t); /* takes the other end of what was asked */
	cr_assert_eq(dns_new(t.net, "192.0.2.53", 1, &t.dns), 0);
	cr_assert_str_eq(told, "");
}

static const char answer[] = "\1\2\x81\x80\0\1\0\2\0\1\0\0"	/* header */
			     "\1b\0\0\17\0\1"			/* question */
			     "\xc0\14\0\17\0\1\0\0\1\0\0\2\0\1" /* 256 s */
			     "\1b\0\0\17\0\1\0\0\0\62\0\2\0\1"	/* 50 s */
			     "\xc0\14\0\6\0\1\0\0\2\0\0\0";	/* 512 s */

Test(dns_ttl, is_the_least_of_answers_and_authorities)
{
	cr_assert_eq(dns_ttl(STR(answer)), 50);
	for (size_t len = 0; len < sizeof(answer) - 1; len++)
		cr_assert_eq(dns_ttl((struct str){ answer, len }), 0, "%zu", len);
}

#include <criterion/criterion.h>
#include <stdio.h>

#include "apps/lib/dest.h"
#include "apps/lib/net.h"
#include "apps/lib/str.h"
#include "tests/lib/net_mem.h"

enum { DESTS_MAX = 16 };

static struct dest dests[DESTS_MAX];
static size_t n;
static char text[512];

/* "ADDRESS<SOURCE ...", or "ADDRESS" alone where there is no way. */
static void read_dests(const char *from)
{
	struct str rest = str_of(from);

	n = 0;
	while (rest.len > 0) {
		struct str source, addr, word = str_cut(rest, ' ', &rest);
		char t[2][ADDR_TEXT_LEN];

		addr = str_cut(word, '<', &source);
		snprintf(t[0], ADDR_TEXT_LEN, "%.*s", (int)addr.len, addr.p);
		snprintf(t[1], ADDR_TEXT_LEN, "%.*s", (int)source.len,
			 source.p ? source.p : "");
		dests[n] = (struct dest){ .source = { .family = ADDR_NONE } };
		cr_assert(addr_parse(t[0], &dests[n].addr), "%s", t[0]);
		cr_assert(source.len == 0 || addr_parse(t[1], &dests[n].source), "%s",
			  t[1]);
		n++;
	}
}

static const char *order(void)
{
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		char addr[ADDR_TEXT_LEN];
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
			 addr_text(&dests[i].addr, addr));
	}
	return text;
}

/* As it is, and turned round: the order must not decide. */
static void comes(const char *from, const char *as)
{
	read_dests(from);
	dest_order(dests, n);
	cr_assert_str_eq(order(), as);
	read_dests(from);
	for (size_t i = 0; i < n / 2; i++) {
		struct dest swap = dests[i];

		dests[i] = dests[n - 1 - i];
		dests[n - 1 - i] = swap;
	}
	dest_order(dests, n);
	cr_assert_str_eq(order(), as);
}

/* RFC 6724 6, and the examples of its 10.2 */
Test(dest, what_cannot_be_reached_comes_last)
{
	comes("2001:db8:1::1 198.51.100.121<198.51.100.117",
	      "198.51.100.121 2001:db8:1::1");
}

Test(dest, the_scope_of_the_source_should_match)
{
	comes("2001:db8:1::1<2001:db8:1::2 198.51.100.121<169.254.13.78",
	      "2001:db8:1::1 198.51.100.121");
	comes("2001:db8:1::1<fe80::1 198.51.100.121<198.51.100.117",
	      "198.51.100.121 2001:db8:1::1");
}

Test(dest, the_label_of_the_source_should_match)
{
	comes("2002:c633:6401::1<2002:c633:6401::2 2001:db8:1::1<2002:c633:6401::2",
	      "2002:c633:6401::1 2001:db8:1::1");
	comes("2001:db8:1::1<fd00::2 198.51.100.121<10.0.0.1",
	      "198.51.100.121 2001:db8:1::1");
}

Test(dest, the_higher_precedence_is_better)
{
	comes("2001:db8:1::1<2001:db8:1::2 10.1.2.3<10.1.2.4", "2001:db8:1::1 10.1.2.3");
	comes("2002:c633:6401::1<2002:c633:6401::2 2001:db8:1::1<2001:db8:1::2",
	      "2001:db8:1::1 2002:c633:6401::1");
}

Test(dest, the_smaller_scope_is_better)
{
	comes("2001:db8:1::1<2001:db8:1::2 fe80::1<fe80::2", "fe80::1 2001:db8:1::1");
}

Test(dest, the_longest_common_prefix_is_better_in_ip6)
{
	comes("2001:db8:1::1<2001:db8:1::2 2001:db8:3ffe::1<2001:db8:3f44::2",
	      "2001:db8:1::1 2001:db8:3ffe::1");
}

/* Rule 10, and what chance did is kept. */
Test(dest, else_it_stays_as_it_was)
{
	read_dests("203.0.113.1<192.0.2.1 192.0.2.9<192.0.2.1 198.51.100.1<192.0.2.1");
	dest_order(dests, n);
	cr_assert_str_eq(order(), "203.0.113.1 192.0.2.9 198.51.100.1");
	read_dests("2001:db8::a<2001:db8::1 2001:db8::3<2001:db8::1");
	dest_order(dests, n);
	cr_assert_str_eq(order(), "2001:db8::a 2001:db8::3");
}

/* RFC 8305 4 */
Test(dest, families_come_by_turns)
{
	read_dests("2001:db8::1 2001:db8::2 2001:db8::3 192.0.2.1 192.0.2.2");
	dest_interleave(dests, n, ADDR_NONE);
	cr_assert_str_eq(order(),
			 "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 2001:db8::3");
	read_dests("2001:db8::2 192.0.2.1 192.0.2.2");
	dest_interleave(dests, n, ADDR_IP6);
	cr_assert_str_eq(order(), "192.0.2.1 2001:db8::2 192.0.2.2");
	read_dests("2001:db8::2 2001:db8::3");
	dest_interleave(dests, n, ADDR_IP6);
	cr_assert_str_eq(order(), "2001:db8::2 2001:db8::3");
}

Test(dest, knows_from_where_it_is_spoken_to)
{
	struct dest d;
	struct addr a;
	struct net *net;

	cr_assert_eq(net_mem_new(&net), 0);
	cr_assert(addr_parse("2001:db8::7", &a));
	d = dest_of(net, &a);
	cr_assert(dest_is_usable(&d) && !dest_is_ours(&d));
	cr_assert_str_eq(addr_text(&d.source, text), MEM_OWN_IP6);
	cr_assert(addr_parse(MEM_OWN_IP6, &a));
	d = dest_of(net, &a);
	cr_assert(dest_is_ours(&d));
	mem_no_ip6(net);
	d = dest_of(net, &a);
	cr_assert(!dest_is_usable(&d) && !dest_is_ours(&d));
	net_free(net);
}

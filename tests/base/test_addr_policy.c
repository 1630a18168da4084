#include <criterion/criterion.h>

#include "stack/base/addr_policy.h"
#include "stack/base/check.h"

static struct addr of(const char *text)
{
	struct addr a;

	cr_assert(addr_parse(text, &a), "%s", text);
	return a;
}

/* RFC 6724 2.1 */
Test(addr_policy, says_what_the_table_says)
{
	static const struct {
		const char *addr;
		unsigned precedence, label;
	} rows[] = {
		{ "::1", 50, 0 },
		{ "2001:db8::1", 40, 1 },
		{ "192.0.2.1", 35, 4 },
		{ "::ffff:192.0.2.1", 35, 4 },
		{ "2002:c000:201::", 30, 2 },
		{ "2001:0:1::1", 5, 5 },
		{ "fd00::1", 3, 13 },
		{ "::192.0.2.1", 1, 3 },
		{ "fec0::1", 1, 11 },
		{ "3ffe::1", 1, 12 },
		{ "fe80::1", 40, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a = of(rows[i].addr);
		struct addr_policy p = addr_policy(&a);

		cr_assert(p.precedence == rows[i].precedence && p.label == rows[i].label,
			  "%s: %u, %u", rows[i].addr, p.precedence, p.label);
	}
}

/* RFC 6724 3.1, 3.2 */
Test(addr_policy, knows_how_far_an_address_reaches)
{
	static const struct {
		const char *addr;
		unsigned scope;
	} rows[] = {
		{ "fe80::1", ADDR_SCOPE_LINK },	      { "::1", ADDR_SCOPE_LINK },
		{ "169.254.1.1", ADDR_SCOPE_LINK },   { "127.0.0.1", ADDR_SCOPE_LINK },
		{ "fec0::1", ADDR_SCOPE_SITE },	      { "fd00::1", ADDR_SCOPE_GLOBAL },
		{ "2001:db8::1", ADDR_SCOPE_GLOBAL }, { "10.0.0.1", ADDR_SCOPE_GLOBAL },
		{ "ff05::1", ADDR_SCOPE_SITE },	      { "ff02::1", ADDR_SCOPE_LINK },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr a = of(rows[i].addr);

		cr_assert_eq(addr_scope(&a), rows[i].scope, "%s", rows[i].addr);
	}
}

Test(addr_policy, counts_bits_in_common)
{
	struct addr a = of("2001:db8::1"), b = of("2001:db9::1");

	cr_assert_eq(addr_common_bits(a.ip6, b.ip6, 128), 31);
	cr_assert_eq(addr_common_bits(a.ip6, b.ip6, 16), 16);
	cr_assert_eq(addr_common_bits(a.ip6, a.ip6, 128), 128);
}

#include <criterion/criterion.h>
#include <stdlib.h>

#include "apps/lib/str.h"

static void expect(struct str s, const char *text)
{
	cr_assert(str_eq(s, str_of(text)), "got '%.*s', not '%s'", (int)s.len, s.p, text);
}

Test(str, letters_match_without_case_and_nothing_else_does)
{
	cr_assert(str_eq_nocase(STR("MaIl"), STR("mAiL")));
	cr_assert(!str_eq_nocase(STR("mail"), STR("mails")));
	cr_assert(!str_eq_nocase(STR("@"), STR("`")));
	cr_assert(!str_eq_nocase(STR("["), STR("{")));
	cr_assert(!str_eq_nocase(STR("\xc4"), STR("\xe4")));
	cr_assert(str_eq_nocase(STR("a\0B"), STR("A\0b")));
	cr_assert(!str_eq_nocase(STR("a\0b"), STR("a\0c")));
}

Test(str, letters_are_made_small_and_nothing_else_is)
{
	char out[9] = "........";

	str_lower(STR("AZ@[\xc4\0aZ"), out);
	cr_assert_arr_eq(out, "az@[\xc4\0az", 9);
}

Test(str, prefix_is_found_without_case)
{
	cr_assert(str_starts_nocase(STR("FROM:<a@b>"), STR("from:")));
	cr_assert(str_starts_nocase(STR("x"), STR("")));
	cr_assert(!str_starts_nocase(STR("FRO"), STR("from:")));
}

Test(str, trim_takes_blanks_from_the_ends_only)
{
	expect(str_trim(STR(" \ta b\t ")), "a b");
	expect(str_trim(STR(" \t ")), "");
	expect(str_trim(STR("")), "");
	expect(str_trim(STR("\ra\n")), "\ra\n");
}

Test(str, cut_gives_both_sides_of_the_first)
{
	struct str rest;

	expect(str_cut(STR("a:b:c"), ':', &rest), "a");
	expect(rest, "b:c");
	expect(str_cut(rest, ':', &rest), "b");
	expect(str_cut(rest, ':', &rest), "c");
	expect(rest, "");
	expect(str_cut(rest, ':', &rest), "");
}

Test(str, numbers_are_digits_within_limits)
{
	static const char *const bad[] = { "",	  "-1",	  "+1", " 1",
					   "1 ",  "0x1",  "1a", "12345678901234567890",
					   "1.5", "\xb2", "1\n" };
	uint64_t n = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert(!str_to_u64(str_of(bad[i]), &n), "'%s'", bad[i]);
	cr_assert(!str_to_u64((struct str){ "1\0", 2 }, &n));
	cr_assert_eq(n, 7);
	cr_assert(str_to_u64(STR("0"), &n) && n == 0);
	cr_assert(str_to_u64(STR("007"), &n) && n == 7);
	cr_assert(str_to_u64(STR("9999999999999999999"), &n));
	cr_assert_eq(n, UINT64_C(9999999999999999999));
}

Test(str, copy_ends_in_a_nul)
{
	char *copy = str_dup((struct str){ "abc", 2 });

	cr_assert_str_eq(copy, "ab");
	free(copy);
	copy = str_dup((struct str){ NULL, 0 });
	cr_assert_str_eq(copy, "");
	free(copy);
}

#include <criterion/criterion.h>
#include <errno.h>

#include "apps/mail/wire/imap_pattern.h"
#include "stack/base/check.h"

static bool match(const char *pattern, const char *name, char delimiter)
{
	struct imap_pattern p;

	cr_assert_eq(imap_pattern_init(&p, STR(""), str_of(pattern), delimiter), 0);
	return imap_pattern_match(&p, str_of(name));
}

Test(imap_pattern, matches_names)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "a", "a", true },
		{ "a", "A", false },
		{ "a", "ab", false },
		{ "ab", "a", false },
		{ "*", "", true },
		{ "*", "a/b/c", true },
		{ "%", "", true },
		{ "%", "abc", true },
		{ "%", "a/b", false },
		{ "%/%", "a/b", true },
		{ "%/%", "a", false },
		{ "%/%", "a/b/c", false },
		{ "%*", "a/b", true },
		{ "*%", "a/b", true },
		{ "%%", "a/b", false },
		{ "%%%a", "a", true },
		{ "a/*", "a/b/c", true },
		{ "a/*", "a", false },
		{ "a*", "a", true },
		{ "*a", "ba/a", true },
		{ "*a*b", "xaxxb", true },
		{ "*a*b", "xbxa", false },
		{ "%b%", "abc", true },
		{ "%b%", "a/bc", false },
		{ "*/%b", "x/y/ab", true },
		{ "*/%b", "x/y/a/c", false },
		{ "a%c", "abbc", true },
		{ "a%c", "ab/c", false },
		{ "*.txt", "a.txt.txt", true },
		{ "%a%/*b", "xax/yyb", true },
		{ "%a%/*b", "x/ayyb", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_assert_eq(match(rows[i].pattern, rows[i].name, '/'), rows[i].matches,
			     "%s with %s", rows[i].pattern, rows[i].name);
}

Test(imap_pattern, knows_inbox_in_any_case)
{
	cr_assert(match("inbox", "INBOX", '/'));
	cr_assert(match("InB%", "INBOX", '/'));
	cr_assert(match("inbox/a", "INBOX/a", '/'));
	cr_assert(!match("inbox/A", "INBOX/a", '/'));
	cr_assert(!match("inboxes", "INBOXES", '/'));
	cr_assert(!match("inboxes", "INBOXes", '/'));
	cr_assert(!match("a/inbox", "a/INBOX", '/'));
}

Test(imap_pattern, knows_names_without_hierarchy)
{
	cr_assert(match("%", "a/b", '\0'));
	cr_assert(match("%", "a/b", '.'));
	cr_assert(!match("%", "a.b", '.'));
	cr_assert(match("inbox", "INBOX", '\0'));
	cr_assert(!match("inbox/a", "INBOX/a", '\0'));
}

Test(imap_pattern, puts_the_reference_before_the_pattern)
{
	struct imap_pattern p;

	cr_assert_eq(imap_pattern_init(&p, STR("a/"), STR("%"), '/'), 0);
	cr_assert(imap_pattern_match(&p, STR("a/b")));
	cr_assert(!imap_pattern_match(&p, STR("b")));
	cr_assert_eq(imap_pattern_init(&p, STR("a/*"), STR("*b"), '/'), 0);
	cr_assert(imap_pattern_match(&p, STR("a/x/b")));
}

Test(imap_pattern, has_a_longest_pattern)
{
	char bytes[IMAP_PATTERN_MAX + 1];
	struct imap_pattern p;

	memset(bytes, 'a', sizeof(bytes));
	cr_assert_eq(
		imap_pattern_init(&p, STR(""), (struct str){ bytes, sizeof(bytes) }, '/'),
		-ENAMETOOLONG);
	cr_assert_eq(imap_pattern_init(&p, STR(""),
				       (struct str){ bytes, IMAP_PATTERN_MAX }, '/'),
		     0);
	cr_assert(imap_pattern_match(&p, (struct str){ bytes, IMAP_PATTERN_MAX }));
	cr_assert(!imap_pattern_match(&p, (struct str){ bytes, IMAP_PATTERN_MAX - 1 }));
	bytes[IMAP_PATTERN_MAX - 1] = '*';
	cr_assert_eq(imap_pattern_init(&p, STR(""),
				       (struct str){ bytes, IMAP_PATTERN_MAX }, '/'),
		     0);
	cr_assert(imap_pattern_match(&p, (struct str){ bytes, IMAP_PATTERN_MAX - 1 }));
	memset(bytes, '*', sizeof(bytes));
	cr_assert_eq(
		imap_pattern_init(&p, STR(""), (struct str){ bytes, sizeof(bytes) }, '/'),
		0);
}

/* Going back at each wildcard, this would take longer than anybody waits. */
Test(imap_pattern, does_not_go_back, .timeout = 10)
{
	char pattern[IMAP_PATTERN_MAX], name[1000];
	struct imap_pattern p;

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = "*a%a"[i % 4];
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = 'b';
	pattern[sizeof(pattern) - 1] = 'c';
	cr_assert_eq(imap_pattern_init(&p, STR(""),
				       (struct str){ pattern, sizeof(pattern) }, '/'),
		     0);
	cr_assert(!imap_pattern_match(&p, (struct str){ name, sizeof(name) }));
}

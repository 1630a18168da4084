#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/wire/imap_set.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"
#include "tests/lib/imap_text.h"

static struct imap_arena arena;

static void set_up(void)
{
	imap_arena_init(&arena, 1 << 20);
}

static void tear_down(void)
{
	imap_arena_reset(&arena);
	cr_assert_eq(arena.len, 0);
}

Cases(imap_set, set_up, tear_down);

static struct imap_set parse(const char *text)
{
	struct imap_set set;

	cr_assert_eq(imap_set_parse(str_of(text), &arena, &set), 0, "%s", text);
	return set;
}

static void is(const struct imap_set *set, const char *expected)
{
	struct imap_text t = { .p = NULL };

	imap_text_set(&t, set);
	cr_assert_str_eq(t.p + 1, expected);
	free(t.p);
}

static void reads(const char *text, const char *expected)
{
	struct imap_set set = parse(text);

	is(&set, expected);
}

static void resolves(const char *text, uint32_t max, const char *expected)
{
	struct imap_set set = parse(text);

	imap_set_resolve(&set, max);
	is(&set, expected);
}

Case(imap_set, sorts_and_joins_ranges)
{
	reads("1", "1");
	reads("3:5", "3:5");
	reads("5:3", "3:5");
	reads("9,1,5", "1,5,9");
	reads("1,2,3,5", "1:3,5");
	reads("1:4,2:9,9,11", "1:9,11");
	reads("4294967295", "4294967295");
	reads("4294967295,1:4294967294", "1:4294967295");
	reads("1:4294967295,4294967295", "1:4294967295");
}

Case(imap_set, keeps_the_star_apart)
{
	reads("*", "*");
	reads("*:*", "*");
	reads("4:*", "4:*");
	reads("*:4", "4:*");
	reads("2,9:*,*:7,*", "2,7:*");
}

Case(imap_set, puts_the_largest_number_in)
{
	resolves("*", 9, "9");
	resolves("4:*", 9, "4:9");
	resolves("12:*", 9, "9");
	resolves("1:3,*", 4, "1:4");
	resolves("7,3:*", 5, "3:5,7");
	resolves("*", 0, "");
	resolves("1,4:*", 0, "1");
	resolves("2:3", 0, "2:3");
	resolves("1,3,5,7,*", 9, "1,3,5,7,9");
}

Case(imap_set, refuses_what_is_no_set)
{
	static const char *const wrong[] = { "",
					     "0",
					     "1:0",
					     ":1",
					     "1:",
					     ",1",
					     "1,",
					     "1,,",
					     "a",
					     "1-2",
					     "1 2",
					     "1:2:3",
					     "**",
					     "*1",
					     "01",
					     "-1",
					     "+1",
					     "4294967296",
					     "1:99999999999999999999" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct imap_set set = { .n = 7 };

		cr_assert_eq(imap_set_parse(str_of(wrong[i]), &arena, &set), -EINVAL,
			     "%s", wrong[i]);
		cr_assert_eq(set.n, 7, "%s: changed the result", wrong[i]);
	}
}

Case(imap_set, tells_when_memory_ends)
{
	struct imap_arena tiny;
	struct imap_set set;

	imap_arena_init(&tiny, 64);
	cr_assert_eq(imap_set_parse(STR("1,3,5"), &tiny, &set), 0);
	cr_assert_eq(imap_set_parse(STR("1,3,5,7,9,11,13"), &tiny, &set), -ENOMEM);
	imap_arena_reset(&tiny);
	cr_assert_eq(imap_set_parse(STR("1,3,5"), &tiny, &set), 0);
	imap_arena_reset(&tiny);
}

Case(imap_set, tells_what_is_in_it)
{
	struct imap_set set = parse("2:4,8,10:12"), empty = parse("*");

	for (uint32_t n = 0; n < 15; n++)
		cr_assert_eq(imap_set_has(&set, n),
			     (n >= 2 && n <= 4) || n == 8 || (n >= 10 && n <= 12), "%u",
			     n);
	cr_assert_eq(imap_set_count(&set), 7);
	cr_assert_eq(imap_set_last(&set), 12);
	imap_set_resolve(&empty, 0);
	cr_assert(!imap_set_has(&empty, 1));
	cr_assert_eq(imap_set_count(&empty), 0);
	cr_assert_eq(imap_set_last(&empty), 0);
	set = parse("1:4294967295");
	cr_assert_eq(imap_set_count(&set), UINT32_MAX);
}

Case(imap_set, walks_through_its_numbers)
{
	static const uint32_t expected[] = { 2, 3, 4, 8, 4294967294, 4294967295 };
	struct imap_set set = parse("4294967294:4294967295,8,2:4");
	struct imap_set_at at = { .range = 0 };
	uint32_t n;

	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		cr_assert(imap_set_next(&set, &at, &n));
		cr_assert_eq(n, expected[i]);
	}
	cr_assert(!imap_set_next(&set, &at, &n));
	cr_assert(!imap_set_next(&set, &at, &n));
}

Test(imap_arena, gives_no_more_than_its_limit)
{
	struct imap_arena a;
	size_t given = 0;
	char *p;

	imap_arena_init(&a, 10000);
	while ((p = imap_arena_get(&a, 100))) {
		for (size_t i = 0; i < 100; i++)
			cr_assert_eq(p[i], 0);
		memset(p, 1, 100);
		given += 100;
		cr_assert_leq(a.len, 10000);
	}
	cr_assert_gt(given, 8000);
	cr_assert_null(imap_arena_get(&a, SIZE_MAX));
	cr_assert_null(imap_arena_more(&a, NULL, 0, SIZE_MAX / 2));
	imap_arena_reset(&a);
	cr_assert_eq(a.len, 0);
	cr_assert_not_null(imap_arena_get(&a, 9000));
	imap_arena_reset(&a);
}

Test(imap_arena, grows_arrays)
{
	struct imap_arena a;
	uint32_t *v = NULL;

	imap_arena_init(&a, 1 << 20);
	for (uint32_t n = 0; n < 1000; n++) {
		v = imap_arena_more(&a, v, n, sizeof(*v));
		cr_assert_not_null(v);
		v[n] = n;
	}
	for (uint32_t n = 0; n < 1000; n++)
		cr_assert_eq(v[n], n);
	imap_arena_reset(&a);
}

#include <criterion/criterion.h>

#include "stack/base/clock.h"
#include "tcp/fo_cache.h"

static const struct hash_key key = { { 3, 4 } };
static const struct fo_answer some = { .mss = 1000,
				       .cookie = { .len = 4, .bytes = { 1, 2, 3, 4 } } };
static const struct fo_answer lost = { .mss = 1000, .lost = true };
static struct fo_cache fc;

static struct addr server(unsigned i)
{
	return addr_ip4((struct ip4){ { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } });
}

static struct fo_hint hint_of(unsigned i, uint64_t now_s)
{
	struct addr a = server(i);
	struct fo_hint hint;

	fo_cache_get(&fc, &a, now_s * NS_PER_S, &hint);
	return hint;
}

static void learn(unsigned i, const struct fo_answer *answer, uint64_t now_s)
{
	struct addr a = server(i);

	fo_cache_learn(&fc, &a, answer, now_s * NS_PER_S);
}

#define Cache(name)                                                \
	static void cache_##name(void);                            \
	Test(fo_cache, name)                                       \
	{                                                          \
		cr_assert_eq(fo_cache_init(&fc, 8, 120, &key), 0); \
		cache_##name();                                    \
		fo_cache_fini(&fc);                                \
	}                                                          \
	static void cache_##name(void)

Cache(knows_nothing_at_first)
{
	struct fo_hint hint = hint_of(1, 1);

	cr_assert(!hint.cookie.len && !hint.cookie.exp && !hint.mss && !hint.paused);
}

Cache(keeps_the_cookie_and_the_mss)
{
	struct fo_answer later = { .mss = 900 };
	struct fo_hint hint;

	learn(1, &some, 1);
	hint = hint_of(1, 1);
	cr_assert_eq(hint.cookie.len, 4);
	cr_assert_arr_eq(hint.cookie.bytes, some.cookie.bytes, 4);
	cr_assert_eq(hint.mss, 1000);
	learn(1, &later, 2);
	hint = hint_of(1, 2);
	cr_assert_eq(hint.cookie.len, 4, "no new one is no reason to forget it");
	cr_assert_eq(hint.mss, 900);
	cr_assert_eq(hint_of(2, 2).cookie.len, 0);
}

Cache(asks_in_the_form_of_the_experiment_once)
{
	struct fo_answer none = { .mss = 1000, .refused = true };

	learn(1, &none, 1);
	cr_assert(hint_of(1, 1).cookie.exp);
	none.asked_exp = true;
	learn(1, &none, 1);
	cr_assert(!hint_of(1, 1).cookie.exp);
	none.asked_exp = false;
	learn(1, &none, 1);
	cr_assert(!hint_of(1, 1).cookie.exp, "never again");
}

Cache(pauses_where_syns_are_lost)
{
	learn(1, &some, 0);
	learn(1, &lost, 10);
	cr_assert(!hint_of(1, 10).paused, "one may be chance");
	learn(1, &lost, 20);
	cr_assert(hint_of(1, 20).paused);
	cr_assert(hint_of(1, 139).paused);
	cr_assert(!hint_of(1, 140).paused);
	learn(1, &lost, 200);
	cr_assert(hint_of(1, 439).paused, "twice as long");
	cr_assert(!hint_of(1, 440).paused);
	learn(1, &some, 440);
	learn(1, &lost, 441);
	cr_assert(!hint_of(1, 441).paused, "one that arrives forgives all");
	for (unsigned i = 0; i < 300; i++)
		learn(1, &lost, 500);
	cr_assert(!hint_of(1, 500 + 62000).paused, "it does not grow for ever");
}

Cache(counts_what_is_lost_after_the_handshake)
{
	struct addr a = server(1);

	fo_cache_lost(&fc, &a, NS_PER_S);
	cr_assert(hint_of(1, 2).paused);
}

Cache(forgets_whom_it_asked_for_longest_ago)
{
	for (unsigned i = 0; i < 8; i++)
		learn(i, &some, i);
	cr_assert_eq(hint_of(0, 9).cookie.len, 4);
	for (unsigned i = 8; i < 15; i++)
		learn(i, &some, i);
	cr_assert_eq(fc.entries.n_out, 8, "the limit");
	cr_assert_eq(hint_of(0, 20).cookie.len, 4);
	for (unsigned i = 1; i < 8; i++)
		cr_assert_eq(hint_of(i, 20).cookie.len, 0);
}

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "stack/base/map.h"
#include "stack/base/rng.h"
#include "tests/lib/case.h"

/* The "objects" are keys in an array; their numbers are the ids. */
enum { N_OBJECTS = 20000 };

static uint64_t keys[N_OBJECTS];
static bool is_in[N_OBJECTS];
static uint64_t n_asked; /* comparisons of keys */
static struct map map;

static bool key_eq(const void *ctx, uint32_t id, const void *key)
{
	n_asked++;
	return memcmp(&((const uint64_t *)ctx)[id], key, sizeof(uint64_t)) == 0;
}

/* Spread, but with @bits bits only, so that runs grow long and hashes collide. */
static uint32_t hash_of(uint64_t key, unsigned bits)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - bits));
}

static uint32_t find(uint64_t key, uint32_t hash)
{
	return map_find(&map, hash, key_eq, keys, &key);
}

static void clean(void)
{
	map_fini(&map);
	cr_assert_null(map.now.slots);
	cr_assert_null(map.old.slots);
}

Cases(map, NULL, clean);

Case(map, finds_what_was_added_and_nothing_else)
{
	keys[3] = 33;
	keys[4] = 44;
	cr_assert_eq(map_init(&map, 10), 0);
	cr_assert_eq(find(33, 7), MAP_NONE);
	cr_assert_eq(map_add(&map, 7, 3), 0);
	cr_assert_eq(map_add(&map, 7, 4), 0);
	cr_assert_eq(find(33, 7), 3);
	cr_assert_eq(find(44, 7), 4);
	cr_assert_eq(find(55, 7), MAP_NONE);
	map_del(&map, 7, 3);
	cr_assert_eq(find(33, 7), MAP_NONE);
	cr_assert_eq(find(44, 7), 4);
	cr_assert_eq(map_count(&map), 1);
}

Case(map, object_zero_is_an_object)
{
	keys[0] = 1;
	cr_assert_eq(map_init(&map, 1), 0);
	cr_assert_eq(map_add(&map, 0, 0), 0);
	cr_assert_eq(find(1, 0), 0);
	map_del(&map, 0, 0);
	cr_assert_eq(find(1, 0), MAP_NONE);
}

Case(map, room_asked_for_at_first_is_there_without_growing)
{
	cr_assert_eq(map_init(&map, N_OBJECTS), 0);
	for (uint32_t i = 0; i < N_OBJECTS; i++)
		cr_assert_eq(map_add(&map, hash_of(i, 32), i), 0);
	cr_assert_null(map.old.slots);
}

Case(map, miss_compares_no_keys)
{
	cr_assert_eq(map_init(&map, 1000), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		keys[i] = i;
		cr_assert_eq(map_add(&map, hash_of(i, 32), i), 0);
	}
	n_asked = 0;
	for (uint32_t i = 1000; i < 2000; i++)
		cr_assert_eq(find(i, hash_of(i, 32)), MAP_NONE);
	cr_assert_eq(n_asked, 0);
}

Case(map, run_that_wraps_around_the_end_survives_deletes)
{
	const uint32_t last = 15; /* of the 16 slots for few entries */

	cr_assert_eq(map_init(&map, 1), 0);
	cr_assert_eq(map.now.mask, last);
	for (uint32_t i = 0; i < 6; i++) {
		keys[i] = i;
		cr_assert_eq(map_add(&map, i % 2 ? last : last - 1, i), 0);
	}
	for (uint32_t gone = 0; gone < 6; gone++) {
		map_del(&map, gone % 2 ? last : last - 1, gone);
		for (uint32_t i = 0; i < 6; i++)
			cr_assert_eq(find(i, i % 2 ? last : last - 1),
				     i > gone ? i : MAP_NONE);
	}
}

Case(map, growing_moves_a_few_slots_with_each_change)
{
	uint32_t i = 0, rest;

	cr_assert_eq(map_init(&map, 3000), 0);
	while (!map.old.slots) {
		cr_assert_eq(map_add(&map, hash_of(i, 32), i), 0);
		keys[i] = i;
		i++;
	}
	rest = map.old.n_used;
	cr_assert_gt(rest, 3000 - 100);
	for (; map.old.slots; i++) {
		uint32_t moved;

		keys[i] = i;
		cr_assert_eq(map_add(&map, hash_of(i, 32), i), 0);
		moved = rest - map.old.n_used;
		rest = map.old.n_used;
		/* Four slots and the rest of one run. */
		cr_assert_lt(moved, 128);
		for (uint32_t k = 0; k <= i; k++)
			cr_assert_eq(find(k, hash_of(k, 32)), k);
	}
	cr_assert_eq(map_count(&map), i);
}

Case(map, too_many_at_first_is_refused)
{
	struct map untouched = { .moved = 77 };

	cr_assert_eq(map_init(&map, 1), 0);
	cr_assert_lt(map_init(&untouched, UINT32_MAX), 0);
	cr_assert_eq(untouched.moved, 77);
}

Case(map, table_that_cannot_grow_refuses_and_stays)
{
	struct map_half real;

	keys[1] = 11;
	cr_assert_eq(map_init(&map, 1), 0);
	cr_assert_eq(map_add(&map, 5, 1), 0);
	/* As if it had reached the most slots there may be, and were full. */
	real = map.now;
	map.now.mask = (1u << 30) - 1;
	map.now.n_used = 3u << 28;
	cr_assert_eq(map_add(&map, 6, 2), -ENOMEM);
	cr_assert_null(map.old.slots);
	cr_assert_eq(map_count(&map), 3u << 28);
	map.now = real;
	cr_assert_eq(find(11, 5), 1);
}

/* Adds, deletes and searches at random, beside an array of what is in. */
static void random_changes(uint64_t seed, unsigned bits, uint32_t n_objects)
{
	uint32_t n_in = 0;
	struct rng rng;

	rng_init(&rng, seed);
	cr_assert_eq(map_init(&map, 1), 0);
	for (uint32_t i = 0; i < n_objects; i++) {
		keys[i] = rng_u64(&rng);
		is_in[i] = false;
	}
	for (unsigned step = 0; step < 40 * n_objects; step++) {
		uint32_t i = rng_below(&rng, n_objects);
		uint32_t hash = hash_of(keys[i], bits);
		/* Swells and shrinks, so that deletes meet a table that is moving. */
		bool adding = rng_chance(&rng, step / n_objects % 2 ? 0.3 : 0.9);

		cr_assert_eq(find(keys[i], hash), is_in[i] ? i : MAP_NONE, "step %u",
			     step);
		if (is_in[i] && !adding) {
			map_del(&map, hash, i);
			is_in[i] = false;
			n_in--;
		} else if (!is_in[i] && adding) {
			cr_assert_eq(map_add(&map, hash, i), 0);
			is_in[i] = true;
			n_in++;
		}
		cr_assert_eq(map_count(&map), n_in);
	}
	for (uint32_t i = 0; i < n_objects; i++)
		cr_assert_eq(find(keys[i], hash_of(keys[i], bits)),
			     is_in[i] ? i : MAP_NONE);
}

Case(map, random_changes_agree_with_a_set)
{
	static const uint32_t sizes[] = { 20, 100, 3000, 20000 };

	for (size_t i = 0; i < 4; i++) {
		random_changes(i + 1, 32, sizes[i]);
		if (i < 3)
			map_fini(&map);
	}
}

Case(map, random_changes_with_colliding_hashes_agree_with_a_set)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		random_changes(seed, 4, 60);
		map_fini(&map);
	}
	random_changes(99, 6, 500);
}

#include <criterion/criterion.h>
#include <errno.h>

#include "stack/base/pool.h"
#include "stack/base/rng.h"

Test(pool, gives_out_all_its_objects_and_then_none)
{
	void *obj[10];
	struct pool pool;

	cr_assert_eq(pool_init(&pool, 24, 8, 10), 0);
	for (uint32_t i = 0; i < 10; i++) {
		obj[i] = pool_get(&pool);
		cr_assert_eq(pool_id(&pool, obj[i]), i);
		cr_assert_eq(pool_at(&pool, i), obj[i]);
		cr_assert_eq(pool_left(&pool), 9 - i);
	}
	cr_assert_null(pool_get(&pool));
	cr_assert_null(pool_get(&pool));
	pool_put(&pool, obj[3]);
	cr_assert_eq(pool_get(&pool), obj[3]);
	for (uint32_t i = 0; i < 10; i++)
		pool_put(&pool, obj[i]);
	cr_assert_eq(pool.n_out, 0);
	cr_assert_eq(pool.n_peak, 10);
	pool_fini(&pool);
}

Test(pool, last_one_freed_is_the_first_given_out)
{
	struct pool pool;
	void *a, *b;

	cr_assert_eq(pool_init(&pool, 64, 64, 100), 0);
	a = pool_get(&pool);
	b = pool_get(&pool);
	pool_put(&pool, a);
	pool_put(&pool, b);
	cr_assert_eq(pool_get(&pool), b);
	cr_assert_eq(pool_get(&pool), a);
	cr_assert_eq(pool.fresh, 2, "no other object was touched");
	pool_put(&pool, a);
	pool_put(&pool, b);
	pool_fini(&pool);
}

Test(pool, objects_are_aligned)
{
	for (size_t align = 4; align <= 4096; align *= 2) {
		struct pool pool;
		void *a, *b;

		cr_assert_eq(pool_init(&pool, 100, align, 4), 0);
		a = pool_get(&pool);
		b = pool_get(&pool);
		cr_assert_eq((uintptr_t)a % align, 0);
		cr_assert_eq((uintptr_t)b % align, 0);
		cr_assert_geq((uint8_t *)b - (uint8_t *)a, 100);
		pool_put(&pool, a);
		pool_put(&pool, b);
		pool_fini(&pool);
	}
}

Test(pool, reserves_for_a_million_without_touching_them)
{
	struct pool pool;
	void *obj;

	cr_assert_eq(pool_init(&pool, 512, 64, 1000000), 0);
	obj = pool_get(&pool);
	cr_assert_eq(pool.fresh, 1);
	pool_put(&pool, obj);
	pool_fini(&pool);
}

Test(pool, more_than_memory_can_be_is_refused)
{
	struct pool pool = { .max = 77 };

	cr_assert_eq(pool_init(&pool, SIZE_MAX / 4, 1, 8), -ENOMEM);
	cr_assert_eq(pool_init(&pool, (size_t)1 << 62, 1, 1), -ENOMEM);
	cr_assert_eq(pool.max, 77);
}

#ifndef NDEBUG
Test(pool, freed_memory_is_poisoned)
{
	struct pool pool;
	uint8_t *obj;

	cr_assert_eq(pool_init(&pool, 32, 8, 2), 0);
	obj = pool_get(&pool);
	memset(obj, 0, 32);
	pool_put(&pool, obj);
	/* The first four bytes link the free ones. */
	for (unsigned i = 4; i < 32; i++)
		cr_assert_eq(obj[i], POOL_POISON);
	pool_fini(&pool);
}
#endif

Test(pool, objects_out_at_once_are_never_the_same)
{
	enum { N = 50 };
	uint32_t *obj[N] = { 0 };
	struct pool pool;
	struct rng rng;
	uint32_t n_out = 0;

	rng_init(&rng, 1);
	cr_assert_eq(pool_init(&pool, 16, 8, N), 0);
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t i = rng_below(&rng, N);

		if (obj[i]) {
			cr_assert_eq(*obj[i], i, "another wrote here");
			pool_put(&pool, obj[i]);
			obj[i] = NULL;
			n_out--;
		} else {
			obj[i] = pool_get(&pool);
			*obj[i] = i;
			n_out++;
		}
		cr_assert_eq(pool.n_out, n_out);
	}
	for (unsigned i = 0; i < N; i++)
		if (obj[i])
			pool_put(&pool, obj[i]);
	pool_fini(&pool);
}

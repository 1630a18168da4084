/*
 * The flow table with a thousand and a million entries, asked for random ones: at a
 * million each finds its slot, and its object, outside the cache.
 */
#include <stdlib.h>

#include "bench/micro/micro.h"
#include "stack/base/check.h"
#include "stack/base/hash.h"
#include "stack/base/map.h"
#include "stack/base/rng.h"

enum { N_OPS = 512, N_EXTRA = N_OPS };

/* Object i has the key i; objects from n on come and go. */
struct table {
	struct map map;
	uint32_t n;
	uint64_t *keys;
	uint32_t *hashes;
	uint32_t asked[N_OPS];
	struct rng rng;
};

static bool key_eq(const void *ctx, uint32_t id, const void *key)
{
	return ((const uint64_t *)ctx)[id] == *(const uint64_t *)key;
}

static void choose(void *ctx)
{
	struct table *t = ctx;

	for (unsigned i = 0; i < N_OPS; i++)
		t->asked[i] = rng_below(&t->rng, t->n);
}

static void run_find(void *ctx)
{
	struct table *t = ctx;

	for (unsigned i = 0; i < N_OPS; i++) {
		uint32_t id = t->asked[i];
		uint64_t key = id;

		micro_keep(map_find(&t->map, t->hashes[id], key_eq, t->keys, &key));
	}
}

/* As the stack does with a burst: all slots are on their way before the first search. */
static void run_find_burst(void *ctx)
{
	struct table *t = ctx;

	for (unsigned i = 0; i < N_OPS; i += 32) {
		for (unsigned k = i; k < i + 32; k++)
			map_prefetch(&t->map, t->hashes[t->asked[k]]);
		for (unsigned k = i; k < i + 32; k++) {
			uint64_t key = t->asked[k];

			micro_keep(
				map_find(&t->map, t->hashes[key], key_eq, t->keys, &key));
		}
	}
}

static void run_miss(void *ctx)
{
	struct table *t = ctx;
	uint64_t key = UINT64_MAX;

	for (unsigned i = 0; i < N_OPS; i++)
		micro_keep(map_find(&t->map, ~t->hashes[t->asked[i]], key_eq, t->keys,
				    &key));
}

/* The extra objects, put in when they are out, and the reverse. */
static void run_add(void *ctx)
{
	struct table *t = ctx;

	if (map_count(&t->map) > t->n)
		return;
	for (uint32_t id = t->n; id < t->n + N_EXTRA; id++)
		ASSERT(map_add(&t->map, t->hashes[id], id) == 0);
}

static void run_del(void *ctx)
{
	struct table *t = ctx;

	if (map_count(&t->map) == t->n)
		return;
	for (uint32_t id = t->n; id < t->n + N_EXTRA; id++)
		map_del(&t->map, t->hashes[id], id);
}

static void fill(struct table *t, uint32_t n)
{
	static const struct hash_key key = { { 3, 4 } };

	*t = (struct table){
		.n = n,
		.keys = calloc(n + N_EXTRA, sizeof(*t->keys)),
		.hashes = calloc(n + N_EXTRA, sizeof(*t->hashes)),
	};
	ASSERT(t->keys && t->hashes && map_init(&t->map, n + N_EXTRA) == 0);
	rng_init(&t->rng, 1);
	for (uint32_t id = 0; id < n + N_EXTRA; id++) {
		t->keys[id] = id;
		t->hashes[id] = (uint32_t)hash_siphash13(&key, &t->keys[id], 8);
		if (id < n)
			ASSERT(map_add(&t->map, t->hashes[id], id) == 0);
	}
}

static void rows(const char *size, uint32_t n)
{
	static const struct {
		const char *what;
		void (*before)(void *ctx), (*run)(void *ctx);
	} ops[] = {
		{ "map find", choose, run_find },
		{ "map find, prefetched", choose, run_find_burst },
		{ "map find nothing", choose, run_miss },
		{ "map add", run_del, run_add },
		{ "map del", run_add, run_del },
	};
	struct micro m = { .size = size, .n_ops = N_OPS };
	struct table *t = malloc(sizeof(*t));

	ASSERT(t);
	fill(t, n);
	m.ctx = t;
	m.before = choose;
	for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
		m.what = ops[i].what;
		m.before = ops[i].before;
		m.run = ops[i].run;
		micro_row(&m);
	}
	free(t->keys);
	free(t->hashes);
	map_fini(&t->map);
	free(t);
}

void micro_map(void)
{
	rows("1k", 1000);
	rows("1M", 1000000);
}

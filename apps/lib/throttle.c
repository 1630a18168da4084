#include "apps/lib/throttle.h"

#include <errno.h>
#include <stdlib.h>

#include "stack/base/hash.h"
#include "stack/base/rng.h"

struct slot {
	uint64_t name;
	uint64_t due_ns; /* no debt is left from then on; 0: nobody was here */
};

struct throttle {
	struct hash_key key;
	struct slot sets[THROTTLE_SETS][THROTTLE_WAYS];
};

int throttle_new(uint64_t seed, struct throttle **throttle)
{
	struct throttle *t = calloc(1, sizeof(*t));
	struct rng rng;

	if (!t)
		return -ENOMEM;
	rng_init(&rng, seed);
	t->key.k[0] = rng_u64(&rng);
	t->key.k[1] = rng_u64(&rng);
	*throttle = t;
	return 0;
}

void throttle_free(struct throttle *t)
{
	free(t);
}

uint64_t throttle_name(const struct throttle *t, char kind, const void *bytes, size_t len)
{
	struct hash_key key = t->key;

	key.k[0] ^= (uint8_t)kind;
	return hash_siphash13(&key, bytes, len);
}

uint64_t throttle_debt(const struct throttle *t, uint64_t name, uint64_t now_ns)
{
	const struct slot *set = t->sets[name % THROTTLE_SETS];

	for (int i = 0; i < THROTTLE_WAYS; i++)
		if (set[i].name == name && set[i].due_ns > now_ns)
			return set[i].due_ns - now_ns;
	return 0;
}

void throttle_add(struct throttle *t, uint64_t name, uint64_t now_ns, uint64_t cost_ns)
{
	struct slot *set = t->sets[name % THROTTLE_SETS], *least = set;

	for (int i = 0; i < THROTTLE_WAYS; i++) {
		if (set[i].name == name) {
			least = &set[i];
			break;
		}
		if (set[i].due_ns < least->due_ns)
			least = &set[i];
	}
	if (least->name != name || least->due_ns < now_ns)
		*least = (struct slot){ name, now_ns };
	least->due_ns += cost_ns;
}

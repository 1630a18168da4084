/*
 * A table from keys to the numbers of pool objects, for millions of them.
 *
 * Open addressing with linear probing and back-shift deletion: 8 bytes a slot,
 * the hash beside the number, so a miss touches no object.  The caller has the
 * hash (hash.h, keyed: a peer cannot aim for one slot) and compares keys.
 * Growing moves a few slots with each change instead of all at once: no call
 * walks the whole table.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct map_slot {
	uint32_t hash;
	uint32_t id_plus_1; /* 0: empty */
};

struct map_half {
	struct map_slot *slots;
	uint32_t mask; /* number of slots - 1 */
	uint32_t n_used;
};

struct map {
	struct map_half now; /* where new entries go */
	struct map_half old; /* being emptied, or no slots at all */
	uint32_t moved;	     /* slots of @old that are behind us */
};

/* True when object @id is the one with @key. */
typedef bool map_eq(const void *ctx, uint32_t id, const void *key);

enum { MAP_NONE = UINT32_MAX };

/* Room for @n entries at first.  0 or -ENOMEM. */
int map_init(struct map *m, uint32_t n);
void map_fini(struct map *m);

static inline uint32_t map_count(const struct map *m)
{
	return m->now.n_used + m->old.n_used;
}

/* The object with that key, or MAP_NONE. */
uint32_t map_find(const struct map *m, uint32_t hash, map_eq *eq, const void *ctx,
		  const void *key);
/* Enters @id, which must not be there.  0, or -ENOMEM when it cannot grow. */
int map_add(struct map *m, uint32_t hash, uint32_t id);
/* Takes @id out, which was entered with @hash. */
void map_del(struct map *m, uint32_t hash, uint32_t id);
/* Brings the first slot of @hash into the cache. */
void map_prefetch(const struct map *m, uint32_t hash);

/*
 * A pool of objects of one size, owned by one core.
 *
 * The whole arena is reserved at init and touched only as far as objects were
 * ever out at once, so a pool for a million connections costs nothing until they
 * come.  Objects have numbers, 0 to max - 1, by which tables can refer to them in
 * 32 bits.  The last one freed is the first given out again: it is in the cache.  The
 * numbers of the free ones lie beside the arena: giving and taking touches no object.
 *
 * In debug builds freed memory is poisoned with POOL_POISON.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POOL_POISON = 0xd5 };

struct pool {
	uint8_t *arena;
	size_t arena_len; /* bytes reserved */
	size_t obj_len;	  /* bytes from one object to the next */
	uint32_t max;	  /* objects in the arena */
	uint32_t n_out;	  /* objects handed out and not freed */
	uint32_t n_peak;  /* the most that were ever out */
	uint32_t fresh;	  /* objects from here on were never touched */
	uint32_t n_free;  /* objects that were out and came back */
	uint32_t *free;	  /* their numbers, the last freed last */
};

/*
 * Reserves room for @max objects of @obj_len bytes, each aligned to @align (a power
 * of two, at most 4096).  0, or -ENOMEM.
 */
int pool_init(struct pool *pool, size_t obj_len, size_t align, uint32_t max);
/* Gives the arena back.  Objects still out are a mistake of ours. */
void pool_fini(struct pool *pool);

/* An object with undefined content, or NULL when all are out: an ordinary day. */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *obj);

static inline uint32_t pool_left(const struct pool *pool)
{
	return pool->max - pool->n_out;
}

static inline void *pool_at(const struct pool *pool, uint32_t id)
{
	return pool->arena + (size_t)id * pool->obj_len;
}

static inline uint32_t pool_id(const struct pool *pool, const void *obj)
{
	return (uint32_t)((size_t)((const uint8_t *)obj - pool->arena) / pool->obj_len);
}

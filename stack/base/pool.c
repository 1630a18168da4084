#include "stack/base/pool.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "stack/base/check.h"

/* A free object holds the number of the next free one in its first four bytes. */
static uint32_t next_free(const void *obj)
{
	uint32_t id;

	memcpy(&id, obj, sizeof(id));
	return id;
}

int pool_init(struct pool *pool, size_t obj_len, size_t align, uint32_t max)
{
	size_t step = (obj_len + align - 1) & ~(align - 1);
	size_t len;
	void *arena;

	ASSERT(align && align <= 4096 && (align & (align - 1)) == 0);
	ASSERT(step >= sizeof(uint32_t) && max > 0 && max < POOL_NONE);
	if (__builtin_mul_overflow(step, (size_t)max, &len))
		return -ENOMEM;
	arena = mmap(NULL, len, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED)
		return -ENOMEM;
	*pool = (struct pool){
		.arena = arena,
		.arena_len = len,
		.obj_len = step,
		.max = max,
		.free = POOL_NONE,
	};
	return 0;
}

void pool_fini(struct pool *pool)
{
	ASSERT(pool->n_out == 0);
	munmap(pool->arena, pool->arena_len);
	*pool = (struct pool){ 0 };
}

void *pool_get(struct pool *pool)
{
	void *obj;

	if (pool->free != POOL_NONE) {
		obj = pool_at(pool, pool->free);
		pool->free = next_free(obj);
	} else if (pool->fresh < pool->max) {
		obj = pool_at(pool, pool->fresh++);
	} else {
		return NULL;
	}
	pool->n_out++;
	if (pool->n_out > pool->n_peak)
		pool->n_peak = pool->n_out;
	return obj;
}

void pool_put(struct pool *pool, void *obj)
{
	uint32_t id = pool_id(pool, obj);

	DEBUG_ASSERT(id < pool->fresh && pool_at(pool, id) == obj);
	DEBUG_ASSERT(pool->n_out > 0);
#ifndef NDEBUG
	memset(obj, POOL_POISON, pool->obj_len);
#endif
	memcpy(obj, &pool->free, sizeof(pool->free));
	pool->free = id;
	pool->n_out--;
}

#include "stack/base/pool.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "stack/base/check.h"

static void *reserve(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

int pool_init(struct pool *pool, size_t obj_len, size_t align, uint32_t max)
{
	size_t step = (obj_len + align - 1) & ~(align - 1);
	struct pool fresh;
	size_t len;

	ASSERT(align && align <= 4096 && (align & (align - 1)) == 0);
	ASSERT(step > 0 && max > 0);
	if (__builtin_mul_overflow(step, (size_t)max, &len))
		return -ENOMEM;
	fresh = (struct pool){
		.arena = reserve(len),
		.free = reserve(max * sizeof(uint32_t)),
		.arena_len = len,
		.obj_len = step,
		.max = max,
	};
	if (!fresh.arena || !fresh.free) {
		pool_fini(&fresh);
		return -ENOMEM;
	}
	*pool = fresh;
	return 0;
}

void pool_fini(struct pool *pool)
{
	ASSERT(pool->n_out == 0);
	if (pool->arena)
		munmap(pool->arena, pool->arena_len);
	if (pool->free)
		munmap(pool->free, pool->max * sizeof(uint32_t));
	*pool = (struct pool){ 0 };
}

void *pool_get(struct pool *pool)
{
	void *obj;

	if (pool->n_free)
		obj = pool_at(pool, pool->free[--pool->n_free]);
	else if (pool->fresh < pool->max)
		obj = pool_at(pool, pool->fresh++);
	else
		return NULL;
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
	pool->free[pool->n_free++] = id;
	pool->n_out--;
}

/*
 * After Vyukov's bounded queue.  Each slot says whose turn it is:
 *
 *   turn == position          free, for the writer who takes that position
 *   turn == position + 1      written, for the reader
 *   turn == position + slots  read, free for the writer of the next round
 *
 * A writer that is stopped between taking a position and writing delays the reader
 * at that slot, and nobody else.
 */
#include "stack/base/ring.h"

#include <errno.h>
#include <stdlib.h>

#include "stack/base/check.h"

int ring_init(struct ring *r, uint32_t n)
{
	struct ring_slot *slots;

	/* With one slot, written and free for the next round would look the same. */
	ASSERT(n >= 2 && (n & (n - 1)) == 0);
	slots = calloc(n, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		atomic_init(&slots[i].turn, i);
	atomic_init(&r->head, 0);
	r->tail = 0;
	r->slots = slots;
	r->mask = n - 1;
	return 0;
}

void ring_fini(struct ring *r)
{
	free(r->slots);
	r->slots = NULL;
}

bool ring_push(struct ring *r, void *msg)
{
	uint64_t at = atomic_load_explicit(&r->head, memory_order_relaxed);
	struct ring_slot *slot;

	for (;;) {
		uint64_t turn;

		slot = &r->slots[at & r->mask];
		turn = atomic_load_explicit(&slot->turn, memory_order_acquire);
		if ((int64_t)(turn - at) < 0)
			return false; /* not read yet since the last round */
		if (turn != at)
			at = atomic_load_explicit(&r->head, memory_order_relaxed);
		else if (atomic_compare_exchange_weak_explicit(&r->head, &at, at + 1,
							       memory_order_relaxed,
							       memory_order_relaxed))
			break;
	}
	slot->msg = msg;
	atomic_store_explicit(&slot->turn, at + 1, memory_order_release);
	return true;
}

void *ring_pop(struct ring *r)
{
	struct ring_slot *slot = &r->slots[r->tail & r->mask];
	void *msg;

	if (atomic_load_explicit(&slot->turn, memory_order_acquire) != r->tail + 1)
		return NULL;
	msg = slot->msg;
	atomic_store_explicit(&slot->turn, r->tail + r->mask + 1, memory_order_release);
	r->tail++;
	return msg;
}

/*
 * Linear probing without tombstones: an entry lies at its home slot or behind it
 * with no empty slot between, so a search ends at the first empty one.  Taking an
 * entry out would leave a gap in such a run; delete closes it by shifting back
 * what came later and may.
 *
 * While the table grows, entries are moved out of the old half from its front, run
 * by run: a run taken out whole leaves no gap in another.  (What wrapped around
 * from the end to the front goes first, and is the end of its run: no gap either.)
 * New entries go to the new half only.
 */
#include "stack/base/map.h"

#include <errno.h>
#include <stdlib.h>

#include "stack/base/check.h"

enum {
	MIN_SLOTS = 16,
	MAX_SLOTS = 1 << 30,
	/*
	 * From N slots three quarters full to 2N slots three quarters full takes
	 * 3N/4 additions: with this many slots each, all N have moved long before.
	 */
	MOVES_PER_CHANGE = 4,
};

/* The most entries in so many slots. */
static uint32_t room(uint32_t n_slots)
{
	return n_slots / 4 * 3;
}

static int half_init(struct map_half *h, uint32_t n_slots)
{
	/* Fresh zero pages when it is large: nothing is touched before its use. */
	struct map_slot *slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	*h = (struct map_half){ .slots = slots, .mask = n_slots - 1 };
	return 0;
}

static void half_fini(struct map_half *h)
{
	free(h->slots);
	*h = (struct map_half){ 0 };
}

int map_init(struct map *m, uint32_t n)
{
	uint32_t n_slots = MIN_SLOTS;
	struct map_half first;

	while (n_slots < MAX_SLOTS && room(n_slots) < n)
		n_slots *= 2;
	if (room(n_slots) < n || half_init(&first, n_slots))
		return -ENOMEM;
	*m = (struct map){ .now = first };
	return 0;
}

void map_fini(struct map *m)
{
	half_fini(&m->now);
	half_fini(&m->old);
}

static uint32_t half_find(const struct map_half *h, uint32_t hash, map_eq *eq,
			  const void *ctx, const void *key)
{
	uint32_t at = hash & h->mask;

	for (; h->slots[at].id_plus_1; at = (at + 1) & h->mask) {
		const struct map_slot *s = &h->slots[at];

		if (s->hash == hash && eq(ctx, s->id_plus_1 - 1, key))
			return s->id_plus_1 - 1;
	}
	return MAP_NONE;
}

static void half_add(struct map_half *h, struct map_slot s)
{
	uint32_t at = s.hash & h->mask;

	while (h->slots[at].id_plus_1)
		at = (at + 1) & h->mask;
	h->slots[at] = s;
	h->n_used++;
}

/* Closes the gap at @gap. */
static void half_shift_back(struct map_half *h, uint32_t gap)
{
	uint32_t at = (gap + 1) & h->mask;

	for (; h->slots[at].id_plus_1; at = (at + 1) & h->mask) {
		uint32_t home = h->slots[at].hash & h->mask;

		/* It may move when its home does not lie behind the gap. */
		if (((at - home) & h->mask) >= ((at - gap) & h->mask)) {
			h->slots[gap] = h->slots[at];
			gap = at;
		}
	}
	h->slots[gap] = (struct map_slot){ 0 };
}

static bool half_del(struct map_half *h, uint32_t hash, uint32_t id)
{
	uint32_t at = hash & h->mask;

	for (; h->slots[at].id_plus_1; at = (at + 1) & h->mask) {
		if (h->slots[at].id_plus_1 == id + 1 && h->slots[at].hash == hash) {
			half_shift_back(h, at);
			h->n_used--;
			return true;
		}
	}
	return false;
}

/* Moves a few slots of the old half and, always, the rest of the last run. */
static void move_some(struct map *m)
{
	struct map_half *old = &m->old;

	for (uint32_t n = 0; old->n_used; n++, m->moved++) {
		struct map_slot *s = &old->slots[m->moved];

		if (n >= MOVES_PER_CHANGE && !s->id_plus_1)
			return;
		if (!s->id_plus_1)
			continue;
		half_add(&m->now, *s);
		*s = (struct map_slot){ 0 };
		old->n_used--;
	}
	half_fini(old);
}

static int grow(struct map *m)
{
	uint32_t n_slots = m->now.mask + 1;
	struct map_half bigger;

	ASSERT(!m->old.slots);
	if (n_slots == MAX_SLOTS || half_init(&bigger, 2 * n_slots))
		return -ENOMEM;
	m->old = m->now;
	m->now = bigger;
	m->moved = 0;
	return 0;
}

uint32_t map_find(const struct map *m, uint32_t hash, map_eq *eq, const void *ctx,
		  const void *key)
{
	uint32_t id = half_find(&m->now, hash, eq, ctx, key);

	if (id == MAP_NONE && m->old.slots)
		id = half_find(&m->old, hash, eq, ctx, key);
	return id;
}

int map_add(struct map *m, uint32_t hash, uint32_t id)
{
	ASSERT(id != MAP_NONE);
	if (map_count(m) >= room(m->now.mask + 1) && grow(m))
		return -ENOMEM;
	half_add(&m->now, (struct map_slot){ .hash = hash, .id_plus_1 = id + 1 });
	if (m->old.slots)
		move_some(m);
	return 0;
}

void map_del(struct map *m, uint32_t hash, uint32_t id)
{
	bool found = half_del(&m->now, hash, id) ||
		     (m->old.slots && half_del(&m->old, hash, id));

	ASSERT(found);
	if (m->old.slots)
		move_some(m);
}

void map_prefetch(const struct map *m, uint32_t hash)
{
	__builtin_prefetch(&m->now.slots[hash & m->now.mask]);
}

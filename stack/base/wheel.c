/*
 * Level l has 64 slots of 64^l ticks each.  A timer for tick t stands at the level
 * of the highest six bits in which t differs from the wheel's tick:
 *
 *   tick   ...| 000101 | 011000 | 110000      now
 *   t      ...| 000101 | 011010 | 000111      level 1, slot 011010
 *
 * So all slots in use of one level lie ahead within the same 64, every slot of a
 * lower level comes before every one of a higher, and the first busy slot is found
 * by counting zeros.  A timer's place stays right while the tick moves up to the
 * start of its slot; there the slot is emptied, and what is not due goes to lower
 * levels.  Deadlines beyond the last level wait in its last tick, the horizon, and
 * are placed anew from there, as are the ones moved back in the meantime.
 */
#include "stack/base/wheel.h"

#include "stack/base/check.h"

enum { SLOT_BITS = 6, TICK_BITS = 16 };

_Static_assert(1 << SLOT_BITS == WHEEL_SLOTS, "a word of busy bits for each level");
_Static_assert(1 << TICK_BITS == WHEEL_TICK_NS, "ticks are cut off with a shift");

/* A slot, and the first tick it stands for. */
struct place {
	unsigned level, slot;
	uint64_t tick;
};

static struct timer *timer_of(struct list *node)
{
	return container_of(node, struct timer, node);
}

static struct place place_of(const struct wheel *w, uint64_t tick)
{
	uint64_t differs = tick ^ w->tick;
	unsigned level = 0;

	if (differs)
		level = (63 - (unsigned)__builtin_clzll(differs)) / SLOT_BITS;
	DEBUG_ASSERT(level < WHEEL_LEVELS);
	return (struct place){
		.level = level,
		.slot = (tick >> (level * SLOT_BITS)) % WHEEL_SLOTS,
		.tick = tick,
	};
}

/* The last tick that has a slot. */
static uint64_t horizon(const struct wheel *w)
{
	return w->tick | ((UINT64_C(1) << (WHEEL_LEVELS * SLOT_BITS)) - 1);
}

static uint64_t tick_of(const struct timer *t)
{
	return t->due_ns >> TICK_BITS;
}

static void link_timer(struct wheel *w, struct timer *t)
{
	uint64_t tick = tick_of(t);
	struct place at;

	if (tick < w->tick)
		tick = w->tick;
	if (tick > horizon(w))
		tick = horizon(w);
	at = place_of(w, tick);
	t->slot_ns = tick << TICK_BITS;
	list_push(&w->slot[at.level][at.slot], &t->node);
	w->busy[at.level] |= UINT64_C(1) << at.slot;
}

static void unlink_timer(struct wheel *w, struct timer *t)
{
	uint64_t tick = t->slot_ns >> TICK_BITS;
	struct place at;

	list_remove(&t->node);
	/* Behind us: it was waiting in wheel_run() to be fired, in no slot. */
	if (tick < w->tick)
		return;
	at = place_of(w, tick);
	if (list_empty(&w->slot[at.level][at.slot]))
		w->busy[at.level] &= ~(UINT64_C(1) << at.slot);
}

/* The first busy slot.  False: nothing is armed. */
static bool first_busy(const struct wheel *w, struct place *first)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned shift = level * SLOT_BITS;
		unsigned slot;

		if (!w->busy[level])
			continue;
		slot = (unsigned)__builtin_ctzll(w->busy[level]);
		*first = (struct place){
			.level = level,
			.slot = slot,
			.tick = ((w->tick >> shift) / WHEEL_SLOTS * WHEEL_SLOTS + slot)
				<< shift,
		};
		return true;
	}
	return false;
}

/* Empties a slot into @to. */
static void take_slot(struct wheel *w, const struct place *at, struct list *to)
{
	struct list *slot = &w->slot[at->level][at->slot], *node;

	w->busy[at->level] &= ~(UINT64_C(1) << at->slot);
	list_init(to);
	while ((node = list_pop(slot)))
		list_push(to, node);
}

/* Moves the wheel to @now_ns; what is due on the way is hung on @due. */
static void collect(struct wheel *w, uint64_t now_ns, struct list *due)
{
	uint64_t last = now_ns >> TICK_BITS;
	struct list later, slot, *node;
	struct place at;

	list_init(&later);
	while (first_busy(w, &at) && at.tick <= last) {
		take_slot(w, &at, &slot);
		w->tick = at.tick;
		/* At the horizon nothing is left in the wheel: a new one can begin. */
		if (at.tick == horizon(w) && at.tick < last)
			w->tick++;
		while ((node = list_pop(&slot))) {
			struct timer *t = timer_of(node);

			if (at.level || (tick_of(t) > at.tick && at.tick < last))
				link_timer(w, t);
			else
				list_push(t->due_ns <= now_ns ? due : &later, node);
		}
	}
	if (w->tick < last)
		w->tick = last;
	while ((node = list_pop(&later)))
		link_timer(w, timer_of(node));
}

void wheel_init(struct wheel *w, uint64_t now_ns)
{
	*w = (struct wheel){ .tick = now_ns >> TICK_BITS };
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&w->slot[level][slot]);
}

void timer_init(struct timer *t, void (*fire)(struct timer *t, uint64_t now_ns))
{
	list_init(&t->node);
	t->due_ns = TIMER_NEVER;
	t->slot_ns = 0;
	t->fire = fire;
}

void timer_arm(struct wheel *w, struct timer *t, uint64_t due_ns)
{
	bool armed = timer_armed(t);

	if (due_ns == TIMER_NEVER) {
		timer_stop(w, t);
		return;
	}
	t->due_ns = due_ns;
	if (armed && due_ns >= t->slot_ns)
		return; /* it will be found at its old place in time */
	if (armed)
		unlink_timer(w, t);
	else
		w->n_armed++;
	link_timer(w, t);
}

void timer_stop(struct wheel *w, struct timer *t)
{
	if (!timer_armed(t))
		return;
	unlink_timer(w, t);
	t->due_ns = TIMER_NEVER;
	w->n_armed--;
}

void wheel_run(struct wheel *w, uint64_t now_ns)
{
	struct list due, *node;

	list_init(&due);
	collect(w, now_ns, &due);
	while ((node = list_pop(&due))) {
		struct timer *t = timer_of(node);

		if (t->due_ns > now_ns) {
			link_timer(w, t); /* one that fired before it moved it back */
			continue;
		}
		t->due_ns = TIMER_NEVER;
		w->n_armed--;
		t->fire(t, now_ns);
	}
}

uint64_t wheel_due(const struct wheel *w)
{
	uint64_t due_ns;
	struct place at;

	if (!first_busy(w, &at))
		return TIMER_NEVER;
	if (at.level)
		return at.tick << TICK_BITS;
	/* Exactly: one who runs the wheel at the start of a tick must get further. */
	due_ns = (at.tick + 1) << TICK_BITS;
	for (const struct list *n = w->slot[0][at.slot].next; n != &w->slot[0][at.slot];
	     n = n->next) {
		const struct timer *t = container_of(n, const struct timer, node);

		if (t->due_ns < due_ns)
			due_ns = t->due_ns;
	}
	return due_ns;
}

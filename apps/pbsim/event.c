#include "apps/pbsim/event.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { NOWHERE = UINT32_MAX };

void event_heap_fini(struct event_heap *h)
{
	free(h->slot);
	*h = (struct event_heap){ 0 };
}

int event_init(struct event_heap *h, struct event *e,
	       void (*fire)(struct event *e, uint64_t now_ns))
{
	if (h->n_made == h->room) {
		uint32_t room = h->room ? 2 * h->room : 64;
		struct event **slot = realloc(h->slot, room * sizeof(struct event *));

		if (!slot)
			return -ENOMEM;
		h->slot = slot;
		h->room = room;
	}
	*e = (struct event){
		.at_ns = EVENT_NEVER,
		.order = h->n_made++,
		.place = NOWHERE,
		.fire = fire,
	};
	return 0;
}

static bool before(const struct event *a, const struct event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void put(struct event_heap *h, uint32_t place, struct event *e)
{
	h->slot[place] = e;
	e->place = place;
}

static void rise(struct event_heap *h, struct event *e)
{
	uint32_t at = e->place;

	while (at > 0 && before(e, h->slot[(at - 1) / 2])) {
		put(h, at, h->slot[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(h, at, e);
}

static void sink(struct event_heap *h, struct event *e)
{
	uint32_t at = e->place;

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child + 1 < h->n && before(h->slot[child + 1], h->slot[child]))
			child++;
		if (child >= h->n || !before(h->slot[child], e))
			break;
		put(h, at, h->slot[child]);
		at = child;
	}
	put(h, at, e);
}

static void take_out(struct event_heap *h, struct event *e)
{
	struct event *last = h->slot[--h->n];
	uint32_t place = e->place;

	e->place = NOWHERE;
	if (last == e)
		return;
	put(h, place, last);
	rise(h, last);
	sink(h, last);
}

void event_set(struct event_heap *h, struct event *e, uint64_t at_ns)
{
	uint64_t old_ns = e->at_ns;

	if (at_ns == old_ns)
		return;
	e->at_ns = at_ns;
	if (at_ns == EVENT_NEVER) {
		take_out(h, e);
	} else if (e->place == NOWHERE) {
		put(h, h->n++, e);
		rise(h, e);
	} else if (at_ns < old_ns) {
		rise(h, e);
	} else {
		sink(h, e);
	}
}

void event_hasten(struct event_heap *h, struct event *e, uint64_t at_ns)
{
	if (at_ns < e->at_ns)
		event_set(h, e, at_ns);
}

uint64_t event_due(const struct event_heap *h)
{
	return h->n ? h->slot[0]->at_ns : EVENT_NEVER;
}

struct event *event_pop(struct event_heap *h)
{
	struct event *e = h->slot[0];

	take_out(h, e);
	return e;
}

/*
 * Who is next in a simulation: a heap of those who have a time.
 *
 * Each line, host and flow is one event for all its life; only its time changes.  Of two
 * at one time, the one that was made first comes first: so the order is always the same.
 */
#pragma once

#include <stdint.h>

#define EVENT_NEVER UINT64_MAX

struct event {
	uint64_t at_ns; /* EVENT_NEVER: not in the heap */
	uint32_t order; /* by making */
	uint32_t place; /* in the heap; UINT32_MAX: not there */
	void (*fire)(struct event *e, uint64_t now_ns);
};

struct event_heap {
	struct event **slot;
	uint32_t n, room, n_made;
};

void event_heap_fini(struct event_heap *h);
/* A new one without a time.  0 or -ENOMEM. */
int event_init(struct event_heap *h, struct event *e,
	       void (*fire)(struct event *e, uint64_t now_ns));
/* Its time is @at_ns now, EVENT_NEVER: none. */
void event_set(struct event_heap *h, struct event *e, uint64_t at_ns);
/* Not later than @at_ns. */
void event_hasten(struct event_heap *h, struct event *e, uint64_t at_ns);
/* When the first is due. */
uint64_t event_due(const struct event_heap *h);
/* The first one, taken out; its @at_ns is still when it was due, and must become EVENT_NEVER
 * before it is set again. */
struct event *event_pop(struct event_heap *h);

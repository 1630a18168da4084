/*
 * Timers of one core: a hierarchical wheel (Varghese and Lauck, 1987).
 *
 * Arming, moving and stopping cost the same however many timers there are.
 * Re-arming is lazy: a timer that moves later only has its deadline rewritten;
 * the wheel finds it at its old place, sees that it is not due, and links it
 * anew.  So an ACK that pushes the retransmission timer back writes one number.
 *
 * A timer never fires before its deadline, and at the first wheel_run() that is
 * told a time at or behind it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"

struct timer {
	struct list node; /* in the wheel while armed, else alone */
	uint64_t due_ns;  /* deadline, or TIMER_NEVER */
	uint64_t slot_ns; /* the time under which it is linked */
	void (*fire)(struct timer *t, uint64_t now_ns);
};

#define TIMER_NEVER UINT64_MAX

enum { WHEEL_LEVELS = 6, WHEEL_SLOTS = 64, WHEEL_TICK_NS = 1 << 16 };

struct wheel {
	uint64_t tick;		     /* all ticks before this one have run */
	uint64_t busy[WHEEL_LEVELS]; /* a bit for each slot that holds a timer */
	struct list slot[WHEEL_LEVELS][WHEEL_SLOTS];
	uint32_t n_armed;
};

void wheel_init(struct wheel *w, uint64_t now_ns);

void timer_init(struct timer *t, void (*fire)(struct timer *t, uint64_t now_ns));
/* Sets the deadline, whether the timer is armed or not. */
void timer_arm(struct wheel *w, struct timer *t, uint64_t due_ns);
void timer_stop(struct wheel *w, struct timer *t);

static inline bool timer_armed(const struct timer *t)
{
	return t->due_ns != TIMER_NEVER;
}

/*
 * Fires what is due at @now_ns, in the order of the ticks.  A timer is disarmed
 * before it fires, and may be armed again or freed by its function, which may also
 * stop or move others.  What is armed in there for a time already reached fires
 * in the next run, so that no run is without end.
 */
void wheel_run(struct wheel *w, uint64_t now_ns);

/*
 * When to call wheel_run() next: at or before the earliest deadline, TIMER_NEVER
 * when nothing is armed.  May be too early by the span of a slot, never late; and
 * a run at that time gets further, so that virtual time cannot stand still.
 */
uint64_t wheel_due(const struct wheel *w);

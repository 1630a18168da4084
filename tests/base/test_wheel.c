#include <criterion/criterion.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/base/wheel.h"
#include "tests/lib/case.h"

#define SECOND UINT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define TICK ((uint64_t)WHEEL_TICK_NS)

static struct wheel wheel;

/* A timer that notes when it fired, and in which order. */
struct noted {
	struct timer t;
	uint64_t fired_ns;
	unsigned n_fired, rank;
	uint64_t again_ns;   /* arms itself for so much later, when not 0 */
	struct noted *other; /* does to it what @act says */
	enum { NOTHING, STOPS, POSTPONES, HASTENS } act;
};

static unsigned n_fired;

static struct noted *noted_of(struct timer *t)
{
	return container_of(t, struct noted, t);
}

static void note(struct timer *t, uint64_t now_ns)
{
	struct noted *n = noted_of(t);

	cr_assert(!timer_armed(t));
	n->fired_ns = now_ns;
	n->n_fired++;
	n->rank = n_fired++;
	if (n->again_ns)
		timer_arm(&wheel, t, now_ns + n->again_ns);
	if (n->act == STOPS)
		timer_stop(&wheel, &n->other->t);
	else if (n->act == POSTPONES)
		timer_arm(&wheel, &n->other->t, now_ns + SECOND);
	else if (n->act == HASTENS)
		timer_arm(&wheel, &n->other->t, now_ns - 1);
}

static void note_init(struct noted *n)
{
	*n = (struct noted){ 0 };
	timer_init(&n->t, note);
}

static void setup(void)
{
	wheel_init(&wheel, SECOND);
	n_fired = 0;
}

static void clean(void)
{
	cr_assert_eq(wheel.n_armed, 0);
	cr_assert_eq(wheel_due(&wheel), TIMER_NEVER);
	for (unsigned level = 0; level < WHEEL_LEVELS; level++)
		cr_assert_eq(wheel.busy[level], 0);
}

Cases(wheel, setup, clean);

Case(wheel, fires_at_the_deadline_and_not_before)
{
	uint64_t due = SECOND + 12345678;
	struct noted a;

	note_init(&a);
	timer_arm(&wheel, &a.t, due);
	cr_assert(timer_armed(&a.t));
	cr_assert_leq(wheel_due(&wheel), due);
	wheel_run(&wheel, due - 1);
	cr_assert_eq(a.n_fired, 0);
	cr_assert_eq(wheel_due(&wheel), due, "exact inside the last tick");
	wheel_run(&wheel, due);
	cr_assert_eq(a.n_fired, 1);
	cr_assert_eq(a.fired_ns, due);
	wheel_run(&wheel, due + HOUR);
	cr_assert_eq(a.n_fired, 1);
}

Case(wheel, deadline_in_the_past_fires_at_the_next_run)
{
	struct noted a;

	note_init(&a);
	wheel_run(&wheel, 2 * SECOND);
	timer_arm(&wheel, &a.t, SECOND);
	cr_assert_leq(wheel_due(&wheel), 2 * SECOND);
	wheel_run(&wheel, 2 * SECOND);
	cr_assert_eq(a.n_fired, 1);
}

Case(wheel, moving_back_relinks_nothing_and_still_fires_in_time)
{
	struct list *prev;
	struct noted a;

	note_init(&a);
	timer_arm(&wheel, &a.t, SECOND + 200 * TICK);
	prev = a.t.node.prev;
	for (unsigned i = 0; i < 1000; i++)
		timer_arm(&wheel, &a.t, SECOND + (201 + i) * TICK);
	cr_assert_eq(a.t.node.prev, prev);
	cr_assert_eq(wheel.n_armed, 1);
	wheel_run(&wheel, SECOND + 1200 * TICK - 1);
	cr_assert_eq(a.n_fired, 0);
	wheel_run(&wheel, SECOND + 1200 * TICK);
	cr_assert_eq(a.n_fired, 1);
}

Case(wheel, moving_forward_takes_effect)
{
	struct noted a;

	note_init(&a);
	timer_arm(&wheel, &a.t, HOUR);
	timer_arm(&wheel, &a.t, 2 * SECOND);
	cr_assert_leq(wheel_due(&wheel), 2 * SECOND);
	wheel_run(&wheel, 2 * SECOND);
	cr_assert_eq(a.n_fired, 1);
}

Case(wheel, stopped_timer_never_fires)
{
	struct noted a, b;

	note_init(&a);
	note_init(&b);
	timer_arm(&wheel, &a.t, 2 * SECOND);
	timer_arm(&wheel, &b.t, 2 * SECOND);
	timer_stop(&wheel, &a.t);
	timer_stop(&wheel, &a.t);
	timer_arm(&wheel, &b.t, TIMER_NEVER);
	cr_assert(!timer_armed(&a.t) && !timer_armed(&b.t));
	cr_assert_eq(wheel_due(&wheel), TIMER_NEVER);
	wheel_run(&wheel, HOUR);
	cr_assert_eq(n_fired, 0);
}

Case(wheel, jump_of_hours_fires_all_in_the_order_of_their_ticks)
{
	static struct noted all[200];

	for (unsigned i = 0; i < 200; i++) {
		note_init(&all[i]);
		/* Spread over all levels, entered back to front. */
		timer_arm(&wheel, &all[i].t, SECOND + (uint64_t)(200 - i) * 17 * SECOND);
	}
	wheel_run(&wheel, 2 * HOUR);
	for (unsigned i = 0; i < 200; i++) {
		cr_assert_eq(all[i].n_fired, 1);
		cr_assert_eq(all[i].rank, 199 - i);
	}
}

Case(wheel, deadline_beyond_the_last_level_is_kept)
{
	uint64_t due = UINT64_C(400) * 24 * HOUR;
	uint64_t now_ns = SECOND;
	struct noted a, b;
	unsigned n = 0;

	note_init(&a);
	note_init(&b);
	timer_arm(&wheel, &a.t, due);
	timer_arm(&wheel, &b.t, TIMER_NEVER - 1);
	while (!a.n_fired) {
		cr_assert_gt(wheel_due(&wheel), now_ns, "each run gets further");
		now_ns = wheel_due(&wheel);
		cr_assert_leq(now_ns, due);
		wheel_run(&wheel, now_ns);
		cr_assert_lt(n++, 100);
	}
	cr_assert_eq(a.fired_ns, due);
	cr_assert_eq(b.n_fired, 0);
	timer_stop(&wheel, &b.t);
}

Case(wheel, one_jump_over_all_levels_fires_once)
{
	struct noted a;

	note_init(&a);
	timer_arm(&wheel, &a.t, UINT64_C(400) * 24 * HOUR);
	wheel_run(&wheel, UINT64_C(800) * 24 * HOUR);
	cr_assert_eq(a.n_fired, 1);
}

Case(wheel, timer_may_arm_itself_while_it_fires)
{
	uint64_t now_ns = SECOND;
	struct noted a;

	note_init(&a);
	a.again_ns = SECOND / 10;
	timer_arm(&wheel, &a.t, now_ns);
	for (unsigned i = 0; i < 100; i++) {
		wheel_run(&wheel, now_ns);
		cr_assert_eq(a.n_fired, i + 1);
		now_ns += SECOND / 10;
	}
	timer_stop(&wheel, &a.t);
}

static void arm_at_once(struct timer *t, uint64_t now_ns)
{
	noted_of(t)->n_fired++;
	timer_arm(&wheel, t, now_ns);
}

Case(wheel, timer_armed_for_now_in_fire_waits_for_the_next_run)
{
	struct noted a;

	note_init(&a);
	a.t.fire = arm_at_once;
	timer_arm(&wheel, &a.t, SECOND);
	wheel_run(&wheel, HOUR);
	cr_assert_eq(a.n_fired, 1);
	cr_assert_leq(wheel_due(&wheel), HOUR);
	wheel_run(&wheel, HOUR);
	cr_assert_eq(a.n_fired, 2);
	timer_stop(&wheel, &a.t);
}

static void free_self(struct timer *t, uint64_t now_ns)
{
	(void)now_ns;
	n_fired++;
	memset(noted_of(t), 0xd5, sizeof(struct noted));
	free(noted_of(t));
}

Case(wheel, timers_may_free_themselves_while_they_fire)
{
	for (unsigned i = 0; i < 1000; i++) {
		struct noted *n = malloc(sizeof(*n));

		note_init(n);
		n->t.fire = free_self;
		timer_arm(&wheel, &n->t, SECOND + i * TICK / 3);
	}
	wheel_run(&wheel, SECOND + 100 * TICK);
	wheel_run(&wheel, HOUR);
	cr_assert_eq(n_fired, 1000);
}

/* Two due at once: the first stops, postpones or hastens the second. */
static void first_acts_on_second(struct noted *a, struct noted *b, int act)
{
	note_init(a);
	note_init(b);
	a->act = act;
	a->other = b;
	timer_arm(&wheel, &a->t, 2 * SECOND);
	timer_arm(&wheel, &b->t, 2 * SECOND + 5 * TICK);
	wheel_run(&wheel, 3 * SECOND);
	cr_assert_eq(a->n_fired, 1);
}

Case(wheel, one_that_fires_may_stop_another_that_is_due)
{
	struct noted a, b;

	first_acts_on_second(&a, &b, STOPS);
	cr_assert_eq(b.n_fired, 0);
	cr_assert_eq(wheel.n_armed, 0);
}

Case(wheel, one_that_fires_may_postpone_another_that_is_due)
{
	struct noted a, b;

	first_acts_on_second(&a, &b, POSTPONES);
	cr_assert_eq(b.n_fired, 0);
	cr_assert_leq(wheel_due(&wheel), 4 * SECOND);
	wheel_run(&wheel, 4 * SECOND - 1);
	cr_assert_eq(b.n_fired, 0);
	wheel_run(&wheel, 4 * SECOND);
	cr_assert_eq(b.n_fired, 1);
}

Case(wheel, one_that_fires_may_hasten_another_that_is_due)
{
	struct noted a, b;

	first_acts_on_second(&a, &b, HASTENS);
	wheel_run(&wheel, 3 * SECOND);
	cr_assert_eq(b.n_fired, 1);
}

Case(wheel, clock_that_stands_still_or_goes_back_fires_nothing_early)
{
	struct noted a;

	note_init(&a);
	wheel_run(&wheel, HOUR);
	timer_arm(&wheel, &a.t, HOUR + SECOND);
	wheel_run(&wheel, SECOND);
	wheel_run(&wheel, HOUR);
	cr_assert_eq(a.n_fired, 0);
	wheel_run(&wheel, HOUR + SECOND);
	cr_assert_eq(a.n_fired, 1);
}

/*
 * A random schedule, beside a list of deadlines in an array: after every run
 * exactly those have fired whose deadline is reached, once each, and in the order
 * of their ticks; and the wheel never asks to be run later than the earliest.
 */
enum { N_RANDOM = 300, N_STEPS = 20000 };

static struct noted timers[N_RANDOM];
static uint64_t deadline[N_RANDOM];

static uint64_t random_span(struct rng *rng)
{
	/* Evenly over the magnitudes, from nothing to some 70 years. */
	return rng_u64(rng) >> (3 + rng_below(rng, 61));
}

static uint64_t earliest(void)
{
	uint64_t min = TIMER_NEVER;

	for (unsigned i = 0; i < N_RANDOM; i++)
		if (deadline[i] < min)
			min = deadline[i];
	return min;
}

static void run_and_compare(uint64_t now_ns)
{
	unsigned before = n_fired, n_due = 0;
	uint64_t tick_at[N_RANDOM] = { 0 };

	for (unsigned i = 0; i < N_RANDOM; i++)
		timers[i].n_fired = 0;
	wheel_run(&wheel, now_ns);
	for (unsigned i = 0; i < N_RANDOM; i++) {
		bool due = deadline[i] <= now_ns;

		cr_assert_eq(timers[i].n_fired, due, "timer %u", i);
		cr_assert_eq(timer_armed(&timers[i].t),
			     deadline[i] != TIMER_NEVER && !due);
		if (!due)
			continue;
		tick_at[timers[i].rank - before] = deadline[i] / TICK;
		deadline[i] = TIMER_NEVER;
		n_due++;
	}
	cr_assert_eq(n_fired - before, n_due);
	for (unsigned i = 1; i < n_due; i++)
		cr_assert_leq(tick_at[i - 1], tick_at[i], "out of order");
}

static void random_schedule(uint64_t seed)
{
	uint64_t now_ns = SECOND;
	struct rng rng;

	rng_init(&rng, seed);
	for (unsigned i = 0; i < N_RANDOM; i++) {
		note_init(&timers[i]);
		deadline[i] = TIMER_NEVER;
	}
	for (unsigned step = 0; step < N_STEPS; step++) {
		unsigned i = rng_below(&rng, N_RANDOM);

		switch (rng_below(&rng, 4)) {
		case 0:
			timer_stop(&wheel, &timers[i].t);
			deadline[i] = TIMER_NEVER;
			break;
		case 1:
			if (rng_chance(&rng, 0.5))
				now_ns += random_span(&rng) >> 20;
			else if (earliest() < UINT64_C(1) << 62 && earliest() > now_ns)
				now_ns = earliest() - rng_below(&rng, 2);
			run_and_compare(now_ns);
			break;
		default:
			deadline[i] = now_ns + random_span(&rng);
			timer_arm(&wheel, &timers[i].t, deadline[i]);
			break;
		}
		cr_assert_leq(wheel_due(&wheel), earliest(), "step %u", step);
	}
	for (unsigned i = 0; i < N_RANDOM; i++)
		timer_stop(&wheel, &timers[i].t);
}

Case(wheel, random_schedules_agree_with_a_list)
{
	for (uint64_t seed = 1; seed <= 10; seed++) {
		wheel_init(&wheel, SECOND);
		random_schedule(seed);
	}
}

Case(wheel, running_it_when_it_asks_reaches_every_deadline_on_time)
{
	uint64_t now_ns = SECOND;
	struct rng rng;

	rng_init(&rng, 7);
	for (unsigned i = 0; i < N_RANDOM; i++) {
		note_init(&timers[i]);
		deadline[i] = now_ns + random_span(&rng);
		timer_arm(&wheel, &timers[i].t, deadline[i]);
	}
	while (wheel_due(&wheel) != TIMER_NEVER) {
		cr_assert(wheel_due(&wheel) > now_ns || earliest() <= now_ns);
		now_ns = wheel_due(&wheel);
		wheel_run(&wheel, now_ns);
		for (unsigned i = 0; i < N_RANDOM; i++) {
			if (timers[i].n_fired && deadline[i] != TIMER_NEVER) {
				cr_assert_eq(timers[i].fired_ns, deadline[i]);
				deadline[i] = TIMER_NEVER;
			}
		}
	}
	cr_assert_eq(n_fired, N_RANDOM);
}

#include <criterion/criterion.h>
#include <stdlib.h>

#include "apps/pbsim/event.h"
#include "stack/base/rng.h"

enum { N = 200, ROUNDS = 20000 };

static void never(struct event *e, uint64_t now_ns)
{
	(void)e;
	(void)now_ns;
}

Test(event, comes_in_the_order_of_time_however_times_change)
{
	static struct event events[N];
	struct event_heap h = { 0 };
	struct rng r;

	rng_init(&r, 1);
	for (unsigned i = 0; i < N; i++)
		cr_assert_eq(event_init(&h, &events[i], never), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t at = rng_below(&r, 8) ? rng_below(&r, 1000) : EVENT_NEVER;
		uint64_t due = EVENT_NEVER;

		event_set(&h, &events[rng_below(&r, N)], at);
		for (unsigned k = 0; k < N; k++)
			due = events[k].at_ns < due ? events[k].at_ns : due;
		cr_assert_eq(event_due(&h), due);
		if (rng_below(&r, 4) == 0 && due != EVENT_NEVER) {
			struct event *e = event_pop(&h);

			cr_assert_eq(e->at_ns, due);
			e->at_ns = EVENT_NEVER;
		}
	}
	event_heap_fini(&h);
}

Test(event, of_two_at_one_time_the_one_that_was_made_first_is_first)
{
	struct event_heap h = { 0 };
	struct event e[3];

	for (unsigned i = 0; i < 3; i++)
		event_init(&h, &e[i], never);
	event_set(&h, &e[2], 5);
	event_set(&h, &e[0], 5);
	event_set(&h, &e[1], 5);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_eq(event_pop(&h), &e[i]);
	cr_assert_eq(event_due(&h), EVENT_NEVER);
	event_heap_fini(&h);
}

Test(event, is_only_hastened)
{
	struct event_heap h = { 0 };
	struct event e;

	event_init(&h, &e, never);
	event_hasten(&h, &e, 7);
	event_hasten(&h, &e, 9);
	cr_assert_eq(event_due(&h), 7);
	event_hasten(&h, &e, 3);
	cr_assert_eq(event_due(&h), 3);
	event_heap_fini(&h);
}

/*
 * The timer wheel with a thousand and a million timers: one by one at random, as
 * connections arm them.
 */
#include <stdlib.h>

#include "bench/micro/micro.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/rng.h"
#include "stack/base/wheel.h"

enum { N_OPS = 512 };

struct timers {
	struct wheel wheel;
	struct timer *all; /* armed for keep-alive, far from now */
	struct timer *chosen[N_OPS];
	struct timer some[N_OPS]; /* the ones that fire */
	uint64_t now_ns;
	uint32_t n;
	struct rng rng;
};

static void fire_nothing(struct timer *t, uint64_t now_ns)
{
	(void)t;
	(void)now_ns;
}

static void choose(void *ctx)
{
	struct timers *t = ctx;

	for (unsigned i = 0; i < N_OPS; i++)
		t->chosen[i] = &t->all[rng_below(&t->rng, t->n)];
}

static uint64_t far(struct timers *t)
{
	return t->now_ns + 3600 * NS_PER_S + rng_below(&t->rng, UINT32_MAX);
}

/* An ACK moves the deadline back. */
static void run_rearm(void *ctx)
{
	struct timers *t = ctx;

	for (unsigned i = 0; i < N_OPS; i++)
		timer_arm(&t->wheel, t->chosen[i], t->chosen[i]->due_ns + 1);
}

static void run_stop_and_arm(void *ctx)
{
	struct timers *t = ctx;

	for (unsigned i = 0; i < N_OPS; i++) {
		timer_stop(&t->wheel, t->chosen[i]);
		timer_arm(&t->wheel, t->chosen[i], far(t));
	}
}

static void arm_some(void *ctx)
{
	struct timers *t = ctx;

	for (unsigned i = 0; i < N_OPS; i++)
		timer_arm(&t->wheel, &t->some[i],
			  t->now_ns + rng_below(&t->rng, 300 * NS_PER_MS));
}

/* From arming to firing, over the 300 ms in which delayed ACKs and such fall due. */
static void run_fire(void *ctx)
{
	struct timers *t = ctx;
	uint64_t end_ns = t->now_ns + 300 * NS_PER_MS;

	for (; t->now_ns < end_ns; t->now_ns += NS_PER_MS)
		wheel_run(&t->wheel, t->now_ns);
}

static void run_idle(void *ctx)
{
	struct timers *t = ctx;

	for (unsigned i = 0; i < N_OPS; i++) {
		wheel_run(&t->wheel, t->now_ns);
		micro_keep(wheel_due(&t->wheel));
	}
}

static void rows(const char *size, uint32_t n)
{
	static const struct {
		const char *what;
		void (*before)(void *ctx), (*run)(void *ctx);
	} ops[] = {
		{ "timer moved back", choose, run_rearm },
		{ "timer stopped and armed", choose, run_stop_and_arm },
		{ "timer fires", arm_some, run_fire },
		{ "wheel run, nothing due", NULL, run_idle },
	};
	struct timers *t = calloc(1, sizeof(*t));
	struct micro m = { .size = size, .n_ops = N_OPS, .ctx = t };

	ASSERT(t);
	t->all = calloc(n, sizeof(*t->all));
	ASSERT(t->all);
	t->n = n;
	rng_init(&t->rng, 1);
	wheel_init(&t->wheel, 0);
	for (uint32_t i = 0; i < n; i++) {
		timer_init(&t->all[i], fire_nothing);
		timer_arm(&t->wheel, &t->all[i], far(t));
	}
	for (unsigned i = 0; i < N_OPS; i++)
		timer_init(&t->some[i], fire_nothing);
	for (unsigned i = 0; i < ARRAY_LEN(ops); i++) {
		m.what = ops[i].what;
		m.before = ops[i].before;
		m.run = ops[i].run;
		micro_row(&m);
	}
	free(t->all);
	free(t);
}

void micro_wheel(void)
{
	rows("1k", 1000);
	rows("1M", 1000000);
}

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "apps/lib/handoff.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/net_mem.h"

enum { N_ITEMS = 4000, N_THREADS = 4 };

struct item {
	struct handoff_item back;
	unsigned thread, n;
};

static struct net *net;
static struct handoff h;
static struct item items[N_THREADS * N_ITEMS];
static unsigned n_taken, n_bad, next[N_THREADS];

/* In the order in which each thread gave them. */
static void take(void *arg, struct handoff_item *back)
{
	struct item *i = container_of(back, struct item, back);

	n_bad += arg != &h || i->n != next[i->thread];
	next[i->thread] = i->n + 1;
	n_taken++;
}

static void setup(void)
{
	cr_assert_eq(net_mem_new(&net), 0);
	handoff_init(&h, net, take, &h);
	for (unsigned i = 0; i < ARRAY_LEN(items); i++)
		items[i] = (struct item){ .thread = i / N_ITEMS, .n = i % N_ITEMS };
}

static void clean(void)
{
	cr_assert(!handoff_busy(&h));
	handoff_fini(&h);
	net_free(net);
	cr_assert_eq(n_bad, 0);
}

Cases(handoff, setup, clean);

static void give(unsigned i)
{
	handoff_out(&h);
	handoff_back(&h, &items[i].back);
}

Case(handoff, takes_back_in_order_and_not_before_the_net_turns)
{
	for (unsigned i = 0; i < 3; i++)
		give(i);
	cr_assert_eq(n_taken, 0);
	cr_assert(handoff_busy(&h));
	mem_settle(net);
	cr_assert_eq(n_taken, 3);
	cr_assert(!handoff_busy(&h));
}

Case(handoff, is_busy_while_something_is_out)
{
	handoff_out(&h);
	handoff_out(&h);
	handoff_undo(&h);
	mem_advance(net, NS_PER_S);
	cr_assert(handoff_busy(&h));
	handoff_back(&h, &items[0].back);
	mem_settle(net);
	cr_assert(!handoff_busy(&h));
	cr_assert_eq(n_taken, 1);
}

static unsigned n_jobs;

static void job(void *arg)
{
	(void)arg;
	n_jobs++;
}

Case(handoff, loses_nothing_when_the_net_takes_no_more_jobs)
{
	unsigned n_posted = 0;

	while (net_post(net, job, NULL))
		n_posted++;
	give(0);
	cr_assert(handoff_busy(&h));
	mem_settle(net);
	cr_assert_eq(n_jobs, n_posted);
	cr_assert_eq(n_taken, 0);
	mem_advance(net, HANDOFF_LOOK_MS * NS_PER_MS);
	cr_assert_eq(n_taken, 1);
}

static void *give_many(void *arg)
{
	struct item *first = arg;

	for (unsigned i = 0; i < N_ITEMS; i++)
		handoff_back(&h, &first[i].back);
	return NULL;
}

Case(handoff, takes_back_from_several_threads_at_once)
{
	pthread_t threads[N_THREADS];

	for (unsigned i = 0; i < ARRAY_LEN(items); i++)
		handoff_out(&h);
	for (unsigned i = 0; i < N_THREADS; i++)
		cr_assert_eq(
			pthread_create(&threads[i], NULL, give_many, &items[i * N_ITEMS]),
			0);
	while (n_taken < ARRAY_LEN(items))
		cr_assert(mem_wait(net));
	for (unsigned i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	mem_settle(net);
}

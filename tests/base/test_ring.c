#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>

#include "stack/base/ring.h"
#include "tests/lib/case.h"

enum { N_WRITERS = 3, N_EACH = 50000 };

static struct ring ring;

/* Messages are numbers in pointers; NULL is none. */
static void *msg_of(uintptr_t n)
{
	return (void *)(n + 1);
}

static uintptr_t number_of(const void *msg)
{
	return (uintptr_t)msg - 1;
}

static void clean(void)
{
	cr_assert_null(ring_pop(&ring));
	ring_fini(&ring);
}

Cases(ring, NULL, clean);

Case(ring, keeps_the_order)
{
	cr_assert_eq(ring_init(&ring, 8), 0);
	cr_assert_null(ring_pop(&ring));
	for (uintptr_t round = 0; round < 100; round++) {
		for (uintptr_t i = 0; i < 5; i++)
			cr_assert(ring_push(&ring, msg_of(round + i)));
		for (uintptr_t i = 0; i < 5; i++)
			cr_assert_eq(ring_pop(&ring), msg_of(round + i));
		cr_assert_null(ring_pop(&ring));
	}
}

Case(ring, says_when_it_is_full_and_takes_more_later)
{
	cr_assert_eq(ring_init(&ring, 4), 0);
	for (uintptr_t i = 0; i < 4; i++)
		cr_assert(ring_push(&ring, msg_of(i)));
	cr_assert(!ring_push(&ring, msg_of(4)));
	cr_assert(!ring_push(&ring, msg_of(4)));
	cr_assert_eq(ring_pop(&ring), msg_of(0));
	cr_assert(ring_push(&ring, msg_of(4)));
	for (uintptr_t i = 1; i < 5; i++)
		cr_assert_eq(ring_pop(&ring), msg_of(i));
}

Case(ring, of_two_slots_works)
{
	cr_assert_eq(ring_init(&ring, 2), 0);
	for (uintptr_t i = 0; i < 10; i++) {
		cr_assert(ring_push(&ring, msg_of(i)));
		cr_assert(ring_push(&ring, msg_of(i + 1)));
		cr_assert(!ring_push(&ring, msg_of(i)));
		cr_assert_eq(ring_pop(&ring), msg_of(i));
		cr_assert_eq(ring_pop(&ring), msg_of(i + 1));
		cr_assert_null(ring_pop(&ring));
	}
}

/* Writer w sends w, w + N_WRITERS, w + 2 * N_WRITERS ... */
static void *write_all(void *first)
{
	uintptr_t n = number_of(first);

	for (unsigned i = 0; i < N_EACH; i++, n += N_WRITERS)
		while (!ring_push(&ring, msg_of(n)))
			sched_yield();
	return NULL;
}

Case(ring, threads_lose_nothing_and_each_keeps_its_order)
{
	uintptr_t next[N_WRITERS];
	pthread_t writers[N_WRITERS];

	cr_assert_eq(ring_init(&ring, 64), 0);
	for (uintptr_t w = 0; w < N_WRITERS; w++) {
		next[w] = w;
		cr_assert_eq(pthread_create(&writers[w], NULL, write_all, msg_of(w)), 0);
	}
	for (unsigned left = N_WRITERS * N_EACH; left;) {
		void *msg = ring_pop(&ring);
		uintptr_t n = number_of(msg);

		if (!msg) {
			sched_yield();
			continue;
		}
		cr_assert_eq(n, next[n % N_WRITERS]);
		next[n % N_WRITERS] += N_WRITERS;
		left--;
	}
	for (unsigned w = 0; w < N_WRITERS; w++)
		pthread_join(writers[w], NULL);
}

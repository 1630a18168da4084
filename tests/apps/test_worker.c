#include <criterion/criterion.h>
#include <semaphore.h>

#include "apps/lib/worker.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"

enum { QUEUE_MAX = 20, MOST = 4 };

struct piece {
	struct work work;
	char name;
};

static struct worker *worker;
static struct piece holder, pieces[QUEUE_MAX + 1];
static char ran[QUEUE_MAX + 2];
static size_t n_ran;
static unsigned n_pieces;
static sem_t reached, opened;

static void hold(struct work *work)
{
	(void)work;
	sem_post(&reached);
	sem_wait(&opened);
}

static void note(struct work *work)
{
	ran[n_ran++] = container_of(work, struct piece, work)->name;
}

/* A thread that is busy until worker_free(), so that what is submitted waits. */
static void setup(void)
{
	cr_assert_eq(worker_new(1, QUEUE_MAX, &worker), 0);
	sem_init(&reached, 0, 0);
	sem_init(&opened, 0, 0);
	holder.work.run = hold;
	cr_assert(worker_submit(worker, &holder.work));
	sem_wait(&reached);
}

/* True: that is the order in which the pieces ran. */
static bool ran_as(const char *names)
{
	sem_post(&opened);
	worker_free(worker);
	return strcmp(ran, names) == 0;
}

TestSuite(worker, .timeout = 60);
Cases(worker, setup, NULL);

static struct work *piece(char name)
{
	struct piece *p = &pieces[n_pieces++];

	p->work.run = note;
	p->name = name;
	return &p->work;
}

static bool submit(char name)
{
	return worker_submit_fair(worker, piece(name), (uint64_t)name, MOST);
}

Case(worker, runs_what_waits_in_its_order)
{
	for (const char *at = "abc"; *at; at++)
		cr_assert(worker_submit(worker, piece(*at)));
	cr_assert(ran_as("abc"));
}

Case(worker, fair_clients_take_turns)
{
	for (const char *at = "aaaabbc"; *at; at++)
		cr_assert(submit(*at));
	cr_assert(ran_as("abcabaa"));
}

Case(worker, fair_client_has_so_many_waiting)
{
	for (int i = 0; i < MOST; i++)
		cr_assert(submit('a'));
	cr_assert(!submit('a'));
	cr_assert(submit('b'));
	cr_assert(ran_as("abaaa"));
}

Case(worker, full_queue_takes_nobody)
{
	for (int i = 0; i < QUEUE_MAX; i++)
		cr_assert(submit((char)('a' + i)));
	cr_assert(!submit('z'));
	cr_assert(ran_as("abcdefghijklmnopqrst"));
}

Case(worker, cancelled_work_does_not_run)
{
	struct work *first = piece('a'), *last = piece('c');

	cr_assert(worker_submit_fair(worker, first, 'a', MOST));
	cr_assert(submit('b'));
	cr_assert(worker_submit_fair(worker, last, 'c', MOST));
	cr_assert(worker_cancel(worker, last));
	cr_assert(worker_cancel(worker, first));
	cr_assert(!worker_cancel(worker, first));
	cr_assert(!worker_cancel(worker, &holder.work));
	cr_assert(submit('d'));
	cr_assert(ran_as("bd"));
}

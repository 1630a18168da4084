#include <criterion/criterion.h>
#include <semaphore.h>
#include <stdio.h>

#include "apps/mail/auth/verify.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"

/* Of "secret", with a cheap method, so that tests are quick. */
#define HASH                                                      \
	"$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8" \
	"PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG."

static const struct user alice = { .name = "alice", .hash = HASH };
static struct verify *verify;
static sem_t finished, gate;

static void setup(void)
{
	cr_assert_eq(verify_new(1, 1, &verify), 0);
	cr_assert_eq(sem_init(&finished, 0, 0), 0);
	cr_assert_eq(sem_init(&gate, 0, 0), 0);
}

static void clean(void)
{
	verify_free(verify);
}

TestSuite(verify, .timeout = 60);
Cases(verify, setup, clean);

static void done(struct verify_job *job)
{
	(void)job;
	sem_post(&finished);
}

static enum verify_verdict check(const struct user *user, const char *password)
{
	struct verify_job job = { .password = str_of(password), .done = done };

	cr_assert(verify_submit(verify, user, &job));
	sem_wait(&finished);
	return job.verdict;
}

Case(verify, right_is_told_from_wrong_and_nobody)
{
	struct verify_stats stats;

	cr_assert_eq(check(&alice, "secret"), VERIFY_RIGHT);
	cr_assert_eq(check(&alice, "wrong"), VERIFY_WRONG);
	cr_assert_eq(check(NULL, "secret"), VERIFY_WRONG);
	verify_stats(verify, &stats);
	cr_assert_eq(stats.right, 1);
	cr_assert_eq(stats.wrong, 2);
	cr_assert_eq(stats.refused, 0);
}

static void hold(struct verify_job *job)
{
	(void)job;
	sem_post(&finished);
	sem_wait(&gate);
}

/* A check that holds the thread until the gate opens. */
static void occupy(struct verify_job *holder)
{
	*holder = (struct verify_job){ .password = STR("secret"), .done = hold };
	cr_assert(verify_submit(verify, &alice, holder));
	sem_wait(&finished);
}

static bool submit(struct verify_job *job, const char *client)
{
	*job = (struct verify_job){ .password = STR("secret"),
				    .client = client,
				    .done = done };
	return verify_submit(verify, &alice, job);
}

/* Client @i of many. */
static const char *client(unsigned i)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
	return text;
}

/* Fills the queue behind a check that holds the thread. */
static void fill(struct verify_job *holder, struct verify_job jobs[VERIFY_QUEUE_MAX + 1])
{
	occupy(holder);
	for (unsigned i = 0; i < VERIFY_QUEUE_MAX; i++)
		cr_assert(submit(&jobs[i], client(i)));
}

Case(verify, full_queue_refuses_and_goes_on)
{
	static struct verify_job holder, jobs[VERIFY_QUEUE_MAX + 1];
	struct verify_stats stats;

	fill(&holder, jobs);
	cr_assert(!submit(&jobs[VERIFY_QUEUE_MAX], "192.0.2.1"));
	sem_post(&gate);
	for (unsigned i = 0; i < VERIFY_QUEUE_MAX; i++)
		sem_wait(&finished);
	for (unsigned i = 0; i < VERIFY_QUEUE_MAX; i++)
		cr_assert_eq(jobs[i].verdict, VERIFY_RIGHT);
	verify_stats(verify, &stats);
	cr_assert_eq(stats.refused, 1);
	cr_assert_eq(check(&alice, "secret"), VERIFY_RIGHT);
}

Case(verify, what_waits_at_the_end_is_unsure)
{
	static struct verify_job jobs[VERIFY_QUEUE_MAX];
	unsigned unsure = 0;

	for (unsigned i = 0; i < VERIFY_QUEUE_MAX; i++) {
		jobs[i] = (struct verify_job){ .password = STR("x"),
					       .client = client(i),
					       .done = done };
		cr_assert(verify_submit(verify, NULL, &jobs[i]));
	}
	verify_free(verify); /* of some 128 slow checks it may finish a few */
	for (unsigned i = 0; i < VERIFY_QUEUE_MAX; i++)
		unsure += jobs[i].verdict == VERIFY_UNSURE;
	cr_assert_gt(unsure, VERIFY_QUEUE_MAX / 2);
	cr_assert_eq(verify_new(1, 1, &verify), 0);
}

Case(verify, one_client_has_few_checks_waiting)
{
	static struct verify_job holder, jobs[VERIFY_CLIENT_QUEUE_MAX + 2];
	unsigned i;

	occupy(&holder);
	for (i = 0; i < VERIFY_CLIENT_QUEUE_MAX; i++)
		cr_assert(submit(&jobs[i], "192.0.2.1"));
	cr_assert(!submit(&jobs[i], "192.0.2.1"));
	cr_assert(submit(&jobs[i], "192.0.2.2"));
	sem_post(&gate);
	for (i = 0; i <= VERIFY_CLIENT_QUEUE_MAX; i++)
		sem_wait(&finished);
}

Case(verify, cancelled_check_is_unsure_at_once_and_leaves_room)
{
	static struct verify_job holder, jobs[VERIFY_CLIENT_QUEUE_MAX + 1];
	unsigned i;

	occupy(&holder);
	for (i = 0; i < VERIFY_CLIENT_QUEUE_MAX; i++)
		cr_assert(submit(&jobs[i], "192.0.2.1"));
	verify_cancel(verify, &jobs[1]);
	cr_assert_eq(jobs[1].verdict, VERIFY_UNSURE);
	sem_wait(&finished);
	cr_assert(submit(&jobs[i], "192.0.2.1"));
	/* One that runs is let run. */
	verify_cancel(verify, &holder);
	sem_post(&gate);
	for (i = 0; i < VERIFY_CLIENT_QUEUE_MAX; i++)
		sem_wait(&finished);
	cr_assert_eq(jobs[0].verdict, VERIFY_RIGHT);
}

/* Tries a password of "alice" at @now_s.  -1: it was not even looked at. */
static int try_at(uint64_t now_s, const char *from, const char *password)
{
	struct verify_job job = { .name = STR("alice"),
				  .password = str_of(password),
				  .client = from,
				  .now_ns = now_s * NS_PER_S,
				  .done = done };

	if (!verify_submit(verify, &alice, &job))
		return -1;
	sem_wait(&finished);
	return (int)job.verdict;
}

Case(verify, client_that_is_wrong_too_often_waits)
{
	struct verify_stats stats;

	for (int i = 0; i < VERIFY_CLIENT_WRONG_MAX; i++)
		cr_assert_eq(try_at(1000, "192.0.2.1", "wrong"), VERIFY_WRONG);
	cr_assert_eq(try_at(1000, "192.0.2.1", "secret"), -1);
	cr_assert_eq(try_at(1000, "192.0.2.2", "secret"), VERIFY_RIGHT);
	cr_assert_eq(try_at(1000 + VERIFY_WRONG_S, "192.0.2.1", "wrong"), VERIFY_WRONG);
	cr_assert_eq(try_at(1000 + VERIFY_WRONG_S, "192.0.2.1", "wrong"), -1);
	verify_stats(verify, &stats);
	cr_assert_eq(stats.late, 2);
	cr_assert_eq(stats.refused, 0);
}

/* The same by a mechanism that found out by itself. */
static bool tell_at(uint64_t now_s, const char *from, bool is_right)
{
	struct verify_job job = { .name = STR("alice"),
				  .client = from,
				  .now_ns = now_s * NS_PER_S };

	return verify_told(verify, &job, is_right);
}

Case(verify, what_others_found_out_counts_as_much)
{
	struct verify_stats stats;

	cr_assert(tell_at(1000, "192.0.2.3", true));
	for (int i = 0; i < VERIFY_CLIENT_WRONG_MAX; i++)
		cr_assert(tell_at(1000, "192.0.2.1", false));
	cr_assert(!tell_at(1000, "192.0.2.1", true));
	cr_assert_eq(try_at(1000, "192.0.2.1", "secret"), -1);
	cr_assert(tell_at(1000, "192.0.2.2", true));
	for (unsigned i = 0; i < VERIFY_USER_WRONG_MAX; i++)
		tell_at(1000, client(i), false);
	/* Who was right there is not locked out. */
	cr_assert(!tell_at(1000, "192.0.2.4", true));
	cr_assert(tell_at(1000, "192.0.2.3", true));
	verify_stats(verify, &stats);
	cr_assert_eq(stats.right, 3);
}

Case(verify, user_whom_many_try_is_safe_and_not_locked_out)
{
	cr_assert_eq(try_at(1000, "192.0.2.1", "secret"), VERIFY_RIGHT);
	for (unsigned i = 0; i < VERIFY_USER_WRONG_MAX; i++)
		cr_assert_eq(try_at(2000, client(i), "wrong"), VERIFY_WRONG);
	cr_assert_eq(try_at(2000, "10.9.9.9", "wrong"), -1);
	cr_assert_eq(try_at(2000, "192.0.2.1", "secret"), VERIFY_RIGHT);
	/* Nor is he known for ever. */
	for (unsigned i = 0; i < VERIFY_USER_WRONG_MAX; i++)
		cr_assert_eq(try_at(100000, client(i), "wrong"), VERIFY_WRONG);
	cr_assert_eq(try_at(100000, "192.0.2.1", "secret"), -1);
}

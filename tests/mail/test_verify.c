#include <criterion/criterion.h>
#include <semaphore.h>

#include "apps/mail/auth/verify.h"
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
	cr_assert_eq(verify_new(1, &verify), 0);
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

/* Fills the queue behind a check that holds the thread. */
static void fill(struct verify_job *holder, struct verify_job jobs[VERIFY_QUEUE_MAX + 1])
{
	*holder = (struct verify_job){ .password = STR("x"), .done = hold };
	cr_assert(verify_submit(verify, &alice, holder));
	sem_wait(&finished);
	for (unsigned i = 0; i <= VERIFY_QUEUE_MAX; i++)
		jobs[i] = (struct verify_job){ .password = STR("secret"), .done = done };
	for (unsigned i = 0; i < VERIFY_QUEUE_MAX; i++)
		cr_assert(verify_submit(verify, &alice, &jobs[i]));
}

Case(verify, full_queue_refuses_and_goes_on)
{
	static struct verify_job holder, jobs[VERIFY_QUEUE_MAX + 1];
	struct verify_stats stats;

	fill(&holder, jobs);
	cr_assert(!verify_submit(verify, &alice, &jobs[VERIFY_QUEUE_MAX]));
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
		jobs[i] = (struct verify_job){ .password = STR("x"), .done = done };
		cr_assert(verify_submit(verify, NULL, &jobs[i]));
	}
	verify_free(verify); /* of some 128 slow checks it may finish a few */
	for (unsigned i = 0; i < VERIFY_QUEUE_MAX; i++)
		unsure += jobs[i].verdict == VERIFY_UNSURE;
	cr_assert_gt(unsure, VERIFY_QUEUE_MAX / 2);
	cr_assert_eq(verify_new(1, &verify), 0);
}

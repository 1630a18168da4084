#include "apps/mail/auth/verify.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "stack/base/check.h"

struct verify {
	struct worker *worker;
	_Atomic bool ends;
#define C(name, text) _Atomic uint64_t name;
	VERIFY_COUNTERS(C)
#undef C
};

static void run(struct work *work)
{
	struct verify_job *job = container_of(work, struct verify_job, work);
	struct verify *v = job->verify;

	if (atomic_load(&v->ends)) {
		job->verdict = VERIFY_UNSURE;
		v->unsure++;
	} else if (users_verify(job->hash[0] ? job->hash : NULL, job->password)) {
		job->verdict = VERIFY_RIGHT;
		v->right++;
	} else {
		job->verdict = VERIFY_WRONG;
		v->wrong++;
	}
	explicit_bzero(job->hash, sizeof(job->hash));
	job->done(job);
}

int verify_new(unsigned n_threads, struct verify **verify)
{
	struct verify *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return -ENOMEM;
	r = worker_new(n_threads, VERIFY_QUEUE_MAX, &v->worker);
	if (r < 0) {
		free(v);
		return r;
	}
	*verify = v;
	return 0;
}

bool verify_submit(struct verify *v, const struct user *user, struct verify_job *job)
{
	job->verify = v;
	job->work.run = run;
	job->hash[0] = '\0';
	if (user)
		strcpy(job->hash, user->hash); /* users_check() looked at its length */
	if (worker_submit(v->worker, &job->work))
		return true;
	v->refused++;
	return false;
}

void verify_give_up(struct verify *v)
{
	atomic_store(&v->ends, true);
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	verify_give_up(v);
	worker_free(v->worker);
	free(v);
}

void verify_stats(const struct verify *v, struct verify_stats *stats)
{
#define C(name, text) stats->name = atomic_load(&v->name);
	VERIFY_COUNTERS(C)
#undef C
}

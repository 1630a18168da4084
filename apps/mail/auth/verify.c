#include "apps/mail/auth/verify.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "apps/lib/peers.h"
#include "apps/lib/throttle.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

struct verify {
	struct worker *worker;
	pthread_mutex_t lock;
	struct throttle *failures; /* with the lock: by client, and by name */
	struct throttle *known;	   /* ... by both: the debt is how long it is known */
	_Atomic bool ends;
#define C(name, text) _Atomic uint64_t name;
	VERIFY_COUNTERS(C)
#undef C
};

enum { BY_CLIENT = 'c', BY_NAME = 'n', BY_BOTH = 'b' };

static void name_job(const struct verify *v, struct verify_job *job)
{
	struct addr client = peers_client(job->client ? job->client : "");
	char both[sizeof(client) + USER_NAME_MAX];
	size_t len = job->name.len < USER_NAME_MAX ? job->name.len : USER_NAME_MAX;

	memcpy(both, &client, sizeof(client));
	if (len > 0)
		memcpy(both + sizeof(client), job->name.p, len);
	job->by_client = throttle_name(v->failures, BY_CLIENT, &client, sizeof(client));
	job->by_name = throttle_name(v->failures, BY_NAME, both + sizeof(client), len);
	job->by_both = throttle_name(v->known, BY_BOTH, both, sizeof(client) + len);
}

static bool too_much(const struct throttle *t, uint64_t name, uint64_t now_ns,
		     uint64_t most)
{
	return throttle_debt(t, name, now_ns) > (most - 1) * VERIFY_WRONG_S * NS_PER_S;
}

static bool may_try(struct verify *v, const struct verify_job *job)
{
	uint64_t now = job->now_ns;
	bool may;

	pthread_mutex_lock(&v->lock);
	may = !too_much(v->failures, job->by_client, now, VERIFY_CLIENT_WRONG_MAX) &&
	      (!too_much(v->failures, job->by_name, now, VERIFY_USER_WRONG_MAX) ||
	       throttle_debt(v->known, job->by_both, now) > 0);
	pthread_mutex_unlock(&v->lock);
	return may;
}

static void note_wrong(struct verify *v, const struct verify_job *job)
{
	pthread_mutex_lock(&v->lock);
	throttle_add(v->failures, job->by_client, job->now_ns, VERIFY_WRONG_S * NS_PER_S);
	throttle_add(v->failures, job->by_name, job->now_ns, VERIFY_WRONG_S * NS_PER_S);
	pthread_mutex_unlock(&v->lock);
}

static void note_right(struct verify *v, const struct verify_job *job)
{
	uint64_t most = VERIFY_KNOWN_S * NS_PER_S, debt;

	pthread_mutex_lock(&v->lock);
	debt = throttle_debt(v->known, job->by_both, job->now_ns);
	if (debt < most)
		throttle_add(v->known, job->by_both, job->now_ns, most - debt);
	pthread_mutex_unlock(&v->lock);
}

static void answer(struct verify_job *job, enum verify_verdict verdict)
{
	explicit_bzero(job->hash, sizeof(job->hash));
	job->verdict = verdict;
	job->done(job);
}

static void run(struct work *work)
{
	struct verify_job *job = container_of(work, struct verify_job, work);
	struct verify *v = job->verify;

	if (atomic_load(&v->ends)) {
		v->unsure++;
		answer(job, VERIFY_UNSURE);
	} else if (users_verify(job->hash[0] ? job->hash : NULL, job->password)) {
		v->right++;
		note_right(v, job);
		answer(job, VERIFY_RIGHT);
	} else {
		v->wrong++;
		note_wrong(v, job);
		answer(job, VERIFY_WRONG);
	}
}

static int begin(struct verify *v, unsigned n_threads, uint64_t seed)
{
	int r = throttle_new(seed, &v->failures);

	if (r == 0)
		r = throttle_new(seed + 1, &v->known);
	if (r == 0)
		r = worker_new(n_threads, VERIFY_QUEUE_MAX, &v->worker);
	return r;
}

int verify_new(unsigned n_threads, uint64_t seed, struct verify **verify)
{
	struct verify *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return -ENOMEM;
	pthread_mutex_init(&v->lock, NULL);
	r = begin(v, n_threads, seed);
	if (r < 0) {
		verify_free(v);
		return r;
	}
	*verify = v;
	return 0;
}

bool verify_submit(struct verify *v, const struct user *user, struct verify_job *job)
{
	name_job(v, job);
	if (!may_try(v, job)) {
		v->late++;
		return false;
	}
	job->verify = v;
	job->work.run = run;
	job->hash[0] = '\0';
	if (user)
		strcpy(job->hash, user->hash); /* users_check() looked at its length */
	if (worker_submit_fair(v->worker, &job->work, job->by_client,
			       VERIFY_CLIENT_QUEUE_MAX))
		return true;
	v->refused++;
	return false;
}

bool verify_told(struct verify *v, struct verify_job *job, bool is_right)
{
	name_job(v, job);
	if (!may_try(v, job)) {
		v->late++;
		return false;
	}
	if (is_right) {
		v->right++;
		note_right(v, job);
	} else {
		v->wrong++;
		note_wrong(v, job);
	}
	return true;
}

void verify_cancel(struct verify *v, struct verify_job *job)
{
	if (!worker_cancel(v->worker, &job->work))
		return;
	v->unsure++;
	answer(job, VERIFY_UNSURE);
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
	throttle_free(v->known);
	throttle_free(v->failures);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

void verify_stats(const struct verify *v, struct verify_stats *stats)
{
#define C(name, text) stats->name = atomic_load(&v->name);
	VERIFY_COUNTERS(C)
#undef C
}

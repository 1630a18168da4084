#include "apps/lib/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct worker {
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct work *first, **last;
	unsigned n_waiting, queue_max, n_threads;
	uint64_t round; /* of the work that was taken last */
	bool ends;
	pthread_t threads[];
};

/* Lock held. */
static void take_out(struct worker *w, struct work **at)
{
	*at = (*at)->next;
	if (!*at)
		w->last = at;
	w->n_waiting--;
}

static struct work *next_work(struct worker *w)
{
	struct work *work;

	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->ends)
		pthread_cond_wait(&w->news, &w->lock);
	work = w->first;
	if (work) {
		w->round = work->round;
		take_out(w, &w->first);
	}
	pthread_mutex_unlock(&w->lock);
	return work;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	struct work *work;

	while ((work = next_work(w)))
		work->run(work);
	return NULL;
}

/* Threads without signals: those are for whoever made them. */
static int start(struct worker *w, unsigned n_threads)
{
	sigset_t all, before;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (r == 0 && w->n_threads < n_threads) {
		r = pthread_create(&w->threads[w->n_threads], NULL, run, w);
		if (r == 0)
			w->n_threads++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}

int worker_new(unsigned n_threads, unsigned queue_max, struct worker **worker)
{
	struct worker *w = calloc(1, sizeof(*w) + n_threads * sizeof(w->threads[0]));
	int r;

	if (!w)
		return -ENOMEM;
	w->queue_max = queue_max;
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->news, NULL);
	r = start(w, n_threads);
	if (r < 0) {
		worker_free(w);
		return r;
	}
	*worker = w;
	return 0;
}

/* Lock held. */
static void put_behind(struct worker *w, struct work **at, struct work *work)
{
	work->next = *at;
	*at = work;
	if (!work->next)
		w->last = &work->next;
	w->n_waiting++;
	pthread_cond_signal(&w->news);
}

bool worker_submit(struct worker *w, struct work *work)
{
	bool taken;

	pthread_mutex_lock(&w->lock);
	taken = w->n_waiting < w->queue_max && !w->ends;
	if (taken) {
		work->round = w->round;
		put_behind(w, w->last, work);
	}
	pthread_mutex_unlock(&w->lock);
	return taken;
}

/*
 * Where the next piece of @client goes: behind the round that runs, and behind all of
 * his own.  So who comes anew passes those who have much waiting, and nobody who waits
 * is passed for ever.  NULL: he has @most.  Lock held.
 */
static struct work **place_of(struct worker *w, uint64_t client, unsigned most,
			      uint64_t *round)
{
	struct work **at;
	unsigned n = 0;

	*round = w->round + 1;
	for (const struct work *x = w->first; x; x = x->next)
		if (x->client == client) {
			*round = x->round + 1;
			n++;
		}
	if (n >= most)
		return NULL;
	at = &w->first;
	while (*at && (*at)->round <= *round)
		at = &(*at)->next;
	return at;
}

bool worker_submit_fair(struct worker *w, struct work *work, uint64_t client,
			unsigned most)
{
	struct work **at = NULL;
	uint64_t round;

	pthread_mutex_lock(&w->lock);
	if (w->n_waiting < w->queue_max && !w->ends)
		at = place_of(w, client, most, &round);
	if (at) {
		work->client = client;
		work->round = round;
		put_behind(w, at, work);
	}
	pthread_mutex_unlock(&w->lock);
	return at;
}

bool worker_cancel(struct worker *w, const struct work *work)
{
	struct work **at;
	bool found;

	pthread_mutex_lock(&w->lock);
	for (at = &w->first; *at && *at != work; at = &(*at)->next)
		;
	found = *at;
	if (found)
		take_out(w, at);
	pthread_mutex_unlock(&w->lock);
	return found;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ends = true;
	pthread_cond_broadcast(&w->news);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->n_threads; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->news);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

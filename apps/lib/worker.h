/*
 * Threads for what is slow on purpose or by nature, so that no core waits for it.
 *
 * Any thread may submit; the work runs in one of the worker's threads, in the order it
 * came, and says itself to whom it concerns that it is done (net_post()).
 */
#pragma once

#include <stdbool.h>

struct worker;

/* A piece of work: the submitter's, untouched by the worker once it runs. */
struct work {
	struct work *next;
	void (*run)(struct work *work);
};

/* At most @queue_max pieces wait.  0 or -errno. */
int worker_new(unsigned n_threads, unsigned queue_max, struct worker **worker);
/* False: the queue is full; @work is not taken. */
bool worker_submit(struct worker *worker, struct work *work);
/* Runs all that waits, then ends. */
void worker_free(struct worker *worker);

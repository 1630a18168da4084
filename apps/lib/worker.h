/*
 * Threads for what is slow on purpose or by nature, so that no core waits for it.
 *
 * Any thread may submit; the work runs in one of the worker's threads, and says itself
 * to whom it concerns that it is done (net_post()).  It runs in the order it came; or,
 * with worker_submit_fair(), in rounds, in each of which every client has one piece.  A
 * worker is used in one of the two ways.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct worker;

/* A piece of work: the submitter's, untouched by the worker once it runs. */
struct work {
	struct work *next;
	void (*run)(struct work *work);
	uint64_t client, round; /* of worker_submit_fair() */
};

/* At most @queue_max pieces wait.  0 or -errno. */
int worker_new(unsigned n_threads, unsigned queue_max, struct worker **worker);
/* False: the queue is full; @work is not taken. */
bool worker_submit(struct worker *worker, struct work *work);
/* The same for @client, of whom at most @most pieces wait. */
bool worker_submit_fair(struct worker *worker, struct work *work, uint64_t client,
			unsigned most);
/* True: it waited, and will not run.  False: it runs, or did. */
bool worker_cancel(struct worker *worker, const struct work *work);
/* Runs all that waits, then ends. */
void worker_free(struct worker *worker);

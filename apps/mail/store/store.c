#include "apps/mail/store/store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/store/store_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum {
	MAP_MIN = 1 << 20,
	MAP_RESERVE_MAX = 8 << 20,
	/* Less room than this is counted to the last free page. */
	ROOM_COUNTED = 256 << 20,
};

void store_note_room(struct store *store)
{
	uint64_t room = store->engine->ops->room(store->engine, ROOM_COUNTED);

	room = room > store->map_reserve ? room - store->map_reserve : 0;
	atomic_store_explicit(&store->map_room, room, memory_order_relaxed);
}

/* Reads what the store knows of itself, or writes it into a new one. */
static int load_state(struct store *store, const struct store_conf *conf)
{
	const struct engine_ops *ops = store->engine->ops;
	struct record_state *state = &store->state;
	char fresh[RECORD_STATE_LEN];
	struct str value = { 0 };
	struct engine_txn *txn;
	int rc = ops->begin(store->engine, true, &txn);

	if (rc)
		return rc;
	rc = engine_get(txn, ENGINE_STATE, STR("state"), &value);
	/* Also one that a later version of this program wrote. */
	if (rc == 0 && !record_parse_state(value, state))
		rc = -EUCLEAN;
	if (rc == -ENOENT) {
		*state = (struct record_state){ .next_msg = 1, .next_box = 1 };
		rc = 0;
	}
	/* From here on an earlier version, which knows less, must not write to it. */
	record_emit_state(fresh, state);
	if (rc == 0 && !str_eq(value, RECORD_STR(fresh)))
		rc = engine_put(txn, ENGINE_STATE, STR("state"), RECORD_STR(fresh));
	if (rc) {
		ops->abort(txn);
		return rc;
	}
	/* Rises with the clock and with each mailbox: given once, never again, not even
	 * by a store that was lost and made anew. */
	if (state->last_uid_validity < conf->now_s)
		state->last_uid_validity = (uint32_t)conf->now_s;
	return ops->commit(txn);
}

static int start_writer(struct store *store)
{
	sigset_t all, before;
	int rc;

	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&store->writer, NULL, store_writer, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc == 0)
		pthread_setname_np(store->writer, "store");
	return -rc;
}

static int open_engine(struct store *store, const struct store_conf *conf, char *error)
{
	int rc;

	if (conf->map_len < MAP_MIN) {
		snprintf(error, STORE_ERROR_LEN, "%s: a store needs a map of 1 MiB",
			 conf->dir);
		return -EINVAL;
	}
	rc = engine_lmdb_open(conf->dir, conf->map_len, &store->engine, error,
			      STORE_ERROR_LEN);
	if (rc)
		return rc;
	rc = load_state(store, conf);
	if (rc)
		snprintf(error, STORE_ERROR_LEN, "%s: cannot be begun: %s", conf->dir,
			 strerror(-rc));
	return rc;
}

static void store_free(struct store *store)
{
	watch_fini(store);
	if (store->engine)
		store->engine->ops->close(store->engine);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->hold_lock);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

int store_open(const struct store_conf *conf, struct store **store,
	       char error[STORE_ERROR_LEN])
{
	struct store *s = calloc(1, sizeof(*s));
	pthread_condattr_t monotonic;
	int rc;

	if (!s) {
		snprintf(error, STORE_ERROR_LEN, "%s: out of memory", conf->dir);
		return -ENOMEM;
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->hold_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	watch_init(s);
	s->last = &s->first;
	s->free_min = conf->free_min;
	s->map_reserve = conf->map_len / 8;
	if (s->map_reserve > MAP_RESERVE_MAX)
		s->map_reserve = MAP_RESERVE_MAX;
	s->sweep_due = true; /* what died before a crash */
	rc = open_engine(s, conf, error);
	if (rc == 0) {
		store_note_room(s);
		rc = start_writer(s);
		if (rc)
			snprintf(error, STORE_ERROR_LEN, "%s: no thread: %s", conf->dir,
				 strerror(-rc));
	}
	if (rc) {
		store_free(s);
		return rc;
	}
	*store = s;
	return 0;
}

void store_close(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	store->closing = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->writer, NULL);
	for (int i = 0; i < STORE_HOLD_BUCKETS; i++)
		ASSERT(!store->holds[i]);
	store_free(store);
}

static uint64_t sum_parts(const struct str *parts, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += parts[i].len;
	return sum;
}

static uint64_t bytes_of(const struct store_op *op)
{
	uint64_t sum = 0;

	if (op->kind == STORE_DELIVER)
		return sum_parts(op->deliver.parts, op->deliver.n_parts);
	if (op->kind == STORE_APPEND)
		return sum_parts(op->append.parts, op->append.n_parts);
	if (op->kind == STORE_SUMMARY)
		for (size_t i = 0; i < op->summarize.n; i++)
			sum += op->summarize.at[i].bytes.len;
	return sum;
}

/* Lock held. */
static void enqueue(struct store *store, struct store_op *op)
{
	bool first_lazy = op->lazy && store->n_eager == store->n_queued;

	if (first_lazy)
		store->lazy_due_ns = clock_now_ns() + STORE_LAZY_MS * NS_PER_MS;
	/* A writer that has work left looks here before it sleeps. */
	if (!store->first || (!op->lazy && store->n_eager == 0))
		pthread_cond_signal(&store->wake);
	*store->last = op;
	store->last = &op->next;
	store->n_queued++;
	store->n_eager += !op->lazy;
}

bool store_submit(struct store *store, struct store_op *op)
{
	bool fits;

	op->next = NULL;
	op->bytes = bytes_of(op);
	pthread_mutex_lock(&store->lock);
	fits = store->n_queued < STORE_QUEUE_MAX;
	if (fits)
		enqueue(store, op);
	else
		store->stats.refused_full++;
	pthread_mutex_unlock(&store->lock);
	return fits;
}

void store_sweep_wake(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	store->sweep_due = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
}

void store_stats(struct store *store, struct store_stats *stats)
{
	pthread_mutex_lock(&store->lock);
	*stats = store->stats;
	pthread_mutex_unlock(&store->lock);
}

/*
 * The writer: one thread, which commits whatever waits in one transaction.
 *
 * An operation that comes alone is committed at once.  While a commit is on its way to
 * the disk others gather, and make the next one: the batch follows the load, and nothing
 * waits for company.
 *
 * When a transaction fails, each half of its operations is tried again by itself, down
 * to single ones: a message too large for what is left of the disk does not take a
 * small one with it.
 */
#include <errno.h>

#include "apps/mail/store/change.h"
#include "apps/mail/store/store_impl.h"
#include "stack/base/clock.h"

struct batch {
	struct store_op *ops[STORE_TXN_OPS_MAX];
	unsigned n;
	bool sweep; /* dead messages are to be removed as well */
	bool last;  /* the store closes */
};

/* Takes the first operations that fit one transaction; lock held. */
static void take_ops(struct store *store, struct batch *b)
{
	uint64_t bytes = 0;

	for (b->n = 0; store->first && b->n < STORE_TXN_OPS_MAX; b->n++) {
		struct store_op *op = store->first;

		bytes += op->bytes;
		if (b->n > 0 && bytes > STORE_TXN_BYTES_MAX)
			break;
		store->first = op->next;
		store->n_eager -= !op->lazy;
		b->ops[b->n] = op;
	}
	if (!store->first)
		store->last = &store->first;
	store->n_queued -= b->n;
}

/* False: lazy operations have waited enough; lock held. */
static bool wait_for_news(struct store *store)
{
	const struct timespec due = {
		.tv_sec = (time_t)(store->lazy_due_ns / NS_PER_S),
		.tv_nsec = (long)(store->lazy_due_ns % NS_PER_S),
	};

	if (store->first)
		return pthread_cond_timedwait(&store->wake, &store->lock, &due) !=
		       ETIMEDOUT;
	pthread_cond_wait(&store->wake, &store->lock);
	return true;
}

static void wait_for_batch(struct store *store, struct batch *b)
{
	pthread_mutex_lock(&store->lock);
	while (store->n_eager == 0 && !store->sweep_due && !store->closing &&
	       wait_for_news(store))
		;
	take_ops(store, b);
	/* Cleared before the sweep: a release during it asks for another. */
	b->sweep = store->sweep_due || store->sweep_later;
	b->last = b->n == 0 && store->closing;
	store->sweep_due = false;
	pthread_mutex_unlock(&store->lock);
	store->sweep_later = false;
}

static uint64_t room_now(struct store *store)
{
	uint64_t disk = store->engine->ops->disk_free(store->engine);
	uint64_t map = atomic_load_explicit(&store->map_room, memory_order_relaxed);

	disk = disk > store->free_min ? disk - store->free_min : 0;
	return map < disk ? map : disk;
}

uint64_t store_room(struct store *store)
{
	const struct store_op empty = { .kind = STORE_DELIVER, .deliver.n_users = 1 };
	uint64_t room = room_now(store), need = change_need(&empty);

	return room > need ? room - need : 0;
}

/*
 * The sweep comes first: so it removes only what died in transactions that are committed,
 * which nobody can begin to hold any more.  What dies now may still be held until the
 * commit (store_hold.c).
 */
static int fill(struct store *store, struct change *c, struct store_op **ops, unsigned n,
		bool sweep)
{
	int rc = sweep ? change_sweep(c, store) : 0;

	for (unsigned i = 0; i < n && !rc; i++) {
		ops[i]->result = 0;
		rc = change_apply(c, ops[i]);
	}
	if (rc == 0 && c->written)
		rc = change_end(c);
	return rc;
}

/* What a commit leaves behind for later transactions and for those who ask. */
static void note_commit(struct store *store, const struct change *c, unsigned n)
{
	store->state = c->state;
	store_note_room(store);
	pthread_mutex_lock(&store->lock);
	store->sweep_due |= c->more_dead;
	store->stats.commits++;
	store->stats.delivered += c->n_delivered;
	store->stats.expunged += c->n_expunged;
	store->stats.bytes_in += c->n_bytes;
	if (n > store->stats.batch_max)
		store->stats.batch_max = n;
	pthread_mutex_unlock(&store->lock);
	watch_tell(store, c->touched, c->n_touched);
}

/* One transaction: 0, with each op's own result; or -errno, and nothing was done. */
static int commit(struct store *store, struct store_op **ops, unsigned n, bool sweep)
{
	const struct engine_ops *engine = store->engine->ops;
	struct change c = { .state = store->state, .room = room_now(store) };
	int rc = engine->begin(store->engine, true, &c.txn);

	if (rc)
		return rc;
	rc = fill(store, &c, ops, n, sweep);
	if (rc || !c.written) {
		engine->abort(c.txn);
	} else {
		rc = engine->commit(c.txn);
		if (rc == 0)
			note_commit(store, &c, n);
	}
	change_fini(&c);
	return rc;
}

/*
 * A small transaction, and @op again.  The engine takes up what a transaction gave up
 * only when another one has followed it; where nothing fits any more, none would.
 */
static int commit_behind_another(struct store *store, struct store_op *op)
{
	const struct engine_ops *engine = store->engine->ops;
	struct change c = { .state = store->state };
	int rc = engine->begin(store->engine, true, &c.txn);

	if (rc)
		return rc;
	rc = change_end(&c);
	if (rc) {
		engine->abort(c.txn);
		return rc;
	}
	rc = engine->commit(c.txn);
	return rc ? rc : commit(store, &op, 1, false);
}

static void commit_or_halve(struct store *store, struct store_op **ops, unsigned n,
			    bool sweep)
{
	int rc = commit(store, ops, n, sweep);

	if (rc == 0)
		return;
	if (sweep) {
		/* By itself: it gives space, which may be what is missing.  If it fails,
		 * not again at once: it must not turn in circles. */
		store->sweep_later = commit(store, NULL, 0, true) != 0;
		commit_or_halve(store, ops, n, false);
	} else if (n > 1) {
		commit_or_halve(store, ops, n / 2, false);
		commit_or_halve(store, ops + n / 2, n - n / 2, false);
	} else if (n == 1) {
		if (rc == -ENOSPC)
			rc = commit_behind_another(store, ops[0]);
		if (rc)
			ops[0]->result = rc;
	}
}

enum store_health store_health(struct store *store)
{
	uint64_t room = room_now(store);
	enum store_health health;

	pthread_mutex_lock(&store->lock);
	if (store->refused_len <= room)
		store->refused_len = 0;
	if (store->failing)
		health = STORE_FAILING;
	else
		health = store->refused_len || room == 0 ? STORE_FULL : STORE_WELL;
	pthread_mutex_unlock(&store->lock);
	return health;
}

/* Lock held. */
static void count_result(struct store *store, const struct store_op *op)
{
	uint64_t need = change_need(op);

	store->failing = op->result == -EIO;
	store->stats.failed += op->result != 0;
	if (op->result != -ENOSPC)
		return;
	store->stats.refused_space++;
	if (need > store->refused_len)
		store->refused_len = need;
}

static void answer(struct store *store, struct batch *b)
{
	pthread_mutex_lock(&store->lock);
	for (unsigned i = 0; i < b->n; i++)
		count_result(store, b->ops[i]);
	pthread_mutex_unlock(&store->lock);
	for (unsigned i = 0; i < b->n; i++)
		b->ops[i]->done(b->ops[i]);
}

void *store_writer(void *arg)
{
	struct store *store = arg;
	struct batch b;

	for (;;) {
		wait_for_batch(store, &b);
		if (b.last)
			return NULL;
		commit_or_halve(store, b.ops, b.n, b.sweep);
		answer(store, &b);
	}
}

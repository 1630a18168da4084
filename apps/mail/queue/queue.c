/*
 * Destinations and runs.
 *
 * Which destination has something to do is in the store, in order of time; those that
 * are at work are passed over there, and they are few.  One that goes out of work is
 * forgotten: what is left to do for it is in the store as well, so nothing has to be
 * kept right in two places.
 */
#include "apps/mail/queue/queue.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/mail/queue/queue_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

void queue_conf_init(struct queue_conf *conf)
{
	*conf = (struct queue_conf){
		.limits = {
#define L(name, initial, least, most, text) .name = initial,
			QUEUE_LIMITS(L)
#undef L
		},
	};
}

#define AGAIN_NS (QUEUE_AGAIN_MS * NS_PER_MS)

static uint64_t wall_ms(const struct queue *q)
{
	return q->ops.wall_ms(q->ops_arg);
}

void queue_work_soon(struct queue *q)
{
	net_timer_arm(q->net, &q->work, net_now_ns(q->net));
}

static void work(struct net_timer *t, uint64_t now_ns)
{
	struct queue *q = container_of(t, struct queue, work);

	(void)now_ns;
	if (!q->stopped)
		q->ops.work(q->ops_arg);
}

static void wake(struct net_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	queue_work_soon(container_of(t, struct queue, wake));
}

/* Not for too long: wall clocks are set. */
static void wake_in(struct queue *q, uint64_t ms)
{
	uint64_t most = QUEUE_SLEEP_MAX_MS;

	net_timer_arm(q->net, &q->wake,
		      net_now_ns(q->net) + (ms < most ? ms : most) * NS_PER_MS);
}

static void look(struct net_timer *t, uint64_t now_ns)
{
	(void)now_ns;
	queue_settle_again(container_of(t, struct queue, look));
}

int queue_new(struct net *net, struct store *store, const struct queue_conf *conf,
	      const struct queue_ops *ops, void *ops_arg, struct queue **queue)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->net = net;
	q->store = store;
	q->conf = *conf;
	q->ops = *ops;
	q->ops_arg = ops_arg;
	q->sched = (struct sched_conf){
		.first_ms = conf->limits.retry_first_s * 1000,
		.most_ms = conf->limits.retry_most_s * 1000,
		.warn_ms = conf->limits.warn_s * 1000,
		.give_up_ms = conf->limits.give_up_s * 1000,
	};
	rng_init(&q->rng, conf->seed);
	list_init(&q->dests);
	list_init(&q->again);
	list_init(&q->walks);
	handoff_init(&q->commits, net, queue_settled, q);
	net_timer_init(&q->wake, wake);
	net_timer_init(&q->work, work);
	net_timer_init(&q->look, look);
	queue_work_soon(q);
	*queue = q;
	return 0;
}

bool queue_busy(const struct queue *q)
{
	return handoff_busy(&q->commits);
}

void queue_stop(struct queue *q)
{
	q->stopped = true;
}

static void dest_free(struct queue_dest *d)
{
	list_remove(&d->node);
	d->queue->stats.dests_open--;
	free(d->walk);
	free(d);
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	ASSERT(q->stats.runs_open == 0);
	net_timer_stop(q->net, &q->wake);
	net_timer_stop(q->net, &q->work);
	net_timer_stop(q->net, &q->look);
	/* Their items are in the store as they were: sent once more, if they were sent. */
	while (!list_empty(&q->again)) {
		struct queue_settle *s =
			container_of(list_pop(&q->again), struct queue_settle, again);

		s->walk = NULL;
		queue_settled(q, &s->back);
	}
	while (!list_empty(&q->dests))
		dest_free(container_of(q->dests.next, struct queue_dest, node));
	while (!list_empty(&q->walks))
		free(container_of(list_pop(&q->walks), struct queue_walk, node));
	handoff_fini(&q->commits);
	free(q);
}

struct queue_dest *queue_dest_find(struct queue *q, struct str name)
{
	struct list *at;

	for (at = q->dests.next; at != &q->dests; at = at->next) {
		struct queue_dest *d = container_of(at, struct queue_dest, node);

		if (str_eq(name, (struct str){ d->name, d->name_len }))
			return d;
	}
	return NULL;
}

/* The search for items goes on at its beginning. */
static void rewind_fetch(struct queue_dest *d)
{
	d->n_fetched = d->at_fetched = 0;
	d->from_due_ms = d->from_id = 0;
	d->dry = false;
}

void queue_spooled(struct queue *q, const struct spool_op *op)
{
	for (size_t i = 0; i < op->n_add; i++) {
		struct queue_dest *d = queue_dest_find(q, op->add[i].dest);

		if (d && d->called_ms)
			rewind_fetch(d); /* it is due before what was refused */
		else if (d)
			d->dry = false;
	}
	queue_work_soon(q);
}

bool queue_is_taken(const struct queue_dest *d, uint64_t id)
{
	for (unsigned i = 0; i < d->n_taken; i++)
		if (d->taken[i] == id)
			return true;
	return false;
}

bool queue_take(struct queue_dest *d, uint64_t id)
{
	if (d->n_taken == QUEUE_TAKEN_MAX)
		return false;
	d->taken[d->n_taken++] = id;
	d->queue->stats.items_taken++;
	return true;
}

void queue_untake(struct queue_dest *d, uint64_t id)
{
	unsigned i = 0;

	while (i < d->n_taken && d->taken[i] != id)
		i++;
	if (i == d->n_taken)
		return;
	d->taken[i] = d->taken[--d->n_taken];
	d->queue->stats.items_taken--;
}

void queue_dest_look(struct queue_dest *d)
{
	struct queue *q = d->queue;

	if (d->n_runs > 0 || d->n_taken > 0 || d->walk)
		return;
	if (d->sick)
		net_timer_arm(q->net, &q->wake, net_now_ns(q->net) + AGAIN_NS);
	else
		queue_work_soon(q);
	dest_free(d);
}

void queue_dest_call(struct queue_dest *d, uint64_t now_ms)
{
	d->called_ms = now_ms;
	rewind_fetch(d);
}

/* Items due now, behind the last one that was fetched. */
static bool fetch_one(void *arg, uint64_t due_ms, uint64_t id)
{
	struct queue_dest *d = arg;

	if (!queue_is_due(d, due_ms) || d->n_fetched == QUEUE_FETCH)
		return false;
	if (!queue_is_taken(d, id))
		d->fetched[d->n_fetched++] = id;
	d->from_due_ms = due_ms;
	d->from_id = id + 1;
	return true;
}

static unsigned n_ahead(const struct queue_dest *d)
{
	return d->n_fetched - d->at_fetched;
}

/* Has @n items known ahead of time, or all there are. */
static void fetch(struct queue_dest *d, unsigned n)
{
	struct store_read *read;
	unsigned before = n_ahead(d);

	if (d->dry || before >= n || before == QUEUE_FETCH)
		return;
	memmove(d->fetched, d->fetched + d->at_fetched, before * sizeof(*d->fetched));
	d->n_fetched = before;
	d->at_fetched = 0;
	if (store_read_begin(d->queue->store, &read) < 0) {
		d->sick = true;
		return;
	}
	(void)spool_each_due(read, (struct str){ d->name, d->name_len }, d->from_due_ms,
			     d->from_id, fetch_one, d);
	store_read_end(read);
	d->dry = d->n_fetched == before;
}

/* Runs that will ask for an item. */
static unsigned n_hungry(const struct queue_dest *d)
{
	const struct list *at;
	unsigned n = 0;

	for (at = d->runs.next; at != &d->runs; at = at->next)
		n += !container_of(at, struct queue_run, node)->item;
	return n;
}

static bool may_run(struct queue_dest *d)
{
	unsigned hungry;

	if (d->failing || d->called_ms || d->n_runs >= d->window ||
	    d->n_taken == QUEUE_TAKEN_MAX)
		return false;
	hungry = n_hungry(d);
	fetch(d, hungry + 1);
	return n_ahead(d) > hungry;
}

struct queue_run *queue_run_new(struct queue_dest *d)
{
	struct queue_run *run = calloc(1, sizeof(*run));

	if (!run) {
		d->sick = true;
		queue_dest_look(d);
		return NULL;
	}
	run->dest = d;
	list_push(&d->runs, &run->node);
	d->n_runs++;
	d->queue->stats.runs_open++;
	return run;
}

struct queue_dest *queue_dest_new(struct queue *q, struct str name, uint32_t fails)
{
	struct queue_dest *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->queue = q;
	d->fails = fails;
	/* One that failed last time shows first that it can. */
	d->window = fails > 0 ? 1 : QUEUE_WINDOW_FIRST;
	if (d->window > q->conf.limits.per_dest_max)
		d->window = (unsigned)q->conf.limits.per_dest_max;
	list_init(&d->runs);
	memcpy(d->name, name.p, name.len);
	d->name_len = name.len;
	list_push(&q->dests, &d->node);
	q->stats.dests_open++;
	return d;
}

/* The first destination that is ready and not at work; or when one will be. */
struct scan {
	struct queue *queue;
	uint64_t now_ms, next_ms;
	size_t name_len;
	char name[SPOOL_DEST_MAX];
};

static bool scan_one(void *arg, struct str dest, uint64_t ready_ms)
{
	struct scan *s = arg;

	if (ready_ms > s->now_ms) {
		s->next_ms = ready_ms;
		return false;
	}
	if (queue_dest_find(s->queue, dest))
		return true;
	memcpy(s->name, dest.p, dest.len);
	s->name_len = dest.len;
	return false;
}

static struct queue_dest *find_ready(struct queue *q)
{
	struct scan s = { .queue = q, .now_ms = wall_ms(q), .next_ms = SPOOL_NEVER };
	struct spool_dest info = { 0 };
	struct store_read *read;
	struct str name;

	if (q->stats.dests_open >= q->conf.limits.dests_max ||
	    store_read_begin(q->store, &read) < 0)
		return NULL;
	(void)spool_each_ready(read, scan_one, &s);
	name = (struct str){ s.name, s.name_len };
	if (name.len > 0)
		(void)spool_get_dest(read, name, &info);
	store_read_end(read);
	if (name.len > 0)
		return queue_dest_new(q, name, info.fails);
	if (s.next_ms != SPOOL_NEVER)
		wake_in(q, s.next_ms - s.now_ms);
	return NULL;
}

struct queue_run *queue_next(struct queue *q)
{
	struct queue_dest *d;
	struct list *at;

	if (q->stopped)
		return NULL;
	d = find_ready(q);
	if (d) {
		if (may_run(d))
			return queue_run_new(d);
		d->sick = true;
		queue_dest_look(d);
	}
	for (at = q->dests.next; at != &q->dests; at = at->next) {
		d = container_of(at, struct queue_dest, node);
		if (may_run(d))
			return queue_run_new(d);
	}
	return NULL;
}

struct str queue_run_dest(const struct queue_run *run)
{
	return (struct str){ run->dest->name, run->dest->name_len };
}

struct queue_item *queue_run_item(struct queue_run *run)
{
	struct queue_dest *d = run->dest;

	ASSERT(!run->item);
	while (!d->failing && !d->queue->stopped && d->n_taken < QUEUE_TAKEN_MAX) {
		uint64_t id;

		fetch(d, 1);
		if (n_ahead(d) == 0)
			return NULL;
		id = d->fetched[d->at_fetched++];
		if (queue_is_taken(d, id))
			continue;
		run->item = queue_load(d, id);
		if (!run->item)
			continue;
		queue_take(d, id);
		return &run->item->item;
	}
	return NULL;
}

void queue_item_rcpt(struct queue_run *run, size_t i, enum queue_result result,
		     const struct envelope_reply *reply)
{
	struct queue_taken *t = run->item;
	char *room = t->texts + i * SMTP_REPLY_TEXT_MAX;
	size_t len = reply->text.len < SMTP_REPLY_TEXT_MAX ? reply->text.len :
							     SMTP_REPLY_TEXT_MAX;

	ASSERT(i < t->item.env.n_rcpts);
	if (len > 0)
		memcpy(room, reply->text.p, len);
	t->results[i] = result;
	t->spoken_of[i] = true;
	t->item.env.rcpts[i].last = *reply;
	t->item.env.rcpts[i].last.text = (struct str){ room, len };
}

static void got_through(struct queue_run *run)
{
	struct queue_dest *d = run->dest;

	run->got_through = d->got_through = true;
	if (d->window < d->queue->conf.limits.per_dest_max)
		d->window++;
}

void queue_item_done(struct queue_run *run, struct str remote,
		     const struct envelope_reply *reply)
{
	struct queue_dest *d = run->dest;
	struct queue_taken *t = run->item;
	struct envelope *env = &t->item.env;
	bool any_sent = false;

	for (size_t i = 0; i < env->n_rcpts; i++) {
		if (!t->spoken_of[i])
			queue_item_rcpt(run, i, QUEUE_LATER, reply);
		any_sent |= t->results[i] == QUEUE_SENT;
	}
	if (any_sent)
		got_through(run);
	env->n_attempts++;
	env->last_ms = wall_ms(d->queue);
	env->remote = remote;
	d->queue->stats.attempts++;
	run->item = NULL;
	if (queue_settle_item(d->queue, d, t, NULL) < 0) {
		/* As if nothing had been tried: it is due as before. */
		queue_untake(d, t->item.id);
		queue_taken_free(d->queue, t);
	}
}

void queue_item_back(struct queue_run *run)
{
	struct queue_dest *d = run->dest;
	struct queue_taken *t = run->item;

	run->item = NULL;
	queue_untake(d, t->item.id);
	if (d->at_fetched > 0)
		d->fetched[--d->at_fetched] = t->item.id;
	else
		d->from_due_ms = d->from_id = 0; /* found again from the beginning */
	d->dry = false;
	queue_taken_free(d->queue, t);
}

void queue_run_fail(struct queue_run *run, enum queue_result result, struct str remote,
		    const struct envelope_reply *reply)
{
	struct queue_dest *d = run->dest;

	if (run->item)
		queue_item_back(run);
	if (d->failing)
		return;
	if (d->got_through && d->n_runs > 1) {
		/* Others get through: they are as many as it takes. */
		d->window = d->n_runs - 1;
		return;
	}
	if (queue_walk_fail(d, result, remote, reply) < 0)
		d->window = 1;
}

bool queue_run_is_full(const struct queue_run *run)
{
	return run->dest->n_taken == QUEUE_TAKEN_MAX;
}

void queue_run_end(struct queue_run *run)
{
	struct queue_dest *d = run->dest;

	if (run->item)
		queue_item_back(run);
	if (run->is_called)
		queue_dest_call(d, 0);
	list_remove(&run->node);
	d->n_runs--;
	d->queue->stats.runs_open--;
	free(run);
	queue_dest_look(d);
}

const struct queue_stats *queue_stats(const struct queue *q)
{
	return &q->stats;
}

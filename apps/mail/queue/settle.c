/*
 * What became of items, as commits.
 *
 * For each recipient there is a last word, or there will be another attempt.  With the
 * same commit the sender is told, if there is something to tell and somebody who can be
 * told: a message with the null sender never makes another (RFC 5321 4.5.5, 6.1).
 *
 * A settle is with the store, or waits to be with it again; its item stays taken
 * until then, so that nobody sends it a second time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/queue/queue_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

/* store_op.done, on the store's thread. */
static void committed(struct store_op *op)
{
	struct queue_settle *s = container_of(op, struct queue_settle, op);

	handoff_back(&s->queue->commits, &s->back);
}

struct queue_settle *queue_settle_new(struct queue *q, size_t n)
{
	struct queue_settle *s = calloc(1, sizeof(*s) + n * sizeof(*s->changes));

	if (!s)
		return NULL;
	s->queue = q;
	list_init(&s->again);
	s->spool.change = s->changes;
	s->spool.n_change = n;
	s->op = (struct store_op){ .done = committed,
				   .kind = STORE_SPOOL,
				   .spool = &s->spool };
	return s;
}

static void settle_free(struct queue_settle *s)
{
	free(s->text);
	free(s->users);
	free(s->on);
	free(s->bytes);
	free(s);
}

void queue_settle_submit(struct queue_settle *s)
{
	struct queue *q = s->queue;

	handoff_out(&q->commits);
	if (q->ops.submit(q->ops_arg, &s->op))
		return;
	handoff_undo(&q->commits);
	s->op.result = -EAGAIN;
	list_push(&q->again, &s->again);
	net_timer_arm(q->net, &q->look, net_now_ns(q->net) + QUEUE_AGAIN_MS * NS_PER_MS);
}

void queue_settle_again(struct queue *q)
{
	struct list batch;

	list_init(&batch);
	while (!list_empty(&q->again))
		list_push(&batch, list_pop(&q->again));
	while (!list_empty(&batch)) {
		q->stats.commit_again++;
		queue_settle_submit(
			container_of(list_pop(&batch), struct queue_settle, again));
	}
}

/* What is final of an item, and what is not. */
struct verdict {
	struct bounce_rcpt told[ENVELOPE_RCPTS_MAX];
	size_t n_told, n_sent, n_failed, n_later;
	bool warns;
};

static void tell(struct verdict *v, const struct envelope_rcpt *r,
		 enum bounce_action action)
{
	v->told[v->n_told++] = (struct bounce_rcpt){ .addr = r->addr,
						     .action = action,
						     .reply = r->last };
}

/* Leaves in @env whom another attempt is for. */
static void judge(struct queue *q, struct queue_taken *t, struct verdict *v)
{
	struct envelope *env = &t->item.env;
	enum sched_age age =
		sched_age(&q->sched, env->arrived_ms, q->ops.wall_ms(q->ops_arg));

	for (size_t i = 0; i < env->n_rcpts; i++) {
		const struct envelope_rcpt r = env->rcpts[i];
		enum queue_result result = t->results[i];

		if (result == QUEUE_SENT) {
			v->n_sent++;
		} else if (result == QUEUE_FAILED || age == SCHED_OVER) {
			q->stats.expired += result != QUEUE_FAILED;
			v->n_failed++;
			tell(v, &r, BOUNCE_FAILED);
		} else {
			if (age == SCHED_LATE && !env->warned) {
				v->warns = true;
				tell(v, &r, BOUNCE_DELAYED);
			}
			env->rcpts[v->n_later++] = r;
		}
	}
	env->n_rcpts = v->n_later;
	env->warned |= v->warns;
}

/* What stays of the item in the spool. */
static int change_item(struct queue_settle *s, struct queue_taken *t)
{
	struct queue *q = s->queue;
	const struct envelope *env = &t->item.env;
	char bytes[ENVELOPE_LEN_MAX];
	struct str changed;

	s->changes[0] = (struct spool_change){ .id = t->item.id, .remove = true };
	if (env->n_rcpts == 0)
		return 0;
	changed = (struct str){ bytes, envelope_emit(env, bytes) };
	s->bytes = str_dup(changed);
	if (!s->bytes)
		return -ENOMEM;
	s->changes[0] = (struct spool_change){
		.id = t->item.id,
		.bytes = { s->bytes, changed.len },
		.due_ms =
			sched_next(&q->sched, env->arrived_ms, q->ops.wall_ms(q->ops_arg),
				   env->n_attempts, &q->rng),
	};
	return 0;
}

static void log_item(struct queue *q, const struct queue_dest *d,
		     const struct queue_taken *t, const struct verdict *v)
{
	const struct envelope *env = &t->item.env;
	struct str said = env->rcpts[0].last.text;
	char from[LOG_VALUE_LEN], dest[LOG_VALUE_LEN], remote[LOG_VALUE_LEN],
		text[LOG_VALUE_LEN];
	uint32_t n_held = 0;

	if (!q->conf.log || !log_allowed(&q->log_limit, net_now_ns(q->net), &n_held))
		return;
	log_line(q->conf.log, v->n_failed ? LOG_WARNING : LOG_INFO,
		 "relay_item item=%" PRIx64
		 " id=%.*s from=%s dest=%s sent=%zu failed=%zu "
		 "later=%zu remote=%s code=%u said=%s held_lines=%u",
		 t->item.id, (int)env->id.len, env->id.p,
		 log_value(from, env->from.p, env->from.len),
		 log_value(dest, d->name, d->name_len), v->n_sent, v->n_failed,
		 v->n_later, log_value(remote, env->remote.p, env->remote.len),
		 env->rcpts[0].last.code, log_value(text, said.p, said.len), n_held);
}

static void count(struct queue *q, const struct verdict *v)
{
	q->stats.sent += v->n_sent;
	q->stats.failed += v->n_failed;
	q->stats.deferred += v->n_later;
}

/* The destination works again. */
static void clear_fails(struct queue_settle *s, struct queue_dest *d)
{
	if (d->fails == 0)
		return;
	d->fails = 0;
	s->spool.put_off = (struct str){ d->name, d->name_len };
}

int queue_settle_item(struct queue *q, struct queue_dest *d, struct queue_taken *t,
		      struct queue_walk *walk)
{
	struct queue_settle *s = queue_settle_new(q, 1);
	struct verdict v = { .n_told = 0 };
	int r;

	if (!s)
		return -ENOMEM;
	judge(q, t, &v);
	r = change_item(s, t);
	if (r == 0 && v.n_told > 0)
		r = queue_report(s, t, v.told, v.n_told, v.n_failed > 0);
	if (r < 0) {
		settle_free(s);
		return r;
	}
	if (v.n_sent > 0)
		clear_fails(s, d);
	count(q, &v);
	log_item(q, d, t, &v);
	s->item = t;
	s->dest = d;
	s->walk = walk;
	queue_settle_submit(s);
	return 0;
}

void queue_settled(void *arg, struct handoff_item *back)
{
	struct queue_settle *s = container_of(back, struct queue_settle, back);
	struct queue *q = arg;
	struct queue_dest *d = s->dest;

	/* A full or failing disk passes; what was sent stays sent until then. */
	if (s->op.result != 0 && s->op.result != -EINVAL && !q->stopped) {
		list_push(&q->again, &s->again);
		net_timer_arm(q->net, &q->look,
			      net_now_ns(q->net) + QUEUE_AGAIN_MS * NS_PER_MS);
		return;
	}
	if (s->spool.n_add > 0 && s->op.result == 0)
		queue_spooled(q, &s->spool);
	if (s->item) {
		/* Those who found no room for another may go on. */
		if (d->n_taken == QUEUE_TAKEN_MAX)
			queue_work_soon(q);
		queue_untake(d, s->item->item.id);
		queue_taken_free(q, s->item);
	}
	if (s->walk)
		queue_walk_settled(s->walk);
	else if (d)
		queue_dest_look(d);
	else
		queue_work_soon(q);
	settle_free(s);
}

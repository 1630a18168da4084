/*
 * What the sender of an item is told, and its way to him: to mailboxes here, or on
 * through the spool; by an alias, to several.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/queue/pack.h"
#include "apps/mail/queue/queue_impl.h"

static int build(struct queue_settle *s, const struct queue_taken *t,
		 const struct bounce_rcpt *told, size_t n_told)
{
	struct queue *q = s->queue;
	const struct envelope *env = &t->item.env;
	char id[64];
	const struct bounce b = {
		.host = str_of(q->conf.host),
		.id = { id, (size_t)snprintf(id, sizeof(id),
					     "%" PRIx64 ".%" PRIx64 ".%" PRIx64,
					     q->ops.wall_ms(q->ops_arg), t->item.id,
					     ++q->serial) },
		.to = env->from,
		.orig_id = env->id,
		.remote = env->remote,
		.original = t->item.message,
		.whole_max = q->conf.limits.bounce_whole_max,
		.now_s = q->ops.wall_ms(q->ops_arg) / 1000,
		.arrived_s = env->arrived_ms / 1000,
		.last_s = env->last_ms / 1000,
		.until_s = (env->arrived_ms + q->sched.give_up_ms) / 1000,
		.rcpts = told,
		.n_rcpts = n_told,
	};

	return bounce_build(&b, &s->text, s->parts);
}

/*
 * To mailboxes here: names, and for each the same text in front, which are all behind
 * the slices in one piece of memory.
 */
static int to_users(struct queue_settle *s, const struct mail_to *to, size_t n,
		    struct str from)
{
	static const char format[] = "Return-Path: <>\r\nDelivered-To: %.*s\r\n";
	int head_len = snprintf(NULL, 0, format, (int)from.len, from.p);
	size_t len = (size_t)head_len + 1, n_users = 0;
	struct str head;
	char *at;

	for (size_t i = 0; i < n; i++) {
		n_users += to[i].user.len > 0;
		len += to[i].user.len;
	}
	if (n_users == 0)
		return 0;
	s->users = calloc(1, 2 * n_users * sizeof(*s->users) + len);
	if (!s->users)
		return -ENOMEM;
	at = (char *)(s->users + 2 * n_users);
	head = (struct str){ at, (size_t)head_len };
	snprintf(at, (size_t)head_len + 1, format, (int)from.len, from.p);
	at += head_len;
	s->op.deliver.users = s->users;
	s->op.deliver.head = s->users + n_users;
	for (size_t i = 0; i < n; i++) {
		size_t k = s->op.deliver.n_users;

		if (to[i].user.len == 0)
			continue;
		memcpy(at, to[i].user.p, to[i].user.len);
		s->users[k] = (struct str){ at, to[i].user.len };
		s->users[n_users + k] = head;
		at += to[i].user.len;
		s->op.deliver.n_users++;
	}
	return 0;
}

/* To other hosts; a report has no sender, whatever it comes through. */
static int to_hosts(struct queue_settle *s, const struct mail_to *to, size_t n,
		    struct str id)
{
	struct pack_rcpt *rcpts = calloc(n, sizeof(*rcpts));
	struct pack pack = {
		.id = id,
		.rcpts = rcpts,
		.now_ms = s->queue->ops.wall_ms(s->queue->ops_arg),
	};
	size_t len;
	int r = 0;

	if (!rcpts)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (to[i].user.len == 0)
			rcpts[pack.n_rcpts++] = (struct pack_rcpt){ to[i].addr, STR("") };
	if (pack.n_rcpts > 0)
		r = pack_items(&pack, &s->on, &len);
	free(rcpts);
	if (r == 0 && s->on) {
		s->spool.add = s->on->add;
		s->spool.n_add = s->on->n_add;
	}
	return r;
}

int queue_report(struct queue_settle *s, const struct queue_taken *t,
		 const struct bounce_rcpt *told, size_t n_told, bool any_failed)
{
	struct queue *q = s->queue;
	struct str from = t->item.env.from;
	const struct mail_to *to = NULL;
	size_t n = 0;
	int r;

	if (from.len > 0 && memchr(from.p, '@', from.len))
		n = q->ops.find(q->ops_arg, from, &to);
	if (n == 0) {
		q->stats.no_bounce += any_failed;
		return 0;
	}
	r = to_hosts(s, to, n, t->item.env.id);
	if (r == 0)
		r = to_users(s, to, n, from);
	if (r == 0)
		r = build(s, t, told, n_told);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	s->op.kind = STORE_DELIVER;
	s->op.deliver.parts = s->parts;
	s->op.deliver.n_parts = BOUNCE_PARTS;
	s->op.deliver.date_s = q->ops.wall_ms(q->ops_arg) / 1000;
	q->stats.bounces += any_failed;
	q->stats.warnings += !any_failed;
	return 0;
}

#include "tests/crash/crash_child.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "tests/crash/crash_mail.h"

struct slot {
	struct store_op op;
	struct child *child;
	struct crash_mail mail;
	char names[CRASH_TO_MAX][CRASH_NAME_LEN], heads[CRASH_TO_MAX][CRASH_HEAD_LEN];
	struct str users[CRASH_TO_MAX], head[CRASH_TO_MAX], part;
	uint32_t uids[CRASH_TO_MAX];
};

struct child {
	struct store *store;
	uint64_t seed;
	uint32_t next; /* number of the next message */
	int diary;
	struct rng rng;
	struct slot slots[CRASH_IN_FLIGHT];
};

static void note(struct child *c, enum crash_event event, uint32_t id)
{
	struct crash_note n = { event, id };

	/* Shorter than PIPE_BUF: whole or not at all. */
	if (write(c->diary, &n, sizeof(n)) != sizeof(n))
		err(1, "diary");
}

static void delivered(struct store_op *op);

static void make_mail(struct slot *s)
{
	struct child *c = s->child;

	free(s->mail.bytes);
	crash_mail_make(&s->mail, c->seed, c->next++);
	for (unsigned i = 0; i < s->mail.n_to; i++) {
		crash_user(s->mail.to[i], s->names[i]);
		crash_head(s->mail.to[i], s->heads[i]);
		s->users[i] = str_of(s->names[i]);
		s->head[i] = str_of(s->heads[i]);
	}
	s->part = (struct str){ s->mail.bytes, s->mail.len };
	s->op = (struct store_op){
		.kind = STORE_DELIVER,
		.done = delivered,
		.deliver = { .users = s->users,
			     .n_users = s->mail.n_to,
			     .head = s->head,
			     .parts = &s->part,
			     .n_parts = 1,
			     .uids = s->uids },
	};
}

static void submit_mail(struct slot *s)
{
	make_mail(s);
	ASSERT(store_submit(s->child->store, &s->op));
}

static void expunged(struct store_op *op)
{
	struct slot *s = container_of(op, struct slot, op);

	if (op->result)
		errx(1, "expunge: %s", strerror(-op->result));
	note(s->child, CRASH_EXPUNGED, s->mail.id);
	submit_mail(s);
}

static void submit_expunge(struct slot *s)
{
	s->op = (struct store_op){
		.kind = STORE_EXPUNGE,
		.done = expunged,
		.expunge = { .user = s->users[0],
			     .mailbox = STR("INBOX"),
			     .uids = &s->uids[0],
			     .n_uids = 1 },
	};
	note(s->child, CRASH_EXPUNGING, s->mail.id);
	ASSERT(store_submit(s->child->store, &s->op));
}

static void delivered(struct store_op *op)
{
	struct slot *s = container_of(op, struct slot, op);

	if (op->result)
		errx(1, "delivery: %s", strerror(-op->result));
	note(s->child, CRASH_DELIVERED, s->mail.id);
	if (rng_chance(&s->child->rng, 0.3))
		submit_expunge(s);
	else
		submit_mail(s);
}

/* The first answer starts the other slots: so all but the first submission is done by
 * the writer's thread, and nothing is shared. */
static void first_delivered(struct store_op *op)
{
	struct child *c = container_of(op, struct slot, op)->child;

	for (int i = 1; i < CRASH_IN_FLIGHT; i++)
		submit_mail(&c->slots[i]);
	delivered(op);
}

void crash_child(const struct store_conf *conf, uint64_t seed, uint32_t first, int diary)
{
	struct child *c = calloc(1, sizeof(*c));
	char error[STORE_ERROR_LEN];
	int rc;

	ASSERT(c);
	c->seed = seed;
	c->next = first;
	c->diary = diary;
	rng_init(&c->rng, seed + first);
	rc = store_open(conf, &c->store, error);
	if (rc)
		errx(1, "%s", error);
	for (int i = 0; i < CRASH_IN_FLIGHT; i++)
		c->slots[i].child = c;
	make_mail(&c->slots[0]);
	c->slots[0].op.done = first_delivered;
	ASSERT(store_submit(c->store, &c->slots[0].op));
	for (;;)
		pause();
}

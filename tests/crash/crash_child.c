#include "tests/crash/crash_child.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/mail/store/store_box.h"
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
	uint32_t from[1], to[1]; /* of a copy */
	char name[CRASH_NAME_LEN * 2], new_name[CRASH_NAME_LEN * 2];
};

/* Where a user's messages are moved to: a mailbox of this life, renamed now and then. */
struct shelf {
	bool is_made;
	unsigned n_renames;
};

struct child {
	struct store *store;
	uint64_t seed;
	uint32_t next; /* number of the next message */
	int diary;
	struct rng rng;
	uint32_t life; /* number of its first message: part of the names of its shelves */
	struct shelf shelves[CRASH_USERS];
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

static void shelf_name(const struct slot *s, char name[CRASH_NAME_LEN * 2])
{
	const struct child *c = s->child;

	snprintf(name, CRASH_NAME_LEN * 2, "shelf%u/n%u", c->life,
		 c->shelves[s->mail.to[0]].n_renames);
}

static void copied(struct store_op *op)
{
	struct slot *s = container_of(op, struct slot, op);

	if (op->result || op->copy.n_copied != 1)
		errx(1, "copy: %s", strerror(-op->result));
	note(s->child, op->copy.move ? CRASH_MOVED : CRASH_COPIED, s->mail.id);
	submit_mail(s);
}

static uint32_t inbox_of(struct slot *s)
{
	struct store_read *read;
	uint32_t box;

	if (store_read_begin(s->child->store, &read) ||
	    store_box_find(read, s->users[0], STR("INBOX"), &box))
		errx(1, "no INBOX");
	store_read_end(read);
	return box;
}

static void submit_copy(struct slot *s)
{
	shelf_name(s, s->name);
	s->op = (struct store_op){
		.kind = STORE_COPY,
		.done = copied,
		.copy = { .user = s->users[0],
			  .mailbox = str_of(s->name),
			  .box = inbox_of(s),
			  .move = rng_chance(&s->child->rng, 0.7),
			  .uids = &s->uids[0],
			  .n_uids = 1,
			  .from = s->from,
			  .to = s->to },
	};
	ASSERT(store_submit(s->child->store, &s->op));
}

static void shelf_made(struct store_op *op)
{
	struct slot *s = container_of(op, struct slot, op);

	if (op->result)
		errx(1, "create or rename: %s", strerror(-op->result));
	submit_copy(s);
}

/* Operations are done in the order in which they come: the names are right. */
static void submit_shelf(struct slot *s)
{
	struct shelf *shelf = &s->child->shelves[s->mail.to[0]];

	s->op = (struct store_op){ .done = shelf_made };
	shelf_name(s, s->name);
	if (!shelf->is_made) {
		shelf->is_made = true;
		s->op.kind = STORE_CREATE;
		s->op.create.user = s->users[0];
		s->op.create.mailbox = str_of(s->name);
	} else {
		shelf->n_renames++;
		shelf_name(s, s->new_name);
		s->op.kind = STORE_RENAME;
		s->op.rename.user = s->users[0];
		s->op.rename.mailbox = str_of(s->name);
		s->op.rename.to = str_of(s->new_name);
	}
	ASSERT(store_submit(s->child->store, &s->op));
}

static void delivered(struct store_op *op)
{
	struct slot *s = container_of(op, struct slot, op);
	struct child *c = s->child;

	if (op->result)
		errx(1, "delivery: %s", strerror(-op->result));
	note(c, CRASH_DELIVERED, s->mail.id);
	if (rng_chance(&c->rng, 0.3))
		submit_expunge(s);
	else if (!rng_chance(&c->rng, 0.5))
		submit_mail(s);
	else if (!c->shelves[s->mail.to[0]].is_made || rng_chance(&c->rng, 0.3))
		submit_shelf(s);
	else
		submit_copy(s);
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
	c->next = c->life = first;
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

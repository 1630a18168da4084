/*
 * Names of mailboxes: made, removed, changed, subscribed to.
 *
 * All levels above a name are names, too: those that a creation lacks are made with it,
 * and a mailbox that is deleted leaves its name where others are below.
 *
 * Everything that may forbid an operation is looked at before it writes.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/change_impl.h"
#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"

static bool is_inbox(struct str name)
{
	return str_eq(name, STR("INBOX"));
}

/* The levels above @name, from the top: false when there are no more. */
static bool next_above(struct str name, struct str *above)
{
	size_t at = above->p ? above->len + 1 : 0;
	const char *slash = memchr(name.p + at, '/', name.len - at);

	if (!slash)
		return false;
	*above = (struct str){ name.p, (size_t)(slash - name.p) };
	return true;
}

static int count_one(void *arg, struct str name, struct str value)
{
	(void)name;
	(void)value;
	(*(size_t *)arg)++;
	return 0;
}

/* -EDQUOT when @name, and what lacks above it, would be too many. */
static int check_room(struct change *c, struct str user, struct str name)
{
	struct str above = { 0 };
	uint32_t box;
	size_t n = 1;
	int rc = mailbox_each_name(c->txn, ENGINE_NAME, user, STR(""), count_one, &n);

	while (rc == 0 && next_above(name, &above)) {
		rc = mailbox_find(c->txn, user, above, &box);
		n += rc == -ENOENT;
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc ? rc : n > STORE_MAILBOXES_MAX ? -EDQUOT : 0;
}

/* -EEXIST when there is such a mailbox, or with @or_name such a name. */
static int check_new(struct change *c, struct str user, struct str name, bool or_name)
{
	uint32_t box;
	int rc;

	if (!store_mailbox_ok(name))
		return -EINVAL;
	if (or_name && is_inbox(name))
		return -EEXIST; /* before its first message, too */
	rc = mailbox_find(c->txn, user, name, &box);
	if (rc == 0)
		return box != 0 || or_name ? -EEXIST : 0;
	return rc == -ENOENT ? check_room(c, user, name) : rc;
}

static int make_above(struct change *c, struct str user, struct str name)
{
	struct str above = { 0 };
	struct store_box_info info;
	uint32_t box;
	int rc = 0;

	while (rc == 0 && next_above(name, &above)) {
		rc = mailbox_find(c->txn, user, above, &box);
		if (rc == -ENOENT)
			rc = change_new_box(c, user, above, &box, &info);
	}
	return rc;
}

static int make(struct change *c, struct str user, struct str name, uint32_t uses,
		uint32_t *box)
{
	struct store_box_info info;
	int rc = make_above(c, user, name);

	if (rc == 0)
		rc = change_new_box(c, user, name, box, &info);
	if (rc || !uses)
		return rc;
	info.uses = uses & STORE_USES_ALL;
	return mailbox_save(c->txn, *box, &info);
}

int change_create(struct change *c, struct store_op *op)
{
	const struct store_create *m = &op->create;
	uint32_t box;

	op->result = check_new(c, m->user, m->mailbox, false);
	return op->result ? 0 : make(c, m->user, m->mailbox, m->uses, &box);
}

/* With '/' behind it.  False: nothing could be below. */
static bool below(struct str name, char prefix[STORE_MAILBOX_NAME_MAX], struct str *out)
{
	if (name.len + 2 > STORE_MAILBOX_NAME_MAX)
		return false;
	memcpy(prefix, name.p, name.len);
	prefix[name.len] = '/';
	*out = (struct str){ prefix, name.len + 1 };
	return true;
}

static int stop_at_one(void *arg, struct str name, struct str value)
{
	(void)arg;
	(void)name;
	(void)value;
	return 1;
}

/* 1: others are below @name; 0; or -errno. */
static int has_below(struct change *c, struct str user, struct str name)
{
	char buf[STORE_MAILBOX_NAME_MAX];
	struct str prefix;

	if (!below(name, buf, &prefix))
		return 0;
	return mailbox_each_name(c->txn, ENGINE_NAME, user, prefix, stop_at_one, NULL);
}

/* A deleted mailbox remembers nothing. */
static int forget_vanished(struct change *c, uint32_t box)
{
	struct record_vanished *v;
	size_t n;
	int rc = mailbox_list_vanished(c->txn, box, 0, SIZE_MAX, &v, &n);

	if (rc)
		return rc;
	for (size_t i = 0; i < n && !rc; i++)
		rc = mailbox_del_vanished(c->txn, box, &v[i]);
	free(v);
	return rc;
}

static int drop_messages(struct change *c, uint32_t box)
{
	struct store_msg *msgs;
	bool dead = false;
	size_t n;
	int rc = mailbox_list(c->txn, box, 1, 0, &msgs, &n);

	if (rc)
		return rc;
	for (size_t i = 0; i < n && !rc; i++) {
		rc = mailbox_del_entry(c->txn, box, msgs[i].uid);
		if (rc == 0)
			rc = message_unref(c->txn, msgs[i].msg, &dead);
		c->more_dead |= dead;
	}
	c->n_expunged += n;
	free(msgs);
	return rc;
}

static int drop_box(struct change *c, uint32_t box, const struct store_box_info *info)
{
	int rc = change_save(c, box, info); /* so that watchers are told */

	if (rc == 0)
		rc = drop_messages(c, box);
	if (rc == 0)
		rc = forget_vanished(c, box);
	if (rc == 0)
		rc = mailbox_del_keywords(c->txn, box);
	return rc ? rc : mailbox_del(c->txn, box);
}

/* Looks whether @m may be deleted, and how. */
static int check_delete(struct change *c, const struct store_delete *m, uint32_t *box,
			struct store_box_info *info, bool *keep_name)
{
	int rc = mailbox_find(c->txn, m->user, m->mailbox, box);

	if (is_inbox(m->mailbox))
		return -EPERM;
	if (rc)
		return rc;
	if (*box != 0) {
		rc = mailbox_load(c->txn, *box, info);
		if (rc)
			return rc == -ENOENT ? -EIO : rc;
	}
	rc = has_below(c, m->user, m->mailbox);
	if (rc < 0)
		return rc;
	*keep_name = rc == 1;
	return *box == 0 && *keep_name ? -ENOTEMPTY : 0;
}

int change_delete(struct change *c, struct store_op *op)
{
	const struct store_delete *m = &op->delete;
	struct store_box_info info;
	bool keep_name;
	uint32_t box;
	int rc = 0;

	op->result = check_delete(c, m, &box, &info, &keep_name);
	if (op->result)
		return 0;
	c->written = true;
	if (box != 0)
		rc = drop_box(c, box, &info);
	if (rc)
		return rc;
	return keep_name ? mailbox_put_name(c->txn, m->user, m->mailbox, 0) :
			   mailbox_del_name(c->txn, m->user, m->mailbox);
}

/* Names that change their beginning: first gathered, then entered anew. */
struct renaming {
	struct str user, from, to;
	struct renamed {
		uint32_t box;
		uint16_t len;
		char name[STORE_MAILBOX_NAME_MAX];
	} * at; /* STORE_MAILBOXES_MAX of them */
	size_t n;
};

static int gather_one(void *arg, struct str name, struct str value)
{
	struct renaming *r = arg;
	struct renamed *one = &r->at[r->n];

	if (r->n == STORE_MAILBOXES_MAX || !record_parse_count(value, &one->box))
		return -EIO;
	if (name.len - r->from.len + r->to.len > STORE_MAILBOX_NAME_MAX)
		return -EINVAL;
	memcpy(one->name, name.p, name.len);
	one->len = (uint16_t)name.len;
	r->n++;
	return 0;
}

static int gather(struct change *c, struct renaming *r)
{
	char buf[STORE_MAILBOX_NAME_MAX];
	struct str prefix;
	uint32_t box;
	int rc = mailbox_find(c->txn, r->user, r->from, &box);

	if (rc)
		return rc;
	memcpy(r->at[0].name, r->from.p, r->from.len);
	r->at[0].len = (uint16_t)r->from.len;
	r->at[0].box = box;
	r->n = 1;
	if (!below(r->from, buf, &prefix))
		return 0;
	return mailbox_each_name(c->txn, ENGINE_NAME, r->user, prefix, gather_one, r);
}

static int rename_one(struct change *c, const struct renaming *r,
		      const struct renamed *one)
{
	size_t rest = one->len - r->from.len;
	char name[STORE_MAILBOX_NAME_MAX];
	int rc = mailbox_del_name(c->txn, r->user, (struct str){ one->name, one->len });

	memcpy(name, r->to.p, r->to.len);
	memcpy(name + r->to.len, one->name + r->from.len, rest);
	if (rc)
		return rc;
	return mailbox_put_name(c->txn, r->user, (struct str){ name, r->to.len + rest },
				one->box);
}

static int rename_all(struct change *c, struct store_op *op, struct renaming *r)
{
	char buf[STORE_MAILBOX_NAME_MAX];
	struct str prefix;
	int rc;

	op->result = gather(c, r);
	/* It would come below itself. */
	if (op->result == 0 && below(r->from, buf, &prefix) && r->to.len > prefix.len &&
	    memcmp(r->to.p, prefix.p, prefix.len) == 0)
		op->result = -EINVAL;
	if (op->result)
		return 0;
	c->written = true;
	rc = make_above(c, r->user, r->to);
	for (size_t i = 0; i < r->n && !rc; i++)
		rc = rename_one(c, r, &r->at[i]);
	return rc;
}

/* RFC 3501 6.3.5: INBOX stays, empty. */
static int rename_inbox(struct change *c, const struct store_rename *m)
{
	struct store_box_info info;
	uint32_t from, to;
	int rc = change_find_or_inbox(c, m->user, m->mailbox, &from, &info);

	if (rc == 0)
		rc = make(c, m->user, m->to, 0, &to);
	return rc ? rc : change_move_all(c, from, to);
}

int change_rename(struct change *c, struct store_op *op)
{
	const struct store_rename *m = &op->rename;
	struct renaming r = { .user = m->user, .from = m->mailbox, .to = m->to };
	int rc;

	op->result = check_new(c, m->user, m->to, true);
	if (op->result)
		return 0;
	if (is_inbox(m->mailbox))
		return rename_inbox(c, m);
	r.at = calloc(STORE_MAILBOXES_MAX, sizeof(*r.at));
	if (!r.at)
		return -ENOMEM;
	rc = rename_all(c, op, &r);
	free(r.at);
	return rc;
}

int change_subscribe(struct change *c, struct store_op *op)
{
	const struct store_subscribe *m = &op->subscribe;
	char key[RECORD_NAME_MAX];
	struct str at = { key, 0 }, value;
	size_t n = 0;
	int rc;

	op->result = store_mailbox_ok(m->mailbox) &&
				     record_emit_name(key, &at.len, m->user, m->mailbox) ?
			     engine_get(c->txn, ENGINE_SUB, at, &value) :
			     -EINVAL;
	if (op->result == 0 && m->off) {
		c->written = true;
		return engine_del(c->txn, ENGINE_SUB, at);
	}
	if (op->result != -ENOENT || m->off)
		return 0;
	rc = mailbox_each_name(c->txn, ENGINE_SUB, m->user, STR(""), count_one, &n);
	op->result = rc ? rc : n >= STORE_SUBSCRIPTIONS_MAX ? -EDQUOT : 0;
	if (op->result)
		return 0;
	c->written = true;
	return engine_put(c->txn, ENGINE_SUB, at, (struct str){ 0 });
}

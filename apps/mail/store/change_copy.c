/*
 * Messages that go from one mailbox to another: their bytes stay where they are, and
 * get one more entry that names them; or, when they are moved, another.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/change_impl.h"
#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"

struct copying {
	struct change *change;
	bool move;
	uint32_t from, to;
	struct store_box_info from_info, own_info;
	struct store_box_info *to_info; /* from_info when both are one mailbox */
	struct store_keywords from_keywords, to_keywords;
	char from_text[RECORD_KEYWORDS_MAX], to_text[RECORD_KEYWORDS_MAX];
	unsigned n_keywords_before;
	struct vanish vanish;
	size_t n;
};

/* Loads all but to_info.  Writes nothing. */
static int begin(struct copying *y)
{
	struct engine_txn *txn = y->change->txn;
	int rc = mailbox_load(txn, y->from, &y->from_info);

	if (rc == 0)
		rc = mailbox_load_keywords(txn, y->from, &y->from_keywords, y->from_text);
	if (rc == 0)
		rc = mailbox_load_keywords(txn, y->to, &y->to_keywords, y->to_text);
	y->to_info = y->from == y->to ? &y->from_info : &y->own_info;
	y->n_keywords_before = y->to_keywords.n;
	y->vanish = (struct vanish){ y->change, y->from, &y->from_info, { 0 } };
	return rc;
}

/* Flags as the mailbox to which the message goes has them. */
static uint32_t translate(struct copying *y, uint32_t flags)
{
	uint32_t out = flags & STORE_FLAGS_ALL;

	for (unsigned i = 0; i < y->from_keywords.n; i++)
		if (flags >> (STORE_KEYWORD_BIT + i) & 1)
			out |= change_learn(&y->to_keywords, y->from_keywords.names[i]);
	return out;
}

/* -ENOENT: it is not there, and nothing was done. */
static int copy_one(struct copying *y, uint32_t uid, uint32_t *new_uid)
{
	struct record_entry e, copy;
	char head[STORE_HEAD_MAX];
	int rc = mailbox_get_entry(y->change->txn, y->from, uid, &e);

	if (rc)
		return rc;
	if (e.head.len > 0)
		memcpy(head, e.head.p, e.head.len);
	e.head.p = head;
	copy = e;
	copy.msg.box = y->to;
	copy.msg.flags = translate(y, e.msg.flags);
	if (y->n++ == 0)
		y->to_info->modseq++;
	copy.msg.modseq = y->to_info->modseq;
	rc = y->move ? 0 : message_ref(y->change->txn, e.msg.msg);
	if (rc == 0)
		rc = change_add(y->change, &copy, y->to_info);
	*new_uid = copy.msg.uid;
	if (rc == 0 && y->move)
		rc = change_vanish(&y->vanish, &e, true);
	return rc;
}

static int end(struct copying *y)
{
	struct change *c = y->change;
	int rc = 0;

	if (y->n == 0)
		return 0;
	if (y->to_keywords.n > y->n_keywords_before)
		rc = mailbox_save_keywords(c->txn, y->to, &y->to_keywords);
	if (rc == 0 && y->move) {
		rc = change_vanish_end(&y->vanish);
		if (rc == 0)
			rc = change_save(c, y->from, &y->from_info);
	}
	if (rc == 0 && (y->to != y->from || !y->move))
		rc = change_save(c, y->to, y->to_info);
	return rc;
}

static int copy_all(struct copying *y, struct store_copy *p)
{
	int rc = 0;

	for (size_t i = 0; i < p->n_uids && !rc; i++) {
		rc = copy_one(y, p->uids[i], &p->to[p->n_copied]);
		if (rc == 0)
			p->from[p->n_copied++] = p->uids[i];
		else if (rc == -ENOENT)
			rc = 0;
	}
	return rc ? rc : end(y);
}

/* Finds both mailboxes.  What forbids it is op->result, before anything is written. */
static int open_both(struct copying *y, struct store_op *op)
{
	struct store_copy *p = &op->copy;
	struct change *c = y->change;
	int rc = mailbox_load(c->txn, p->box, &y->from_info);

	op->result = rc ? rc : change_need(op) > c->room ? -ENOSPC : 0;
	if (op->result)
		return 0;
	rc = change_find_or_inbox(c, p->user, p->mailbox, &y->to, &y->own_info);
	if (rc == -ENOENT || rc == -EINVAL) {
		op->result = rc;
		return 0;
	}
	c->room -= change_need(op);
	p->uid_validity = y->own_info.uid_validity;
	return rc ? rc : begin(y);
}

int change_copy(struct change *c, struct store_op *op)
{
	struct copying *y = calloc(1, sizeof(*y));
	int rc;

	if (!y)
		return -ENOMEM;
	y->change = c;
	y->from = op->copy.box;
	y->move = op->copy.move;
	op->copy.n_copied = 0;
	rc = open_both(y, op);
	if (rc == 0 && op->result == 0)
		rc = copy_all(y, &op->copy);
	free(y);
	return rc;
}

int change_move_all(struct change *c, uint32_t from, uint32_t to)
{
	struct copying *y = calloc(1, sizeof(*y));
	struct store_msg *msgs = NULL;
	uint32_t new_uid;
	size_t n = 0;
	int rc;

	if (!y)
		return -ENOMEM;
	y->change = c;
	y->from = from;
	y->to = to;
	y->move = true;
	rc = mailbox_load(c->txn, to, &y->own_info);
	if (rc == 0)
		rc = begin(y);
	if (rc == 0)
		rc = mailbox_list(c->txn, from, 1, 0, &msgs, &n);
	for (size_t i = 0; i < n && !rc; i++)
		rc = copy_one(y, msgs[i].uid, &new_uid);
	if (rc == 0)
		rc = end(y);
	free(msgs);
	free(y);
	return rc;
}

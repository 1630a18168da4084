#include <errno.h>

#include "apps/mail/store/change_impl.h"
#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"

/* What a STORE_FLAGS is about. */
struct flagging {
	struct change *change;
	struct store_flags *flags;
	uint32_t box, add;
	struct store_box_info info;
};

static int flag_one(struct flagging *g, uint32_t uid)
{
	struct store_box_info *info = &g->info;
	struct store_flags *f = g->flags;
	char head[STORE_HEAD_MAX];
	struct record_entry e;
	uint32_t flags;
	int rc = mailbox_get_entry(g->change->txn, g->box, uid, &e);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	if (f->modified && e.msg.modseq > f->unchanged_since) {
		f->modified[f->n_modified++] = uid;
		return 0;
	}
	flags = (e.msg.flags & ~f->remove) | g->add;
	if (flags == e.msg.flags)
		return 0; /* no change, no new modseq */
	info->modseq_flags = f->modseq + 1;
	info->n_unseen += !(flags & STORE_SEEN);
	info->n_unseen -= !(e.msg.flags & STORE_SEEN);
	e.msg.flags = flags;
	e.msg.modseq = info->modseq_flags;
	if (e.head.len > 0)
		memcpy(head, e.head.p, e.head.len);
	e.head.p = head;
	return mailbox_put_entry(g->change->txn, &e);
}

/* Bits of f->learn, which the mailbox learns.  -EDQUOT: before anything is written. */
static int learn(struct flagging *g)
{
	const struct store_keywords *names = g->flags->learn;
	struct engine_txn *txn = g->change->txn;
	char text[RECORD_KEYWORDS_MAX];
	struct store_keywords k;
	unsigned n_before;
	int rc;

	g->add = g->flags->add;
	if (!names || names->n == 0)
		return 0;
	rc = mailbox_load_keywords(txn, g->box, &k, text);
	if (rc)
		return rc;
	n_before = k.n;
	for (unsigned i = 0; i < names->n; i++) {
		uint32_t bit = change_learn(&k, names->names[i]);

		if (!bit)
			return -EDQUOT;
		g->add |= bit;
	}
	if (k.n == n_before)
		return 0;
	g->change->written = true;
	return mailbox_save_keywords(txn, g->box, &k);
}

int change_flags(struct change *c, struct store_op *op)
{
	struct store_flags *f = &op->flags;
	struct flagging g = { .change = c, .flags = f, .box = f->box };
	int rc = change_find(c, &g.box, f->user, f->mailbox, &g.info);

	op->result = rc;
	if (rc)
		return 0;
	rc = learn(&g);
	if (rc == -EDQUOT) {
		op->result = rc;
		return 0;
	}
	f->n_modified = 0;
	f->modseq = g.info.modseq;
	for (size_t i = 0; i < f->n_uids && !rc; i++)
		rc = flag_one(&g, f->uids[i]);
	if (rc || g.info.modseq_flags <= f->modseq)
		return rc;
	f->modseq = g.info.modseq = g.info.modseq_flags;
	return change_save(c, g.box, &g.info);
}

int change_claim(struct change *c, struct store_op *op)
{
	struct store_claim *claim = &op->claim;
	struct store_box_info info;

	op->result = mailbox_load(c->txn, claim->box, &info);
	if (op->result)
		return 0;
	claim->uid_recent = info.uid_recent;
	if (info.uid_recent >= claim->uid_next)
		return 0;
	/* Nobody need be told, and it is no change that has a modseq. */
	info.uid_recent = claim->uid_next;
	c->written = true;
	return mailbox_save(c->txn, claim->box, &info);
}

int change_summarize(struct change *c, struct store_op *op)
{
	int rc = 0;

	op->result = change_need(op) > c->room ? -ENOSPC : 0;
	if (op->result)
		return 0;
	c->room -= change_need(op);
	for (size_t i = 0; i < op->summarize.n && !rc; i++) {
		const struct store_summary *s = &op->summarize.at[i];

		if (s->bytes.len > STORE_SUMMARY_MAX)
			continue;
		c->written = true;
		rc = message_put_summary(c->txn, s->msg, s->bytes);
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc;
}

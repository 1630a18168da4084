#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/change_impl.h"
#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"

/* Records forgotten when there are too many: some at once, not one each time. */
enum { FORGET = STORE_VANISHED_MAX / 8 };

static int write_run(struct vanish *v)
{
	if (v->run.first == 0)
		return 0;
	v->info->n_vanished++;
	return mailbox_put_vanished(v->change->txn, v->box, &v->run);
}

int change_vanish(struct vanish *v, const struct record_entry *e, bool moved)
{
	struct store_box_info *info = v->info;
	uint32_t uid = e->msg.uid;
	uint64_t msg = e->msg.msg;
	bool dead = false;
	int rc = 0;

	info->n_messages--;
	info->n_unseen -= !(e->msg.flags & STORE_SEEN);
	info->n_bytes -= e->msg.size;
	if (v->run.first == 0)
		info->modseq++;
	if (v->run.first != 0 && v->run.last + 1 != uid)
		rc = write_run(v);
	if (v->run.first == 0 || v->run.last + 1 != uid)
		v->run = (struct record_vanished){ info->modseq, uid, uid };
	v->run.last = uid;
	if (rc == 0)
		rc = mailbox_del_entry(v->change->txn, v->box, uid);
	if (rc || moved)
		return rc;
	rc = message_unref(v->change->txn, msg, &dead);
	v->change->more_dead |= dead;
	v->change->n_expunged++;
	return rc;
}

static int forget(struct vanish *v)
{
	struct record_vanished *old;
	size_t n;
	int rc = mailbox_list_vanished(v->change->txn, v->box, 0, FORGET, &old, &n);

	if (rc)
		return rc;
	for (size_t i = 0; i < n && !rc; i++) {
		rc = mailbox_del_vanished(v->change->txn, v->box, &old[i]);
		v->info->n_vanished--;
		v->info->vanished_since = old[i].modseq;
	}
	free(old);
	return rc;
}

int change_vanish_end(struct vanish *v)
{
	int rc = write_run(v);

	while (rc == 0 && v->info->n_vanished > STORE_VANISHED_MAX)
		rc = forget(v);
	return rc;
}

static int expunge_one(struct vanish *v, uint32_t uid)
{
	struct record_entry e;
	int rc = mailbox_get_entry(v->change->txn, v->box, uid, &e);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	return change_vanish(v, &e, false);
}

int change_expunge(struct change *c, struct store_op *op)
{
	struct store_expunge *x = &op->expunge;
	struct store_box_info info;
	struct vanish v = { .change = c, .box = x->box, .info = &info };
	int rc = change_find(c, &v.box, x->user, x->mailbox, &info);

	/* Nothing is written, so no error spoils the transaction. */
	op->result = rc;
	if (rc)
		return 0;
	for (size_t i = 0; i < x->n_uids && !rc; i++)
		rc = expunge_one(&v, x->uids[i]);
	if (rc == 0)
		rc = change_vanish_end(&v);
	x->modseq = info.modseq;
	if (rc || v.run.first == 0)
		return rc;
	return change_save(c, v.box, &info);
}

#include "apps/mail/store/change.h"

#include <errno.h>

#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"
#include "apps/mail/store/spool_impl.h"
#include "apps/mail/store/store_impl.h"

enum {
	/* Pages that change with a message and with an entry, generously: the way down
	 * each tree, and what the engine notes about free pages. */
	MSG_OVERHEAD = 64 << 10,
	ENTRY_OVERHEAD = 16 << 10,
};

static const struct str inbox = { "INBOX", 5 };

uint64_t change_need(const struct store_op *op)
{
	uint64_t n_entries;

	if (op->kind != STORE_DELIVER)
		return 0;
	n_entries = op->deliver.n_users + (op->spool ? op->spool->n_add : 0);
	return op->bytes + MSG_OVERHEAD + n_entries * ENTRY_OVERHEAD;
}

/* What can be said against a delivery before anything is written. */
static int check_deliver(const struct change *c, const struct store_op *op)
{
	char key[RECORD_NAME_MAX];
	size_t len;

	if (op->deliver.n_users + (op->spool ? op->spool->n_add : 0) == 0 ||
	    op->bytes > STORE_MSG_MAX || (op->spool && !spool_op_ok(op->spool)))
		return -EINVAL;
	for (size_t i = 0; i < op->deliver.n_users; i++)
		if (!record_emit_name(key, &len, op->deliver.users[i], inbox) ||
		    (op->deliver.head && op->deliver.head[i].len > STORE_HEAD_MAX))
			return -EINVAL;
	return change_need(op) > c->room ? -ENOSPC : 0;
}

/* The mailbox for a delivery, made if need be. */
static int open_box(struct change *c, struct str user, uint32_t *box,
		    struct store_box_info *info)
{
	int rc = mailbox_find(c->txn, user, inbox, box);

	if (rc != -ENOENT)
		return rc ? rc : mailbox_load(c->txn, *box, info);
	*box = c->state.next_box++;
	*info = (struct store_box_info){
		.uid_validity = ++c->state.last_uid_validity,
		.uid_next = 1,
	};
	return mailbox_add(c->txn, user, inbox, *box, info);
}

static int add_entry(struct change *c, struct str user, struct record_entry *e)
{
	struct store_box_info info;
	int rc = open_box(c, user, &e->msg.box, &info);

	if (rc)
		return rc;
	if (info.uid_next == RECORD_UID_BOX)
		return -ENOSPC; /* 4 billion messages came here */
	e->msg.uid = info.uid_next++;
	e->msg.modseq = ++info.modseq;
	info.n_messages++;
	info.n_unseen++;
	info.n_bytes += e->msg.size;
	rc = mailbox_put_entry(c->txn, e);
	return rc ? rc : mailbox_save(c->txn, e->msg.box, &info);
}

static int deliver(struct change *c, struct store_op *op)
{
	size_t n_items = op->spool ? op->spool->n_add : 0;
	uint64_t msg = c->state.next_msg;
	int rc;

	op->result = check_deliver(c, op);
	if (op->result)
		return 0;
	c->room -= change_need(op);
	c->state.next_msg++;
	c->written = true;
	rc = message_put(c->txn, msg, op->deliver.parts, op->deliver.n_parts,
			 (uint32_t)(op->deliver.n_users + n_items));
	for (size_t i = 0; i < op->deliver.n_users && !rc; i++) {
		struct record_entry e = {
			.msg = { .msg = msg, .date_s = op->deliver.date_s },
		};

		if (op->deliver.head)
			e.head = op->deliver.head[i];
		e.msg.size = op->bytes + e.head.len;
		rc = add_entry(c, op->deliver.users[i], &e);
		if (op->deliver.uids)
			op->deliver.uids[i] = e.msg.uid;
	}
	if (rc == 0 && op->spool)
		rc = spool_add(c, op->spool, msg);
	c->n_delivered += op->deliver.n_users;
	c->n_bytes += op->bytes;
	return rc;
}

/* The mailbox of an operation that changes what is there. */
static int find_box(struct change *c, struct store_op *op, struct str user,
		    struct str mailbox, uint32_t *box, struct store_box_info *info)
{
	int rc = mailbox_find(c->txn, user, mailbox, box);

	if (rc == 0)
		rc = mailbox_load(c->txn, *box, info);
	/* Nothing is written, so no error spoils the transaction. */
	op->result = rc;
	return rc;
}

static int expunge_one(struct change *c, uint32_t box, uint32_t uid,
		       struct store_box_info *info)
{
	struct record_entry e;
	bool dead;
	int rc = mailbox_get_entry(c->txn, box, uid, &e);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = mailbox_del_entry(c->txn, box, uid);
	if (rc == 0)
		rc = message_unref(c->txn, e.msg.msg, &dead);
	if (rc)
		return rc;
	info->n_messages--;
	info->n_unseen -= !(e.msg.flags & STORE_SEEN);
	info->n_bytes -= e.msg.size;
	c->more_dead |= dead;
	c->n_expunged++;
	return 0;
}

static int expunge(struct change *c, struct store_op *op)
{
	uint64_t n_before = c->n_expunged;
	struct store_box_info info;
	uint32_t box;
	int rc = 0;

	if (find_box(c, op, op->expunge.user, op->expunge.mailbox, &box, &info))
		return 0;
	for (size_t i = 0; i < op->expunge.n_uids && !rc; i++)
		rc = expunge_one(c, box, op->expunge.uids[i], &info);
	if (rc || c->n_expunged == n_before)
		return rc;
	c->written = true;
	info.modseq++;
	return mailbox_save(c->txn, box, &info);
}

static int flag_one(struct change *c, struct store_op *op, uint32_t box, uint32_t uid,
		    struct store_box_info *info, bool *changed)
{
	char head[STORE_HEAD_MAX];
	struct record_entry e;
	uint32_t flags;
	int rc = mailbox_get_entry(c->txn, box, uid, &e);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	flags = (e.msg.flags & ~op->flags.remove) | op->flags.add;
	if (flags == e.msg.flags)
		return 0; /* no change, no new modseq */
	if (!*changed)
		info->modseq++;
	*changed = true;
	info->n_unseen += !(flags & STORE_SEEN);
	info->n_unseen -= !(e.msg.flags & STORE_SEEN);
	e.msg.flags = flags;
	e.msg.modseq = info->modseq;
	if (e.head.len > 0)
		memcpy(head, e.head.p, e.head.len);
	e.head.p = head;
	return mailbox_put_entry(c->txn, &e);
}

static int set_flags(struct change *c, struct store_op *op)
{
	struct store_box_info info;
	bool changed = false;
	uint32_t box;
	int rc = 0;

	if (find_box(c, op, op->flags.user, op->flags.mailbox, &box, &info))
		return 0;
	for (size_t i = 0; i < op->flags.n_uids && !rc; i++)
		rc = flag_one(c, op, box, op->flags.uids[i], &info, &changed);
	if (rc || !changed)
		return rc;
	c->written = true;
	return mailbox_save(c->txn, box, &info);
}

static int apply(struct change *c, struct store_op *op)
{
	switch (op->kind) {
	case STORE_DELIVER: return deliver(c, op);
	case STORE_EXPUNGE: return expunge(c, op);
	case STORE_FLAGS: return set_flags(c, op);
	case STORE_SPOOL:
		op->result = op->spool && spool_op_ok(op->spool) ? 0 : -EINVAL;
		return 0;
	}
	op->result = -EINVAL;
	return 0;
}

int change_apply(struct change *c, struct store_op *op)
{
	int rc = apply(c, op);

	if (rc == 0 && op->result == 0 && op->spool)
		rc = spool_change(c, op->spool);
	return rc;
}

int change_end(struct change *c)
{
	char value[RECORD_STATE_LEN];

	record_emit_state(value, &c->state);
	return engine_put(c->txn, ENGINE_STATE, STR("state"), RECORD_STR(value));
}

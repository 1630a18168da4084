#include "apps/mail/store/change.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/change_impl.h"
#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"
#include "apps/mail/store/spool_impl.h"
#include "apps/mail/store/store_impl.h"

enum {
	/* Pages that change with a message and with an entry, generously: the way down
	 * each tree, and what the engine notes about free pages. */
	MSG_OVERHEAD = 64 << 10,
	ENTRY_OVERHEAD = 16 << 10,
	COPY_OVERHEAD = 1 << 10, /* of each one among many that lie side by side */
};

static const struct str inbox = { "INBOX", 5 };

uint64_t change_need(const struct store_op *op)
{
	uint64_t n;

	switch (op->kind) {
	case STORE_DELIVER:
		n = op->deliver.n_users + (op->spool ? op->spool->n_add : 0);
		return op->bytes + MSG_OVERHEAD + n * ENTRY_OVERHEAD;
	case STORE_APPEND: return op->bytes + MSG_OVERHEAD + ENTRY_OVERHEAD;
	case STORE_COPY: return MSG_OVERHEAD + op->copy.n_uids * (uint64_t)COPY_OVERHEAD;
	case STORE_SUMMARY:
		return op->bytes + MSG_OVERHEAD +
		       op->summarize.n * (uint64_t)COPY_OVERHEAD;
	case STORE_EXPUNGE:
	case STORE_FLAGS:
	case STORE_CREATE:
	case STORE_DELETE:
	case STORE_RENAME:
	case STORE_SUBSCRIBE:
	case STORE_CLAIM:
	case STORE_SPOOL: break;
	}
	return 0;
}

static bool touch(struct change *c, uint32_t box)
{
	/* A mailbox that changes often in one transaction mostly does so in a row. */
	if (c->n_touched > 0 && c->touched[c->n_touched - 1] == box)
		return true;
	if (c->n_touched == c->room_touched) {
		size_t room = c->room_touched ? 2 * c->room_touched : 64;
		uint32_t *more = reallocarray(c->touched, room, sizeof(*more));

		if (!more)
			return false;
		c->touched = more;
		c->room_touched = room;
	}
	c->touched[c->n_touched++] = box;
	return true;
}

int change_save(struct change *c, uint32_t box, const struct store_box_info *info)
{
	if (!touch(c, box))
		return -ENOMEM;
	c->written = true;
	return mailbox_save(c->txn, box, info);
}

int change_new_box(struct change *c, struct str user, struct str name, uint32_t *box,
		   struct store_box_info *info)
{
	int rc;

	*box = c->state.next_box++;
	*info = (struct store_box_info){
		.uid_validity = ++c->state.last_uid_validity,
		.uid_next = 1,
		.uid_recent = 1,
	};
	c->written = true;
	rc = mailbox_put_name(c->txn, user, name, *box);
	return rc ? rc : mailbox_save(c->txn, *box, info);
}

int change_find(struct change *c, uint32_t *box, struct str user, struct str name,
		struct store_box_info *info)
{
	if (*box != 0)
		return mailbox_load(c->txn, *box, info);
	return mailbox_open(c->txn, user, name, box, info);
}

int change_find_or_inbox(struct change *c, struct str user, struct str name,
			 uint32_t *box, struct store_box_info *info)
{
	int rc = mailbox_open(c->txn, user, name, box, info);

	if (rc != -ENOENT || !str_eq(name, inbox))
		return rc;
	return change_new_box(c, user, name, box, info);
}

int change_add(struct change *c, struct record_entry *e, struct store_box_info *info)
{
	if (info->uid_next == RECORD_UID_BOX)
		return -ENOSPC; /* 4 billion messages came here */
	e->msg.uid = info->uid_next++;
	info->n_messages++;
	info->n_unseen += !(e->msg.flags & STORE_SEEN);
	info->n_bytes += e->msg.size;
	c->written = true;
	return mailbox_put_entry(c->txn, e);
}

uint32_t change_learn(struct store_keywords *k, struct str name)
{
	uint32_t bit = store_keyword_bit(k, name);

	if (bit || k->n == STORE_KEYWORDS_MAX || !store_keyword_ok(name))
		return bit;
	k->names[k->n++] = name;
	return UINT32_C(1) << (STORE_KEYWORD_BIT + k->n - 1);
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

static int add_to_inbox(struct change *c, struct str user, struct record_entry *e)
{
	struct store_box_info info;
	int rc = change_find_or_inbox(c, user, inbox, &e->msg.box, &info);

	if (rc)
		return rc;
	e->msg.modseq = ++info.modseq;
	rc = change_add(c, e, &info);
	return rc ? rc : change_save(c, e->msg.box, &info);
}

static int deliver(struct change *c, struct store_op *op)
{
	size_t n_items = op->spool ? op->spool->n_add : 0;
	uint64_t msg = c->state.next_msg;
	int rc;

	op->result = check_deliver(c, op);
	if (op->result)
		return 0;
	if (op->spool) {
		rc = spool_mark_find(c, op->spool, op->deliver.date_s);
		op->spool->came_before = rc == 1;
		if (rc)
			return rc < 0 ? rc : 0;
	}
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
		rc = add_to_inbox(c, op->deliver.users[i], &e);
		if (op->deliver.uids)
			op->deliver.uids[i] = e.msg.uid;
	}
	if (rc == 0 && op->spool)
		rc = spool_add(c, op->spool, msg);
	if (rc == 0 && op->spool)
		rc = spool_mark_put(c, op->spool, op->deliver.date_s);
	c->n_delivered += op->deliver.n_users;
	c->n_bytes += op->bytes;
	return rc;
}

/* The message's flags, with its keywords as the mailbox has them: what it cannot learn
 * is left out. */
static int append_flags(struct change *c, const struct store_append *a, uint32_t box,
			uint32_t *flags)
{
	char text[RECORD_KEYWORDS_MAX];
	struct store_keywords k;
	unsigned n_before;
	int rc;

	*flags = a->flags & STORE_FLAGS_ALL;
	if (!a->keywords || a->keywords->n == 0)
		return 0;
	rc = mailbox_load_keywords(c->txn, box, &k, text);
	if (rc)
		return rc;
	n_before = k.n;
	for (unsigned i = 0; i < a->keywords->n; i++)
		*flags |= change_learn(&k, a->keywords->names[i]);
	return k.n > n_before ? mailbox_save_keywords(c->txn, box, &k) : 0;
}

static int append(struct change *c, struct store_op *op)
{
	struct store_append *a = &op->append;
	struct record_entry e = { .msg = { .date_s = a->date_s, .size = op->bytes } };
	struct store_box_info info;
	int rc;

	op->result = change_need(op) > c->room ? -ENOSPC :
		     op->bytes > STORE_MSG_MAX || a->summary.len > STORE_SUMMARY_MAX ?
						 -EINVAL :
						 0;
	if (op->result)
		return 0;
	rc = change_find_or_inbox(c, a->user, a->mailbox, &e.msg.box, &info);
	if (rc == -ENOENT || rc == -EINVAL) {
		op->result = rc;
		return 0;
	}
	c->room -= change_need(op);
	c->written = true;
	e.msg.msg = c->state.next_msg++;
	if (rc == 0)
		rc = message_put(c->txn, e.msg.msg, a->parts, a->n_parts, 1);
	if (rc == 0 && a->summary.len > 0)
		rc = message_put_summary(c->txn, e.msg.msg, a->summary);
	if (rc == 0)
		rc = append_flags(c, a, e.msg.box, &e.msg.flags);
	if (rc)
		return rc;
	e.msg.modseq = ++info.modseq;
	rc = change_add(c, &e, &info);
	a->uid = e.msg.uid;
	a->uid_validity = info.uid_validity;
	c->n_delivered++;
	c->n_bytes += op->bytes;
	return rc ? rc : change_save(c, e.msg.box, &info);
}

static int apply(struct change *c, struct store_op *op)
{
	switch (op->kind) {
	case STORE_DELIVER: return deliver(c, op);
	case STORE_APPEND: return append(c, op);
	case STORE_EXPUNGE: return change_expunge(c, op);
	case STORE_FLAGS: return change_flags(c, op);
	case STORE_COPY: return change_copy(c, op);
	case STORE_CREATE: return change_create(c, op);
	case STORE_DELETE: return change_delete(c, op);
	case STORE_RENAME: return change_rename(c, op);
	case STORE_SUBSCRIBE: return change_subscribe(c, op);
	case STORE_CLAIM: return change_claim(c, op);
	case STORE_SUMMARY: return change_summarize(c, op);
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

void change_fini(struct change *c)
{
	free(c->touched);
}

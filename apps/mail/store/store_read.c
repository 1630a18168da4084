#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"
#include "apps/mail/store/store_impl.h"

int store_read_begin(struct store *store, struct store_read **read)
{
	struct store_read *r = malloc(sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	rc = store->engine->ops->begin(store->engine, false, &r->txn);
	if (rc) {
		free(r);
		return rc;
	}
	*read = r;
	return 0;
}

void store_read_end(struct store_read *read)
{
	read->txn->engine->ops->abort(read->txn);
	free(read);
}

/* INBOX is there for everybody, also before its first message. */
static bool is_unborn_inbox(int rc, struct str mailbox)
{
	return rc == -ENOENT && str_eq(mailbox, STR("INBOX"));
}

int store_box_info(struct store_read *read, struct str user, struct str mailbox,
		   struct store_box_info *info)
{
	uint32_t box;
	int rc = mailbox_open(read->txn, user, mailbox, &box, info);

	if (is_unborn_inbox(rc, mailbox)) {
		*info = (struct store_box_info){ .uid_next = 1, .uid_recent = 1 };
		return 0;
	}
	return rc;
}

int store_box_list(struct store_read *read, struct str user, struct str mailbox,
		   struct store_msg **msgs, size_t *n)
{
	struct store_box_info info;
	uint32_t box;
	int rc = mailbox_open(read->txn, user, mailbox, &box, &info);

	if (is_unborn_inbox(rc, mailbox)) {
		*msgs = NULL;
		*n = 0;
		return 0;
	}
	return rc ? rc : mailbox_list(read->txn, box, 1, 0, msgs, n);
}

int store_msg_find(struct store_read *read, const struct store_msg *msg,
		   struct record_head *head, struct str pieces[2])
{
	struct record_entry entry;
	struct str bytes;
	int rc;

	rc = mailbox_get_entry(read->txn, msg->box, msg->uid, &entry);
	if (rc)
		return rc;
	rc = message_get(read->txn, entry.msg.msg, head, &bytes);
	/* Its entry is there, so the message has to be. */
	if (rc == -ENOENT || entry.msg.msg != msg->msg)
		return -EIO;
	if (rc)
		return rc;
	pieces[0] = entry.head;
	pieces[1] = bytes;
	return 0;
}

int store_msg_bytes(struct store_read *read, const struct store_msg *msg,
		    struct str pieces[2])
{
	struct record_head head;
	struct str found[2];
	int rc = store_msg_find(read, msg, &head, found);

	if (rc)
		return rc;
	if (!message_is_whole(msg->msg, &head, found[1]))
		return -EIO;
	pieces[0] = found[0];
	pieces[1] = found[1];
	return 0;
}

#include "apps/mail/store/store_box.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/mail/store/mailbox.h"
#include "apps/mail/store/message.h"
#include "apps/mail/store/store_impl.h"

int store_box_find(struct store_read *read, struct str user, struct str mailbox,
		   uint32_t *box)
{
	return mailbox_find(read->txn, user, mailbox, box);
}

int store_box_load(struct store_read *read, uint32_t box, struct store_box_info *info)
{
	return mailbox_load(read->txn, box, info);
}

int store_box_keywords(struct store_read *read, uint32_t box, struct store_keywords *k)
{
	return mailbox_load_keywords(read->txn, box, k, NULL);
}

int store_box_changes(struct store_read *read, uint32_t box, uint32_t from,
		      uint64_t since, struct store_msg **msgs, size_t *n)
{
	return mailbox_list(read->txn, box, from, since, msgs, n);
}

int store_box_msg(struct store_read *read, uint32_t box, uint32_t uid,
		  struct store_msg *msg)
{
	struct record_entry e;
	int rc = mailbox_get_entry(read->txn, box, uid, &e);

	if (rc == 0)
		*msg = e.msg;
	return rc;
}

int store_box_vanished(struct store_read *read, uint32_t box, uint64_t since,
		       struct store_range **ranges, size_t *n)
{
	struct record_vanished *v;
	struct store_range *r;
	size_t n_v;
	int rc = mailbox_list_vanished(read->txn, box, since, SIZE_MAX, &v, &n_v);

	if (rc)
		return rc;
	r = calloc(n_v + 1, sizeof(*r));
	if (!r) {
		free(v);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n_v; i++)
		r[i] = (struct store_range){ v[i].first, v[i].last };
	free(v);
	*ranges = r;
	*n = n_v;
	return 0;
}

int store_msg_summary(struct store_read *read, uint64_t msg, struct str *bytes)
{
	return message_get_summary(read->txn, msg, bytes);
}

struct mailboxes {
	struct engine_txn *txn;
	bool (*fn)(void *arg, const struct store_mailbox *m);
	void *arg;
	bool inbox_told;
};

/* 1: enough. */
static int tell(struct mailboxes *all, const struct store_mailbox *m)
{
	return all->fn(all->arg, m) ? 0 : 1;
}

/* The INBOX that nobody wrote to yet, in its place in the order. */
static int tell_inbox(struct mailboxes *all)
{
	const struct store_mailbox inbox = {
		.name = STR("INBOX"),
		.info = { .uid_next = 1, .uid_recent = 1 },
	};

	all->inbox_told = true;
	return tell(all, &inbox);
}

static bool is_before(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.len < b.len ? a.len : b.len);

	return order < 0 || (order == 0 && a.len < b.len);
}

static int tell_name(void *arg, struct str name, struct str value)
{
	struct store_mailbox m = { .name = name };
	struct mailboxes *all = arg;
	int rc = 0;

	if (!record_parse_count(value, &m.box))
		return -EIO;
	if (m.box != 0)
		rc = mailbox_load(all->txn, m.box, &m.info);
	if (rc)
		return rc == -ENOENT ? -EIO : rc;
	if (!all->inbox_told && is_before(STR("INBOX"), name))
		rc = tell_inbox(all);
	all->inbox_told |= str_eq(name, STR("INBOX"));
	return rc ? rc : tell(all, &m);
}

int store_each_mailbox(struct store_read *read, struct str user,
		       bool (*fn)(void *arg, const struct store_mailbox *m), void *arg)
{
	struct mailboxes all = { .txn = read->txn, .fn = fn, .arg = arg };
	int rc =
		mailbox_each_name(read->txn, ENGINE_NAME, user, STR(""), tell_name, &all);

	if (rc == 0 && !all.inbox_told)
		rc = tell_inbox(&all);
	return rc < 0 ? rc : 0;
}

struct subscriptions {
	bool (*fn)(void *arg, struct str name);
	void *arg;
};

static int tell_subscription(void *arg, struct str name, struct str value)
{
	const struct subscriptions *s = arg;

	(void)value;
	return s->fn(s->arg, name) ? 0 : 1;
}

int store_each_subscription(struct store_read *read, struct str user,
			    bool (*fn)(void *arg, struct str name), void *arg)
{
	struct subscriptions s = { fn, arg };
	int rc = mailbox_each_name(read->txn, ENGINE_SUB, user, STR(""),
				   tell_subscription, &s);

	return rc < 0 ? rc : 0;
}

/*
 * CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 6.3.3 to 6.3.7, and
 * CREATE-SPECIAL-USE of RFC 6154), each one operation of the store; and STATUS (6.3.10).
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "stack/base/check.h"

static void stored(struct imapd_session *s)
{
	if (s->op.result)
		imapd_failed(s, s->op.result, false);
	else
		imapd_done(s, "OK Done");
}

/* What the store and the grammar number differently. */
static const struct use {
	unsigned store, imap;
	const char *name; /* of a mailbox that is made for it without being told */
} uses[] = {
	{ STORE_USE_DRAFTS, IMAP_USE_DRAFTS, "Drafts" },
	{ STORE_USE_SENT, IMAP_USE_SENT, "Sent" },
	{ STORE_USE_TRASH, IMAP_USE_TRASH, "Trash" },
	{ STORE_USE_JUNK, IMAP_USE_JUNK, "Junk" },
	{ STORE_USE_ARCHIVE, IMAP_USE_ARCHIVE, "Archive" },
	{ STORE_USE_ALL, IMAP_USE_ALL, NULL },
	{ STORE_USE_FLAGGED, IMAP_USE_FLAGGED, NULL },
};

unsigned imapd_uses(uint32_t stored_uses)
{
	unsigned out = 0;

	for (size_t i = 0; i < ARRAY_LEN(uses); i++)
		out |= stored_uses & uses[i].store ? uses[i].imap : 0;
	return out;
}

static uint32_t uses_of(unsigned imap, const char *name)
{
	uint32_t out = 0;

	for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
		bool named = imap == 0 && uses[i].name &&
			     str_eq_nocase(str_of(name), str_of(uses[i].name));

		out |= imap & uses[i].imap || named ? uses[i].store : 0;
	}
	return out;
}

void imapd_create(struct imapd_session *s)
{
	const struct imap_cmd *cmd = &s->parse.cmd;

	if (!imapd_name(s, cmd->create.mailbox, s->name))
		return;
	/* RFC 6154 3: these are views of other mailboxes, which nobody makes. */
	if (cmd->create.uses & (IMAP_USE_ALL | IMAP_USE_FLAGGED)) {
		imapd_done(s, "NO [USEATTR] No mailbox can be that");
		return;
	}
	if (str_eq(str_of(s->name), STR("INBOX"))) {
		imapd_done(s, "NO [ALREADYEXISTS] INBOX is always there");
		return;
	}
	s->op = (struct store_op){
		.kind = STORE_CREATE,
		.create = { .user = str_of(s->user),
			    .mailbox = str_of(s->name),
			    .uses = uses_of(cmd->create.uses, s->name) },
	};
	imapd_submit(s, stored);
}

void imapd_delete(struct imapd_session *s)
{
	if (!imapd_name(s, s->parse.cmd.mailbox, s->name))
		return;
	s->op = (struct store_op){
		.kind = STORE_DELETE,
		.delete = { str_of(s->user), str_of(s->name) },
	};
	imapd_submit(s, stored);
}

void imapd_rename(struct imapd_session *s)
{
	const struct imap_cmd *cmd = &s->parse.cmd;

	if (!imapd_name(s, cmd->rename.from, s->name) ||
	    !imapd_name(s, cmd->rename.to, s->new_name))
		return;
	s->op = (struct store_op){
		.kind = STORE_RENAME,
		.rename = { str_of(s->user), str_of(s->name), str_of(s->new_name) },
	};
	imapd_submit(s, stored);
}

void imapd_subscribe(struct imapd_session *s)
{
	bool off = s->parse.cmd.kind == IMAP_UNSUBSCRIBE;

	if (!imapd_name(s, s->parse.cmd.mailbox, s->name))
		return;
	s->op = (struct store_op){
		.kind = STORE_SUBSCRIBE,
		.subscribe = { str_of(s->user), str_of(s->name), off },
	};
	imapd_submit(s, stored);
}

static uint64_t count_recent(struct store_read *read, uint32_t box,
			     const struct store_box_info *info)
{
	struct store_msg *msgs;
	size_t n;

	if (info->uid_recent >= info->uid_next ||
	    store_box_changes(read, box, info->uid_recent, 0, &msgs, &n))
		return 0;
	free(msgs);
	return n;
}

/* 0; or -errno. */
static int load_status(struct imapd_session *s, unsigned items,
		       uint64_t values[static IMAP_STATUS_N])
{
	struct store_box_info info;
	struct store_read *read;
	uint32_t box = 0;
	int rc = store_read_begin(s->imapd->store, &read);

	if (rc)
		return rc;
	rc = store_box_find(read, str_of(s->user), str_of(s->name), &box);
	if (rc == 0)
		rc = box == 0 ? -ENOENT : store_box_load(read, box, &info);
	if (rc == 0) {
		const uint64_t all[IMAP_STATUS_N] = {
			info.n_messages,
			items & IMAP_STATUS_RECENT ? count_recent(read, box, &info) : 0,
			info.uid_next,
			info.uid_validity,
			info.n_unseen,
			info.modseq,
		};

		memcpy(values, all, sizeof(all));
	}
	store_read_end(read);
	return rc;
}

static void say_status(struct imapd_session *s)
{
	const struct imap_cmd *cmd = &s->parse.cmd;
	uint64_t values[IMAP_STATUS_N];
	int rc = load_status(s, cmd->status.items, values);

	if (rc) {
		imapd_failed(s, rc, false);
		return;
	}
	imap_emit_status(&s->imapd->emit, cmd->status.mailbox, cmd->status.items, values);
	imapd_flush(s);
	imapd_done(s, "OK Done");
}

static void inbox_made(struct imapd_session *s)
{
	if (s->op.result == 0 || s->op.result == -EEXIST)
		say_status(s);
	else
		imapd_failed(s, s->op.result, false);
}

void imapd_status(struct imapd_session *s)
{
	const struct imap_cmd *cmd = &s->parse.cmd;

	if (cmd->status.items & IMAP_STATUS_HIGHESTMODSEQ)
		imapd_refuse(s, "That extension is not offered");
	else if (!imapd_name(s, cmd->status.mailbox, s->name))
		return;
	else if (imapd_needs_inbox(s))
		imapd_make_inbox(s, inbox_made);
	else
		say_status(s);
}

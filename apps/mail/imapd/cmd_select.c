/*
 * SELECT, EXAMINE, CLOSE and UNSELECT (RFC 3501 6.3.1, 6.3.2, 6.4.2, RFC 3691).
 */
#include <errno.h>

#include "apps/mail/imapd/cmd.h"
#include "apps/mail/imapd/view.h"

static void say_unseen(struct imapd_session *s)
{
	const struct imapd_view *v = s->view;
	uint32_t i = 0;

	while (i < v->n && v->msgs[i].flags & STORE_SEEN)
		i++;
	if (i < v->n)
		imap_emit_printf(&s->imapd->emit,
				 "* OK [UNSEEN %u] The first one not seen\r\n", i + 1);
}

static void say_selected(struct imapd_session *s)
{
	struct imap_emit *e = &s->imapd->emit;
	const struct imapd_view *v = s->view;

	view_emit_all_flags(v, e);
	imap_emit_printf(e, "* %u EXISTS\r\n* %u RECENT\r\n", v->n, v->n_recent);
	say_unseen(s);
	imap_emit_printf(e,
			 "* OK [UIDVALIDITY %u] UIDs are valid\r\n"
			 "* OK [UIDNEXT %u] The next UID\r\n",
			 v->uid_validity, v->uid_next);
	imapd_flush(s);
	s->imapd->stats.selects++;
	imapd_done(s, v->is_read_only ? "OK [READ-ONLY] Selected" :
					"OK [READ-WRITE] Selected");
}

/* The store says which messages are recent: nobody else is told that of them. */
static void claimed(struct imapd_session *s)
{
	if (s->op.result == 0)
		view_mark_recent(s->view, s->op.claim.uid_recent);
	say_selected(s);
}

static void claim(struct imapd_session *s, uint32_t uid_recent)
{
	if (s->view->is_read_only || uid_recent >= s->view->uid_next) {
		view_mark_recent(s->view, uid_recent);
		say_selected(s);
		return;
	}
	s->op = (struct store_op){
		.kind = STORE_CLAIM,
		.claim = { .box = s->view->box, .uid_next = s->view->uid_next },
	};
	imapd_submit(s, claimed);
}

/* 0, and the view is open; or -errno. */
static int open_box(struct imapd_session *s, uint32_t box, uint32_t *uid_recent)
{
	struct imapd_news *news = imapd_news_new(s, box);
	struct store_box_info info;
	struct store_read *read;
	int rc;

	if (!news)
		return -ENOMEM;
	rc = store_read_begin(s->imapd->store, &read);
	if (rc == 0) {
		rc = view_open(read, box, (uint32_t)s->imapd->conf.limits.messages_max,
			       &s->view);
		if (rc == 0)
			rc = store_box_load(read, box, &info);
		store_read_end(read);
	}
	if (s->view)
		s->view->news = news;
	else
		imapd_news_free(s->imapd, news);
	if (rc)
		imapd_leave_box(s);
	else
		*uid_recent = info.uid_recent;
	return rc;
}

static int find_box(struct imapd_session *s, uint32_t *box)
{
	struct store_read *read;
	int rc = store_read_begin(s->imapd->store, &read);

	if (rc)
		return rc;
	rc = store_box_find(read, str_of(s->user), str_of(s->name), box);
	store_read_end(read);
	return rc;
}

static void select_name(struct imapd_session *s)
{
	uint32_t box, uid_recent;
	int rc = find_box(s, &box);

	if (rc == 0)
		rc = box == 0 ? -ENOENT : open_box(s, box, &uid_recent);
	if (rc == -EFBIG) {
		imapd_done(s, "NO [LIMIT] It has too many messages");
	} else if (rc) {
		imapd_failed(s, rc, false);
	} else {
		s->view->is_read_only = s->parse.cmd.kind == IMAP_EXAMINE;
		claim(s, uid_recent);
	}
}

static void inbox_made(struct imapd_session *s)
{
	if (s->op.result == 0 || s->op.result == -EEXIST)
		select_name(s);
	else
		imapd_failed(s, s->op.result, false);
}

bool imapd_needs_inbox(struct imapd_session *s)
{
	uint32_t box;

	return str_eq(str_of(s->name), STR("INBOX")) && find_box(s, &box) == -ENOENT;
}

void imapd_make_inbox(struct imapd_session *s, void (*made)(struct imapd_session *s))
{
	s->op = (struct store_op){
		.kind = STORE_CREATE,
		.create = { .user = str_of(s->user), .mailbox = STR("INBOX") },
	};
	imapd_submit(s, made);
}

void imapd_select(struct imapd_session *s)
{
	const struct imap_select *select = &s->parse.cmd.select;

	if (select->condstore || select->has_qresync) {
		imapd_refuse(s, "That extension is not offered");
		return;
	}
	/* RFC 3501 6.3.1: also when the new one cannot be selected. */
	imapd_leave_box(s);
	if (!imapd_name(s, select->mailbox, s->name))
		return;
	/* Before its first message INBOX has no UIDVALIDITY; now it needs one. */
	if (imapd_needs_inbox(s))
		imapd_make_inbox(s, inbox_made);
	else
		select_name(s);
}

void imapd_unselect(struct imapd_session *s)
{
	imapd_leave_box(s);
	imapd_done(s, "OK Done");
}

static void closed(struct imapd_session *s)
{
	if (s->op.result == 0)
		s->imapd->stats.expunged += s->op.expunge.n_uids;
	imapd_leave_box(s);
	if (s->op.result)
		imapd_failed(s, s->op.result, false);
	else
		imapd_done(s, "OK Done");
}

/* RFC 3501 6.4.2: what is marked as deleted goes, and nothing is said of it. */
void imapd_close_box(struct imapd_session *s)
{
	if (s->view->is_read_only || !imapd_expunge_op(s, NULL))
		imapd_unselect(s);
	else
		imapd_submit(s, closed);
}

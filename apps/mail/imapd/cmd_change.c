/*
 * STORE, EXPUNGE, COPY and MOVE (RFC 3501 6.4.3, 6.4.6, 6.4.7, RFC 4315, RFC 6851), each
 * one operation of the store.
 */
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "apps/mail/imapd/view.h"

/* Messages of a set that are not gone, to s->uids.  False: refused, and that was said. */
static bool take_set(struct imapd_session *s, struct imap_set *set)
{
	bool is_uid = s->parse.cmd.is_uid;
	const struct imapd_view *v = s->view;
	struct imap_set_at at = { 0 };
	uint32_t i;

	if (!view_resolve(v, set, is_uid)) {
		imapd_refuse(s, "There are no such messages");
		return false;
	}
	free(s->uids);
	s->n_uids = 0;
	s->uids = calloc(v->n + 1, sizeof(*s->uids));
	if (!s->uids) {
		imapd_done(s, "NO [UNAVAILABLE] Out of memory");
		return false;
	}
	while (view_next(v, set, is_uid, &at, &i) != UINT32_MAX)
		if (!(v->msgs[i].marks & VIEW_GONE))
			s->uids[s->n_uids++] = v->msgs[i].uid;
	return true;
}

static bool may_change(struct imapd_session *s)
{
	if (s->view->is_read_only)
		imapd_done(s, "NO [CANNOT] The mailbox is open for reading");
	return !s->view->is_read_only;
}

/* What STORE does, as bits; keywords that the mailbox is to learn are kept in s. */
static void flags_op(struct imapd_session *s, const struct imap_store *c)
{
	const struct store_keywords *known = &s->view->keywords;
	uint32_t bits = c->flags.system & STORE_FLAGS_ALL;
	struct store_keywords *learn = &s->keywords;

	learn->n = 0;
	for (uint32_t i = 0; i < c->flags.n_keywords; i++) {
		uint32_t bit = store_keyword_bit(known, c->flags.keywords[i]);

		bits |= bit;
		if (!bit && c->how != IMAP_STORE_REMOVE && learn->n < STORE_KEYWORDS_MAX)
			learn->names[learn->n++] = c->flags.keywords[i];
	}
	s->op = (struct store_op){
		.kind = STORE_FLAGS,
		.flags = { .box = s->view->box,
			   .uids = s->uids,
			   .n_uids = s->n_uids,
			   .learn = learn },
	};
	if (c->how == IMAP_STORE_SET)
		s->op.flags.remove = UINT32_MAX;
	if (c->how == IMAP_STORE_REMOVE)
		s->op.flags.remove = bits;
	else
		s->op.flags.add = bits;
}

/* What we did to flags is known, and told or not as STORE asked for. */
static void apply_flags(struct imapd_session *s)
{
	const struct store_flags *f = &s->op.flags;
	bool is_silent = s->parse.cmd.store.is_silent;
	struct imapd_view *v = s->view;
	uint32_t add = f->add;

	for (unsigned i = 0; i < f->learn->n; i++)
		add |= store_keyword_bit(&v->keywords, f->learn->names[i]);
	for (size_t k = 0; k < s->n_uids; k++) {
		uint32_t i = view_find(v, s->uids[k]);

		if (i == v->n || v->msgs[i].uid != s->uids[k])
			continue;
		v->msgs[i].flags = (v->msgs[i].flags & ~f->remove) | add;
		if (!is_silent)
			view_mark_changed(v, i);
	}
}

static void flags_stored(struct imapd_session *s)
{
	struct store_read *read;

	if (s->op.result) {
		imapd_failed(s, s->op.result, false);
		return;
	}
	if (s->op.flags.learn->n > 0 && store_read_begin(s->imapd->store, &read) == 0) {
		(void)view_sync_keywords(s->view, read);
		store_read_end(read);
	}
	apply_flags(s);
	imapd_done(s, "OK Done");
}

void imapd_store(struct imapd_session *s)
{
	struct imap_store *c = &s->parse.cmd.store;

	if (c->has_unchanged_since) {
		imapd_refuse(s, "That extension is not offered");
		return;
	}
	if (!may_change(s) || !take_set(s, &c->set))
		return;
	if (s->n_uids == 0) {
		imapd_done(s, "OK Done");
		return;
	}
	flags_op(s, c);
	imapd_submit(s, flags_stored);
}

bool imapd_expunge_op(struct imapd_session *s, struct imap_set *set)
{
	const struct imapd_view *v = s->view;
	uint32_t *uids = calloc(v->n + 1, sizeof(*uids));

	if (set)
		view_resolve(v, set, true);
	free(s->uids);
	s->uids = uids;
	s->n_uids = 0;
	for (uint32_t i = 0; uids && i < v->n; i++)
		if (v->msgs[i].flags & STORE_DELETED && !(v->msgs[i].marks & VIEW_GONE) &&
		    (!set || imap_set_has(set, v->msgs[i].uid)))
			uids[s->n_uids++] = v->msgs[i].uid;
	s->op = (struct store_op){
		.kind = STORE_EXPUNGE,
		.expunge = { .box = v->box, .uids = uids, .n_uids = s->n_uids },
	};
	return s->n_uids > 0;
}

static void expunged(struct imapd_session *s)
{
	if (s->op.result) {
		imapd_failed(s, s->op.result, false);
		return;
	}
	s->imapd->stats.expunged += s->n_uids;
	imapd_done(s, "OK Done");
}

void imapd_expunge(struct imapd_session *s)
{
	struct imap_cmd *cmd = &s->parse.cmd;

	if (!may_change(s))
		return;
	if (imapd_expunge_op(s, cmd->is_uid ? &cmd->expunge : NULL))
		imapd_submit(s, expunged);
	else
		imapd_done(s, "OK Done");
}

/* RFC 4315 3: which UIDs they had, and which they have there. */
static void emit_copied(struct imapd_session *s)
{
	const struct store_copy *c = &s->op.copy;
	struct imap_emit *e = &s->imapd->emit;

	imap_emit_printf(e, "OK [COPYUID %u ", c->uid_validity);
	imap_emit_numbers(e, c->from, c->n_copied);
	imap_emit_puts(e, " ");
	imap_emit_numbers(e, c->to, c->n_copied);
	imap_emit_puts(e, "] Done");
}

static void copied(struct imapd_session *s)
{
	const struct store_copy *c = &s->op.copy;
	struct imapd_stats *stats = &s->imapd->stats;
	struct imap_emit *e = &s->imapd->emit;
	char *text;

	if (s->op.result) {
		imapd_failed(s, s->op.result, true);
		return;
	}
	*(c->move ? &stats->moved : &stats->copied) += c->n_copied;
	if (c->n_copied == 0) {
		imapd_done(s, "OK Done");
		return;
	}
	if (c->move) {
		/* RFC 6851 4.3: before the EXPUNGEs. */
		imap_emit_puts(e, "* ");
		emit_copied(s);
		imap_emit_puts(e, "\r\n");
		imapd_flush(s);
		imapd_done(s, "OK Done");
		return;
	}
	emit_copied(s);
	text = e->is_failed ? NULL : strndup(e->p, e->len);
	imap_emit_clear(e);
	imapd_done(s, text ? text : "OK Done");
	free(text);
}

void imapd_copy(struct imapd_session *s)
{
	struct imap_cmd *cmd = &s->parse.cmd;
	bool move = cmd->kind == IMAP_MOVE;

	if ((move && !may_change(s)) || !imapd_name(s, cmd->copy.mailbox, s->name) ||
	    !take_set(s, &cmd->copy.set))
		return;
	free(s->from);
	free(s->to);
	s->from = calloc(s->n_uids + 1, sizeof(*s->from));
	s->to = calloc(s->n_uids + 1, sizeof(*s->to));
	if (!s->from || !s->to) {
		imapd_done(s, "NO [UNAVAILABLE] Out of memory");
		return;
	}
	s->op = (struct store_op){
		.kind = STORE_COPY,
		.copy = { .user = str_of(s->user),
			  .mailbox = str_of(s->name),
			  .box = s->view->box,
			  .move = move,
			  .uids = s->uids,
			  .n_uids = s->n_uids,
			  .from = s->from,
			  .to = s->to },
	};
	imapd_submit(s, copied);
}

/*
 * Operations that go to the store's writer: those a session waits for, and notes that
 * nobody waits for, which go with other commits.
 */
#include <errno.h>
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "stack/base/check.h"

static void op_done(struct store_op *op)
{
	struct imapd_session *s = container_of(op, struct imapd_session, op);

	handoff_back(&s->imapd->writes, &s->back);
}

void imapd_submit(struct imapd_session *s, void (*stored)(struct imapd_session *s))
{
	struct imapd *d = s->imapd;

	s->op.done = op_done;
	s->stored = stored;
	s->is_away = true;
	imapd_enter(s, IMAPD_STORE);
	handoff_out(&d->writes);
	if (store_submit(d->store, &s->op))
		return;
	handoff_undo(&d->writes);
	s->is_away = false;
	d->stats.unavailable++;
	imapd_append_free(s);
	imapd_done(s, "NO [UNAVAILABLE] Too many changes wait, try again later");
}

void imapd_stored(void *arg, struct handoff_item *item)
{
	struct imapd_session *s = container_of(item, struct imapd_session, back);
	struct imapd *d = arg;

	s->is_away = false;
	if (s->state != IMAPD_CLOSED)
		s->stored(s);
	if (s->state != IMAPD_CLOSED && d->door.is_shut)
		imapd_close(s, "[UNAVAILABLE] Shutting down");
	imapd_resume(s);
}

void imapd_failed(struct imapd_session *s, int result, bool create)
{
	switch (result) {
	case -ENOENT:
		imapd_done(s, create ? "NO [TRYCREATE] There is no such mailbox" :
				       "NO [NONEXISTENT] There is no such mailbox");
		break;
	case -EEXIST: imapd_done(s, "NO [ALREADYEXISTS] That name is in use"); break;
	case -EPERM: imapd_done(s, "NO [CANNOT] INBOX stays"); break;
	case -ENOTEMPTY:
		imapd_done(s, "NO [CANNOT] It is but a name, and others are below it");
		break;
	case -EINVAL: imapd_done(s, "NO [CANNOT] That name cannot be"); break;
	case -EDQUOT: imapd_done(s, "NO [LIMIT] There are too many already"); break;
	case -ENOSPC: imapd_done(s, "NO [OVERQUOTA] There is no room left"); break;
	default:
		s->imapd->stats.unavailable++;
		imapd_done(s, "NO [UNAVAILABLE] The store failed, try again later");
		break;
	}
}

/* An operation that nobody waits for, and what it points to. */
struct note {
	struct handoff_item back;
	struct store_op op;
	struct imapd *imapd;
	void (*free)(struct note *n);
};

struct imapd_summaries {
	struct note note;
	size_t n;
	struct store_summary at[IMAPD_SUMMARIES];
	char *bytes[IMAPD_SUMMARIES];
};

static void note_done(struct store_op *op)
{
	struct note *n = container_of(op, struct note, op);

	handoff_back(&n->imapd->notes, &n->back);
}

static void claim_free(struct note *n)
{
	free(n);
}

static void summaries_free(struct note *n)
{
	struct imapd_summaries *b = container_of(n, struct imapd_summaries, note);

	for (size_t i = 0; i < b->n; i++)
		free(b->bytes[i]);
	free(b);
}

/* They can be made again: it is no loss when the store does not take them. */
static void note_submit(struct imapd *d, struct note *n)
{
	n->imapd = d;
	n->op.done = note_done;
	n->op.lazy = true;
	handoff_out(&d->notes);
	if (store_submit(d->store, &n->op))
		return;
	handoff_undo(&d->notes);
	n->free(n);
}

void imapd_noted(void *arg, struct handoff_item *item)
{
	struct note *n = container_of(item, struct note, back);

	(void)arg;
	n->free(n);
}

void imapd_note_claim(struct imapd_session *s, uint32_t box, uint32_t uid_next)
{
	struct note *n = calloc(1, sizeof(*n));

	if (!n)
		return;
	n->free = claim_free;
	n->op.kind = STORE_CLAIM;
	n->op.claim.box = box;
	n->op.claim.uid_next = uid_next;
	note_submit(s->imapd, n);
}

void imapd_note_summary(struct imapd *d, struct imapd_summaries **batch, uint64_t msg,
			struct str bytes)
{
	struct imapd_summaries *b = *batch ? *batch : calloc(1, sizeof(*b));
	char *copy = bytes.len <= STORE_SUMMARY_MAX ? malloc(bytes.len) : NULL;

	*batch = b;
	if (!b || !copy) {
		free(copy);
		return;
	}
	memcpy(copy, bytes.p, bytes.len);
	b->bytes[b->n] = copy;
	b->at[b->n++] = (struct store_summary){ msg, { copy, bytes.len } };
	if (b->n == IMAPD_SUMMARIES)
		imapd_note_end(d, batch);
}

void imapd_note_end(struct imapd *d, struct imapd_summaries **batch)
{
	struct imapd_summaries *b = *batch;

	if (!b)
		return;
	b->note.free = summaries_free;
	b->note.op.kind = STORE_SUMMARY;
	b->note.op.summarize.at = b->at;
	b->note.op.summarize.n = b->n;
	*batch = NULL;
	note_submit(d, &b->note);
}

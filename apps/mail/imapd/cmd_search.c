/*
 * SEARCH (RFC 3501 6.4.4).  What flags, dates and sizes decide is found at once; where
 * messages must be read, the search runs on a worker's thread, and the session waits.
 *
 * Meanwhile nothing changes the session's view, and the session stays, even when its
 * client goes: the worker reads both.
 */
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "apps/mail/imapd/match.h"
#include "apps/mail/imapd/view.h"
#include "stack/base/check.h"

/* Messages looked at on one snapshot, which keeps pages alive as long as it is there. */
enum { SNAPSHOT_MESSAGES = 128 };

struct imapd_search {
	struct work work;
	struct handoff_item back;
	struct imapd_session *session;
	struct match *match;
	uint32_t *found; /* indexes */
	uint32_t n_found;
	_Atomic bool is_cancelled;
	bool failed;
};

static void search_free(struct imapd_search *x)
{
	match_free(x->match);
	free(x->found);
	free(x);
}

static struct imapd_search *search_new(struct imapd_session *s)
{
	struct imapd_search *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->session = s;
	x->match = match_new(s->view);
	x->found = calloc(s->view->n_told + 1, sizeof(*x->found));
	if (!x->match || !x->found) {
		search_free(x);
		return NULL;
	}
	return x;
}

static void look_at(struct imapd_search *x, struct store_read *read, uint32_t from,
		    uint32_t to)
{
	const struct imapd_session *s = x->session;

	for (uint32_t i = from; i < to; i++)
		if (!(s->view->msgs[i].marks & VIEW_GONE) &&
		    match_message(x->match, read, s->parse.cmd.search.key, i))
			x->found[x->n_found++] = i;
}

/* On the worker's thread. */
static void run(struct work *work)
{
	struct imapd_search *x = container_of(work, struct imapd_search, work);
	const struct imapd_session *s = x->session;
	uint32_t n = s->view->n_told;

	for (uint32_t i = 0; i < n && !x->failed; i += SNAPSHOT_MESSAGES) {
		uint32_t end = n - i < SNAPSHOT_MESSAGES ? n : i + SNAPSHOT_MESSAGES;
		struct store_read *read;

		if (atomic_load_explicit(&x->is_cancelled, memory_order_relaxed))
			break;
		x->failed = store_read_begin(s->imapd->store, &read) != 0;
		if (x->failed)
			break;
		look_at(x, read, i, end);
		store_read_end(read);
	}
	handoff_back(&s->imapd->works, &x->back);
}

static void say_found(struct imapd_session *s, const struct imapd_search *x)
{
	struct imap_emit *e = &s->imapd->emit;
	bool is_uid = s->parse.cmd.is_uid;

	imap_emit_puts(e, "* SEARCH");
	for (uint32_t k = 0; k < x->n_found; k++) {
		uint32_t i = x->found[k];

		imap_emit_puts(e, " ");
		imap_emit_number(e, is_uid ? s->view->msgs[i].uid : i + 1);
	}
	imap_emit_puts(e, "\r\n");
	imapd_flush(s);
	imapd_done(s, "OK Done");
}

void imapd_searched(void *arg, struct handoff_item *item)
{
	struct imapd_search *x = container_of(item, struct imapd_search, back);
	struct imapd_session *s = x->session;
	struct imapd *d = arg;

	s->search = NULL;
	s->is_away = false;
	if (s->state != IMAPD_CLOSED && d->door.is_shut) {
		imapd_close(s, "[UNAVAILABLE] Shutting down");
	} else if (s->state != IMAPD_CLOSED && x->failed) {
		d->stats.unavailable++;
		imapd_done(s, "NO [UNAVAILABLE] The store cannot be read now");
	} else if (s->state != IMAPD_CLOSED) {
		say_found(s, x);
	}
	search_free(x);
	imapd_resume(s);
}

void imapd_search_cancel(struct imapd_session *s)
{
	if (s->search)
		atomic_store(&s->search->is_cancelled, true);
}

static void search_deep(struct imapd_session *s, struct imapd_search *x)
{
	struct imapd *d = s->imapd;

	x->work.run = run;
	handoff_out(&d->works);
	s->search = x;
	s->is_away = true;
	imapd_enter(s, IMAPD_WORK);
	if (worker_submit(d->worker, &x->work)) {
		d->stats.searches_deep++;
		return;
	}
	handoff_undo(&d->works);
	s->search = NULL;
	s->is_away = false;
	search_free(x);
	d->stats.unavailable++;
	imapd_done(s, "NO [UNAVAILABLE] Too many searches wait, try again later");
}

static bool knows_charset(struct str name)
{
	return name.len == 0 || str_eq_nocase(name, STR("US-ASCII")) ||
	       str_eq_nocase(name, STR("UTF-8"));
}

void imapd_search(struct imapd_session *s)
{
	struct imap_search *search = &s->parse.cmd.search;
	struct imapd_search *x;

	if (match_has_modseq(search->key)) {
		imapd_refuse(s, "That extension is not offered");
		return;
	}
	if (!knows_charset(search->charset)) {
		imapd_done(s, "NO [BADCHARSET (US-ASCII UTF-8)] That charset is unknown");
		return;
	}
	/* So that what came is found. */
	if (!imapd_tell(s, s->parse.cmd.is_uid, false))
		return;
	x = search_new(s);
	if (!x) {
		imapd_done(s, "NO [UNAVAILABLE] Out of memory");
		return;
	}
	s->imapd->stats.searches++;
	match_prepare(search->key, s->view);
	if (match_reads(search->key)) {
		search_deep(s, x);
		return;
	}
	look_at(x, NULL, 0, s->view->n_told);
	say_found(s, x);
	search_free(x);
}

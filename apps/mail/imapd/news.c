/*
 * What the store's writer tells sessions: their mailbox changed.
 *
 *	writer's thread                        the net's thread
 *	commit, watch_tell() --> changed()     run_news(), for each on the stack:
 *	   is_set, push on the stack,            in IDLE: look, tell, at once
 *	   post one job for all                  else: is told with the next answer
 *
 * All that changed in a commit is one job; there is no polling.  When the net's queue of
 * jobs is full, the stack waits for the next commit that posts, and each session looks
 * for itself with its next command.
 */
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "stack/base/check.h"

struct imapd_news {
	struct store_watch watch;
	struct imapd *imapd;
	struct imapd_session *session; /* NULL: it ended while this was on the stack */
	struct imapd_news *next;       /* on the stack */
	_Atomic bool is_set;	       /* something changed since it was taken */
	_Atomic bool is_stacked;
};

static void run_news(void *arg)
{
	struct imapd *d = arg;
	struct imapd_news *n;

	/* First this, then the stack: what comes from here on posts anew. */
	atomic_store(&d->news_posted, false);
	n = atomic_exchange(&d->news, NULL);
	while (n) {
		struct imapd_session *s = n->session;
		struct imapd_news *next = n->next;

		atomic_store(&n->is_stacked, false);
		if (!s) {
			free(n);
		} else if (s->state == IMAPD_LINE && s->is_idle) {
			d->stats.news++;
			imapd_tell(s, true, false);
			imapd_resume(s);
		}
		n = next;
	}
}

static void changed(struct store_watch *watch)
{
	struct imapd_news *n = container_of(watch, struct imapd_news, watch);
	struct imapd *d = n->imapd;

	atomic_store(&n->is_set, true);
	if (atomic_exchange(&n->is_stacked, true))
		return;
	n->next = atomic_load_explicit(&d->news, memory_order_relaxed);
	while (!atomic_compare_exchange_weak(&d->news, &n->next, n))
		;
	if (!atomic_exchange(&d->news_posted, true) && !net_post(d->net, run_news, d))
		atomic_store(&d->news_posted, false);
}

struct imapd_news *imapd_news_new(struct imapd_session *s, uint32_t box)
{
	struct imapd_news *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->imapd = s->imapd;
	n->session = s;
	n->watch.changed = changed;
	watch_add(s->imapd->store, &n->watch, box);
	return n;
}

void imapd_news_free(struct imapd *d, struct imapd_news *n)
{
	if (!n)
		return;
	watch_remove(d->store, &n->watch);
	/* From here on only our own thread has it; the stack may, too. */
	n->session = NULL;
	if (!atomic_load(&n->is_stacked))
		free(n);
}

void imapd_news_drop(struct imapd *d)
{
	run_news(d);
}

bool imapd_news_take(struct imapd_news *n)
{
	return atomic_exchange(&n->is_set, false);
}

/*
 * LIST and LSUB (RFC 3501 6.3.8 and 6.3.9), with what RFC 3348 and RFC 6154 add to them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "apps/mail/wire/imap_pattern.h"
#include "apps/mail/wire/utf7.h"

enum { NAME_MAX_UTF7 = 2 * STORE_MAILBOX_NAME_MAX + 16 };

/* Names of a user, sorted, as IMAP writes them. */
struct names {
	struct name {
		char *text;
		bool can_select;
		unsigned uses;
	} * at;
	size_t n;
	bool failed;
};

static bool push(struct names *names, struct str utf8, bool can_select, unsigned uses)
{
	char utf7[NAME_MAX_UTF7];
	struct str name = { utf7, 0 };
	struct name *at;

	/* A name that IMAP did not make and cannot say is left out. */
	if (utf7_emit(utf8, utf7, sizeof(utf7), &name.len) < 0)
		return true;
	at = reallocarray(names->at, names->n + 1, sizeof(*at));
	if (at)
		names->at = at;
	if (!at || !(at[names->n].text = str_dup(name))) {
		names->failed = true;
		return false;
	}
	at[names->n].can_select = can_select;
	at[names->n++].uses = uses;
	return true;
}

static bool push_mailbox(void *arg, const struct store_mailbox *m)
{
	bool can_select = m->box != 0 || str_eq(m->name, STR("INBOX"));

	return push(arg, m->name, can_select, imapd_uses(m->info.uses));
}

static bool push_subscription(void *arg, struct str name)
{
	return push(arg, name, true, 0);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->at[i].text);
	free(names->at);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static int read_names(struct imapd_session *s, bool subscribed, struct names *names)
{
	struct store_read *read;
	int rc = store_read_begin(s->imapd->store, &read);

	if (rc)
		return rc;
	if (subscribed)
		rc = store_each_subscription(read, str_of(s->user), push_subscription,
					     names);
	else
		rc = store_each_mailbox(read, str_of(s->user), push_mailbox, names);
	store_read_end(read);
	return rc == 0 && names->failed ? -ENOMEM : rc;
}

/* False: refused, and that was said. */
static bool load(struct imapd_session *s, bool subscribed, struct names *names)
{
	int rc = read_names(s, subscribed, names);

	if (rc) {
		imapd_failed(s, rc == -ENOENT ? -EIO : rc, false);
		return false;
	}
	if (names->n > 0)
		qsort(names->at, names->n, sizeof(*names->at), compare);
	return true;
}

/* The first name that is not below @text. */
static size_t lower_bound(const struct names *names, const char *text)
{
	size_t low = 0, high = names->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(names->at[mid].text, text) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has_children(const struct names *names, const char *text)
{
	char prefix[NAME_MAX_UTF7 + 1];
	size_t len = (size_t)snprintf(prefix, sizeof(prefix), "%s/", text);
	size_t i = lower_bound(names, prefix);

	return i < names->n && strncmp(names->at[i].text, prefix, len) == 0;
}

struct patterns {
	struct imap_pattern at[IMAP_WORDS_MAX];
	uint32_t n;
};

static bool matches(const struct patterns *p, const char *name)
{
	for (uint32_t i = 0; i < p->n; i++)
		if (imap_pattern_match(&p->at[i], str_of(name)))
			return true;
	return false;
}

/* NULL: refused, and that was said. */
static struct patterns *patterns_new(struct imapd_session *s)
{
	const struct imap_list *list = &s->parse.cmd.list;
	struct patterns *p = calloc(1, sizeof(*p));

	if (!p) {
		imapd_done(s, "NO [UNAVAILABLE] Out of memory");
		return NULL;
	}
	for (; p->n < list->patterns.n; p->n++)
		if (imap_pattern_init(&p->at[p->n], list->reference,
				      list->patterns.v[p->n], '/') < 0) {
			imapd_refuse(s, "The pattern is too long");
			free(p);
			return NULL;
		}
	return p;
}

static void say_name(struct imapd_session *s, const struct names *names,
		     const struct name *name)
{
	unsigned attrs = has_children(names, name->text) ? IMAP_MAILBOX_HASCHILDREN :
							   IMAP_MAILBOX_HASNOCHILDREN;

	if (!name->can_select)
		attrs |= IMAP_MAILBOX_NOSELECT;
	imap_emit_list(&s->imapd->emit, "LIST", attrs, name->uses, '/',
		       str_of(name->text));
}

static void list_names(struct imapd_session *s, const struct patterns *p)
{
	const struct imap_list *list = &s->parse.cmd.list;
	struct names names = { 0 };

	if (load(s, false, &names)) {
		for (size_t i = 0; i < names.n; i++)
			if (matches(p, names.at[i].text) &&
			    (!(list->selects & IMAP_LIST_SPECIAL_USE) ||
			     names.at[i].uses))
				say_name(s, &names, &names.at[i]);
		imapd_flush(s);
		imapd_done(s, "OK Done");
	}
	names_free(&names);
}

void imapd_list(struct imapd_session *s)
{
	enum { OFFERED = IMAP_LIST_SPECIAL_USE | IMAP_LIST_CHILDREN };
	const struct imap_list *list = &s->parse.cmd.list;
	struct patterns *p;

	if ((list->selects | list->returns) & ~(unsigned)OFFERED) {
		imapd_refuse(s, "That extension is not offered");
		return;
	}
	/* RFC 3501 6.3.8: an empty pattern asks for the delimiter. */
	if (!list->is_extended && list->patterns.n == 1 && list->patterns.v[0].len == 0) {
		imap_emit_list(&s->imapd->emit, "LIST", IMAP_MAILBOX_NOSELECT, 0, '/',
			       STR(""));
		imapd_flush(s);
		imapd_done(s, "OK Done");
		return;
	}
	p = patterns_new(s);
	if (!p)
		return;
	list_names(s, p);
	free(p);
}

/*
 * RFC 3501 6.3.9: a level above a subscribed name that matches, where the name itself does
 * not, is said with \Noselect; once for all below it, which are neighbours.
 */
static void say_above(struct imapd_session *s, const struct names *names,
		      const struct patterns *p, const char *text)
{
	char above[NAME_MAX_UTF7 + 1], prefix[NAME_MAX_UTF7 + 2];

	for (const char *slash = strchr(text, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		size_t i;

		snprintf(above, sizeof(above), "%.*s", (int)(slash - text), text);
		snprintf(prefix, sizeof(prefix), "%s/", above);
		i = lower_bound(names, above);
		if ((i < names->n && strcmp(names->at[i].text, above) == 0) ||
		    strcmp(names->at[lower_bound(names, prefix)].text, text) != 0)
			continue; /* it is subscribed, or was said */
		if (matches(p, above) && !matches(p, text))
			imap_emit_list(&s->imapd->emit, "LSUB", IMAP_MAILBOX_NOSELECT, 0,
				       '/', str_of(above));
	}
}

void imapd_lsub(struct imapd_session *s)
{
	struct patterns *p = patterns_new(s);
	struct names names = { 0 };

	if (!p)
		return;
	if (load(s, true, &names)) {
		for (size_t i = 0; i < names.n; i++) {
			say_above(s, &names, p, names.at[i].text);
			if (matches(p, names.at[i].text))
				imap_emit_list(&s->imapd->emit, "LSUB", 0, 0, '/',
					       str_of(names.at[i].text));
		}
		imapd_flush(s);
		imapd_done(s, "OK Done");
	}
	names_free(&names);
	free(p);
}

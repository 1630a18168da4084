#include "apps/mail/imapd/view.h"

_Static_assert((int)STORE_SEEN == (int)IMAP_SEEN && (int)STORE_DRAFT == (int)IMAP_DRAFT &&
		       (int)STORE_ANSWERED == (int)IMAP_ANSWERED &&
		       (int)STORE_FLAGGED == (int)IMAP_FLAGGED &&
		       (int)STORE_DELETED == (int)IMAP_DELETED,
	       "flags are numbered alike");

void view_emit_flags(const struct imapd_view *v, uint32_t i, struct imap_emit *e)
{
	const struct view_msg *m = &v->msgs[i];
	struct str names[STORE_KEYWORDS_MAX];
	struct imap_flags flags = { .system = m->flags & STORE_FLAGS_ALL,
				    .keywords = names };

	if (m->marks & VIEW_RECENT)
		flags.system |= IMAP_RECENT;
	for (unsigned k = 0; k < v->keywords.n; k++)
		if (m->flags >> (STORE_KEYWORD_BIT + k) & 1)
			names[flags.n_keywords++] = v->keywords.names[k];
	imap_emit_flags(e, &flags);
}

void view_emit_all_flags(const struct imapd_view *v, struct imap_emit *e)
{
	struct imap_flags flags = { .system = STORE_FLAGS_ALL,
				    .n_keywords = v->keywords.n,
				    .keywords = v->keywords.names };

	imap_emit_puts(e, "* FLAGS ");
	imap_emit_flags(e, &flags);
	imap_emit_puts(e, "\r\n* OK [PERMANENTFLAGS ");
	if (v->is_read_only) {
		imap_emit_puts(e, "()] Nothing can be changed\r\n");
		return;
	}
	imap_emit_flags(e, &flags);
	if (v->keywords.n < STORE_KEYWORDS_MAX) {
		/* RFC 3501 7.1: "\*" for keywords that may still be made. */
		e->len--;
		imap_emit_puts(e, " \\*)");
	}
	imap_emit_puts(e, "] Flags that stay\r\n");
}

/* RFC 3501 7.4.1: each EXPUNGE changes the numbers behind it; so from the end. */
static void tell_gone(struct imapd_view *v, struct imap_emit *e)
{
	uint32_t kept = 0, told = 0;

	for (uint32_t i = v->n; i-- > 0;)
		if (v->msgs[i].marks & VIEW_GONE && i < v->n_told)
			imap_emit_printf(e, "* %u EXPUNGE\r\n", i + 1);
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->msgs[i].marks & VIEW_GONE) {
			v->n_recent -= !!(v->msgs[i].marks & VIEW_RECENT);
			v->n_changed -= !!(v->msgs[i].marks & VIEW_CHANGED);
			continue;
		}
		told += i < v->n_told;
		v->msgs[kept++] = v->msgs[i];
	}
	v->n = kept;
	v->n_told = told;
	v->n_gone = 0;
}

static void tell_changed(struct imapd_view *v, struct imap_emit *e, bool with_uid)
{
	for (uint32_t i = 0; i < v->n; i++) {
		struct view_msg *m = &v->msgs[i];

		if (!(m->marks & VIEW_CHANGED))
			continue;
		m->marks &= ~(uint32_t)VIEW_CHANGED;
		if (m->marks & VIEW_GONE)
			continue;
		imap_emit_printf(e, "* %u FETCH (", i + 1);
		if (with_uid)
			imap_emit_printf(e, "UID %u ", m->uid);
		imap_emit_puts(e, "FLAGS ");
		view_emit_flags(v, i, e);
		imap_emit_puts(e, ")\r\n");
	}
	v->n_changed = 0;
}

bool view_tell(struct imapd_view *v, struct imap_emit *e, bool may_expunge, bool with_uid)
{
	bool has_new;

	if (may_expunge && v->n_gone > 0)
		tell_gone(v, e);
	has_new = v->n > v->n_told;
	if (has_new) {
		if (!v->is_read_only)
			view_mark_recent(v, v->msgs[v->n_told].uid);
		imap_emit_printf(e, "* %u EXISTS\r\n* %u RECENT\r\n", v->n, v->n_recent);
		v->n_told = v->n;
	}
	if (v->has_new_keywords)
		view_emit_all_flags(v, e);
	v->has_new_keywords = false;
	if (v->n_changed > 0)
		tell_changed(v, e, with_uid);
	return has_new;
}

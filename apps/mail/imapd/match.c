#include "apps/mail/imapd/match.h"

#include <stdlib.h>

#include "apps/mail/imapd/fold.h"
#include "apps/mail/imapd/match_text.h"
#include "apps/mail/imapd/view.h"
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/imap_cmd.h"
#include "apps/mail/wire/mime.h"

enum { DAY_S = 86400 };

struct match {
	const struct imapd_view *view;
	struct match_text *text;
	struct mime *mime;
	/* The message being looked at. */
	struct store_read *read;
	uint32_t i;
	enum { NOT_READ, UNREADABLE, READ, PARSED } state;
	struct str pieces[2];
};

static void fold_text(struct str text)
{
	/* It lies in the command's arena, which is the search's own. */
	fold((char *)(uintptr_t)text.p, text.len);
}

void match_prepare(struct imap_key *key, const struct imapd_view *view)
{
	switch (key->kind) {
	case IMAP_KEY_AND:
	case IMAP_KEY_OR:
		for (struct imap_key *kid = key->kids; kid; kid = kid->next)
			match_prepare(kid, view);
		break;
	case IMAP_KEY_SEQ: (void)view_resolve(view, &key->set, false); break;
	case IMAP_KEY_UID: (void)view_resolve(view, &key->set, true); break;
	case IMAP_KEY_HEADER: fold_text(key->header.text); break;
	case IMAP_KEY_BODY:
	case IMAP_KEY_TEXT: fold_text(key->text); break;
	case IMAP_KEY_ALL:
	case IMAP_KEY_FLAG:
	case IMAP_KEY_KEYWORD:
	case IMAP_KEY_BEFORE:
	case IMAP_KEY_ON:
	case IMAP_KEY_SINCE:
	case IMAP_KEY_SENTBEFORE:
	case IMAP_KEY_SENTON:
	case IMAP_KEY_SENTSINCE:
	case IMAP_KEY_LARGER:
	case IMAP_KEY_SMALLER:
	case IMAP_KEY_MODSEQ: break;
	}
}

static bool has_kids(const struct imap_key *key)
{
	return key->kind == IMAP_KEY_AND || key->kind == IMAP_KEY_OR;
}

bool match_reads(const struct imap_key *key)
{
	if (!has_kids(key))
		return key->kind == IMAP_KEY_HEADER || key->kind == IMAP_KEY_BODY ||
		       key->kind == IMAP_KEY_TEXT || key->kind == IMAP_KEY_SENTBEFORE ||
		       key->kind == IMAP_KEY_SENTON || key->kind == IMAP_KEY_SENTSINCE;
	for (const struct imap_key *kid = key->kids; kid; kid = kid->next)
		if (match_reads(kid))
			return true;
	return false;
}

bool match_has_modseq(const struct imap_key *key)
{
	if (!has_kids(key))
		return key->kind == IMAP_KEY_MODSEQ;
	for (const struct imap_key *kid = key->kids; kid; kid = kid->next)
		if (match_has_modseq(kid))
			return true;
	return false;
}

struct match *match_new(const struct imapd_view *view)
{
	struct match *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->view = view;
	m->mime = mime_new(&mime_limits_default);
	m->text = match_text_new();
	if (!m->mime || !m->text) {
		match_free(m);
		return NULL;
	}
	return m;
}

void match_free(struct match *m)
{
	if (!m)
		return;
	match_text_free(m->text);
	mime_free(m->mime);
	free(m);
}

static bool load(struct match *m)
{
	const struct view_msg *v = &m->view->msgs[m->i];
	const struct store_msg msg = { .msg = v->msg,
				       .box = m->view->box,
				       .uid = v->uid };

	if (m->state == NOT_READ)
		m->state = m->read && store_msg_bytes(m->read, &msg, m->pieces) == 0 ?
				   READ :
				   UNREADABLE;
	return m->state >= READ;
}

static struct str header_of(const struct match *m)
{
	return (struct str){ m->pieces[1].p, header_len(m->pieces[1]) };
}

static bool has_field(struct match *m, struct str name, struct str text)
{
	return load(m) && (match_text_field(m->text, m->pieces[0], name, text) ||
			   match_text_field(m->text, header_of(m), name, text));
}

static bool has_text(struct match *m, struct str text, bool with_header)
{
	if (!load(m))
		return false;
	if (text.len == 0)
		return true;
	if (with_header && (match_text_header(m->text, m->pieces[0], text) ||
			    match_text_header(m->text, header_of(m), text)))
		return true;
	if (m->state != PARSED)
		mime_parse(m->mime, m->pieces[1]);
	m->state = PARSED;
	return match_text_parts(m->text, m->mime, m->pieces[1], text);
}

static int64_t floor_days(int64_t s)
{
	return s >= 0 ? s / DAY_S : -((DAY_S - 1 - s) / DAY_S);
}

/* RFC 3501 6.4.4: the day as it was written, without its zone. */
static bool is_sent(struct match *m, const struct imap_key *key)
{
	struct header_field field;
	struct header_date date;
	int64_t day;

	if (!load(m) || !header_find(header_of(m), STR("Date"), &field) ||
	    !header_date(field.value, &date))
		return false;
	day = floor_days(date.utc_s + date.zone_s);
	return key->kind == IMAP_KEY_SENTBEFORE ? day < key->days :
	       key->kind == IMAP_KEY_SENTON	? day == key->days :
						  day >= key->days;
}

static bool has_flag(const struct match *m, unsigned flag)
{
	const struct view_msg *v = &m->view->msgs[m->i];

	return flag == IMAP_RECENT ? v->marks & VIEW_RECENT : v->flags & flag;
}

static bool is(struct match *m, const struct imap_key *key);

/* What costs little first. */
static bool is_all(struct match *m, const struct imap_key *kids)
{
	const struct imap_key *kid;

	for (kid = kids; kid; kid = kid->next)
		if (!match_reads(kid) && !is(m, kid))
			return false;
	for (kid = kids; kid; kid = kid->next)
		if (match_reads(kid) && !is(m, kid))
			return false;
	return true;
}

static bool is_any(struct match *m, const struct imap_key *kids)
{
	const struct imap_key *kid;

	for (kid = kids; kid; kid = kid->next)
		if (!match_reads(kid) && is(m, kid))
			return true;
	for (kid = kids; kid; kid = kid->next)
		if (match_reads(kid) && is(m, kid))
			return true;
	return false;
}

static bool is_key(struct match *m, const struct imap_key *key)
{
	const struct view_msg *v = &m->view->msgs[m->i];
	int64_t day = (int64_t)(v->date_s / DAY_S);

	switch (key->kind) {
	case IMAP_KEY_AND: return is_all(m, key->kids);
	case IMAP_KEY_OR: return is_any(m, key->kids);
	case IMAP_KEY_ALL: return true;
	case IMAP_KEY_SEQ: return imap_set_has(&key->set, m->i + 1);
	case IMAP_KEY_UID: return imap_set_has(&key->set, v->uid);
	case IMAP_KEY_FLAG: return has_flag(m, key->flag);
	case IMAP_KEY_KEYWORD:
		return v->flags & store_keyword_bit(&m->view->keywords, key->keyword);
	case IMAP_KEY_BEFORE: return day < key->days;
	case IMAP_KEY_ON: return day == key->days;
	case IMAP_KEY_SINCE: return day >= key->days;
	case IMAP_KEY_SENTBEFORE:
	case IMAP_KEY_SENTON:
	case IMAP_KEY_SENTSINCE: return is_sent(m, key);
	case IMAP_KEY_LARGER: return v->size > key->size;
	case IMAP_KEY_SMALLER: return v->size < key->size;
	case IMAP_KEY_HEADER: return has_field(m, key->header.name, key->header.text);
	case IMAP_KEY_BODY: return has_text(m, key->text, false);
	case IMAP_KEY_TEXT: return has_text(m, key->text, true);
	case IMAP_KEY_MODSEQ: return v->modseq >= key->modseq;
	}
	return false;
}

static bool is(struct match *m, const struct imap_key *key)
{
	return is_key(m, key) != key->is_not;
}

bool match_message(struct match *m, struct store_read *read, const struct imap_key *key,
		   uint32_t i)
{
	m->read = read;
	m->i = i;
	m->state = NOT_READ;
	return is(m, key);
}

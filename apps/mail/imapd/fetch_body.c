/*
 * BODY[...] of FETCH: octets of a message, lent to the network from the store's map.
 *
 *	pieces[0]            pieces[1]
 *	what stands before   header              body
 *	0                    |                   |                   end
 *
 * The store holds the message until the network has returned the last octet, and that may
 * be after the session: so a loan has nothing to do with the session but that it is one
 * of its owners.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/imapd/cmd.h"
#include "apps/mail/imapd/view.h"
#include "apps/mail/wire/header.h"

struct imapd_loan {
	struct store *store;
	struct store_hold *hold;
	uint32_t n_owners; /* pieces with the network, and the session */
};

static void loan_return(void *arg)
{
	struct imapd_loan *loan = arg;

	if (--loan->n_owners > 0)
		return;
	store_release(loan->store, loan->hold);
	free(loan);
}

/* Holds the message that is begun.  NULL: it is gone, or cannot be read. */
static struct imapd_loan *loan_take(struct imapd_session *s)
{
	const struct view_msg *m = &s->view->msgs[s->out.at];
	const struct store_msg msg = { .msg = m->msg,
				       .box = s->view->box,
				       .uid = m->uid };
	struct imapd_loan *loan = s->out.loan;

	if (loan)
		return loan;
	loan = malloc(sizeof(*loan));
	if (!loan)
		return NULL;
	*loan = (struct imapd_loan){ .store = s->imapd->store, .n_owners = 1 };
	if (store_hold(loan->store, &msg, &loan->hold)) {
		free(loan);
		return NULL;
	}
	s->out.loan = loan;
	return loan;
}

void imapd_fetch_end(struct imapd_session *s)
{
	if (s->out.loan)
		loan_return(s->out.loan);
	s->out.loan = NULL;
	s->out.from = s->out.to = 0;
}

/* Octets of a message. */
struct range {
	uint64_t from, to;
};

/* The part that the section's numbers name; NULL: there is none. */
static const struct mime_part *find_part(const struct mime *mime,
					 const struct imap_section *section)
{
	char path[IMAP_PARTS_MAX * 11];
	size_t len = 0;

	for (uint32_t i = 0; i < section->n_parts; i++)
		len += (size_t)snprintf(path + len, sizeof(path) - len, "%s%" PRIu32,
					i ? "." : "", section->parts[i]);
	return mime_part(mime, mime_find(mime, (struct str){ path, len }));
}

/* Of a part of the message, whose octets begin behind what stands before it. */
static bool part_range(struct imapd_session *s, const struct str pieces[2],
		       const struct imap_section *section, struct range *r)
{
	struct mime *mime = s->imapd->mime;
	const struct mime_part *p;

	mime_parse(mime, pieces[1]);
	p = find_part(mime, section);
	if (!p)
		return false;
	if (section->what != IMAP_SECTION_ALL && section->what != IMAP_SECTION_MIME) {
		/* RFC 3501 6.4.5: these are of a message inside of the message. */
		if (p->kind != MIME_MESSAGE)
			return false;
		p = mime_part(mime, p->child);
	}
	if (section->what == IMAP_SECTION_ALL || section->what == IMAP_SECTION_TEXT)
		*r = (struct range){ p->body_at, p->body_at + p->body_len };
	else
		*r = (struct range){ p->header_at, p->header_at + p->header_len };
	r->from += pieces[0].len;
	r->to += pieces[0].len;
	return true;
}

static struct imap_section section_of(const struct imap_fetch_item *item)
{
	struct imap_section section = item->section;

	if (item->kind == IMAP_FETCH_RFC822_HEADER)
		section.what = IMAP_SECTION_HEADER;
	else if (item->kind == IMAP_FETCH_RFC822_TEXT)
		section.what = IMAP_SECTION_TEXT;
	else if (item->kind == IMAP_FETCH_RFC822)
		section.what = IMAP_SECTION_ALL;
	return section;
}

/* False: there is no such part. */
static bool find_range(struct imapd_session *s, const struct str pieces[2],
		       const struct imap_section *section, struct range *r)
{
	uint64_t end = pieces[0].len + pieces[1].len;
	uint64_t body = pieces[0].len;

	if (section->n_parts > 0)
		return part_range(s, pieces, section, r);
	if (section->what != IMAP_SECTION_ALL)
		body += header_len(pieces[1]);
	switch (section->what) {
	case IMAP_SECTION_ALL: *r = (struct range){ 0, end }; break;
	case IMAP_SECTION_TEXT: *r = (struct range){ body, end }; break;
	case IMAP_SECTION_HEADER:
	case IMAP_SECTION_FIELDS:
	case IMAP_SECTION_FIELDS_NOT:
	case IMAP_SECTION_MIME: *r = (struct range){ 0, body }; break;
	}
	return true;
}

static bool is_named(const struct imap_section *section, struct str name)
{
	for (uint32_t i = 0; i < section->n_fields; i++)
		if (str_eq_nocase(section->fields[i], name))
			return true;
	return false;
}

static void take_fields(struct imap_emit *e, const struct imap_section *section,
			struct str header)
{
	bool wanted = section->what == IMAP_SECTION_FIELDS;
	struct header_field field;

	while (header_next(&header, &field))
		if (is_named(section, field.name) == wanted)
			imap_emit_bytes(e, field.whole);
}

/* What lies of @r in the piece that begins at @at. */
static struct str cut(struct str piece, uint64_t at, const struct range *r)
{
	uint64_t from = r->from > at ? r->from - at : 0;
	uint64_t to = r->to > at ? r->to - at : 0;

	if (to > piece.len)
		to = piece.len;
	if (from >= to)
		return STR("");
	return (struct str){ piece.p + from, (size_t)(to - from) };
}

/* <offset.len> */
static void cut_partial(const struct imap_fetch_item *item, struct range *r)
{
	if (!item->is_partial)
		return;
	r->from = item->offset < r->to - r->from ? r->from + item->offset : r->to;
	if (item->len < r->to - r->from)
		r->to = r->from + item->len;
}

/* Some fields of a header, and the empty line behind: they are gathered. */
static void emit_fields(struct imapd_session *s, const struct imap_fetch_item *item,
			const struct imap_section *section, const struct range *header)
{
	const struct str *pieces = s->out.loan->hold->pieces;
	struct imap_emit *e = &s->imapd->emit, fields;
	struct range r = { 0 };

	imap_emit_init(&fields);
	take_fields(&fields, section, cut(pieces[0], 0, header));
	take_fields(&fields, section, cut(pieces[1], pieces[0].len, header));
	imap_emit_puts(&fields, "\r\n");
	e->is_failed |= fields.is_failed;
	r.to = fields.len;
	cut_partial(item, &r);
	imap_emit_literal(e, r.to - r.from);
	imap_emit_bytes(e, cut((struct str){ fields.p, fields.len }, 0, &r));
	s->imapd->stats.bytes += r.to - r.from;
	imap_emit_fini(&fields);
}

void imapd_fetch_section(struct imapd_session *s, const struct imap_fetch_item *item)
{
	const struct imap_section section = section_of(item);
	struct imap_emit *e = &s->imapd->emit;
	struct imapd_loan *loan = loan_take(s);
	const struct str *pieces;
	struct range r = { 0 };

	imap_emit_fetch_name(e, item);
	imap_emit_puts(e, " ");
	if (!loan || !find_range(s, loan->hold->pieces, &section, &r)) {
		s->out.has_missed |= !loan;
		imap_emit_puts(e, "NIL");
		return;
	}
	if (section.what == IMAP_SECTION_FIELDS ||
	    section.what == IMAP_SECTION_FIELDS_NOT) {
		emit_fields(s, item, &section, &r);
		return;
	}
	cut_partial(item, &r);
	imap_emit_literal(e, r.to - r.from);
	s->imapd->stats.bytes += r.to - r.from;
	if (r.to - r.from > IMAPD_COPY_MAX) {
		s->out.from = r.from;
		s->out.to = r.to;
		return;
	}
	pieces = loan->hold->pieces;
	imap_emit_bytes(e, cut(pieces[0], 0, &r));
	imap_emit_bytes(e, cut(pieces[1], pieces[0].len, &r));
}

static void write_piece(struct imapd_session *s, struct str piece)
{
	if (piece.len <= IMAPD_COPY_MAX) {
		io_write(s->io, piece.p, piece.len);
		return;
	}
	s->out.loan->n_owners++;
	io_write_ref(s->io, piece.p, piece.len, loan_return, s->out.loan);
}

void imapd_fetch_octets(struct imapd_session *s, size_t room)
{
	const struct str *pieces = s->out.loan->hold->pieces;
	struct range r = { s->out.from, s->out.to };

	if (r.to - r.from > room)
		r.to = r.from + room;
	s->out.from = r.to;
	write_piece(s, cut(pieces[0], 0, &r));
	write_piece(s, cut(pieces[1], pieces[0].len, &r));
}

/*
 * What the header of a part says: each content field is read at its end, and of what it
 * says a copy is kept as long as the parts are.
 */
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/lex.h"
#include "apps/mail/wire/mime_impl.h"

enum field {
	F_VERSION,
	F_TYPE,
	F_ENCODING,
	F_DISPOSITION,
	F_ID,
	F_DESCRIPTION,
	F_LANGUAGE,
	F_LOCATION,
	F_MD5,
	F_COUNT,
};

static const struct str names[F_COUNT] = {
	[F_VERSION] = STR("MIME-Version"),
	[F_TYPE] = STR("Content-Type"),
	[F_ENCODING] = STR("Content-Transfer-Encoding"),
	[F_DISPOSITION] = STR("Content-Disposition"),
	[F_ID] = STR("Content-ID"),
	[F_DESCRIPTION] = STR("Content-Description"),
	[F_LANGUAGE] = STR("Content-Language"),
	[F_LOCATION] = STR("Content-Location"),
	[F_MD5] = STR("Content-MD5"),
};

static enum field field_of(struct str name)
{
	char first = (char)(name.p[0] | 0x20);

	if (first != 'c' && first != 'm')
		return F_COUNT;
	for (enum field f = 0; f < F_COUNT; f++)
		if (str_eq_nocase(name, names[f]))
			return f;
	return F_COUNT;
}

bool mime_fields_wants(struct str name)
{
	return field_of(name) != F_COUNT;
}

/* A copy that stays; empty, and noted, when there is no room. */
static struct str keep(struct mime *m, struct str s)
{
	char *copy;

	if (s.len == 0)
		return (struct str){ "", 0 };
	copy = imap_arena_get(&m->arena, s.len);
	if (!copy) {
		mime_note(m, m->now, MIME_ODD_LIMIT_MEMORY);
		return (struct str){ "", 0 };
	}
	memcpy(copy, s.p, s.len);
	return (struct str){ copy, s.len };
}

static struct mime_params keep_params(struct mime *m, const struct param_list *list)
{
	struct param *copy;

	if (list->odd)
		mime_note(m, m->now, MIME_ODD_PARAM);
	if (list->n == 0)
		return (struct mime_params){ 0, NULL };
	copy = imap_arena_get(&m->arena, list->n * sizeof(*copy));
	if (!copy) {
		mime_note(m, m->now, MIME_ODD_LIMIT_MEMORY);
		return (struct mime_params){ 0, NULL };
	}
	for (unsigned i = 0; i < list->n; i++) {
		const struct param *p = &list->param[i];

		copy[i] = (struct param){
			.name = keep(m, p->name),
			.value = keep(m, p->value),
			.charset = keep(m, p->charset),
			.lang = keep(m, p->lang),
			.is_extended = p->is_extended,
		};
	}
	return (struct mime_params){ list->n, copy };
}

static void read_type(struct mime *m, struct str value, struct wr *text)
{
	struct mime_part *p = mime_now(m);
	struct header_type t;

	if (!header_content_type(value, text, &t)) {
		mime_note(m, m->now, MIME_ODD_TYPE);
		return;
	}
	/* RFC 2045 5.2: what cannot be read is text/plain; but a boundary speaks for itself. */
	if (t.subtype.len == 0) {
		mime_note(m, m->now, MIME_ODD_TYPE);
		if (!str_eq_nocase(t.type, STR("multipart")))
			return;
		t.subtype = STR("mixed");
	}
	if (t.is_odd)
		mime_note(m, m->now, MIME_ODD_TYPE);
	p->has_type = true;
	p->type = keep(m, t.type);
	p->subtype = keep(m, t.subtype);
	p->params = keep_params(m, &t.params);
}

static void read_disposition(struct mime *m, struct str value, struct wr *text)
{
	struct mime_part *p = mime_now(m);
	struct header_type t;

	if (!header_content_disposition(value, text, &t) || t.is_odd)
		mime_note(m, m->now, MIME_ODD_PARAM);
	else
		p->disposition = keep(m, t.type);
	if (p->disposition.len > 0)
		p->disposition_params = keep_params(m, &t.params);
}

static void read_encoding(struct mime *m, struct str value)
{
	struct mime_part *p = mime_now(m);
	struct str name;
	enum enc enc;

	if (!header_content_encoding(value, &name, &enc)) {
		mime_note(m, m->now, MIME_ODD_ENC);
		return;
	}
	if (enc == ENC_OTHER)
		mime_note(m, m->now, MIME_ODD_ENC);
	p->enc = enc;
	p->enc_name = keep(m, name);
}

/* version := "MIME-Version" ":" 1*DIGIT "." 1*DIGIT, with comments (RFC 2045 4).  All are
 * read the same way. */
static void read_version(struct mime *m, struct str value)
{
	struct str rest = value;

	m->has_version = true;
	lex_cfws(&rest, NULL);
	if (!lex_eat(&rest, '1'))
		goto odd;
	lex_cfws(&rest, NULL);
	if (!lex_eat(&rest, '.'))
		goto odd;
	lex_cfws(&rest, NULL);
	if (!lex_eat(&rest, '0'))
		goto odd;
	lex_cfws(&rest, NULL);
	if (rest.len == 0)
		return;
odd:
	mime_note(m, m->now, MIME_ODD_VERSION);
}

static struct str read_text(struct mime *m, struct str value, struct wr *text)
{
	const uint8_t *from = text->p;

	header_unfold(value, text);
	return keep(m, lex_since(text, from));
}

static void read_field(struct mime *m, enum field f, struct str value)
{
	struct mime_part *p = mime_now(m);
	/* Values in other character sets grow when they are UTF-8. */
	char bytes[3 * MIME_FIELD_MAX];
	struct wr text = wr_of(bytes, sizeof(bytes));

	switch (f) {
	case F_VERSION: read_version(m, value); break;
	case F_TYPE: read_type(m, value, &text); break;
	case F_ENCODING: read_encoding(m, value); break;
	case F_DISPOSITION: read_disposition(m, value, &text); break;
	case F_ID: p->id = read_text(m, value, &text); break;
	case F_DESCRIPTION: p->description = read_text(m, value, &text); break;
	case F_LANGUAGE: p->language = read_text(m, value, &text); break;
	case F_LOCATION: p->location = read_text(m, value, &text); break;
	case F_MD5: p->md5 = read_text(m, value, &text); break;
	case F_COUNT: break;
	}
}

void mime_fields_end_field(struct mime *m)
{
	struct str all = { m->field, m->field_len };
	struct header_field field;
	enum field f;

	if (!m->in_field)
		return;
	m->in_field = false;
	m->field_len = 0;
	if (!header_next(&all, &field))
		return;
	f = field_of(field.name);
	if (m->seen & 1U << f) {
		mime_note(m, m->now, MIME_ODD_TWICE);
		return;
	}
	m->seen |= 1U << f;
	read_field(m, f, field.value);
}

/* RFC 2046 5.1.5: what a digest has in it is mail, if it does not say something else. */
static bool is_in_digest(const struct mime *m, const struct mime_part *p)
{
	return p->parent != MIME_NONE && m->parts[p->parent].kind == MIME_MULTIPART &&
	       str_eq_nocase(m->parts[p->parent].subtype, STR("digest"));
}

void mime_fields_end_header(struct mime *m)
{
	struct mime_part *p = mime_now(m);
	bool has_content, is_message;

	mime_fields_end_field(m);
	has_content = (m->seen & ~(1U << F_VERSION)) != 0;
	is_message = p->parent == MIME_NONE || m->parts[p->parent].kind == MIME_MESSAGE;
	if (has_content && is_message && !m->has_version)
		mime_note(m, m->now, MIME_ODD_NO_VERSION);
	if (p->has_type)
		return;
	p->type = is_in_digest(m, p) ? STR("message") : STR("text");
	p->subtype = is_in_digest(m, p) ? STR("rfc822") : STR("plain");
}

#include "apps/mail/wire/imap_body.h"

#include <stdlib.h>

#include "apps/mail/wire/imap_envelope.h"
#include "apps/mail/wire/mime.h"

struct body {
	struct imap_emit *e;
	const struct mime *m;
	struct str octets;
	uint64_t at;
	bool is_extended;
};

/* What the header does not have is NIL. */
static void nstring(struct imap_emit *e, struct str s)
{
	imap_emit_puts(e, " ");
	imap_emit_nstring(e, s.len > 0 ? s : (struct str){ NULL, 0 });
}

/* A value that was written by RFC 2231 is shown so, under its name with an asterisk. */
static void extended_value(struct imap_emit *e, const struct param *p)
{
	size_t cap = 3 * p->value.len + p->lang.len + sizeof("utf-8''");
	char *bytes = malloc(cap);
	struct wr w = wr_of(bytes, bytes ? cap : 0);

	if (!bytes) {
		e->is_failed = true;
		return;
	}
	param_emit_extended(&w, p->value, p->lang);
	imap_emit_string(e, (struct str){ bytes, (size_t)((char *)w.p - bytes) });
	free(bytes);
}

/* body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
static void params(struct imap_emit *e, const struct mime_params *params)
{
	imap_emit_puts(e, params->n > 0 ? " (" : " NIL");
	for (unsigned i = 0; i < params->n; i++) {
		const struct param *p = &params->param[i];

		imap_emit_puts(e, i > 0 ? " \"" : "\"");
		imap_emit_bytes(e, p->name);
		imap_emit_puts(e, p->is_extended ? "*\" " : "\" ");
		if (p->is_extended)
			extended_value(e, p);
		else
			imap_emit_string(e, p->value);
	}
	imap_emit_puts(e, params->n > 0 ? ")" : "");
}

/* body-fld-lang = nstring / "(" string *(SP string) ")" ; of Content-Language: en, de */
static void language(struct imap_emit *e, struct str value)
{
	bool is_list = value.len > 0 && memchr(value.p, ',', value.len);
	const char *before = " (";

	if (!is_list) {
		nstring(e, value);
		return;
	}
	while (value.len > 0) {
		struct str one = str_trim(str_cut(value, ',', &value));

		imap_emit_puts(e, before);
		imap_emit_string(e, one);
		before = " ";
	}
	imap_emit_puts(e, ")");
}

/* [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc]]], which both forms end with */
static void extension(struct imap_emit *e, const struct mime_part *p)
{
	if (p->disposition.len > 0) {
		imap_emit_puts(e, " (");
		imap_emit_string(e, p->disposition);
		params(e, &p->disposition_params);
		imap_emit_puts(e, ")");
	} else {
		imap_emit_puts(e, " NIL");
	}
	language(e, p->language);
	nstring(e, p->location);
}

/* body-fields = param SP id SP desc SP enc SP octets */
static void fields(struct imap_emit *e, const struct mime_part *p)
{
	/* RFC 2045 5.2: what stands for a header that says nothing of it. */
	if (p->params.n > 0 || !mime_is(p, STR("text"), STR("plain")))
		params(e, &p->params);
	else
		imap_emit_puts(e, " (\"charset\" \"us-ascii\")");
	nstring(e, p->id);
	nstring(e, p->description);
	imap_emit_puts(e, " ");
	imap_emit_string(e, p->enc_name.len > 0 ? p->enc_name : STR("7bit"));
	imap_emit_puts(e, " ");
	imap_emit_number(e, p->body_len);
}

static void lines(struct imap_emit *e, const struct mime_part *p)
{
	imap_emit_puts(e, " ");
	imap_emit_number(e, p->n_lines);
}

/* The header of the part, if it is among the octets. */
static struct str header_of(const struct body *b, const struct mime_part *p)
{
	if (p->header_at < b->at || p->header_at - b->at > b->octets.len ||
	    p->header_len > b->octets.len - (p->header_at - b->at))
		return STR("");
	return (struct str){ b->octets.p + (p->header_at - b->at),
			     (size_t)p->header_len };
}

static void part(const struct body *b, uint32_t i);

/* media-message SP body-fields SP envelope SP body SP body-fld-lines */
static void message(const struct body *b, const struct mime_part *p)
{
	imap_emit_puts(b->e, "\"message\" \"rfc822\"");
	fields(b->e, p);
	imap_emit_puts(b->e, " ");
	imap_envelope_emit(b->e, header_of(b, mime_part(b->m, p->child)));
	imap_emit_puts(b->e, " ");
	part(b, p->child);
	lines(b->e, p);
}

/* media-basic SP body-fields, or media-text SP body-fields SP body-fld-lines */
static void basic(struct imap_emit *e, const struct mime_part *p)
{
	bool is_closed = str_eq_nocase(p->type, STR("multipart")) ||
			 mime_is(p, STR("message"), STR("rfc822"));

	imap_emit_string(e, is_closed ? STR("application") : p->type);
	imap_emit_puts(e, " ");
	imap_emit_string(e, is_closed ? STR("octet-stream") : p->subtype);
	fields(e, p);
	if (str_eq_nocase(p->type, STR("text")))
		lines(e, p);
}

/* body-type-1part = (basic / text / message) [SP body-fld-md5 extension] */
static void one_part(const struct body *b, const struct mime_part *p)
{
	bool is_message = p->kind == MIME_MESSAGE && p->child != MIME_NONE &&
			  mime_is(p, STR("message"), STR("rfc822"));

	if (is_message)
		message(b, p);
	else
		basic(b->e, p);
	if (!b->is_extended)
		return;
	nstring(b->e, p->md5);
	extension(b->e, p);
}

/* body-type-mpart = 1*body SP media-subtype [SP body-fld-param extension] */
static void many_parts(const struct body *b, const struct mime_part *p)
{
	static const struct mime_part none = {
		.kind = MIME_LEAF,
		.type = { "text", 4 },
		.subtype = { "plain", 5 },
	};

	for (uint32_t i = p->child; i != MIME_NONE; i = mime_part(b->m, i)->next)
		part(b, i);
	if (p->child == MIME_NONE) {
		/* The grammar wants one. */
		imap_emit_puts(b->e, "(");
		one_part(b, &none);
		imap_emit_puts(b->e, ")");
	}
	imap_emit_puts(b->e, " ");
	imap_emit_string(b->e, p->subtype);
	if (!b->is_extended)
		return;
	params(b->e, &p->params);
	extension(b->e, p);
}

/* body = "(" (body-type-1part / body-type-mpart) ")" */
static void part(const struct body *b, uint32_t i)
{
	const struct mime_part *p = mime_part(b->m, i);

	imap_emit_puts(b->e, "(");
	if (p->kind == MIME_MULTIPART)
		many_parts(b, p);
	else
		one_part(b, p);
	imap_emit_puts(b->e, ")");
}

void imap_body_emit(struct imap_emit *e, const struct mime *m, struct str octets,
		    uint64_t at, bool is_extended)
{
	const struct body b = { e, m, octets, at, is_extended };

	part(&b, MIME_ROOT);
}

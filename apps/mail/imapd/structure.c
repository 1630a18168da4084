#include "apps/mail/imapd/structure.h"

#include <stdlib.h>

#include "apps/mail/wire/header.h"
#include "stack/base/byte.h"

enum {
	FORMAT = 1,
	HEAD_LEN = 8,
	FIELD_TEXT = 64 << 10, /* of an unfolded field; more is cut */
};

static const struct str nil = { NULL, 0 };

/* A field's value on one line; NIL when there is none. */
static void emit_field(struct imap_emit *e, struct str header, struct str name)
{
	struct header_field field;
	struct wr out;
	size_t room;
	char *text;

	if (!header_find(header, name, &field)) {
		imap_emit_nstring(e, nil);
		return;
	}
	room = field.value.len < FIELD_TEXT ? field.value.len : FIELD_TEXT;
	text = malloc(room + 1);
	if (!text) {
		e->is_failed = true;
		return;
	}
	out = wr_of(text, room);
	(void)header_unfold(field.value, &out);
	imap_emit_nstring(e, (struct str){ text, (size_t)((char *)out.p - text) });
	free(text);
}

static struct str or_nil(struct str s)
{
	return s.len > 0 ? s : nil;
}

/* address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")" */
static void emit_address(struct imap_emit *e, const struct header_addr *a)
{
	struct str parts[4] = { nil, nil, nil, nil };

	if (a->kind == HEADER_MAILBOX) {
		parts[0] = or_nil(a->name);
		parts[1] = or_nil(a->route);
		parts[2] = a->local.p ? a->local : STR("");
		/* A mailbox without host would read as the begin of a group. */
		parts[3] = a->domain.p ? a->domain : STR("");
	} else if (a->kind == HEADER_GROUP_BEGIN) {
		parts[2] = a->name.p ? a->name : STR("");
	}
	imap_emit_puts(e, "(");
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			imap_emit_puts(e, " ");
		imap_emit_nstring(e, parts[i]);
	}
	imap_emit_puts(e, ")");
}

/* "(" 1*address ")" / nil.  False: there is no such field, and nothing was written. */
static bool emit_addresses(struct imap_emit *e, struct str header, struct str name)
{
	struct header_field field;
	struct header_addrs it;
	struct header_addr addr;
	size_t room, n = 0;
	struct wr out;
	char *text;

	if (!header_find(header, name, &field))
		return false;
	room = field.value.len + 1;
	text = malloc(room);
	if (!text) {
		e->is_failed = true;
		return true;
	}
	header_addrs_init(&it, field.value);
	out = wr_of(text, room);
	while (header_addrs_next(&it, &out, &addr)) {
		imap_emit_puts(e, n++ == 0 ? "(" : "");
		emit_address(e, &addr);
		out = wr_of(text, room);
	}
	imap_emit_puts(e, n > 0 ? ")" : "");
	free(text);
	return n > 0;
}

static void emit_addresses_or(struct imap_emit *e, struct str header, struct str name,
			      struct str other)
{
	imap_emit_puts(e, " ");
	if (!emit_addresses(e, header, name) &&
	    (other.len == 0 || !emit_addresses(e, header, other)))
		imap_emit_nstring(e, nil);
}

void structure_envelope(struct imap_emit *e, struct str header)
{
	imap_emit_puts(e, "(");
	emit_field(e, header, STR("Date"));
	imap_emit_puts(e, " ");
	emit_field(e, header, STR("Subject"));
	emit_addresses_or(e, header, STR("From"), STR(""));
	/* RFC 3501 7.4.2: without these it is as From. */
	emit_addresses_or(e, header, STR("Sender"), STR("From"));
	emit_addresses_or(e, header, STR("Reply-To"), STR("From"));
	emit_addresses_or(e, header, STR("To"), STR(""));
	emit_addresses_or(e, header, STR("Cc"), STR(""));
	emit_addresses_or(e, header, STR("Bcc"), STR(""));
	imap_emit_puts(e, " ");
	emit_field(e, header, STR("In-Reply-To"));
	imap_emit_puts(e, " ");
	emit_field(e, header, STR("Message-ID"));
	imap_emit_puts(e, ")");
}

static void emit_params(struct imap_emit *e, const struct mime_params *params)
{
	char text[4 * PARAM_VALUE_MAX];

	if (params->n == 0) {
		imap_emit_nstring(e, nil);
		return;
	}
	for (unsigned i = 0; i < params->n; i++) {
		const struct param *p = &params->param[i];
		struct wr out = wr_of(text, sizeof(text));

		imap_emit_puts(e, i == 0 ? "(" : " ");
		if (p->is_extended) {
			/* As RFC 2231 writes it, which clients know how to read. */
			char name[PARAM_VALUE_MAX];
			struct wr n = wr_of(name, sizeof(name));

			wr_copy(&n, p->name.p, p->name.len);
			wr8(&n, '*');
			param_emit_extended(&out, p->value, p->lang);
			imap_emit_string(
				e, (struct str){ name, (size_t)((char *)n.p - name) });
			imap_emit_puts(e, " ");
			imap_emit_string(
				e, (struct str){ text, (size_t)((char *)out.p - text) });
			continue;
		}
		imap_emit_string(e, p->name);
		imap_emit_puts(e, " ");
		imap_emit_string(e, p->value);
	}
	imap_emit_puts(e, ")");
}

/* body-fld-dsp = "(" string SP body-fld-param ")" / nil */
static void emit_disposition(struct imap_emit *e, const struct mime_part *p)
{
	if (p->disposition.len == 0) {
		imap_emit_nstring(e, nil);
		return;
	}
	imap_emit_puts(e, "(");
	imap_emit_string(e, p->disposition);
	imap_emit_puts(e, " ");
	emit_params(e, &p->disposition_params);
	imap_emit_puts(e, ")");
}

/* " " body-fld-dsp " " body-fld-lang " " body-fld-loc */
static void emit_tail(struct imap_emit *e, const struct mime_part *p)
{
	imap_emit_puts(e, " ");
	emit_disposition(e, p);
	imap_emit_puts(e, " ");
	imap_emit_nstring(e, or_nil(p->language));
	imap_emit_puts(e, " ");
	imap_emit_nstring(e, or_nil(p->location));
}

static void emit_type(struct imap_emit *e, const struct mime_part *p)
{
	if (p->type.len == 0) {
		/* RFC 2045 5.2, and in a digest RFC 2046 5.1.5 */
		imap_emit_puts(e, p->kind == MIME_MESSAGE ? "\"message\" \"rfc822\"" :
							    "\"text\" \"plain\"");
		return;
	}
	imap_emit_string(e, p->type);
	imap_emit_puts(e, " ");
	imap_emit_string(e, p->subtype);
}

/* body-fields = params id description encoding octets */
static void emit_fields(struct imap_emit *e, const struct mime_part *p)
{
	emit_type(e, p);
	imap_emit_puts(e, " ");
	if (p->params.n == 0 && p->kind == MIME_LEAF &&
	    (p->type.len == 0 || mime_is(p, STR("text"), STR("plain"))))
		imap_emit_puts(e, "(\"charset\" \"us-ascii\")"); /* RFC 2045 5.2 */
	else
		emit_params(e, &p->params);
	imap_emit_puts(e, " ");
	imap_emit_nstring(e, or_nil(p->id));
	imap_emit_puts(e, " ");
	imap_emit_nstring(e, or_nil(p->description));
	imap_emit_puts(e, " ");
	imap_emit_string(e, p->enc_name.len ? p->enc_name : STR("7bit"));
	imap_emit_printf(e, " %llu", (unsigned long long)p->body_len);
}

static void emit_leaf(struct imap_emit *e, const struct mime *mime, struct str message,
		      const struct mime_part *p, bool extended)
{
	emit_fields(e, p);
	if (p->kind == MIME_MESSAGE) {
		const struct mime_part *kid = mime_part(mime, p->child);

		imap_emit_puts(e, " ");
		structure_envelope(e, (struct str){ message.p + kid->header_at,
						    (size_t)kid->header_len });
		imap_emit_puts(e, " ");
		structure_body(e, mime, message, p->child, extended);
	}
	if (p->kind == MIME_MESSAGE || p->type.len == 0 ||
	    str_eq_nocase(p->type, STR("text")))
		imap_emit_printf(e, " %llu", (unsigned long long)p->n_lines);
	if (!extended)
		return;
	imap_emit_puts(e, " ");
	imap_emit_nstring(e, or_nil(p->md5));
	emit_tail(e, p);
}

/* Depth is bounded by the limits of mime.h. */
void structure_body(struct imap_emit *e, const struct mime *mime, struct str message,
		    uint32_t i, bool extended)
{
	const struct mime_part *p = mime_part(mime, i);

	imap_emit_puts(e, "(");
	if (p->kind == MIME_MULTIPART && p->n_children > 0) {
		for (uint32_t k = p->child; k != MIME_NONE; k = mime_part(mime, k)->next)
			structure_body(e, mime, message, k, extended);
		imap_emit_puts(e, " ");
		imap_emit_string(e, p->subtype);
		if (extended) {
			imap_emit_puts(e, " ");
			emit_params(e, &p->params);
			emit_tail(e, p);
		}
	} else {
		emit_leaf(e, mime, message, p, extended);
	}
	imap_emit_puts(e, ")");
}

void structure_emit(struct imap_emit *e, const struct mime *mime, struct str message)
{
	const struct mime_part *root = mime_part(mime, MIME_ROOT);
	size_t begin = e->len;
	char head[HEAD_LEN] = { FORMAT };
	struct wr w = wr_of(head + 4, 4);

	imap_emit_bytes(e, (struct str){ head, sizeof(head) });
	structure_envelope(
		e, (struct str){ message.p + root->header_at, (size_t)root->header_len });
	wr32(&w, (uint32_t)(e->len - begin - HEAD_LEN));
	structure_body(e, mime, message, MIME_ROOT, true);
	if (!e->is_failed)
		memcpy(e->p + begin, head, sizeof(head));
}

bool structure_parse(struct str summary, struct structure *s)
{
	struct rd r = rd_of(summary.p, summary.len);
	bool known = rd8(&r) == FORMAT && rd8(&r) == 0 && rd16(&r) == 0;
	uint32_t len = rd32(&r);

	if (!known || r.bad || len > rd_left(&r))
		return false;
	s->envelope = (struct str){ summary.p + HEAD_LEN, len };
	s->body = (struct str){ summary.p + HEAD_LEN + len, rd_left(&r) - len };
	return true;
}

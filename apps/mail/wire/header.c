#include "apps/mail/wire/header.h"

#include "apps/mail/wire/lex.h"

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

/* ftext = %d33-57 / %d59-126 (RFC 5322 3.6.8) */
static bool is_ftext(char c)
{
	return c >= 33 && c <= 126 && c != ':';
}

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

/* With its line end. */
static size_t line_len(struct str s)
{
	const char *lf = s.len > 0 ? memchr(s.p, '\n', s.len) : NULL;

	return lf ? (size_t)(lf + 1 - s.p) : s.len;
}

/* A field: the name, and *value behind the colon, at the front of @s. */
static bool begins_field(struct str s, struct str *name, size_t *value_at)
{
	size_t n = 0, blanks = 0;

	while (n < s.len && is_ftext(s.p[n]))
		n++;
	while (n + blanks < s.len && is_wsp(s.p[n + blanks]))
		blanks++;
	if (n == 0 || n + blanks == s.len || s.p[n + blanks] != ':')
		return false;
	*name = (struct str){ s.p, n };
	*value_at = n + blanks + 1;
	return true;
}

/* Where a mailbox file was, such lines stay behind. */
static bool is_from_line(struct str s)
{
	return (s.len >= 5 && memcmp(s.p, "From ", 5) == 0) ||
	       (s.len >= 6 && memcmp(s.p, ">From ", 6) == 0);
}

static struct str trim(struct str s)
{
	lex_blanks(&s);
	while (s.len > 0 && lex_is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool header_next(struct str *header, struct header_field *field)
{
	struct str at = *header;
	size_t value_at, n;

	while (is_from_line(at))
		skip(&at, line_len(at));
	if (!begins_field(at, &field->name, &value_at))
		return false;
	n = line_len(at);
	while (n < at.len && is_wsp(at.p[n]))
		n += line_len((struct str){ at.p + n, at.len - n });
	field->whole = (struct str){ at.p, n };
	field->value = trim((struct str){ at.p + value_at, n - value_at });
	skip(&at, n);
	*header = at;
	return true;
}

bool header_find(struct str header, struct str name, struct header_field *field)
{
	struct header_field f;

	while (header_next(&header, &f)) {
		if (!str_eq_nocase(f.name, name))
			continue;
		*field = f;
		return true;
	}
	return false;
}

size_t header_len(struct str message)
{
	struct str rest = message;
	struct header_field f;

	while (header_next(&rest, &f))
		;
	if (!lex_eat(&rest, '\n') && rest.len > 1 && memcmp(rest.p, "\r\n", 2) == 0)
		skip(&rest, 2);
	return message.len - rest.len;
}

bool header_unfold(struct str value, struct wr *out)
{
	for (size_t at = 0; at < value.len;) {
		size_t n = 0;

		while (at + n < value.len && value.p[at + n] != '\r' &&
		       value.p[at + n] != '\n')
			n++;
		if (n > 0)
			wr_copy(out, value.p + at, n);
		at += n + 1;
	}
	return !out->bad;
}

/* msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS] */
bool header_msgid_next(struct str *rest, struct wr *text, struct str *id)
{
	const uint8_t *from;

	/* Phrases and stray characters up to the bracket. */
	for (;;) {
		lex_cfws(rest, NULL);
		if (rest->len == 0)
			return false;
		if (lex_eat(rest, '<'))
			break;
		if (lex_eat(rest, '"')) {
			uint8_t scrap[1];
			struct wr nowhere = wr_of(scrap, 0);

			lex_quoted(rest, &nowhere);
		} else {
			skip(rest, 1);
		}
	}
	from = text->p;
	lex_put(text, STR("<"));
	for (;;) {
		lex_cfws(rest, NULL);
		if (rest->len == 0 || rest->p[0] == '>')
			break;
		wr8(text, (uint8_t)rest->p[0]);
		skip(rest, 1);
	}
	lex_eat(rest, '>');
	lex_put(text, STR(">"));
	*id = lex_since(text, from);
	return true;
}

/* The parameters behind the first word. */
static void params(struct str in, struct wr *text, struct header_type *type)
{
	struct str behind;

	lex_cfws(&in, NULL);
	if (in.len > 0 && in.p[0] != ';')
		type->is_odd = true;
	str_cut(in, ';', &behind);
	param_parse(behind, text, &type->params);
}

/* content := "Content-Type" ":" type "/" subtype *(";" parameter) */
bool header_content_type(struct str value, struct wr *text, struct header_type *type)
{
	struct str main, sub = { value.p, 0 };
	bool is_odd = false;

	lex_cfws(&value, NULL);
	if (!lex_token(&value, &main))
		return false;
	lex_cfws(&value, NULL);
	if (lex_eat(&value, '/')) {
		lex_cfws(&value, NULL);
		is_odd = !lex_token(&value, &sub);
	} else {
		is_odd = true;
	}
	*type = (struct header_type){ .type = main, .subtype = sub, .is_odd = is_odd };
	params(value, text, type);
	return true;
}

/* disposition := "Content-Disposition" ":" disposition-type *(";" disposition-parm) */
bool header_content_disposition(struct str value, struct wr *text,
				struct header_type *type)
{
	struct str word;

	lex_cfws(&value, NULL);
	if (!lex_token(&value, &word))
		return false;
	*type = (struct header_type){ .type = word, .subtype = { word.p, 0 } };
	params(value, text, type);
	return true;
}

bool header_content_encoding(struct str value, struct str *name, enum enc *enc)
{
	struct str word;

	lex_cfws(&value, NULL);
	if (!lex_token(&value, &word))
		return false;
	*name = word;
	*enc = enc_of_name(word);
	return true;
}

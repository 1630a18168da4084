#include "apps/mail/wire/param.h"

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/lex.h"

enum {
	NO_SECTION = -1,
	LINE_AIM = 76, /* characters of a line that we write */
};

/* One "name=value" as it stands. */
struct piece {
	struct str name, value;
	int section;   /* of a value in pieces */
	bool is_ext;   /* the name ends with an asterisk */
	bool is_taken; /* already part of a parameter */
};

struct pieces {
	unsigned n;
	struct piece piece[PARAM_PIECES_MAX];
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * regular-parameter-name := attribute [section]
 * section := initial-section / other-sections ; "*0" / "*" ("1"-"9") *DIGIT
 * extended: with one more "*" at its end
 */
static void split_name(struct piece *p)
{
	struct str rest, number, base;

	p->section = NO_SECTION;
	if (p->name.len > 1 && p->name.p[p->name.len - 1] == '*') {
		p->is_ext = true;
		p->name.len--;
	}
	base = str_cut(p->name, '*', &number);
	if (base.len == p->name.len || base.len == 0)
		return;
	rest = number;
	p->section = 0;
	for (; rest.len > 0 && is_digit(rest.p[0]) && p->section < PARAM_PIECES_MAX;
	     rest.p++, rest.len--)
		p->section = p->section * 10 + (rest.p[0] - '0');
	if (number.len == 0 || rest.len > 0 || (number.p[0] == '0' && number.len > 1)) {
		p->section = NO_SECTION;
		return;
	}
	p->name = base;
}

/* Up to the next semicolon: what names of files have that nobody quoted. */
static struct str unquoted(struct str *in)
{
	struct str all = str_cut(*in, ';', in);

	while (all.len > 0 && lex_is_blank(all.p[all.len - 1]))
		all.len--;
	return all;
}

static bool at_end_of_value(struct str rest)
{
	lex_cfws(&rest, NULL);
	return rest.len == 0 || rest.p[0] == ';';
}

/* value := token / quoted-string */
static struct str take_value(struct str *in, struct wr *text, struct param_list *list)
{
	struct str value = { in->p, 0 }, rest = *in;

	if (lex_eat(in, '"')) {
		const uint8_t *from = text->p;

		if (!lex_quoted(in, text))
			list->odd |= PARAM_ODD_SYNTAX;
		value = lex_since(text, from);
	} else if (!lex_token(&rest, &value) || !at_end_of_value(rest)) {
		list->odd |= PARAM_ODD_SYNTAX;
		value = unquoted(in);
		return value;
	} else {
		*in = rest;
	}
	if (!at_end_of_value(*in))
		list->odd |= PARAM_ODD_SYNTAX;
	str_cut(*in, ';', in);
	return value;
}

/* parameter := attribute "=" value.  False: there is none up to the next semicolon. */
static bool take_piece(struct str *in, struct wr *text, struct param_list *list,
		       struct piece *p)
{
	*p = (struct piece){ .section = NO_SECTION };
	lex_cfws(in, NULL);
	if (!lex_token(in, &p->name))
		goto none;
	lex_cfws(in, NULL);
	if (!lex_eat(in, '='))
		goto none;
	lex_cfws(in, NULL);
	p->value = take_value(in, text, list);
	split_name(p);
	return true;
none:
	/* Semicolons with nothing between them harm nobody. */
	if (in->len > 0 && in->p[0] != ';')
		list->odd |= PARAM_ODD_SYNTAX;
	str_cut(*in, ';', in);
	return false;
}

static int hex(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* extended-other-values := *(ext-octet / attribute-char) ; ext-octet := "%" 2(DIGIT/A-F) */
static void percent_decode(struct str s, struct wr *out)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '%' && s.len - i > 2 && hex(s.p[i + 1]) >= 0 &&
		    hex(s.p[i + 2]) >= 0) {
			wr8(out, (uint8_t)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
			i += 2;
		} else {
			wr8(out, (uint8_t)s.p[i]);
		}
	}
}

static void append(struct piece *p, struct wr *joined, struct param *param)
{
	struct str value = p->value;

	p->is_taken = true;
	/* extended-initial-value := [charset] "'" [language] "'" extended-other-values */
	if (p->is_ext && p->section <= 0 && memchr(value.p, '\'', value.len)) {
		param->charset = str_cut(value, '\'', &value);
		param->lang = str_cut(value, '\'', &value);
	}
	if (p->is_ext)
		percent_decode(value, joined);
	else
		lex_put(joined, value);
}

static struct piece *find(struct pieces *all, struct str name, int section)
{
	for (unsigned i = 0; i < all->n; i++) {
		struct piece *p = &all->piece[i];

		if (!p->is_taken && p->section == section && str_eq_nocase(p->name, name))
			return p;
	}
	return NULL;
}

/* Puts the pieces of a value together: in @joined as they are, in @text as UTF-8. */
static void join(struct pieces *all, struct piece *first, struct wr *text,
		 struct param_list *list)
{
	uint8_t bytes[PARAM_VALUE_MAX];
	struct wr joined = wr_of(bytes, sizeof(bytes));
	struct param *param = &list->param[list->n++];
	const uint8_t *from = text->p;
	struct piece *p = first;

	*param = (struct param){ .name = first->name };
	do {
		param->is_extended |= p->is_ext;
		append(p, &joined, param);
		p = p->section == NO_SECTION ? NULL : find(all, p->name, p->section + 1);
	} while (p);
	if (param->is_extended &&
	    charset_to_utf8(param->charset, lex_since(&joined, bytes), text))
		list->odd |= PARAM_ODD_CHARSET;
	if (!param->is_extended)
		lex_put(text, lex_since(&joined, bytes));
	if (joined.bad)
		list->odd |= PARAM_ODD_MANY;
	param->value = lex_since(text, from);
}

/* The piece from which to take the parameter that @p belongs to; NULL: none is left. */
static struct piece *best_of(struct pieces *all, struct piece *p)
{
	struct piece *plain = NULL;

	for (unsigned i = 0; i < all->n; i++) {
		struct piece *q = &all->piece[i];

		if (q->is_taken || q->section > 0 || !str_eq_nocase(q->name, p->name))
			continue;
		if (q->is_ext || q->section == 0)
			return q;
		if (!plain)
			plain = q;
	}
	return plain;
}

static const struct param *known(const struct param_list *list, struct str name)
{
	for (unsigned i = 0; i < list->n; i++)
		if (str_eq_nocase(list->param[i].name, name))
			return &list->param[i];
	return NULL;
}

/* A piece of a parameter that is there already, from others.  "name" beside "name*" is
 * for readers who do not know RFC 2231. */
static uint32_t left_over(const struct piece *p, const struct param *param)
{
	if (p->section > 0)
		return PARAM_ODD_GAP;
	return param->is_extended && !p->is_ext ? 0 : PARAM_ODD_TWICE;
}

void param_parse(struct str in, struct wr *text, struct param_list *list)
{
	struct pieces all = { .n = 0 };

	list->n = 0;
	list->odd = 0;
	while (in.len > 0 && all.n < PARAM_PIECES_MAX)
		all.n += take_piece(&in, text, list, &all.piece[all.n]);
	if (in.len > 0)
		list->odd |= PARAM_ODD_MANY;
	for (unsigned i = 0; i < all.n; i++) {
		struct piece *p = &all.piece[i], *first;
		const struct param *have;

		if (p->is_taken)
			continue;
		have = known(list, p->name);
		if (have) {
			list->odd |= left_over(p, have);
			continue;
		}
		first = best_of(&all, p);
		if (!first) {
			list->odd |= PARAM_ODD_GAP;
		} else if (list->n == PARAM_MAX) {
			list->odd |= PARAM_ODD_MANY;
			break;
		} else if (first->section == NO_SECTION && !first->is_ext) {
			first->is_taken = true;
			list->param[list->n++] = (struct param){ .name = first->name,
								 .value = first->value };
		} else {
			join(&all, first, text, list);
		}
	}
	if (text->bad)
		list->odd |= PARAM_ODD_MANY;
}

struct str param_find(const struct param *params, unsigned n, struct str name)
{
	for (unsigned i = 0; i < n; i++)
		if (str_eq_nocase(params[i].name, name))
			return params[i].value;
	return (struct str){ NULL, 0 };
}

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!lex_is_token(s.p[i]))
			return false;
	return s.len > 0;
}

/* Printable ASCII, which a quoted string can say. */
static bool is_quotable(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > 126)
			return false;
	return true;
}

static void put_quoted(struct wr *out, struct str s)
{
	lex_put(out, STR("\""));
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			lex_put(out, STR("\\"));
		wr8(out, (uint8_t)s.p[i]);
	}
	lex_put(out, STR("\""));
}

/* attribute-char := <any (ASCII) CHAR except SPACE, CTLs, "*", "'", "%", or tspecials> */
static bool is_attribute_char(char c)
{
	return lex_is_token(c) && (unsigned char)c < 128 && !strchr("*'%", c);
}

static void put_percent(struct wr *out, struct str s)
{
	static const char digits[16] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = (uint8_t)s.p[i];
		char escape[3] = { '%', digits[c >> 4], digits[c & 15] };

		wr_copy(out, is_attribute_char(s.p[i]) ? s.p + i : escape,
			is_attribute_char(s.p[i]) ? 1 : sizeof(escape));
	}
}

void param_emit_extended(struct wr *out, struct str value, struct str lang)
{
	lex_put(out, STR("utf-8'"));
	lex_put(out, lang);
	lex_put(out, STR("'"));
	put_percent(out, value);
}

/* Bytes of the character that @s begins with, and what it takes when written. */
static size_t char_len(struct str s, size_t *cost)
{
	int n = charset_utf8_char(s);
	size_t len = n > 0 ? (size_t)n : 1;

	*cost = is_attribute_char(s.p[0]) ? 1 : 3 * len;
	return len;
}

/* As much from the front of @value as takes at most @room, in whole characters. */
static struct str take_some(struct str *value, size_t room)
{
	struct str some = { value->p, 0 };

	while (value->len > 0) {
		size_t cost, len = char_len(*value, &cost);

		if (cost > room)
			break;
		room -= cost;
		some.len += len;
		value->p += len;
		value->len -= len;
	}
	return some;
}

static void put_number(struct wr *out, unsigned n)
{
	char text[12];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	wr_copy(out, text + at, sizeof(text) - at);
}

/* "\tname*12*=utf-8''" */
static size_t overhead(struct str name)
{
	return name.len + 18;
}

static void emit_pieces(struct wr *out, struct str name, struct str value)
{
	/* So much that there are not more pieces than we read ourselves: a piece lacks at
	 * most what a character takes, 12, less 1. */
	size_t room = 3 * value.len / PARAM_PIECES_MAX + 12;

	if (overhead(name) + room < LINE_AIM)
		room = LINE_AIM - overhead(name);

	for (unsigned i = 0; value.len > 0; i++) {
		struct str some = take_some(&value, room);

		lex_put(out, STR(";\r\n\t"));
		lex_put(out, name);
		lex_put(out, STR("*"));
		if (i > 0 || value.len > 0) {
			put_number(out, i);
			lex_put(out, STR("*"));
		}
		lex_put(out, i == 0 ? STR("=utf-8''") : STR("="));
		put_percent(out, some);
	}
}

void param_emit(struct wr *out, struct str name, struct str value)
{
	bool fits = name.len + value.len + 5 <= LINE_AIM;

	if (!is_quotable(value) || !fits) {
		emit_pieces(out, name, value);
		return;
	}
	lex_put(out, STR(";\r\n\t"));
	lex_put(out, name);
	lex_put(out, STR("="));
	if (is_token(value))
		lex_put(out, value);
	else
		put_quoted(out, value);
}

#include "apps/mail/wire/imap_emit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/imap_date.h"
#include "stack/base/check.h"

enum { FIRST_CAP = 512, QUOTED_MAX = 1024 };

void imap_emit_init(struct imap_emit *e)
{
	*e = (struct imap_emit){ .p = NULL };
}

void imap_emit_fini(struct imap_emit *e)
{
	free(e->p);
	imap_emit_init(e);
}

void imap_emit_clear(struct imap_emit *e)
{
	e->len = 0;
	e->is_failed = false;
}

/* Room for @n bytes more, or NULL. */
static char *room(struct imap_emit *e, size_t n)
{
	size_t cap = e->cap > 0 ? e->cap : FIRST_CAP;
	char *p;

	if (e->is_failed)
		return NULL;
	if (n <= e->cap - e->len)
		return e->p + e->len;
	while (cap - e->len < n)
		cap *= 2;
	p = realloc(e->p, cap);
	if (!p) {
		e->is_failed = true;
		return NULL;
	}
	e->p = p;
	e->cap = cap;
	return p + e->len;
}

void imap_emit_bytes(struct imap_emit *e, struct str s)
{
	char *at = room(e, s.len);

	if (!at || s.len == 0)
		return;
	memcpy(at, s.p, s.len);
	e->len += s.len;
}

void imap_emit_puts(struct imap_emit *e, const char *text)
{
	imap_emit_bytes(e, str_of(text));
}

static void put(struct imap_emit *e, char c)
{
	imap_emit_bytes(e, (struct str){ &c, 1 });
}

void imap_emit_printf(struct imap_emit *e, const char *format, ...)
{
	va_list args, again;
	char *at;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	ASSERT(n >= 0);
	at = room(e, (size_t)n + 1);
	if (at) {
		vsnprintf(at, (size_t)n + 1, format, again);
		e->len += (size_t)n;
	}
	va_end(again);
	va_end(args);
}

void imap_emit_number(struct imap_emit *e, uint64_t n)
{
	char digits[20], *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	imap_emit_bytes(e, (struct str){ at, (size_t)(digits + sizeof(digits) - at) });
}

void imap_emit_literal(struct imap_emit *e, uint64_t size)
{
	put(e, '{');
	imap_emit_number(e, size);
	imap_emit_puts(e, e->is_plus ? "+}\r\n" : "}\r\n");
}

/* The octets of a literal are CHAR8, which NUL is not. */
static void literal(struct imap_emit *e, struct str s)
{
	size_t at;

	imap_emit_literal(e, s.len);
	at = e->len;
	imap_emit_bytes(e, s);
	for (; at < e->len; at++)
		if (e->p[at] == '\0')
			e->p[at] = '?';
}

static void quoted(struct imap_emit *e, struct str s)
{
	put(e, '"');
	while (s.len > 0) {
		/* Up to the next that needs a backslash, which goes with what follows. */
		size_t n = 1;

		while (n < s.len && s.p[n] != '"' && s.p[n] != '\\')
			n++;
		if (s.p[0] == '"' || s.p[0] == '\\')
			put(e, '\\');
		imap_emit_bytes(e, (struct str){ s.p, n });
		s.p += n;
		s.len -= n;
	}
	put(e, '"');
}

/* quoted holds TEXT-CHARs: 7 bits, no CR, LF or NUL; and lines have an end. */
void imap_emit_string(struct imap_emit *e, struct str s)
{
	bool can_quote = s.len <= QUOTED_MAX;

	for (size_t i = 0; i < s.len && can_quote; i++)
		can_quote = s.p[i] > 0 && s.p[i] != '\r' && s.p[i] != '\n';
	if (can_quote)
		quoted(e, s);
	else
		literal(e, s);
}

void imap_emit_nstring(struct imap_emit *e, struct str s)
{
	if (s.p)
		imap_emit_string(e, s);
	else
		imap_emit_puts(e, "NIL");
}

/* astring = 1*ASTRING-CHAR / string ; NIL as an atom may be read as nil */
void imap_emit_astring(struct imap_emit *e, struct str s)
{
	bool can_atom = s.len > 0 && s.len <= QUOTED_MAX && !str_eq_nocase(s, STR("NIL"));

	for (size_t i = 0; i < s.len && can_atom; i++)
		can_atom = s.p[i] > ' ' && s.p[i] < 0x7f && !strchr("(){%*\"\\", s.p[i]);
	if (can_atom)
		imap_emit_bytes(e, s);
	else
		imap_emit_string(e, s);
}

/* The names of @bits, with a space before each but the first of all. */
static void names(struct imap_emit *e, const struct imap_name *table, size_t n,
		  unsigned bits, const char **space)
{
	for (size_t i = 0; i < n; i++) {
		if (!(bits & table[i].value))
			continue;
		imap_emit_puts(e, *space);
		imap_emit_puts(e, table[i].name);
		*space = " ";
	}
}

void imap_emit_flags(struct imap_emit *e, const struct imap_flags *flags)
{
	const char *space = "";

	put(e, '(');
	names(e, imap_flag_names, IMAP_N_FLAG_NAMES, flags->system, &space);
	for (uint32_t i = 0; i < flags->n_keywords; i++) {
		imap_emit_puts(e, space);
		imap_emit_bytes(e, flags->keywords[i]);
		space = " ";
	}
	put(e, ')');
}

static void range(struct imap_emit *e, struct imap_range r, bool is_first)
{
	if (!is_first)
		put(e, ',');
	imap_emit_number(e, r.first);
	if (r.last == r.first)
		return;
	put(e, ':');
	imap_emit_number(e, r.last);
}

void imap_emit_numbers(struct imap_emit *e, const uint32_t *numbers, size_t n)
{
	size_t i = 0;

	while (i < n) {
		struct imap_range r = { numbers[i], numbers[i] };
		bool is_first = i == 0;

		while (++i < n && r.last < UINT32_MAX && numbers[i] == r.last + 1)
			r.last++;
		range(e, r, is_first);
	}
}

void imap_emit_date_time(struct imap_emit *e, int64_t s)
{
	char text[IMAP_DATE_TIME_LEN];

	imap_date_time_emit(s, text);
	put(e, '"');
	imap_emit_puts(e, text);
	put(e, '"');
}

static void section(struct imap_emit *e, const struct imap_section *s)
{
	const struct imap_name *what =
		imap_names_of(imap_section_names, IMAP_N_SECTION_NAMES, s->what);

	for (uint32_t i = 0; i < s->n_parts; i++) {
		if (i > 0)
			put(e, '.');
		imap_emit_number(e, s->parts[i]);
	}
	if (what && s->n_parts > 0)
		put(e, '.');
	if (what)
		imap_emit_puts(e, what->name);
	for (uint32_t i = 0; i < s->n_fields; i++) {
		imap_emit_puts(e, i == 0 ? " (" : " ");
		imap_emit_astring(e, s->fields[i]);
	}
	if (s->n_fields > 0)
		put(e, ')');
}

/* msg-att-static = "BODY" section ["<" number ">"] ... (RFC 3501 7.4.2) */
void imap_emit_fetch_name(struct imap_emit *e, const struct imap_fetch_item *item)
{
	const struct imap_name *name =
		imap_names_of(imap_fetch_names, IMAP_N_FETCH_NAMES, item->kind);

	if (name) {
		imap_emit_puts(e, name->name);
		return;
	}
	imap_emit_puts(e, "BODY[");
	section(e, &item->section);
	put(e, ']');
	if (item->is_partial)
		imap_emit_printf(e, "<%u>", item->offset);
}

void imap_emit_list(struct imap_emit *e, const char *name, unsigned attrs, unsigned uses,
		    char delimiter, struct str mailbox)
{
	const char *space = "";

	imap_emit_printf(e, "* %s (", name);
	names(e, imap_mailbox_names, IMAP_N_MAILBOX_NAMES, attrs, &space);
	names(e, imap_use_names, IMAP_N_USE_NAMES, uses, &space);
	imap_emit_puts(e, ") ");
	imap_emit_nstring(e, (struct str){ delimiter ? &delimiter : NULL, 1 });
	put(e, ' ');
	imap_emit_astring(e, mailbox);
	imap_emit_puts(e, "\r\n");
}

void imap_emit_status(struct imap_emit *e, struct str mailbox, unsigned items,
		      const uint64_t values[static IMAP_STATUS_N])
{
	const char *before = " (";

	imap_emit_puts(e, "* STATUS ");
	imap_emit_astring(e, mailbox);
	for (unsigned i = 0; i < IMAP_STATUS_N; i++) {
		if (!(items >> i & 1))
			continue;
		imap_emit_puts(e, before);
		imap_emit_puts(e, imap_status_names[i].name);
		put(e, ' ');
		imap_emit_number(e, values[i]);
		before = " ";
	}
	imap_emit_puts(e, ")\r\n");
}

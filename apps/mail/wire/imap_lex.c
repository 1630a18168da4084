#include "apps/mail/wire/imap_lex.h"

#include <errno.h>

#include "apps/mail/wire/imap_set.h"

void imap_lex_init(struct imap_lex *lex, struct str text, bool ends_open,
		   struct imap_arena *arena)
{
	*lex = (struct imap_lex){ .text = text, .ends_open = ends_open, .arena = arena };
}

bool imap_lex_at(const struct imap_lex *lex, char c)
{
	return lex->text.len > 0 && lex->text.p[0] == c;
}

bool imap_lex_at_end(const struct imap_lex *lex)
{
	return lex->text.len == 0;
}

static struct str take(struct imap_lex *lex, size_t n)
{
	struct str s = { lex->text.p, n };

	lex->text.p += n;
	lex->text.len -= n;
	return s;
}

bool imap_lex_skip(struct imap_lex *lex, char c)
{
	if (!imap_lex_at(lex, c))
		return false;
	take(lex, 1);
	return true;
}

bool imap_lex_fail(struct imap_lex *lex, const char *why)
{
	if (!lex->bad && !lex->is_open)
		lex->bad = why;
	return false;
}

bool imap_lex_char(struct imap_lex *lex, char c)
{
	if (imap_lex_skip(lex, c))
		return true;
	return imap_lex_fail(lex, c == '(' ? "A parenthesis is missing" :
				  c == ')' ? "A parenthesis is not closed" :
					     "The arguments are wrong");
}

bool imap_lex_space(struct imap_lex *lex)
{
	return imap_lex_skip(lex, ' ') ||
	       imap_lex_fail(lex, imap_lex_at_end(lex) ? "An argument is missing" :
							 "One space is missing");
}

bool imap_lex_end(struct imap_lex *lex)
{
	return imap_lex_at_end(lex) || imap_lex_fail(lex, "Too much stands at the end");
}

/*
 * ATOM-CHAR = <any CHAR except atom-specials>
 * atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials /
 *		   resp-specials
 */
static bool is_atom_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("(){%*\"\\]", c);
}

/* ASTRING-CHAR = ATOM-CHAR / resp-specials */
static bool is_astring_char(char c)
{
	return c == ']' || is_atom_char(c);
}

/* list-char = ATOM-CHAR / list-wildcards / resp-specials */
static bool is_list_char(char c)
{
	return c == '%' || c == '*' || is_astring_char(c);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str take_run(struct imap_lex *lex, bool (*is_in)(char c))
{
	size_t n = 0;

	while (n < lex->text.len && is_in(lex->text.p[n]))
		n++;
	return take(lex, n);
}

static bool run(struct imap_lex *lex, bool (*is_in)(char c), struct str *s)
{
	struct str r = take_run(lex, is_in);

	if (r.len == 0)
		return imap_lex_fail(lex, imap_lex_at_end(lex) ?
						  "An argument is missing" :
						  "An argument is wrong");
	*s = r;
	return true;
}

bool imap_lex_atom(struct imap_lex *lex, struct str *s)
{
	return run(lex, is_atom_char, s);
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
	       c == '.';
}

bool imap_lex_word(struct imap_lex *lex, struct str *s)
{
	return run(lex, is_word_char, s);
}

bool imap_lex_flag(struct imap_lex *lex, struct str *s)
{
	struct str whole = lex->text, name;

	imap_lex_skip(lex, '\\');
	if (!imap_lex_atom(lex, &name))
		return false;
	*s = (struct str){ whole.p, whole.len - lex->text.len };
	return true;
}

/* A copy of @s, which has @n_escapes backslashes that do not count. */
static bool unescape(struct imap_lex *lex, struct str *s, size_t n_escapes)
{
	char *copy = imap_lex_get(lex, s->len - n_escapes);
	size_t n = 0;

	if (!copy)
		return false;
	for (size_t i = 0; i < s->len; i++) {
		i += s->p[i] == '\\';
		copy[n++] = s->p[i];
	}
	*s = (struct str){ copy, n };
	return true;
}

/*
 * quoted = DQUOTE *QUOTED-CHAR DQUOTE
 * QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials
 *
 * Octets above 127 are taken too, as RFC 9051 4.3 has them and clients send them.
 */
bool imap_lex_quoted(struct imap_lex *lex, struct str *s)
{
	const char *p = lex->text.p;
	size_t n_escapes = 0, i = 1;
	struct str r;

	for (; i < lex->text.len && p[i] != '"'; i++) {
		if (p[i] == '\0' || p[i] == '\r' || p[i] == '\n')
			return imap_lex_fail(lex, "A quoted string is not closed");
		if (p[i] != '\\')
			continue;
		i++;
		n_escapes++;
		if (i == lex->text.len || (p[i] != '"' && p[i] != '\\'))
			return imap_lex_fail(lex, "A backslash stands before a character "
						  "that needs none");
	}
	if (i >= lex->text.len)
		return imap_lex_fail(lex, "A quoted string is not closed");
	r = (struct str){ p + 1, i - 1 };
	take(lex, i + 1);
	if (n_escapes > 0 && !unescape(lex, &r, n_escapes))
		return false;
	*s = r;
	return true;
}

/* "{" number ["+"] "}" CRLF, which the frame has seen; LF when the octets passed by. */
static bool take_announcement(struct imap_lex *lex, bool *is_passed)
{
	uint64_t size = 0;

	take(lex, 1);
	while (lex->text.len > 0 && lex->text.p[0] >= '0' && lex->text.p[0] <= '9') {
		unsigned digit = (unsigned)(take(lex, 1).p[0] - '0');

		size = size > (UINT64_MAX - digit) / 10 ? UINT64_MAX : size * 10 + digit;
	}
	imap_lex_skip(lex, '+');
	if (!imap_lex_skip(lex, '}'))
		return imap_lex_fail(lex, "A literal is wrong");
	*is_passed = !imap_lex_skip(lex, '\r');
	if (!imap_lex_skip(lex, '\n'))
		return imap_lex_fail(lex, "A literal is wrong");
	lex->size = size;
	return true;
}

bool imap_lex_announced(struct imap_lex *lex)
{
	bool is_passed;

	if (!imap_lex_at(lex, '{'))
		return imap_lex_fail(lex, "A literal is missing");
	return take_announcement(lex, &is_passed) &&
	       ((imap_lex_at_end(lex) && lex->ends_open) ||
		imap_lex_fail(lex, "A literal is wrong"));
}

/* literal = "{" number ["+"] "}" CRLF *CHAR8 ; CHAR8 = %x01-ff */
bool imap_lex_literal(struct imap_lex *lex, struct str *s, bool *is_passed)
{
	struct str r = { lex->text.p, 0 };

	if (!take_announcement(lex, is_passed))
		return false;
	if (imap_lex_at_end(lex) && lex->ends_open) {
		lex->is_open = true;
		return false;
	}
	if (!*is_passed) {
		if (lex->size > lex->text.len)
			return imap_lex_fail(lex, "A literal is wrong");
		r = take(lex, (size_t)lex->size);
		if (!lex->takes_nul && memchr(r.p, '\0', r.len))
			return imap_lex_fail(lex, "A literal has a NUL in it");
	}
	*s = r;
	return true;
}

/* string = quoted / literal */
bool imap_lex_string(struct imap_lex *lex, struct str *s)
{
	bool is_passed;

	if (imap_lex_at(lex, '"'))
		return imap_lex_quoted(lex, s);
	if (imap_lex_at(lex, '{'))
		return imap_lex_literal(lex, s, &is_passed);
	return imap_lex_fail(lex, imap_lex_at_end(lex) ? "An argument is missing" :
							 "A string is missing");
}

/* nstring = string / nil */
bool imap_lex_nstring(struct imap_lex *lex, struct str *s)
{
	if (imap_lex_at(lex, '"') || imap_lex_at(lex, '{'))
		return imap_lex_string(lex, s);
	if (!imap_lex_atom(lex, s))
		return false;
	if (!str_eq_nocase(*s, STR("NIL")))
		return imap_lex_fail(lex, "A string or NIL is missing");
	*s = (struct str){ NULL, 0 };
	return true;
}

static bool string_or(struct imap_lex *lex, bool (*is_in)(char c), struct str *s)
{
	if (imap_lex_at(lex, '"') || imap_lex_at(lex, '{'))
		return imap_lex_string(lex, s);
	return run(lex, is_in, s);
}

/* astring = 1*ASTRING-CHAR / string */
bool imap_lex_astring(struct imap_lex *lex, struct str *s)
{
	return string_or(lex, is_astring_char, s);
}

/* mailbox = "INBOX" / astring */
bool imap_lex_mailbox(struct imap_lex *lex, struct str *s)
{
	if (!imap_lex_astring(lex, s))
		return false;
	if (str_eq_nocase(*s, STR("INBOX")))
		*s = STR("INBOX");
	return true;
}

/* list-mailbox = 1*list-char / string */
bool imap_lex_pattern(struct imap_lex *lex, struct str *s)
{
	return string_or(lex, is_list_char, s);
}

static bool number(struct imap_lex *lex, uint64_t max, uint64_t *n)
{
	struct str digits = take_run(lex, is_digit);

	return (str_to_u64(digits, n) && *n <= max) ||
	       imap_lex_fail(lex, digits.len > 0 ? "A number is too big" :
						   "A number is missing");
}

/* number = 1*DIGIT ; 32 bits */
bool imap_lex_number(struct imap_lex *lex, uint32_t *n)
{
	uint64_t big;

	if (!number(lex, UINT32_MAX, &big))
		return false;
	*n = (uint32_t)big;
	return true;
}

/* nz-number = digit-nz *DIGIT */
bool imap_lex_nz_number(struct imap_lex *lex, uint32_t *n)
{
	if (imap_lex_at(lex, '0'))
		return imap_lex_fail(lex, "A number begins with 0");
	return imap_lex_number(lex, n);
}

/* mod-sequence-valzer = "0" / mod-sequence-value ; 63 bits (RFC 7162 7) */
bool imap_lex_number64(struct imap_lex *lex, uint64_t *n)
{
	return number(lex, INT64_MAX, n);
}

static bool is_set_char(char c)
{
	return is_digit(c) || c == ':' || c == ',' || c == '*';
}

bool imap_lex_set(struct imap_lex *lex, struct imap_set *set)
{
	int err = imap_set_parse(take_run(lex, is_set_char), lex->arena, set);

	if (err == -E2BIG)
		return imap_lex_fail(lex, "A sequence set has too many ranges");
	if (err == -ENOMEM)
		return imap_lex_fail(lex, "Too much memory is needed");
	return !err || imap_lex_fail(lex, "A sequence set is wrong");
}

void *imap_lex_get(struct imap_lex *lex, size_t len)
{
	void *p = imap_arena_get(lex->arena, len);

	if (!p)
		imap_lex_fail(lex, "Too much memory is needed");
	return p;
}

void *imap_lex_more(struct imap_lex *lex, void *items, size_t n, size_t item_len)
{
	void *p = imap_arena_more(lex->arena, items, n, item_len);

	if (!p)
		imap_lex_fail(lex, "Too much memory is needed");
	return p;
}

bool imap_lex_keep(struct imap_lex *lex, struct str *s)
{
	char *copy = imap_lex_get(lex, s->len);

	if (!copy)
		return false;
	if (s->len > 0)
		memcpy(copy, s->p, s->len);
	s->p = copy;
	return true;
}

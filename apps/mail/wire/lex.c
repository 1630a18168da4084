#include "apps/mail/wire/lex.h"

bool lex_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_high(char c)
{
	return (unsigned char)c > 127;
}

bool lex_is_atext(char c)
{
	return is_alnum(c) || is_high(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* token = 1*<any CHAR except SPACE, CTLs, and tspecials> */
bool lex_is_token(char c)
{
	return is_alnum(c) || is_high(c) ||
	       (c > ' ' && c < 127 && !strchr("()<>@,;:\\\"/[]?=", c));
}

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

void lex_blanks(struct str *in)
{
	while (in->len > 0 && lex_is_blank(in->p[0]))
		skip(in, 1);
}

bool lex_eat(struct str *in, char c)
{
	if (in->len == 0 || in->p[0] != c)
		return false;
	skip(in, 1);
	return true;
}

static void put(struct wr *text, char c)
{
	if (text && c != '\r' && c != '\n')
		wr8(text, (uint8_t)c);
}

/* comment = "(" *([FWS] ccontent) [FWS] ")"; behind its first character. */
static bool comment_rest(struct str *in, struct wr *text)
{
	unsigned open = 1;

	while (in->len > 0) {
		char c = in->p[0];

		skip(in, 1);
		if (c == '\\' && in->len > 0) {
			put(text, in->p[0]);
			skip(in, 1);
			continue;
		}
		open += c == '(';
		open -= c == ')';
		if (open == 0)
			return true;
		put(text, c);
	}
	return false;
}

bool lex_cfws(struct str *in, struct wr *comment)
{
	bool whole = true;

	lex_blanks(in);
	while (lex_eat(in, '(')) {
		whole = comment_rest(in, comment);
		lex_blanks(in);
	}
	return whole;
}

static bool run(struct str *in, bool (*is)(char c), struct str *out)
{
	size_t n = 0;

	while (n < in->len && is(in->p[n]))
		n++;
	if (n == 0)
		return false;
	*out = (struct str){ in->p, n };
	skip(in, n);
	return true;
}

bool lex_atom(struct str *in, struct str *atom)
{
	return run(in, lex_is_atext, atom);
}

bool lex_token(struct str *in, struct str *token)
{
	return run(in, lex_is_token, token);
}

/* quoted-string = [CFWS] DQUOTE *([FWS] qcontent) [FWS] DQUOTE [CFWS] */
bool lex_quoted(struct str *in, struct wr *text)
{
	while (in->len > 0) {
		char c = in->p[0];

		skip(in, 1);
		if (c == '"')
			return true;
		if (c == '\\' && in->len > 0) {
			c = in->p[0];
			skip(in, 1);
		}
		put(text, c);
	}
	return false;
}

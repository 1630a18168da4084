#include "apps/pbmail/text.h"

#include <stdbool.h>
#include <wchar.h>

#include "apps/mail/wire/charset.h"

enum { TAB = 8, CLEAN_MAX = 8192 };

/* The character at the front of @s, which is not empty, taken from it. */
static uint32_t next_char(struct str *s)
{
	int len = charset_utf8_char(*s);
	uint32_t c;

	if (len <= 0) {
		s->p++;
		s->len--;
		return 0xfffd;
	}
	c = (unsigned char)s->p[0];
	if (len > 1)
		c &= 0xffu >> (len + 1);
	for (int i = 1; i < len; i++)
		c = c << 6 | ((unsigned char)s->p[i] & 0x3f);
	s->p += len;
	s->len -= (size_t)len;
	return c;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069; and U+2028, U+2029, which
 * are line ends to some. */
static bool turns_text(uint32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* What follows an ESC, or a C1 character that is one in short: up to its end, or the end
 * of the line, since nobody hides more than that. */
static void skip_escape(struct str *s, uint32_t begin)
{
	uint32_t c = begin;

	if (c == 0x1b) {
		if (s->len == 0 || *s->p == '\n' || is_control((unsigned char)*s->p))
			return;
		c = next_char(s);
		c = c >= 0x40 && c < 0x60 ? c + 0x40 : c;
		while (c >= 0x20 && c < 0x30 && s->len > 0 && *s->p != '\n')
			c = next_char(s); /* intermediate bytes, then a final one */
	}
	if (c == 0x9b) { /* CSI: parameters, intermediate bytes, a final one */
		while (s->len > 0 && *s->p >= 0x20 && *s->p < 0x40)
			next_char(s);
		if (s->len > 0 && *s->p >= 0x40 && *s->p < 0x7f)
			next_char(s);
	} else if (c == 0x90 || c == 0x98 || (c >= 0x9d && c <= 0x9f)) {
		/* DCS, SOS, OSC, PM, APC: a string, up to BEL or ST */
		while (s->len > 0 && *s->p != '\n') {
			c = next_char(s);
			if (c == 0x07 || c == 0x9c)
				return;
			if (c == 0x1b && s->len > 0 && *s->p == '\\') {
				next_char(s);
				return;
			}
		}
	}
}

/* The next character to be seen; blank for TAB.  False: @s is over. */
static bool next_shown(struct str *s, uint32_t *c)
{
	while (s->len > 0) {
		*c = next_char(s);
		if (*c == '\t' || *c == '\n') {
			return true;
		} else if (is_control(*c)) {
			skip_escape(s, *c);
		} else if (!turns_text(*c)) {
			return true;
		}
	}
	return false;
}

static void put_char(FILE *to, uint32_t c)
{
	if (c < 0x80) {
		fputc((int)c, to);
	} else if (c < 0x800) {
		fputc((int)(0xc0 | c >> 6), to);
		fputc((int)(0x80 | (c & 0x3f)), to);
	} else if (c < 0x10000) {
		fputc((int)(0xe0 | c >> 12), to);
		fputc((int)(0x80 | (c >> 6 & 0x3f)), to);
		fputc((int)(0x80 | (c & 0x3f)), to);
	} else {
		fputc((int)(0xf0 | c >> 18), to);
		fputc((int)(0x80 | (c >> 12 & 0x3f)), to);
		fputc((int)(0x80 | (c >> 6 & 0x3f)), to);
		fputc((int)(0x80 | (c & 0x3f)), to);
	}
}

/* Columns; a character that no terminal has a form for is shown as one. */
static unsigned char_width(uint32_t c)
{
	int width = wcwidth((wchar_t)c);

	return width < 0 ? 1 : (unsigned)width;
}

void text_put(FILE *to, struct str s)
{
	uint32_t c;

	while (next_shown(&s, &c))
		put_char(to, c == '\t' || c == '\n' ? ' ' : c);
}

void text_put_column(FILE *to, struct str s, unsigned width)
{
	unsigned at = 0;
	uint32_t c;

	while (next_shown(&s, &c)) {
		c = c == '\t' || c == '\n' ? ' ' : c;
		if (at + char_width(c) > width)
			break;
		at += char_width(c);
		put_char(to, c);
	}
	while (at++ < width)
		fputc(' ', to);
}

/* A line that is being broken: what was written, and the word behind it. */
struct line {
	FILE *to;
	unsigned width, at; /* columns: allowed, written */
	unsigned blanks;    /* before the word */
	uint32_t word[CLEAN_MAX];
	size_t word_len;
	unsigned word_width;
};

static void put_word(struct line *l)
{
	if (l->width > 0 && l->at > 0 && l->at + l->blanks + l->word_width > l->width) {
		fputc('\n', l->to);
		l->at = l->blanks = 0;
	}
	for (; l->blanks > 0; l->blanks--, l->at++)
		fputc(' ', l->to);
	for (size_t i = 0; i < l->word_len; i++)
		put_char(l->to, l->word[i]);
	l->at += l->word_width;
	l->word_len = 0;
	l->word_width = 0;
}

static void put_wrapped(struct line *l, uint32_t c)
{
	if (c == ' ' || c == '\t') {
		if (l->word_len > 0)
			put_word(l);
		l->blanks += c == ' ' ? 1 : TAB - (l->at + l->blanks) % TAB;
		return;
	}
	l->word[l->word_len++] = c;
	l->word_width += char_width(c);
	if (l->word_len == CLEAN_MAX)
		put_word(l);
}

void text_wrap(FILE *to, struct str s, unsigned width)
{
	struct line l = { .to = to, .width = width };
	uint32_t c = '\n';

	while (next_shown(&s, &c)) {
		if (c != '\n') {
			put_wrapped(&l, c);
			continue;
		}
		if (l.word_len > 0)
			put_word(&l);
		l.at = l.blanks = 0;
		fputc('\n', to);
	}
	if (l.word_len > 0)
		put_word(&l);
	if (c != '\n')
		fputc('\n', to);
}

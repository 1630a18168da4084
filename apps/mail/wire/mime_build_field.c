/*
 * Header fields as we write them: folded where blanks are, 76 characters if that can be
 * (RFC 5322 2.1.1 asks for 78, RFC 2047 for 76 where there is an encoded word).
 */
#include <errno.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/lex.h"
#include "apps/mail/wire/mime_build_impl.h"

/* ftext = %d33-57 / %d59-126 */
static bool is_field_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] < 33 || name.p[i] > 126 || name.p[i] == ':')
			return false;
	return name.len > 0 && name.len < MIME_BUILD_LINE / 2;
}

static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > 126)
			return false;
	return true;
}

void mime_build_write_field(struct mime_build *b, struct str name, struct str text)
{
	size_t col = name.len + 2;
	struct wr w;

	if (!charset_is_utf8(text))
		mime_build_fail(b, -EILSEQ);
	if (!is_field_name(name))
		mime_build_fail(b, -EINVAL);
	mime_build_put(b, name);
	mime_build_put(b, STR(": "));
	/* A byte becomes three characters, and each word and fold has some more. */
	w = mime_build_room(b, 8 * text.len + 256);
	enc_word_encode(text, ENC_WORD_TEXT, &col, &w);
	mime_build_wrote(b, &w);
	mime_build_put(b, STR("\r\n"));
}

/* Where what comes next does not fit, the line folds there. */
static size_t blank_or_fold(struct mime_build *b, size_t col, size_t next_len)
{
	bool fits = col + 1 + next_len <= MIME_BUILD_LINE;

	mime_build_put(b, fits ? STR(" ") : STR("\r\n "));
	return fits ? col + 1 : 1;
}

static void put_word(struct mime_build *b, struct str word)
{
	mime_build_put(b, word);
	if (b->err)
		return;
	for (size_t i = b->len - word.len; i < b->len; i++)
		if (b->p[i] < '!' || b->p[i] > '~')
			b->p[i] = '?';
}

void mime_build_write_raw(struct mime_build *b, struct str name, struct str value)
{
	size_t col = name.len + 1;

	if (!is_field_name(name))
		mime_build_fail(b, -EINVAL);
	mime_build_put(b, name);
	mime_build_put(b, STR(":"));
	value = str_trim(value);
	while (value.len > 0 && b->err == 0) {
		struct str word = str_cut(value, ' ', &value);

		col = blank_or_fold(b, col, word.len) + word.len;
		put_word(b, word);
	}
	mime_build_put(b, STR("\r\n"));
}

static bool before_body(struct mime_build *b)
{
	if (b->has_body || b->depth > 0)
		mime_build_fail(b, -EINVAL);
	return b->err == 0;
}

void mime_build_field(struct mime_build *b, struct str name, struct str text)
{
	if (before_body(b))
		mime_build_write_field(b, name, text);
}

void mime_build_raw(struct mime_build *b, struct str name, struct str value)
{
	if (!is_printable(value))
		mime_build_fail(b, -EINVAL);
	if (before_body(b))
		mime_build_write_raw(b, name, value);
}

/* atext and dots between (RFC 5322 3.2.3), and blanks: a phrase without quotes. */
static bool is_plain_phrase(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!lex_is_atext(s.p[i]) && s.p[i] != ' ')
			return false;
	return !memmem(s.p, s.len, "=?", 2);
}

static void put_quoted(struct wr *w, struct str s)
{
	lex_put(w, STR("\""));
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			lex_put(w, STR("\\"));
		lex_put(w, (struct str){ s.p + i, 1 });
	}
	lex_put(w, STR("\""));
}

static size_t put_phrase(struct mime_build *b, struct str name, size_t col)
{
	struct wr w = mime_build_room(b, 8 * name.len + 256);
	const uint8_t *from = w.p;

	if (!is_printable(name))
		enc_word_encode(name, ENC_WORD_PHRASE, &col, &w);
	else if (is_plain_phrase(name))
		lex_put(&w, name);
	else
		put_quoted(&w, name);
	mime_build_wrote(b, &w);
	return is_printable(name) ? col + (size_t)(w.p - from) : col;
}

static bool is_addr(struct str addr)
{
	for (size_t i = 0; i < addr.len; i++)
		if (addr.p[i] == '<' || addr.p[i] == '>')
			return false;
	return addr.len > 2 && memchr(addr.p, '@', addr.len) && is_printable(addr);
}

void mime_build_addrs(struct mime_build *b, struct str name,
		      const struct mime_build_addr *addrs, size_t n)
{
	size_t col = name.len + 1;

	if (!before_body(b))
		return;
	if (!is_field_name(name) || n == 0)
		mime_build_fail(b, -EINVAL);
	mime_build_put(b, name);
	mime_build_put(b, STR(":"));
	for (size_t i = 0; i < n && b->err == 0; i++) {
		const struct mime_build_addr *a = &addrs[i];
		bool has_name = a->name.len > 0;

		if (!is_addr(a->addr))
			mime_build_fail(b, -EINVAL);
		if (!charset_is_utf8(a->name))
			mime_build_fail(b, -EILSEQ);
		col = blank_or_fold(b, col, has_name ? a->name.len + 2 : a->addr.len);
		if (has_name) {
			col = put_phrase(b, a->name, col);
			col = blank_or_fold(b, col, a->addr.len + 3);
		}
		mime_build_put(b, has_name ? STR("<") : STR(""));
		mime_build_put(b, a->addr);
		mime_build_put(b, has_name ? STR(">") : STR(""));
		mime_build_put(b, i + 1 < n ? STR(",") : STR(""));
		col += a->addr.len + 3;
	}
	mime_build_put(b, STR("\r\n"));
}

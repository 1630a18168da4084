/*
 * Reading encoded words.  Between two of them blanks do not count; words that follow each
 * other in one charset are one text, since some mailers split characters between them.
 */
#include "apps/mail/wire/enc_word.h"

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc.h"
#include "apps/mail/wire/lex.h"

enum { CHUNK = 256 };

struct word {
	struct str charset, text;
	char enc; /* 'B' or 'Q' */
};

struct reader {
	struct wr *out;
	struct charset charset;
	struct str charset_name; /* that of the open one */
	bool is_open;
	uint32_t odd;
};

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

/* A part of a word up to the next question mark, with no blank in it. */
static bool take_part(struct str *in, struct str *part)
{
	size_t n = 0;

	while (n < in->len && in->p[n] != '?' && !lex_is_blank(in->p[n]))
		n++;
	if (n == in->len || in->p[n] != '?')
		return false;
	*part = (struct str){ in->p, n };
	skip(in, n + 1);
	return true;
}

/*
 * encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
 *
 * RFC 2231 5: charset ["*" language].  The word is taken off the front of @in.
 */
static bool take_word(struct str *in, struct word *w)
{
	struct str at = *in, enc, lang;

	skip(&at, 2);
	if (!take_part(&at, &w->charset) || w->charset.len == 0 ||
	    !take_part(&at, &enc) || enc.len != 1 || !take_part(&at, &w->text) ||
	    !lex_eat(&at, '='))
		return false;
	w->enc = (char)(enc.p[0] & ~0x20);
	if (w->enc != 'B' && w->enc != 'Q')
		return false;
	w->charset = str_cut(w->charset, '*', &lang);
	*in = at;
	return true;
}

static void close_charset(struct reader *r)
{
	if (!r->is_open)
		return;
	charset_end(&r->charset, r->out);
	charset_close(&r->charset);
	if (r->charset.odd & (CHARSET_ODD_NAME | CHARSET_ODD_BYTES))
		r->odd |= ENC_WORD_ODD_CHARSET;
	r->is_open = false;
}

static void open_charset(struct reader *r, struct str name)
{
	if (r->is_open && str_eq_nocase(name, r->charset_name))
		return;
	close_charset(r);
	charset_open(&r->charset, name);
	r->charset_name = name;
	r->is_open = true;
}

/* The "Q" encoding (RFC 2047 4.2) is quoted-printable with "_" for a blank; blanks at the
 * end of a piece would be held back, so they are escaped for the decoder. */
static void decode_q(struct reader *r, struct enc_decoder *d, struct str text)
{
	char bytes[2 * CHUNK + ENC_ROOM], in[2 * CHUNK];

	while (text.len > 0) {
		size_t n = 0, at = 0;

		for (; at < text.len && n + 3 <= sizeof(in); at++) {
			if (text.p[at] == '_') {
				memcpy(in + n, "=20", 3);
				n += 3;
			} else {
				in[n++] = text.p[at];
			}
		}
		skip(&text, at);
		n = enc_decode(d, (struct str){ in, n }, bytes);
		charset_feed(&r->charset, (struct str){ bytes, n }, r->out);
	}
}

static void decode_b(struct reader *r, struct enc_decoder *d, struct str text)
{
	char bytes[CHUNK + ENC_ROOM];

	while (text.len > 0) {
		struct str some = { text.p, text.len < CHUNK ? text.len : CHUNK };
		size_t n = enc_decode(d, some, bytes);

		skip(&text, some.len);
		charset_feed(&r->charset, (struct str){ bytes, n }, r->out);
	}
}

static void decode_word(struct reader *r, const struct word *w)
{
	struct enc_decoder d;
	char bytes[ENC_ROOM];
	size_t n;

	open_charset(r, w->charset);
	enc_decode_init(&d, w->enc == 'B' ? ENC_BASE64 : ENC_QP);
	if (w->enc == 'B')
		decode_b(r, &d, w->text);
	else
		decode_q(r, &d, w->text);
	n = enc_decode_end(&d, bytes);
	charset_feed(&r->charset, (struct str){ bytes, n }, r->out);
	if (d.odd & (ENC_ODD_CHAR | ENC_ODD_PADDING | ENC_ODD_AFTER | ENC_ODD_ESCAPE |
		     ENC_ODD_END))
		r->odd |= ENC_WORD_ODD_ENC;
}

/* Bytes that are no encoded word; a fold goes, the blank behind it stays. */
static void plain(struct reader *r, struct str s)
{
	close_charset(r);
	while (s.len > 0) {
		size_t n = 0;

		while (n < s.len && s.p[n] != '\r' && s.p[n] != '\n')
			n++;
		if (!charset_is_ascii((struct str){ s.p, n })) {
			r->odd |= ENC_WORD_ODD_RAW;
			charset_to_utf8(STR("utf-8"), (struct str){ s.p, n }, r->out);
		} else {
			lex_put(r->out, (struct str){ s.p, n });
		}
		skip(&s, n < s.len ? n + 1 : n);
	}
}

/* Where the next "=?" is, or the end. */
static size_t find_word(struct str s)
{
	const char *at = s.len > 0 ? memmem(s.p, s.len, "=?", 2) : NULL;

	return at ? (size_t)(at - s.p) : s.len;
}

/* Control characters, which words can carry, would make lines and worse of one. */
static void no_controls(uint8_t *from, const uint8_t *to)
{
	for (; from < to; from++)
		if (*from < ' ' || *from == 127)
			*from = ' ';
}

static bool is_all_blank(struct str s)
{
	lex_blanks(&s);
	return s.len == 0;
}

uint32_t enc_word_decode(struct str value, struct wr *out)
{
	struct reader r = { .out = out };
	uint8_t *from = out->p;

	while (value.len > 0) {
		size_t n = find_word(value);
		struct str before = { value.p, n }, at;
		struct word w;

		skip(&value, n);
		at = value;
		if (n > 0 && !(r.is_open && is_all_blank(before) && value.len > 0 &&
			       take_word(&at, &w)))
			plain(&r, before);
		if (value.len == 0)
			break;
		at = value;
		if (take_word(&at, &w)) {
			if (value.len - at.len > ENC_WORD_MAX)
				r.odd |= ENC_WORD_ODD_LONG;
			decode_word(&r, &w);
			value = at;
		} else {
			r.odd |= ENC_WORD_ODD_SYNTAX;
			plain(&r, (struct str){ value.p, 2 });
			skip(&value, 2);
		}
	}
	close_charset(&r);
	no_controls(from, out->p);
	if (out->bad)
		r.odd |= ENC_WORD_ODD_ROOM;
	return r.odd;
}

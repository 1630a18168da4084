/*
 * Writing encoded words.
 *
 * The text is cut into words at its blanks.  A run of words that need encoding is one
 * text, blanks and all, and fills as many encoded words as it takes; blanks between a
 * word in plain ASCII and its neighbours stand for themselves, and lines fold there.
 */
#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc.h"
#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/lex.h"

static const struct str head_b = STR("=?utf-8?B?");
static const struct str head_q = STR("=?utf-8?Q?");
static const struct str tail = STR("?=");

enum {
	HEAD_AND_TAIL = 12,
	PAYLOAD_MAX = ENC_WORD_MAX - HEAD_AND_TAIL, /* characters */
	PAYLOAD_MIN = 12, /* a line with room for less is not begun on */
	SPACES_MAX = 32,  /* of a run between words: no line is only blanks */
};

struct emitter {
	struct wr *out;
	size_t col;
	enum enc_word_kind kind;
};

static bool is_space(char c)
{
	return (unsigned char)c <= ' ' || c == 127;
}

static bool is_high(char c)
{
	return (unsigned char)c > 127;
}

/* RFC 2047 5 (3): in a phrase only letters, digits and "!*+-/" stand for themselves. */
static bool is_safe(char c, enum enc_word_kind kind)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	if (kind == ENC_WORD_PHRASE)
		return c != '\0' && strchr("!*+-/", c);
	return c > ' ' && c < 127 && !strchr("=?_", c);
}

static bool needs_encoding(struct str word, enum enc_word_kind kind)
{
	bool is_atom = true;

	for (size_t i = 0; i < word.len; i++) {
		if (is_high(word.p[i]))
			return true;
		is_atom &= lex_is_atext(word.p[i]) || word.p[i] == '.';
	}
	/* What looks like an encoded word would be read as one. */
	if (word.len > 1 && memmem(word.p, word.len, "=?", 2))
		return true;
	return kind == ENC_WORD_PHRASE ? !is_atom :
					 word.len > ENC_TEXT_LINE_MAX - ENC_ROOM;
}

static struct str take_word(struct str *text)
{
	struct str word = { text->p, 0 };

	while (word.len < text->len && !is_space(text->p[word.len]))
		word.len++;
	text->p += word.len;
	text->len -= word.len;
	return word;
}

static struct str take_space(struct str *text)
{
	struct str space = { text->p, 0 };

	while (space.len < text->len && is_space(text->p[space.len]))
		space.len++;
	text->p += space.len;
	text->len -= space.len;
	return space;
}

/* The next character as it will be written: control characters are blanks. */
static struct str next_char(struct str text)
{
	int n = charset_utf8_char(text);

	if (n == 1 && is_space(text.p[0]))
		return STR(" ");
	return n > 0 ? (struct str){ text.p, (size_t)n } : STR("\xef\xbf\xbd");
}

static size_t char_len(struct str text)
{
	int n = charset_utf8_char(text);

	return n > 0 ? (size_t)n : 1;
}

static size_t q_cost(struct str c, enum enc_word_kind kind)
{
	return c.p[0] == ' ' || is_safe(c.p[0], kind) ? 1 : 3 * c.len;
}

static void put_q(struct emitter *e, struct str c)
{
	static const char digits[16] = "0123456789ABCDEF";

	for (size_t i = 0; i < c.len; i++) {
		uint8_t b = (uint8_t)c.p[i];
		char escape[3] = { '=', digits[b >> 4], digits[b & 15] };

		if (b == ' ')
			lex_put(e->out, STR("_"));
		else if (is_safe(c.p[i], e->kind))
			lex_put(e->out, (struct str){ c.p + i, 1 });
		else
			wr_copy(e->out, escape, sizeof(escape));
	}
}

static bool q_is_shorter(struct str text, enum enc_word_kind kind)
{
	size_t q = 0, b = 0;

	while (text.len > 0) {
		struct str c = next_char(text);
		size_t len = char_len(text);

		q += q_cost(c, kind);
		b += c.len;
		text.p += len;
		text.len -= len;
	}
	return q <= (b + 2) / 3 * 4;
}

/* One encoded word with as much of @text as @room characters of payload can hold. */
static void one_word(struct emitter *e, struct str *text, bool is_q, size_t room)
{
	char bytes[PAYLOAD_MAX];
	size_t n = 0, used = 0;

	lex_put(e->out, is_q ? head_q : head_b);
	while (text->len > 0) {
		struct str c = next_char(*text);
		size_t len = char_len(*text);
		size_t cost = is_q ? used + q_cost(c, e->kind) : (n + c.len + 2) / 3 * 4;

		if (cost > room)
			break;
		used = cost;
		if (is_q) {
			put_q(e, c);
		} else {
			memcpy(bytes + n, c.p, c.len);
			n += c.len;
		}
		text->p += len;
		text->len -= len;
	}
	if (!is_q) {
		char block[ENC_WORD_MAX];

		lex_put(e->out,
			(struct str){ block,
				      enc_b64_block((struct str){ bytes, n }, block) });
	}
	lex_put(e->out, tail);
	e->col += HEAD_AND_TAIL + used;
}

static void fold(struct emitter *e)
{
	lex_put(e->out, STR("\r\n "));
	e->col = 1;
}

static void encoded_run(struct emitter *e, struct str text)
{
	bool is_q = q_is_shorter(text, e->kind);

	while (text.len > 0) {
		size_t left = e->col + HEAD_AND_TAIL < ENC_WORD_LINE_MAX ?
				      ENC_WORD_LINE_MAX - e->col - HEAD_AND_TAIL :
				      0;

		/* Nowhere to fold: a name of a field that fills the line. */
		if (left < PAYLOAD_MIN)
			left = PAYLOAD_MIN;
		one_word(e, &text, is_q, left < PAYLOAD_MAX ? left : PAYLOAD_MAX);
		if (text.len > 0)
			fold(e);
	}
}

/* Takes the run of words to encode at the front of @text, with the blanks inside it. */
static struct str take_run(struct str *text, enum enc_word_kind kind)
{
	struct str run = { text->p, 0 };

	for (;;) {
		struct str rest, next;

		take_word(text);
		run.len = (size_t)(text->p - run.p);
		rest = *text;
		take_space(&rest);
		next = rest;
		if (rest.len == 0 || !needs_encoding(take_word(&next), kind))
			return run;
		*text = rest;
	}
}

static void put_spaces(struct emitter *e, size_t n)
{
	for (n = n < SPACES_MAX ? n : SPACES_MAX; n > 0; n--, e->col++)
		lex_put(e->out, STR(" "));
}

void enc_word_encode(struct str text, enum enc_word_kind kind, size_t *col,
		     struct wr *out)
{
	struct emitter e = { .out = out, .col = *col, .kind = kind };
	struct str space = { text.p, 0 };

	take_space(&text);
	while (text.len > 0) {
		struct str probe = text, word = take_word(&probe);
		bool is_encoded = needs_encoding(word, kind);

		word = is_encoded ? take_run(&text, kind) : take_word(&text);
		if (space.len > 0) {
			size_t need = is_encoded ? HEAD_AND_TAIL + PAYLOAD_MIN : word.len;

			/* A blank in the place where a line folds. */
			if (e.col + space.len + need > ENC_WORD_LINE_MAX && e.col > 1) {
				lex_put(out, STR("\r\n"));
				e.col = 0;
			}
			put_spaces(&e, space.len);
		}
		if (is_encoded) {
			encoded_run(&e, word);
		} else {
			lex_put(out, word);
			e.col += word.len;
		}
		space = take_space(&text);
	}
	*col = e.col;
}

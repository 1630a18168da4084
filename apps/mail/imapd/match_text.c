#include "apps/mail/imapd/match_text.h"

#include <stdlib.h>

#include "apps/mail/imapd/fold.h"
#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/mime.h"

enum {
	PIECE = 32 << 10, /* octets of a body that are decoded together */
	/* What they may become: three bytes for each in UTF-8, or U+FFFD. */
	TEXT = 3 * (PIECE + ENC_ROOM) + 64,
	FIELD = 64 << 10, /* bytes of a decoded field; more is not looked at */
	CARRY = 1 << 20,  /* longest text that is found across pieces */
};

struct match_text {
	char decoded[PIECE + ENC_ROOM];
	char *text; /* what is left of the last piece, then this one */
	size_t room, carry;
};

struct match_text *match_text_new(void)
{
	struct match_text *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->room = TEXT > FIELD ? TEXT : FIELD;
	t->text = malloc(t->room);
	if (!t->text) {
		free(t);
		return NULL;
	}
	return t;
}

void match_text_free(struct match_text *t)
{
	if (!t)
		return;
	free(t->text);
	free(t);
}

static bool contains(struct str text, struct str what)
{
	return memmem(text.p, text.len, what.p, what.len);
}

/* A field's value, decoded and folded, in t->text. */
static bool value_has(struct match_text *t, struct str value, struct str what)
{
	struct wr out = wr_of(t->text, FIELD);
	size_t len;

	(void)enc_word_decode(value, &out);
	len = (size_t)((char *)out.p - t->text);
	fold(t->text, len);
	return contains((struct str){ t->text, len }, what);
}

bool match_text_field(struct match_text *t, struct str header, struct str name,
		      struct str text)
{
	struct header_field field;

	while (header_next(&header, &field))
		if (str_eq_nocase(field.name, name) &&
		    (text.len == 0 || value_has(t, field.value, text)))
			return true;
	return false;
}

/* As it was written: "From: x", which a search may look for. */
static bool raw_has(struct match_text *t, struct str whole, struct str what)
{
	size_t len = whole.len < FIELD ? whole.len : FIELD;

	memcpy(t->text, whole.p, len);
	fold(t->text, len);
	return contains((struct str){ t->text, len }, what);
}

bool match_text_header(struct match_text *t, struct str header, struct str text)
{
	struct header_field field;

	while (header_next(&header, &field))
		if (raw_has(t, field.whole, text) || value_has(t, field.value, text))
			return true;
	return false;
}

/* Room behind the carry for one piece. */
static bool make_room(struct match_text *t, size_t what_len)
{
	size_t room = (what_len < CARRY ? what_len : CARRY) + TEXT;
	char *bigger;

	if (room <= t->room)
		return true;
	bigger = realloc(t->text, room);
	if (!bigger)
		return false;
	t->text = bigger;
	t->room = room;
	return true;
}

/* Looks into what is there up to @end, and carries over where a match may begin. */
static bool look(struct match_text *t, char *end, struct str what)
{
	size_t len = (size_t)(end - t->text), keep = what.len - 1;

	fold(t->text + t->carry, len - t->carry);
	if (contains((struct str){ t->text, len }, what))
		return true;
	if (keep > len)
		keep = len;
	if (keep > CARRY)
		keep = CARRY;
	memmove(t->text, t->text + len - keep, keep);
	t->carry = keep;
	return false;
}

static bool is_plain(const struct mime_part *p, struct str charset)
{
	return (p->enc == ENC_7BIT || p->enc == ENC_8BIT || p->enc == ENC_BINARY) &&
	       (charset.len == 0 || str_eq_nocase(charset, STR("us-ascii")) ||
		str_eq_nocase(charset, STR("utf-8")));
}

/* A body that is UTF-8 as it stands. */
static bool plain_has(struct match_text *t, struct str body, struct str what)
{
	while (body.len > 0) {
		size_t n = body.len < PIECE ? body.len : PIECE;

		memcpy(t->text + t->carry, body.p, n);
		if (look(t, t->text + t->carry + n, what))
			return true;
		body.p += n;
		body.len -= n;
	}
	return false;
}

static bool coded_has(struct match_text *t, const struct mime_part *p, struct charset *cs,
		      struct str body, struct str what)
{
	struct enc_decoder decoder;
	bool last = false;

	enc_decode_init(&decoder, p->enc);
	while (!last) {
		struct str in = { body.p, body.len < PIECE ? body.len : PIECE };
		struct wr out = wr_of(t->text + t->carry, t->room - t->carry);
		size_t n = enc_decode(&decoder, in, t->decoded);

		body.p += in.len;
		body.len -= in.len;
		charset_feed(cs, (struct str){ t->decoded, n }, &out);
		last = body.len == 0;
		if (last) {
			n = enc_decode_end(&decoder, t->decoded);
			charset_feed(cs, (struct str){ t->decoded, n }, &out);
			charset_end(cs, &out);
		}
		if (look(t, (char *)out.p, what))
			return true;
	}
	return false;
}

static bool part_has(struct match_text *t, const struct mime_part *p, struct str message,
		     struct str what)
{
	const struct str body = { message.p + p->body_at, (size_t)p->body_len };
	struct str charset = param_find(p->params.param, p->params.n, STR("charset"));
	struct charset cs;
	bool found;

	t->carry = 0;
	if (body.len == 0 || !make_room(t, what.len))
		return false;
	if (is_plain(p, charset))
		return plain_has(t, body, what);
	charset_open(&cs, charset);
	found = coded_has(t, p, &cs, body, what);
	charset_close(&cs);
	return found;
}

bool match_text_parts(struct match_text *t, const struct mime *mime, struct str message,
		      struct str text)
{
	for (uint32_t i = 0; i < mime_n_parts(mime); i++) {
		const struct mime_part *p = mime_part(mime, i);
		const struct str header = { message.p + p->header_at,
					    (size_t)p->header_len };
		bool is_text = p->type.len == 0 || str_eq_nocase(p->type, STR("text"));

		if (i != MIME_ROOT && match_text_header(t, header, text))
			return true;
		if (p->kind == MIME_LEAF && is_text && part_has(t, p, message, text))
			return true;
	}
	return false;
}

/*
 * First the parts are gone through and the message is cut into pieces: such that are
 * copied, fields that are new, bodies to encode.  Then the pieces are read.
 *
 *	header of the part ... Content-Transfer-Encoding: 8bit ... empty line | body
 *	COPY                   NEW                             COPY           | ENCODE
 *
 * A preamble or epilogue belongs to no part that could be encoded, and nobody is to read
 * it (RFC 2046 5.1.1): bytes above 127 there become "?".
 */
#include "apps/mail/wire/mime_7bit.h"

#include <assert.h>
#include <stdlib.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/header.h"
#include "stack/base/check.h"

enum {
	PIECES_PER_PART = 8,
	CHUNK = 900, /* of a body; with what it may become, less than c->buf */
};

static_assert(sizeof(((struct mime_7bit *)0)->buf) >=
		      4 * (CHUNK + ENC_ROOM) + ENC_ROOM + 4 * ENC_ROOM + ENC_ROOM,
	      "a chunk fits, with what decoder and encoder held back");

enum piece_kind {
	HEADER, /* copied as it is */
	BODY,	/* copied, and masked */
	NEW,
	ENCODE,
};

struct mime_7bit_piece {
	enum piece_kind kind;
	struct str text;
	enum enc from, to; /* of ENCODE */
	bool is_text;
};

static void add(struct mime_7bit *c, enum piece_kind kind, struct str text)
{
	if (text.len > 0)
		c->pieces[c->n_pieces++] =
			(struct mime_7bit_piece){ .kind = kind, .text = text };
}

static struct str slice(const struct mime_7bit *c, uint64_t at, uint64_t len)
{
	return (struct str){ c->message.p + at, len };
}

static bool is_identity(enum enc e)
{
	return e == ENC_7BIT || e == ENC_8BIT || e == ENC_BINARY;
}

/* The body cannot go as it is. */
static bool needs_encoding(const struct enc_survey *s)
{
	return enc_survey_best(s, true, false) != ENC_7BIT;
}

static struct enc_survey survey_of(const struct mime_7bit *c, const struct mime_part *p)
{
	struct enc_survey s = { .len = 0 };

	enc_survey_feed(&s, slice(c, p->body_at, p->body_len));
	return s;
}

static bool is_signed(const struct mime *m, const struct mime_part *p)
{
	for (; p; p = mime_part(m, p->parent))
		if (mime_is(p, STR("multipart"), STR("signed")))
			return true;
	return false;
}

/*
 * RFC 2046 5.2: message/partial and external-body are 7bit and nothing else.  Of an
 * encoding that is not known nobody can tell what an encoding of it means.
 */
static bool may_be_encoded(const struct mime_part *p)
{
	if (mime_is(p, STR("message"), STR("partial")) ||
	    mime_is(p, STR("message"), STR("external-body")) ||
	    mime_is(p, STR("message"), STR("rfc822")))
		return false;
	/* A multipart that we see no parts of has some for others. */
	return p->enc != ENC_OTHER && !str_eq_nocase(p->type, STR("multipart"));
}

/* What must be done with a part, before anything is. */
enum need { NO_CHANGE, LABEL, BODY_TOO };

static enum mime_7bit_result judge(const struct mime_7bit *c, const struct mime *m,
				   const struct mime_part *p, enum need *need)
{
	bool says_8bit = p->enc == ENC_8BIT || p->enc == ENC_BINARY;
	struct enc_survey survey;

	*need = NO_CHANGE;
	if (p->kind == MIME_LEAF) {
		survey = survey_of(c, p);
		if (needs_encoding(&survey))
			*need = BODY_TOO;
	} else if (p->odd & (MIME_ODD_BODY_8BIT | MIME_ODD_NUL)) {
		*need = LABEL;
	}
	if (*need == NO_CHANGE && says_8bit && !is_signed(m, p))
		*need = LABEL;
	if (*need == NO_CHANGE)
		return MIME_7BIT_AS_IT_IS;
	if (is_signed(m, p))
		return MIME_7BIT_SIGNED;
	if (*need == BODY_TOO && !may_be_encoded(p))
		return MIME_7BIT_NO_ENCODING;
	return MIME_7BIT_CHANGED;
}

static struct str label_of(enum enc e)
{
	switch (e) {
	case ENC_QP: return STR("Content-Transfer-Encoding: quoted-printable\r\n");
	case ENC_BASE64: return STR("Content-Transfer-Encoding: base64\r\n");
	case ENC_7BIT:
	case ENC_8BIT:
	case ENC_BINARY:
	case ENC_OTHER: break;
	}
	return STR("Content-Transfer-Encoding: 7bit\r\n");
}

/* Mail from before MIME: what it is must be said, or nobody decodes it.  RFC 1428 4: the
 * name of a character set that is not known. */
static void add_mime_fields(struct mime_7bit *c, const struct mime_part *p,
			    bool has_version)
{
	if (!has_version)
		add(c, NEW, STR("MIME-Version: 1.0\r\n"));
	if (has_version || p->has_type || p->kind != MIME_LEAF)
		return;
	add(c, NEW,
	    charset_is_utf8(slice(c, p->body_at, p->body_len)) ?
		    STR("Content-Type: text/plain; charset=utf-8\r\n") :
		    STR("Content-Type: text/plain; charset=unknown-8bit\r\n"));
}

/* The header of @p with another encoding in it. */
static void add_header(struct mime_7bit *c, const struct mime *m,
		       const struct mime_part *p, enum enc to)
{
	struct str all = slice(c, p->header_at, p->header_len), rest = all;
	const struct mime_part *up = mime_part(m, p->parent);
	bool has_version = up && up->kind == MIME_MULTIPART, has_label = false;
	struct header_field f;
	const char *from = all.p;

	while (header_next(&rest, &f)) {
		has_version |= str_eq_nocase(f.name, STR("MIME-Version"));
		if (!str_eq_nocase(f.name, STR("Content-Transfer-Encoding")))
			continue;
		add(c, HEADER, (struct str){ from, (size_t)(f.whole.p - from) });
		if (!has_label)
			add(c, NEW, label_of(to));
		has_label = true;
		from = rest.p;
	}
	add(c, HEADER, (struct str){ from, (size_t)(rest.p - from) });
	add_mime_fields(c, p, has_version);
	if (!has_label)
		add(c, NEW, label_of(to));
	/* Where no empty line was, the encoded text could be taken for fields. */
	if (rest.len > 0)
		add(c, HEADER, rest);
	else if (p->body_len > 0)
		add(c, NEW, STR("\r\n"));
}

/* A header may have a field many times: they are pieces too. */
static uint32_t n_pieces_of(const struct mime_7bit *c, const struct mime_part *p)
{
	struct str header = slice(c, p->header_at, p->header_len);
	uint32_t n = PIECES_PER_PART;
	struct header_field f;

	while (header_next(&header, &f))
		n += str_eq_nocase(f.name, STR("Content-Transfer-Encoding"));
	return n;
}

static void add_body(struct mime_7bit *c, const struct mime_part *p, enum enc to)
{
	struct str body = slice(c, p->body_at, p->body_len);

	add(c, ENCODE, body);
	if (body.len == 0)
		return;
	c->pieces[c->n_pieces - 1].from = p->enc;
	c->pieces[c->n_pieces - 1].to = to;
	c->pieces[c->n_pieces - 1].is_text = to == ENC_QP;
}

/* The encoding that a leaf gets.  One that has one already keeps it: what is odd in it
 * was put there by somebody on the way, and goes. */
static enum enc encoding_for(const struct mime_7bit *c, const struct mime_part *p)
{
	struct enc_survey survey;

	if (!is_identity(p->enc))
		return p->enc;
	survey = survey_of(c, p);
	return enc_survey_best(&survey, str_eq_nocase(p->type, STR("text")), false);
}

static void plan(struct mime_7bit *c, const struct mime *m)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < mime_n_parts(m); i++) {
		const struct mime_part *p = mime_part(m, i);
		enum enc to = ENC_7BIT;
		enum need need;

		judge(c, m, p, &need);
		add(c, BODY, slice(c, at, p->header_at - at));
		at = p->header_at + p->header_len;
		if (need == BODY_TOO)
			to = encoding_for(c, p);
		if (need == NO_CHANGE)
			add(c, HEADER, slice(c, p->header_at, p->header_len));
		else
			add_header(c, m, p, to);
		if (need == BODY_TOO) {
			add_body(c, p, to);
			at = p->body_at + p->body_len;
		}
	}
	add(c, BODY, slice(c, at, c->message.len - at));
}

enum mime_7bit_result mime_7bit_init(struct mime_7bit *c, const struct mime *m,
				     struct str message)
{
	enum mime_7bit_result result = MIME_7BIT_AS_IT_IS;
	size_t n_pieces = 1;

	*c = (struct mime_7bit){ .message = message };
	c->has_8bit_header = mime_odd(m) & MIME_ODD_HEADER_8BIT;
	for (uint32_t i = 0; i < mime_n_parts(m); i++) {
		const struct mime_part *p = mime_part(m, i);
		enum mime_7bit_result r;
		enum need need;

		r = judge(c, m, p, &need);
		if (r > MIME_7BIT_CHANGED)
			return r;
		if (r == MIME_7BIT_CHANGED)
			result = r;
		n_pieces += n_pieces_of(c, p);
	}
	if (result == MIME_7BIT_AS_IT_IS)
		return result;
	if (mime_odd(m) &
	    (MIME_ODD_LIMIT_DEPTH | MIME_ODD_LIMIT_PARTS | MIME_ODD_LIMIT_HEADER |
	     MIME_ODD_LIMIT_FIELD | MIME_ODD_LIMIT_MEMORY))
		return MIME_7BIT_LIMITS;
	c->pieces = calloc(n_pieces, sizeof(*c->pieces));
	if (!c->pieces)
		return MIME_7BIT_NO_MEMORY;
	plan(c, m);
	ASSERT(c->n_pieces <= n_pieces);
	return MIME_7BIT_CHANGED;
}

void mime_7bit_fini(struct mime_7bit *c)
{
	free(c->pieces);
	c->pieces = NULL;
	c->n_pieces = 0;
}

/* Encodes some more of the body into c->buf.  False: it is over. */
static bool encode_more(struct mime_7bit *c, const struct mime_7bit_piece *piece)
{
	char plain[CHUNK + ENC_ROOM];
	struct str rest = { piece->text.p + c->done, piece->text.len - c->done };
	bool is_last = rest.len <= CHUNK;
	size_t n;

	if (c->done == piece->text.len)
		return false;
	if (c->done == 0) {
		enc_decode_init(&c->decoder, piece->from);
		enc_encode_init(&c->encoder, piece->to, piece->is_text);
	}
	if (!is_last)
		rest.len = CHUNK;
	c->done += rest.len;
	n = enc_decode(&c->decoder, rest, plain);
	c->buf_at = 0;
	c->buf_len = enc_encode(&c->encoder, (struct str){ plain, n }, c->buf);
	if (!is_last)
		return true;
	n = enc_decode_end(&c->decoder, plain);
	c->buf_len +=
		enc_encode(&c->encoder, (struct str){ plain, n }, c->buf + c->buf_len);
	c->buf_len += enc_encode_end(&c->encoder, c->buf + c->buf_len);
	return true;
}

static size_t copy(char *out, size_t room, struct str s)
{
	size_t n = s.len < room ? s.len : room;

	memcpy(out, s.p, n);
	return n;
}

static void mask(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] > 127 || p[i] == '\0')
			p[i] = '?';
}

/* Some octets of the piece; 0: there are no more. */
static size_t read_piece(struct mime_7bit *c, const struct mime_7bit_piece *piece,
			 char *out, size_t room)
{
	size_t n;

	if (piece->kind == ENCODE) {
		while (c->buf_at == c->buf_len)
			if (!encode_more(c, piece))
				return 0;
		n = copy(out, room,
			 (struct str){ c->buf + c->buf_at, c->buf_len - c->buf_at });
		c->buf_at += n;
		return n;
	}
	n = copy(out, room,
		 (struct str){ piece->text.p + c->done, piece->text.len - c->done });
	if (piece->kind == BODY)
		mask(out, n);
	c->done += n;
	return n;
}

size_t mime_7bit_read(struct mime_7bit *c, char *out, size_t room)
{
	size_t n = 0;

	while (n < room && c->now < c->n_pieces) {
		size_t some = read_piece(c, &c->pieces[c->now], out + n, room - n);

		n += some;
		if (some == 0) {
			c->now++;
			c->done = 0;
			c->buf_at = c->buf_len = 0;
		}
	}
	return n;
}

/* Writes all of it into memory. */
static enum mime_7bit_result read_text(struct mime_7bit *c, char **text, size_t *len)
{
	size_t room = 0, n = 0, some = 1;
	char *bytes = NULL;

	while (some > 0) {
		if (n == room) {
			size_t more = room ? room * 2 : c->message.len + CHUNK;
			char *bigger = realloc(bytes, more);

			if (!bigger) {
				free(bytes);
				return MIME_7BIT_NO_MEMORY;
			}
			bytes = bigger;
			room = more;
		}
		some = mime_7bit_read(c, bytes + n, room - n);
		n += some;
	}
	*text = bytes;
	*len = n;
	return MIME_7BIT_CHANGED;
}

enum mime_7bit_result mime_7bit_text(struct str message, char **text, size_t *len)
{
	struct mime *m = mime_new(&mime_limits_default);
	enum mime_7bit_result result;
	struct mime_7bit c;

	if (!m)
		return MIME_7BIT_NO_MEMORY;
	mime_parse(m, message);
	result = mime_7bit_init(&c, m, message);
	mime_free(m);
	if (result == MIME_7BIT_CHANGED)
		result = read_text(&c, text, len);
	mime_7bit_fini(&c);
	return result;
}

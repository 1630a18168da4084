#include "apps/mail/wire/mime_partial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/enc.h"
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/lex.h"

enum { HEADER_ROOM = 512, ID_MAX = 128, SUBJECT_MAX = 128 };

/* RFC 2046 5.2.2.1: the fields that travel inside. */
static bool is_inner(struct str name)
{
	return str_starts_nocase(name, STR("Content-")) ||
	       str_eq_nocase(name, STR("Subject")) ||
	       str_eq_nocase(name, STR("Message-ID")) ||
	       str_eq_nocase(name, STR("Encrypted")) ||
	       str_eq_nocase(name, STR("MIME-Version"));
}

/* The fields of one of the two kinds, one after the other. */
static void put_fields(struct wr *out, struct str header, bool inner)
{
	struct header_field f;

	while (header_next(&header, &f))
		if (is_inner(f.name) == inner)
			lex_put(out, f.whole);
}

static bool is_id(struct str id)
{
	for (size_t i = 0; i < id.len; i++)
		if (id.p[i] <= ' ' || id.p[i] > 126 || strchr("<>\"\\", id.p[i]))
			return false;
	return id.len > 0 && id.len <= ID_MAX;
}

/* Where the piece that begins at @at ends: behind its last whole line. */
static size_t piece_end(const struct mime_partial *s, size_t at)
{
	size_t end = at + s->piece_len;

	if (s->inner_len - at <= s->piece_len)
		return s->inner_len;
	while (s->inner[end - 1] != '\n')
		end--;
	return end;
}

static int check(struct str message, struct str id, size_t piece_len)
{
	struct enc_survey survey = { .len = 0 };

	if (piece_len < MIME_PARTIAL_LEAST || !is_id(id))
		return -EINVAL;
	enc_survey_feed(&survey, message);
	return enc_survey_best(&survey, true, false) == ENC_7BIT ? 0 : -EILSEQ;
}

int mime_partial_init(struct mime_partial *s, struct str message, struct str id,
		      size_t piece_len)
{
	size_t n = header_len(message), at = 0;
	struct mime_partial p = { .message = message, .id = id, .piece_len = piece_len };
	struct str header = { message.p, n };
	int err = check(message, id, piece_len);
	struct wr w;

	if (err)
		return err;
	p.inner = malloc(message.len + 2);
	p.outer = malloc(n + 1);
	if (!p.inner || !p.outer) {
		mime_partial_fini(&p);
		return -ENOMEM;
	}
	w = wr_of(p.outer, n);
	put_fields(&w, header, false);
	p.outer_len = (size_t)((char *)w.p - p.outer);
	w = wr_of(p.inner, message.len + 2);
	put_fields(&w, header, true);
	lex_put(&w, STR("\r\n"));
	lex_put(&w, (struct str){ message.p + n, message.len - n });
	p.inner_len = (size_t)((char *)w.p - p.inner);
	for (; at < p.inner_len && p.n <= MIME_PARTIAL_MAX; p.n++)
		at = piece_end(&p, at);
	if (p.n > MIME_PARTIAL_MAX) {
		mime_partial_fini(&p);
		return -EMSGSIZE;
	}
	*s = p;
	return 0;
}

void mime_partial_fini(struct mime_partial *s)
{
	free(s->inner);
	free(s->outer);
	s->inner = s->outer = NULL;
}

static void put_number(struct wr *out, const char *before, unsigned n)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%s%u", before, n);

	wr_copy(out, text, (size_t)len);
}

/* The subject, on one line, so that who has no partial sees what it is. */
static void put_subject(const struct mime_partial *s, unsigned i, struct wr *out)
{
	struct header_field f;
	char text[SUBJECT_MAX];
	struct wr line = wr_of(text, sizeof(text));

	lex_put(out, STR("Subject: "));
	/* A subject that does not fit is cut where it is folded, not inside a word. */
	if (header_find(s->message, STR("Subject"), &f)) {
		struct str first, rest;

		first = str_cut(f.value, '\r', &rest);
		if (first.len < SUBJECT_MAX)
			lex_put(&line, first);
	}
	lex_put(out, lex_since(&line, (uint8_t *)text));
	put_number(out, " (", i + 1);
	put_number(out, "/", s->n);
	lex_put(out, STR(")\r\n"));
}

int mime_partial_piece(const struct mime_partial *s, unsigned i, char **out, size_t *len)
{
	size_t at = 0, end, room;
	struct wr w;
	char *p;

	for (unsigned k = 0; k < i; k++)
		at = piece_end(s, at);
	end = piece_end(s, at);
	room = s->outer_len + HEADER_ROOM + 3 * ID_MAX + SUBJECT_MAX + (end - at);
	p = malloc(room);
	if (!p)
		return -ENOMEM;
	w = wr_of(p, room);
	lex_put(&w, (struct str){ s->outer, s->outer_len });
	put_subject(s, i, &w);
	put_number(&w, "Message-ID: <", i + 1);
	lex_put(&w, STR("."));
	lex_put(&w, s->id);
	lex_put(&w,
		STR(">\r\nMIME-Version: 1.0\r\nContent-Type: message/partial;\r\n\t"));
	put_number(&w, "number=", i + 1);
	put_number(&w, "; total=", s->n);
	lex_put(&w, STR(";\r\n\tid=\""));
	lex_put(&w, s->id);
	lex_put(&w, STR("\"\r\n\r\n"));
	lex_put(&w, (struct str){ s->inner + at, end - at });
	*out = p;
	*len = (size_t)((char *)w.p - p);
	return 0;
}

static bool read_number(const struct mime_part *p, struct str name, unsigned *n)
{
	uint64_t value;

	if (!str_to_u64(param_find(p->params.param, p->params.n, name), &value) ||
	    value == 0 || value > MIME_PARTIAL_MAX)
		return false;
	*n = (unsigned)value;
	return true;
}

bool mime_partial_read(const struct mime_part *p, struct mime_partial_part *part)
{
	struct mime_partial_part r = { .total = 0 };

	if (!mime_is(p, STR("message"), STR("partial")))
		return false;
	r.id = param_find(p->params.param, p->params.n, STR("id"));
	if (r.id.len == 0 || !read_number(p, STR("number"), &r.number))
		return false;
	if (param_find(p->params.param, p->params.n, STR("total")).p &&
	    (!read_number(p, STR("total"), &r.total) || r.number > r.total))
		return false;
	*part = r;
	return true;
}

struct joiner {
	struct mime *m;
	char *out;
	size_t len, max;
	char id[MIME_FIELD_MAX];
	size_t id_len;
	unsigned total;
};

static int append(struct joiner *j, struct str s)
{
	if (s.len > j->max - j->len)
		return -EMSGSIZE;
	if (s.len > 0)
		memcpy(j->out + j->len, s.p, s.len);
	j->len += s.len;
	return 0;
}

/* RFC 2046 5.2.2.1: the fields of the first piece and of the message in it, each those
 * that count. */
static int append_first(struct joiner *j, struct str outer, struct str body)
{
	struct str inner = { body.p, header_len(body) };
	struct wr w = wr_of(j->out, j->max);

	put_fields(&w, outer, false);
	put_fields(&w, inner, true);
	lex_put(&w, STR("\r\n"));
	if (w.bad)
		return -EMSGSIZE;
	j->len = (size_t)((char *)w.p - j->out);
	return append(j, (struct str){ body.p + inner.len, body.len - inner.len });
}

static int join_piece(struct joiner *j, struct str piece, unsigned number)
{
	const struct mime_part *p;
	struct mime_partial_part part;
	struct str body;

	mime_parse(j->m, piece);
	p = mime_part(j->m, MIME_ROOT);
	if (!mime_partial_read(p, &part) || part.number != number ||
	    part.id.len > sizeof(j->id))
		return -EINVAL;
	if (part.total && j->total && part.total != j->total)
		return -EINVAL;
	if (part.total)
		j->total = part.total;
	body = (struct str){ piece.p + p->body_at, p->body_len };
	if (number == 1) {
		memcpy(j->id, part.id.p, part.id.len);
		j->id_len = part.id.len;
		return append_first(j, (struct str){ piece.p, p->header_len }, body);
	}
	if (!str_eq(part.id, (struct str){ j->id, j->id_len }))
		return -EINVAL;
	return append(j, body);
}

int mime_partial_join(const struct str *pieces, unsigned n, size_t max, char **out,
		      size_t *len)
{
	struct joiner *j = malloc(sizeof(*j));
	size_t room = 2;
	int err = 0;

	if (!j)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++)
		room += pieces[i].len;
	j->max = room < max ? room : max;
	j->len = 0;
	j->total = 0;
	j->m = mime_new(&mime_limits_default);
	j->out = malloc(j->max ? j->max : 1);
	if (!j->m || !j->out)
		err = -ENOMEM;
	for (unsigned i = 0; i < n && !err; i++)
		err = join_piece(j, pieces[i], i + 1);
	/* RFC 2046 5.2.2: the last piece must say how many there are. */
	if (!err && (n == 0 || j->total != n))
		err = -EINVAL;
	if (!err) {
		*out = j->out;
		*len = j->len;
	} else {
		free(j->out);
	}
	mime_free(j->m);
	free(j);
	return err;
}

bool mime_burst_next(const struct mime *m, struct str whole, uint32_t *i,
		     struct str *message)
{
	for (; *i < mime_n_parts(m); (*i)++) {
		const struct mime_part *p = mime_part(m, *i);
		uint64_t end = p->body_at + p->body_len;

		if (p->kind != MIME_MESSAGE)
			continue;
		*message = (struct str){ whole.p + p->body_at, p->body_len };
		do
			(*i)++;
		while (*i < mime_n_parts(m) && mime_part(m, *i)->header_at < end);
		return true;
	}
	return false;
}

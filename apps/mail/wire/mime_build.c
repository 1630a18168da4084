#include "apps/mail/wire/mime_build.h"

#include <errno.h>
#include <stdlib.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/lex.h"
#include "apps/mail/wire/mime_build_impl.h"
#include "apps/mail/wire/param.h"
#include "stack/base/check.h"
#include "stack/base/rng.h"

enum { ROOM_FIRST = 4096, CHUNK = 3 * 1024 };

void mime_build_init(struct mime_build *b, struct rng *rng, size_t max, bool allow_8bit)
{
	*b = (struct mime_build){ .rng = rng, .max = max, .allow_8bit = allow_8bit };
}

void mime_build_fini(struct mime_build *b)
{
	free(b->p);
	b->p = NULL;
}

void mime_build_fail(struct mime_build *b, int err)
{
	if (b->err == 0)
		b->err = err;
}

struct wr mime_build_room(struct mime_build *b, size_t n)
{
	size_t room = b->room ? b->room : ROOM_FIRST;
	char *p;

	if (b->err)
		return wr_of(b->boundary, 0);
	while (room - b->len < n)
		room *= 2;
	if (room != b->room) {
		p = realloc(b->p, room);
		if (!p) {
			mime_build_fail(b, -ENOMEM);
			return wr_of(b->boundary, 0);
		}
		b->p = p;
		b->room = room;
	}
	return wr_of(b->p + b->len, n);
}

void mime_build_wrote(struct mime_build *b, const struct wr *w)
{
	if (b->err)
		return;
	ASSERT(!w->bad);
	b->len = (size_t)((char *)w->p - b->p);
	if (b->len > b->max)
		mime_build_fail(b, -EMSGSIZE);
}

void mime_build_put(struct mime_build *b, struct str s)
{
	struct wr w;

	if (s.len > b->max) {
		mime_build_fail(b, -EMSGSIZE);
		return;
	}
	w = mime_build_room(b, s.len);
	lex_put(&w, s);
	mime_build_wrote(b, &w);
}

static struct str boundary(const struct mime_build *b, unsigned level)
{
	return (struct str){ b->boundary[level], MIME_BUILD_BOUNDARY };
}

/* A part begins: its delimiter, or what a message says of itself once. */
static void begin_part(struct mime_build *b)
{
	if (b->has_body)
		mime_build_fail(b, -EINVAL);
	if (b->depth == 0) {
		b->has_body = true;
		mime_build_put(b, STR("MIME-Version: 1.0\r\n"));
		return;
	}
	mime_build_put(b, STR("\r\n--"));
	mime_build_put(b, boundary(b, b->depth - 1));
	mime_build_put(b, STR("\r\n"));
}

static void put_param(struct mime_build *b, struct str name, struct str value)
{
	/* RFC 2231 makes three of one, and some more for each line. */
	struct wr w = mime_build_room(b, 8 * value.len + 256);

	param_emit(&w, name, value);
	mime_build_wrote(b, &w);
}

static void put_encoding(struct mime_build *b, enum enc enc)
{
	mime_build_put(b, STR("Content-Transfer-Encoding: "));
	mime_build_put(b, enc_name(enc));
	mime_build_put(b, STR("\r\n"));
}

static void fresh_boundary(struct mime_build *b, char *out)
{
	static const char letters[32] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	memcpy(out, "=_", 2);
	for (unsigned i = 2; i < MIME_BUILD_BOUNDARY; i++)
		out[i] = letters[rng_u32(b->rng) >> 27];
}

static void multipart(struct mime_build *b, struct str subtype, struct str report_type)
{
	begin_part(b);
	if (b->depth == MIME_BUILD_DEPTH)
		mime_build_fail(b, -EINVAL);
	if (b->err)
		return;
	fresh_boundary(b, b->boundary[b->depth]);
	b->has_body = false;
	mime_build_put(b, STR("Content-Type: multipart/"));
	mime_build_put(b, subtype);
	if (report_type.len > 0)
		put_param(b, STR("report-type"), report_type);
	put_param(b, STR("boundary"), boundary(b, b->depth));
	mime_build_put(b, STR("\r\n"));
	/* RFC 2045 6.4: it says so when it may have such a part. */
	if (b->allow_8bit)
		put_encoding(b, ENC_8BIT);
	b->depth++;
}

static bool is_token(struct str s)
{
	struct str word;

	return lex_token(&s, &word) && s.len == 0 && charset_is_ascii(word);
}

void mime_build_multipart(struct mime_build *b, struct str subtype)
{
	if (!is_token(subtype))
		mime_build_fail(b, -EINVAL);
	multipart(b, subtype, (struct str){ "", 0 });
}

void mime_build_report(struct mime_build *b, struct str report_type)
{
	if (!is_token(report_type))
		mime_build_fail(b, -EINVAL);
	multipart(b, STR("report"), report_type);
}

void mime_build_end(struct mime_build *b)
{
	if (b->depth == 0)
		mime_build_fail(b, -EINVAL);
	if (b->err)
		return;
	b->depth--;
	mime_build_put(b, STR("\r\n--"));
	mime_build_put(b, boundary(b, b->depth));
	mime_build_put(b, STR("--\r\n"));
	b->has_body = b->depth == 0;
}

static void put_encoded(struct mime_build *b, struct enc_encoder *e, struct str bytes)
{
	while (bytes.len > 0 && b->err == 0) {
		struct str some = { bytes.p, bytes.len < CHUNK ? bytes.len : CHUNK };
		struct wr w = mime_build_room(b, enc_encoded_room(some.len));

		if (b->err)
			return;
		w.p += enc_encode(e, some, (char *)w.p);
		mime_build_wrote(b, &w);
		bytes.p += some.len;
		bytes.len -= some.len;
	}
}

static void end_encoded(struct mime_build *b, struct enc_encoder *e)
{
	struct wr w = mime_build_room(b, ENC_ROOM);

	if (b->err)
		return;
	w.p += enc_encode_end(e, (char *)w.p);
	mime_build_wrote(b, &w);
}

/* The next line of @text, without its end; what ends it is written as CRLF. */
static struct str take_line(struct str *text, bool *has_end)
{
	struct str all = *text, line = str_cut(all, '\n', text);

	*has_end = line.len < all.len;
	if (*has_end && line.len > 0 && line.p[line.len - 1] == '\r')
		line.len--;
	return line;
}

static enum enc best_for_text(const struct mime_build *b, struct str text)
{
	struct enc_survey survey = { .len = 0 };

	while (text.len > 0) {
		bool has_end;

		enc_survey_feed(&survey, take_line(&text, &has_end));
		if (has_end)
			enc_survey_feed(&survey, STR("\r\n"));
	}
	return enc_survey_best(&survey, true, b->allow_8bit);
}

void mime_build_text(struct mime_build *b, struct str subtype, struct str text)
{
	enum enc enc = best_for_text(b, text);
	bool ends_in_line = text.len > 0 && text.p[text.len - 1] != '\n';
	struct enc_encoder e;

	if (!charset_is_utf8(text))
		mime_build_fail(b, -EILSEQ);
	if (!is_token(subtype))
		mime_build_fail(b, -EINVAL);
	begin_part(b);
	mime_build_put(b, STR("Content-Type: text/"));
	mime_build_put(b, subtype);
	put_param(b, STR("charset"),
		  charset_is_ascii(text) ? STR("us-ascii") : STR("utf-8"));
	mime_build_put(b, STR("\r\n"));
	put_encoding(b, enc);
	mime_build_put(b, STR("\r\n"));
	enc_encode_init(&e, enc, true);
	while (text.len > 0 && b->err == 0) {
		bool has_end;
		struct str line = take_line(&text, &has_end);

		put_encoded(b, &e, line);
		if (has_end)
			put_encoded(b, &e, STR("\r\n"));
	}
	end_encoded(b, &e);
	/* A message ends with a line end; a part may end without. */
	if (b->depth == 0 && ends_in_line && enc != ENC_BASE64)
		mime_build_put(b, STR("\r\n"));
}

static bool is_type(struct str type)
{
	struct str subtype, main = str_cut(type, '/', &subtype);

	return is_token(main) && is_token(subtype);
}

static void put_part_fields(struct mime_build *b, const struct mime_build_part *part)
{
	mime_build_put(b, STR("Content-Type: "));
	mime_build_put(b, part->type);
	/* For readers older than Content-Disposition. */
	if (part->filename.len > 0)
		put_param(b, STR("name"), part->filename);
	mime_build_put(b, STR("\r\n"));
	if (part->disposition.len > 0) {
		mime_build_put(b, STR("Content-Disposition: "));
		mime_build_put(b, part->disposition);
		if (part->filename.len > 0)
			put_param(b, STR("filename"), part->filename);
		mime_build_put(b, STR("\r\n"));
	}
	if (part->id.len > 0)
		mime_build_write_raw(b, STR("Content-ID"), part->id);
	if (part->description.len > 0)
		mime_build_write_field(b, STR("Content-Description"), part->description);
}

void mime_build_bytes(struct mime_build *b, const struct mime_build_part *part,
		      struct str bytes)
{
	struct enc_encoder e;

	if (!is_type(part->type) ||
	    (part->disposition.len > 0 && !is_token(part->disposition)))
		mime_build_fail(b, -EINVAL);
	if (!charset_is_utf8(part->filename) || !charset_is_utf8(part->description))
		mime_build_fail(b, -EILSEQ);
	begin_part(b);
	put_part_fields(b, part);
	put_encoding(b, ENC_BASE64);
	mime_build_put(b, STR("\r\n"));
	enc_encode_init(&e, ENC_BASE64, false);
	put_encoded(b, &e, bytes);
	end_encoded(b, &e);
}

/* A body that may not be encoded. */
static void put_as_it_is(struct mime_build *b, struct str type, struct str bytes)
{
	bool is_ascii = charset_is_ascii(bytes);

	if (!is_ascii && !b->allow_8bit)
		mime_build_fail(b, -EILSEQ);
	begin_part(b);
	mime_build_put(b, STR("Content-Type: "));
	mime_build_put(b, type);
	mime_build_put(b, STR("\r\n"));
	put_encoding(b, is_ascii ? ENC_7BIT : ENC_8BIT);
	mime_build_put(b, STR("\r\n"));
	mime_build_put(b, bytes);
}

void mime_build_message(struct mime_build *b, struct str message)
{
	put_as_it_is(b, STR("message/rfc822"), message);
}

void mime_build_headers(struct mime_build *b, struct str header)
{
	put_as_it_is(b, STR("text/rfc822-headers"), header);
}

/*
 * delivery-status-content = per-message-fields 1*( CRLF per-recipient-fields )
 */
void mime_build_status(struct mime_build *b, const struct mime_build_status *fields,
		       size_t n)
{
	put_as_it_is(b, STR("message/delivery-status"), (struct str){ "", 0 });
	for (size_t i = 0; i < n; i++) {
		if (fields[i].name.len == 0)
			mime_build_put(b, STR("\r\n"));
		else
			mime_build_write_raw(b, fields[i].name, fields[i].value);
	}
}

int mime_build_done(struct mime_build *b, struct str *message)
{
	if (b->depth > 0 || !b->has_body)
		mime_build_fail(b, -EINVAL);
	if (b->err)
		return b->err;
	*message = (struct str){ b->p, b->len };
	return 0;
}

#include "apps/pbmail/render.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/mime_partial.h"
#include "apps/pbmail/html.h"
#include "apps/pbmail/text.h"

struct render {
	FILE *to;
	const struct mime *m;
	struct str message;
	unsigned width;
	int err;
};

static void show(struct render *r, uint32_t i);

struct str render_field(struct str header, struct str name, char *out, size_t room)
{
	struct wr w = wr_of(out, room);
	struct header_field f;

	if (!header_find(header, name, &f))
		return STR("");
	enc_word_decode(f.value, &w);
	return (struct str){ out, (size_t)((char *)w.p - out) };
}

static void put_fields(struct render *r, struct str header)
{
	static const char *const names[] = { "From", "To", "Cc", "Date", "Subject" };
	char text[RENDER_FIELD_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct str s = render_field(header, str_of(names[i]), text, sizeof(text));

		if (s.len == 0)
			continue;
		fprintf(r->to, "%s: ", names[i]);
		text_put(r->to, s);
		fputc('\n', r->to);
	}
}

static struct str header_of(const struct render *r, const struct mime_part *p)
{
	return (struct str){ r->message.p + p->header_at, (size_t)p->header_len };
}

static struct str body_of(const struct mime_part *p, struct str message)
{
	return (struct str){ message.p + p->body_at, (size_t)p->body_len };
}

int render_decode(const struct mime_part *p, struct str message, char **bytes,
		  size_t *len)
{
	struct str body = body_of(p, message);
	struct enc_decoder d;
	char *out = malloc(body.len + 2 * ENC_ROOM);

	if (!out)
		return -ENOMEM;
	enc_decode_init(&d, p->enc);
	*len = enc_decode(&d, body, out);
	*len += enc_decode_end(&d, out + *len);
	*bytes = out;
	return 0;
}

struct str render_filename(const struct mime_part *p)
{
	struct str name = param_find(p->disposition_params.param, p->disposition_params.n,
				     STR("filename"));

	return name.len > 0 ? name :
			      param_find(p->params.param, p->params.n, STR("name"));
}

/* The number of part @i: see mime.h. */
static size_t put_path(const struct mime *m, uint32_t i, char out[RENDER_PATH_LEN])
{
	const struct mime_part *p = mime_part(m, i), *parent = mime_part(m, p->parent);
	bool in_multipart = parent && parent->kind == MIME_MULTIPART;
	uint32_t at, number = 1;
	size_t n = 0;

	out[0] = '\0';
	if (parent)
		n = put_path(m, p->parent, out);
	if (!in_multipart && p->kind == MIME_MULTIPART)
		return n;
	for (at = in_multipart ? parent->child : i; at != i; at = mime_part(m, at)->next)
		number++;
	if (n + 12 < RENDER_PATH_LEN)
		n += (size_t)snprintf(out + n, RENDER_PATH_LEN - n, "%s%" PRIu32,
				      n > 0 ? "." : "", number);
	return n;
}

static void put_size(FILE *to, uint64_t len)
{
	if (len < 10000)
		fprintf(to, "%" PRIu64 " octets", len);
	else if (len < 10000000)
		fprintf(to, "%" PRIu64 " KB", len / 1000);
	else
		fprintf(to, "%" PRIu64 " MB", len / 1000000);
}

static void put_param(struct render *r, const struct mime_part *p, const char *name)
{
	struct str value = param_find(p->params.param, p->params.n, str_of(name));

	if (value.len == 0)
		return;
	fprintf(r->to, " %s=", name);
	text_put(r->to, value);
}

/* RFC 2046 5.2.3: who wants it fetches it himself. */
static void put_external(struct render *r, const struct mime_part *p)
{
	static const char *const names[] = {
		"access-type", "url",	 "site", "directory",
		"name",	       "server", "size", "expiration"
	};

	fputs(", elsewhere:", r->to);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		put_param(r, p, names[i]);
}

static void list_part(struct render *r, uint32_t i)
{
	const struct mime_part *p = mime_part(r->m, i);
	struct str name = render_filename(p);
	char path[RENDER_PATH_LEN], text[RENDER_FIELD_MAX];
	struct mime_partial_part piece;
	struct wr w = wr_of(text, sizeof(text));

	put_path(r->m, i, path);
	fprintf(r->to, "[%s: ", path);
	text_put(r->to, p->type.len > 0 ? p->type : STR("text"));
	fputc('/', r->to);
	text_put(r->to, p->subtype.len > 0 ? p->subtype : STR("plain"));
	if (name.len > 0) {
		enc_word_decode(name, &w);
		fputs(", ", r->to);
		text_put(r->to, (struct str){ text, (size_t)((char *)w.p - text) });
	}
	if (p->kind == MIME_MESSAGE && p->child != MIME_NONE) {
		fputs(", \"", r->to);
		text_put(r->to, render_field(header_of(r, mime_part(r->m, p->child)),
					     STR("Subject"), text, sizeof(text)));
		fputc('"', r->to);
	}
	if (mime_is(p, STR("message"), STR("external-body")))
		put_external(r, p);
	else if (mime_partial_read(p, &piece))
		fprintf(r->to, ", piece %u of %u", piece.number, piece.total);
	fputs(", ", r->to);
	put_size(r->to, p->enc == ENC_BASE64 ? p->body_len / 78 * 57 : p->body_len);
	fputs("]\n", r->to);
}

static bool is_text(const struct mime_part *p)
{
	return p->kind == MIME_LEAF &&
	       (!p->has_type || mime_is(p, STR("text"), STR("plain")) ||
		mime_is(p, STR("text"), STR("html")));
}

static bool is_attachment(const struct mime_part *p)
{
	return str_eq_nocase(p->disposition, STR("attachment"));
}

/* In UTF-8; to free().  NULL: no memory. */
static char *to_utf8(const struct mime_part *p, struct str raw, size_t *len)
{
	struct str set = param_find(p->params.param, p->params.n, STR("charset"));
	size_t room = raw.len * 4 + 64;
	char *out = malloc(room);
	struct wr w = wr_of(out, out ? room : 0);

	if (!out)
		return NULL;
	charset_to_utf8(set, raw, &w);
	*len = (size_t)((char *)w.p - out);
	return out;
}

static void show_text(struct render *r, const struct mime_part *p)
{
	char *bytes = NULL, *text;
	size_t len, text_len;

	if (render_decode(p, r->message, &bytes, &len) < 0) {
		r->err = -ENOMEM;
		return;
	}
	text = to_utf8(
		p, (struct str){ bytes, len < RENDER_TEXT_MAX ? len : RENDER_TEXT_MAX },
		&text_len);
	free(bytes);
	if (!text) {
		r->err = -ENOMEM;
		return;
	}
	if (mime_is(p, STR("text"), STR("html")))
		text_len = html_to_text(text, text_len);
	text_wrap(r->to, (struct str){ text, text_len }, r->width);
	if (len > RENDER_TEXT_MAX)
		fputs("[the rest is cut: save the part]\n", r->to);
	free(text);
}

/* How well we can show it. */
static int worth(const struct mime *m, uint32_t i)
{
	const struct mime_part *p = mime_part(m, i);

	if (p->kind == MIME_MULTIPART)
		return p->child == MIME_NONE ? 0 : worth(m, p->child);
	if (!is_text(p))
		return 0;
	return mime_is(p, STR("text"), STR("html")) ? 1 : 2;
}

/* The part that is to be shown of those of a multipart/alternative. */
static uint32_t best_of(const struct mime *m, uint32_t alternative)
{
	uint32_t best = MIME_NONE, i = mime_part(m, alternative)->child;
	int most = -1;

	/* RFC 2046 5.1.4: of equals, the last is the best. */
	for (; i != MIME_NONE; i = mime_part(m, i)->next)
		if (worth(m, i) >= most) {
			most = worth(m, i);
			best = i;
		}
	return best;
}

static void list_messages(struct render *r, uint32_t digest)
{
	uint32_t i = mime_part(r->m, digest)->child;
	char from[RENDER_FIELD_MAX];

	for (; i != MIME_NONE; i = mime_part(r->m, i)->next) {
		const struct mime_part *p = mime_part(r->m, i);

		list_part(r, i);
		if (p->kind != MIME_MESSAGE || p->child == MIME_NONE)
			continue;
		fputs("    ", r->to);
		text_put(r->to, render_field(header_of(r, mime_part(r->m, p->child)),
					     STR("From"), from, sizeof(from)));
		fputc('\n', r->to);
	}
}

static void show_multipart(struct render *r, uint32_t i)
{
	const struct mime_part *p = mime_part(r->m, i);
	uint32_t at = p->child;

	if (at == MIME_NONE) {
		list_part(r, i);
	} else if (mime_is(p, STR("multipart"), STR("alternative"))) {
		show(r, best_of(r->m, i));
	} else if (mime_is(p, STR("multipart"), STR("digest"))) {
		list_messages(r, i);
	} else if (mime_is(p, STR("multipart"), STR("related"))) {
		show(r, at);
		while ((at = mime_part(r->m, at)->next) != MIME_NONE)
			list_part(r, at);
	} else {
		for (; at != MIME_NONE; at = mime_part(r->m, at)->next)
			show(r, at);
	}
}

static void show(struct render *r, uint32_t i)
{
	const struct mime_part *p = mime_part(r->m, i);

	if (p->kind == MIME_MULTIPART)
		show_multipart(r, i);
	else if (is_text(p) && !is_attachment(p))
		show_text(r, p);
	else
		list_part(r, i);
}

int render_message(FILE *to, struct str message, unsigned width)
{
	struct mime *m = mime_new(&mime_limits_default);
	struct render r = { .to = to, .m = m, .message = message, .width = width };

	if (!m)
		return -ENOMEM;
	mime_parse(m, message);
	put_fields(&r, header_of(&r, mime_part(m, MIME_ROOT)));
	fputc('\n', to);
	show(&r, MIME_ROOT);
	mime_free(m);
	return r.err;
}

/* Its name, or its address. */
static struct str sender(struct str header, struct wr *room, char *text, size_t text_len)
{
	struct header_addrs it;
	struct header_addr addr;
	struct header_field f;
	struct wr w = wr_of(text, text_len);

	if (!header_find(header, STR("From"), &f))
		return STR("");
	header_addrs_init(&it, f.value);
	while (header_addrs_next(&it, room, &addr)) {
		if (addr.kind != HEADER_MAILBOX)
			continue;
		if (addr.name.len > 0) {
			enc_word_decode(addr.name, &w);
		} else {
			wr_copy(&w, addr.local.p, addr.local.len);
			wr_copy(&w, "@", 1);
			wr_copy(&w, addr.domain.p, addr.domain.len);
		}
		return (struct str){ text, (size_t)((char *)w.p - text) };
	}
	return STR("");
}

void render_summary(FILE *to, uint32_t n, bool is_new, struct str header, unsigned width)
{
	char text[RENDER_FIELD_MAX], room[RENDER_FIELD_MAX], day[16] = "";
	struct wr w = wr_of(room, sizeof(room));
	struct header_date date;
	struct header_field f;
	struct tm tm;

	if (header_find(header, STR("Date"), &f) && header_date(f.value, &date)) {
		time_t t = (time_t)(date.utc_s + date.zone_s);

		if (gmtime_r(&t, &tm))
			strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	}
	fprintf(to, "%4" PRIu32 " %c %-10.10s ", n, is_new ? 'N' : ' ', day);
	text_put_column(to, sender(header, &w, text, sizeof(text)), 20);
	fputc(' ', to);
	text_put_column(to, render_field(header, STR("Subject"), text, sizeof(text)),
			width > 60 ? width - 41 : 40);
	fputc('\n', to);
}

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/lex.h"
#include "apps/mail/wire/mime.h"
#include "apps/mail/wire/mime_build.h"
#include "stack/base/check.h"
#include "stack/base/rng.h"

enum { MAX = 1 << 20 };

static struct rng rng;

static struct mime_build begin(bool allow_8bit)
{
	struct mime_build b;

	rng_init(&rng, 1);
	mime_build_init(&b, &rng, MAX, allow_8bit);
	return b;
}

/* Lines end with CRLF and are at most @most long; nothing is above 127 but with @is_8bit. */
static void check_lines(struct str s, size_t most, bool is_8bit)
{
	cr_assert(s.len > 1 && s.p[s.len - 1] == '\n');
	cr_assert(is_8bit || charset_is_ascii(s));
	while (s.len > 0) {
		struct str line = str_cut(s, '\n', &s);

		cr_assert(line.len > 0 && line.p[line.len - 1] == '\r');
		cr_assert_leq(line.len - 1, most, "%.*s", (int)line.len, line.p);
	}
}

static struct str decoded(const struct mime *m, uint32_t i, struct str message)
{
	static char out[MAX];
	const struct mime_part *p = mime_part(m, i);
	struct enc_decoder d;
	size_t n;

	cr_assert_not_null(p);
	enc_decode_init(&d, p->enc);
	n = enc_decode(&d, (struct str){ message.p + p->body_at, p->body_len }, out);
	n += enc_decode_end(&d, out + n);
	cr_assert_eq(d.odd, 0);
	return (struct str){ out, n };
}

Test(mime_build, writes_a_plain_message)
{
	struct mime_build b = begin(false);
	struct str s;

	mime_build_raw(&b, STR("Date"), STR("Thu, 1 Jan 1970 00:00:00 +0000"));
	mime_build_field(&b, STR("Subject"), STR("plain"));
	mime_build_text(&b, STR("plain"), STR("one\ntwo\r\nend"));
	cr_assert_eq(mime_build_done(&b, &s), 0);
	cr_assert(str_eq(s, STR("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"
				"Subject: plain\r\n"
				"MIME-Version: 1.0\r\n"
				"Content-Type: text/plain;\r\n\tcharset=us-ascii\r\n"
				"Content-Transfer-Encoding: 7bit\r\n"
				"\r\n"
				"one\r\ntwo\r\nend\r\n")),
		  "%.*s", (int)s.len, s.p);
	mime_build_fini(&b);
}

Test(mime_build, writes_parts_that_the_parser_finds_again)
{
	static char bytes[1000];
	struct mime_build b = begin(false);
	struct mime *m = mime_new(&mime_limits_default);
	struct mime_build_part file = {
		.type = STR("image/png"),
		.disposition = STR("attachment"),
		.filename = STR("na\xc3\xafve \"picture\".png"),
		.id = STR("<a@b>"),
		.description = STR("d\xc3\xa9j\xc3\xa0 vu"),
	};
	const struct mime_part *p;
	struct str s;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	mime_build_field(&b, STR("Subject"), STR("x"));
	mime_build_multipart(&b, STR("mixed"));
	mime_build_multipart(&b, STR("alternative"));
	mime_build_text(&b, STR("plain"),
			STR("na\xc3\xafve text, mostly plain\n--\n.\n"));
	mime_build_text(&b, STR("html"), STR("\xd0\xb4\xd0\xb0"));
	mime_build_end(&b);
	mime_build_bytes(&b, &file, (struct str){ bytes, sizeof(bytes) });
	mime_build_message(&b, STR("Subject: inner\r\n\r\nbody\r\n"));
	mime_build_end(&b);
	cr_assert_eq(mime_build_done(&b, &s), 0);
	check_lines(s, 78, false);
	mime_parse(m, s);
	cr_assert_eq(mime_odd(m), 0);
	cr_assert_eq(mime_n_parts(m), 7);
	p = mime_part(m, mime_find(m, STR("1.1")));
	cr_assert_eq(p->enc, ENC_QP);
	cr_assert(str_eq(decoded(m, mime_find(m, STR("1.1")), s),
			 STR("na\xc3\xafve text, mostly plain\r\n--\r\n.\r\n")));
	cr_assert_eq(mime_part(m, mime_find(m, STR("1.2")))->enc, ENC_BASE64);
	cr_assert(
		str_eq(decoded(m, mime_find(m, STR("1.2")), s), STR("\xd0\xb4\xd0\xb0")));
	p = mime_part(m, mime_find(m, STR("2")));
	cr_assert(mime_is(p, STR("image"), STR("png")));
	cr_assert(str_eq(param_find(p->disposition_params.param, p->disposition_params.n,
				    STR("filename")),
			 file.filename));
	cr_assert(str_eq(p->id, file.id));
	cr_assert(str_eq(decoded(m, mime_find(m, STR("2")), s),
			 (struct str){ bytes, sizeof(bytes) }));
	cr_assert_eq(mime_part(m, mime_find(m, STR("3")))->kind, MIME_MESSAGE);
	cr_assert(str_eq(decoded(m, mime_find(m, STR("3.1")), s), STR("body\r\n")));
	mime_free(m);
	mime_build_fini(&b);
}

Test(mime_build, leaves_text_8bit_where_that_may_be)
{
	struct mime_build b = begin(true);
	struct mime *m = mime_new(&mime_limits_default);
	struct str s;

	mime_build_multipart(&b, STR("mixed"));
	mime_build_text(&b, STR("plain"), STR("\xc3\xa9\n"));
	mime_build_message(&b, STR("A: b\r\n\r\n\xc3\xa9\r\n"));
	mime_build_end(&b);
	cr_assert_eq(mime_build_done(&b, &s), 0);
	check_lines(s, 78, true);
	mime_parse(m, s);
	for (uint32_t i = 0; i < 3; i++)
		cr_assert_eq(mime_part(m, i)->enc, ENC_8BIT);
	mime_free(m);
	mime_build_fini(&b);
}

Test(mime_build, folds_and_encodes_fields)
{
	static const struct mime_build_addr to[] = {
		{ STR("John Q. Public"), STR("john@example.org") },
		{ STR("Doe, Jane \"J\""), STR("jane@example.org") },
		{ STR("J\xc3\xb6rg M\xc3\xbcller (work)"), STR("joerg@example.org") },
		{ { "", 0 }, STR("bare@example.org") },
		{ STR("a name that goes on until no line can hold it and its address"),
		  STR("long@example.org") },
	};
	struct mime_build b = begin(false);
	char text[1024], refs[600] = "";
	struct header_addrs it;
	struct header_addr a;
	struct header_field f;
	struct str s;
	struct wr w;

	for (int i = 0; i < 20; i++)
		sprintf(refs + strlen(refs), "%s<%d.of.many@example.org>", i ? " " : "",
			i);
	mime_build_addrs(&b, STR("To"), to, ARRAY_LEN(to));
	mime_build_raw(&b, STR("References"), str_of(refs));
	mime_build_field(&b, STR("Subject"),
			 STR("d\xc3\xa9j\xc3\xa0 vu, \r\nBcc: x@example.org"));
	mime_build_text(&b, STR("plain"), STR(""));
	cr_assert_eq(mime_build_done(&b, &s), 0);
	check_lines(s, 78, false);
	cr_assert(header_find(s, STR("To"), &f));
	header_addrs_init(&it, f.value);
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		char name[256];
		struct wr n = wr_of(name, sizeof(name));

		w = wr_of(text, sizeof(text));
		cr_assert(header_addrs_next(&it, &w, &a));
		enc_word_decode(a.name, &n);
		cr_assert(str_eq(lex_since(&n, (uint8_t *)name), to[i].name), "%zu", i);
		cr_assert_eq(memcmp(a.local.p, to[i].addr.p, a.local.len), 0);
	}
	cr_assert(!header_addrs_next(&it, &w, &a));
	cr_assert_eq(it.odd, 0);
	cr_assert(header_find(s, STR("References"), &f));
	w = wr_of(text, sizeof(text));
	header_unfold(f.value, &w);
	cr_assert(str_eq(lex_since(&w, (uint8_t *)text), str_of(refs)));
	cr_assert(header_find(s, STR("Subject"), &f));
	w = wr_of(text, sizeof(text));
	cr_assert_eq(enc_word_decode(f.value, &w), 0);
	cr_assert(str_eq(lex_since(&w, (uint8_t *)text),
			 STR("d\xc3\xa9j\xc3\xa0 vu,   Bcc: x@example.org")));
	cr_assert(!header_find(s, STR("Bcc"), &f));
	mime_build_fini(&b);
}

Test(mime_build, writes_a_delivery_report)
{
	static const struct mime_build_status fields[] = {
		{ STR("Reporting-MTA"), STR("dns; mx.example") },
		{ { "", 0 }, { "", 0 } },
		{ STR("Final-Recipient"), STR("rfc822; a@b.example") },
		{ STR("Action"), STR("failed") },
		{ STR("Status"), STR("5.1.1") },
		{ STR("Diagnostic-Code"),
		  STR("smtp; 550 niet gevonden \xc3\xa9\r\nX: y") },
	};
	struct mime_build b = begin(false);
	struct mime *m = mime_new(&mime_limits_default);
	const struct mime_part *p;
	struct str s, body;

	mime_build_report(&b, STR("delivery-status"));
	mime_build_text(&b, STR("plain"), STR("could not be delivered\n"));
	mime_build_status(&b, fields, ARRAY_LEN(fields));
	mime_build_headers(&b, STR("Subject: x\r\n"));
	mime_build_end(&b);
	cr_assert_eq(mime_build_done(&b, &s), 0);
	check_lines(s, 78, false);
	mime_parse(m, s);
	cr_assert_eq(mime_odd(m), 0);
	p = mime_part(m, MIME_ROOT);
	cr_assert(mime_is(p, STR("multipart"), STR("report")));
	cr_assert(str_eq(param_find(p->params.param, p->params.n, STR("report-type")),
			 STR("delivery-status")));
	cr_assert(mime_is(mime_part(m, 2), STR("message"), STR("delivery-status")));
	cr_assert(mime_is(mime_part(m, 3), STR("text"), STR("rfc822-headers")));
	body = (struct str){ s.p + mime_part(m, 2)->body_at, mime_part(m, 2)->body_len };
	cr_assert(str_eq(body,
			 STR("Reporting-MTA: dns; mx.example\r\n"
			     "\r\n"
			     "Final-Recipient: rfc822; a@b.example\r\n"
			     "Action: failed\r\n"
			     "Status: 5.1.1\r\n"
			     "Diagnostic-Code: smtp; 550 niet gevonden ????X: y\r\n")),
		  "%.*s", (int)body.len, body.p);
	mime_free(m);
	mime_build_fini(&b);
}

Test(mime_build, has_another_boundary_each_time)
{
	struct mime_build b = begin(false);

	mime_build_multipart(&b, STR("mixed"));
	mime_build_multipart(&b, STR("mixed"));
	cr_assert_neq(memcmp(b.boundary[0], b.boundary[1], MIME_BUILD_BOUNDARY), 0);
	/* Neither base64 nor quoted-printable can have it. */
	cr_assert_eq(memcmp(b.boundary[0], "=_", 2), 0);
	mime_build_fini(&b);
}

typedef void (*calls)(struct mime_build *b);

static void no_body(struct mime_build *b)
{
	mime_build_field(b, STR("A"), STR("b"));
}

static void two_bodies(struct mime_build *b)
{
	mime_build_text(b, STR("plain"), STR(""));
	mime_build_text(b, STR("plain"), STR(""));
}

static void late_field(struct mime_build *b)
{
	mime_build_text(b, STR("plain"), STR(""));
	mime_build_field(b, STR("A"), STR("b"));
}

static void field_in_part(struct mime_build *b)
{
	mime_build_multipart(b, STR("mixed"));
	mime_build_raw(b, STR("A"), STR("b"));
}

static void no_end(struct mime_build *b)
{
	mime_build_multipart(b, STR("mixed"));
}

static void end_of_nothing(struct mime_build *b)
{
	mime_build_end(b);
}

static void bad_name(struct mime_build *b)
{
	mime_build_field(b, STR("A:"), STR("b"));
}

static void bad_raw(struct mime_build *b)
{
	mime_build_raw(b, STR("A"), STR("b\r\nBcc: c"));
}

static void bad_subtype(struct mime_build *b)
{
	mime_build_text(b, STR("plain; x"), STR(""));
}

static void bad_addr(struct mime_build *b)
{
	struct mime_build_addr a = { .addr = STR("a@b>\r\nBcc: c") };

	mime_build_addrs(b, STR("To"), &a, 1);
}

static void too_deep(struct mime_build *b)
{
	for (int i = 0; i <= MIME_BUILD_DEPTH; i++)
		mime_build_multipart(b, STR("mixed"));
}

static void not_utf8(struct mime_build *b)
{
	mime_build_text(b, STR("plain"), STR("\xff"));
}

static void message_8bit(struct mime_build *b)
{
	mime_build_message(b, STR("A: b\r\n\r\n\xc3\xa9"));
}

static void too_big(struct mime_build *b)
{
	static char big[MAX];

	memset(big, 'x', sizeof(big));
	mime_build_message(b, (struct str){ big, sizeof(big) });
}

Test(mime_build, says_what_went_wrong)
{
	static const struct {
		calls call;
		int err;
	} cases[] = {
		{ no_body, -EINVAL },	   { two_bodies, -EINVAL },
		{ late_field, -EINVAL },   { field_in_part, -EINVAL },
		{ no_end, -EINVAL },	   { end_of_nothing, -EINVAL },
		{ bad_name, -EINVAL },	   { bad_raw, -EINVAL },
		{ bad_subtype, -EINVAL },  { bad_addr, -EINVAL },
		{ too_deep, -EINVAL },	   { not_utf8, -EILSEQ },
		{ message_8bit, -EILSEQ }, { too_big, -EMSGSIZE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_build b = begin(false);
		struct str s;

		cases[i].call(&b);
		cr_assert_eq(mime_build_done(&b, &s), cases[i].err, "case %zu", i);
		mime_build_fini(&b);
	}
}

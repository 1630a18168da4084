#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/mime.h"
#include "stack/base/check.h"

static void show_part(const struct mime *m, uint32_t i, char *out)
{
	const struct mime_part *p = mime_part(m, i);

	sprintf(out + strlen(out), "%c%.*s/%.*s %llu+%llu %llu+%llu %llu", "lmM"[p->kind],
		(int)p -> type.len, p->type.p, (int)p->subtype.len, p->subtype.p,
		(unsigned long long)p->header_at, (unsigned long long)p->header_len,
		(unsigned long long)p->body_at, (unsigned long long)p->body_len,
		(unsigned long long)p->n_lines);
	for (enum mime_odd_bit b = 0; b < MIME_ODD_BITS; b++)
		if (p->odd & 1U << b)
			sprintf(out + strlen(out), " !%s", mime_odd_text(b));
	strcat(out, "\n");
}

/* A line for each part: kind, type, header, body, lines, what was odd. */
static const char *show(const struct mime *m)
{
	static char out[65536];

	out[0] = '\0';
	for (uint32_t i = 0; i < mime_n_parts(m); i++)
		show_part(m, i, out);
	return out;
}

/* Fed whole and in pieces of every size up to @most, what comes out is the same. */
static struct mime *parse_with(const struct mime_limits *limits, struct str s,
			       size_t most)
{
	struct mime *m = mime_new(limits), *cut = mime_new(limits);

	mime_parse(m, s);
	for (size_t step = 1; step <= most; step++) {
		char whole[65536];

		mime_reset(cut);
		for (size_t at = 0; at < s.len; at += step) {
			size_t n = s.len - at < step ? s.len - at : step;

			mime_feed(cut, (struct str){ s.p + at, n });
		}
		mime_end(cut);
		strcpy(whole, show(m));
		cr_assert_str_eq(show(cut), whole, "pieces of %zu", step);
		cr_assert_eq(mime_odd(cut), mime_odd(m));
	}
	mime_free(cut);
	return m;
}

static struct mime *parse(struct str s)
{
	return parse_with(&mime_limits_default, s, 70);
}

static struct str body_of(const struct mime *m, uint32_t i, struct str message)
{
	const struct mime_part *p = mime_part(m, i);

	cr_assert_not_null(p);
	return (struct str){ message.p + p->body_at, p->body_len };
}

static struct str header_of(const struct mime *m, uint32_t i, struct str message)
{
	const struct mime_part *p = mime_part(m, i);

	return (struct str){ message.p + p->header_at, p->header_len };
}

Test(mime, takes_a_plain_message_for_text)
{
	static const struct str s = STR("Subject: x\r\n\r\none\r\ntwo\r\n");
	struct mime *m = parse(s);
	const struct mime_part *p = mime_part(m, MIME_ROOT);

	cr_assert_eq(mime_n_parts(m), 1);
	cr_assert(mime_is(p, STR("TEXT"), STR("Plain")) && !p->has_type);
	cr_assert_eq(p->kind, MIME_LEAF);
	cr_assert_eq(p->enc, ENC_7BIT);
	cr_assert_eq(p->n_lines, 2);
	cr_assert(str_eq(body_of(m, 0, s), STR("one\r\ntwo\r\n")));
	cr_assert(str_eq(header_of(m, 0, s), STR("Subject: x\r\n\r\n")));
	cr_assert_eq(mime_odd(m), 0);
	cr_assert_null(mime_part(m, 1));
	cr_assert_null(mime_part(m, MIME_NONE));
	mime_free(m);
}

/* RFC 2046 5.1.1, its first example. */
Test(mime, finds_the_parts_of_a_multipart)
{
	static const struct str s =
		STR("From: Nathaniel Borenstein <nsb@bellcore.com>\r\n"
		    "MIME-Version: 1.0\r\n"
		    "Content-type: multipart/mixed; boundary=\"simple boundary\"\r\n"
		    "\r\n"
		    "This is the preamble.\r\n"
		    "\r\n"
		    "--simple boundary\r\n"
		    "\r\n"
		    "It does NOT end with a linebreak.\r\n"
		    "--simple boundary\r\n"
		    "Content-type: text/plain; charset=us-ascii\r\n"
		    "\r\n"
		    "It DOES end with a linebreak.\r\n"
		    "\r\n"
		    "--simple boundary--\r\n"
		    "\r\n"
		    "This is the epilogue.\r\n");
	struct mime *m = parse(s);

	cr_assert_eq(mime_n_parts(m), 3);
	cr_assert_eq(mime_part(m, 0)->n_children, 2);
	cr_assert_eq(mime_part(m, 0)->child, 1);
	cr_assert_eq(mime_part(m, 1)->next, 2);
	cr_assert_eq(mime_part(m, 2)->next, MIME_NONE);
	cr_assert(str_eq(body_of(m, 1, s), STR("It does NOT end with a linebreak.")));
	cr_assert(str_eq(body_of(m, 2, s), STR("It DOES end with a linebreak.\r\n")));
	cr_assert_eq(mime_part(m, 1)->n_lines, 1);
	cr_assert_eq(mime_part(m, 2)->n_lines, 1);
	cr_assert_eq(mime_part(m, 0)->n_lines, 13);
	cr_assert_eq(mime_odd(m), 0);
	mime_free(m);
}

static const struct str nested = STR("MIME-Version: 1.0\r\n"
				     "Content-Type: multipart/mixed; boundary=a\r\n"
				     "\r\n"
				     "--a\r\n"
				     "Content-Type: text/plain\r\n"
				     "\r\n"
				     "one\r\n"
				     "--a\r\n"
				     "Content-Type: message/rfc822\r\n"
				     "\r\n"
				     "Subject: inner\r\n"
				     "MIME-Version: 1.0\r\n"
				     "Content-Type: multipart/alternative; boundary=b\r\n"
				     "\r\n"
				     "--b\r\n"
				     "\r\n"
				     "plain\r\n"
				     "--b\r\n"
				     "Content-Type: text/html\r\n"
				     "\r\n"
				     "<p>html\r\n"
				     "--b--\r\n"
				     "--a\r\n"
				     "Content-Type: message/rfc822\r\n"
				     "\r\n"
				     "Subject: single\r\n"
				     "\r\n"
				     "body\r\n"
				     "--a--\r\n");

Test(mime, finds_what_imap_calls_a_part)
{
	static const struct {
		struct str path;
		uint32_t part;
	} cases[] = {
		{ STR(""), 0 },
		{ STR("1"), 1 },
		{ STR("2"), 2 },
		{ STR("2.1"), 4 },
		{ STR("2.2"), 5 },
		{ STR("3"), 6 },
		{ STR("3.1"), 7 },
		{ STR("4"), MIME_NONE },
		{ STR("0"), MIME_NONE },
		{ STR("1.1"), MIME_NONE },
		{ STR("2.3"), MIME_NONE },
		{ STR("3.2"), MIME_NONE },
		{ STR("3.1.1"), MIME_NONE },
		{ STR("1."), MIME_NONE },
		{ STR(".1"), MIME_NONE },
		{ STR("01"), MIME_NONE },
		{ STR("x"), MIME_NONE },
		{ STR("99999999999"), MIME_NONE },
	};
	struct mime *m = parse(nested);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_assert_eq(mime_find(m, cases[i].path), cases[i].part, "%s",
			     cases[i].path.p);
	cr_assert(str_eq(body_of(m, mime_find(m, STR("2.2")), nested), STR("<p>html")));
	cr_assert(str_eq(body_of(m, mime_find(m, STR("3.1")), nested), STR("body")));
	cr_assert(str_eq(header_of(m, mime_part(m, 6)->child, nested),
			 STR("Subject: single\r\n\r\n")));
	cr_assert_eq(mime_part(m, 2)->kind, MIME_MESSAGE);
	cr_assert_eq(mime_part(m, 2)->n_lines, 12);
	cr_assert_eq(mime_odd(m), 0);
	mime_free(m);
	m = parse(STR("Subject: x\r\n\r\nbody"));
	cr_assert_eq(mime_find(m, STR("1")), 0);
	cr_assert_eq(mime_find(m, STR("1.1")), MIME_NONE);
	cr_assert_eq(mime_find(m, STR("2")), MIME_NONE);
	mime_free(m);
	m = parse(STR("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n"
		      "Subject: x\r\n\r\nbody"));
	cr_assert_eq(mime_find(m, STR("1")), 0);
	cr_assert_eq(mime_find(m, STR("1.1")), 1);
	mime_free(m);
}

Test(mime, keeps_what_headers_say)
{
	struct mime *m = parse(
		STR("MIME-Version: 1.0 (made by hand)\r\n"
		    "Content-Type: image/png;\r\n\tname*=utf-8''%C3%A9.png; x=\"y z\"\r\n"
		    "Content-Transfer-Encoding: BASE64\r\n"
		    "Content-Disposition: attachment; filename=\"e.png\"\r\n"
		    "Content-ID: <a@b>\r\n"
		    "Content-Description: a\r\n folded picture\r\n"
		    "Content-Language: en, fr\r\n"
		    "Content-Location: http://a.example/\r\n"
		    "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
		    "\r\n"
		    "aGFsbG8=\r\n"));
	const struct mime_part *p = mime_part(m, MIME_ROOT);

	cr_assert_eq(mime_odd(m), 0);
	cr_assert(p->has_type && mime_is(p, STR("image"), STR("png")));
	cr_assert_eq(p->params.n, 2);
	cr_assert(
		str_eq(param_find(p->params.param, 2, STR("name")), STR("\xc3\xa9.png")));
	cr_assert(p->params.param[0].is_extended);
	cr_assert_eq(p->enc, ENC_BASE64);
	cr_assert(str_eq(p->enc_name, STR("BASE64")));
	cr_assert(str_eq(p->disposition, STR("attachment")));
	cr_assert(str_eq(p->disposition_params.param[0].value, STR("e.png")));
	cr_assert(str_eq(p->id, STR("<a@b>")));
	cr_assert(str_eq(p->description, STR("a folded picture")));
	cr_assert(str_eq(p->language, STR("en, fr")));
	cr_assert(str_eq(p->location, STR("http://a.example/")));
	cr_assert(str_eq(p->md5, STR("Q2hlY2sgSW50ZWdyaXR5IQ==")));
	mime_free(m);
}

Test(mime, takes_the_parts_of_a_digest_for_mail)
{
	struct mime *m = parse(STR("MIME-Version: 1.0\r\n"
				   "Content-Type: multipart/digest; boundary=d\r\n"
				   "\r\n"
				   "--d\r\n"
				   "\r\n"
				   "Subject: one\r\n"
				   "\r\n"
				   "1\r\n"
				   "--d\r\n"
				   "Content-Type: text/plain\r\n"
				   "\r\n"
				   "2\r\n"
				   "--d--\r\n"));

	cr_assert_eq(mime_n_parts(m), 4);
	cr_assert_eq(mime_part(m, 1)->kind, MIME_MESSAGE);
	cr_assert(!mime_part(m, 1)->has_type);
	cr_assert_eq(mime_part(m, 2)->kind, MIME_LEAF);
	cr_assert(mime_is(mime_part(m, 2), STR("text"), STR("plain")));
	cr_assert_eq(mime_part(m, 3)->kind, MIME_LEAF);
	mime_free(m);
}

#define MULTI "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"

/* Each with what is odd about it in all, and how many parts there are. */
Test(mime, makes_sense_of_broken_mail_and_says_what_it_saw)
{
	static const struct {
		struct str in;
		uint32_t n_parts, odd;
	} cases[] = {
		{ STR(""), 1, 0 },
		{ STR("\r\n"), 1, 0 },
		{ STR("A: b"), 1, 0 },
		{ STR("no header\r\n"), 1, MIME_ODD_HEADER_END },
		{ STR("A: b\r\nno field\r\n"), 1, MIME_ODD_HEADER_END },
		{ STR("From x\r\nA: b\r\n>From y\r\n\r\n"), 1, MIME_ODD_FROM_LINE },
		{ STR("A: \xc3\xa9\r\n\r\n"), 1, MIME_ODD_HEADER_8BIT },
		{ STR("A: b\r\n\r\n\xc3\xa9"), 1, MIME_ODD_BODY_8BIT },
		{ { "A: b\r\n\r\nc\0", 10 }, 1, MIME_ODD_NUL },
		{ STR("A: b\n\nc\n"), 1, MIME_ODD_BARE },
		{ STR("A: b\r\n\r\nc\rd"), 1, MIME_ODD_BARE },
		{ STR("Content-Type: text/plain\r\n\r\n"), 1, MIME_ODD_NO_VERSION },
		{ STR("MIME-Version: 1.1\r\n\r\n"), 1, MIME_ODD_VERSION },
		{ STR("MIME-Version: one\r\n\r\n"), 1, MIME_ODD_VERSION },
		{ STR("MIME-Version: 1.0\r\nContent-Type: text\r\n\r\n"), 1,
		  MIME_ODD_TYPE },
		{ STR("MIME-Version: 1.0\r\nContent-Type: \r\n\r\n"), 1, MIME_ODD_TYPE },
		{ STR("MIME-Version: 1.0\r\nContent-Type: text/plain; a=b c\r\n\r\n"), 1,
		  MIME_ODD_PARAM },
		{ STR("MIME-Version: 1.0\r\nContent-ID: a\r\nContent-ID: b\r\n\r\n"), 1,
		  MIME_ODD_TWICE },
		{ STR("MIME-Version: 1.0\r\nContent-Transfer-Encoding: rot13\r\n\r\n"), 1,
		  MIME_ODD_ENC },
		{ STR("MIME-Version: 1.0\r\nContent-Type: "
		      "multipart/mixed\r\n\r\n--x\r\n"),
		  1, MIME_ODD_NO_BOUNDARY },
		{ STR("MIME-Version: 1.0\r\nContent-Type: multipart; boundary=b\r\n\r\n"
		      "--b\r\n\r\n--b--"),
		  2, MIME_ODD_TYPE },
		{ STR("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n"
		      "Content-Transfer-Encoding: base64\r\n\r\nQTogYg==\r\n"),
		  1, MIME_ODD_ENC_NESTED },
		{ STR("MIME-Version: 1.0\r\nContent-Type: message/global\r\n"
		      "Content-Transfer-Encoding: base64\r\n\r\nQTogYg==\r\n"),
		  1, 0 },
		{ STR(MULTI), 1, MIME_ODD_NO_PARTS | MIME_ODD_NO_END },
		{ STR(MULTI "--b--"), 1, MIME_ODD_NO_PARTS },
		{ STR(MULTI "--b\r\n\r\nx"), 2, MIME_ODD_NO_END },
		{ STR(MULTI "--b"), 2, MIME_ODD_NO_END | MIME_ODD_HEADER_END },
		{ STR("MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\nA: b"), 2,
		  MIME_ODD_HEADER_END },
		{ STR(MULTI "--b\r\nA: b\r\n--b--"), 2, MIME_ODD_HEADER_END },
		{ STR(MULTI "--b\r\n--b--"), 2, MIME_ODD_HEADER_END },
		{ STR(MULTI "--b\r\ntext at once\r\n--b--"), 2, MIME_ODD_HEADER_END },
		{ STR(MULTI "--b \t \r\n\r\nx\r\n--b-- \r\n"), 2, 0 },
		{ STR(MULTI "--bb\r\n\r\nx\r\n--b--"), 2, MIME_ODD_TAIL },
		{ STR(MULTI "--b\r\n\r\nx\r\n--b--bb\r\n--b\r\n"), 2, MIME_ODD_TAIL },
		{ STR(MULTI "--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\nno part\r\n"), 2, 0 },
		{ STR(MULTI "- -b\r\n-\r\n--\r\n--a\r\n --b\r\n--b\r\n\r\n-\r\n--b--"), 2,
		  0 },
		{ STR(MULTI "--b\nA: b\n\nx\n--b--\n"), 2, MIME_ODD_BARE },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime *m = parse(cases[i].in);

		cr_assert_eq(mime_n_parts(m), cases[i].n_parts, "case %zu: %s", i,
			     show(m));
		cr_assert_eq(mime_odd(m), cases[i].odd, "case %zu: %s", i, show(m));
		mime_free(m);
	}
}

Test(mime, prefers_the_delimiter_that_stands_there_whole)
{
	static const struct str s = STR(
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=ab\r\n\r\n"
		"--ab\r\nContent-Type: multipart/mixed; boundary=abc\r\n\r\n"
		"--abc\r\n\r\ninner\r\n--abc--\r\n"
		"--ab\r\n\r\nouter\r\n--ab--\r\n");
	static const struct str other = STR(
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=abc\r\n\r\n"
		"--abc\r\nContent-Type: multipart/mixed; boundary=ab\r\n\r\n"
		"--ab\r\n\r\ninner\r\n--ab--\r\n"
		"--abc\r\n\r\nouter\r\n--abc--\r\n");
	struct mime *m = parse(s);

	cr_assert_eq(mime_odd(m), 0);
	cr_assert(str_eq(body_of(m, mime_find(m, STR("1.1")), s), STR("inner")));
	cr_assert(str_eq(body_of(m, mime_find(m, STR("2")), s), STR("outer")));
	mime_free(m);
	m = parse(other);
	cr_assert_eq(mime_odd(m), 0);
	cr_assert(str_eq(body_of(m, mime_find(m, STR("1.1")), other), STR("inner")));
	cr_assert(str_eq(body_of(m, mime_find(m, STR("2")), other), STR("outer")));
	mime_free(m);
}

Test(mime, ends_what_is_open_with_an_outer_delimiter)
{
	static const struct str s =
		STR(MULTI "--b\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n"
			  "--in\r\n\r\nnever ended\r\n"
			  "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: cut\r\n"
			  "--b--\r\n");
	struct mime *m = parse(s);

	cr_assert_eq(mime_n_parts(m), 5);
	cr_assert_eq(mime_part(m, 0)->odd, 0);
	cr_assert_eq(mime_part(m, 1)->odd, MIME_ODD_NO_END);
	cr_assert(str_eq(body_of(m, 2, s), STR("never ended")));
	cr_assert_eq(mime_part(m, 3)->kind, MIME_MESSAGE);
	cr_assert_eq(mime_part(m, 4)->odd, MIME_ODD_HEADER_END);
	cr_assert(str_eq(header_of(m, 4, s), STR("Subject: cut\r\n")));
	cr_assert_eq(mime_part(m, 4)->body_len, 0);
	mime_free(m);
}

/* Every beginning of a message has a structure, the same for all cuts, inside of it. */
Test(mime, reads_every_truncation)
{
	for (size_t len = 0; len <= nested.len; len++) {
		struct str s = { nested.p, len };
		struct mime *m = parse_with(&mime_limits_default, s, 3);

		for (uint32_t i = 0; i < mime_n_parts(m); i++) {
			const struct mime_part *p = mime_part(m, i);

			cr_assert(p->header_at + p->header_len <= p->body_at);
			cr_assert(p->body_at + p->body_len <= len);
			cr_assert(p->kind != MIME_MESSAGE || p->n_children == 1);
		}
		mime_free(m);
	}
}

Test(mime, has_a_limit_of_depth)
{
	struct mime_limits limits = mime_limits_default;
	static char s[8192];
	struct mime *m;

	s[0] = '\0';
	for (int i = 0; i < 10; i++)
		sprintf(s + strlen(s),
			"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i,
			i);
	strcat(s, "\r\nx\r\n");
	limits.depth = 10;
	m = parse_with(&limits, str_of(s), 3);
	cr_assert_eq(mime_n_parts(m), 11);
	cr_assert(!(mime_odd(m) & MIME_ODD_LIMIT_DEPTH));
	mime_free(m);
	limits.depth = 9;
	m = parse_with(&limits, str_of(s), 3);
	cr_assert_eq(mime_n_parts(m), 10);
	cr_assert(mime_part(m, 9)->odd & MIME_ODD_LIMIT_DEPTH);
	cr_assert_eq(mime_part(m, 9)->kind, MIME_LEAF);
	mime_free(m);
	limits.depth = 0;
	m = parse_with(&limits, str_of(s), 3);
	cr_assert_eq(mime_n_parts(m), 1);
	mime_free(m);
}

Test(mime, has_a_limit_of_parts)
{
	struct mime_limits limits = mime_limits_default;
	static const struct str s =
		STR(MULTI "--b\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b\r\n\r\n3\r\n--b--");
	struct mime *m;

	limits.n_parts = 4;
	m = parse_with(&limits, s, 3);
	cr_assert_eq(mime_n_parts(m), 4);
	cr_assert_eq(mime_odd(m), 0);
	mime_free(m);
	limits.n_parts = 3;
	m = parse_with(&limits, s, 3);
	cr_assert_eq(mime_n_parts(m), 3);
	cr_assert_eq(mime_part(m, 0)->odd, MIME_ODD_LIMIT_PARTS);
	cr_assert(str_eq(body_of(m, 2, s), STR("2")));
	cr_assert_eq(mime_part(m, 0)->body_at + mime_part(m, 0)->body_len, s.len);
	mime_free(m);
	/* A message that may have no child is a leaf. */
	limits.n_parts = 1;
	m = parse_with(&limits, STR("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\n"),
		       3);
	cr_assert_eq(mime_part(m, 0)->kind, MIME_LEAF);
	cr_assert(mime_odd(m) & MIME_ODD_LIMIT_PARTS);
	mime_free(m);
}

Test(mime, has_limits_of_headers_and_fields)
{
	struct mime_limits limits = mime_limits_default;
	static char s[3 * MIME_FIELD_MAX];
	size_t n =
		(size_t)sprintf(s, "MIME-Version: 1.0\r\nX: y\r\nContent-ID: a\r\n\r\n");
	struct mime *m;

	limits.header_len = 25;
	m = parse_with(&limits, (struct str){ s, n }, 3);
	cr_assert_eq(mime_odd(m), 0);
	cr_assert(str_eq(mime_part(m, 0)->id, STR("a")));
	mime_free(m);
	limits.header_len = 24;
	m = parse_with(&limits, (struct str){ s, n }, 3);
	cr_assert_eq(mime_odd(m), MIME_ODD_LIMIT_HEADER);
	cr_assert_eq(mime_part(m, 0)->id.len, 0);
	cr_assert_eq(mime_part(m, 0)->header_len, n);
	mime_free(m);
	n = (size_t)sprintf(s, "MIME-Version: 1.0\r\nContent-ID: %0*d\r\n\r\nbody",
			    MIME_FIELD_MAX - 14, 0);
	m = parse_with(&mime_limits_default, (struct str){ s, n }, 3);
	cr_assert_eq(mime_odd(m), 0);
	cr_assert_eq(mime_part(m, 0)->id.len, MIME_FIELD_MAX - 14);
	mime_free(m);
	n = (size_t)sprintf(s, "MIME-Version: 1.0\r\nContent-ID: %0*d\r\n\r\nbody",
			    MIME_FIELD_MAX + 100, 0);
	m = parse_with(&mime_limits_default, (struct str){ s, n }, 3);
	cr_assert_eq(mime_odd(m), MIME_ODD_LIMIT_FIELD);
	cr_assert_eq(mime_part(m, 0)->id.len, MIME_FIELD_MAX - 12);
	cr_assert_eq(mime_part(m, 0)->body_len, 4);
	mime_free(m);
}

Test(mime, has_a_limit_of_memory)
{
	static char s[32768];
	size_t n = (size_t)sprintf(s, MULTI);

	for (int i = 0; i < 100; i++)
		n += (size_t)sprintf(
			s + n, "--b\r\nContent-Type: text/x; name=%0100d\r\n\r\n", i);
	for (size_t memory = 0; memory < 65536; memory += 1021) {
		struct mime_limits limits = mime_limits_default;
		struct mime *m;

		limits.memory = memory;
		m = parse_with(&limits, (struct str){ s, n }, 1);
		cr_assert_eq((mime_odd(m) &
			      (MIME_ODD_LIMIT_MEMORY | MIME_ODD_LIMIT_PARTS)) == 0,
			     mime_n_parts(m) == 101 && mime_part(m, 100)->params.n == 1 &&
				     mime_part(m, 100)->params.param[0].value.len == 100);
		cr_assert(mime_part(m, 0)->body_at + mime_part(m, 0)->body_len <= n);
		mime_free(m);
	}
}

Test(mime, refuses_a_boundary_beyond_its_length)
{
	char s[1024];
	struct mime *m;

	for (int more = 0; more < 2; more++) {
		sprintf(s,
			"MIME-Version: 1.0\r\nContent-Type: multipart/x; "
			"boundary=%0*d\r\n\r\n"
			"--%0*d\r\n\r\n--%0*d--\r\n",
			MIME_BOUNDARY_MAX + more, 1, MIME_BOUNDARY_MAX + more, 1,
			MIME_BOUNDARY_MAX + more, 1);
		m = parse(str_of(s));
		cr_assert_eq(mime_odd(m), more ? MIME_ODD_NO_BOUNDARY : 0);
		cr_assert_eq(mime_n_parts(m), more ? 1 : 2);
		mime_free(m);
	}
}

Test(mime, notes_bytes_wherever_they_stand_in_a_line)
{
	static const struct {
		char c;
		uint32_t odd;
	} cases[] = {
		{ '\0', MIME_ODD_NUL },
		{ '\r', MIME_ODD_BARE },
		{ '\n', MIME_ODD_BARE },
		{ '\x80', MIME_ODD_BODY_8BIT },
		{ '-', 0 },
		{ 'x', 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t at = 0; at < 200; at++) {
			char s[300];
			size_t n = (size_t)sprintf(s, "A: b\r\n\r\n%0200d\r\n", 0);
			struct mime *m;

			s[8 + at] = cases[i].c;
			m = parse_with(&mime_limits_default, (struct str){ s, n }, 0);
			cr_assert_eq(mime_odd(m), cases[i].odd, "%zu at %zu", i, at);
			cr_assert_eq(mime_part(m, 0)->n_lines, 1 + (cases[i].c == '\n'));
			mime_free(m);
		}
	}
}

Test(mime, finds_a_delimiter_wherever_it_stands)
{
	static char s[2048];

	for (size_t pad = 0; pad < 400; pad++) {
		size_t n = (size_t)sprintf(
			s,
			MULTI "--b\r\n\r\n%0*d\r\n\xc3\xa9-\r\n-\r\n--b\r\n\r\n"
			      "end\r\n--b--\r\n",
			(int)pad + 1, 0);
		struct mime *m =
			parse_with(&mime_limits_default, (struct str){ s, n }, 0);

		cr_assert_eq(mime_n_parts(m), 3, "%zu", pad);
		cr_assert_eq(mime_part(m, 1)->body_len, pad + 1 + 8);
		cr_assert_eq(mime_part(m, 1)->n_lines, 3);
		cr_assert_eq(mime_part(m, 1)->odd, MIME_ODD_BODY_8BIT);
		cr_assert_eq(mime_part(m, 2)->odd, 0);
		mime_free(m);
	}
}

Test(mime, has_a_sentence_for_each_oddity)
{
	for (enum mime_odd_bit b = 0; b < MIME_ODD_BITS; b++)
		cr_assert_gt(strlen(mime_odd_text(b)), 5);
}

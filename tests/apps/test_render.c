#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/pbmail/html.h"
#include "apps/pbmail/render.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"

static char *shown;
static size_t shown_len;

static void setup(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
}

static void clean(void)
{
	free(shown);
}

Cases(render, setup, clean);

static const char *render(const char *message, unsigned width)
{
	FILE *to = open_memstream(&shown, &shown_len);

	cr_assert_eq(render_message(to, str_of(message), width), 0);
	fclose(to);
	return shown;
}

#define MULTI(subtype) \
	"MIME-Version: 1.0\r\nContent-Type: multipart/" subtype "; boundary=b\r\n\r\n"

Case(render, header_fields_and_text_are_decoded)
{
	cr_assert_str_eq(
		render("Received: x\r\nFrom: =?utf-8?Q?=C3=85sa?= <a@b.example>\r\n"
		       "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=\r\nMIME-Version: 1.0\r\n"
		       "Content-Type: text/plain; charset=iso-8859-1\r\n"
		       "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		       "K=F6ln\r\n",
		       80),
		"From: \xc3\x85sa <a@b.example>\nSubject: Gr\xc3\xbc\xc3\x9f"
		"e\n\nK\xc3\xb6ln\n");
}

Case(render, escapes_go_from_header_text_and_names)
{
	static const char message[] =
		"Subject: =?utf-8?B?G1szMW1yZWQ=?= \x1b]0;x\x07.\r\n" MULTI(
			"mixed") "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n"
				 "YRtbMkpi\r\n--b\r\n"
				 "Content-Type: x/\x1b[1my; name=\"\x1b[2Jz\"\r\n\r\n"
				 "\r\n--b--\r\n";

	for (const char *p = render(message, 80); *p; p++)
		cr_assert(*p == '\n' || (unsigned char)*p >= ' ', "%s", shown);
	cr_assert_not_null(strstr(shown, "Subject:  [31mred"), "%s", shown);
	cr_assert_not_null(strstr(shown, "\nab\n"), "%s", shown);
}

Case(render, plain_text_is_the_best_of_alternatives)
{
	cr_assert_str_eq(
		render(MULTI("alternative") "--b\r\nContent-Type: text/plain\r\n\r\n"
					    "plain\r\n--b\r\n"
					    "Content-Type: text/html\r\n\r\n"
					    "<b>html</b>\r\n--b--\r\n",
		       80),
		"\nplain\n");
}

Case(render, html_is_shown_where_there_is_nothing_better)
{
	cr_assert_str_eq(
		render(MULTI("alternative") "--b\r\nContent-Type: image/png\r\n\r\n"
					    "x\r\n--b\r\nContent-Type: text/html\r\n\r\n"
					    "<p>one &amp; "
					    "<b>two</b><br>three\r\n--b--\r\n",
		       80),
		"\none & two\nthree\n");
}

Case(render, attachments_are_listed_by_their_numbers)
{
	cr_assert_str_eq(render(MULTI("mixed") "--b\r\n\r\nhi\r\n--b\r\n"
					       "Content-Type: image/png\r\n"
					       "Content-Disposition: attachment; "
					       "filename*=utf-8''%C3%9C.png\r\n\r\n"
					       "1234\r\n--b\r\n"
					       "Content-Disposition: attachment; "
					       "filename=t.txt\r\n"
					       "\r\ntext\r\n--b--\r\n",
				80),
			 "\nhi\n[2: image/png, \xc3\x9c.png, 4 octets]\n"
			 "[3: text/plain, t.txt, 4 octets]\n");
}

Case(render, digests_are_lists_of_messages)
{
	render(MULTI("digest") "--b\r\n\r\nFrom: a@x\r\nSubject: one\r\n\r\nA\r\n"
			       "--b\r\n\r\nFrom: b@x\r\nSubject: "
			       "two\r\n\r\nB\r\n--b--\r\n",
	       80);
	cr_assert_not_null(strstr(shown, "[1: message/rfc822, \"one\""), "%s", shown);
	cr_assert_not_null(strstr(shown, "    a@x\n[2: message/rfc822, \"two\""), "%s",
			   shown);
}

Case(render, what_is_elsewhere_is_told_and_not_fetched)
{
	render("MIME-Version: 1.0\r\nContent-Type: message/external-body; "
	       "access-type=anon-ftp; site=ftp.example; name=x\r\n\r\n"
	       "Content-Type: text/plain\r\n\r\n",
	       80);
	cr_assert_not_null(strstr(shown,
				  "elsewhere: access-type=anon-ftp site=ftp.example "
				  "name=x"),
			   "%s", shown);
}

Case(render, pieces_say_which_they_are)
{
	render("MIME-Version: 1.0\r\nContent-Type: message/partial; id=\"x@y\"; "
	       "number=2; "
	       "total=3\r\n\r\nabc\r\n",
	       80);
	cr_assert_not_null(strstr(shown, "piece 2 of 3"), "%s", shown);
}

/* A list's numbers are those with which `save` finds the part. */
Case(render, numbers_of_parts_find_them)
{
	static const char message[] =
		MULTI("mixed") "--b\r\nContent-Type: image/a\r\n\r\nA\r\n--b\r\n"
			       "Content-Type: message/rfc822\r\n\r\n"
			       "MIME-Version: 1.0\r\n"
			       "Content-Type: multipart/related; boundary=c\r\n\r\n"
			       "--c\r\nContent-Type: image/c\r\n\r\nC\r\n"
			       "--c\r\nContent-Type: image/d\r\n\r\nD\r\n--c--\r\n"
			       "\r\n--b--\r\n";
	struct mime *m = mime_new(&mime_limits_default);

	render(message, 80);
	cr_assert_not_null(strstr(shown, "[1: image/a"), "%s", shown);
	cr_assert_not_null(strstr(shown, "[2: message/rfc822"), "%s", shown);
	mime_parse(m, STR(message));
	cr_assert(
		mime_is(mime_part(m, mime_find(m, STR("2.2"))), STR("image"), STR("d")));
	mime_free(m);
}

Case(render, any_prefix_of_a_message_can_be_shown)
{
	static const char message[] = "Subject: =?utf-8?B?w7Y=?=\r\n" MULTI(
		"alternative") "--b\r\nContent-Type: text/html\r\n\r\n<p>&#228;<br\r\n"
			       "--b\r\nContent-Transfer-Encoding: base64\r\n\r\nw7Y=\r\n"
			       "--b--\r\n";

	for (size_t i = 0; i <= sizeof(message) - 1; i++) {
		char *copy = strndup(message, i);

		free(shown);
		render(copy, 20);
		free(copy);
	}
}

Case(render, summary_has_number_date_sender_and_subject)
{
	FILE *to = open_memstream(&shown, &shown_len);

	render_summary(to, 7, true,
		       STR("Date: Tue, 24 Nov 2026 23:30:00 +0100\r\n"
			   "From: \"A\x1b[31m B\" <a@b.example>\r\n"
			   "Subject: =?utf-8?Q?=C3=B6?= x\r\n\r\n"),
		       80);
	fclose(to);
	cr_assert_str_eq(shown, "   7 N 2026-11-24 A [31m B             \xc3\xb6 x"
				"                                    \n");
}

static const char *text_of(const char *html)
{
	size_t n;

	free(shown);
	shown = strdup(html);
	n = html_to_text(shown, strlen(shown));
	shown[n] = '\0';
	return shown;
}

Case(render, html_becomes_text)
{
	cr_assert_str_eq(text_of("a  <b>b</b>\n c"), "a b c");
	cr_assert_str_eq(text_of("<style>p{}</style>x<script>y</script>z"), "xz");
	cr_assert_str_eq(text_of("<!-- <b> -->x"), "x");
	cr_assert_str_eq(text_of("1 &lt; 2 &unknown; &#246;&#27;"),
			 "1 < 2 &unknown; \xc3\xb6&#27;");
	cr_assert_str_eq(text_of("x<a href=\"y\""), "x");
	cr_assert_str_eq(text_of("<"), "");
	cr_assert_str_eq(text_of("<div>a</div><div>b</div>"), "a\n\nb\n");
}

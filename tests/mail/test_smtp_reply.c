#include <criterion/criterion.h>
#include <errno.h>

#include "apps/mail/wire/smtp_reply.h"

static int line(struct smtp_reply *r, const char *text)
{
	return smtp_reply_line(r, str_of(text), NULL);
}

static int one(const char *text, struct smtp_reply *r)
{
	smtp_reply_init(r);
	return line(r, text);
}

Test(smtp_reply, one_line_is_a_reply)
{
	struct smtp_reply r;

	cr_assert_eq(one("250 2.1.0 Sender ok", &r), 1);
	cr_assert_eq(r.code, 250);
	cr_assert(r.last);
	cr_assert_eq(r.enhanced.class, 2);
	cr_assert_eq(r.enhanced.subject, 1);
	cr_assert_eq(r.enhanced.detail, 0);
	cr_assert_str_eq(r.text, "Sender ok");
}

Test(smtp_reply, needs_no_text_and_no_space)
{
	struct smtp_reply r;

	cr_assert_eq(one("354", &r), 1);
	cr_assert_eq(r.code, 354);
	cr_assert_str_eq(r.text, "");
	cr_assert_eq(one("354 ", &r), 1);
	cr_assert_str_eq(r.text, "");
}

Test(smtp_reply, several_lines_are_one_text)
{
	struct smtp_reply r;
	struct str rest;

	smtp_reply_init(&r);
	cr_assert_eq(smtp_reply_line(&r, STR("550-5.7.1 Go"), &rest), 0);
	cr_assert(str_eq(rest, STR("5.7.1 Go")));
	cr_assert_eq(line(&r, "550-5.7.1 a\tw\x80y"), 0);
	cr_assert(!r.last);
	cr_assert_eq(line(&r, "550 5.7.1"), 1);
	cr_assert_eq(r.n_lines, 3);
	cr_assert_eq(r.enhanced.subject, 7);
	cr_assert_str_eq(r.text, "Go a?w?y");
}

Test(smtp_reply, refuses_what_is_none)
{
	static const char *const wrong[] = { "",       "25",	 "25x ok", "150 ok",
					     "600 no", "250_ok", "ok",	   " 250 ok" };
	struct smtp_reply r;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_assert_eq(one(wrong[i], &r), -EBADMSG, "\"%s\"", wrong[i]);
}

Test(smtp_reply, refuses_another_code_in_between)
{
	struct smtp_reply r;

	cr_assert_eq(one("250-one", &r), 0);
	cr_assert_eq(line(&r, "251 two"), -EBADMSG);
}

Test(smtp_reply, refuses_endless_replies)
{
	struct smtp_reply r;

	smtp_reply_init(&r);
	for (int i = 0; i < SMTP_REPLY_LINES_MAX; i++)
		cr_assert_eq(line(&r, "250-more"), 0);
	cr_assert_eq(line(&r, "250-more"), -EMSGSIZE);
}

Test(smtp_reply, keeps_no_more_text_than_its_limit)
{
	char long_line[SMTP_REPLY_LINE_MAX];
	struct smtp_reply r;

	memset(long_line, 'x', sizeof(long_line));
	memcpy(long_line, "451-", 4);
	smtp_reply_init(&r);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(smtp_reply_line(&r,
					     (struct str){ long_line, sizeof(long_line) },
					     NULL),
			     0);
	cr_assert_eq(r.text_len, SMTP_REPLY_TEXT_MAX);
	cr_assert_eq(strlen(r.text), SMTP_REPLY_TEXT_MAX);
}

Test(smtp_reply, takes_enhanced_codes_only_where_they_are)
{
	static const char *const none[] = { "3.1.1 x", "5.1 x",	   "5.1.1x",   "5..1 x",
					    "5.1.",    "5.1.1234", "55.1.1 x", "" };
	struct smtp_enhanced e;
	struct str rest;

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		e = smtp_reply_enhanced(str_of(none[i]), &rest);
		cr_assert_eq(e.class, 0, "\"%s\"", none[i]);
		cr_assert(str_eq(rest, str_of(none[i])));
	}
	e = smtp_reply_enhanced(STR("4.123.45"), &rest);
	cr_assert_eq(e.class, 4);
	cr_assert_eq(e.subject, 123);
	cr_assert_eq(e.detail, 45);
	cr_assert_eq(rest.len, 0);
}

Test(smtp_reply, an_enhanced_code_of_another_class_does_not_count)
{
	struct smtp_reply r;

	cr_assert_eq(one("451 5.1.1 Who knows", &r), 1);
	cr_assert_eq(r.enhanced.class, 0);
	cr_assert_str_eq(r.text, "Who knows");
}

Test(smtp_reply, writes_enhanced_codes)
{
	char text[SMTP_ENHANCED_LEN];

	smtp_reply_enhanced_text((struct smtp_enhanced){ 5, 123, 456 }, text);
	cr_assert_str_eq(text, "5.123.456");
	smtp_reply_enhanced_text((struct smtp_enhanced){ 4, 0, 0 }, text);
	cr_assert_str_eq(text, "4.0.0");
}

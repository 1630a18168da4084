#include <criterion/criterion.h>
#include <stdlib.h>

#include "apps/mail/wire/imap_body.h"
#include "apps/mail/wire/imap_reply.h"
#include "apps/mail/wire/mime.h"
#include "stack/base/check.h"
#include "tests/lib/imap_text.h"

static void emit(struct imap_emit *e, struct str message, bool is_extended)
{
	struct mime *m = mime_new(&mime_limits_default);

	mime_parse(m, message);
	imap_body_emit(e, m, message, 0, is_extended);
	mime_free(m);
}

static void gives(const char *message, bool is_extended, const char *expected)
{
	struct imap_emit e;

	imap_emit_init(&e);
	emit(&e, str_of(message), is_extended);
	cr_assert(str_eq((struct str){ e.p, e.len }, str_of(expected)), "%.*s",
		  (int)e.len, e.p);
	imap_emit_fini(&e);
}

Test(imap_body, shows_a_plain_message)
{
	gives("Subject: x\r\n\r\none\r\ntwo\r\n", false,
	      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 10 2)");
	gives("", true,
	      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 NIL "
	      "NIL "
	      "NIL NIL)");
}

Test(imap_body, shows_all_that_a_header_says)
{
	gives("MIME-Version: 1.0\r\n"
	      "Content-Type: image/png; name=\"a b\"\r\n"
	      "Content-Transfer-Encoding: BASE64\r\n"
	      "Content-ID: <1@x>\r\n"
	      "Content-Description: a picture\r\n"
	      "Content-Disposition: attachment; filename*=utf-8'en'%C3%A9\r\n"
	      "Content-Language: en, de\r\n"
	      "Content-Location: http://a.example/\r\n"
	      "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
	      "\r\nAAAA\r\n",
	      true,
	      "(\"image\" \"png\" (\"name\" \"a b\") \"<1@x>\" \"a picture\" \"BASE64\" "
	      "6 "
	      "\"Q2hlY2sgSW50ZWdyaXR5IQ==\" "
	      "(\"attachment\" (\"filename*\" \"utf-8'en'%C3%A9\")) (\"en\" \"de\") "
	      "\"http://a.example/\")");
}

static const char multipart[] = "MIME-Version: 1.0\r\n"
				"Content-Type: multipart/mixed; boundary=x\r\n"
				"\r\n"
				"--x\r\n"
				"\r\n"
				"hi\r\n"
				"--x\r\n"
				"Content-Type: message/rfc822\r\n"
				"\r\n"
				"Subject: inside\r\n"
				"\r\n"
				"text\r\n"
				"--x--\r\n";

Test(imap_body, shows_parts_and_messages_inside)
{
	gives(multipart, false,
	      "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 2 1)"
	      "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 23 "
	      "(NIL \"inside\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 4 1) 3) "
	      "\"mixed\")");
	gives(multipart, true,
	      "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 2 1 NIL "
	      "NIL "
	      "NIL NIL)"
	      "(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 23 "
	      "(NIL \"inside\" NIL NIL NIL NIL NIL NIL NIL NIL) "
	      "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 4 1 NIL "
	      "NIL "
	      "NIL NIL) 3 NIL NIL NIL NIL) "
	      "\"mixed\" (\"boundary\" \"x\") NIL NIL NIL)");
}

Test(imap_body, finds_headers_when_the_octets_begin_later)
{
	struct mime *m = mime_new(&mime_limits_default);
	struct str whole = { multipart, sizeof(multipart) - 1 };
	struct imap_emit all, late, without;

	imap_emit_init(&all);
	imap_emit_init(&late);
	imap_emit_init(&without);
	mime_parse(m, whole);
	imap_body_emit(&all, m, whole, 0, true);
	imap_body_emit(&late, m, (struct str){ whole.p + 30, whole.len - 30 }, 30, true);
	imap_body_emit(&without, m, STR(""), 0, true);
	cr_assert(
		str_eq((struct str){ all.p, all.len }, (struct str){ late.p, late.len }));
	cr_assert_null(memmem(without.p, without.len, "inside", 6));
	cr_assert_not_null(memmem(all.p, all.len, "inside", 6));
	imap_emit_fini(&all);
	imap_emit_fini(&late);
	imap_emit_fini(&without);
	mime_free(m);
}

Test(imap_body, shows_what_it_cannot_look_into_as_octets)
{
	gives("MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\nx", false,
	      "(\"application\" \"octet-stream\" NIL NIL NIL \"7bit\" 1)");
	gives("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\nx",
	      false,
	      "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) "
	      "\"mixed\")");
}

/* A hundred multiparts inside each other, deeper than is looked into. */
Test(imap_body, is_read_again_at_any_depth)
{
	struct imap_text t = { .p = NULL };
	struct imap_reply_reader r;
	struct imap_emit e;
	struct str in;

	imap_text_add(&t, "MIME-Version: 1.0\r\n");
	for (int i = 0; i < 100; i++)
		imap_text_add(
			&t,
			"Content-Type: multipart/mixed; boundary=x%d\r\n\r\n--x%d\r\n", i,
			i);
	imap_text_add(&t, "\r\nend\r\n");
	imap_emit_init(&e);
	imap_emit_puts(&e, "* 1 FETCH (BODYSTRUCTURE ");
	emit(&e, (struct str){ t.p, t.len }, true);
	imap_emit_puts(&e, ")\r\n");
	in = (struct str){ e.p, e.len };
	imap_reply_init(&r, &imap_reply_default_limits);
	cr_assert_eq(imap_reply(&r, &in), IMAP_REPLY_READY, "%s", r.bad);
	cr_assert_eq(imap_token_value(r.reply.args, STR("BODYSTRUCTURE"))->kind,
		     IMAP_TOKEN_LIST);
	imap_reply_fini(&r);
	imap_emit_fini(&e);
	free(t.p);
}

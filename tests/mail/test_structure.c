#include <criterion/criterion.h>
#include <stdio.h>

#include "apps/mail/imapd/structure.h"

/* The summary of a message, as text. */
static const char *summary(struct str message)
{
	struct mime *mime = mime_new(&mime_limits_default);
	struct structure s = { 0 };
	static char text[4096];
	struct imap_emit e;

	imap_emit_init(&e);
	mime_parse(mime, message);
	imap_emit_puts(&e, "before");
	structure_emit(&e, mime, message);
	cr_assert(!e.is_failed);
	cr_assert(structure_parse((struct str){ e.p + 6, e.len - 6 }, &s));
	snprintf(text, sizeof(text), "%.*s %.*s", (int)s.envelope.len, s.envelope.p,
		 (int)s.body.len, s.body.p);
	imap_emit_fini(&e);
	mime_free(mime);
	return text;
}

Test(structure, of_nothing_is_a_text)
{
	cr_assert_str_eq(
		summary(STR("")),
		"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) "
		"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 "
		"NIL NIL NIL NIL)");
}

Test(structure, sender_and_reply_to_are_as_from)
{
	cr_assert_str_eq(
		summary(STR("From: a@b.example\r\nReply-To: c@d.example\r\n"
			    "Sender: \r\nSubject: \"q\\\"\r\n\r\n")),
		"(NIL \"\\\"q\\\\\\\"\" ((NIL NIL \"a\" \"b.example\")) "
		"((NIL NIL \"a\" \"b.example\")) ((NIL NIL \"c\" \"d.example\")) "
		"NIL NIL NIL NIL NIL) "
		"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0 "
		"NIL NIL NIL NIL)");
}

Test(structure, summaries_of_other_formats_are_not_read)
{
	static const char good[] = "\1\0\0\0\0\0\0\2(x)y";
	struct structure s;

	cr_assert(structure_parse((struct str){ good, 12 }, &s));
	cr_assert(str_eq(s.envelope, STR("(x")));
	cr_assert(str_eq(s.body, STR(")y")));
	for (size_t len = 0; len < 10; len++)
		cr_assert(!structure_parse((struct str){ good, len }, &s));
	cr_assert(!structure_parse((struct str){ "\2\0\0\0\0\0\0\0", 8 }, &s));
	cr_assert(!structure_parse((struct str){ "\1\0\0\1\0\0\0\0", 8 }, &s));
}

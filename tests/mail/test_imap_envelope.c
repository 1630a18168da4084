#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/imap_envelope.h"
#include "apps/mail/wire/imap_reply.h"
#include "stack/base/check.h"

static void gives(const char *header, const char *expected)
{
	struct imap_emit e;

	imap_emit_init(&e);
	imap_envelope_emit(&e, str_of(header));
	cr_assert(str_eq((struct str){ e.p, e.len }, str_of(expected)), "%.*s",
		  (int)e.len, e.p);
	imap_emit_fini(&e);
}

Test(imap_envelope, shows_a_header)
{
	gives("Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\n"
	      "From: Fred Foobar <foobar@blurdybloop.example>\r\n"
	      "Subject: afternoon \"meeting\"\r\n"
	      "To: mooch@owatagu.example, \"Smith, J\" <@r.example:j@a.example>\r\n"
	      "Message-ID: <B27397-0100000@blurdybloop.example>\r\n"
	      "In-Reply-To: <1@a.example>\r\n"
	      "\r\n"
	      "Cc: body@x.example\r\n",
	      "(\"Mon, 7 Feb 1994 21:52:25 -0800 (PST)\" \"afternoon \\\"meeting\\\"\" "
	      "((\"Fred Foobar\" NIL \"foobar\" \"blurdybloop.example\")) "
	      "((\"Fred Foobar\" NIL \"foobar\" \"blurdybloop.example\")) "
	      "((\"Fred Foobar\" NIL \"foobar\" \"blurdybloop.example\")) "
	      "((NIL NIL \"mooch\" \"owatagu.example\")"
	      "(\"Smith, J\" \"@r.example\" \"j\" \"a.example\")) "
	      "NIL NIL \"<1@a.example>\" \"<B27397-0100000@blurdybloop.example>\")");
}

Test(imap_envelope, tells_absent_fields_from_empty_ones)
{
	gives("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	gives("\r\nSubject: x\r\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	gives("Subject:\r\nTo: \r\nMessage-ID:\r\n\r\n",
	      "(NIL \"\" NIL NIL NIL NIL NIL NIL NIL \"\")");
}

Test(imap_envelope, puts_the_author_where_nobody_is_named)
{
	gives("From: a@x\r\nSender:\r\nReply-To: b@x\r\n\r\n",
	      "(NIL NIL ((NIL NIL \"a\" \"x\")) ((NIL NIL \"a\" \"x\")) "
	      "((NIL NIL \"b\" \"x\")) NIL NIL NIL NIL NIL)");
}

Test(imap_envelope, shows_groups_and_addresses_without_a_host)
{
	gives("Bcc: friends: a@x, b@x;, root\r\n\r\n",
	      "(NIL NIL NIL NIL NIL NIL NIL ((NIL NIL \"friends\" NIL)"
	      "(NIL NIL \"a\" \"x\")(NIL NIL \"b\" \"x\")(NIL NIL NIL NIL)"
	      "(NIL NIL \"root\" \"\")) NIL NIL)");
	gives("To: nobody:;\r\n\r\n",
	      "(NIL NIL NIL NIL NIL ((NIL NIL \"nobody\" NIL)(NIL NIL NIL NIL)) NIL NIL "
	      "NIL NIL)");
}

Test(imap_envelope, unfolds_and_takes_the_first_of_two)
{
	gives("Subject: one\r\n two\r\n\tthree\r\nsubject: four\r\n\r\n",
	      "(NIL \"one two\tthree\" NIL NIL NIL NIL NIL NIL NIL NIL)");
}

Test(imap_envelope, writes_bytes_above_127_as_literals)
{
	gives("Subject: \xc3\xa9\r\n\r\n",
	      "(NIL {2}\r\n\xc3\xa9 NIL NIL NIL NIL NIL NIL NIL NIL)");
}

Test(imap_envelope, looks_at_no_more_of_a_header_than_its_limit)
{
	size_t len = IMAP_ENVELOPE_HEADER_MAX + 100;
	char *header = malloc(len + 1);
	struct imap_emit e;

	memset(header, 'x', len);
	memcpy(header, "Subject: ", 9);
	memcpy(header + len - 20, "\r\nTo: a@b.example\r\n", 20);
	imap_emit_init(&e);
	imap_envelope_emit(&e, (struct str){ header, len });
	cr_assert_lt(e.len, IMAP_ENVELOPE_HEADER_MAX + 100);
	cr_assert_null(memmem(e.p, e.len, "b.example", 9));
	imap_emit_fini(&e);
	free(header);
}

Test(imap_envelope, cuts_a_long_address)
{
	char header[IMAP_ENVELOPE_ADDR_MAX * 2];
	struct imap_emit e;

	memset(header, 'x', sizeof(header));
	memcpy(header, "To: \"", 5);
	memcpy(header + sizeof(header) - 10, "\" <a@b>\r\n", 10);
	imap_emit_init(&e);
	imap_envelope_emit(&e, (struct str){ header, sizeof(header) });
	cr_assert_lt(e.len, IMAP_ENVELOPE_ADDR_MAX + 200);
	imap_emit_fini(&e);
}

/* However long a text is, a client reads ten fields. */
Test(imap_envelope, is_read_again)
{
	struct imap_reply_reader r;
	struct imap_emit e;
	char *header = NULL;
	struct str in;
	size_t n = 0;

	cr_assert_gt(
		asprintf(&header,
			 "Subject: %05000d\r\nFrom: \"%04000d\" <%04000d@%04000d>\r\n"
			 "To: :;,<>,@,\"\\\"\"@x,a@[1.2.3.4]\r\n\r\n",
			 1, 2, 3, 4),
		0);
	imap_emit_init(&e);
	imap_emit_puts(&e, "* 1 FETCH (ENVELOPE ");
	imap_envelope_emit(&e, str_of(header));
	imap_emit_puts(&e, ")\r\n");
	in = (struct str){ e.p, e.len };
	imap_reply_init(&r, &imap_reply_default_limits);
	cr_assert_eq(imap_reply(&r, &in), IMAP_REPLY_READY);
	for (const struct imap_token *t =
		     imap_token_value(r.reply.args, STR("ENVELOPE"))->kids;
	     t; t = t->next)
		n++;
	cr_assert_eq(n, 10);
	imap_reply_fini(&r);
	imap_emit_fini(&e);
	free(header);
}

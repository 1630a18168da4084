/*
 * What is written is read again: as a response by imap_reply.h, as a command by
 * imap_parse.h.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "apps/mail/wire/imap_emit.h"
#include "apps/mail/wire/imap_reply.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"
#include "tests/lib/imap_text.h"

static struct imap_emit e;

static void set_up(void)
{
	imap_emit_init(&e);
}

static void tear_down(void)
{
	imap_emit_fini(&e);
	cr_assert_null(e.p);
}

Cases(imap_emit, set_up, tear_down);

static void wrote(const char *expected)
{
	cr_assert(!e.is_failed);
	cr_assert(str_eq((struct str){ e.p, e.len }, str_of(expected)), "%.*s",
		  (int)e.len, e.p);
	imap_emit_clear(&e);
}

Case(imap_emit, writes_text_and_numbers)
{
	imap_emit_puts(&e, "* ");
	imap_emit_number(&e, 0);
	imap_emit_bytes(&e, STR(" "));
	imap_emit_number(&e, UINT64_MAX);
	imap_emit_printf(&e, " %s %d", "x", -1);
	wrote("* 0 18446744073709551615 x -1");
}

Case(imap_emit, quotes_where_it_can)
{
	imap_emit_string(&e, STR(""));
	imap_emit_string(&e, STR("a b"));
	imap_emit_string(&e, STR("\\\"x\"\\"));
	wrote("\"\"\"a b\"\"\\\\\\\"x\\\"\\\\\"");
	imap_emit_string(&e, STR("a\r\nb"));
	imap_emit_string(&e, STR("\xc3\xa9"));
	imap_emit_string(&e, STR("a\0b"));
	wrote("{4}\r\na\r\nb{2}\r\n\xc3\xa9{3}\r\na?b");
	e.is_plus = true;
	imap_emit_string(&e, STR("\r"));
	wrote("{1+}\r\n\r");
}

Case(imap_emit, writes_long_strings_as_literals)
{
	char bytes[1025];

	memset(bytes, 'a', sizeof(bytes));
	imap_emit_string(&e, (struct str){ bytes, 1024 });
	cr_assert_eq(e.p[0], '"');
	imap_emit_clear(&e);
	imap_emit_string(&e, (struct str){ bytes, 1025 });
	cr_assert_eq(e.p[0], '{');
	imap_emit_clear(&e);
	imap_emit_astring(&e, (struct str){ bytes, 1025 });
	cr_assert_eq(e.p[0], '{');
}

Case(imap_emit, tells_nil_from_what_is_empty)
{
	imap_emit_nstring(&e, (struct str){ NULL, 0 });
	imap_emit_nstring(&e, STR(""));
	imap_emit_nstring(&e, STR("NIL"));
	wrote("NIL\"\"\"NIL\"");
}

Case(imap_emit, writes_atoms_where_it_can)
{
	static const char *const rows[][2] = {
		{ "INBOX", "INBOX" },	{ "a/b]c", "a/b]c" },	{ "", "\"\"" },
		{ "a b", "\"a b\"" },	{ "nil", "\"nil\"" },	{ "a(b", "\"a(b\"" },
		{ "a%b", "\"a%b\"" },	{ "a*", "\"a*\"" },	{ "a{1}", "\"a{1}\"" },
		{ "a\"", "\"a\\\"\"" }, { "\x7f", "\"\x7f\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		imap_emit_astring(&e, str_of(rows[i][0]));
		wrote(rows[i][1]);
	}
}

Case(imap_emit, writes_flags)
{
	static const struct str keywords[] = { STR("$Junk"), STR("work") };
	struct imap_flags none = { .system = 0 };
	struct imap_flags all = { .system = 0x3f, .n_keywords = 2, .keywords = keywords };

	imap_emit_flags(&e, &none);
	wrote("()");
	imap_emit_flags(&e, &all);
	wrote("(\\Seen \\Answered \\Flagged \\Deleted \\Draft \\Recent $Junk work)");
}

Case(imap_emit, writes_sets)
{
	static const uint32_t numbers[] = { 1, 2, 3, 5, 9, 8, 7, 7, 8, UINT32_MAX };

	imap_emit_numbers(&e, numbers, ARRAY_LEN(numbers));
	wrote("1:3,5,9,8,7,7:8,4294967295");
	imap_emit_numbers(&e, numbers, 0);
	wrote("");
}

Case(imap_emit, writes_dates)
{
	imap_emit_date_time(&e, 837596665);
	wrote("\"17-Jul-1996 09:44:25 +0000\"");
}

/* What a response says of an item is what was asked, without PEEK and length. */
Case(imap_emit, names_what_was_fetched)
{
	static const char *const rows[][2] = {
		{ "UID", "UID" },
		{ "FLAGS", "FLAGS" },
		{ "RFC822.SIZE", "RFC822.SIZE" },
		{ "BODYSTRUCTURE", "BODYSTRUCTURE" },
		{ "BODY", "BODY" },
		{ "RFC822", "RFC822" },
		{ "RFC822.HEADER", "RFC822.HEADER" },
		{ "RFC822.TEXT", "RFC822.TEXT" },
		{ "BODY.PEEK[]", "BODY[]" },
		{ "BODY[1.22.3]<10.20>", "BODY[1.22.3]<10>" },
		{ "body[1.mime]", "BODY[1.MIME]" },
		{ "BODY[TEXT]", "BODY[TEXT]" },
		{ "BODY[2.HEADER]", "BODY[2.HEADER]" },
		{ "BODY.PEEK[HEADER.FIELDS (To \"a b\")]",
		  "BODY[HEADER.FIELDS (To \"a b\")]" },
		{ "BODY[3.HEADER.FIELDS.NOT (X)]<0.1>",
		  "BODY[3.HEADER.FIELDS.NOT (X)]<0>" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct imap_text in = { .p = NULL };
		struct imap_parse p;
		struct str s;

		imap_text_add(&in, "a FETCH 1 %s\r\n", rows[i][0]);
		s = (struct str){ in.p, in.len };
		imap_parse_init(&p, &imap_parse_user_limits);
		cr_assert_eq(imap_parse(&p, &s), IMAP_PARSE_COMMAND);
		imap_emit_fetch_name(&e, &p.cmd.fetch.items[0]);
		wrote(rows[i][1]);
		imap_parse_fini(&p);
		free(in.p);
	}
}

Case(imap_emit, writes_lists_and_statuses)
{
	static const uint64_t values[IMAP_STATUS_N] = { 1, 2, 3, 4, 5, 6 };

	imap_emit_list(&e, "LIST", IMAP_MAILBOX_NOSELECT | IMAP_MAILBOX_HASCHILDREN,
		       IMAP_USE_SENT, '/', STR("a b"));
	wrote("* LIST (\\Noselect \\HasChildren \\Sent) \"/\" \"a b\"\r\n");
	imap_emit_list(&e, "LSUB", 0, 0, '\0', STR("INBOX"));
	wrote("* LSUB () NIL INBOX\r\n");
	imap_emit_list(&e, "LIST", 0, 0, '\\', STR("x"));
	wrote("* LIST () \"\\\\\" x\r\n");
	imap_emit_status(&e, STR("x"), IMAP_STATUS_UNSEEN | IMAP_STATUS_MESSAGES, values);
	wrote("* STATUS x (MESSAGES 1 UNSEEN 5)\r\n");
	imap_emit_status(&e, STR("x"), 0x3f, values);
	wrote("* STATUS x (MESSAGES 1 RECENT 2 UIDNEXT 3 UIDVALIDITY 4 UNSEEN 5 "
	      "HIGHESTMODSEQ 6)\r\n");
}

/* Any string comes back as it went. */
Case(imap_emit, writes_strings_that_are_read_again)
{
	static const struct str strings[] = {
		STR(""),	 STR("a"),	  STR("NIL"),	 STR("\\"),
		STR("\""),	 STR("a\r\nb"),	  STR("(a)"),	 STR("{3}"),
		STR("x]"),	 STR("\xff\x80"), STR("a \t b"), STR("{5}\r\n"),
		STR("\\\"\\\""), STR("\r"),	  STR("~{3+}"),
	};
	struct imap_reply_reader r;
	const struct imap_token *t;
	struct str in;

	imap_emit_puts(&e, "* X ");
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		imap_emit_puts(&e, i > 0 ? " " : "");
		imap_emit_string(&e, strings[i]);
	}
	imap_emit_puts(&e, "\r\n");
	in = (struct str){ e.p, e.len };
	imap_reply_init(&r, &imap_reply_default_limits);
	cr_assert_eq(imap_reply(&r, &in), IMAP_REPLY_READY);
	t = r.reply.args;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++, t = t->next)
		cr_assert(t && t->kind == IMAP_TOKEN_STRING &&
				  str_eq(t->text, strings[i]),
			  "%zu", i);
	cr_assert_null(t);
	imap_reply_fini(&r);
}

Case(imap_emit, writes_arguments_that_are_read_again)
{
	static const struct str strings[] = { STR("a"),	       STR(""),	   STR("a b"),
					      STR("\xc3\xa9"), STR("{1}"), STR("a\r\nb"),
					      STR("nil") };

	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		struct imap_parse p;
		struct str in;

		e.is_plus = true;
		imap_emit_puts(&e, "a LOGIN ");
		imap_emit_astring(&e, strings[i]);
		imap_emit_puts(&e, " x\r\n");
		in = (struct str){ e.p, e.len };
		imap_parse_init(&p, &imap_parse_user_limits);
		cr_assert_eq(imap_parse(&p, &in), IMAP_PARSE_COMMAND, "%zu", i);
		cr_assert(str_eq(p.cmd.login.user, strings[i]), "%zu", i);
		imap_parse_fini(&p);
		imap_emit_clear(&e);
	}
}

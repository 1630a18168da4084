/*
 * The reader of commands: events, literals, limits, what is refused and where it goes
 * on.  test_imap_grammar.c has the commands one by one.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "tests/lib/imap_text.h"

static const struct imap_parse_limits small = {
	.line_len = 100, .literal_len = 20, .len = 200, .skip_len = 300
};

static char *walk(const struct imap_parse_limits *limits, struct str in, size_t cut)
{
	struct imap_text t = { .p = NULL };

	imap_text_walk(&t, limits, in, cut);
	return t.p;
}

/* Whole, byte by byte, and in pieces of three. */
static void gives_of(const struct imap_parse_limits *limits, struct str in,
		     const char *expected)
{
	for (size_t i = 0; i < 3; i++) {
		static const size_t cuts[] = { 0, 1, 3 };
		char *got = walk(limits, in, cuts[i]);

		cr_assert_str_eq(got, expected, "cut %zu of %.*s", cuts[i], (int)in.len,
				 in.p);
		free(got);
	}
}

static void gives(const char *in, const char *expected)
{
	gives_of(&small, str_of(in), expected);
}

Test(imap_parse, reads_commands_one_behind_another)
{
	gives("a1 noop\r\na2 Capability\r\n", "cmd a1 NOOP\ncmd a2 CAPABILITY\n");
	gives("a1 NOOP\r\na2 NOO", "cmd a1 NOOP\n");
	gives("", "");
}

Test(imap_parse, asks_for_a_literal_and_goes_on_behind_it)
{
	gives("a1 LOGIN {3}\r\nbob {6}\r\nsecret\r\na2 NOOP\r\n",
	      "plus\nplus\ncmd a1 LOGIN bob secret\ncmd a2 NOOP\n");
	gives("a1 LOGIN {0}\r\n {2}\r\n\r\n\r\n", "plus\nplus\ncmd a1 LOGIN <> <\r\n>\n");
}

Test(imap_parse, does_not_ask_for_a_literal_that_comes_by_itself)
{
	gives("a1 LOGIN {3+}\r\nbob {0+}\r\n\r\na2 NOOP\r\n",
	      "cmd a1 LOGIN bob <>\ncmd a2 NOOP\n");
}

Test(imap_parse, refuses_before_the_literal_what_is_wrong_before_it)
{
	gives("a1 NOOP {3}\r\na2 NOOP\r\n",
	      "bad a1 Too much stands at the end\ncmd a2 NOOP\n");
	gives("a1 NOOP {9+}\r\na2 NOOP\r\n\r\na3 NOOP\r\n",
	      "bad a1 Too much stands at the end\ncmd a3 NOOP\n");
	gives("a1 FOO {9+}\r\na2 NOOP\r\n{4+}\r\n\r\n\r\nx {3}\r\na3 NOOP\r\n",
	      "bad a1 The command is unknown\ncmd a3 NOOP\n");
}

Test(imap_parse, streams_the_message_of_an_append)
{
	gives("a1 APPEND inbox (\\Seen $x) \" 1-Jan-1970 00:00:09 +0000\" {5}\r\n"
	      "hello\r\na2 NOOP\r\n",
	      "append a1 APPEND INBOX (\\Seen) $x  1-Jan-1970 00:00:09 +0000 5 plus\n"
	      "octets hello\ncmd a1 APPEND\ncmd a2 NOOP\n");
	gives("a1 APPEND {3}\r\nabc {2+}\r\nhi\r\n",
	      "plus\nappend a1 APPEND abc () now 2\noctets hi\ncmd a1 APPEND\n");
	gives("a1 APPEND a {0}\r\n\r\n",
	      "append a1 APPEND a () now 0 plus\ncmd a1 APPEND\n");
}

Test(imap_parse, streams_a_message_longer_than_any_limit_of_a_command)
{
	struct imap_text t = { .p = NULL };
	struct str message;
	char *got;

	imap_text_add(&t, "a1 APPEND a {1000}\r\n%01000d\r\n", 0);
	message = (struct str){ t.p, t.len };
	got = walk(&small, message, 0);
	cr_assert(strstr(got, "cmd a1 APPEND\n"));
	free(got);
	free(t.p);
}

Test(imap_parse, skips_the_message_of_a_refused_append)
{
	gives("a1 APPEND refused {5}\r\na2 NOOP\r\n",
	      "append a1 APPEND refused () now 5 plus\ncmd a2 NOOP\n");
	gives("a1 APPEND refused {9+}\r\na2 NOOP\r\n\r\na3 NOOP\r\n",
	      "append a1 APPEND refused () now 9\ncmd a3 NOOP\n");
}

Test(imap_parse, refuses_what_stands_behind_a_message)
{
	gives("a1 APPEND a {2}\r\nhi {2}\r\na2 NOOP\r\n",
	      "append a1 APPEND a () now 2 plus\noctets hi\n"
	      "bad a1 Something stands behind the message\ncmd a2 NOOP\n");
	gives("a1 APPEND a {2}\r\nhix\r\na2 NOOP\r\n",
	      "append a1 APPEND a () now 2 plus\noctets hi\n"
	      "bad a1 Something stands behind the message\ncmd a2 NOOP\n");
}

Test(imap_parse, reads_a_line_that_is_wanted)
{
	gives("a1 IDLE\r\nDONE\r\na2 NOOP\r\n", "cmd a1 IDLE\nline DONE\ncmd a2 NOOP\n");
	gives("a1 IDLE\r\nDONE{5}\r\na2 NOOP\r\n",
	      "cmd a1 IDLE\nline DONE{5}\ncmd a2 NOOP\n");
	gives("a1 IDLE\r\nDONE\n\r\na2 NOOP\r\n",
	      "cmd a1 IDLE\nbad a1 Lines must end in CRLF\ncmd a2 NOOP\n");
}

Test(imap_parse, refuses_what_has_no_tag)
{
	gives("\r\na2 NOOP\r\n", "bad * A command begins with a tag and a space\n"
				 "cmd a2 NOOP\n");
	gives("a1\r\n", "bad * A command begins with a tag and a space\n");
	gives("+ NOOP\r\n", "bad * A command begins with a tag and a space\n");
	gives("a+ NOOP\r\n", "bad * A command begins with a tag and a space\n");
	gives("\"a\" NOOP\r\n", "bad * A command begins with a tag and a space\n");
	gives("{1}\r\na NOOP\r\n", "bad * A command begins with a tag and a space\n"
				   "cmd a NOOP\n");
	gives("12345678901234567890123456789012345678901234567890123456789012345 "
	      "NOOP\r\n",
	      "bad * A command begins with a tag and a space\n");
	gives("1234567890123456789012345678901234567890123456789012345678901234 NOOP\r\n",
	      "cmd 1234567890123456789012345678901234567890123456789012345678901234 "
	      "NOOP\n");
}

Test(imap_parse, ends_lines_in_crlf_and_nothing_else)
{
	gives("a1 NOOP\na2 NOOP\r\na3 NOOP\r\n",
	      "bad a1 Lines must end in CRLF\ncmd a3 NOOP\n");
	gives("a1 NOOP\rx\r\na2 NOOP\r\n",
	      "bad a1 Too much stands at the end\ncmd a2 NOOP\n");
	gives("a1 LOGIN {1}\r\r\n\r\na2 NOOP\r\n",
	      "bad a1 A literal is wrong\n"
	      "bad * A command begins with a tag and a space\ncmd a2 NOOP\n");
}

Test(imap_parse, refuses_a_nul_anywhere)
{
	gives_of(&small, STR("a1 LOGIN a\0 b\r\n"), "bad a1 One space is missing\n");
	gives_of(&small, STR("a1 LOGIN \"a\0\" b\r\n"),
		 "bad a1 A quoted string is not closed\n");
	gives_of(&small, STR("a1 LOGIN {1}\r\n\0 b\r\n"),
		 "plus\nbad a1 A literal has a NUL in it\n");
}

Test(imap_parse, skips_a_line_that_is_too_long)
{
	struct imap_text t = { .p = NULL }, fits = { .p = NULL };

	imap_text_add(&t, "a1 LOGIN %0200d {9+}\r\na2 NOOP\r\n {2}\r\na3 NOOP\r\n", 0);
	gives(t.p, "bad a1 [TOOBIG] The command is too long\ncmd a3 NOOP\n");
	imap_text_add(&fits, "a1 DELETE %088d\r\na2 DELETE %089d\r\n", 1, 1);
	free(t.p);
	t = (struct imap_text){ .p = NULL };
	imap_text_add(
		&t, "cmd a1 DELETE %088d\nbad a2 [TOOBIG] The command is too long\n", 1);
	gives(fits.p, t.p);
	free(t.p);
	free(fits.p);
}

Test(imap_parse, refuses_a_literal_that_is_too_long)
{
	gives("a1 LOGIN {20}\r\n12345678901234567890 b\r\n",
	      "plus\ncmd a1 LOGIN 12345678901234567890 b\n");
	gives("a1 LOGIN {21}\r\na2 NOOP\r\n",
	      "bad a1 [TOOBIG] The literal is too long\ncmd a2 NOOP\n");
	gives("a1 LOGIN {21+}\r\n123456789012345678901 {1+}\r\nb\r\na2 NOOP\r\n",
	      "bad a1 [TOOBIG] The literal is too long\ncmd a2 NOOP\n");
	gives("a1 LOGIN {99999999999999999999999}\r\na2 NOOP\r\n",
	      "bad a1 [TOOBIG] The literal is too long\ncmd a2 NOOP\n");
}

Test(imap_parse, refuses_more_of_a_command_than_it_holds)
{
	gives("a1 SEARCH TEXT {20+}\r\n12345678901234567890 TEXT {20+}\r\n"
	      "12345678901234567890 TEXT {20+}\r\n12345678901234567890 TEXT {20+}\r\n"
	      "12345678901234567890 TEXT {20+}\r\n12345678901234567890 TEXT {20+}\r\n"
	      "12345678901234567890 TEXT {20+}\r\n12345678901234567890\r\na2 NOOP\r\n",
	      "bad a1 [TOOBIG] The literal is too long\ncmd a2 NOOP\n");
}

Test(imap_parse, gives_up_where_there_is_no_end)
{
	struct imap_text t = { .p = NULL };

	gives("a1 LOGIN {301+}\r\nx", "bad a1 [TOOBIG] The literal is too long\n"
				      "bye The command has no end\n");
	gives("a1 LOGIN {18446744073709551616+}\r\nx",
	      "bad a1 [TOOBIG] The literal is too long\nbye The command has no end\n");
	imap_text_add(&t, "a1 NOOP %0500d", 0);
	gives(t.p, "bad a1 [TOOBIG] The command is too long\n"
		   "bye The command has no end\n");
	free(t.p);
}

Test(imap_parse, refuses_too_many_literals)
{
	struct imap_text t = { .p = NULL };
	char *got;

	imap_text_add(&t, "a1 SEARCH");
	for (int i = 0; i < IMAP_LITERALS_MAX; i++)
		imap_text_add(&t, " TO {0+}\r\n");
	imap_text_add(&t, "\r\n");
	got = walk(&imap_parse_user_limits, (struct str){ t.p, t.len }, 0);
	cr_assert(str_starts_nocase(str_of(got), STR("cmd a1 SEARCH and( HEADER To <>")));
	free(got);
	t.len -= 2;
	imap_text_add(&t, " TO {0+}\r\n\r\na2 NOOP\r\n");
	gives_of(&imap_parse_user_limits, (struct str){ t.p, t.len },
		 "bad a1 [LIMIT] The command has too many literals\ncmd a2 NOOP\n");
	free(t.p);
}

Test(imap_parse, owns_nothing_between_commands)
{
	struct imap_parse p;
	struct str in = STR("a1 LOGIN a b\r\n");

	imap_parse_init(&p, &small);
	cr_assert_eq(imap_parse(&p, &in), IMAP_PARSE_COMMAND);
	cr_assert_gt(imap_parse_memory(&p), 0);
	cr_assert_eq(imap_parse(&p, &in), IMAP_PARSE_MORE);
	cr_assert_eq(imap_parse_memory(&p), 0);
	in = STR("a1 LOGIN {10}\r\n");
	cr_assert_eq(imap_parse(&p, &in), IMAP_PARSE_CONTINUE);
	imap_parse_fini(&p);
	cr_assert_eq(imap_parse_memory(&p), 0);
}

Test(imap_parse, keeps_the_tag_while_it_reads_a_line)
{
	struct imap_parse p;
	struct str in = STR("tag AUTHENTICATE PLAIN\r\nAAAA\r\n");

	imap_parse_init(&p, &small);
	cr_assert_eq(imap_parse(&p, &in), IMAP_PARSE_COMMAND);
	imap_parse_want_line(&p);
	cr_assert_eq(imap_parse(&p, &in), IMAP_PARSE_LINE);
	cr_assert(str_eq(p.piece, STR("AAAA")));
	cr_assert(str_eq(p.cmd.tag, STR("tag")));
	imap_parse_fini(&p);
}

Test(imap_parse, takes_new_limits_with_the_next_command)
{
	struct imap_parse p;
	struct str in = STR("a1 LOGIN a b\r\na2 LOGIN a b\r\n");

	imap_parse_init(&p, &small);
	cr_assert_eq(imap_parse(&p, &in), IMAP_PARSE_COMMAND);
	p.limits.line_len = 10;
	cr_assert_eq(imap_parse(&p, &in), IMAP_PARSE_BAD);
	imap_parse_fini(&p);
}

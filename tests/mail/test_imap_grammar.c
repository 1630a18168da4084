/*
 * The grammar of commands, one by one: what is accepted and how it is understood, what is
 * refused and why.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "tests/lib/imap_text.h"

static char *walk(struct str in, size_t cut)
{
	struct imap_text t = { .p = NULL };

	imap_text_walk(&t, &imap_parse_user_limits, in, cut);
	return t.p;
}

struct row {
	const char *in;	 /* without tag and CRLF */
	const char *out; /* the same, or after "bad a " */
};

/* Each whole and byte by byte; and every truncation gives nothing, or asks for a
 * literal. */
static void check(const struct row *rows, size_t n, const char *verdict)
{
	for (size_t i = 0; i < n; i++) {
		struct imap_text in = { .p = NULL }, out = { .p = NULL };
		char *got;

		imap_text_add(&in, "a %s\r\n", rows[i].in);
		imap_text_add(&out, "%s%s\n", verdict, rows[i].out);
		for (size_t cut = 0; cut < 2; cut++) {
			got = walk((struct str){ in.p, in.len }, cut);
			cr_expect_str_eq(got, out.p, "%s", rows[i].in);
			free(got);
		}
		for (size_t len = 0; len < in.len; len++) {
			got = walk((struct str){ in.p, len }, 0);
			cr_expect_eq(strlen(got), 0, "%zu bytes of %s: %s", len,
				     rows[i].in, got);
			free(got);
		}
		free(in.p);
		free(out.p);
	}
}

#define ACCEPTS(rows) check(rows, ARRAY_LEN(rows), "cmd a ")
#define REFUSES(rows) check(rows, ARRAY_LEN(rows), "bad a ")

Test(imap_grammar, reads_commands_without_arguments)
{
	static const struct row rows[] = {
		{ "CAPABILITY", "CAPABILITY" }, { "noop", "NOOP" },
		{ "LogOut", "LOGOUT" },		{ "STARTTLS", "STARTTLS" },
		{ "NAMESPACE", "NAMESPACE" },	{ "CHECK", "CHECK" },
		{ "CLOSE", "CLOSE" },		{ "UNSELECT", "UNSELECT" },
		{ "EXPUNGE", "EXPUNGE" },	{ "IDLE", "IDLE" },
	};

	ACCEPTS(rows);
}

Test(imap_grammar, refuses_commands_that_are_none)
{
	static const struct row rows[] = {
		{ "", "An argument is missing" },
		{ " NOOP", "An argument is wrong" },
		{ "NOOPS", "The command is unknown" },
		{ "NOOP ", "Too much stands at the end" },
		{ "NOOP x", "Too much stands at the end" },
		{ "UID", "An argument is missing" },
		{ "UID UID", "The command is unknown" },
		{ "UID NOOP", "UID does not go with that command" },
		{ "UID SELECT x", "UID does not go with that command" },
		{ "\xc3\xa9", "An argument is wrong" },
	};

	REFUSES(rows);
}

Test(imap_grammar, reads_log_in)
{
	static const struct row rows[] = {
		{ "LOGIN smith sesame", "LOGIN smith sesame" },
		{ "LOGIN \"a b\" \"c\\\"\\\\d\"", "LOGIN <a b> c\"\\d" },
		{ "LOGIN \"\" \"\"", "LOGIN <> <>" },
		{ "LOGIN a]b c+d", "LOGIN a]b c+d" },
		{ "LOGIN a \"\xc3\xa9\"", "LOGIN a <\xc3\xa9>" },
		{ "LOGIN {3+}\r\na b \"x\"", "LOGIN <a b> x" },
		{ "LOGIN {03+}\r\nabc {0+}\r\n", "LOGIN abc <>" },
		{ "LOGIN NIL nil", "LOGIN NIL nil" },
		{ "AUTHENTICATE PLAIN", "AUTHENTICATE PLAIN" },
		{ "AUTHENTICATE SCRAM-SHA-256 =", "AUTHENTICATE SCRAM-SHA-256 <>" },
		{ "AUTHENTICATE PLAIN AGEAYg==", "AUTHENTICATE PLAIN AGEAYg==" },
		{ "ENABLE CONDSTORE", "ENABLE CONDSTORE" },
		{ "ENABLE a b c=d", "ENABLE a b c=d" },
	};

	ACCEPTS(rows);
}

Test(imap_grammar, refuses_a_wrong_log_in)
{
	static const struct row rows[] = {
		{ "LOGIN", "An argument is missing" },
		{ "LOGIN a", "An argument is missing" },
		{ "LOGIN a ", "An argument is missing" },
		{ "LOGIN a  b", "An argument is wrong" },
		{ "LOGIN a b c", "Too much stands at the end" },
		{ "LOGIN a(b c", "One space is missing" },
		{ "LOGIN a* c", "One space is missing" },
		{ "LOGIN a% c", "One space is missing" },
		{ "LOGIN a\\ c", "One space is missing" },
		{ "LOGIN \"a c", "A quoted string is not closed" },
		{ "LOGIN \"a\\\" c", "A quoted string is not closed" },
		{ "LOGIN \"a\\",
		  "A backslash stands before a character that needs none" },
		{ "LOGIN \"a\\n\" c",
		  "A backslash stands before a character that needs none" },
		{ "LOGIN \"a\"b c", "One space is missing" },
		{ "LOGIN {} c", "A literal is wrong" },
		{ "LOGIN {a} c", "A literal is wrong" },
		{ "LOGIN {1} c", "A literal is wrong" },
		{ "LOGIN {-1} c", "A literal is wrong" },
		{ "LOGIN a\xc3 b", "One space is missing" },
		{ "AUTHENTICATE", "An argument is missing" },
		{ "AUTHENTICATE PLAIN ", "An argument is missing" },
		{ "AUTHENTICATE PLAIN ===", "That is not base64" },
		{ "AUTHENTICATE PLAIN AA=A", "That is not base64" },
		{ "AUTHENTICATE PLAIN AAA", "That is not base64" },
		{ "AUTHENTICATE PLAIN A===", "That is not base64" },
		{ "AUTHENTICATE PLAIN AA!A", "That is not base64" },
		{ "ENABLE", "An argument is missing" },
		{ "ENABLE a  b", "An argument is wrong" },
	};

	REFUSES(rows);
}

Test(imap_grammar, reads_who_the_client_is)
{
	static const struct row rows[] = {
		{ "ID NIL", "ID" },
		{ "ID ()", "ID" },
		{ "ID (\"name\" \"x\" \"os\" nil)", "ID name x os NIL" },
		{ "ID ({4+}\r\nname {1+}\r\nx)", "ID name x" },
	};
	static const struct row wrong[] = {
		{ "ID", "An argument is missing" },
		{ "ID \"x\"", "A list or NIL is missing" },
		{ "ID x", "A string or NIL is missing" },
		{ "ID (\"a\")", "One space is missing" },
		{ "ID (a \"b\")", "A string is missing" },
		{ "ID (\"a\" b)", "A string or NIL is missing" },
		{ "ID (\"a\" \"b\"", "A parenthesis is not closed" },
	};

	ACCEPTS(rows);
	REFUSES(wrong);
}

Test(imap_grammar, reads_what_opens_a_mailbox)
{
	static const struct row rows[] = {
		{ "SELECT inbox", "SELECT INBOX" },
		{ "SELECT \"InBoX\"", "SELECT INBOX" },
		{ "SELECT inbox/a", "SELECT inbox/a" },
		{ "EXAMINE a", "EXAMINE a" },
		{ "SELECT a (CONDSTORE)", "SELECT a CONDSTORE" },
		{ "SELECT a (QRESYNC (1 2))", "SELECT a QRESYNC 1 2" },
		{ "SELECT a (QRESYNC (1 2 3:5,9))", "SELECT a QRESYNC 1 2 3:5,9" },
		{ "SELECT a (QRESYNC (1 2 (1 2)))", "SELECT a QRESYNC 1 2 match 1 2" },
		{ "SELECT a (CONDSTORE QRESYNC (1 9223372036854775807 7 (1,2 3,5)))",
		  "SELECT a CONDSTORE QRESYNC 1 9223372036854775807 7 match 1:2 3,5" },
	};
	static const struct row wrong[] = {
		{ "SELECT", "An argument is missing" },
		{ "SELECT a ", "A parenthesis is missing" },
		{ "SELECT a ()", "An argument is wrong" },
		{ "SELECT a (FOO)", "That parameter is unknown" },
		{ "SELECT a (CONDSTORE", "A parenthesis is not closed" },
		{ "SELECT a (QRESYNC)", "One space is missing" },
		{ "SELECT a (QRESYNC (0 2))", "A number begins with 0" },
		{ "SELECT a (QRESYNC (1 9223372036854775808))", "A number is too big" },
		{ "SELECT a (QRESYNC (1 2 3:*))", "What is known has no *" },
		{ "SELECT a (QRESYNC (1 2) QRESYNC (1 2))", "QRESYNC stands twice" },
	};

	ACCEPTS(rows);
	REFUSES(wrong);
}

Test(imap_grammar, reads_what_changes_mailboxes)
{
	static const struct row rows[] = {
		{ "CREATE a/b", "CREATE a/b" },
		{ "CREATE a/", "CREATE a/" },
		{ "CREATE a (USE (\\Sent \\drafts))", "CREATE a (\\Drafts \\Sent)" },
		{ "CREATE a (USE ())", "CREATE a" },
		{ "DELETE &AOk-", "DELETE &AOk-" },
		{ "RENAME inbox \"old mail\"", "RENAME INBOX <old mail>" },
		{ "SUBSCRIBE a", "SUBSCRIBE a" },
		{ "UNSUBSCRIBE a", "UNSUBSCRIBE a" },
	};
	static const struct row wrong[] = {
		{ "CREATE", "An argument is missing" },
		{ "CREATE a b", "A parenthesis is missing" },
		{ "CREATE a (USE \\Sent)", "A parenthesis is missing" },
		{ "CREATE a (USE (\\Foo))", "[USEATTR] That use is unknown" },
		{ "CREATE a (USE (\\Sent)", "A parenthesis is not closed" },
		{ "CREATE a (FOO (\\Sent))", "That parameter is unknown" },
		{ "RENAME a", "An argument is missing" },
		{ "DELETE a%", "Too much stands at the end" },
	};

	ACCEPTS(rows);
	REFUSES(wrong);
}

Test(imap_grammar, reads_what_lists_mailboxes)
{
	static const struct row rows[] = {
		{ "LIST \"\" *", "LIST <> *" },
		{ "LIST \"\" \"\"", "LIST <> <>" },
		{ "LIST a/ %/b]*", "LIST a/ %/b]*" },
		{ "LIST \"\" {1+}\r\n%", "LIST <> %" },
		{ "LSUB \"\" %", "LSUB <> %" },
		{ "LIST () \"\" *", "LIST () <> * ()" },
		{ "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (a %)",
		  "LIST (SUBSCRIBED RECURSIVEMATCH) <> a % ()" },
		{ "LIST (SPECIAL-USE REMOTE) \"\" * RETURN (CHILDREN special-use)",
		  "LIST (REMOTE SPECIAL-USE) <> * (SPECIAL-USE CHILDREN)" },
		{ "LIST \"\" * RETURN ()", "LIST () <> * ()" },
		{ "LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN) SUBSCRIBED)",
		  "LIST () <> % (SUBSCRIBED STATUS) (MESSAGES UNSEEN)" },
	};
	static const struct row wrong[] = {
		{ "LIST", "An argument is missing" },
		{ "LIST \"\"", "An argument is missing" },
		{ "LIST * *", "An argument is wrong" },
		{ "LIST \"\" ()", "An argument is wrong" },
		{ "LIST \"\" (a b", "A parenthesis is not closed" },
		{ "LIST (RECURSIVEMATCH) \"\" *", "RECURSIVEMATCH stands alone" },
		{ "LIST (RECURSIVEMATCH REMOTE) \"\" *", "RECURSIVEMATCH stands alone" },
		{ "LIST (FOO) \"\" *", "That option is unknown" },
		{ "LIST \"\" * RETURN", "An argument is missing" },
		{ "LIST \"\" * RETURNS ()", "RETURN is missing" },
		{ "LIST \"\" * RETURN (FOO)", "That option is unknown" },
		{ "LIST \"\" * RETURN (STATUS)", "One space is missing" },
		{ "LIST \"\" * RETURN (STATUS ())", "No item is named" },
		{ "LSUB () \"\" *", "An argument is wrong" },
		{ "LSUB \"\" (a)", "An argument is wrong" },
	};

	ACCEPTS(rows);
	REFUSES(wrong);
}

Test(imap_grammar, reads_what_asks_for_numbers)
{
	static const struct row rows[] = {
		{ "STATUS inbox (MESSAGES)", "STATUS INBOX (MESSAGES)" },
		{ "STATUS a (unseen UIDVALIDITY UIDNEXT RECENT MESSAGES HIGHESTMODSEQ)",
		  "STATUS a (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)" },
	};
	static const struct row wrong[] = {
		{ "STATUS a", "An argument is missing" },
		{ "STATUS a ()", "No item is named" },
		{ "STATUS a MESSAGES", "A parenthesis is missing" },
		{ "STATUS a (FOO)", "That item is unknown" },
		{ "STATUS a (MESSAGES  UNSEEN)", "An argument is wrong" },
		{ "STATUS a (MESSAGES )", "An argument is wrong" },
	};

	ACCEPTS(rows);
	REFUSES(wrong);
}

Test(imap_grammar, refuses_a_wrong_append)
{
	static const struct row wrong[] = {
		{ "APPEND", "An argument is missing" },
		{ "APPEND a", "An argument is missing" },
		{ "APPEND a \"text\"", "That is no date and time" },
		{ "APPEND a text", "A literal is missing" },
		{ "APPEND a (\\Recent) x", "That flag cannot be set" },
		{ "APPEND a \\Seen x", "A literal is missing" },
		{ "APPEND a (\\Seen)x", "One space is missing" },
		{ "APPEND a \"31-Feb-2020 00:00:00 +0000\" x",
		  "That is no date and time" },
		{ "APPEND a \" 1-Feb-2020 00:00:00 +0000\" x", "A literal is missing" },
		{ "APPEND a {x}", "A literal is wrong" },
		{ "APPEND a ~x", "A literal is missing" },
	};

	REFUSES(wrong);
}

Test(imap_grammar, reads_what_copies)
{
	static const struct row rows[] = {
		{ "COPY 2:4 a", "COPY 2:4 a" },
		{ "UID MOVE 4,2:3,* \"a b\"", "UID MOVE 2:4,* <a b>" },
		{ "MOVE *:3 inbox", "MOVE 3:* INBOX" },
		{ "UID EXPUNGE 3000:3002", "UID EXPUNGE 3000:3002" },
	};
	static const struct row wrong[] = {
		{ "COPY 2:4", "An argument is missing" },
		{ "COPY 0 a", "A sequence set is wrong" },
		{ "COPY 1:0 a", "A sequence set is wrong" },
		{ "COPY 1, a", "A sequence set is wrong" },
		{ "COPY 1:2:3 a", "A sequence set is wrong" },
		{ "COPY 4294967296 a", "A sequence set is wrong" },
		{ "COPY x a", "A sequence set is wrong" },
		{ "UID EXPUNGE", "An argument is missing" },
		{ "EXPUNGE 1", "Too much stands at the end" },
	};

	ACCEPTS(rows);
	REFUSES(wrong);
}

Test(imap_grammar, reads_what_stores)
{
	static const struct row rows[] = {
		{ "STORE 1 FLAGS ()", "STORE 1 FLAGS ()" },
		{ "STORE 1 FLAGS (\\seen \\Deleted)",
		  "STORE 1 FLAGS (\\Seen \\Deleted)" },
		{ "STORE 1 +FLAGS.SILENT \\Seen $Junk work",
		  "STORE 1 +FLAGS.SILENT (\\Seen) $Junk work" },
		{ "UID STORE 1:* -flags (\\Answered \\Flagged \\Draft x)",
		  "UID STORE 1:* -FLAGS (\\Answered \\Flagged \\Draft) x" },
		{ "STORE 1 (UNCHANGEDSINCE 0) FLAGS x", "STORE 1 since 0 FLAGS () x" },
	};
	static const struct row wrong[] = {
		{ "STORE 1", "An argument is missing" },
		{ "STORE 1 FLAGS", "An argument is missing" },
		{ "STORE 1 FLAGS ", "An argument is missing" },
		{ "STORE 1 *FLAGS ()", "An argument is wrong" },
		{ "STORE 1 FLAG ()", "FLAGS is missing" },
		{ "STORE 1 FLAGS.LOUD ()", "FLAGS is missing" },
		{ "STORE 1 FLAGS (\\Recent)", "That flag cannot be set" },
		{ "STORE 1 FLAGS (\\*)", "An argument is wrong" },
		{ "STORE 1 FLAGS (\\Foo)", "That flag cannot be set" },
		{ "STORE 1 FLAGS (a", "A parenthesis is not closed" },
		{ "STORE 1 FLAGS a)", "Too much stands at the end" },
		{ "STORE 1 (CHANGEDSINCE 1) FLAGS x", "That modifier is unknown" },
	};

	ACCEPTS(rows);
	REFUSES(wrong);
}

Test(imap_grammar, reads_what_fetches)
{
	static const struct row rows[] = {
		{ "FETCH 1 FAST", "FETCH 1 FLAGS INTERNALDATE RFC822.SIZE" },
		{ "FETCH 1 ALL", "FETCH 1 FLAGS INTERNALDATE RFC822.SIZE ENVELOPE" },
		{ "FETCH 1 full",
		  "FETCH 1 FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY" },
		{ "FETCH 1 UID", "FETCH 1 UID" },
		{ "FETCH 1 (UID)", "FETCH 1 UID" },
		{ "UID FETCH 1,2 (MODSEQ UID flags UID BODYSTRUCTURE BODY)",
		  "UID FETCH 1:2 MODSEQ UID FLAGS BODYSTRUCTURE BODY" },
		{ "FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)",
		  "FETCH 1 RFC822[]! RFC822.HEADER[HEADER] RFC822.TEXT[TEXT]! "
		  "RFC822.SIZE" },
		{ "FETCH 1 BODY[]", "FETCH 1 BODY[]!" },
		{ "FETCH 1 BODY.PEEK[]<0.100>", "FETCH 1 BODY[]<0.100>" },
		{ "FETCH 1 BODY[TEXT]<4294967295.4294967295>",
		  "FETCH 1 BODY[TEXT]!<4294967295.4294967295>" },
		{ "FETCH 1 body[header]", "FETCH 1 BODY[HEADER]!" },
		{ "FETCH 1 BODY[4.2.1]", "FETCH 1 BODY[4.2.1]!" },
		{ "FETCH 1 (BODY[1.MIME] BODY[1.2.TEXT] BODY[1] BODY[1])",
		  "FETCH 1 BODY[1.MIME]! BODY[1.2.TEXT]! BODY[1]! BODY[1]!" },
		{ "FETCH 1 BODY.PEEK[HEADER.FIELDS (From \"To\" {2+}\r\nCc)]",
		  "FETCH 1 BODY[HEADER.FIELDS From To Cc]" },
		{ "FETCH 1 BODY[3.HEADER.FIELDS.NOT (X)]<1.2>",
		  "FETCH 1 BODY[3.HEADER.FIELDS.NOT X]!<1.2>" },
		{ "FETCH 1 FLAGS (CHANGEDSINCE 12)", "FETCH 1 FLAGS since 12" },
		{ "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)",
		  "UID FETCH 1:* FLAGS since 1 vanished" },
	};

	ACCEPTS(rows);
}

Test(imap_grammar, refuses_a_wrong_fetch)
{
	static const struct row wrong[] = {
		{ "FETCH 1", "An argument is missing" },
		{ "FETCH 1 ", "An argument is missing" },
		{ "FETCH 1 ()", "An argument is wrong" },
		{ "FETCH 1 (ALL)", "That item is unknown" },
		{ "FETCH 1 FOO", "That item is unknown" },
		{ "FETCH 1 FLAGS UID", "A parenthesis is missing" },
		{ "FETCH 1 (FLAGS", "A parenthesis is not closed" },
		{ "FETCH 1 BODY.PEEK", "That item is unknown" },
		{ "FETCH 1 RFC822[]", "Too much stands at the end" },
		{ "FETCH 1 ENVELOPE[]", "Too much stands at the end" },
		{ "FETCH 1 BODY[", "An argument is missing" },
		{ "FETCH 1 BODY[FOO]", "That section is unknown" },
		{ "FETCH 1 BODY[MIME]", "That section is unknown" },
		{ "FETCH 1 BODY[0]", "A number begins with 0" },
		{ "FETCH 1 BODY[1.]", "An argument is wrong" },
		{ "FETCH 1 BODY[1..2]", "That section is unknown" },
		{ "FETCH 1 BODY[1TEXT]", "A section is not closed" },
		{ "FETCH 1 BODY[1.2", "A section is not closed" },
		{ "FETCH 1 BODY[TEXT.1]", "That section is unknown" },
		{ "FETCH 1 BODY[HEADER.FIELDS]", "One space is missing" },
		{ "FETCH 1 BODY[HEADER.FIELDS ()]", "An argument is wrong" },
		{ "FETCH 1 BODY[HEADER.FIELDS (A)", "A section is not closed" },
		{ "FETCH 1 BODY[]<0>", "The arguments are wrong" },
		{ "FETCH 1 BODY[]<0.0>", "A number begins with 0" },
		{ "FETCH 1 BODY[]<0.4294967296>", "A number is too big" },
		{ "FETCH 1 BODY[]<-1.2>", "A number is missing" },
		{ "FETCH 1 FLAGS<0.1>", "Too much stands at the end" },
		{ "FETCH 1 FLAGS (FOO 1)", "That modifier is unknown" },
		{ "FETCH 1 FLAGS (CHANGEDSINCE 1 VANISHED)",
		  "VANISHED needs UID FETCH and CHANGEDSINCE" },
		{ "UID FETCH 1 FLAGS (VANISHED)",
		  "VANISHED needs UID FETCH and CHANGEDSINCE" },
	};

	REFUSES(wrong);
}

Test(imap_grammar, reads_every_search_key)
{
	static const struct row rows[] = {
		{ "SEARCH ALL", "SEARCH ALL" },
		{ "SEARCH 1:3,7", "SEARCH SEQ 1:3,7" },
		{ "SEARCH *", "SEARCH SEQ *" },
		{ "UID SEARCH UID 5:*", "UID SEARCH UID 5:*" },
		{ "SEARCH ANSWERED", "SEARCH FLAG (\\Answered)" },
		{ "SEARCH UNANSWERED", "SEARCH not FLAG (\\Answered)" },
		{ "SEARCH DELETED UNDELETED",
		  "SEARCH and( FLAG (\\Deleted) not FLAG (\\Deleted) )" },
		{ "SEARCH DRAFT", "SEARCH FLAG (\\Draft)" },
		{ "SEARCH UNDRAFT", "SEARCH not FLAG (\\Draft)" },
		{ "SEARCH FLAGGED", "SEARCH FLAG (\\Flagged)" },
		{ "SEARCH UNFLAGGED", "SEARCH not FLAG (\\Flagged)" },
		{ "SEARCH SEEN", "SEARCH FLAG (\\Seen)" },
		{ "SEARCH UNSEEN", "SEARCH not FLAG (\\Seen)" },
		{ "SEARCH RECENT", "SEARCH FLAG (\\Recent)" },
		{ "SEARCH OLD", "SEARCH not FLAG (\\Recent)" },
		{ "SEARCH NEW", "SEARCH and( FLAG (\\Recent) not FLAG (\\Seen) )" },
		{ "SEARCH NOT NEW",
		  "SEARCH not and( FLAG (\\Recent) not FLAG (\\Seen) )" },
		{ "SEARCH KEYWORD $x", "SEARCH KEYWORD $x" },
		{ "SEARCH UNKEYWORD x", "SEARCH not KEYWORD x" },
		{ "SEARCH BCC a", "SEARCH HEADER Bcc a" },
		{ "SEARCH CC \"a b\"", "SEARCH HEADER Cc <a b>" },
		{ "SEARCH FROM a", "SEARCH HEADER From a" },
		{ "SEARCH SUBJECT \"\"", "SEARCH HEADER Subject <>" },
		{ "SEARCH TO a", "SEARCH HEADER To a" },
		{ "SEARCH HEADER X-a {2+}\r\n\xc3\xa9", "SEARCH HEADER X-a <\xc3\xa9>" },
		{ "SEARCH BODY a", "SEARCH BODY a" },
		{ "SEARCH TEXT a", "SEARCH TEXT a" },
		{ "SEARCH BEFORE 2-Jan-1970", "SEARCH BEFORE 1" },
		{ "SEARCH ON \"31-Dec-1969\"", "SEARCH ON -1" },
		{ "SEARCH SINCE 01-feb-1994", "SEARCH SINCE 8797" },
		{ "SEARCH SENTBEFORE 1-Jan-1970", "SEARCH SENTBEFORE 0" },
		{ "SEARCH SENTON 1-Jan-1970", "SEARCH SENTON 0" },
		{ "SEARCH SENTSINCE 1-Jan-1970", "SEARCH SENTSINCE 0" },
		{ "SEARCH LARGER 0", "SEARCH LARGER 0" },
		{ "SEARCH SMALLER 4294967295", "SEARCH SMALLER 4294967295" },
		{ "SEARCH MODSEQ 7", "SEARCH MODSEQ 7" },
		{ "SEARCH MODSEQ \"/flags/\\\\draft\" all 7", "SEARCH MODSEQ 7" },
	};

	ACCEPTS(rows);
}

Test(imap_grammar, reads_how_search_keys_are_put_together)
{
	static const struct row rows[] = {
		{ "SEARCH NOT SEEN", "SEARCH not FLAG (\\Seen)" },
		{ "SEARCH NOT NOT SEEN", "SEARCH FLAG (\\Seen)" },
		{ "SEARCH NOT UNSEEN", "SEARCH FLAG (\\Seen)" },
		{ "SEARCH (SEEN)", "SEARCH and( FLAG (\\Seen) )" },
		{ "SEARCH ((SEEN) ALL) ALL",
		  "SEARCH and( and( and( FLAG (\\Seen) ) ALL ) ALL )" },
		{ "SEARCH OR SEEN NOT (FROM x LARGER 9)",
		  "SEARCH or( FLAG (\\Seen) not and( HEADER From x LARGER 9 ) )" },
		{ "SEARCH OR OR ALL 1 2 ALL",
		  "SEARCH and( or( or( ALL SEQ 1 ) SEQ 2 ) ALL )" },
		{ "SEARCH CHARSET utf-8 TEXT {2+}\r\n\xc3\xa9",
		  "SEARCH utf-8 TEXT <\xc3\xa9>" },
		{ "SEARCH CHARSET \"US-ASCII\" NOT 1,3:4",
		  "SEARCH US-ASCII not SEQ 1,3:4" },
	};
	static const struct row wrong[] = {
		{ "SEARCH", "An argument is missing" },
		{ "SEARCH ", "An argument is missing" },
		{ "SEARCH FOO", "That search key is unknown" },
		{ "SEARCH CHARSET utf-8", "An argument is missing" },
		{ "SEARCH ALL ", "An argument is missing" },
		{ "SEARCH ALL  ALL", "An argument is wrong" },
		{ "SEARCH NOT", "An argument is missing" },
		{ "SEARCH OR ALL", "An argument is missing" },
		{ "SEARCH ()", "An argument is wrong" },
		{ "SEARCH (ALL", "A parenthesis is not closed" },
		{ "SEARCH ALL)", "Too much stands at the end" },
		{ "SEARCH ON 32-Jan-2020", "That is no date" },
		{ "SEARCH ON 1-Jan-20", "That is no date" },
		{ "SEARCH LARGER -1", "A number is missing" },
		{ "SEARCH KEYWORD \"x\"", "An argument is wrong" },
		{ "SEARCH HEADER x", "An argument is missing" },
		{ "SEARCH UID x", "A sequence set is wrong" },
		{ "SEARCH MODSEQ \"/flags/x\" 7", "That type of an entry is unknown" },
	};

	ACCEPTS(rows);
	REFUSES(wrong);
}

/* "a " head, then @n times @part, then tail. */
static char *repeated(const char *head, const char *part, unsigned n, const char *tail)
{
	struct imap_text in = { .p = NULL };
	char *got;

	imap_text_add(&in, "a %s", head);
	for (unsigned i = 0; i < n; i++)
		imap_text_add(&in, "%s", part);
	imap_text_add(&in, "%s\r\n", tail);
	got = walk((struct str){ in.p, in.len }, 0);
	free(in.p);
	return got;
}

Test(imap_grammar, has_a_limit_for_everything_that_repeats)
{
	static const struct {
		const char *head, *part;
		unsigned most;
		const char *tail, *why;
	} limits[] = {
		{ "SEARCH ", "(", IMAP_SEARCH_DEPTH_MAX, "",
		  "The search is nested too deep" },
		{ "SEARCH ", "OR ", IMAP_SEARCH_DEPTH_MAX, "",
		  "The search is nested too deep" },
		/* One is the AND of all, one the last. */
		{ "SEARCH ", "ALL ", IMAP_SEARCH_KEYS_MAX - 2, "ALL",
		  "The search has too many keys" },
		{ "COPY ", "1,", IMAP_SET_RANGES_MAX - 1, "1 x",
		  "A sequence set has too many ranges" },
		{ "STORE 1 FLAGS (", "x ", IMAP_KEYWORDS_MAX - 1, "x)",
		  "There are too many flags" },
		{ "ENABLE ", "x ", IMAP_WORDS_MAX - 1, "x",
		  "There are too many capabilities" },
		{ "LIST \"\" (", "x ", IMAP_WORDS_MAX - 1, "x)",
		  "There are too many patterns" },
		{ "ID (", "\"a\" \"b\" ", IMAP_ID_PAIRS_MAX - 1, "\"a\" \"b\")",
		  "There are too many fields" },
		{ "FETCH 1 (", "BODY[] ", IMAP_ITEMS_MAX - 1, "BODY[])",
		  "There are too many items" },
		{ "FETCH 1 BODY[HEADER.FIELDS (", "x ", IMAP_FIELDS_MAX - 1, "x)]",
		  "There are too many header fields" },
		{ "FETCH 1 BODY[", "1.", IMAP_PARTS_MAX - 1, "1]",
		  "The part is nested too deep" },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		char *fits = repeated(limits[i].head, limits[i].part, limits[i].most,
				      limits[i].tail);
		char *over = repeated(limits[i].head, limits[i].part, limits[i].most + 1,
				      limits[i].tail);

		cr_expect(!strstr(fits, limits[i].why), "%s: %.80s", limits[i].head,
			  fits);
		cr_expect(strstr(over, limits[i].why), "%s: %.80s", limits[i].head, over);
		/* The tails are right but for the first two, which only count depth. */
		cr_expect(i < 2 || strncmp(fits, "cmd a ", 6) == 0, "%.80s", fits);
		free(fits);
		free(over);
	}
}

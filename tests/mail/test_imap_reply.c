/*
 * The reader of responses.  A response is compared as text:
 *
 *	* 5 FETCH [(UID 7 BODY[] "hi")]
 *	a1 OK code=UIDVALIDITY [3] text=done
 */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "apps/mail/wire/imap_reply.h"
#include "stack/base/check.h"
#include "tests/lib/imap_text.h"

static const struct imap_reply_limits small = {
	.line_len = 200, .len = 400, .hold_len = 10, .memory = 1 << 16
};

static void add_tokens(struct imap_text *t, const struct imap_token *token)
{
	const char *space = "";

	for (; token; token = token->next) {
		imap_text_add(t, "%s", space);
		space = " ";
		switch (token->kind) {
		case IMAP_TOKEN_ATOM:
			imap_text_add(t, "%.*s", (int)token->text.len, token->text.p);
			break;
		case IMAP_TOKEN_STRING:
			imap_text_add(t, "\"%.*s\"", (int)token->text.len, token->text.p);
			break;
		case IMAP_TOKEN_PASSED:
			imap_text_add(t, "<%" PRIu64 ">", token->size);
			break;
		case IMAP_TOKEN_LIST:
			imap_text_add(t, "(");
			add_tokens(t, token->kids);
			imap_text_add(t, ")");
			break;
		}
	}
}

static void add_reply(struct imap_text *t, const struct imap_reply *r)
{
	static const char *const statuses[] = { "", "OK", "NO", "BAD", "PREAUTH", "BYE" };

	imap_text_add(t, "%.*s", (int)r->tag.len, r->tag.p);
	if (r->has_number)
		imap_text_add(t, " %u", r->number);
	if (r->kind == IMAP_REPLY_UNTAGGED && r->status == IMAP_REPLY_DATA) {
		imap_text_add(t, " %.*s [", (int)r->name.len, r->name.p);
		add_tokens(t, r->args);
		imap_text_add(t, "]");
		return;
	}
	if (r->status != IMAP_REPLY_DATA)
		imap_text_add(t, " %s", statuses[r->status]);
	if (r->code.len > 0) {
		imap_text_add(t, " code=%.*s [", (int)r->code.len, r->code.p);
		add_tokens(t, r->code_args);
		imap_text_add(t, "]");
	}
	imap_text_add(t, " text=%.*s", (int)r->text.len, r->text.p);
}

static void add_event(struct imap_text *t, struct imap_reply_reader *r,
		      enum imap_reply_event e, bool *in_octets)
{
	if (*in_octets && e != IMAP_REPLY_OCTETS && e != IMAP_REPLY_MORE) {
		imap_text_add(t, "\n");
		*in_octets = false;
	}
	switch (e) {
	case IMAP_REPLY_MORE: break;
	case IMAP_REPLY_READY:
		add_reply(t, &r->reply);
		imap_text_add(t, "\n");
		break;
	case IMAP_REPLY_LITERAL:
		imap_text_add(t, "passes %" PRIu64 " behind ", r->size);
		if (r->before)
			imap_text_add(t, "%.*s", (int)r->before->text.len,
				      r->before->text.p);
		imap_text_add(t, " in ");
		add_reply(t, &r->reply);
		imap_text_add(t, "\n");
		break;
	case IMAP_REPLY_OCTETS:
		imap_text_add(t, *in_octets ? "%.*s" : "octets %.*s", (int)r->piece.len,
			      r->piece.p);
		*in_octets = true;
		break;
	case IMAP_REPLY_BROKEN: imap_text_add(t, "broken %s\n", r->bad); break;
	}
}

static char *walk(const struct imap_reply_limits *limits, struct str in, size_t cut)
{
	enum imap_reply_event e = IMAP_REPLY_MORE;
	struct imap_text t = { .p = NULL };
	struct imap_reply_reader r;
	bool in_octets = false;

	imap_text_add(&t, "%s", "");
	imap_reply_init(&r, limits);
	while (in.len > 0 && e != IMAP_REPLY_BROKEN) {
		struct str piece = { in.p, cut > 0 && cut < in.len ? cut : in.len };

		in.p += piece.len;
		in.len -= piece.len;
		do {
			e = imap_reply(&r, &piece);
			add_event(&t, &r, e, &in_octets);
		} while (e != IMAP_REPLY_MORE && e != IMAP_REPLY_BROKEN);
	}
	imap_reply_fini(&r);
	cr_assert_eq(r.arena.len + r.frame.cap, 0);
	return t.p;
}

static void gives_of(const struct imap_reply_limits *limits, struct str in,
		     const char *expected)
{
	for (size_t cut = 0; cut < 3; cut++) {
		char *got = walk(limits, in, cut);

		cr_expect_str_eq(got, expected, "cut %zu of %.*s", cut, (int)in.len,
				 in.p);
		free(got);
	}
}

static void gives(const char *in, const char *expected)
{
	gives_of(&small, str_of(in), expected);
}

Test(imap_reply, reads_statuses)
{
	gives("* OK ready\r\n", "* OK text=ready\n");
	gives("* PREAUTH\r\n* bye\r\n", "* PREAUTH text=\n* BYE text=\n");
	gives("a1 NO [TRYCREATE] No such mailbox\r\n",
	      "a1 NO code=TRYCREATE [] text=No such mailbox\n");
	gives("a1 BAD  two spaces\r\n", "a1 BAD text= two spaces\n");
	gives("* OK [PERMANENTFLAGS (\\Seen \\*)] Limited\r\n",
	      "* OK code=PERMANENTFLAGS [(\\Seen \\*)] text=Limited\n");
	gives("a1 OK [COPYUID 38505 304,319:320 3956:3958] Done\r\n",
	      "a1 OK code=COPYUID [38505 304,319:320 3956:3958] text=Done\n");
	gives("* OK [UNSEEN 1]\r\n", "* OK code=UNSEEN [1] text=\n");
	gives("* NO [BADCHARSET ({5}\r\nUTF-8 \"x]\")] no\r\n",
	      "* NO code=BADCHARSET [(\"UTF-8\" \"x]\")] text=no\n");
}

Test(imap_reply, passes_over_codes_that_it_does_not_understand)
{
	gives("* OK [X-FOO ((( \"] yes\r\n", "* OK text=[X-FOO ((( \"] yes\n");
	gives("* OK [X-FOO ))(] yes\r\n", "* OK code=X-FOO [] text=yes\n");
}

Test(imap_reply, reads_what_asks_to_go_on)
{
	gives("+ idling\r\n+\r\n+ \r\n+ QUJD\r\n",
	      "+ text=idling\n+ text=\n+ text=\n+ text=QUJD\n");
}

Test(imap_reply, reads_data)
{
	gives("* 23 EXISTS\r\n", "* 23 EXISTS []\n");
	gives("* SEARCH\r\n* SEARCH \r\n* SEARCH 2 3\r\n",
	      "* SEARCH []\n* SEARCH []\n* SEARCH [2 3]\n");
	gives("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
	      "* CAPABILITY [IMAP4rev1 AUTH=PLAIN]\n");
	gives("* LIST (\\Noselect) \"/\" \"a b\"\r\n",
	      "* LIST [(\\Noselect) \"/\" \"a b\"]\n");
	gives("* LIST () NIL {3}\r\na\"b\r\n", "* LIST [() NIL \"a\"b\"]\n");
	gives("* STATUS &AOk- (MESSAGES 3)\r\n", "* STATUS [&AOk- (MESSAGES 3)]\n");
	gives("* 5 FETCH (FLAGS () UID 7)\r\n", "* 5 FETCH [(FLAGS () UID 7)]\n");
	gives("* 5 FETCH (BODY ((\"a\" NIL)(\"b\" NIL) \"MIXED\"))\r\n",
	      "* 5 FETCH [(BODY ((\"a\" NIL) (\"b\" NIL) \"MIXED\"))]\n");
	gives("* 5 FETCH (BODY[HEADER.FIELDS (\"a]b\" C)]<0> \"x\")\r\n",
	      "* 5 FETCH [(BODY[HEADER.FIELDS (\"a]b\" C)]<0> \"x\")]\n");
	gives("* 5 FETCH (BODY[] {0}\r\n UID 1)\r\n",
	      "* 5 FETCH [(BODY[] \"\" UID 1)]\n");
}

Test(imap_reply, lets_long_literals_pass)
{
	gives("* 5 FETCH (UID 7 BODY[TEXT] {11}\r\nhello\r\nyou!)\r\n* 6 EXISTS\r\n",
	      "passes 11 behind BODY[TEXT] in * 5 FETCH [(UID 7 BODY[TEXT])]\n"
	      "octets hello\r\nyou!\n"
	      "* 5 FETCH [(UID 7 BODY[TEXT] <11>)]\n* 6 EXISTS []\n");
	gives("* 5 FETCH (BODY[] {11}\r\nhello\r\nyou!x)\r\n",
	      "passes 11 behind BODY[] in * 5 FETCH [(BODY[])]\n"
	      "octets hello\r\nyou!\n* 5 FETCH [(BODY[] <11> x)]\n");
}

Test(imap_reply, shows_what_stands_around_what_passed)
{
	gives("* 5 FETCH (BODY[1] {3}\r\nabc BODY[2] {11}\r\n12345678901 BODY[3] {12}\r\n"
	      "123456789012 UID 7)\r\n* 6 EXISTS\r\n",
	      "passes 11 behind BODY[2] in * 5 FETCH [(BODY[1] \"abc\" BODY[2])]\n"
	      "octets 12345678901\n"
	      "passes 12 behind BODY[3] in * 5 FETCH [(BODY[1] \"abc\" BODY[2] <11> "
	      "BODY[3])]\n"
	      "octets 123456789012\n"
	      "* 5 FETCH [(BODY[1] \"abc\" BODY[2] <11> BODY[3] <12> UID 7)]\n"
	      "* 6 EXISTS []\n");
}

Test(imap_reply, knows_text_that_looks_like_a_literal)
{
	gives("a1 OK see {5}\r\na2 OK\r\n", "a1 OK text=see {5}\na2 OK text=\n");
	gives("+ {99}\r\na2 OK\r\n", "+ text={99}\na2 OK text=\n");
	gives("* OK [ALERT] {99}\r\na2 OK\r\n",
	      "* OK code=ALERT [] text={99}\na2 OK text=\n");
}

Test(imap_reply, takes_a_nul_in_a_literal)
{
	struct imap_reply_reader r;
	struct str in = STR("* 1 FETCH (BODY[] {3}\r\na\0b)\r\n");

	imap_reply_init(&r, &small);
	cr_assert_eq(imap_reply(&r, &in), IMAP_REPLY_READY);
	cr_assert(str_eq(r.reply.args->kids->next->text, STR("a\0b")));
	imap_reply_fini(&r);
}

Test(imap_reply, refuses_what_no_server_says)
{
	static const char *const broken[][2] = {
		{ "\r\n", "A response begins with nothing" },
		{ " * OK\r\n", "A response begins with nothing" },
		{ "*\r\n", "A response has no name" },
		{ "* 5\r\n", "A response has no name" },
		{ "* 4294967296 EXISTS\r\n", "A number is too big" },
		{ "a1 FOO\r\n", "A response has a tag and no status" },
		{ "* OK\n", "A line does not end in CRLF" },
		{ "* FLAGS (\r\n", "A list is not closed" },
		{ "* FLAGS )\r\n", "A list ends that did not begin" },
		{ "* X \"a\r\n", "A quoted string is not closed" },
		{ "* X a[b\r\n", "A bracket is not closed" },
		{ "* X {a}\r\n", "A literal is wrong" },
		{ "* X a\rb\r\n", "Something stands where a word should" },
	};

	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct imap_text t = { .p = NULL };

		imap_text_add(&t, "broken %s\n", broken[i][1]);
		gives(broken[i][0], t.p);
		free(t.p);
	}
}

Test(imap_reply, says_nothing_before_a_response_is_whole)
{
	struct str in = STR("* 5 FETCH (UID 7 BODY[1] {3}\r\nabc FLAGS (\\Seen))\r\n");

	for (size_t len = 0; len < in.len; len++) {
		char *got = walk(&small, (struct str){ in.p, len }, 0);

		cr_assert_str_eq(got, "", "%zu bytes: %s", len, got);
		free(got);
	}
}

Test(imap_reply, has_limits)
{
	struct imap_text t = { .p = NULL };
	struct imap_reply_limits l = small;

	imap_text_add(&t, "* X %0200d\r\n", 1);
	gives(t.p, "broken The response is too long\n");
	t.len = 0;
	imap_text_add(&t, "* X ");
	for (int i = 0; i <= IMAP_REPLY_DEPTH_MAX; i++)
		imap_text_add(&t, "(");
	imap_text_add(&t, "\r\n");
	l.line_len = l.len = 1 << 16;
	gives_of(&l, (struct str){ t.p, t.len }, "broken Lists are nested too deep\n");
	t.len = 0;
	imap_text_add(&t, "* X ");
	for (int i = 0; i <= 5000; i++)
		imap_text_add(&t, "a ");
	imap_text_add(&t, "\r\n");
	gives_of(&l, (struct str){ t.p, t.len }, "broken Too much memory is needed\n");
	l = small;
	l.hold_len = 1000;
	gives_of(&l, STR("* X {500}\r\n"), "broken The response is too long\n");
	free(t.p);
}

Test(imap_reply, finds_its_way_in_tokens)
{
	struct str in = STR("* 1 FETCH (UID 7 FLAGS (\\Seen) X nil BODY[] \"NIL\")\r\n");
	const struct imap_token *args;
	struct imap_reply_reader r;
	uint64_t n;

	imap_reply_init(&r, &small);
	cr_assert_eq(imap_reply(&r, &in), IMAP_REPLY_READY);
	args = r.reply.args;
	cr_assert(imap_token_number(imap_token_value(args, STR("uid")), &n) && n == 7);
	cr_assert(
		imap_token_is(imap_token_value(args, STR("FLAGS"))->kids, STR("\\seen")));
	cr_assert(imap_token_is(imap_token_value(args, STR("X")), STR("NIL")));
	cr_assert_null(imap_token_value(args, STR("ENVELOPE")));
	cr_assert_null(imap_token_value(args->kids, STR("UID")));
	cr_assert(!imap_token_number(args, &n) && !imap_token_number(NULL, &n));
	imap_reply_fini(&r);
}

#include <criterion/criterion.h>

#include "apps/mail/wire/smtp_cmd.h"
#include "stack/base/check.h"

static void splits(struct str line, struct str verb, struct str arg)
{
	struct smtp_cmd cmd;

	smtp_cmd_split(line, &cmd);
	cr_assert(str_eq(cmd.verb, verb), "%.*s", (int)line.len, line.p);
	if (verb.len > 0)
		cr_assert(str_eq(cmd.arg, arg), "%.*s", (int)line.len, line.p);
}

Test(smtp_cmd, splits_a_line_into_verb_and_argument)
{
	splits(STR("QUIT"), STR("QUIT"), STR(""));
	splits(STR("QUIT  "), STR("QUIT"), STR(""));
	splits(STR("mail FROM:<a@b.example> SIZE=1"), STR("mail"),
	       STR("FROM:<a@b.example> SIZE=1"));
	splits(STR("NOOP  two words \t"), STR("NOOP"), STR("two words"));
	splits(STR("NOOP a\0b"), STR("NOOP"), STR("a\0b"));
}

Test(smtp_cmd, finds_no_verb_where_no_word_stands)
{
	splits(STR(""), STR(""), STR(""));
	splits(STR(" QUIT"), STR(""), STR(""));
	splits(STR("QUIT."), STR(""), STR(""));
	splits(STR("QUIT\0"), STR(""), STR(""));
	splits(STR("MAIL:x"), STR(""), STR(""));
	splits(STR("\xc3\xa9"), STR(""), STR(""));
}

Test(smtp_cmd, accepts_what_clients_call_themselves)
{
	char name[256];

	cr_assert(smtp_cmd_is_host(STR("mx.b.example")));
	cr_assert(smtp_cmd_is_host(STR("[192.0.2.1]")));
	cr_assert(smtp_cmd_is_host(STR("[IPv6:2001:db8::1]")));
	cr_assert(smtp_cmd_is_host(STR("MY_PC.")));
	cr_assert(!smtp_cmd_is_host(STR("")));
	cr_assert(!smtp_cmd_is_host(STR("two words")));
	cr_assert(!smtp_cmd_is_host(STR("a\0")));
	cr_assert(!smtp_cmd_is_host(STR("a(b)")));
	memset(name, 'a', sizeof(name));
	cr_assert(smtp_cmd_is_host((struct str){ name, 255 }));
	cr_assert(!smtp_cmd_is_host((struct str){ name, 256 }));
}

static enum smtp_cmd_result mail(const char *arg, struct smtp_mail *m)
{
	return smtp_cmd_mail(str_of(arg), m);
}

Test(smtp_cmd, reads_a_sender_and_its_parameters)
{
	struct smtp_mail m;

	cr_assert_eq(mail("FROM:<a@b.example>", &m), SMTP_CMD_OK);
	cr_assert(!m.has_size && !m.is_8bit);
	cr_assert(str_eq(m.from.local, STR("a")));
	cr_assert_eq(mail("from: <a@b.example>  size=1000 body=8bitmime", &m),
		     SMTP_CMD_OK);
	cr_assert(m.has_size && m.is_8bit);
	cr_assert_eq(m.size, 1000);
	cr_assert_eq(mail("FROM:<> BODY=7BIT", &m), SMTP_CMD_OK);
	cr_assert_eq(m.from.kind, MAILADDR_NULL);
	cr_assert(!m.is_8bit);
}

Test(smtp_cmd, reads_sizes_to_twenty_digits)
{
	struct smtp_mail m;

	cr_assert_eq(mail("FROM:<> AUTH=<>", &m), SMTP_CMD_OK);
	cr_assert_eq(mail("FROM:<> auth=e+3Dmc2@example.com SIZE=1", &m), SMTP_CMD_OK);
	cr_assert_eq(mail("FROM:<> SIZE=0", &m), SMTP_CMD_OK);
	cr_assert_eq(m.size, 0);
	cr_assert_eq(mail("FROM:<> SIZE=9999999999999999999", &m), SMTP_CMD_OK);
	cr_assert_eq(m.size, UINT64_C(9999999999999999999));
	cr_assert_eq(mail("FROM:<> SIZE=99999999999999999999", &m), SMTP_CMD_OK);
	cr_assert_eq(m.size, UINT64_MAX);
	cr_assert_eq(mail("FROM:<> SIZE=000000000000000000001", &m),
		     SMTP_CMD_PARAM_VALUE);
}

Test(smtp_cmd, tells_what_is_wrong_with_a_sender)
{
	static const struct {
		const char *arg;
		enum smtp_cmd_result result;
	} wrong[] = {
		{ "", SMTP_CMD_SYNTAX },
		{ "<a@b.example>", SMTP_CMD_SYNTAX },
		{ "TO:<a@b.example>", SMTP_CMD_SYNTAX },
		{ "FROM", SMTP_CMD_SYNTAX },
		{ "FROM :<a@b.example>", SMTP_CMD_SYNTAX },
		{ "FROM:", SMTP_CMD_ADDR },
		{ "FROM:a@b.example", SMTP_CMD_ADDR },
		{ "FROM:<a@b.example>SIZE=1", SMTP_CMD_ADDR },
		{ "FROM:<Postmaster>", SMTP_CMD_ADDR },
		{ "FROM:<> =1", SMTP_CMD_SYNTAX },
		{ "FROM:<> -A=1", SMTP_CMD_SYNTAX },
		{ "FROM:<> SIZE=", SMTP_CMD_SYNTAX },
		{ "FROM:<> AUTH", SMTP_CMD_PARAM_VALUE },
		{ "FROM:<> AUTH=", SMTP_CMD_SYNTAX },
		{ "FROM:<> AUTH=<> AUTH=a", SMTP_CMD_PARAM_TWICE },
		{ "FROM:<> SIZE=1=2", SMTP_CMD_SYNTAX },
		{ "FROM:<> \xc3\xa9", SMTP_CMD_SYNTAX },
		{ "FROM:<> A=\x7f", SMTP_CMD_SYNTAX },
		{ "FROM:<> SIZE", SMTP_CMD_PARAM_VALUE },
		{ "FROM:<> SIZE=x", SMTP_CMD_PARAM_VALUE },
		{ "FROM:<> SIZE=-1", SMTP_CMD_PARAM_VALUE },
		{ "FROM:<> BODY=BINARYMIME", SMTP_CMD_PARAM_VALUE },
		{ "FROM:<> BODY", SMTP_CMD_PARAM_VALUE },
		{ "FROM:<> SIZE=1 SIZE=1", SMTP_CMD_PARAM_TWICE },
		{ "FROM:<> BODY=7BIT BODY=7BIT", SMTP_CMD_PARAM_TWICE },
		{ "FROM:<> SMTPUTF8", SMTP_CMD_PARAM_UNKNOWN },
		{ "FROM:<> SIZE=1 RET=HDRS", SMTP_CMD_PARAM_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct smtp_mail m = { .size = 7 };

		cr_assert_eq(mail(wrong[i].arg, &m), wrong[i].result, "%s", wrong[i].arg);
		cr_assert_eq(m.size, 7, "%s: changed the result", wrong[i].arg);
	}
}

Test(smtp_cmd, reads_a_recipient)
{
	struct mailaddr to;

	cr_assert_eq(smtp_cmd_rcpt(STR("TO:<a@b.example>"), &to), SMTP_CMD_OK);
	cr_assert(str_eq(to.domain, STR("b.example")));
	cr_assert_eq(smtp_cmd_rcpt(STR("to: <Postmaster>"), &to), SMTP_CMD_OK);
	cr_assert_eq(to.kind, MAILADDR_POSTMASTER);
}

Test(smtp_cmd, tells_what_is_wrong_with_a_recipient)
{
	static const struct {
		const char *arg;
		enum smtp_cmd_result result;
	} wrong[] = {
		{ "", SMTP_CMD_SYNTAX },
		{ "FROM:<a@b.example>", SMTP_CMD_SYNTAX },
		{ "TO:<>", SMTP_CMD_ADDR },
		{ "TO:<a>", SMTP_CMD_ADDR },
		{ "TO:<a@b.example> NOTIFY=NEVER", SMTP_CMD_PARAM_UNKNOWN },
		{ "TO:<a@b.example> =", SMTP_CMD_SYNTAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct mailaddr to;

		cr_assert_eq(smtp_cmd_rcpt(str_of(wrong[i].arg), &to), wrong[i].result,
			     "%s", wrong[i].arg);
	}
}

Test(smtp_cmd, tells_long_addresses_from_wrong_ones)
{
	char arg[400] = "TO:<";
	struct mailaddr to;

	memset(arg + 4, 'a', 65);
	strcpy(arg + 69, "@b.example>");
	cr_assert_eq(smtp_cmd_rcpt(str_of(arg), &to), SMTP_CMD_LONG_ADDR);
}

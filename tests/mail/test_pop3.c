#include <criterion/criterion.h>
#include <errno.h>

#include "apps/mail/wire/pop3.h"

Test(pop3, splits_a_line_into_keyword_and_rest)
{
	struct pop3_cmd cmd;

	pop3_split(STR("stat"), &cmd);
	cr_assert(str_eq(cmd.keyword, STR("stat")));
	cr_assert(!cmd.has_rest);
	pop3_split(STR("PASS  two words "), &cmd);
	cr_assert(str_eq(cmd.keyword, STR("PASS")));
	cr_assert(cmd.has_rest);
	cr_assert(str_eq(cmd.rest, STR(" two words ")));
	pop3_split(STR("PASS "), &cmd);
	cr_assert(cmd.has_rest);
	cr_assert_eq(cmd.rest.len, 0);
}

Test(pop3, finds_no_keyword_where_no_word_stands)
{
	static const struct str none[] = { STR(""), STR(" STAT"), STR("STAT\t"),
					   STR("STAT\0"), STR("4") };

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		struct pop3_cmd cmd;

		pop3_split(none[i], &cmd);
		cr_assert_eq(cmd.keyword.len, 0, "case %zu", i);
	}
}

static int args_of(struct str line, struct str args[POP3_ARGS_MAX])
{
	struct pop3_cmd cmd;

	pop3_split(line, &cmd);
	return pop3_args(&cmd, args);
}

Test(pop3, reads_arguments_behind_one_space_each)
{
	struct str args[POP3_ARGS_MAX];

	cr_assert_eq(args_of(STR("LIST"), args), 0);
	cr_assert_eq(args_of(STR("LIST  "), args), 0);
	cr_assert_eq(args_of(STR("LIST 1"), args), 1);
	cr_assert_eq(args_of(STR("TOP 1 10 "), args), 2);
	cr_assert(str_eq(args[0], STR("1")));
	cr_assert(str_eq(args[1], STR("10")));
	cr_assert_eq(args_of(STR("TOP 1  10"), args), -EINVAL);
	cr_assert_eq(args_of(STR("LIST  1"), args), -EINVAL);
	cr_assert_eq(args_of(STR("TOP 1 2 3"), args), -EINVAL);
}

Test(pop3, reads_message_numbers)
{
	uint32_t n = 7;

	cr_assert(pop3_number(STR("1"), &n));
	cr_assert_eq(n, 1);
	cr_assert(pop3_number(STR("4294967295"), &n));
	cr_assert_eq(n, UINT32_MAX);
	cr_assert(!pop3_number(STR("0"), &n));
	cr_assert(!pop3_number(STR("4294967296"), &n));
	cr_assert(!pop3_number(STR("-1"), &n));
	cr_assert(!pop3_number(STR("1x"), &n));
	cr_assert(!pop3_number(STR(""), &n));
	cr_assert_eq(n, UINT32_MAX);
}

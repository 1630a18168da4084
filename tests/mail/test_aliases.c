#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/mail/auth/users.h"
#include "apps/mail/deliver/aliases.h"
#include "apps/mail/deliver/expand.h"

static struct aliases *parse(const char *text)
{
	char error[ALIASES_ERROR_LEN];
	struct aliases *a;

	cr_assert_eq(aliases_parse("f", str_of(text), &a, error), 0, "%s", error);
	return a;
}

static const char all_kinds[] =
	"# who gets what\n"
	"\n"
	"sales@b.example: alice, bob@b.example,helper@far.example\n"
	"list\tdev@B.example\towner alice@b.example : alice,\n"
	"  x@far.example ,\n"
	"# in between\n"
	"\t  y@far.example\n"
	"moved smith@b.example 251: smith@new.example\n"
	"moved jones@old.example 551: jones@new.example";

Test(aliases, file_of_all_kinds_is_read)
{
	struct aliases *a = parse(all_kinds);
	const struct alias *sales = aliases_find(a, STR("SALES@b.example"));
	const struct alias *dev = aliases_find(a, STR("dev@b.example"));
	const struct alias *smith = aliases_find(a, STR("smith@b.example"));
	const struct alias *jones = aliases_find(a, STR("jones@old.example"));

	cr_assert_eq(aliases_count(a), 4);
	cr_assert_eq(sales->kind, ALIAS_PLAIN);
	cr_assert_eq(sales->n_targets, 3);
	cr_assert(str_eq(sales->targets[0], STR("alice")));
	cr_assert(str_eq(sales->targets[2], STR("helper@far.example")));
	cr_assert_eq(dev->kind, ALIAS_LIST);
	cr_assert(str_eq(dev->owner, STR("alice@b.example")));
	cr_assert_eq(dev->n_targets, 3);
	cr_assert(str_eq(dev->targets[2], STR("y@far.example")));
	cr_assert_eq(smith->kind, ALIAS_MOVED_ON);
	cr_assert_eq(jones->kind, ALIAS_MOVED_AWAY);
	cr_assert(str_eq(jones->targets[0], STR("jones@new.example")));
	cr_assert(aliases_has_domain(a, STR("OLD.example")));
	cr_assert_not(aliases_has_domain(a, STR("far.example")));
	cr_assert_null(aliases_find(a, STR("x@far.example")));
	aliases_free(a);
}

Test(aliases, file_may_be_empty)
{
	struct aliases *a = parse("");

	cr_assert_eq(aliases_count(a), 0);
	cr_assert_not(aliases_has_domain(a, STR("b.example")));
	aliases_free(a);
}

/* What is wrong is said with file and line, and what is allowed. */
static void refuses(const char *text, const char *what)
{
	char error[ALIASES_ERROR_LEN] = "";
	struct aliases *a = NULL;

	cr_expect_eq(aliases_parse("f", str_of(text), &a, error), -EINVAL, "%s", text);
	cr_expect(str_starts_nocase(str_of(error), str_of(what)), "%s: %s", text, error);
	cr_expect(strstr(error, "allowed:"), "%s: %s", text, error);
}

Test(aliases, wrong_file_is_refused_with_its_line)
{
	refuses("a@b.example\n", "f:1: no colon");
	refuses("\n\na: alice\n", "f:3: address 'a' ");
	refuses(": alice\n", "f:1: address '' ");
	refuses("a@b.example:\n", "f:1: nothing");
	refuses("a@b.example:\nc@b.example: x\n", "f:2: nothing");
	refuses("a@b.example: alice,,bob\n", "f:1: target '' ");
	refuses("a@b.example: a b\n", "f:1: target 'a b' ");
	refuses("a@b.example: @b.example\n", "f:1: target '@b.example' ");
	refuses("a@b.example: |/bin/sh\n", "f:1: target '|/bin/sh' ");
	refuses("a@b.example: x\nA@B.example: y\n", "f:2: address 'A@B.example' ");
	refuses("a@b.example: A@b.example\n", "f:1: target 'A@b.example' ");
	refuses(" alice\n", "f:1: it goes on with nothing");
	refuses("list a@b.example: x\n", "f:1: list 'a@b.example' ");
	refuses("list a@b.example owner: x\n", "f:1: owner '' ");
	refuses("list a@b.example owner x: x\n", "f:1: owner 'x' ");
	refuses("list a@b.example owner a@b.example: x\n", "f:1: owner 'a@b.example' ");
	refuses("list: x\n", "f:1: list '' ");
	refuses("moved a@b.example: x@c.example\n", "f:1: moved '' ");
	refuses("moved a@b.example 250: x@c.example\n", "f:1: moved '250' ");
	refuses("moved a@b.example 251: alice\n", "f:1: new address 'alice' ");
	refuses("moved a@b.example 551: x@c.example, y@c.example\n",
		"f:1: new address 'y@c.example' ");
	refuses("moved: x@c.example\n", "f:1: moved '' ");
}

Test(aliases, nul_in_the_file_is_refused)
{
	char error[ALIASES_ERROR_LEN];
	struct aliases *a;

	cr_assert_eq(aliases_parse("f", STR("a@b.example: x\n\0"), &a, error), -EINVAL);
	cr_assert(strstr(error, "NUL"));
}

/* All beginnings of a file are files, or refused; none is read beyond its end. */
Test(aliases, every_truncation_is_read_or_refused)
{
	for (size_t len = 0; len < sizeof(all_kinds); len++) {
		char *exact = malloc(len + 1), error[ALIASES_ERROR_LEN] = "";
		struct aliases *a;

		memcpy(exact, all_kinds, len);
		if (aliases_parse("f", (struct str){ exact, len }, &a, error) == 0)
			aliases_free(a);
		else
			cr_assert(error[0]);
		free(exact);
	}
}

static char *many_targets(size_t n)
{
	size_t len;
	char *text;
	FILE *to = open_memstream(&text, &len);

	fputs("a@b.example: ", to);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "u%zu@far.example,\n ", i);
	fclose(to);
	return text;
}

Test(aliases, one_has_so_many_targets_and_no_more)
{
	char *text = many_targets(ALIASES_TARGETS_MAX), error[ALIASES_ERROR_LEN];
	struct aliases *a = parse(text);

	cr_assert_eq(aliases_at(a, 0)->n_targets, ALIASES_TARGETS_MAX);
	aliases_free(a);
	free(text);
	text = many_targets(ALIASES_TARGETS_MAX + 1);
	cr_assert_eq(aliases_parse("f", str_of(text), &a, error), -EINVAL);
	cr_assert(str_starts_nocase(str_of(error), STR("f:1001: more than 1000")));
	free(text);
}

Test(aliases, file_is_loaded_and_one_that_is_none_is_named)
{
	char path[] = "/tmp/aliases.XXXXXX", error[ALIASES_ERROR_LEN];
	int fd = mkstemp(path);
	struct aliases *a;

	cr_assert_eq(write(fd, "a@b.example: x\n", 15), 15);
	close(fd);
	cr_assert_eq(aliases_load(path, &a, error), 0, "%s", error);
	cr_assert_eq(aliases_count(a), 1);
	aliases_free(a);
	cr_assert_eq(truncate(path, ALIASES_FILE_MAX + 1L), 0);
	cr_assert_eq(aliases_load(path, &a, error), -EFBIG);
	unlink(path);
	cr_assert_eq(aliases_load(path, &a, error), -ENOENT);
	cr_assert(str_starts_nocase(str_of(error), str_of(path)));
	cr_assert_eq(aliases_load("/tmp", &a, error), -EINVAL);
}

static struct expand walk;
static char said[4096];

static const char users_text[] = "alice:!:alice@b.example,al@b.example\n"
				 "bob:!:bob@b.example\n";

/* The walk from @addr in words: "alice(alice@b.example) x@far.example/owner". */
static const char *goes(const char *text, const char *addr)
{
	static const char *const results[] = {
		[EXPAND_FOUND] = "",	    [EXPAND_AWAY] = "away ",
		[EXPAND_NOBODY] = "nobody", [EXPAND_ELSEWHERE] = "elsewhere ",
		[EXPAND_LOOP] = "loop",	    [EXPAND_TOO_FAR] = "too far",
	};
	char error[USERS_ERROR_LEN];
	struct aliases *a = parse(text);
	enum expand_result result;
	struct users *users;
	FILE *to = fmemopen(said, sizeof(said), "w");

	cr_assert_eq(users_parse("u", str_of(users_text), &users, error), 0, "%s", error);
	result = expand_walk(&walk, a, users, str_of(addr));
	fputs(results[result], to);
	if (walk.moved_to.len > 0)
		fprintf(to, "[%.*s] ", (int)walk.moved_to.len, walk.moved_to.p);
	for (size_t i = 0; result == EXPAND_FOUND && i < walk.n_to; i++) {
		const struct mail_to *t = &walk.to[i];

		if (t->user.len > 0)
			fprintf(to, "%.*s:", (int)t->user.len, t->user.p);
		fprintf(to, "%.*s", (int)t->addr.len, t->addr.p);
		if (t->owner.len > 0)
			fprintf(to, "/%.*s", (int)t->owner.len, t->owner.p);
		fputc(' ', to);
	}
	fclose(to);
	users_free(users);
	aliases_free(a);
	return said;
}

Test(expand, address_without_alias_is_a_users_or_nobodys_or_elsewhere)
{
	cr_assert_str_eq(goes("", "AL@b.example"), "alice:AL@b.example ");
	cr_assert_str_eq(goes("", "x@b.example"), "nobody");
	cr_assert_str_eq(goes("", "x@far.example"), "elsewhere ");
	cr_assert_str_eq(goes("a@far.example: bob", "x@far.example"), "nobody");
}

Test(expand, alias_leads_to_users_and_addresses)
{
	cr_assert_str_eq(
		goes("s@b.example: alice, bob@b.example, x@far.example", "s@B.example"),
		"alice:alice@b.example bob:bob@b.example x@far.example ");
	/* A user's own address can be an alias, and keep a copy. */
	cr_assert_str_eq(goes("bob@b.example: bob, x@far.example", "bob@b.example"),
			 "bob:bob@b.example x@far.example ");
}

Test(expand, members_of_a_list_have_its_owner_and_of_a_list_in_a_list_theirs)
{
	cr_assert_str_eq(goes("list d@b.example owner o@b.example: alice, t@b.example,"
			      "e@b.example\n"
			      "t@b.example: x@far.example\n"
			      "list e@b.example owner p@b.example: y@far.example",
			      "d@b.example"),
			 "alice:alice@b.example/o@b.example "
			 "x@far.example/o@b.example y@far.example/p@b.example ");
}

Test(expand, who_moved_is_followed_or_said_to_be_away)
{
	static const char text[] = "moved s@b.example 251: s@new.example\n"
				   "moved j@b.example 551: j@new.example\n"
				   "all@b.example: s@b.example, j@b.example, alice\n"
				   "only@b.example: j@b.example\n";

	cr_assert_str_eq(goes(text, "s@b.example"), "[s@new.example] s@new.example ");
	cr_assert_str_eq(goes(text, "j@b.example"), "away [j@new.example] ");
	cr_assert_str_eq(goes(text, "all@b.example"),
			 "alice:alice@b.example s@new.example ");
	cr_assert_str_eq(goes(text, "only@b.example"), "nobody");
}

Test(expand, loop_ends_where_it_began)
{
	cr_assert_str_eq(
		goes("a@b.example: c@b.example\nc@b.example: A@B.example", "a@b.example"),
		"loop");
	cr_assert_str_eq(goes("a@b.example: c@b.example, bob\nc@b.example: a@b.example",
			      "c@b.example"),
			 "bob:bob@b.example ");
}

Test(expand, users_that_are_no_more_are_passed_over)
{
	cr_assert_str_eq(goes("a@b.example: carol, dave@b.example, bob", "a@b.example"),
			 "bob:bob@b.example ");
	cr_assert_str_eq(goes("a@b.example: carol, dave@b.example", "a@b.example"),
			 "nobody");
}

static char *chain(size_t n)
{
	size_t len;
	char *text;
	FILE *to = open_memstream(&text, &len);

	for (size_t i = 0; i < n; i++)
		fprintf(to, "a%zu@b.example: a%zu@b.example\n", i, i + 1);
	fprintf(to, "a%zu@b.example: bob\n", n);
	fclose(to);
	return text;
}

Test(expand, goes_so_deep_and_no_deeper)
{
	char *text = chain(EXPAND_DEPTH - 1);

	cr_assert_str_eq(goes(text, "a0@b.example"), "bob:bob@b.example ");
	free(text);
	text = chain(EXPAND_DEPTH);
	cr_assert_str_eq(goes(text, "a0@b.example"), "too far");
	free(text);
}

/* The last of so many targets is an alias for @n users: EXPAND_MAX are met with one. */
static char *chain_of_lists(size_t n)
{
	char *most = many_targets(EXPAND_MAX - 3), *text;

	cr_assert_gt(asprintf(&text, "%s c@b.example\nc@b.example: bob%s\n", most,
			      n > 1 ? ", alice" : ""),
		     0);
	free(most);
	return text;
}

Test(expand, finds_so_many_and_no_more)
{
	char *text = chain_of_lists(1);

	goes(text, "a@b.example");
	cr_assert_eq(walk.n_to, EXPAND_MAX - 2);
	free(text);
	text = chain_of_lists(2);
	cr_assert_str_eq(goes(text, "a@b.example"), "too far");
	free(text);
}

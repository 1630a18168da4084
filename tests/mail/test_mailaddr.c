#include <criterion/criterion.h>
#include <errno.h>

#include "apps/mail/wire/mailaddr.h"
#include "stack/base/check.h"

static int parse(const char *text, struct mailaddr *a, size_t *used)
{
	struct str in = str_of(text);
	int err = mailaddr_path(&in, a);

	*used = strlen(text) - in.len;
	return err;
}

/* A path that reads to its last character, and how it is written then. */
static void reads_as(const char *path, const char *text)
{
	char out[MAILADDR_TEXT_LEN];
	struct mailaddr a;
	size_t used;

	cr_assert_eq(parse(path, &a, &used), 0, "%s", path);
	cr_assert_eq(used, strlen(path), "%s", path);
	cr_assert_eq(mailaddr_emit(&a, out), strlen(text), "%s", path);
	cr_assert_str_eq(out, text);
}

static void refused(const char *path)
{
	struct mailaddr a = { .local = STR("kept") };
	size_t used;

	cr_assert_eq(parse(path, &a, &used), -EINVAL, "%s", path);
	cr_assert_eq(used, 0, "%s: read in part", path);
	cr_assert(str_eq(a.local, STR("kept")), "%s: changed the result", path);
}

Test(mailaddr, reads_mailboxes)
{
	reads_as("<a@b.example>", "a@b.example");
	reads_as("<first.last+tag@host-1.b.example>", "first.last+tag@host-1.b.example");
	reads_as("<!#$%&'*+-/=?^_`{|}~@b.example>", "!#$%&'*+-/=?^_`{|}~@b.example");
	reads_as("<a@localhost>", "a@localhost");
	reads_as("<a@1.example>", "a@1.example");
}

Test(mailaddr, reads_the_null_path_and_a_postmaster_without_domain)
{
	struct mailaddr a;
	size_t used;

	reads_as("<>", "");
	reads_as("<Postmaster>", "Postmaster");
	reads_as("<\"postmaster\"@b.example>", "postmaster@b.example");
	cr_assert_eq(parse("<>", &a, &used), 0);
	cr_assert_eq(a.kind, MAILADDR_NULL);
	cr_assert_eq(parse("<POSTMASTER>", &a, &used), 0);
	cr_assert_eq(a.kind, MAILADDR_POSTMASTER);
}

Test(mailaddr, ignores_source_routes)
{
	reads_as("<@x.example:a@b.example>", "a@b.example");
	reads_as("<@x.example,@y.example:a@b.example>", "a@b.example");
	refused("<@x.example,:a@b.example>");
	refused("<@x.example,y.example:a@b.example>");
	refused("<@x.example a@b.example>");
	refused("<@:a@b.example>");
	refused("<@x.example:>");
}

Test(mailaddr, writes_quoted_local_parts_as_shortly_as_they_allow)
{
	reads_as("<\"a\"@b.example>", "a@b.example");
	reads_as("<\"\\a\\.b\"@b.example>", "a.b@b.example");
	reads_as("<\"two words\"@b.example>", "\"two words\"@b.example");
	reads_as("<\"two\\ \\words\"@b.example>", "\"two words\"@b.example");
	reads_as("<\"q\\\"\\\\\"@b.example>", "\"q\\\"\\\\\"@b.example");
	reads_as("<\"@\"@b.example>", "\"@\"@b.example");
	reads_as("<\">\"@b.example>", "\">\"@b.example");
	reads_as("<\".a\"@b.example>", "\".a\"@b.example");
	reads_as("<\"\"@b.example>", "\"\"@b.example");
}

Test(mailaddr, reads_address_literals)
{
	reads_as("<a@[192.0.2.1]>", "a@[192.0.2.1]");
	reads_as("<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]");
	reads_as("<a@[ipv6:::ffff:192.0.2.1]>", "a@[ipv6:::ffff:192.0.2.1]");
	reads_as("<a@[x-tag:content!]>", "a@[x-tag:content!]");
	refused("<a@[]>");
	refused("<a@[192.0.2]>");
	refused("<a@[192.0.2.1.5]>");
	refused("<a@[192.0.2.256]>");
	refused("<a@[192.0.2.0001]>");
	refused("<a@[192.0.2.]>");
	refused("<a@[IPv6:2001:db8:::1]>");
	refused("<a@[IPv6:192.0.2.1]>");
	refused("<a@[IPv6:]>");
	refused("<a@[x-tag:]>");
	refused("<a@[-x:y]>");
	refused("<a@[x:sp ace]>");
	refused("<a@[192.0.2.1>");
	refused("<a@[192.0.2.1]x>");
}

Test(mailaddr, refuses_what_is_no_path)
{
	static const char *const bad[] = {
		"",
		"a@b.example",
		"<a>",
		"<a@>",
		"<@b.example>",
		"<.a@b.example>",
		"<a.@b.example>",
		"<a..b@b.example>",
		"<a b@b.example>",
		"<a@b..example>",
		"<a@.b>",
		"<a@b.>",
		"<a@-b.example>",
		"<a@b-.example>",
		"<a@b_c.example>",
		"<a@b@c.example>",
		"< a@b.example>",
		"<a@b.example >",
		"<\"a@b.example>",
		"<\"a\\",
		"<\"a\"b@c.example>",
		"<\"tab\t\"@b.example>",
		"<\"\\\x7f\"@b.example>",
		"<\xc3\xa9@b.example>",
		"<a@\xc3\xa9.example>",
		"<post master>",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		refused(bad[i]);
}

Test(mailaddr, refuses_every_truncation)
{
	static const char whole[] = "<@x.example:\"two \\\"words\"@[IPv6:2001:db8::1]>";

	for (size_t len = 0; len + 1 < sizeof(whole); len++) {
		struct str in = { whole, len };
		struct mailaddr a;

		cr_assert_eq(mailaddr_path(&in, &a), -EINVAL, "accepted %zu bytes", len);
	}
}

Test(mailaddr, refuses_a_nul_anywhere)
{
	static const char whole[] = "<a@b.example>";

	for (size_t i = 0; i + 1 < sizeof(whole); i++) {
		char bytes[sizeof(whole)];
		struct str in = { bytes, sizeof(whole) - 1 };
		struct mailaddr a;

		memcpy(bytes, whole, sizeof(bytes));
		bytes[i] = '\0';
		cr_assert_neq(mailaddr_path(&in, &a), 0, "NUL at %zu", i);
	}
}

Test(mailaddr, stops_behind_the_path)
{
	struct str in = STR("<a@b.example> SIZE=1");
	struct mailaddr a;

	cr_assert_eq(mailaddr_path(&in, &a), 0);
	cr_assert(str_eq(in, STR(" SIZE=1")));
	cr_assert(str_eq(a.local, STR("a")));
	cr_assert(str_eq(a.domain, STR("b.example")));
}

/* "<" @n_local times 'a' "@" labels of @label characters, @n_labels of them ">" */
static int parse_long(size_t n_local, size_t label, size_t n_labels)
{
	char text[1024];
	struct mailaddr a;
	size_t n = 0, used;

	text[n++] = '<';
	memset(text + n, 'a', n_local);
	n += n_local;
	for (size_t i = 0; i < n_labels; i++) {
		text[n++] = i ? '.' : '@';
		memset(text + n, 'b', label);
		n += label;
	}
	text[n++] = '>';
	text[n] = '\0';
	return parse(text, &a, &used);
}

Test(mailaddr, accepts_the_limits_of_rfc_5321_and_not_one_more)
{
	cr_assert_eq(parse_long(64, 5, 1), 0);
	cr_assert_eq(parse_long(65, 5, 1), -ENAMETOOLONG);
	cr_assert_eq(parse_long(1, 63, 1), 0);
	cr_assert_eq(parse_long(1, 64, 1), -ENAMETOOLONG);
	/* With the brackets: 256 octets, then 257. */
	cr_assert_eq(parse_long(1, 10, 23), 0);
	cr_assert_eq(parse_long(2, 10, 23), -ENAMETOOLONG);
	cr_assert_eq(parse_long(1, 1, 129), -ENAMETOOLONG);
}

Test(mailaddr, tells_domains_and_literals)
{
	cr_assert(mailaddr_is_domain(STR("b.example")));
	cr_assert(!mailaddr_is_domain(STR("b.example.")));
	cr_assert(!mailaddr_is_domain(STR("")));
	cr_assert(!mailaddr_is_domain(STR("[192.0.2.1]")));
	cr_assert(mailaddr_is_literal(STR("[192.0.2.1]")));
	cr_assert(!mailaddr_is_literal(STR("192.0.2.1")));
	cr_assert(!mailaddr_is_literal(STR("[")));
}

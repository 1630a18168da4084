#include <criterion/criterion.h>
#include <stdio.h>
#include <time.h>

#include "apps/mail/wire/header.h"
#include "apps/mail/wire/lex.h"
#include "apps/mail/wire/rfc5322.h"
#include "stack/base/check.h"

static char text[4096];

Test(header, gives_fields_one_after_the_other)
{
	static const struct str all = STR("Subject: one\r\n two\r\n\tthree \r\n"
					  "X-Empty:\r\n"
					  "Old \t: blanks\r\n"
					  "Last:x\n"
					  "\r\nBody: no\r\n");
	static const struct str names[] = { STR("Subject"), STR("X-Empty"), STR("Old"),
					    STR("Last") };
	static const struct str values[] = { STR("one\r\n two\r\n\tthree"), STR(""),
					     STR("blanks"), STR("x") };
	struct str rest = all;
	struct header_field f;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cr_assert(header_next(&rest, &f));
		cr_assert(str_eq(f.name, names[i]));
		cr_assert(str_eq(f.value, values[i]));
		cr_assert_eq(f.whole.p + f.whole.len, rest.p);
	}
	cr_assert(!header_next(&rest, &f));
	cr_assert(str_eq(rest, STR("\r\nBody: no\r\n")));
	cr_assert_eq(header_len(all), all.len - strlen("Body: no\r\n"));
	cr_assert(header_find(all, STR("x-empty"), &f));
	cr_assert(str_eq(f.whole, STR("X-Empty:\r\n")));
	cr_assert(!header_find(all, STR("body"), &f));
}

Test(header, ends_before_a_line_that_is_no_field)
{
	static const struct {
		struct str in;
		size_t len;
	} cases[] = {
		{ STR(""), 0 },
		{ STR("\r\n"), 2 },
		{ STR("\n"), 1 },
		{ STR("just text\r\n"), 0 },
		{ STR(" folded first\r\n"), 0 },
		{ STR(": none\r\n"), 0 },
		{ STR("A: b\r\nno field\r\n\r\n"), 6 },
		{ STR("A: b"), 4 },
		{ STR("A: b\r\n"), 6 },
		{ STR("A"), 0 },
		{ STR("A: b\r\n\r"), 6 },
		{ STR("From x\r\nA: b\r\n\r\n"), 16 },
		{ STR("A: b\r\n>From x\r\nC: d\r\n\r\nx"), 23 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_assert_eq(header_len(cases[i].in), cases[i].len, "case %zu: %zu", i,
			     header_len(cases[i].in));
}

Test(header, unfolds_a_value)
{
	char small[5];
	struct wr w = wr_of(text, sizeof(text)), few = wr_of(small, sizeof(small));

	cr_assert(header_unfold(STR("one\r\n two\n\tthree"), &w));
	cr_assert(str_eq(lex_since(&w, (uint8_t *)text), STR("one two\tthree")));
	cr_assert(!header_unfold(STR("one\r\n two"), &few));
}

/* Each address on a line: kind, then name, route, local part and domain in brackets. */
static const char *shown(struct str in, uint32_t *odd)
{
	static char all[4096];
	struct wr w = wr_of(text, sizeof(text));
	struct header_addrs it;
	struct header_addr a;
	size_t n = 0;

	all[0] = '\0';
	header_addrs_init(&it, in);
	while (header_addrs_next(&it, &w, &a))
		n += (size_t)sprintf(all + n, "%c[%.*s][%.*s][%.*s][%.*s]\n",
				     "m{}"[a.kind], (int)a.name.len, a.name.p,
				     (int)a.route.len, a.route.p, (int)a.local.len,
				     a.local.p, (int)a.domain.len, a.domain.p);
	cr_assert(!header_addrs_next(&it, &w, &a));
	*odd = it.odd;
	return all;
}

struct addr_case {
	struct str in;
	const char *out;
	uint32_t odd;
};

static void check_addrs(const struct addr_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t odd;
		const char *got = shown(cases[i].in, &odd);

		cr_assert_str_eq(got, cases[i].out, "%s: %s", cases[i].in.p, got);
		cr_assert_eq(odd, cases[i].odd, "%s: %x", cases[i].in.p, odd);
	}
}

Test(header, parses_address_lists)
{
	static const struct addr_case cases[] = {
		{ STR(""), "", 0 },
		{ STR("a@b.example"), "m[][][a][b.example]\n", 0 },
		{ STR("A B <a@b>, c@d"), "m[A B][][a][b]\nm[][][c][d]\n", 0 },
		{ STR("\"Doe, John \\\"J\\\"\" <j.d@b>"),
		  "m[Doe, John \"J\"][][j.d][b]\n", 0 },
		{ STR("\"a b\"@c"), "m[][][a b][c]\n", 0 },
		{ STR("<\"a>b\"@c>"), "m[][][a>b][c]\n", 0 },
		{ STR("a@[IPv6:2001:db8::1]"), "m[][][a][[IPv6:2001:db8::1]]\n", 0 },
		{ STR("a@b (Some (nested) One)"), "m[Some (nested) One][][a][b]\n", 0 },
		{ STR("A (x) B <a@b> (y)"), "m[A B][][a][b]\n", 0 },
		{ STR("=?utf-8?Q?=C3=A9?= <a@b>"), "m[=?utf-8?Q?=C3=A9?=][][a][b]\n", 0 },
		{ STR("G: a@b, C <c@d>;, e@f"),
		  "{[G][][][]\nm[][][a][b]\nm[C][][c][d]\n}[][][][]\nm[][][e][f]\n", 0 },
		{ STR("undisclosed-recipients:;"),
		  "{[undisclosed-recipients][][][]\n}[][][][]\n", 0 },
		{ STR("A B\r\n <a@b>,\r\n\tc@d"), "m[A B][][a][b]\nm[][][c][d]\n", 0 },
		{ STR("J\xc3\xb6rg <a@b>"), "m[J\xc3\xb6rg][][a][b]\n", 0 },
	};

	check_addrs(cases, ARRAY_LEN(cases));
}

/* RFC 5322 4.4 and A.6. */
Test(header, parses_obsolete_addresses)
{
	static const struct addr_case cases[] = {
		{ STR("Joe Q. Public <j.q@e>"), "m[Joe Q. Public][][j.q][e]\n", 0 },
		{ STR("<@a.example,@b.test:c@d.example>"),
		  "m[][@a.example,@b.test][c][d.example]\n", 0 },
		{ STR("Mary <@a , @b : m . s @ c . d>"), "m[Mary][@a,@b][m.s][c.d]\n",
		  0 },
		{ STR("john . doe @ machine . example"),
		  "m[][][john.doe][machine.example]\n", 0 },
		{ STR("a(c1)@(c2)b"), "m[c1c2][][a][b]\n", 0 },
		{ STR("a@b,, ,c@d,"), "m[][][a][b]\nm[][][c][d]\n", 0 },
		{ STR("G:,,;"), "{[G][][][]\n}[][][][]\n", 0 },
	};

	check_addrs(cases, ARRAY_LEN(cases));
}

Test(header, makes_the_best_of_broken_addresses)
{
	enum { S = HEADER_ODD_SYNTAX, D = HEADER_ODD_NO_DOMAIN, G = HEADER_ODD_GROUP };
	static const struct addr_case cases[] = {
		{ STR("bob"), "m[][][bob][]\n", D },
		{ STR("two words"), "m[][][two words][]\n", D },
		{ STR("<bob>"), "m[][][bob][]\n", D },
		{ STR("a@b <c@d>"), "m[a@b][][c][d]\n", S },
		{ STR("A <a@b, c@d"), "m[A][][a][b]\nm[][][c][d]\n", S },
		{ STR("a@b c@d, e@f"), "m[][][a][bc]\nm[][][e][f]\n", S },
		{ STR("a@b; c@d"), "m[][][a][b]\nm[][][c][d]\n", S },
		{ STR("G: a@b"), "{[G][][][]\nm[][][a][b]\n}[][][][]\n", G },
		{ STR("G: H: a@b;;"), "{[G][][][]\nm[][][H][]\n}[][][][]\n", G | D | S },
		{ STR("\"no end <a@b>"), "m[][][no end <a@b>][]\n", S | D },
		{ STR("(no end a@b"), "", S },
		{ STR("<>"), "m[][][][]\n", D },
		{ STR("a@b>"), "m[][][a][b]\n", S },
		{ STR("@b"), "m[][][][b]\n", 0 },
		{ STR(";"), "", S },
		{ STR("a\\b@c"), "m[][][a\\b][c]\n", S },
	};

	check_addrs(cases, ARRAY_LEN(cases));
}

Test(header, cuts_addresses_when_there_is_no_room)
{
	char small[3];
	struct wr w = wr_of(small, sizeof(small));
	struct header_addrs it;
	struct header_addr a;

	header_addrs_init(&it, STR("abc@defg, h@i"));
	cr_assert(header_addrs_next(&it, &w, &a));
	cr_assert(str_eq(a.local, STR("abc")) && a.domain.len == 0);
	cr_assert_eq(it.odd, HEADER_ODD_ROOM);
	cr_assert(header_addrs_next(&it, &w, &a));
	cr_assert(!header_addrs_next(&it, &w, &a));
}

Test(header, reads_dates)
{
	static const struct {
		struct str in;
		int64_t utc_s;
		int32_t zone_s;
		bool has_zone;
	} cases[] = {
		{ STR("Thu, 1 Jan 1970 00:00:00 +0000"), 0, 0, true },
		{ STR("Fri, 21 Nov 1997 09:55:06 -0600"), 880127706, -21600, true },
		{ STR("21 Nov 97 09:55:06 GMT"), 880106106, 0, true },
		{ STR("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600"), 880127706,
		  -21600, true },
		{ STR("21 Nov 1997 09:55 -0600 (CST)"), 880127700, -21600, true },
		{ STR("Thu,\r\n 13\r\n Feb\r\n 1969\r\n 23:32\r\n -0330"), -27723480,
		  -12600, true },
		{ STR("1 Jan 100 00:00:00 EST"), 946702800, -18000, true },
		{ STR("1 Jan 49 00:00:00 PDT"), 2493097200, -25200, true },
		{ STR("1 Jan 50 00:00:00 Z"), -631152000, 0, false },
		{ STR("1 Jan 1970 00:00:00 -0000"), 0, 0, false },
		{ STR("1 Jan 1970 00:00:00 XYZ"), 0, 0, false },
		{ STR("1 Jan 1970 00:00:00"), 0, 0, false },
		{ STR("29 Feb 2000 23:59:60 +0000"), 951868800, 0, true },
		{ STR("Thu 1-January-1970 00:00:00 utc"), 0, 0, true },
		{ STR("31 Dec 9999 23:59:59 +0000"), 253402300799, 0, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct header_date d;

		cr_assert(header_date(cases[i].in, &d), "case %zu", i);
		cr_assert_eq(d.utc_s, cases[i].utc_s, "case %zu: %lld", i,
			     (long long)d.utc_s);
		cr_assert_eq(d.zone_s, cases[i].zone_s, "case %zu", i);
		cr_assert_eq(d.has_zone, cases[i].has_zone, "case %zu", i);
	}
}

Test(header, refuses_what_is_no_date)
{
	static const struct str none[] = {
		STR(""),
		STR("yesterday"),
		STR("1 Foo 1970 00:00:00 +0000"),
		STR("0 Jan 1970 00:00:00 +0000"),
		STR("32 Jan 1970 00:00:00 +0000"),
		STR("29 Feb 1900 00:00:00 +0000"),
		STR("1 Jan 1970 24:00:00 +0000"),
		STR("1 Jan 1970 00:60:00 +0000"),
		STR("1 Jan 1970 00:00:61 +0000"),
		STR("1 Jan 1970 00:00:00 +00000"),
		STR("1 Jan 1970 00:00:00 +0060"),
		STR("1 Jan 1970 00:00:00 +1"),
		STR("1 Jan 19700 00:00:00 +0000"),
		STR("1 Jan 0000 00:00:00 +0000"),
		STR("1 Jan 1970 0 +0000"),
		STR("111 Jan 1970 00:00:00 +0000"),
	};

	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		struct header_date d;

		cr_assert(!header_date(none[i], &d), "case %zu", i);
	}
}

Test(header, reads_the_dates_that_we_write)
{
	for (uint64_t s = 0; s < UINT64_C(253402300799); s += 86399 * 401 + 1) {
		char date[RFC5322_DATE_LEN];
		struct header_date d;

		cr_assert(header_date((struct str){ date, rfc5322_date(s, date) }, &d));
		cr_assert_eq(d.utc_s, (int64_t)s);
	}
}

Test(header, refuses_every_truncation_of_a_date_that_misses_its_minutes)
{
	static const struct str date = STR("Fri, 21 Nov 1997 09:55:06 -0600");

	for (size_t len = 0; len < strlen("Fri, 21 Nov 1997 09:5"); len++) {
		struct header_date d;

		cr_assert(!header_date((struct str){ date.p, len }, &d), "%zu", len);
	}
}

Test(header, finds_message_ids_in_what_stands_around_them)
{
	static const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{ STR("<a@b>"), "<a@b>" },
		{ STR("<a@b> <c@d>\r\n\t<e@f>"), "<a@b><c@d><e@f>" },
		{ STR("Your mail of <x@y> \"quoted <no@no>\" (<no@no>)"), "<x@y>" },
		{ STR("<a . b (comment) @ c>"), "<a.b@c>" },
		{ STR("<a@b"), "<a@b>" },
		{ STR("none"), "" },
		{ STR(""), "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wr w = wr_of(text, sizeof(text));
		struct str rest = cases[i].in, id;
		char all[256] = "";

		while (header_msgid_next(&rest, &w, &id))
			sprintf(all + strlen(all), "%.*s", (int)id.len, id.p);
		cr_assert_str_eq(all, cases[i].out, "case %zu", i);
	}
}

Test(header, reads_content_fields)
{
	struct wr w = wr_of(text, sizeof(text));
	struct header_type t;
	struct str name;
	enum enc enc;

	cr_assert(header_content_type(
		STR("(c) text / (x) Plain (y);\r\n charset=\"utf-8\""), &w, &t));
	cr_assert(str_eq(t.type, STR("text")) && str_eq(t.subtype, STR("Plain")));
	cr_assert(!t.is_odd);
	cr_assert(str_eq(param_find(t.params.param, t.params.n, STR("charset")),
			 STR("utf-8")));
	cr_assert(header_content_type(STR("text"), &w, &t));
	cr_assert(t.is_odd && t.subtype.len == 0);
	cr_assert(header_content_type(STR("text/plain charset=x; a=b"), &w, &t));
	cr_assert(t.is_odd && t.params.n == 1);
	cr_assert(!header_content_type(STR(""), &w, &t));
	cr_assert(!header_content_type(STR("/plain"), &w, &t));
	cr_assert(header_content_disposition(STR("attachment; filename=x"), &w, &t));
	cr_assert(str_eq(t.type, STR("attachment")) && t.params.n == 1 && !t.is_odd);
	cr_assert(!header_content_disposition(STR("; filename=x"), &w, &t));
	cr_assert(header_content_encoding(STR(" BASE64 (x)"), &name, &enc));
	cr_assert(str_eq(name, STR("BASE64")) && enc == ENC_BASE64);
	cr_assert(header_content_encoding(STR("x-odd"), &name, &enc) && enc == ENC_OTHER);
	cr_assert(!header_content_encoding(STR("()"), &name, &enc));
}

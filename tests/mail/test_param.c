#include <criterion/criterion.h>
#include <stdio.h>

#include "apps/mail/wire/lex.h"
#include "apps/mail/wire/param.h"
#include "stack/base/check.h"
#include "stack/base/rng.h"

static char text[8192];

static struct param_list parse(struct str in)
{
	struct wr w = wr_of(text, sizeof(text));
	struct param_list list;

	param_parse(in, &w, &list);
	return list;
}

/* "name=value|name=value", to look at. */
static const char *shown(const struct param_list *list)
{
	static char all[8192];
	size_t n = 0;

	all[0] = '\0';
	for (unsigned i = 0; i < list->n; i++)
		n += (size_t)sprintf(all + n, "%s%.*s=%.*s", i ? "|" : "",
				     (int)list->param[i].name.len, list->param[i].name.p,
				     (int)list->param[i].value.len,
				     list->param[i].value.p);
	return all;
}

Test(param, parses_parameters_and_says_what_was_odd)
{
	static const struct {
		struct str in;
		const char *out;
		uint32_t odd;
	} cases[] = {
		{ STR(""), "", 0 },
		{ STR("charset=utf-8"), "charset=utf-8", 0 },
		{ STR(" a = b ; c=\"d e\" (comment)"), "a=b|c=d e", 0 },
		{ STR("a=\"q\\\"uo\\\\te;\""), "a=q\"uo\\te;", 0 },
		{ STR("\r\n\ta=b;\r\n\tc=d;"), "a=b|c=d", 0 },
		{ STR(";;a=b;;"), "a=b", 0 },
		{ STR("(c;c) a (x) = (y) b (z)"), "a=b", 0 },
		{ STR("a=\"no end"), "a=no end", PARAM_ODD_SYNTAX },
		{ STR("name=two words.txt; b=c"), "name=two words.txt|b=c",
		  PARAM_ODD_SYNTAX },
		{ STR("a=\"b\" junk; c=d"), "a=b|c=d", PARAM_ODD_SYNTAX },
		{ STR("junk; c=d"), "c=d", 0 },
		{ STR("=x; c=d"), "c=d", PARAM_ODD_SYNTAX },
		{ STR("a=; c=d"), "a=|c=d", PARAM_ODD_SYNTAX },
		{ STR("a=text/plain"), "a=text/plain", PARAM_ODD_SYNTAX },
		{ STR("a=1; A=2"), "a=1", PARAM_ODD_TWICE },
		{ STR("a*=''1; A*=''2"), "a=1", PARAM_ODD_TWICE },
		/* RFC 2231 3 and 4 */
		{ STR("url*0=\"ftp://\"; url*1=\"cs.utk.edu/x\""),
		  "url=ftp://cs.utk.edu/x", 0 },
		{ STR("title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),
		  "title=This is ***fun***", 0 },
		{ STR("title*0*=us-ascii'en'This%20is%20even%20more%20; "
		      "title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\""),
		  "title=This is even more ***fun*** isn't it!", 0 },
		{ STR("f*1=b; f*0=a; f*2=c"), "f=abc", 0 },
		{ STR("f*=iso-8859-1''%E9; f=e"), "f=\xc3\xa9", 0 },
		{ STR("f=e; f*=iso-8859-1''%E9"), "f=\xc3\xa9", 0 },
		/* a character in two pieces */
		{ STR("f*0*=utf-8''%C3; f*1*=%A9"), "f=\xc3\xa9", 0 },
		{ STR("f*0=a; f*2=c"), "f=a", PARAM_ODD_GAP },
		{ STR("f*1=b; f*2=c"), "", PARAM_ODD_GAP },
		{ STR("f*01=b"), "f*01=b", 0 },
		{ STR("f*x=b"), "f*x=b", 0 },
		{ STR("f*=no-quotes"), "f=no-quotes", 0 },
		{ STR("f*=utf-8''%zz%4"), "f=%zz%4", 0 },
		{ STR("f*=none''%C3%A9"), "f=\xc3\xa9", PARAM_ODD_CHARSET },
		{ STR("f*=utf-8''%FF"), "f=\xef\xbf\xbd", PARAM_ODD_CHARSET },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct param_list list = parse(cases[i].in);

		cr_assert_str_eq(shown(&list), cases[i].out, "case %zu: %s", i,
				 shown(&list));
		cr_assert_eq(list.odd & ~(cases[i].odd | PARAM_ODD_SYNTAX), 0,
			     "case %zu: %x", i, list.odd);
		cr_assert_eq(list.odd & cases[i].odd, cases[i].odd, "case %zu: %x", i,
			     list.odd);
	}
}

Test(param, keeps_what_says_how_a_value_was_written)
{
	struct param_list list = parse(STR("a=b; t*=iso-8859-1'fr'%E9t%E9"));

	cr_assert_eq(list.n, 2);
	cr_assert(!list.param[0].is_extended && list.param[0].charset.len == 0);
	cr_assert(list.param[1].is_extended);
	cr_assert(str_eq(list.param[1].charset, STR("iso-8859-1")));
	cr_assert(str_eq(list.param[1].lang, STR("fr")));
	cr_assert(str_eq(param_find(list.param, list.n, STR("T")),
			 STR("\xc3\xa9t\xc3\xa9")));
	cr_assert_null(param_find(list.param, list.n, STR("c")).p);
}

Test(param, has_a_limit_of_parameters_and_of_pieces)
{
	char in[2048];
	size_t n = 0;
	struct param_list list;

	for (unsigned i = 0; i < PARAM_MAX; i++)
		n += (size_t)sprintf(in + n, "a%u=%u;", i, i);
	list = parse((struct str){ in, n });
	cr_assert_eq(list.n, PARAM_MAX);
	cr_assert_eq(list.odd, 0);
	n += (size_t)sprintf(in + n, "more=1;");
	list = parse((struct str){ in, n });
	cr_assert_eq(list.n, PARAM_MAX);
	cr_assert_eq(list.odd, PARAM_ODD_MANY);
	n = 0;
	for (unsigned i = 0; i < PARAM_PIECES_MAX; i++)
		n += (size_t)sprintf(in + n, "f*%u=x;", i);
	list = parse((struct str){ in, n });
	cr_assert_eq(list.param[0].value.len, PARAM_PIECES_MAX);
	cr_assert_eq(list.odd, 0);
	n += (size_t)sprintf(in + n, "f*%u=x;", PARAM_PIECES_MAX);
	list = parse((struct str){ in, n });
	cr_assert_eq(list.param[0].value.len, PARAM_PIECES_MAX);
	cr_assert_eq(list.odd, PARAM_ODD_MANY);
}

Test(param, writes_no_more_pieces_than_it_reads)
{
	static const char name[] = "a-name-of-forty-characters-that-leaves-x";
	char value[PARAM_VALUE_MAX], out[32 * 1024];
	struct str given = { value, sizeof(value) - 2 };
	struct wr w = wr_of(out, sizeof(out));
	struct param_list list;

	for (size_t i = 0; i + 3 <= sizeof(value); i += 3)
		memcpy(value + i, "\xe2\x82\xac", 3);
	param_emit(&w, str_of(name), given);
	cr_assert(!w.bad);
	given = (struct str){ out, (size_t)(w.p - (uint8_t *)out) };
	list = parse(given);
	cr_assert_eq(list.n, 1);
	cr_assert_eq(list.odd, 0);
	cr_assert_eq(list.param[0].value.len, sizeof(value) - 2);
	cr_assert_arr_eq(list.param[0].value.p, value, sizeof(value) - 2);
}

Test(param, has_a_limit_of_a_value_in_pieces)
{
	static char in[PARAM_VALUE_MAX + 64];
	struct param_list list;
	size_t n = (size_t)sprintf(in, "f*0=");

	memset(in + n, 'x', PARAM_VALUE_MAX);
	n += PARAM_VALUE_MAX;
	list = parse((struct str){ in, n });
	cr_assert_eq(list.param[0].value.len, PARAM_VALUE_MAX);
	cr_assert_eq(list.odd, 0);
	n += (size_t)sprintf(in + n, ";f*1=y");
	list = parse((struct str){ in, n });
	cr_assert_eq(list.odd, PARAM_ODD_MANY);
}

Test(param, says_when_its_text_has_no_room)
{
	char small[4];
	struct wr w = wr_of(small, sizeof(small));
	struct param_list list;

	param_parse(STR("a=\"12345\"; b=\"1\""), &w, &list);
	cr_assert_eq(list.odd, PARAM_ODD_MANY);
	cr_assert(list.param[0].value.len <= sizeof(small));
}

static struct str emit(struct str name, struct str value)
{
	static char out[16384];
	struct wr w = wr_of(out, sizeof(out));

	param_emit(&w, name, value);
	cr_assert(!w.bad);
	return lex_since(&w, (uint8_t *)out);
}

Test(param, writes_the_plainest_form_that_can_say_it)
{
	static const struct {
		struct str value;
		const char *out;
	} cases[] = {
		{ STR("utf-8"), ";\r\n\tname=utf-8" },
		{ STR("two words"), ";\r\n\tname=\"two words\"" },
		{ STR("a\"b\\c"), ";\r\n\tname=\"a\\\"b\\\\c\"" },
		{ STR(""), ";\r\n\tname=\"\"" },
		{ STR("\xc3\xa9 %.txt"), ";\r\n\tname*=utf-8''%C3%A9%20%25.txt" },
		{ STR("a\r\nb"), ";\r\n\tname*=utf-8''a%0D%0Ab" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = emit(STR("name"), cases[i].value);

		cr_assert(str_eq(got, str_of(cases[i].out)), "case %zu: %.*s", i,
			  (int)got.len, got.p);
	}
}

Test(param, gives_back_what_was_written)
{
	static const char *const some[] = { "a", " ", "\"", "\xc3\xa9",	   "\xe2\x82\xac",
					    "'", "%", "*",  "longer-word", "\t" };
	struct rng rng;

	rng_init(&rng, 4);
	for (unsigned i = 0; i < 2000; i++) {
		char value[1000];
		size_t n = 0;
		struct str got, rest;
		struct param_list list;

		while (n < 500 && !rng_chance(&rng, 0.02))
			n += (size_t)sprintf(value + n, "%s",
					     some[rng_below(&rng, ARRAY_LEN(some))]);
		got = emit(STR("filename"), (struct str){ value, n });
		for (rest = got; rest.len > 0;)
			cr_assert(str_cut(rest, '\n', &rest).len <= 78);
		list = parse(got);
		cr_assert_eq(list.odd, 0);
		cr_assert_eq(list.n, 1);
		cr_assert(str_eq(list.param[0].value, (struct str){ value, n }),
			  "%.*s\n%.*s", (int)n, value, (int)got.len, got.p);
	}
}

Test(param, writes_an_extended_value_in_one_piece)
{
	char out[64];
	struct wr w = wr_of(out, sizeof(out));

	param_emit_extended(&w, STR("na\xc3\xafve.txt"), STR("en"));
	cr_assert(str_eq(lex_since(&w, (uint8_t *)out), STR("utf-8'en'na%C3%AFve.txt")));
}

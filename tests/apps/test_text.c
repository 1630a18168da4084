#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/pbmail/text.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"

static char *shown;
static size_t shown_len;
static FILE *to;

static void setup(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	to = open_memstream(&shown, &shown_len);
}

static void clean(void)
{
	free(shown);
}

Cases(text, setup, clean);

static const char *put(const char *text, size_t len)
{
	rewind(to);
	text_put(to, (struct str){ text, len });
	fputc('\0', to);
	fflush(to);
	return shown;
}

static const char *wrap(const char *text, unsigned width)
{
	rewind(to);
	text_wrap(to, str_of(text), width);
	fputc('\0', to);
	fflush(to);
	return shown;
}

static const char *column(const char *text, unsigned width)
{
	rewind(to);
	text_put_column(to, str_of(text), width);
	fputc('\0', to);
	fflush(to);
	return shown;
}

Case(text, nothing_steers_the_terminal)
{
	static const struct {
		struct str in;
		const char *out;
	} cases[] = {
		{ STR("plain"), "plain" },
		{ STR("a\x1b[31mred\x1b[0mb"), "aredb" },
		{ STR("a\x1b[2J\x1b[Hb"), "ab" },
		{ STR("a\x1b]0;title\x07z"), "az" },
		{ STR("a\x1b]52;c;cm0=\x1b\\z"), "az" },
		{ STR("a\x1bPq#0\x1b\\z"), "az" },
		{ STR("a\x1b_apc\xc2\x9cz"), "az" },
		{ STR("a\xc2\x9b"
		      "31mz"),
		  "az" },
		{ STR("a\x1b(Bz"), "az" },
		{ STR("a\x1b"
		      "cz"),
		  "az" },
		{ STR("a\x1b"), "a" },
		{ STR("a\x1b["), "a" },
		{ STR("a\x1b]never ends"), "a" },
		{ STR("a\x1b\x1b[31mz"), "az" },
		{ STR("\x07\x08\x7f\r\x0e\x0f"
		      "a\0b"),
		  "ab" },
		{ STR("a\tb\nc"), "a b c" },
		{ STR("\xff\xc3z"), "\xef\xbf\xbd\xef\xbf\xbdz" },
		{ STR("\x9b"
		      "31mz"),
		  "\xef\xbf\xbd"
		  "31mz" },
		{ STR("a\xe2\x80\xaegpj.exe"), "agpj.exe" },
		{ STR("a\xe2\x81\xa6z\xe2\x81\xa9"), "az" },
		{ STR("K\xc3\xb6ln \xf0\x9f\x9a\xa2"), "K\xc3\xb6ln \xf0\x9f\x9a\xa2" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		cr_expect_str_eq(put(cases[i].in.p, cases[i].in.len), cases[i].out,
				 "case %zu: '%s'", i, shown);
}

Case(text, no_part_of_an_escape_survives_whatever_is_cut)
{
	static const char text[] = "a\x1b]0;t\x1b\\\x1b[1;31mb\xc2\x9d"
				   "x\xc2\x9c\x1b(B\xe2\x80\xae.";

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		for (const char *p = put(text, i); *p; p++)
			cr_assert((unsigned char)*p >= ' ' && *p != 0x7f, "cut at %zu",
				  i);
}

Case(text, lines_break_at_blanks)
{
	cr_assert_str_eq(wrap("one two three", 7), "one two\nthree\n");
	cr_assert_str_eq(wrap("one two three", 8), "one two\nthree\n");
	cr_assert_str_eq(wrap("one two three\n", 0), "one two three\n");
	cr_assert_str_eq(wrap("one\r\ntwo\n\nthree", 80), "one\ntwo\n\nthree\n");
	cr_assert_str_eq(wrap("  two blanks first", 10), "  two\nblanks\nfirst\n");
	cr_assert_str_eq(wrap("a\tb", 80), "a       b\n");
	cr_assert_str_eq(wrap("", 80), "");
}

Case(text, a_word_that_is_too_long_stays_whole)
{
	cr_assert_str_eq(wrap("see http://a.example/long/path now", 10),
			 "see\nhttp://a.example/long/path\nnow\n");
}

Case(text, width_is_of_columns_and_not_of_bytes)
{
	/* Each of these takes two columns; the combining mark none. */
	cr_assert_str_eq(wrap("\xe5\x8c\x97\xe4\xba\xac \xe5\x8c\x97", 5),
			 "\xe5\x8c\x97\xe4\xba\xac\n\xe5\x8c\x97\n");
	cr_assert_str_eq(wrap("\xe5\x8c\x97\xe4\xba\xac \xe5\x8c\x97", 7),
			 "\xe5\x8c\x97\xe4\xba\xac \xe5\x8c\x97\n");
	cr_assert_str_eq(wrap("o\xcc\x88o\xcc\x88 o\xcc\x88", 4),
			 "o\xcc\x88o\xcc\x88 o\xcc\x88\n");
}

Case(text, columns_are_cut_and_filled)
{
	cr_assert_str_eq(column("abc", 5), "abc  ");
	cr_assert_str_eq(column("abcdef", 3), "abc");
	cr_assert_str_eq(column("a\xe5\x8c\x97", 2), "a ");
	cr_assert_str_eq(column("a\nb", 3), "a b");
}

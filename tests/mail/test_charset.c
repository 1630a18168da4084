#include <criterion/criterion.h>

#include "apps/mail/wire/charset.h"
#include "stack/base/check.h"

/* Whole and byte by byte: the same text, the same notes. */
static struct str convert(struct str name, struct str in, char *out, size_t room,
			  uint32_t *odd)
{
	char cut_out[256];
	struct wr whole = wr_of(out, room), cut = wr_of(cut_out, room);
	struct charset c;

	*odd = charset_to_utf8(name, in, &whole);
	charset_open(&c, name);
	for (size_t i = 0; i < in.len; i++)
		charset_feed(&c, (struct str){ in.p + i, 1 }, &cut);
	charset_end(&c, &cut);
	charset_close(&c);
	cr_assert_eq(c.odd, *odd, "%x %x", c.odd, *odd);
	cr_assert_eq(cut.p - (uint8_t *)cut_out, whole.p - (uint8_t *)out);
	cr_assert_eq(memcmp(cut_out, out, (size_t)(whole.p - (uint8_t *)out)), 0);
	return (struct str){ out, (size_t)(whole.p - (uint8_t *)out) };
}

Test(charset, reads_many_sets_and_says_what_was_odd)
{
	static const struct {
		struct str name, in, out;
		uint32_t odd;
	} cases[] = {
		{ STR("us-ascii"), STR("abc"), STR("abc"), 0 },
		{ STR("UTF-8"), STR("\xc3\xa9\xe2\x82\xac"), STR("\xc3\xa9\xe2\x82\xac"),
		  0 },
		{ STR(""), STR("\xc3\xa9"), STR("\xc3\xa9"), 0 },
		{ STR("ISO-8859-1"), STR("\xe9t\xe9"), STR("\xc3\xa9t\xc3\xa9"), 0 },
		{ STR("iso-8859-15"), STR("\xa4"), STR("\xe2\x82\xac"), 0 },
		{ STR("koi8-r"), STR("\xc4\xc1"), STR("\xd0\xb4\xd0\xb0"), 0 },
		{ STR("iso-2022-jp"), STR("\x1b$B$\"\x1b(B."), STR("\xe3\x81\x82."), 0 },
		{ STR("utf-8"),
		  STR("a\xff"
		      "b"),
		  STR("a\xef\xbf\xbd"
		      "b"),
		  CHARSET_ODD_BYTES },
		{ STR("utf-8"), STR("a\xe2\x82"), STR("a\xef\xbf\xbd"),
		  CHARSET_ODD_BYTES },
		{ STR("gb18030"), STR("\xc4\xe3\x81"), STR("\xe4\xbd\xa0\xef\xbf\xbd"),
		  CHARSET_ODD_BYTES },
		{ STR("no-such-set"), STR("a\xc3\xa9\xff"), STR("a\xc3\xa9\xef\xbf\xbd"),
		  CHARSET_ODD_NAME | CHARSET_ODD_BYTES },
		{ STR("utf-16//IGNORE"), STR("a"), STR("a"), CHARSET_ODD_NAME },
		{ STR("../evil"), STR("a"), STR("a"), CHARSET_ODD_NAME },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char out[256];
		uint32_t odd;
		struct str got =
			convert(cases[i].name, cases[i].in, out, sizeof(out), &odd);

		cr_assert(str_eq(got, cases[i].out), "case %zu: %.*s", i, (int)got.len,
			  got.p);
		cr_assert_eq(odd, cases[i].odd, "case %zu: %x", i, odd);
	}
}

Test(charset, refuses_names_beyond_their_length)
{
	char name[CHARSET_NAME_MAX + 1], out[8];
	struct wr w = wr_of(out, sizeof(out));

	memset(name, 'x', sizeof(name));
	cr_assert_eq(charset_to_utf8((struct str){ name, sizeof(name) }, STR("a"), &w),
		     CHARSET_ODD_NAME);
}

Test(charset, ends_at_a_whole_character_when_there_is_no_room)
{
	static const struct str sets[] = { STR("utf-8"), STR("iso-8859-1"),
					   STR("koi8-r") };
	static const struct str text[] = { STR("aa\xc3\xa9\xc3\xa9"), STR("aa\xe9\xe9"),
					   STR("aa\xc4\xc4") };

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		for (size_t room = 0; room < 6; room++) {
			char out[8];
			struct wr w = wr_of(out, room);

			cr_assert_eq(charset_to_utf8(sets[i], text[i], &w),
				     CHARSET_ODD_ROOM);
			cr_assert(w.bad);
			cr_assert_eq((size_t)(w.p - (uint8_t *)out), room == 3 ? 2 :
								     room == 5 ? 4 :
										 room);
		}
	}
}

Test(charset, knows_utf8_by_its_rules)
{
	static const struct str bad[] = {
		STR("\x80"),	     STR("\xc0\x80"),	      STR("\xc1\xbf"),
		STR("\xe0\x9f\xbf"), STR("\xed\xa0\x80"),     STR("\xf0\x8f\xbf\xbf"),
		STR("\xf5\x80"),     STR("\xf4\x90\x80\x80"), STR("\xc3("),
		STR("\xe2\x82("),
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cr_assert_eq(charset_utf8_char(bad[i]), 0, "case %zu", i);
		cr_assert(!charset_is_utf8(bad[i]));
	}
	cr_assert_eq(charset_utf8_char(STR("\xf0\x9f\x98\x80")), 4);
	cr_assert_eq(charset_utf8_char(STR("\xf0\x9f\x98")), -1);
	cr_assert_eq(charset_utf8_char(STR("\xed\x9f")), -1);
	cr_assert(charset_is_utf8(STR("a\xc3\xa9\xf4\x8f\xbf\xbf")));
	cr_assert(!charset_is_utf8(STR("a\xc3")));
}

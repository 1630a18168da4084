#include <criterion/criterion.h>
#include <stdio.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/lex.h"
#include "stack/base/check.h"
#include "stack/base/rng.h"

static char out[8192];

static struct str decode(struct str in, uint32_t *odd)
{
	struct wr w = wr_of(out, sizeof(out));

	*odd = enc_word_decode(in, &w);
	return lex_since(&w, (uint8_t *)out);
}

Test(enc_word, decodes_words_where_they_stand)
{
	static const struct {
		struct str in, out;
		uint32_t odd;
	} cases[] = {
		{ STR("plain"), STR("plain"), 0 },
		{ STR(""), STR(""), 0 },
		/* RFC 2047 8 */
		{ STR("=?ISO-8859-1?Q?a?="), STR("a"), 0 },
		{ STR("=?ISO-8859-1?Q?a?= b"), STR("a b"), 0 },
		{ STR("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?="), STR("ab"), 0 },
		{ STR("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?="), STR("ab"), 0 },
		{ STR("=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?="), STR("ab"), 0 },
		{ STR("=?ISO-8859-1?Q?a_b?="), STR("a b"), 0 },
		{ STR("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?="), STR("a b"), 0 },
		{ STR("=?utf-8?b?w6k=?="), STR("\xc3\xa9"), 0 },
		{ STR("=?utf-8*en?q?=C3=A9?="), STR("\xc3\xa9"), 0 },
		{ STR("Re: =?iso-8859-1?Q?Andr=E9?=, x"), STR("Re: Andr\xc3\xa9, x"), 0 },
		{ STR("(=?utf-8?q?a?=)"), STR("(a)"), 0 },
		{ STR("folded\r\n line"), STR("folded line"), 0 },
		/* a character in two words */
		{ STR("=?utf-8?B?ww==?= =?utf-8?B?qQ==?="), STR("\xc3\xa9"), 0 },
		{ STR("=?utf-8?Q?=E2=82?= =?UTF-8?B?rA==?="), STR("\xe2\x82\xac"), 0 },
		/* and one that has its end nowhere */
		{ STR("=?utf-8?Q?=E2=82?= x"), STR("\xef\xbf\xbd x"),
		  ENC_WORD_ODD_CHARSET },
		{ STR("=?utf-8?Q?=E2=82?= =?koi8-r?Q?=C4?="), STR("\xef\xbf\xbd\xd0\xb4"),
		  ENC_WORD_ODD_CHARSET },
		/* what is none stays */
		{ STR("=?utf-8?X?abc?="), STR("=?utf-8?X?abc?="), ENC_WORD_ODD_SYNTAX },
		{ STR("=?utf-8?Q?a b?="), STR("=?utf-8?Q?a b?="), ENC_WORD_ODD_SYNTAX },
		{ STR("=?utf-8?Q?ab?"), STR("=?utf-8?Q?ab?"), ENC_WORD_ODD_SYNTAX },
		{ STR("=??Q?ab?="), STR("=??Q?ab?="), ENC_WORD_ODD_SYNTAX },
		{ STR("=?utf-8?Q?a?= =?b"), STR("a =?b"), ENC_WORD_ODD_SYNTAX },
		{ STR("=?"), STR("=?"), ENC_WORD_ODD_SYNTAX },
		{ STR("=?utf-8?Q?=zz?="), STR("=zz"), ENC_WORD_ODD_ENC },
		{ STR("=?utf-8?B?w6k?="), STR("\xc3\xa9"), ENC_WORD_ODD_ENC },
		{ STR("=?none?Q?=C3=A9?="), STR("\xc3\xa9"), ENC_WORD_ODD_CHARSET },
		{ STR("raw \xc3\xa9 \xe9"), STR("raw \xc3\xa9 \xef\xbf\xbd"),
		  ENC_WORD_ODD_RAW },
		/* no second line, no escape sequence */
		{ STR("=?utf-8?Q?a=0D=0ABcc:_b=1B=00?="), STR("a  Bcc: b  "), 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t odd;
		struct str got = decode(cases[i].in, &odd);

		cr_assert(str_eq(got, cases[i].out), "case %zu: \"%.*s\"", i,
			  (int)got.len, got.p);
		cr_assert_eq(odd, cases[i].odd, "case %zu: %x", i, odd);
	}
}

Test(enc_word, notes_words_beyond_75_characters)
{
	char in[200];
	uint32_t odd;

	snprintf(in, sizeof(in), "=?utf-8?Q?%0*d?=", ENC_WORD_MAX - 12, 0);
	decode(str_of(in), &odd);
	cr_assert_eq(odd, 0);
	snprintf(in, sizeof(in), "=?utf-8?Q?%0*d?=", ENC_WORD_MAX - 11, 0);
	cr_assert_eq(decode(str_of(in), &odd).len, ENC_WORD_MAX - 11);
	cr_assert_eq(odd, ENC_WORD_ODD_LONG);
}

Test(enc_word, is_cut_at_a_character_when_there_is_no_room)
{
	for (size_t room = 0; room < 8; room++) {
		struct wr w = wr_of(out, room);

		cr_assert_eq(enc_word_decode(STR("=?iso-8859-1?Q?=E9=E9=E9=E9?="), &w),
			     ENC_WORD_ODD_ROOM);
		cr_assert_eq((size_t)(w.p - (uint8_t *)out), room & ~(size_t)1);
	}
}

static struct str encode(struct str in, enum enc_word_kind kind, size_t col)
{
	static char text[32768];
	struct wr w = wr_of(text, sizeof(text));

	enc_word_encode(in, kind, &col, &w);
	cr_assert(!w.bad);
	return lex_since(&w, (uint8_t *)text);
}

Test(enc_word, encodes_only_what_needs_it)
{
	static const struct {
		enum enc_word_kind kind;
		struct str in, out;
	} cases[] = {
		{ ENC_WORD_TEXT, STR("plain text"), STR("plain text") },
		{ ENC_WORD_TEXT, STR(""), STR("") },
		{ ENC_WORD_TEXT, STR("na\xc3\xafve plan"),
		  STR("=?utf-8?B?bmHDr3Zl?= plan") },
		{ ENC_WORD_TEXT, STR("a \xc3\xa9 \xc3\xa9 b"),
		  STR("a =?utf-8?B?w6kgw6k=?= b") },
		{ ENC_WORD_TEXT, STR("=?no?Q?word?="),
		  STR("=?utf-8?B?PT9ubz9RP3dvcmQ/PQ==?=") },
		{ ENC_WORD_TEXT, STR("\xc3\xa9 with words"),
		  STR("=?utf-8?B?w6k=?= with words") },
		{ ENC_WORD_TEXT, STR("a\r\nBcc: b"), STR("a  Bcc: b") },
		{ ENC_WORD_PHRASE, STR("J. Doe"), STR("J. Doe") },
		{ ENC_WORD_PHRASE, STR("J\xc3\xb6rg (x)"),
		  STR("=?utf-8?B?SsO2cmcgKHgp?=") },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = encode(cases[i].in, cases[i].kind, 10);

		cr_assert(str_eq(got, cases[i].out), "case %zu: %.*s", i, (int)got.len,
			  got.p);
	}
}

/* No line beyond 76 characters when it has a word, no word beyond 75 that is not whole
 * characters, and 7bit. */
static void check_lines(struct str s, size_t col)
{
	while (s.len > 0) {
		struct str line = str_cut(s, '\n', &s);

		cr_assert(line.len <= ENC_WORD_LINE_MAX - col + 1, "%.*s", (int)line.len,
			  line.p);
		cr_assert(charset_is_ascii(line));
		for (const char *p = line.p;
		     (p = memmem(p, (size_t)(line.p + line.len - p), "=?utf-8?", 8));
		     p += 8) {
			struct str word = { p, 10 };
			uint32_t odd;

			while (memcmp(p + word.len, "?=", 2) != 0)
				word.len++;
			word.len += 2;
			cr_assert(word.len <= ENC_WORD_MAX);
			cr_assert(charset_is_utf8(decode(word, &odd)));
			cr_assert_eq(odd, 0);
		}
		col = 0;
	}
}

Test(enc_word, gives_back_what_was_encoded)
{
	static const char *const some[] = { "a",	  "word ",
					    "\xc3\xa9",	  "\xe2\x82\xac",
					    " ",	  "\xf0\x9f\x98\x80",
					    "=?",	  "?=",
					    "longerword", "_" };
	struct rng rng;

	rng_init(&rng, 3);
	for (unsigned i = 0; i < 2000; i++) {
		size_t col = rng_below(&rng, 40), n = 1;
		char in[1024] = "\xc3\xa9";
		uint32_t odd;
		struct str coded;

		for (n = 2; n < 700 && !rng_chance(&rng, 0.01);)
			n += (size_t)sprintf(in + n, "%s",
					     some[rng_below(&rng, ARRAY_LEN(some))]);
		strcpy(in + n, "x");
		coded = encode(str_of(in), i % 2 ? ENC_WORD_TEXT : ENC_WORD_PHRASE, col);
		check_lines(coded, col);
		cr_assert(str_eq(decode(coded, &odd), str_of(in)), "%s\n%.*s", in,
			  (int)coded.len, coded.p);
		cr_assert_eq(odd, 0);
	}
}

Test(enc_word, shows_what_is_no_utf8_as_such)
{
	uint32_t odd;

	cr_assert(str_eq(decode(encode(STR("a\xff"), ENC_WORD_TEXT, 0), &odd),
			 STR("a\xef\xbf\xbd")));
}

#include <criterion/criterion.h>
#include <stdlib.h>

#include "apps/mail/wire/enc_impl.h"
#include "stack/base/check.h"
#include "stack/base/rng.h"

enum { BIG = 5000 };

static char out[8 * BIG];

/* Decodes in pieces of @step; the result is in @out. */
static struct str decode_cut(enum enc enc, struct str in, size_t step, uint32_t *odd)
{
	struct enc_decoder d;
	size_t n = 0;

	enc_decode_init(&d, enc);
	for (size_t at = 0; at < in.len; at += step) {
		size_t len = in.len - at < step ? in.len - at : step;

		n += enc_decode(&d, (struct str){ in.p + at, len }, out + n);
	}
	n += enc_decode_end(&d, out + n);
	*odd = d.odd;
	return (struct str){ out, n };
}

/* Whole, and in pieces of 1 to 5 bytes: the same. */
static struct str decode(enum enc enc, struct str in, uint32_t *odd)
{
	static char whole[8 * BIG];
	struct str first = decode_cut(enc, in, in.len + 1, odd);

	memcpy(whole, first.p, first.len);
	first.p = whole;
	for (size_t step = 1; step <= 5; step++) {
		uint32_t odd_cut;
		struct str cut = decode_cut(enc, in, step, &odd_cut);

		cr_assert(str_eq(cut, first), "pieces of %zu: \"%.*s\"", step,
			  (int)cut.len, cut.p);
		cr_assert_eq(odd_cut, *odd, "pieces of %zu: %x", step, odd_cut);
	}
	return first;
}

static struct str encode_cut(enum enc enc, bool is_text, struct str in, size_t step)
{
	struct enc_encoder e;
	size_t n = 0;

	enc_encode_init(&e, enc, is_text);
	for (size_t at = 0; at < in.len; at += step) {
		size_t len = in.len - at < step ? in.len - at : step;

		n += enc_encode(&e, (struct str){ in.p + at, len }, out + n);
	}
	n += enc_encode_end(&e, out + n);
	return (struct str){ out, n };
}

static struct str encode(enum enc enc, bool is_text, struct str in)
{
	static char whole[8 * BIG];
	struct str first = encode_cut(enc, is_text, in, in.len + 1);

	memcpy(whole, first.p, first.len);
	first.p = whole;
	for (size_t step = 1; step <= 60; step = step < 5 ? step + 1 : step * 2)
		cr_assert(str_eq(encode_cut(enc, is_text, in, step), first),
			  "pieces of %zu", step);
	return first;
}

struct decoded {
	struct str in, out;
	uint32_t odd;
};

static void check_all(enum enc enc, const struct decoded *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t odd;
		struct str got = decode(enc, cases[i].in, &odd);

		cr_assert(str_eq(got, cases[i].out), "%.*s: \"%.*s\"",
			  (int)cases[i].in.len, cases[i].in.p, (int)got.len, got.p);
		cr_assert_eq(odd, cases[i].odd, "%.*s: %x", (int)cases[i].in.len,
			     cases[i].in.p, odd);
	}
}

Test(enc, knows_the_names_in_any_case)
{
	cr_assert_eq(enc_of_name(STR("BASE64")), ENC_BASE64);
	cr_assert_eq(enc_of_name(STR("Quoted-Printable")), ENC_QP);
	cr_assert_eq(enc_of_name(STR("x-uuencode")), ENC_OTHER);
	cr_assert_eq(enc_of_name(STR("")), ENC_OTHER);
	for (enum enc e = ENC_7BIT; e < ENC_OTHER; e++)
		cr_assert_eq(enc_of_name(enc_name(e)), e);
}

Test(enc, decodes_base64_and_says_what_was_odd)
{
	static const struct decoded cases[] = {
		{ STR(""), STR(""), 0 },
		{ STR("Zg=="), STR("f"), 0 },
		{ STR("Zm8="), STR("fo"), 0 },
		{ STR("Zm9v"), STR("foo"), 0 },
		{ STR("Zm9vYmFy\r\n"), STR("foobar"), 0 },
		{ STR("Zm\r\n9v\r\n \tYg=="), STR("foob"), 0 },
		{ STR("Zm9v!Ym*Fy"), STR("foobar"), ENC_ODD_CHAR },
		{ STR("Zg"), STR("f"), ENC_ODD_PADDING },
		{ STR("Zg="), STR("f"), ENC_ODD_PADDING },
		{ STR("Zm8"), STR("fo"), ENC_ODD_PADDING },
		{ STR("Z"), STR(""), ENC_ODD_PADDING },
		{ STR("Z="), STR(""), ENC_ODD_PADDING },
		{ STR("="), STR(""), ENC_ODD_PADDING },
		{ STR("Zm8=="), STR("fo"), ENC_ODD_PADDING },
		{ STR("Zg==Zm9v"), STR("ffoo"), ENC_ODD_AFTER },
		{ STR("Zg=Zm9v"), STR("ffoo"), ENC_ODD_AFTER | ENC_ODD_PADDING },
		{ STR("Zm9v\x80\xff"), STR("foo"), ENC_ODD_CHAR },
		{ STR("//++"), STR("\xff\xff\xbe"), 0 },
	};

	check_all(ENC_BASE64, cases, ARRAY_LEN(cases));
}

Test(enc, decodes_quoted_printable_and_says_what_was_odd)
{
	static const struct decoded cases[] = {
		{ STR("plain text\r\n"), STR("plain text\r\n"), 0 },
		{ STR("a=3Db"), STR("a=b"), 0 },
		{ STR("a=C3=A9"), STR("a\xc3\xa9"), 0 },
		{ STR("a=c3=A9"), STR("a\xc3\xa9"), ENC_ODD_CASE },
		{ STR("soft=\r\nbreak"), STR("softbreak"), 0 },
		{ STR("soft=\nbreak"), STR("softbreak"), 0 },
		{ STR("soft= \t\r\nbreak"), STR("softbreak"), ENC_ODD_BLANKS },
		{ STR("trailing \t\r\nnext"), STR("trailing\r\nnext"), ENC_ODD_BLANKS },
		{ STR("kept=20\r\n"), STR("kept \r\n"), 0 },
		{ STR("end  "), STR("end"), 0 },
		{ STR("a=ZZ"), STR("a=ZZ"), ENC_ODD_ESCAPE },
		{ STR("a=4Z"), STR("a=4Z"), ENC_ODD_ESCAPE },
		{ STR("a==3D"), STR("a=="), ENC_ODD_ESCAPE },
		{ STR("a= b"), STR("a= b"), ENC_ODD_ESCAPE | ENC_ODD_BLANKS },
		{ STR("a=\rb"), STR("ab"), ENC_ODD_ESCAPE },
		{ STR("a="), STR("a"), ENC_ODD_END },
		{ STR("a=4"), STR("a=4"), ENC_ODD_END },
		{ STR("a\xe9"), STR("a\xe9"), ENC_ODD_CHAR },
		{ STR("=00"), { "\0", 1 }, 0 },
	};

	check_all(ENC_QP, cases, ARRAY_LEN(cases));
}

Test(enc, holds_back_no_more_blanks_than_a_line_has)
{
	char in[200];
	uint32_t odd;

	memset(in, ' ', sizeof(in));
	in[199] = 'x';
	cr_assert(str_eq(decode(ENC_QP, (struct str){ in, 200 }, &odd),
			 (struct str){ in, 200 }));
	cr_assert_eq(odd, ENC_ODD_LONG_LINE);
	in[0] = '=';
	in[199] = '\n';
	decode(ENC_QP, (struct str){ in, 200 }, &odd);
	cr_assert_eq(odd, ENC_ODD_LONG_LINE | ENC_ODD_ESCAPE | ENC_ODD_BLANKS);
}

Test(enc, notes_lines_beyond_76_characters)
{
	char in[78];
	uint32_t odd;

	memset(in, 'A', sizeof(in));
	decode(ENC_BASE64, (struct str){ in, 76 }, &odd);
	cr_assert_eq(odd, 0);
	decode(ENC_BASE64, (struct str){ in, 77 }, &odd);
	cr_assert_eq(odd, ENC_ODD_LONG_LINE | ENC_ODD_PADDING);
	decode(ENC_QP, (struct str){ in, 76 }, &odd);
	cr_assert_eq(odd, 0);
	decode(ENC_QP, (struct str){ in, 77 }, &odd);
	cr_assert_eq(odd, ENC_ODD_LONG_LINE);
}

Test(enc, encodes_quoted_printable)
{
	static const struct {
		bool is_text;
		struct str in, out;
	} cases[] = {
		{ true, STR("a=b\r\n"), STR("a=3Db\r\n") },
		{ true, STR("blank \r\ntab\t\r\n"), STR("blank=20\r\ntab=09\r\n") },
		{ true, STR("a b"), STR("a b") },
		{ true, STR("end "), STR("end=20") },
		{ true, STR("bare\rcr\nlf"), STR("bare=0Dcr=0Alf") },
		{ true, STR("\r\r\n"), STR("=0D\r\n") },
		{ true, STR("end\r"), STR("end=0D") },
		{ true, STR(".\r\n..\r\na.\r\n"), STR("=2E\r\n=2E.\r\na.\r\n") },
		{ false, STR("a \r\n"), STR("a =0D=0A") },
		{ true, STR("\xc3\xa9\x7f"), STR("=C3=A9=7F") },
		{ true, { "\0", 1 }, STR("=00") },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct str got = encode(ENC_QP, cases[i].is_text, cases[i].in);

		cr_assert(str_eq(got, cases[i].out), "case %zu: %.*s", i, (int)got.len,
			  got.p);
	}
}

/* No line is longer than 76 characters, and each ends with CRLF. */
static void check_lines(struct str s)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		len = s.p[i] == '\n' ? 0 : len + 1;
		cr_assert(s.p[i] != '\n' || s.p[i - 1] == '\r');
		cr_assert(len <= ENC_LINE_MAX + 1);
		cr_assert(len <= ENC_LINE_MAX || s.p[i] == '\r');
	}
}

static void fill(struct rng *rng, char *bytes, size_t len, unsigned kind)
{
	static const char few[] = "ab \t=.\r\n\r\n\xc3\xa9";

	for (size_t i = 0; i < len; i++)
		bytes[i] = kind == 0 ? (char)rng_u32(rng) :
				       few[rng_below(rng, sizeof(few) - 1)];
}

Test(enc, gives_back_what_was_encoded)
{
	static char in[BIG];
	struct rng rng;
	uint32_t odd;

	rng_init(&rng, 1);
	for (unsigned i = 0; i < 300; i++) {
		struct str s = { in, rng_below(&rng, i < 250 ? 200 : BIG) };
		enum enc enc = i % 2 ? ENC_QP : ENC_BASE64;
		struct str coded;

		fill(&rng, in, s.len, i / 2 % 2);
		coded = encode(enc, i / 4 % 2, s);
		check_lines(coded);
		cr_assert(str_eq(decode(enc, coded, &odd), s), "round %u", i);
		cr_assert_eq(odd, 0, "round %u: %x", i, odd);
	}
}

Test(enc, leaves_identity_encodings_as_they_are)
{
	uint32_t odd;

	for (enum enc e = ENC_7BIT; e <= ENC_OTHER; e++) {
		if (e == ENC_QP || e == ENC_BASE64)
			continue;
		cr_assert(str_eq(encode(e, true, STR("=3D\0\xff")), STR("=3D\0\xff")));
		cr_assert(str_eq(decode(e, STR("=3D\0\xff"), &odd), STR("=3D\0\xff")));
		cr_assert_eq(odd, 0);
	}
}

Test(enc, ends_blocks_with_padding)
{
	char block[8];

	cr_assert_eq(enc_b64_block(STR(""), block), 0);
	cr_assert_eq(enc_b64_block(STR("f"), block), 4);
	cr_assert_arr_eq(block, "Zg==", 4);
	cr_assert_eq(enc_b64_block(STR("foob"), block), 8);
	cr_assert_arr_eq(block, "Zm9vYg==", 8);
}

/* In memory of its own, so that a sanitizer sees a byte read too far. */
static char *exact(const char *p, size_t len)
{
	char *copy = malloc(len ? len : 1);

	cr_assert(copy);
	memcpy(copy, p, len);
	return copy;
}

static void same_encoding(const struct enc_b64_loops *a, const struct enc_b64_loops *b,
			  struct str s)
{
	static char by_a[2 * BIG], by_b[2 * BIG];
	size_t n = s.len / 3 * 3, done_a, done_b;
	char *in = exact(s.p, s.len);

	done_a = a->encode(in, n, in + s.len, by_a);
	done_b = b->encode(in, n, in + s.len, by_b);
	cr_assert_eq(done_a, n);
	cr_assert(done_b <= n && done_b % 3 == 0 && n - done_b < 28);
	cr_assert_eq(memcmp(by_a, by_b, done_b / 3 * 4), 0);
	free(in);
}

/* The faster one stops earlier only where too little is left for it. */
static void same_decoding(const struct enc_b64_loops *a, const struct enc_b64_loops *b,
			  struct str s)
{
	size_t used_a, used_b, n_a, n_b;
	char *by_a = malloc(s.len + ENC_ROOM), *by_b = malloc(s.len + ENC_ROOM);
	char *in = exact(s.p, s.len);

	n_a = a->decode((struct str){ in, s.len }, &used_a, by_a);
	n_b = b->decode((struct str){ in, s.len }, &used_b, by_b);
	cr_assert(used_b <= used_a);
	cr_assert(used_b == used_a || s.len - used_b < 16);
	cr_assert_eq(n_a, used_a / 4 * 3);
	cr_assert_eq(n_b, used_b / 4 * 3);
	cr_assert_eq(memcmp(by_a, by_b, n_b), 0);
	free(by_a);
	free(by_b);
	free(in);
}

Test(enc, has_loops_that_agree)
{
	const struct enc_b64_loops *plain = enc_b64_loops(0), *fast;
	static char bytes[BIG], text[2 * BIG];
	struct rng rng;

	rng_init(&rng, 2);
	for (unsigned level = 1; (fast = enc_b64_loops(level)); level++) {
		for (unsigned i = 0; i < 2000; i++) {
			struct str s = { bytes, rng_below(&rng, 300) };
			size_t n;

			fill(&rng, bytes, s.len, 0);
			same_encoding(plain, fast, s);
			n = enc_b64_block(s, text);
			if (i % 3 && n)
				text[rng_below(&rng, (uint32_t)n)] = (char)rng_u32(&rng);
			same_decoding(plain, fast, (struct str){ text, n });
		}
	}
	cr_assert_not_null(enc_b64_best());
}

Test(enc, has_loops_that_know_each_letter)
{
	for (unsigned level = 0; enc_b64_loops(level); level++) {
		for (unsigned c = 0; c < 256; c++) {
			char in[32], to[32 + ENC_ROOM];
			size_t used, n;

			memset(in, (int)c, sizeof(in));
			n = enc_b64_loops(level)->decode((struct str){ in, 32 }, &used,
							 to);
			cr_assert_eq(n == 24,
				     c && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
						 "ghijklmnopqrstuvwxyz0123456789+/",
						 (int)c) != NULL,
				     "%s: %u", enc_b64_loops(level)->name, c);
			cr_assert(n == 24 || used == 0);
		}
	}
}

static enum enc best(struct str s, bool is_text, bool allow_8bit)
{
	struct enc_survey whole = { .len = 0 }, cut = { .len = 0 };

	enc_survey_feed(&whole, s);
	for (size_t i = 0; i < s.len; i++)
		enc_survey_feed(&cut, (struct str){ s.p + i, 1 });
	cr_assert_eq(enc_survey_best(&whole, is_text, allow_8bit),
		     enc_survey_best(&cut, is_text, allow_8bit));
	cr_assert_eq(whole.n_escapes, cut.n_escapes);
	cr_assert_eq(whole.longest_line, cut.longest_line);
	return enc_survey_best(&whole, is_text, allow_8bit);
}

Test(enc, chooses_the_plainest_encoding_that_does)
{
	static char line[1001];

	cr_assert_eq(best(STR("text\r\n"), true, false), ENC_7BIT);
	cr_assert_eq(best(STR("text\r\n"), false, false), ENC_7BIT);
	cr_assert_eq(best(STR("one \xc3\xa9 in a long text"), true, true), ENC_8BIT);
	cr_assert_eq(best(STR("one \xc3\xa9 in a long text"), true, false), ENC_QP);
	cr_assert_eq(best(STR("one \xc3\xa9 in a long text"), false, false), ENC_BASE64);
	cr_assert_eq(best(STR("\xc3\xa9\xc3\xa9"), true, false), ENC_BASE64);
	cr_assert_eq(best(STR("bare\nlf"), true, true), ENC_BASE64);
	cr_assert_eq(best(STR("bare\rcr"), true, true), ENC_BASE64);
	cr_assert_eq(best(STR("cr at the end\r"), true, true), ENC_BASE64);
	cr_assert_eq(best((struct str){ "nul\0", 4 }, true, true), ENC_BASE64);
	memset(line, 'x', sizeof(line));
	cr_assert_eq(best((struct str){ line, 998 }, true, false), ENC_7BIT);
	cr_assert_eq(best((struct str){ line, 999 }, true, false), ENC_QP);
	memcpy(line + 998, "\r\n", 2);
	cr_assert_eq(best((struct str){ line, 1000 }, true, false), ENC_7BIT);
}

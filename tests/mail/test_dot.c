#include <criterion/criterion.h>

#include "apps/mail/wire/dot.h"
#include "stack/base/check.h"

/* What a decoder made of some bytes. */
struct result {
	bool ended;
	enum dot_fault fault;
	size_t used;
	char out[64];
	size_t n_out;
};

/* Feeds @s cut in front of every byte whose bit is set in @cuts. */
static struct result decode_cut(struct str s, uint64_t cuts)
{
	struct result r = { .used = 0 };
	struct dot_decoder d;
	size_t from = 0;

	dot_decode_init(&d);
	while (from < s.len && d.state != DOT_END) {
		size_t to = from + 1, n_out;

		while (to < s.len && !(cuts >> to & 1))
			to++;
		r.used += dot_decode(&d, (struct str){ s.p + from, to - from },
				     r.out + r.n_out, &n_out);
		r.n_out += n_out;
		from = to;
	}
	r.ended = d.state == DOT_END;
	r.fault = d.fault;
	return r;
}

static enum dot_fault naive_fault(const char *p, size_t from, size_t len)
{
	for (size_t i = from; i < len; i++) {
		if (p[i] == '\0')
			return DOT_NUL;
		if (p[i] == '\r' && i + 1 < len && p[i + 1] != '\n')
			return DOT_BARE_CR;
		if (p[i] == '\n' && p[i - 1] != '\r')
			return DOT_BARE_LF;
	}
	return DOT_FINE;
}

/* The rule itself, on the whole text: the message ends at the first CRLF.CRLF. */
static struct result naive(struct str s)
{
	struct result r = { .used = s.len };
	char text[66] = "\r\n";
	const char *end;
	size_t len = s.len + 2;

	memcpy(text + 2, s.p, s.len);
	end = memmem(text, len, "\r\n.\r\n", 5);
	if (end) {
		r.ended = true;
		r.used = (size_t)(end - text) + 5 - 2;
		len = (size_t)(end - text) + 2;
	}
	r.fault = naive_fault(text, 2, len);
	for (size_t i = 2; i < len; i++)
		if (text[i] != '.' || text[i - 1] != '\n' || text[i - 2] != '\r')
			r.out[r.n_out++] = text[i];
	return r;
}

static void agree(struct str s, const struct result *want, uint64_t cuts)
{
	struct result got = decode_cut(s, cuts);

	cr_assert_eq(got.ended, want->ended);
	cr_assert_eq(got.fault, want->fault);
	cr_assert_eq(got.used, want->used);
	if (got.ended && got.fault == DOT_FINE)
		cr_assert(str_eq((struct str){ got.out, got.n_out },
				 (struct str){ want->out, want->n_out }));
}

/* Calls @each for all strings of @len characters over the five that matter. */
static void all_strings(size_t len, void (*each)(struct str s))
{
	static const char alphabet[] = { '\r', '\n', '.', '\0', 'x' };
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n *= sizeof(alphabet);
	for (size_t k = 0; k < n; k++) {
		char text[16];
		size_t rest = k;

		for (size_t i = 0; i < len; i++) {
			text[i] = alphabet[rest % sizeof(alphabet)];
			rest /= sizeof(alphabet);
		}
		each((struct str){ text, len });
	}
}

static void check_every_set_of_cuts(struct str s)
{
	struct result want = naive(s);

	for (uint64_t cuts = 0; cuts < UINT64_C(1) << s.len; cuts += 2)
		agree(s, &want, cuts);
}

static void check_every_cut(struct str s)
{
	struct result want = naive(s);

	agree(s, &want, 0);
	agree(s, &want, UINT64_MAX);
	for (size_t i = 1; i < s.len; i++)
		agree(s, &want, UINT64_C(1) << i);
}

Test(dot, ends_where_the_rule_says_whatever_the_bytes_and_the_cuts)
{
	for (size_t len = 0; len <= 7; len++)
		all_strings(len, check_every_set_of_cuts);
}

Test(dot, ends_where_the_rule_says_with_eight_bytes_cut_once)
{
	all_strings(8, check_every_cut);
}

Test(dot, is_not_ended_by_what_other_servers_take_for_an_end)
{
	static const char *const smuggled[] = {
		"a\n.\nb",   "a\n.\r\nb",   "a\r\n.\nb",     "a\r.\r\nb",
		"a\r.\rb",   "a\r\n.\rb",   "a\n\n.\r\nb",   "a\r\n\n.\r\nb",
		"a\r\r.\rb", "a\n.\r\r\nb", "a\r\n.\r\r\nb", "a\r\r\n.\r\r\nb",
	};

	for (size_t i = 0; i < ARRAY_LEN(smuggled); i++) {
		struct result r = decode_cut(str_of(smuggled[i]), 0);

		cr_assert(!r.ended, "case %zu ended", i);
		cr_assert_neq(r.fault, DOT_FINE, "case %zu passed", i);
	}
}

Test(dot, takes_the_extra_dot_away)
{
	struct result r = decode_cut(STR("..a\r\nb.c\r\n...\r\n.d\r\n.\r\nQUIT"), 0);

	cr_assert(r.ended);
	cr_assert_eq(r.fault, DOT_FINE);
	cr_assert(
		str_eq((struct str){ r.out, r.n_out }, STR(".a\r\nb.c\r\n..\r\nd\r\n")));
	cr_assert_eq(r.used, strlen("..a\r\nb.c\r\n...\r\n.d\r\n.\r\n"));
}

Test(dot, reads_an_empty_message)
{
	struct result r = decode_cut(STR(".\r\n"), 0);

	cr_assert(r.ended);
	cr_assert_eq(r.n_out, 0);
}

/* Encodes @s, cut as decode_cut() does, with the end behind it. */
static size_t encode_cut(struct str s, uint64_t cuts, char *out)
{
	struct dot_encoder e;
	struct str piece;
	size_t from = 0, n = 0;

	dot_encode_init(&e);
	while (from < s.len) {
		size_t to = from + 1;
		struct str in;

		while (to < s.len && !(cuts >> to & 1))
			to++;
		in = (struct str){ s.p + from, to - from };
		while (dot_encode(&e, &in, &piece)) {
			cr_assert(piece.len > 0);
			memcpy(out + n, piece.p, piece.len);
			n += piece.len;
		}
		from = to;
	}
	piece = dot_encode_end(&e);
	memcpy(out + n, piece.p, piece.len);
	return n + piece.len;
}

static bool is_wire_form(struct str s)
{
	char text[66] = "\r\n";

	memcpy(text + 2, s.p, s.len);
	return naive_fault(text, 2, s.len + 2) == DOT_FINE &&
	       (s.len == 0 || s.p[s.len - 1] == '\n');
}

/* What is sent comes back, and is the same however it was cut. */
static void check_round_trip(struct str s)
{
	char whole[64], cut[64];
	size_t n = encode_cut(s, 0, whole);

	for (uint64_t cuts = 2; cuts < UINT64_C(1) << s.len; cuts += 2) {
		cr_assert_eq(encode_cut(s, cuts, cut), n);
		cr_assert_arr_eq(cut, whole, n);
	}
	if (is_wire_form(s)) {
		struct result r = decode_cut((struct str){ whole, n }, 0);

		cr_assert(r.ended);
		cr_assert_eq(r.used, n);
		cr_assert(str_eq((struct str){ r.out, r.n_out }, s));
	}
}

Test(dot, encodes_so_that_the_decoder_reads_the_same_whatever_the_cuts)
{
	for (size_t len = 0; len <= 7; len++)
		all_strings(len, check_round_trip);
}

Test(dot, gives_long_text_without_dots_in_one_piece)
{
	struct dot_encoder e;
	struct str in = STR("From: a@b.example\r\n\r\nno. dots. begin. a line\r\n");
	struct str whole = in, piece;

	dot_encode_init(&e);
	cr_assert(dot_encode(&e, &in, &piece));
	cr_assert(piece.p == whole.p && piece.len == whole.len);
	cr_assert(!dot_encode(&e, &in, &piece));
	cr_assert(str_eq(dot_encode_end(&e), STR(".\r\n")));
}

Test(dot, ends_a_last_line_that_has_no_end)
{
	char out[64];
	size_t n = encode_cut(STR("a"), 0, out);

	cr_assert(str_eq((struct str){ out, n }, STR("a\r\n.\r\n")));
}

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/mime_7bit.h"
#include "stack/base/check.h"

static char out[65536];

/* Reads it in pieces of @step. */
static struct str read_all(struct str message, size_t step, enum mime_7bit_result *result)
{
	struct mime *m = mime_new(&mime_limits_default);
	struct mime_7bit c;
	size_t n = 0, some;

	mime_parse(m, message);
	*result = mime_7bit_init(&c, m, message);
	mime_free(m);
	if (*result == MIME_7BIT_CHANGED)
		while ((some = mime_7bit_read(&c, out + n, step)) > 0)
			n += some;
	mime_7bit_fini(&c);
	return (struct str){ out, n };
}

static struct str convert(struct str message, enum mime_7bit_result *result)
{
	static char whole[65536];
	struct str first = read_all(message, sizeof(out), result);

	memcpy(whole, first.p, first.len);
	first.p = whole;
	for (size_t step = 1; step < 100; step += 7)
		cr_assert(str_eq(read_all(message, step, result), first));
	return first;
}

static void check(struct str in, struct str want)
{
	enum mime_7bit_result result;
	struct str got = convert(in, &result);

	cr_assert_eq(result, MIME_7BIT_CHANGED);
	cr_assert(str_eq(got, want), "%.*s", (int)got.len, got.p);
	/* Once is enough. */
	convert(want, &result);
	cr_assert_eq(result, MIME_7BIT_AS_IT_IS);
}

static void check_result(struct str in, enum mime_7bit_result want)
{
	enum mime_7bit_result result;

	convert(in, &result);
	cr_assert_eq(result, want, "%s", in.p);
}

Test(mime_7bit, leaves_7bit_mail_as_it_is)
{
	check_result(STR(""), MIME_7BIT_AS_IT_IS);
	check_result(STR("A: b\r\n\r\nplain\r\n"), MIME_7BIT_AS_IT_IS);
	check_result(STR("MIME-Version: 1.0\r\nContent-Transfer-Encoding: "
			 "base64\r\n\r\nZg==\r\n"),
		     MIME_7BIT_AS_IT_IS);
}

Test(mime_7bit, encodes_the_leaves_of_a_multipart)
{
	check(STR("MIME-Version: 1.0\r\n"
		  "Content-Type: multipart/mixed; boundary=b\r\n"
		  "Content-Transfer-Encoding: 8bit\r\n"
		  "X-Last: x\r\n"
		  "\r\n"
		  "pr\xc3\xa9"
		  "amble\r\n"
		  "--b\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: 8bit\r\n"
		  "\r\n"
		  "one na\xc3\xafve text that is long enough\r\n"
		  "--b\r\n"
		  "Content-Type: image/x\r\n"
		  "content-transfer-encoding : binary (why not)\r\n"
		  "\r\n"
		  "\xff\xfe\r\n"
		  "--b\r\n"
		  "\r\n"
		  "plain \r\n"
		  "--b--\r\n"),
	      STR("MIME-Version: 1.0\r\n"
		  "Content-Type: multipart/mixed; boundary=b\r\n"
		  "Content-Transfer-Encoding: 7bit\r\n"
		  "X-Last: x\r\n"
		  "\r\n"
		  "pr??amble\r\n"
		  "--b\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n"
		  "\r\n"
		  "one na=C3=AFve text that is long enough\r\n"
		  "--b\r\n"
		  "Content-Type: image/x\r\n"
		  "Content-Transfer-Encoding: base64\r\n"
		  "\r\n"
		  "//4=\r\n\r\n"
		  "--b\r\n"
		  "\r\n"
		  "plain \r\n"
		  "--b--\r\n"));
}

Test(mime_7bit, says_what_mail_without_mime_is)
{
	check(STR("Subject: x\r\n\r\nna\xc3\xafve text that is long enough\r\n"),
	      STR("Subject: x\r\n"
		  "MIME-Version: 1.0\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n"
		  "\r\n"
		  "na=C3=AFve text that is long enough\r\n"));
	check(STR("Subject: x\r\n\r\nna\xefve text that is long enough\r\n"),
	      STR("Subject: x\r\n"
		  "MIME-Version: 1.0\r\n"
		  "Content-Type: text/plain; charset=unknown-8bit\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n"
		  "\r\n"
		  "na=EFve text that is long enough\r\n"));
	/* Without a header at all; what was no field must not become one. */
	check(STR("\xc3\xa9: no field, but it might be one"),
	      STR("MIME-Version: 1.0\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n"
		  "\r\n"
		  "=C3=A9: no field, but it might be one"));
}

Test(mime_7bit, reaches_into_messages_in_messages)
{
	check(STR("MIME-Version: 1.0\r\n"
		  "Content-Type: message/rfc822\r\n"
		  "\r\n"
		  "Subject: inner\r\n"
		  "\r\n"
		  "na\xc3\xafve text that is long enough\r\n"),
	      STR("MIME-Version: 1.0\r\n"
		  "Content-Type: message/rfc822\r\n"
		  "\r\n"
		  "Subject: inner\r\n"
		  "MIME-Version: 1.0\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n"
		  "\r\n"
		  "na=C3=AFve text that is long enough\r\n"));
}

Test(mime_7bit, mends_what_was_encoded_and_broken_on_the_way)
{
	check(STR("MIME-Version: 1.0\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n"
		  "\r\n"
		  "a =3D b \xc3\xa9\r\n"),
	      STR("MIME-Version: 1.0\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-Transfer-Encoding: quoted-printable\r\n"
		  "\r\n"
		  "a =3D b =C3=A9\r\n"));
}

Test(mime_7bit, breaks_lines_that_are_too_long)
{
	static char in[2200];
	enum mime_7bit_result result;
	struct str got;

	sprintf(in, "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n%02000d\r\n",
		0);
	got = convert(str_of(in), &result);
	cr_assert_eq(result, MIME_7BIT_CHANGED);
	while (got.len > 0)
		cr_assert_leq(str_cut(got, '\n', &got).len, ENC_LINE_MAX + 1);
}

Test(mime_7bit, encodes_bodies_of_any_length)
{
	for (size_t len = 1; len < 6000; len += 211) {
		static char in[8000];
		static char decoded[8000];
		struct mime *m = mime_new(&mime_limits_default);
		enum mime_7bit_result result;
		const struct mime_part *p;
		struct enc_decoder d;
		struct str got;
		size_t n;

		n = (size_t)sprintf(in, "MIME-Version: 1.0\r\nContent-Type: a/b\r\n\r\n");
		for (size_t i = 0; i < len; i++)
			in[n + i] = (char)(0x80 | i);
		got = convert((struct str){ in, n + len }, &result);
		cr_assert_eq(result, MIME_7BIT_CHANGED);
		cr_assert(charset_is_ascii(got));
		mime_parse(m, got);
		p = mime_part(m, 0);
		cr_assert_eq(p->enc, ENC_BASE64);
		enc_decode_init(&d, p->enc);
		n = enc_decode(&d, (struct str){ got.p + p->body_at, p->body_len },
			       decoded);
		n += enc_decode_end(&d, decoded + n);
		cr_assert_eq(n, len);
		for (size_t i = 0; i < len; i++)
			cr_assert_eq(decoded[i], (char)(0x80 | i));
		mime_free(m);
	}
}

#define SIGNED                                                                    \
	"MIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n" \
	"--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"

Test(mime_7bit, does_not_touch_what_was_signed)
{
	check_result(STR(SIGNED "\xc3\xa9\r\n--b--\r\n"), MIME_7BIT_SIGNED);
	/* It says 8bit and is not: it may go as it is. */
	check_result(STR(SIGNED "plain\r\n--b--\r\n"), MIME_7BIT_AS_IT_IS);
}

Test(mime_7bit, says_what_may_not_be_encoded)
{
	check_result(STR("MIME-Version: 1.0\r\nContent-Type: message/partial; id=a; "
			 "number=1\r\n"
			 "\r\n\xc3\xa9\r\n"),
		     MIME_7BIT_NO_ENCODING);
	check_result(
		STR("MIME-Version: 1.0\r\nContent-Type: message/external-body\r\n\r\n"
		    "\xc3\xa9\r\n"),
		MIME_7BIT_NO_ENCODING);
	check_result(STR("MIME-Version: 1.0\r\nContent-Type: "
			 "multipart/mixed\r\n\r\n\xc3\xa9\r\n"),
		     MIME_7BIT_NO_ENCODING);
	check_result(STR("MIME-Version: 1.0\r\nContent-Transfer-Encoding: "
			 "x-odd\r\n\r\n\xc3\xa9\r\n"),
		     MIME_7BIT_NO_ENCODING);
}

Test(mime_7bit, says_when_it_does_not_know_all_parts)
{
	static const struct str s = STR(
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\n\r\n1\r\n--b\r\n\r\n\xc3\xa9\r\n--b--\r\n");
	struct mime_limits limits = mime_limits_default;
	struct mime_7bit c;
	struct mime *m;

	limits.n_parts = 2;
	m = mime_new(&limits);
	mime_parse(m, s);
	cr_assert_eq(mime_7bit_init(&c, m, s), MIME_7BIT_LIMITS);
	mime_7bit_fini(&c);
	mime_free(m);
}

Test(mime_7bit, says_that_a_header_has_8bit)
{
	static const struct str s = STR("Subject: \xc3\xa9\r\n\r\n\xc3\xa9\r\n");
	struct mime *m = mime_new(&mime_limits_default);
	struct mime_7bit c;

	mime_parse(m, s);
	cr_assert_eq(mime_7bit_init(&c, m, s), MIME_7BIT_CHANGED);
	cr_assert(c.has_8bit_header);
	mime_7bit_fini(&c);
	mime_free(m);
}

Test(mime_7bit, gives_the_whole_text_in_memory)
{
	size_t len;
	char *text;

	cr_assert_eq(mime_7bit_text(STR("A: b\r\n\r\nplain\r\n"), &text, &len),
		     MIME_7BIT_AS_IT_IS);
	cr_assert_eq(
		mime_7bit_text(STR("MIME-Version: 1.0\r\n\r\nplain text and \xff\r\n"),
			       &text, &len),
		MIME_7BIT_CHANGED);
	cr_assert(str_eq((struct str){ text, len },
			 STR("MIME-Version: 1.0\r\n"
			     "Content-Transfer-Encoding: quoted-printable\r\n"
			     "\r\nplain text and =FF\r\n")),
		  "%.*s", (int)len, text);
	free(text);
}

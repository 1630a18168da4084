#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/header.h"
#include "apps/mail/wire/mime_partial.h"
#include "stack/base/check.h"

enum { PIECES = 8 };

static char text[6000];

/* A message of about @len octets. */
static struct str message_of(size_t len)
{
	size_t n = (size_t)sprintf(text, "From: a@b.example\r\n"
					 "Subject: a long one\r\n"
					 "To: c@d.example\r\n"
					 "Message-ID: <whole@b.example>\r\n"
					 "MIME-Version: 1.0\r\n"
					 "Content-Type: text/plain; charset=us-ascii\r\n"
					 "X-Other: y\r\n"
					 "\r\n");

	for (int i = 0; n < len; i++)
		n += (size_t)sprintf(text + n, "This is line %d.\r\n", i);
	return (struct str){ text, n };
}

struct split {
	struct str piece[PIECES];
	unsigned n;
};

static struct split split(struct str message, size_t piece_len)
{
	struct mime_partial s;
	struct split all;

	cr_assert_eq(mime_partial_init(&s, message, STR("x1@b.example"), piece_len), 0);
	cr_assert_leq(s.n, PIECES);
	all.n = s.n;
	for (unsigned i = 0; i < s.n; i++) {
		char *p;
		size_t len;

		cr_assert_eq(mime_partial_piece(&s, i, &p, &len), 0);
		all.piece[i] = (struct str){ p, len };
	}
	mime_partial_fini(&s);
	return all;
}

static void split_free(struct split *all)
{
	for (unsigned i = 0; i < all->n; i++)
		free((char *)all->piece[i].p);
}

/* RFC 2046 5.2.2.2, its example. */
Test(mime_partial, shares_the_fields_between_outside_and_inside)
{
	struct split all = split(message_of(3000), 1024);
	struct mime *m = mime_new(&mime_limits_default);
	struct mime_partial_part part;
	struct header_field f;

	cr_assert_eq(all.n, 3);
	for (unsigned i = 0; i < all.n; i++) {
		struct str header = { all.piece[i].p, header_len(all.piece[i]) };
		char subject[64];

		mime_parse(m, all.piece[i]);
		cr_assert_eq(mime_odd(m), 0);
		cr_assert(mime_partial_read(mime_part(m, 0), &part));
		cr_assert_eq(part.number, i + 1);
		cr_assert_eq(part.total, 3);
		cr_assert(str_eq(part.id, STR("x1@b.example")));
		snprintf(subject, sizeof(subject), "a long one (%u/3)", i + 1);
		cr_assert(header_find(header, STR("Subject"), &f));
		cr_assert(str_eq(f.value, str_of(subject)));
		cr_assert(header_find(header, STR("X-Other"), &f));
		cr_assert(header_find(header, STR("Message-ID"), &f));
		cr_assert(!str_eq(f.value, STR("<whole@b.example>")));
		cr_assert_leq(mime_part(m, 0)->body_len, 1024);
	}
	mime_free(m);
	split_free(&all);
}

Test(mime_partial, puts_together_what_was_split)
{
	for (size_t len = 500; len < 5900; len += 97) {
		struct str message = message_of(len), joined, body;
		struct split all = split(message, 1024);
		struct header_field f;
		char *out;
		size_t n;

		cr_assert_eq(mime_partial_join(all.piece, all.n, 1 << 20, &out, &n), 0);
		joined = (struct str){ out, n };
		body = (struct str){ message.p + header_len(message),
				     message.len - header_len(message) };
		cr_assert_geq(joined.len, body.len);
		cr_assert(str_eq(body, (struct str){ out + n - body.len, body.len }));
		cr_assert(header_find(joined, STR("Message-ID"), &f));
		cr_assert(str_eq(f.value, STR("<whole@b.example>")));
		cr_assert(header_find(joined, STR("Content-Type"), &f));
		cr_assert(str_eq(f.value, STR("text/plain; charset=us-ascii")));
		/* Every field is there once: the message is as long as it was. */
		cr_assert_eq(joined.len, message.len);
		free(out);
		split_free(&all);
	}
}

Test(mime_partial, refuses_pieces_that_are_not_one_message)
{
	struct split all = split(message_of(3000), 1024),
		     other = split(message_of(2000), 1024);
	struct str swapped[] = { all.piece[1], all.piece[0], all.piece[2] };
	struct str mixed[] = { all.piece[0], all.piece[1], STR("Subject: x\r\n\r\n") };
	struct str counted[] = { other.piece[0], all.piece[1], all.piece[2] };
	char *out;
	size_t n;

	cr_assert_eq(mime_partial_join(all.piece, 2, 1 << 20, &out, &n), -EINVAL);
	cr_assert_eq(mime_partial_join(all.piece + 1, 2, 1 << 20, &out, &n), -EINVAL);
	cr_assert_eq(mime_partial_join(all.piece, 0, 1 << 20, &out, &n), -EINVAL);
	cr_assert_eq(mime_partial_join(swapped, 3, 1 << 20, &out, &n), -EINVAL);
	cr_assert_eq(mime_partial_join(mixed, 3, 1 << 20, &out, &n), -EINVAL);
	cr_assert_eq(mime_partial_join(counted, 3, 1 << 20, &out, &n), -EINVAL);
	for (size_t max = 0; max < 3000; max += 100)
		cr_assert_eq(mime_partial_join(all.piece, 3, max, &out, &n), -EMSGSIZE);
	split_free(&all);
	split_free(&other);
}

Test(mime_partial, says_what_it_cannot_split)
{
	struct mime_partial s;
	static char line[2000];

	cr_assert_eq(mime_partial_init(&s, message_of(2000), STR("x@y"), 1023), -EINVAL);
	cr_assert_eq(mime_partial_init(&s, message_of(2000), STR("x y"), 1024), -EINVAL);
	cr_assert_eq(mime_partial_init(&s, message_of(2000), STR(""), 1024), -EINVAL);
	cr_assert_eq(mime_partial_init(&s, STR("A: b\r\n\r\n\xc3\xa9"), STR("x@y"), 1024),
		     -EILSEQ);
	memset(line, 'x', sizeof(line));
	cr_assert_eq(mime_partial_init(&s, (struct str){ line, sizeof(line) }, STR("x@y"),
				       1024),
		     -EILSEQ);
}

Test(mime_partial, has_a_limit_of_pieces)
{
	size_t len = (MIME_PARTIAL_MAX + 1) * MIME_PARTIAL_LEAST;
	char *big = malloc(len);
	struct mime_partial s;

	memcpy(big, "A: b\r\n\r\n", 8);
	for (size_t i = 8; i < len; i++)
		big[i] = "x\r\n"[(i - 8) % 3];
	cr_assert_eq(mime_partial_init(&s, (struct str){ big, len - len % 3 }, STR("x@y"),
				       MIME_PARTIAL_LEAST),
		     -EMSGSIZE);
	cr_assert_eq(mime_partial_init(&s, (struct str){ big, 8 + 3 * 1000 }, STR("x@y"),
				       MIME_PARTIAL_LEAST),
		     0);
	mime_partial_fini(&s);
	free(big);
}

Test(mime_partial, reads_what_a_part_says)
{
	static const struct {
		struct str type;
		bool good;
		unsigned number, total;
	} cases[] = {
		{ STR("message/partial; id=x; number=2; total=3"), true, 2, 3 },
		{ STR("message/partial; id=x; number=2"), true, 2, 0 },
		{ STR("message/partial; number=2; total=3"), false, 0, 0 },
		{ STR("message/partial; id=x; total=3"), false, 0, 0 },
		{ STR("message/partial; id=x; number=0"), false, 0, 0 },
		{ STR("message/partial; id=x; number=4; total=3"), false, 0, 0 },
		{ STR("message/partial; id=x; number=1000"), false, 0, 0 },
		{ STR("text/partial; id=x; number=1"), false, 0, 0 },
	};
	struct mime *m = mime_new(&mime_limits_default);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mime_partial_part part;

		mime_reset(m);
		mime_feed(m, STR("MIME-Version: 1.0\r\nContent-Type: "));
		mime_feed(m, cases[i].type);
		mime_feed(m, STR("\r\n\r\n"));
		mime_end(m);
		cr_assert_eq(mime_partial_read(mime_part(m, 0), &part), cases[i].good,
			     "%zu", i);
		if (!cases[i].good)
			continue;
		cr_assert_eq(part.number, cases[i].number);
		cr_assert_eq(part.total, cases[i].total);
	}
	mime_free(m);
}

Test(mime_partial, bursts_a_digest)
{
	static const struct str digest = STR(
		"MIME-Version: 1.0\r\nContent-Type: multipart/digest; boundary=d\r\n\r\n"
		"--d\r\n\r\nSubject: one\r\n\r\n1\r\n"
		"--d\r\n\r\nSubject: two\r\nMIME-Version: 1.0\r\n"
		"Content-Type: message/rfc822\r\n\r\nSubject: inside two\r\n\r\n2\r\n"
		"--d\r\nContent-Type: text/plain\r\n\r\nno message\r\n"
		"--d\r\n\r\nSubject: three\r\n\r\n3\r\n"
		"--d--\r\n");
	static const struct str subjects[] = { STR("one"), STR("two"), STR("three") };
	struct mime *m = mime_new(&mime_limits_default);
	uint32_t at = 0, n = 0;
	struct str message;

	mime_parse(m, digest);
	for (; mime_burst_next(m, digest, &at, &message); n++) {
		struct header_field f;

		cr_assert_lt(n, ARRAY_LEN(subjects));
		cr_assert(header_find(message, STR("Subject"), &f));
		cr_assert(str_eq(f.value, subjects[n]));
	}
	cr_assert_eq(n, 3);
	mime_free(m);
}

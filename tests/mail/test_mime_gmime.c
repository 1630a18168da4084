/*
 * Our parser beside GMime on mail made from seeds: the same parts, of the same type and
 * encoding, with the same bytes, or one of the reasons below.
 */
#include <criterion/criterion.h>
#include <gmime/gmime.h>
#include <stdio.h>

#include "apps/mail/wire/mime.h"
#include "stack/base/check.h"
#include "tests/lib/mail_gen.h"

/* Where the two differ, and why ours is as it is. */
static const struct {
	uint32_t odd;
	const char *why;
} reasons[] = {
	{ MIME_ODD_HEADER_END,
	  "RFC 5322 2.1: a line that is no field ends the header, as it does for "
	  "transport; GMime reads on to an empty line" },
	{ MIME_ODD_TAIL,
	  "RFC 2046 5.1.1: a line that begins with the delimiter is one; GMime "
	  "wants nothing but blanks behind it" },
	{ MIME_ODD_TWICE,
	  "of a field that comes twice the first counts, as for a header's reader "
	  "from its top; GMime takes the last" },
};

static char message[MAIL_GEN_MAX];

/* Where the first difference is; empty: there is none. */
static char difference[256];

static bool differ(const struct mime_part *p, const char *what, long long ours,
		   long long theirs)
{
	snprintf(difference, sizeof(difference), "%.*s/%.*s at %llu: %s %lld, GMime %lld",
		 (int)p->type.len, p->type.p, (int)p->subtype.len, p->subtype.p,
		 (unsigned long long)p->header_at, what, ours, theirs);
	return false;
}

static bool same_type(const struct mime_part *p, GMimeObject *o)
{
	GMimeContentType *t = g_mime_object_get_content_type(o);

	return mime_is(p, str_of(g_mime_content_type_get_media_type(t)),
		       str_of(g_mime_content_type_get_media_subtype(t))) ||
	       differ(p, "type", 0, 0);
}

static bool same_leaf(const struct mime_part *p, GMimePart *part)
{
	static const enum enc encs[] = {
		[GMIME_CONTENT_ENCODING_DEFAULT] = ENC_7BIT,
		[GMIME_CONTENT_ENCODING_7BIT] = ENC_7BIT,
		[GMIME_CONTENT_ENCODING_8BIT] = ENC_8BIT,
		[GMIME_CONTENT_ENCODING_BINARY] = ENC_BINARY,
		[GMIME_CONTENT_ENCODING_BASE64] = ENC_BASE64,
		[GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE] = ENC_QP,
		[GMIME_CONTENT_ENCODING_UUENCODE] = ENC_OTHER,
	};
	GMimeDataWrapper *content = g_mime_part_get_content(part);
	GMimeContentEncoding enc = g_mime_part_get_content_encoding(part);
	GMimeStream *stream;
	static char bytes[MAIL_GEN_MAX];
	ssize_t n;

	/* To GMime an encoding that it does not know is none. */
	if (encs[enc] != p->enc && p->enc != ENC_OTHER)
		return differ(p, "encoding", p->enc, enc);
	if (!content)
		return p->body_len == 0 || differ(p, "body", (long long)p->body_len, 0);
	stream = g_mime_data_wrapper_get_stream(content);
	g_mime_stream_reset(stream);
	n = g_mime_stream_read(stream, bytes, sizeof(bytes));
	if (n < 0 || (size_t)n != p->body_len ||
	    memcmp(bytes, message + p->body_at, (size_t)n) != 0)
		return differ(p, "body", (long long)p->body_len, n);
	return true;
}

static bool same(const struct mime *m, uint32_t i, GMimeObject *o);

static bool same_children(const struct mime *m, const struct mime_part *p,
			  GMimeMultipart *mp)
{
	int n = g_mime_multipart_get_count(mp);
	uint32_t child = p->child;

	if ((uint32_t)n != p->n_children)
		return differ(p, "parts", p->n_children, n);
	for (int i = 0; i < n; i++) {
		if (!same(m, child, g_mime_multipart_get_part(mp, i)))
			return false;
		child = mime_part(m, child)->next;
	}
	return true;
}

static bool same(const struct mime *m, uint32_t i, GMimeObject *o)
{
	const struct mime_part *p = mime_part(m, i);

	if (!o)
		return differ(p, "part", 1, 0);
	if (!same_type(p, o))
		return false;
	if (GMIME_IS_MULTIPART(o))
		return p->kind == MIME_MULTIPART ?
			       same_children(m, p, GMIME_MULTIPART(o)) :
			       differ(p, "kind", p->kind, 1);
	if (GMIME_IS_MESSAGE_PART(o)) {
		GMimeMessage *inner =
			g_mime_message_part_get_message(GMIME_MESSAGE_PART(o));

		if (p->kind != MIME_MESSAGE)
			return differ(p, "kind", p->kind, 2);
		return same(m, p->child,
			    inner ? g_mime_message_get_mime_part(inner) : NULL);
	}
	if (p->kind != MIME_LEAF)
		return differ(p, "kind", p->kind, 0);
	return same_leaf(p, GMIME_PART(o));
}

static bool same_message(const struct mime *m, size_t len)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(message, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *theirs;
	bool is_same;

	theirs = g_mime_parser_construct_message(parser, NULL);
	is_same =
		same(m, MIME_ROOT, theirs ? g_mime_message_get_mime_part(theirs) : NULL);
	if (theirs)
		g_object_unref(theirs);
	g_object_unref(parser);
	g_object_unref(stream);
	return is_same;
}

static const char *reason_for(uint32_t odd)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (odd & reasons[i].odd)
			return reasons[i].why;
	return NULL;
}

/* Returns how many differed with a reason. */
static unsigned compare(enum mail_gen_kind kind, unsigned n)
{
	struct mime *m = mime_new(&mime_limits_default);
	unsigned n_reasons = 0;

	for (unsigned seed = 0; seed < n; seed++) {
		struct rng rng;
		size_t len;

		rng_init(&rng, seed);
		len = mail_gen(&rng, kind, message);
		mime_parse(m, (struct str){ message, len });
		if (same_message(m, len))
			continue;
		n_reasons++;
		cr_expect(reason_for(mime_odd(m)) != NULL, "seed %u: %s", seed,
			  difference);
	}
	mime_free(m);
	return n_reasons;
}

Test(mime_gmime, finds_the_same_parts_in_ordinary_mail)
{
	g_mime_init();
	cr_assert_eq(compare(MAIL_GEN_ORDINARY, 100), 0);
	cr_assert_eq(compare(MAIL_GEN_SHORT, 200), 0);
}

Test(mime_gmime, finds_the_same_parts_in_odd_mail_or_has_a_reason)
{
	unsigned n = 3000, n_reasons;

	g_mime_init();
	n_reasons = compare(MAIL_GEN_ODD, n);

	/* They are exceptions. */
	cr_assert_lt(n_reasons, n / 5, "%u of %u", n_reasons, n);
}

#include "tests/lib/mail_gen.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "stack/base/check.h"

enum { DEPTH_MAX = 4, NAME_LEN = 32 };

struct gen {
	struct rng *rng;
	char *out;
	size_t len;
	unsigned n_boundaries;
};

__attribute__((format(printf, 2, 3))) static void put(struct gen *g, const char *format,
						      ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(g->out + g->len, MAIL_GEN_MAX - g->len, format, args);
	va_end(args);
	ASSERT(n >= 0 && (size_t)n < MAIL_GEN_MAX - g->len);
	g->len += (size_t)n;
}

static unsigned below(struct gen *g, unsigned n)
{
	return rng_below(g->rng, n);
}

static const char *one_of(struct gen *g, const char *const *list, unsigned n)
{
	return list[below(g, n)];
}

static const char *word(struct gen *g)
{
	static const char *const words[] = {
		"the",	      "a",	  "meeting", "of",   "report",	"please",
		"find",	      "and",	  "to",	     "you",  "invoice", "in",
		"attachment", "tomorrow", "is",	     "be",   "we",	"question",
		"about",      "schedule", "regards", "with", "thanks",	"for",
		"your",	      "answer",	  "next",    "week",
	};

	return one_of(g, words, ARRAY_LEN(words));
}

static void lines_of_text(struct gen *g, unsigned n, const char *extra)
{
	for (unsigned i = 0; i < n; i++) {
		unsigned n_words = 4 + below(g, 9);

		for (unsigned k = 0; k < n_words; k++)
			put(g, "%s%s", k ? " " : "", word(g));
		put(g, "%s\r\n%s", below(g, 8) ? "" : extra, below(g, 5) ? "" : "\r\n");
	}
}

static void lines_of_html(struct gen *g, unsigned n)
{
	put(g, "<html><head><meta charset=3D\"utf-8\"></head><body>\r\n");
	for (unsigned i = 0; i < n; i++)
		put(g,
		    "<div style=3D\"font-family: Arial, sans-serif\"><p>%s %s %s=\r\n"
		    "%s %s<br></p></div>\r\n",
		    word(g), word(g), word(g), word(g), word(g));
	put(g, "</body></html>\r\n");
}

static void lines_of_base64(struct gen *g, unsigned n)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";

	for (unsigned i = 0; i < n; i++) {
		char line[77];

		for (unsigned k = 0; k < 76; k += 8) {
			uint64_t bits = rng_u64(g->rng);

			for (unsigned j = k; j < k + 8 && j < 76; j++, bits >>= 6)
				line[j] = letters[bits & 63];
		}
		line[76] = '\0';
		put(g, "%s\r\n", line);
	}
}

static void boundary(struct gen *g, char name[static NAME_LEN])
{
	snprintf(name, NAME_LEN, "----=_Part_%u_%08x", g->n_boundaries++,
		 rng_u32(g->rng));
}

static void envelope_fields(struct gen *g)
{
	for (unsigned i = 0; i < 3; i++)
		put(g,
		    "Received: from mx%u.example.org (mx%u.example.org [192.0.2.%u])\r\n"
		    "\tby mail.example.net (Postfix) with ESMTPS id %08X\r\n"
		    "\tfor <user%u@example.net>; Sat, 22 Aug 2026 12:00:%02u +0000 "
		    "(UTC)\r\n",
		    i, i, below(g, 256), rng_u32(g->rng), below(g, 100), below(g, 60));
	put(g,
	    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org;\r\n"
	    "\ts=key1; h=from:to:subject:date:message-id:mime-version:content-type;\r\n"
	    "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=");
	lines_of_base64(g, 1);
	put(g,
	    "From: \"%s %s\" <sender%u@example.org>\r\n"
	    "To: user%u@example.net, Other <other@example.net>\r\n"
	    "Subject: %s %s %s\r\n"
	    "Date: Sat, 22 Aug 2026 12:00:00 +0000\r\n"
	    "Message-ID: <%016llx@example.org>\r\n"
	    "X-Mailer: Generator 1.0\r\n",
	    word(g), word(g), below(g, 1000), below(g, 100), word(g), word(g), word(g),
	    (unsigned long long)rng_u64(g->rng));
}

static void plain_part(struct gen *g)
{
	put(g, "Content-Type: text/plain; charset=\"utf-8\"\r\n"
	       "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	lines_of_text(g, 10 + below(g, 60), " =C3=A9 --");
}

static void alternative(struct gen *g)
{
	char name[NAME_LEN];

	boundary(g, name);
	put(g,
	    "Content-Type: multipart/alternative;\r\n\tboundary=\"%s\"\r\n\r\n--%s\r\n",
	    name, name);
	plain_part(g);
	put(g, "\r\n--%s\r\n", name);
	put(g, "Content-Type: text/html; charset=utf-8\r\n"
	       "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	lines_of_html(g, 20 + below(g, 100));
	put(g, "\r\n--%s--\r\n", name);
}

static void attachment(struct gen *g)
{
	put(g,
	    "Content-Type: application/pdf; name=\"%s.pdf\"\r\n"
	    "Content-Transfer-Encoding: base64\r\n"
	    "Content-Disposition: attachment; filename=\"%s.pdf\"\r\n\r\n",
	    word(g), word(g));
	lines_of_base64(g, 300 + below(g, 2000));
}

static void with_attachments(struct gen *g)
{
	char name[NAME_LEN];

	boundary(g, name);
	put(g,
	    "Content-Type: multipart/mixed;\r\n\tboundary=\"%s\"\r\n\r\n"
	    "This is a multi-part message in MIME format.\r\n--%s\r\n",
	    name, name);
	alternative(g);
	for (unsigned i = 0; i <= below(g, 3); i++) {
		put(g, "\r\n--%s\r\n", name);
		if (below(g, 6)) {
			attachment(g);
			continue;
		}
		put(g, "Content-Type: message/rfc822\r\n\r\n");
		envelope_fields(g);
		put(g, "MIME-Version: 1.0\r\n");
		alternative(g);
	}
	put(g, "\r\n--%s--\r\n", name);
}

/* Of 100 messages, 40 are text, 35 have HTML too, and 25 attachments. */
static void ordinary(struct gen *g, unsigned shapes)
{
	unsigned shape = below(g, shapes);

	envelope_fields(g);
	put(g, "MIME-Version: 1.0\r\n");
	if (shape < 40)
		plain_part(g);
	else if (shape < 75)
		alternative(g);
	else
		with_attachments(g);
}

/* What stands in a body; some of it looks like delimiters. */
static void odd_text(struct gen *g, const char *name)
{
	static const char *const lines[] = {
		"text",
		"",
		"-",
		"--",
		"---",
		"-- ",
		"--no such",
		"A: b",
		" blank",
		"From here",
		"\xc3\xa9\xe9",
		"Content-Type: x/y",
	};

	for (unsigned i = below(g, 5); i > 0; i--)
		put(g, "%s\r\n", one_of(g, lines, ARRAY_LEN(lines)));
	if (name && below(g, 20) == 0)
		put(g, " --%s\r\n", name);
	if (below(g, 3))
		put(g, "last line%s", below(g, 2) ? "\r\n" : "");
}

static void odd_leaf_fields(struct gen *g)
{
	static const char *const fields[] = {
		"",
		"Content-Type: text/plain\r\n",
		"Content-Type: text/html; charset=\"x\\\"y\"\r\n",
		"content-type:image/png ; name = a\r\n",
		"Content-Type: application/octet-stream (comment); a=b\r\n",
		"Content-Type: text/plain;\r\n charset=utf-8;\r\n\tformat=flowed\r\n",
		"Content-Type: Message/Delivery-Status\r\n",
	};
	static const char *const encodings[] = {
		"",
		"",
		"Content-Transfer-Encoding: 8bit\r\n",
		"Content-Transfer-Encoding: BASE64\r\n",
		"Content-Transfer-Encoding: quoted-printable\r\n",
		"Content-Transfer-Encoding: x-other\r\n",
	};

	put(g, "%s%s", one_of(g, fields, ARRAY_LEN(fields)),
	    one_of(g, encodings, ARRAY_LEN(encodings)));
	if (below(g, 4) == 0)
		put(g, "Content-Description: some\r\n thing\r\n");
	if (below(g, 4) == 0)
		put(g, "X-Other: --no delimiter\r\n");
}

static void odd_entity(struct gen *g, unsigned depth, const char *outer);

static void odd_multipart(struct gen *g, unsigned depth, const char *outer)
{
	static const char *const subtypes[] = { "mixed",   "alternative", "digest",
						"related", "parallel",	  "X-own" };
	char name[2 * NAME_LEN];

	/* Often one boundary begins with another. */
	if (outer && below(g, 3) == 0)
		snprintf(name, sizeof(name), "%s%u", outer, g->n_boundaries++);
	else
		snprintf(name, sizeof(name), "b%u=%u", g->n_boundaries++, below(g, 10));
	name[NAME_LEN] = '\0';
	put(g, "Content-Type: multipart/%s; boundary=\"%s\"\r\n\r\n",
	    one_of(g, subtypes, ARRAY_LEN(subtypes)), name);
	if (below(g, 3) == 0)
		odd_text(g, name);
	for (unsigned i = below(g, 5); i > 0; i--) {
		put(g, "%s--%s%s\r\n", i % 2 ? "\r\n" : "", name,
		    below(g, 6) ? "" : " \t");
		odd_entity(g, depth + 1, name);
		put(g, "\r\n");
	}
	if (below(g, 6))
		put(g, "--%s--%s\r\n", name, below(g, 6) ? "" : "  ");
	if (below(g, 4) == 0)
		odd_text(g, name);
	if (below(g, 20) == 0)
		put(g, "--%s\r\n\r\nbehind the end\r\n", name);
}

static void odd_entity(struct gen *g, unsigned depth, const char *outer)
{
	unsigned shape = depth < DEPTH_MAX ? below(g, 10) : 9;

	if (shape < 3) {
		odd_multipart(g, depth, outer);
	} else if (shape == 3) {
		put(g, "Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n");
		odd_entity(g, depth + 1, outer);
	} else {
		odd_leaf_fields(g);
		/* Rarely the empty line is missing. */
		put(g, "%s", below(g, 30) ? "\r\n" : "");
		odd_text(g, outer);
	}
}

static void odd(struct gen *g)
{
	size_t len;

	put(g, "Subject: odd\r\nMIME-Version: 1.0\r\n");
	if (below(g, 8))
		odd_multipart(g, 0, NULL);
	else
		odd_entity(g, 0, NULL);
	/* Cut behind some line, and never all. */
	len = 1 + below(g, (unsigned)g->len);
	if (below(g, 10) > 0)
		return;
	while (len < g->len && g->out[len - 1] != '\n')
		len++;
	g->len = len;
}

size_t mail_gen(struct rng *rng, enum mail_gen_kind kind, char *out)
{
	struct gen g = { .rng = rng, .out = out };

	switch (kind) {
	case MAIL_GEN_ORDINARY: ordinary(&g, 100); break;
	case MAIL_GEN_SHORT: ordinary(&g, 75); break;
	case MAIL_GEN_ODD: odd(&g); break;
	}
	return g.len;
}

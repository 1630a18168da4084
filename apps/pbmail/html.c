#include "apps/pbmail/html.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "apps/lib/str.h"
#include "stack/base/check.h"

enum { ENTITY_MAX = 10 };

struct html {
	char *out;
	size_t n;
	bool blank; /* one is due before the next character */
};

static void put(struct html *h, const char *bytes, size_t len)
{
	if (h->blank && h->n > 0 && h->out[h->n - 1] != '\n')
		h->out[h->n++] = ' ';
	h->blank = false;
	memcpy(h->out + h->n, bytes, len);
	h->n += len;
}

static void put_line_end(struct html *h)
{
	h->blank = false;
	/* At most one empty line. */
	if (h->n > 0 &&
	    !(h->n > 1 && h->out[h->n - 1] == '\n' && h->out[h->n - 2] == '\n'))
		h->out[h->n++] = '\n';
}

static bool is_block(struct str name)
{
	static const char *const names[] = { "br", "p",	 "div", "tr",  "li", "h1",   "h2",
					     "h3", "ul", "ol",	"pre", "hr", "table" };

	if (name.len > 0 && name.p[0] == '/')
		name = (struct str){ name.p + 1, name.len - 1 };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq_nocase(name, str_of(names[i])))
			return true;
	return false;
}

/* Behind the end tag of an element whose inside is not text. */
static struct str skip_element(struct str s, const char *end)
{
	for (; s.len > 0; s.p++, s.len--)
		if (str_starts_nocase(s, str_of(end)))
			break;
	return s;
}

/* "<...>"; what has no end is text no more. */
static struct str take_tag(struct html *h, struct str s)
{
	const char *end;
	struct str name = { s.p + 1, 0 }, rest;

	if (s.len >= 4 && memcmp(s.p, "<!--", 4) == 0) {
		end = memmem(s.p + 4, s.len - 4, "-->", 3);
		end = end ? end + 2 : s.p + s.len - 1;
	} else {
		end = memchr(s.p, '>', s.len);
		end = end ? end : s.p + s.len - 1;
	}
	while (name.p + name.len < end && !strchr(" \t\r\n>", name.p[name.len]))
		name.len++;
	rest = (struct str){ end + 1, s.len - (size_t)(end + 1 - s.p) };
	if (is_block(name))
		put_line_end(h);
	if (str_eq_nocase(name, STR("style")))
		return skip_element(rest, "</style");
	if (str_eq_nocase(name, STR("script")))
		return skip_element(rest, "</script");
	return rest;
}

/* "&amp;" and "&#228;".  How many bytes it is, 0: none that we know. */
static size_t entity(struct str s, char out[4], size_t *len)
{
	static const struct {
		const char *name, *text;
	} known[] = { { "amp", "&" },	{ "lt", "<" },	 { "gt", ">" },
		      { "quot", "\"" }, { "nbsp", " " }, { "apos", "'" } };
	const char *end = memchr(s.p, ';', s.len < ENTITY_MAX ? s.len : ENTITY_MAX);
	struct str name = { s.p + 1, end ? (size_t)(end - s.p - 1) : 0 };
	uint64_t c;

	for (size_t i = 0; end && i < ARRAY_LEN(known); i++)
		if (str_eq(name, str_of(known[i].name))) {
			*len = strlen(known[i].text);
			memcpy(out, known[i].text, *len);
			return name.len + 2;
		}
	if (name.len < 3 || name.p[0] != '#' ||
	    !str_to_u64((struct str){ name.p + 1, name.len - 1 }, &c) || c < 0x20 ||
	    c > 0x7ff)
		return 0;
	*len = c < 0x80 ? 1 : 2;
	out[0] = (char)(c < 0x80 ? c : 0xc0 | c >> 6);
	out[1] = (char)(0x80 | (c & 0x3f));
	return name.len + 2;
}

size_t html_to_text(char *html, size_t len)
{
	struct html h = { .out = html };
	struct str s = { html, len };

	while (s.len > 0) {
		char text[4] = { s.p[0] };
		size_t used = 1, n = 1;

		if (s.p[0] == '<') {
			s = take_tag(&h, s);
			continue;
		}
		if (s.p[0] == '&')
			used = entity(s, text, &n);
		if (used == 0)
			used = n = 1;
		if (strchr(" \t\r\n", s.p[0]) && s.p[0] != '\0')
			h.blank = true;
		else
			put(&h, text, n);
		s.p += used;
		s.len -= used;
	}
	return h.n;
}

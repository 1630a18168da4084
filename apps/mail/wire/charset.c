#include "apps/mail/wire/charset.h"

#include <errno.h>

static const struct str replacement = STR("\xef\xbf\xbd"); /* U+FFFD */

/*
 * UTF8-2 = %xC2-DF UTF8-tail
 * UTF8-3 = %xE0 %xA0-BF UTF8-tail / %xE1-EC 2( UTF8-tail ) /
 *	    %xED %x80-9F UTF8-tail / %xEE-EF 2( UTF8-tail )
 * UTF8-4 = %xF0 %x90-BF 2( UTF8-tail ) / %xF1-F3 3( UTF8-tail ) /
 *	    %xF4 %x80-8F 2( UTF8-tail )
 */
int charset_utf8_char(struct str s)
{
	const uint8_t *b = (const uint8_t *)s.p;
	uint8_t from = 0x80, to = 0xbf;
	int n;

	if (b[0] < 0x80)
		return 1;
	n = b[0] >= 0xf0 ? 4 : b[0] >= 0xe0 ? 3 : 2;
	if (b[0] < 0xc2 || b[0] > 0xf4)
		return 0;
	if (b[0] == 0xe0)
		from = 0xa0;
	else if (b[0] == 0xf0)
		from = 0x90;
	else if (b[0] == 0xed)
		to = 0x9f;
	else if (b[0] == 0xf4)
		to = 0x8f;
	for (int i = 1; i < n; i++) {
		if ((size_t)i == s.len)
			return -1;
		if (b[i] < from || b[i] > to)
			return 0;
		from = 0x80;
		to = 0xbf;
	}
	return n;
}

bool charset_is_utf8(struct str s)
{
	while (s.len > 0) {
		int n = charset_utf8_char(s);

		if (n <= 0)
			return false;
		s.p += n;
		s.len -= (size_t)n;
	}
	return true;
}

bool charset_is_ascii(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] > 127)
			return false;
	return true;
}

static bool is_one_of(struct str name, const struct str *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(name, list[i]))
			return true;
	return false;
}

/* RFC 2978 2.3: mime-charset-chars, less those that iconv takes for orders. */
static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && (c == '\0' || !strchr("-_.:+", c)))
			return false;
	}
	return name.len > 0 && name.len <= CHARSET_NAME_MAX;
}

void charset_open(struct charset *c, struct str name)
{
	/* What calls itself ASCII and is not is UTF-8 these days. */
	static const struct str utf8[] = { STR(""), STR("utf-8"), STR("utf8"),
					   STR("us-ascii"), STR("ascii") };
	static const struct str latin1[] = { STR("iso-8859-1"), STR("latin1") };
	char text[CHARSET_NAME_MAX + 1];

	*c = (struct charset){ .kind = CHARSET_UTF8 };
	if (is_one_of(name, utf8, sizeof(utf8) / sizeof(*utf8)))
		return;
	if (is_one_of(name, latin1, sizeof(latin1) / sizeof(*latin1))) {
		c->kind = CHARSET_LATIN1;
		return;
	}
	if (is_name(name)) {
		memcpy(text, name.p, name.len);
		text[name.len] = '\0';
		c->cd = iconv_open("UTF-8", text);
		if (c->cd != (iconv_t)-1) {
			c->kind = CHARSET_ICONV;
			return;
		}
	}
	c->odd |= CHARSET_ODD_NAME;
}

static void put(struct charset *c, struct wr *out, struct str s)
{
	if (s.len > 0)
		wr_copy(out, s.p, s.len);
	if (out->bad)
		c->odd |= CHARSET_ODD_ROOM;
}

static void put_replacement(struct charset *c, struct wr *out)
{
	c->odd |= CHARSET_ODD_BYTES;
	put(c, out, replacement);
}

/* The part of @in that is good UTF-8; where there is no room, only what fits. */
static size_t good_run(const struct wr *out, struct str in)
{
	size_t room = (size_t)(out->end - out->p), n = 0;

	while (n < in.len) {
		int len = charset_utf8_char((struct str){ in.p + n, in.len - n });

		if (len <= 0 || n + (size_t)len > room)
			break;
		n += (size_t)len;
	}
	return n;
}

/* Each feeder returns how many bytes of @in it read: all, but those of a last character
 * that is not whole. */
static size_t feed_utf8(struct charset *c, struct str in, struct wr *out)
{
	size_t at = 0;

	while (at < in.len && !out->bad) {
		struct str rest = { in.p + at, in.len - at };
		size_t run = good_run(out, rest);
		int len;

		put(c, out, (struct str){ rest.p, run });
		at += run;
		if (at == in.len)
			break;
		rest = (struct str){ in.p + at, in.len - at };
		len = charset_utf8_char(rest);
		if (len < 0)
			return at;
		if (len == 0)
			put_replacement(c, out);
		else
			put(c, out, (struct str){ rest.p, (size_t)len });
		at += len > 0 ? (size_t)len : 1;
	}
	return in.len;
}

static size_t feed_latin1(struct charset *c, struct str in, struct wr *out)
{
	for (size_t i = 0; i < in.len && !out->bad; i++) {
		uint8_t b = (uint8_t)in.p[i];
		char two[2] = { (char)(0xc0 | b >> 6), (char)(0x80 | (b & 0x3f)) };

		put(c, out,
		    b < 0x80 ? (struct str){ in.p + i, 1 } : (struct str){ two, 2 });
	}
	return in.len;
}

static size_t feed_iconv(struct charset *c, struct str in, struct wr *out)
{
	char *from = (char *)in.p, *to = (char *)out->p;
	size_t n = in.len, room = (size_t)(out->end - out->p);

	while (n > 0 && !out->bad) {
		size_t r = iconv(c->cd, &from, &n, &to, &room);
		int why = errno;

		out->p = (uint8_t *)to;
		if (r != (size_t)-1)
			continue;
		if (why == EINVAL && n < CHARSET_HELD_MAX)
			return in.len - n;
		if (why == E2BIG) {
			out->bad = true;
			c->odd |= CHARSET_ODD_ROOM;
			break;
		}
		put_replacement(c, out);
		to = (char *)out->p;
		room = (size_t)(out->end - out->p);
		from++;
		n--;
	}
	return in.len;
}

static size_t feed(struct charset *c, struct str in, struct wr *out)
{
	switch (c->kind) {
	case CHARSET_UTF8: return feed_utf8(c, in, out);
	case CHARSET_LATIN1: return feed_latin1(c, in, out);
	case CHARSET_ICONV: return feed_iconv(c, in, out);
	}
	return in.len;
}

/* The held bytes and one more, until they are whole. */
static void feed_held(struct charset *c, struct str *in, struct wr *out)
{
	while (c->n_held > 0 && in->len > 0) {
		size_t used;

		c->held[c->n_held++] = in->p[0];
		in->p++;
		in->len--;
		used = feed(c, (struct str){ c->held, c->n_held }, out);
		c->n_held = (uint8_t)(c->n_held - used);
		memmove(c->held, c->held + used, c->n_held);
	}
}

void charset_feed(struct charset *c, struct str in, struct wr *out)
{
	size_t used;

	feed_held(c, &in, out);
	if (in.len == 0)
		return;
	used = feed(c, in, out);
	c->n_held = (uint8_t)(in.len - used);
	memcpy(c->held, in.p + used, c->n_held);
}

void charset_end(struct charset *c, struct wr *out)
{
	if (c->n_held > 0)
		put_replacement(c, out);
	c->n_held = 0;
	if (c->kind == CHARSET_ICONV) {
		char *to = (char *)out->p;
		size_t room = (size_t)(out->end - out->p);

		/* Some sets keep a letter until they know what accent follows. */
		iconv(c->cd, NULL, NULL, &to, &room);
		out->p = (uint8_t *)to;
	}
}

void charset_close(struct charset *c)
{
	if (c->kind == CHARSET_ICONV)
		iconv_close(c->cd);
	c->kind = CHARSET_UTF8;
}

uint32_t charset_to_utf8(struct str name, struct str in, struct wr *out)
{
	struct charset c;

	charset_open(&c, name);
	charset_feed(&c, in, out);
	charset_end(&c, out);
	charset_close(&c);
	return c.odd;
}

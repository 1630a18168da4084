#include "apps/mail/wire/utf7.h"

#include <errno.h>

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

struct writer {
	char *out;
	size_t cap, len;
	uint32_t
		bits; /* of a run in base64 that are not written yet, the lowest n_bits */
	unsigned n_bits;
	bool is_full;
};

static void put(struct writer *w, unsigned c)
{
	if (w->len == w->cap) {
		w->is_full = true;
		return;
	}
	w->out[w->len++] = (char)c;
}

static int finish(const struct writer *w, size_t *len)
{
	if (w->is_full)
		return -ENOSPC;
	*len = w->len;
	return 0;
}

static bool is_printable(uint32_t c)
{
	return c >= 0x20 && c <= 0x7e;
}

/*
 * The next character of UTF-8 (RFC 3629 4), at least U+0001; false: none stands there.
 *
 *	0xxxxxxx  110xxxxx 10xxxxxx  1110xxxx 2*10xxxxxx  11110xxx 3*10xxxxxx
 */
static bool take_utf8(struct str *in, uint32_t *character)
{
	static const uint32_t least[] = { 1, 0x80, 0x800, 0x10000 };
	uint8_t first = (uint8_t)in->p[0];
	unsigned n_more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
	uint32_t c = first < 0x80 ? first : first & (0x3fu >> n_more);

	if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || in->len <= n_more)
		return false;
	for (unsigned i = 1; i <= n_more; i++) {
		if (((uint8_t)in->p[i] & 0xc0) != 0x80)
			return false;
		c = c << 6 | ((uint8_t)in->p[i] & 0x3f);
	}
	if (c < least[n_more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return false;
	in->p += n_more + 1;
	in->len -= n_more + 1;
	*character = c;
	return true;
}

static void put_utf8(struct writer *w, uint32_t c)
{
	if (c < 0x80) {
		put(w, c);
		return;
	}
	if (c < 0x800) {
		put(w, 0xc0 | c >> 6);
	} else if (c < 0x10000) {
		put(w, 0xe0 | c >> 12);
		put(w, 0x80 | (c >> 6 & 0x3f));
	} else {
		put(w, 0xf0 | c >> 18);
		put(w, 0x80 | (c >> 12 & 0x3f));
		put(w, 0x80 | (c >> 6 & 0x3f));
	}
	put(w, 0x80 | (c & 0x3f));
}

/* 16 bits more of a run in base64. */
static void put_unit(struct writer *w, uint32_t unit)
{
	w->bits = w->bits << 16 | unit;
	w->n_bits += 16;
	while (w->n_bits >= 6) {
		w->n_bits -= 6;
		put(w, (unsigned char)alphabet[w->bits >> w->n_bits & 0x3f]);
	}
}

/* The run ends: what is left, with zeros behind it, and "-". */
static void end_run(struct writer *w)
{
	if (w->n_bits > 0)
		put(w, (unsigned char)alphabet[w->bits << (6 - w->n_bits) & 0x3f]);
	w->n_bits = 0;
	put(w, '-');
}

int utf7_emit(struct str in, char *out, size_t cap, size_t *len)
{
	struct writer w = { .out = out, .cap = cap };
	bool in_run = false;
	uint32_t c;

	while (in.len > 0) {
		if (!take_utf8(&in, &c))
			return -EINVAL;
		if (in_run && is_printable(c))
			end_run(&w);
		else if (!in_run && !is_printable(c))
			put(&w, '&');
		in_run = !is_printable(c);
		if (in_run && c > 0xffff) {
			put_unit(&w, 0xd800 + ((c - 0x10000) >> 10));
			put_unit(&w, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else if (in_run) {
			put_unit(&w, c);
		} else {
			put(&w, c);
			if (c == '&')
				put(&w, '-');
		}
	}
	if (in_run)
		end_run(&w);
	return finish(&w, len);
}

/* One unit of UTF-16 came; *high is the first half of a pair that waits, or 0. */
static bool take_unit(struct writer *w, uint32_t unit, uint32_t *high)
{
	bool is_low = unit >= 0xdc00 && unit < 0xe000;

	if (is_low != (*high > 0))
		return false;
	if (is_low) {
		put_utf8(w, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
		*high = 0;
	} else if (unit >= 0xd800 && unit < 0xdc00) {
		*high = unit;
	} else {
		/* RFC 3501 5.1.3: no character that can stand for itself. */
		if (unit == 0 || is_printable(unit))
			return false;
		put_utf8(w, unit);
	}
	return true;
}

/* A run in base64, from behind its "&" to behind its "-". */
static bool take_run(struct writer *w, struct str *in)
{
	uint32_t bits = 0, high = 0;
	unsigned n_bits = 0;
	bool is_empty = true;

	for (; in->len > 0 && in->p[0] != '-'; in->p++, in->len--) {
		const char *digit = in->p[0] ? strchr(alphabet, in->p[0]) : NULL;

		if (!digit)
			return false;
		is_empty = false;
		bits = bits << 6 | (uint32_t)(digit - alphabet);
		n_bits += 6;
		if (n_bits < 16)
			continue;
		n_bits -= 16;
		if (!take_unit(w, bits >> n_bits & 0xffff, &high))
			return false;
	}
	/* What fills the last digit is less than a digit, and zero. */
	if (in->len == 0 || is_empty || high > 0 || n_bits >= 6 ||
	    (bits & ((1u << n_bits) - 1)) != 0)
		return false;
	in->p++;
	in->len--;
	/* Two runs side by side would be one. */
	return in->len < 2 || in->p[0] != '&' || in->p[1] == '-';
}

int utf7_parse(struct str in, char *out, size_t cap, size_t *len)
{
	struct writer w = { .out = out, .cap = cap };

	while (in.len > 0) {
		char c = in.p[0];

		if (!is_printable((unsigned char)c))
			return -EINVAL;
		in.p++;
		in.len--;
		if (c != '&') {
			put(&w, (unsigned char)c);
		} else if (in.len > 0 && in.p[0] == '-') {
			put(&w, '&');
			in.p++;
			in.len--;
		} else if (!take_run(&w, &in)) {
			return -EINVAL;
		}
	}
	return finish(&w, len);
}

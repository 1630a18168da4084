#include <stdlib.h>

#include "apps/mail/wire/dot.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Feeds @s in pieces of @step; returns bytes read, *n of them in @out. */
static size_t decode(struct str s, size_t step, struct dot_decoder *d, char *out,
		     size_t *n)
{
	size_t at = 0;

	*n = 0;
	dot_decode_init(d);
	while (at < s.len && d->state != DOT_END) {
		size_t piece = s.len - at < step ? s.len - at : step, n_out;

		at += dot_decode(d, (struct str){ s.p + at, piece }, out + *n, &n_out);
		*n += n_out;
	}
	return at;
}

static size_t encode(struct str s, size_t step, char *out)
{
	struct dot_encoder e;
	struct str piece;
	size_t n = 0;

	dot_encode_init(&e);
	for (size_t at = 0; at < s.len; at += step) {
		struct str in = { s.p + at, s.len - at < step ? s.len - at : step };

		while (dot_encode(&e, &in, &piece)) {
			memcpy(out + n, piece.p, piece.len);
			n += piece.len;
		}
	}
	piece = dot_encode_end(&e);
	memcpy(out + n, piece.p, piece.len);
	return n + piece.len;
}

/* The first byte is the size of the pieces.  Cuts change nothing; what was decoded is
 * encoded to what decodes to it. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct dot_decoder whole, cut;
	size_t step, n_whole, n_cut, used;
	struct str s, message;
	char *a, *b, *wire;

	if (len < 1)
		return 0;
	step = 1 + bytes[0] % 16;
	s = (struct str){ (const char *)bytes + 1, len - 1 };
	a = malloc(len);
	b = malloc(len);
	wire = malloc(2 * len + 8);
	used = decode(s, len, &whole, a, &n_whole);
	ASSERT(decode(s, step, &cut, b, &n_cut) == used);
	ASSERT(whole.state == cut.state && whole.fault == cut.fault);
	message = (struct str){ a, n_whole };
	ASSERT(str_eq(message, (struct str){ b, n_cut }));
	if (whole.state == DOT_END && whole.fault == DOT_FINE) {
		struct str again = { wire, encode(message, step, wire) };

		ASSERT(decode(again, len * 2 + 8, &cut, b, &n_cut) == again.len);
		ASSERT(cut.state == DOT_END && cut.fault == DOT_FINE);
		ASSERT(str_eq(message, (struct str){ b, n_cut }));
	}
	free(a);
	free(b);
	free(wire);
	return 0;
}

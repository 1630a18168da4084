#include <stdlib.h>

#include "apps/mail/wire/enc_impl.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static size_t decode(enum enc enc, struct str s, size_t step, char *out, uint32_t *odd)
{
	struct enc_decoder d;
	size_t n = 0;

	enc_decode_init(&d, enc);
	for (size_t at = 0; at < s.len; at += step)
		n += enc_decode(
			&d,
			(struct str){ s.p + at, s.len - at < step ? s.len - at : step },
			out + n);
	n += enc_decode_end(&d, out + n);
	*odd = d.odd;
	return n;
}

static size_t encode(enum enc enc, bool is_text, struct str s, size_t step, char *out)
{
	struct enc_encoder e;
	size_t n = 0;

	enc_encode_init(&e, enc, is_text);
	for (size_t at = 0; at < s.len; at += step)
		n += enc_encode(
			&e,
			(struct str){ s.p + at, s.len - at < step ? s.len - at : step },
			out + n);
	return n + enc_encode_end(&e, out + n);
}

/* Cuts change nothing, and what was encoded is decoded without anything odd. */
static void check(enum enc enc, bool is_text, struct str s, size_t step)
{
	size_t room = enc_encoded_room(s.len), n, m;
	char *a = malloc(2 * room), *b = malloc(2 * room);
	uint32_t odd_a, odd_b;

	n = decode(enc, s, s.len + 1, a, &odd_a);
	ASSERT(n <= s.len + ENC_ROOM);
	m = decode(enc, s, step, b, &odd_b);
	ASSERT(n == m && odd_a == odd_b && memcmp(a, b, n) == 0);
	n = encode(enc, is_text, s, s.len + 1, a);
	m = encode(enc, is_text, s, step, b);
	ASSERT(n == m && n <= room && memcmp(a, b, n) == 0);
	m = decode(enc, (struct str){ a, n }, step, b, &odd_b);
	ASSERT(m == s.len && memcmp(b, s.p, m) == 0);
	ASSERT(odd_b == 0 || (enc != ENC_QP && enc != ENC_BASE64));
	free(a);
	free(b);
}

/* All loops of base64 read the same. */
static void check_loops(struct str s)
{
	char *a = malloc(s.len + ENC_ROOM), *b = malloc(s.len + ENC_ROOM);
	size_t used_a, used_b, n = enc_b64_loops(0)->decode(s, &used_a, a);

	for (unsigned i = 1; enc_b64_loops(i); i++) {
		size_t m = enc_b64_loops(i)->decode(s, &used_b, b);

		ASSERT(m <= n && used_b <= used_a && memcmp(a, b, m) == 0);
		ASSERT(used_b == used_a || s.len - used_b < 16);
	}
	free(a);
	free(b);
}

/* The first byte is the encoding, whether it is text, and the size of the pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str s;

	if (len < 1)
		return 0;
	s = (struct str){ (const char *)bytes + 1, len - 1 };
	check(bytes[0] & 1 ? ENC_QP : ENC_BASE64, bytes[0] & 2, s, 1 + (bytes[0] >> 2));
	check_loops(s);
	return 0;
}

/*
 * The inner loops of base64 (RFC 2045 6.8, RFC 4648 4).
 *
 *	bytes        aaaaaaaa bbbbbbbb cccccccc
 *	characters   aaaaaa aabbbb bbbbcc cccccc     each 6 bits one of 64 letters
 *
 * With vectors, after Mula and Lemire, "Faster Base64 Encoding and Decoding using AVX2
 * Instructions" (2018): the six bits of all lanes are moved in place by a shuffle and two
 * multiplications, and become letters by adding a number that a shuffle looks up, one
 * for each of the five ranges of letters.  Decoding goes back by the same ranges; a
 * second look-up, by both halves of each character, says which characters are letters.
 */
#include "apps/mail/wire/enc_impl.h"

static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				"0123456789+/";

enum { NO_LETTER = 0xff };

static const uint8_t values[256] = {
#define NO16                                                                         \
	NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, \
		NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER,    \
		NO_LETTER, NO_LETTER, NO_LETTER
	NO16, NO16,
	/* '+' and '/' */
	NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER,
	NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, 62, NO_LETTER, NO_LETTER, NO_LETTER,
	63,
	/* digits */
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO_LETTER, NO_LETTER, NO_LETTER,
	NO_LETTER, NO_LETTER, NO_LETTER,
	/* 'A' to 'Z' */
	NO_LETTER, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
	20, 21, 22, 23, 24, 25, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER,
	/* 'a' to 'z' */
	NO_LETTER, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
	44, 45, 46, 47, 48, 49, 50, 51, NO_LETTER, NO_LETTER, NO_LETTER, NO_LETTER,
	NO_LETTER, NO16, NO16, NO16, NO16, NO16, NO16, NO16, NO16
#undef NO16
};

static size_t decode_plain(struct str in, size_t *used, char *out)
{
	size_t at = 0, n = 0;

	while (in.len - at >= 4) {
		const uint8_t *c = (const uint8_t *)in.p + at;
		uint8_t a = values[c[0]], b = values[c[1]], x = values[c[2]],
			y = values[c[3]];
		uint32_t bits;

		if ((a | b | x | y) & 0x80)
			break;
		bits = (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)x << 6 | y;
		out[n] = (char)(bits >> 16);
		out[n + 1] = (char)(bits >> 8);
		out[n + 2] = (char)bits;
		at += 4;
		n += 3;
	}
	*used = at;
	return n;
}

static size_t encode_plain(const char *in, size_t n, const char *end, char *out)
{
	(void)end;
	for (size_t at = 0; at < n; at += 3) {
		const uint8_t *b = (const uint8_t *)in + at;
		uint32_t bits = (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];

		*out++ = letters[bits >> 18];
		*out++ = letters[bits >> 12 & 63];
		*out++ = letters[bits >> 6 & 63];
		*out++ = letters[bits & 63];
	}
	return n;
}

static const struct enc_b64_loops plain = { "plain", decode_plain, encode_plain };

#ifdef __x86_64__

#include <immintrin.h>

/* By the upper half of a character: in which ranges of letters it may be; by the lower
 * half: which of them have no such letter.  A bit in both: no letter. */
#define BY_LOWER                                                                      \
	0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, \
		0x1b, 0x1b, 0x1a
#define BY_UPPER                                                                      \
	0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, \
		0x10, 0x10, 0x10
/* What turns a letter to its value, by its upper half; '/' looks up the one before '+'. */
#define TO_VALUE 0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0
/* The four characters of a group, as one number of 24 bits each, to its three bytes. */
#define PACK 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1
/* Three bytes to where the multiplications want them. */
#define SPREAD 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10
/* What turns a value to its letter: 26-51, the ten digits, '+', '/', 0-25. */
#define TO_LETTER                                                                       \
	'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, \
		'0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0

__attribute__((target("ssse3"))) static inline __m128i decode_16(__m128i v, __m128i *bad)
{
	const __m128i half = _mm_set1_epi8(0x0f);
	__m128i upper = _mm_and_si128(_mm_srli_epi32(v, 4), half);
	__m128i lower = _mm_and_si128(v, half);
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('/'));
	__m128i add =
		_mm_shuffle_epi8(_mm_setr_epi8(TO_VALUE), _mm_add_epi8(upper, slash));

	*bad = _mm_and_si128(_mm_shuffle_epi8(_mm_setr_epi8(BY_LOWER), lower),
			     _mm_shuffle_epi8(_mm_setr_epi8(BY_UPPER), upper));
	v = _mm_maddubs_epi16(_mm_add_epi8(v, add), _mm_set1_epi32(0x01400140));
	v = _mm_madd_epi16(v, _mm_set1_epi32(0x00011000));
	return _mm_shuffle_epi8(v, _mm_setr_epi8(PACK));
}

__attribute__((target("ssse3"))) static size_t decode_ssse3(struct str in, size_t *used,
							    char *out)
{
	size_t at = 0, n = 0, good = 16;

	/* A line ends somewhere: the whole groups before it count. */
	while (good == 16 && in.len - at >= 16) {
		__m128i v = _mm_loadu_si128((const void *)(in.p + at)), bad;
		unsigned wrong;

		v = decode_16(v, &bad);
		wrong = ~(unsigned)_mm_movemask_epi8(
			_mm_cmpeq_epi8(bad, _mm_setzero_si128()));
		good = (size_t)__builtin_ctz(wrong | 0x10000) & ~(size_t)3;
		_mm_storeu_si128((void *)(out + n), v);
		at += good;
		n += good / 4 * 3;
	}
	*used = at;
	return n;
}

__attribute__((target("ssse3"))) static inline __m128i encode_12(__m128i v)
{
	__m128i a, b, row;

	v = _mm_shuffle_epi8(v, _mm_setr_epi8(SPREAD));
	a = _mm_mulhi_epu16(_mm_and_si128(v, _mm_set1_epi32(0x0fc0fc00)),
			    _mm_set1_epi32(0x04000040));
	b = _mm_mullo_epi16(_mm_and_si128(v, _mm_set1_epi32(0x003f03f0)),
			    _mm_set1_epi32(0x01000010));
	v = _mm_or_si128(a, b);
	row = _mm_subs_epu8(v, _mm_set1_epi8(51));
	row = _mm_or_si128(row, _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), v),
					      _mm_set1_epi8(13)));
	return _mm_add_epi8(v, _mm_shuffle_epi8(_mm_setr_epi8(TO_LETTER), row));
}

__attribute__((target("ssse3"))) static size_t encode_ssse3(const char *in, size_t n,
							    const char *end, char *out)
{
	size_t at = 0;

	while (at < n && end - (in + at) >= 16) {
		__m128i v = _mm_loadu_si128((const void *)(in + at));

		_mm_storeu_si128((void *)(out + at / 3 * 4), encode_12(v));
		at += n - at < 12 ? n - at : 12;
	}
	return at;
}

__attribute__((target("avx2"))) static size_t decode_avx2(struct str in, size_t *used,
							  char *out)
{
	const __m256i by_lower = _mm256_setr_epi8(BY_LOWER, BY_LOWER);
	const __m256i by_upper = _mm256_setr_epi8(BY_UPPER, BY_UPPER);
	const __m256i to_value = _mm256_setr_epi8(TO_VALUE, TO_VALUE);
	const __m256i half = _mm256_set1_epi8(0x0f);
	size_t at = 0, n = 0, rest;

	while (in.len - at >= 32) {
		__m256i v = _mm256_loadu_si256((const void *)(in.p + at));
		__m256i upper = _mm256_and_si256(_mm256_srli_epi32(v, 4), half);
		__m256i slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/'));

		if (!_mm256_testz_si256(
			    _mm256_shuffle_epi8(by_lower, _mm256_and_si256(v, half)),
			    _mm256_shuffle_epi8(by_upper, upper)))
			break;
		v = _mm256_add_epi8(
			v, _mm256_shuffle_epi8(to_value, _mm256_add_epi8(upper, slash)));
		v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
		v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));
		v = _mm256_shuffle_epi8(v, _mm256_setr_epi8(PACK, PACK));
		_mm_storeu_si128((void *)(out + n), _mm256_castsi256_si128(v));
		_mm_storeu_si128((void *)(out + n + 12), _mm256_extracti128_si256(v, 1));
		at += 32;
		n += 24;
	}
	n += decode_ssse3((struct str){ in.p + at, in.len - at }, &rest, out + n);
	*used = at + rest;
	return n;
}

__attribute__((target("avx2"))) static size_t encode_avx2(const char *in, size_t n,
							  const char *end, char *out)
{
	const __m256i to_letter = _mm256_setr_epi8(TO_LETTER, TO_LETTER);
	const __m256i spread = _mm256_setr_epi8(SPREAD, SPREAD);
	size_t at = 0;

	for (; n - at >= 24 && end - (in + at) >= 28; at += 24) {
		__m256i v = _mm256_inserti128_si256(
			_mm256_castsi128_si256(_mm_loadu_si128((const void *)(in + at))),
			_mm_loadu_si128((const void *)(in + at + 12)), 1);
		__m256i a, b, row;

		v = _mm256_shuffle_epi8(v, spread);
		a = _mm256_mulhi_epu16(_mm256_and_si256(v, _mm256_set1_epi32(0x0fc0fc00)),
				       _mm256_set1_epi32(0x04000040));
		b = _mm256_mullo_epi16(_mm256_and_si256(v, _mm256_set1_epi32(0x003f03f0)),
				       _mm256_set1_epi32(0x01000010));
		v = _mm256_or_si256(a, b);
		row = _mm256_subs_epu8(v, _mm256_set1_epi8(51));
		row = _mm256_or_si256(
			row, _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), v),
					      _mm256_set1_epi8(13)));
		v = _mm256_add_epi8(v, _mm256_shuffle_epi8(to_letter, row));
		_mm256_storeu_si256((void *)(out + at / 3 * 4), v);
	}
	return at + encode_ssse3(in + at, n - at, end, out + at / 3 * 4);
}

static const struct enc_b64_loops ssse3 = { "ssse3", decode_ssse3, encode_ssse3 };
static const struct enc_b64_loops avx2 = { "avx2", decode_avx2, encode_avx2 };

const struct enc_b64_loops *enc_b64_loops(unsigned i)
{
	switch (i) {
	case 0: return &plain;
	case 1: return __builtin_cpu_supports("ssse3") ? &ssse3 : NULL;
	case 2: return __builtin_cpu_supports("avx2") ? &avx2 : NULL;
	default: return NULL;
	}
}

const struct enc_b64_loops *enc_b64_best(void)
{
	if (__builtin_cpu_supports("avx2"))
		return &avx2;
	return __builtin_cpu_supports("ssse3") ? &ssse3 : &plain;
}

#else

const struct enc_b64_loops *enc_b64_loops(unsigned i)
{
	return i == 0 ? &plain : NULL;
}

const struct enc_b64_loops *enc_b64_best(void)
{
	return &plain;
}

#endif

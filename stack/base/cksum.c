/*
 * The one's complement sum is a sum modulo 2^16 - 1, and so 2^16 may count as 1,
 * and words of 32 or 64 bits may be added as they are: a carry out of the top is
 * added at the bottom.
 */
#include "stack/base/cksum.h"

#include <stdbool.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "stack/base/byte.h"
#include "stack/base/pkt.h"

static inline uint64_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

static inline uint64_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static inline uint64_t add_carry(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

/* To less than 2^33, so that many sums may be added plainly. */
static inline uint64_t halve(uint64_t sum)
{
	return (sum & UINT32_MAX) + (sum >> 32);
}

/* The last bytes, less than 8. */
static inline uint64_t sum_tail(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	if (len & 4) {
		sum += load32(p);
		p += 4;
	}
	if (len & 2) {
		sum += load16(p);
		p += 2;
	}
	/* RFC 1071 2: an odd byte is followed by a zero. */
	if (len & 1)
		sum += load16((uint8_t[2]){ *p, 0 });
	return sum;
}

static inline uint64_t sum_words(const uint8_t *p, size_t len)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;

	/* Four sums, so that no addition waits for the carry of another. */
	for (; len >= 32; len -= 32, p += 32) {
		a = add_carry(a, load64(p));
		b = add_carry(b, load64(p + 8));
		c = add_carry(c, load64(p + 16));
		d = add_carry(d, load64(p + 24));
	}
	for (; len >= 8; len -= 8, p += 8)
		a = add_carry(a, load64(p));
	b = add_carry(b, sum_tail(p, len));
	return add_carry(add_carry(a, b), add_carry(c, d));
}

#ifdef __x86_64__
enum { WIDE_MIN_LEN = 256, WIDE_STEP = 64 };

/*
 * Each 64-bit lane adds up its words, wrapping, and their upper halves.  The sum of
 * the lower halves follows: words - (uppers << 32), since it is less than 2^64.
 */
__attribute__((target("avx2"))) static uint64_t sum_wide(const uint8_t *p, size_t len)
{
	__m256i words[2] = { _mm256_setzero_si256(), _mm256_setzero_si256() };
	__m256i uppers[2] = { _mm256_setzero_si256(), _mm256_setzero_si256() };
	uint64_t word[4], upper[4], sum = 0;

	for (; len; len -= WIDE_STEP, p += WIDE_STEP) {
		for (unsigned i = 0; i < WIDE_STEP / 32; i++) {
			__m256i v = _mm256_loadu_si256((const void *)(p + 32 * i));

			/* Loaded once for both uses; gcc 12 alone would load it twice. */
			__asm__("" : "+x"(v));
			words[i % 2] = _mm256_add_epi64(words[i % 2], v);
			uppers[i % 2] =
				_mm256_add_epi64(uppers[i % 2], _mm256_srli_epi64(v, 32));
		}
	}
	_mm256_storeu_si256((void *)word, _mm256_add_epi64(words[0], words[1]));
	_mm256_storeu_si256((void *)upper, _mm256_add_epi64(uppers[0], uppers[1]));
	for (unsigned i = 0; i < 4; i++) {
		sum = add_carry(sum, upper[i]);
		sum = add_carry(sum, word[i] - (upper[i] << 32));
	}
	return sum;
}

/* How many bytes of @len sum_wide() should take: all but a rest, or none. */
static inline size_t wide_len(size_t len)
{
	if (len < WIDE_MIN_LEN || !__builtin_cpu_supports("avx2"))
		return 0;
	return len & ~(size_t)(WIDE_STEP - 1);
}
#else
static inline uint64_t sum_wide(const uint8_t *p, size_t len)
{
	return sum_words(p, len);
}

static inline size_t wide_len(size_t len)
{
	(void)len;
	return 0;
}
#endif

uint64_t cksum_add(uint64_t sum, const void *bytes, size_t len)
{
	size_t wide = wide_len(len);
	const uint8_t *p = bytes;

	if (wide)
		sum = add_carry(sum, sum_wide(p, wide));
	return halve(add_carry(sum, sum_words(p + wide, len - wide)));
}

uint64_t cksum_add_pkt(uint64_t sum, const struct pkt *p, uint32_t offset)
{
	bool odd = false;

	for (; p; p = p->next) {
		uint64_t part;
		uint32_t len;

		if (offset >= p->len) {
			offset -= p->len;
			continue;
		}
		len = p->len - offset;
		part = cksum_add(0, p->data + offset, len);
		/* RFC 1071 1 (B): bytes at odd places are bytes of the other half. */
		if (odd)
			part <<= 8;
		sum = halve(add_carry(sum, part));
		odd ^= len & 1;
		offset = 0;
	}
	return sum;
}

uint64_t cksum_pseudo(const struct addr *src, const struct addr *dst, uint8_t proto,
		      uint32_t len)
{
	size_t n = src->family == ADDR_IP4 ? sizeof(struct ip4) : sizeof(struct ip6);
	uint8_t bytes[2 * sizeof(struct ip6) + 8];
	struct wr w = wr_of(bytes, sizeof(bytes));

	wr_copy(&w, src->ip6.b, n);
	wr_copy(&w, dst->ip6.b, n);
	/* IPv4 has fewer zeros and 16 bits of length: the sum is the same. */
	wr32(&w, len);
	wr32(&w, proto);
	return cksum_add(0, bytes, 2 * n + 8);
}

uint16_t cksum_fold(uint64_t sum)
{
	sum = halve(sum);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

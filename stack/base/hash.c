#include "stack/base/hash.h"

#include <endian.h>

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void sip_rounds(struct sip *v, unsigned n)
{
	while (n--) {
		v->a += v->b;
		v->c += v->d;
		v->b = rotl(v->b, 13) ^ v->a;
		v->d = rotl(v->d, 16) ^ v->c;
		v->a = rotl(v->a, 32);
		v->c += v->b;
		v->a += v->d;
		v->b = rotl(v->b, 17) ^ v->c;
		v->d = rotl(v->d, 21) ^ v->a;
		v->c = rotl(v->c, 32);
	}
}

static inline struct sip sip_init(const struct hash_key *key)
{
	return (struct sip){
		.a = key->k[0] ^ UINT64_C(0x736f6d6570736575),
		.b = key->k[1] ^ UINT64_C(0x646f72616e646f6d),
		.c = key->k[0] ^ UINT64_C(0x6c7967656e657261),
		.d = key->k[1] ^ UINT64_C(0x7465646279746573),
	};
}

static inline void sip_word(struct sip *v, uint64_t word, unsigned n_rounds)
{
	v->d ^= word;
	sip_rounds(v, n_rounds);
	v->a ^= word;
}

static inline uint64_t sip_end(struct sip *v, unsigned n_rounds)
{
	v->c ^= 0xff;
	sip_rounds(v, n_rounds);
	return v->a ^ v->b ^ v->c ^ v->d;
}

static inline uint64_t siphash(const struct hash_key *key, const void *bytes, size_t len,
			       unsigned n_word, unsigned n_end)
{
	struct sip v = sip_init(key);
	const uint8_t *p = bytes;
	uint64_t word;

	for (size_t left = len / 8; left; left--, p += 8) {
		memcpy(&word, p, 8);
		sip_word(&v, le64toh(word), n_word);
	}
	/* The rest, zeros, and in the last byte the length. */
	word = 0;
	memcpy(&word, p, len % 8);
	sip_word(&v, le64toh(word) | (uint64_t)len << 56, n_word);
	return sip_end(&v, n_end);
}

uint64_t hash_siphash13(const struct hash_key *key, const void *bytes, size_t len)
{
	return siphash(key, bytes, len, 1, 3);
}

uint64_t hash_siphash24(const struct hash_key *key, const void *bytes, size_t len)
{
	return siphash(key, bytes, len, 2, 4);
}

uint32_t hash_flow(const struct hash_key *key, const struct flow *f)
{
	uint8_t b[sizeof(f->local) + sizeof(f->remote) + 4];
	/* The zeros behind an IPv4 address need no hashing: 12 bytes say it all. */
	size_t from = offsetof(struct addr, ip4);
	size_t n = f->local.family == ADDR_IP4 ? sizeof(struct ip4) : sizeof(struct ip6);
	size_t len = 2 * n + 4;

	memcpy(b, (const uint8_t *)&f->local + from, n);
	memcpy(b + n, (const uint8_t *)&f->remote + from, n);
	memcpy(b + 2 * n, &f->local_port, 2);
	memcpy(b + 2 * n + 2, &f->remote_port, 2);
	return (uint32_t)siphash(key, b, len, 1, 3);
}

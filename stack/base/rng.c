#include "stack/base/rng.h"

#include "stack/base/check.h"

static uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

/* SplitMix64 (Steele, Lea, Flood 2014): spreads a seed of few bits over a state. */
static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void rng_init(struct rng *r, uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++)
		r->s[i] = splitmix(&seed);
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t *s = r->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	uint64_t m;
	uint32_t few;

	ASSERT(n > 0);
	/* Lemire 2019: the upper half of u32 * n, without the few that come too often. */
	few = -n % n;
	do {
		m = (uint64_t)rng_u32(r) * n;
	} while ((uint32_t)m < few);
	return (uint32_t)(m >> 32);
}

int rng_chance(struct rng *r, double p)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53 < p;
}

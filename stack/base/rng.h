/*
 * Random numbers of one core, from a seed: xoshiro256** (Blackman, Vigna 2018)
 * for what must only be spread; a ChaCha20 stream (RFC 8439) would be needed for
 * secrets, which come from the seed through hash.h's keyed hash instead.
 */
#pragma once

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* The same seed gives the same numbers. */
void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_u64(struct rng *r);
/* Evenly from 0 to @n - 1; @n is not 0. */
uint32_t rng_below(struct rng *r, uint32_t n);
static inline uint32_t rng_u32(struct rng *r)
{
	return (uint32_t)(rng_u64(r) >> 32);
}
/* True with probability @p, 0 to 1. */
int rng_chance(struct rng *r, double p);

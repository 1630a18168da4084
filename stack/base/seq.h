/*
 * TCP sequence numbers (RFC 9293 3.4): 32 bits, modulo arithmetic.
 *
 * A struct, so that `<` does not compile.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct seq {
	uint32_t n;
};

static inline struct seq seq_add(struct seq a, uint32_t n)
{
	return (struct seq){ a.n + n };
}

/* How far @a lies behind @b: b - a, modulo 2^32. */
static inline uint32_t seq_dist(struct seq a, struct seq b)
{
	return b.n - a.n;
}

static inline bool seq_eq(struct seq a, struct seq b)
{
	return a.n == b.n;
}

static inline bool seq_before(struct seq a, struct seq b)
{
	return (int32_t)(a.n - b.n) < 0;
}

static inline bool seq_after(struct seq a, struct seq b)
{
	return seq_before(b, a);
}

static inline bool seq_before_eq(struct seq a, struct seq b)
{
	return !seq_after(a, b);
}

static inline bool seq_after_eq(struct seq a, struct seq b)
{
	return !seq_before(a, b);
}

/* True when @a is one of the @len numbers from @start on. */
static inline bool seq_in(struct seq a, struct seq start, uint32_t len)
{
	return a.n - start.n < len;
}

static inline struct seq seq_max(struct seq a, struct seq b)
{
	return seq_before(a, b) ? b : a;
}

static inline struct seq seq_min(struct seq a, struct seq b)
{
	return seq_before(a, b) ? a : b;
}

/*
 * Slices of text: input is never scanned past its length and may hold NUL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hash_key;

struct str {
	const char *p;
	size_t len;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

static inline struct str str_of(const char *text)
{
	return (struct str){ text, strlen(text) };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

/* ASCII letters without case, other bytes as they are. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts_nocase(struct str s, struct str prefix);
/* ASCII letters made small, other bytes as they are; @out has room for @s.len. */
void str_lower(struct str s, char *out);
/* Without spaces and tabs at both ends. */
struct str str_trim(struct str s);
/* The bytes before the first @c, and *rest behind it; all, and an empty *rest, when
 * there is none. */
struct str str_cut(struct str s, char c, struct str *rest);
/* A decimal number of 1 to 19 digits, the whole slice.  False: anything else, or too big. */
bool str_to_u64(struct str s, uint64_t *n);
/* The same for all that is equal without case; of the first STR_HASH_MAX octets. */
enum { STR_HASH_MAX = 320 };
uint32_t str_hash_nocase(const struct hash_key *key, struct str s);
/* A copy with a NUL behind it, to free(); NULL: no memory. */
char *str_dup(struct str s);

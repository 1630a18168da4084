#include "apps/lib/str.h"

#include <stdlib.h>

#include "stack/base/hash.h"

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool str_starts_nocase(struct str s, struct str prefix)
{
	if (s.len < prefix.len)
		return false;
	s.len = prefix.len;
	return str_eq_nocase(s, prefix);
}

void str_lower(struct str s, char *out)
{
	for (size_t i = 0; i < s.len; i++)
		out[i] = (char)lower(s.p[i]);
}

uint32_t str_hash_nocase(const struct hash_key *key, struct str s)
{
	size_t n = s.len < STR_HASH_MAX ? s.len : STR_HASH_MAX;
	char low[STR_HASH_MAX];

	for (size_t i = 0; i < n; i++)
		low[i] = (char)lower(s.p[i]);
	return (uint32_t)hash_siphash13(key, low, n);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

struct str str_cut(struct str s, char c, struct str *rest)
{
	const char *at = s.len > 0 ? memchr(s.p, c, s.len) : NULL;
	struct str first = s;

	if (at)
		first.len = (size_t)(at - s.p);
	*rest = (struct str){ s.p + first.len, 0 };
	if (at)
		*rest = (struct str){ at + 1, s.len - first.len - 1 };
	return first;
}

bool str_to_u64(struct str s, uint64_t *n)
{
	uint64_t sum = 0;

	/* 19 digits always fit: 10^19 - 1 < 2^64. */
	if (s.len == 0 || s.len > 19)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		sum = sum * 10 + (uint64_t)(s.p[i] - '0');
	}
	*n = sum;
	return true;
}

char *str_dup(struct str s)
{
	char *copy = malloc(s.len + 1);

	if (!copy)
		return NULL;
	if (s.len > 0)
		memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return copy;
}

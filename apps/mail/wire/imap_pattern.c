#include "apps/mail/wire/imap_pattern.h"

#include <errno.h>

/* Places in a pattern: before each of its bytes, and behind the last. */
enum { WORDS = (IMAP_PATTERN_MAX + 1 + 63) / 64 };

static bool is_wildcard(char c)
{
	return c == '*' || c == '%';
}

/* Of wildcards side by side "*" is as much as all, and "%%" as "%". */
static int add(struct imap_pattern *p, char c)
{
	char *last = p->len > 0 ? &p->bytes[p->len - 1] : NULL;

	if (last && is_wildcard(c) && is_wildcard(*last)) {
		if (c == '*')
			*last = '*';
		return 0;
	}
	if (p->len == IMAP_PATTERN_MAX)
		return -ENAMETOOLONG;
	p->bytes[p->len++] = c;
	return 0;
}

int imap_pattern_init(struct imap_pattern *p, struct str reference, struct str pattern,
		      char delimiter)
{
	int err = 0;

	p->len = 0;
	p->delimiter = delimiter;
	for (size_t i = 0; i < reference.len && !err; i++)
		err = add(p, reference.p[i]);
	for (size_t i = 0; i < pattern.len && !err; i++)
		err = add(p, pattern.p[i]);
	return err;
}

static void enter(const struct imap_pattern *p, uint64_t *places, unsigned i)
{
	places[i / 64] |= UINT64_C(1) << i % 64;
	/* A wildcard may stand for nothing; none stands behind another. */
	if (i < p->len && is_wildcard(p->bytes[i]))
		places[(i + 1) / 64] |= UINT64_C(1) << (i + 1) % 64;
}

/* How many bytes at the front match in any case. */
static size_t any_case_len(const struct imap_pattern *p, struct str name)
{
	const struct str inbox = STR("INBOX");

	if (!str_starts_nocase(name, inbox))
		return 0;
	if (name.len > inbox.len &&
	    (p->delimiter == '\0' || name.p[inbox.len] != p->delimiter))
		return 0;
	return inbox.len;
}

static char upper(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* From place @i over byte @c of a name. */
static void step(const struct imap_pattern *p, unsigned i, char c, bool any_case,
		 uint64_t *next)
{
	char at = i < p->len ? p->bytes[i] : '\0';

	if (i == p->len)
		return;
	if (at == '*' || (at == '%' && (c != p->delimiter || p->delimiter == '\0')))
		enter(p, next, i);
	else if (at != '%' && (at == c || (any_case && upper(at) == upper(c))))
		enter(p, next, i + 1);
}

bool imap_pattern_match(const struct imap_pattern *p, struct str name)
{
	size_t any_case = any_case_len(p, name);
	uint64_t now[WORDS] = { 0 }, next[WORDS];
	unsigned n_words = p->len / 64 + 1;

	enter(p, now, 0);
	for (size_t n = 0; n < name.len; n++) {
		uint64_t some = 0;

		memset(next, 0, n_words * sizeof(next[0]));
		for (unsigned w = 0; w < n_words; w++)
			for (uint64_t left = now[w]; left > 0; left &= left - 1)
				step(p, w * 64 + (unsigned)__builtin_ctzll(left),
				     name.p[n], n < any_case, next);
		for (unsigned w = 0; w < n_words; w++)
			some |= now[w] = next[w];
		if (some == 0)
			return false;
	}
	return now[p->len / 64] >> p->len % 64 & 1;
}

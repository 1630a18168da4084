/*
 * Vectors of 16 bytes, by the extension that GCC and Clang have for every processor.
 *
 *	now     - - b \r \n -
 *	before  \n - - b \r \n          the same bytes, one further left
 *
 * A line that begins with "-" is where "now" has a dash and "before" an LF; a bare CR or
 * LF where only one of now = LF and before = CR is true.  So each byte is looked at once,
 * with its neighbour, and nothing is decided per line.
 */
#include "apps/mail/wire/mime_scan.h"

#include <string.h>

enum {
	VEC = 16,
	STEP = 4 * VEC,	     /* bytes between two looks at what was found */
	COUNT_MAX = 255 / 4, /* steps for which counters of a byte are big enough */
};

typedef uint8_t vec __attribute__((vector_size(VEC)));

static vec load(const char *p)
{
	vec v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static bool any(vec v)
{
	uint64_t half[2];

	memcpy(half, &v, sizeof(half));
	return (half[0] | half[1]) != 0;
}

static uint64_t sum(vec v)
{
	uint64_t total = 0;

	for (int i = 0; i < VEC; i++)
		total += v[i];
	return total;
}

/* One byte, where vectors do not fit. */
static void byte(struct mime_scan *s, uint8_t c)
{
	s->n_lf += c == '\n';
	s->has_bare |= (c == '\n') != (s->prev == '\r');
	s->has_nul |= c == 0;
	s->has_8bit |= c > 127;
	s->prev = c;
}

static size_t bytes(struct mime_scan *s, const char *p, size_t at, size_t end)
{
	for (; at < end; at++) {
		if (p[at] == '-' && s->prev == '\n' && at > 0)
			return at;
		byte(s, (uint8_t)p[at]);
	}
	return end;
}

/* Whole steps, from @at > 0 on; stops before the step in which a line begins with "-". */
static size_t steps(struct mime_scan *s, const char *p, size_t at, size_t len)
{
	vec high = { 0 }, nul = { 0 }, bare = { 0 };
	bool found = false;

	while (!found && len - at >= STEP) {
		vec n_lf = { 0 };

		for (int i = 0; i < COUNT_MAX && len - at >= STEP; i++, at += STEP) {
			vec dash = { 0 }, lf = { 0 }, odd = { 0 }, zero = { 0 };
			vec all = { 0 };

			for (int j = 0; j < STEP; j += VEC) {
				vec now = load(p + at + j), before = load(p + at + j - 1);
				vec is_lf = (vec)(now == '\n');

				dash |= (vec)(now == '-') & (vec)(before == '\n');
				odd |= is_lf ^ (vec)(before == '\r');
				zero |= (vec)(now == 0);
				all |= now;
				lf -= is_lf;
			}
			found = any(dash);
			if (found)
				break;
			n_lf += lf;
			high |= all;
			bare |= odd;
			nul |= zero;
		}
		s->n_lf += sum(n_lf);
	}
	s->has_8bit |= any(high >> 7);
	s->has_nul |= any(nul);
	s->has_bare |= any(bare);
	s->prev = (uint8_t)p[at - 1];
	return at;
}

size_t mime_scan_run(struct mime_scan *s, const char *p, size_t len)
{
	size_t at;

	if (len == 0)
		return 0;
	byte(s, (uint8_t)p[0]);
	at = 1;
	if (len - at >= STEP)
		at = steps(s, p, at, len);
	return bytes(s, p, at, len - at < STEP ? len : at + STEP);
}

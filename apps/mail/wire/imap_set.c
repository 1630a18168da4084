#include "apps/mail/wire/imap_set.h"

#include <errno.h>
#include <stdlib.h>

static void skip(struct str *s, size_t n)
{
	s->p += n;
	s->len -= n;
}

/* seq-number = nz-number / "*" ; which is UINT32_MAX here, with *is_star */
static bool take_number(struct str *s, uint32_t *number, bool *is_star)
{
	uint64_t n = 0;
	size_t i = 0;

	*is_star = s->len > 0 && s->p[0] == '*';
	if (*is_star) {
		*number = UINT32_MAX;
		skip(s, 1);
		return true;
	}
	while (i < s->len && s->p[i] >= '0' && s->p[i] <= '9' && n <= UINT32_MAX)
		n = n * 10 + (unsigned)(s->p[i++] - '0');
	/* nz-number = digit-nz *DIGIT */
	if (i == 0 || s->p[0] == '0' || n > UINT32_MAX)
		return false;
	*number = (uint32_t)n;
	skip(s, i);
	return true;
}

/* seq-range = seq-number ":" seq-number ; in either order */
static bool take_range(struct str *s, struct imap_range *r, bool *has_star)
{
	bool first_star, last_star;

	if (!take_number(s, &r->first, &first_star))
		return false;
	r->last = r->first;
	last_star = first_star;
	if (s->len > 0 && s->p[0] == ':') {
		skip(s, 1);
		if (!take_number(s, &r->last, &last_star))
			return false;
	}
	if (r->first > r->last)
		*r = (struct imap_range){ r->last, r->first };
	*has_star = first_star || last_star;
	return true;
}

static int by_first(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Makes them rise, with a number between any two. */
static void normalize(struct imap_set *set)
{
	uint32_t kept = 0;

	if (set->n == 0)
		return;
	qsort(set->ranges, set->n, sizeof(set->ranges[0]), by_first);
	for (uint32_t i = 1; i < set->n; i++) {
		struct imap_range *r = &set->ranges[i], *before = &set->ranges[kept];

		if (before->last == UINT32_MAX || r->first <= before->last + 1) {
			if (r->last > before->last)
				before->last = r->last;
		} else {
			set->ranges[++kept] = *r;
		}
	}
	set->n = kept + 1;
}

static int add(struct imap_set *set, struct imap_arena *arena, struct imap_range r)
{
	if (set->n == IMAP_SET_RANGES_MAX)
		return -E2BIG;
	set->ranges = imap_arena_more(arena, set->ranges, set->n, sizeof(r));
	if (!set->ranges)
		return -ENOMEM;
	set->ranges[set->n++] = r;
	return 0;
}

/* sequence-set = (seq-number / seq-range) *("," sequence-set) */
int imap_set_parse(struct str text, struct imap_arena *arena, struct imap_set *set)
{
	struct imap_set s = { .ranges = NULL };
	int err = 0;

	for (;;) {
		struct imap_range r;
		bool has_star;

		if (!take_range(&text, &r, &has_star))
			return -EINVAL;
		if (has_star)
			s.star = s.star == 0 || r.first < s.star ? r.first : s.star;
		else
			err = add(&s, arena, r);
		if (err)
			return err;
		if (text.len == 0)
			break;
		if (text.p[0] != ',')
			return -EINVAL;
		skip(&text, 1);
	}
	/* The one more that "*" may become. */
	s.ranges = imap_arena_more(arena, s.ranges, s.n, sizeof(s.ranges[0]));
	if (!s.ranges)
		return -ENOMEM;
	normalize(&s);
	*set = s;
	return 0;
}

void imap_set_resolve(struct imap_set *set, uint32_t max)
{
	if (set->star > 0 && max > 0)
		set->ranges[set->n++] = (struct imap_range){
			.first = set->star < max ? set->star : max,
			.last = max,
		};
	set->star = 0;
	normalize(set);
}

bool imap_set_has(const struct imap_set *set, uint32_t number)
{
	uint32_t low = 0, high = set->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (number < set->ranges[middle].first)
			high = middle;
		else if (number > set->ranges[middle].last)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

uint64_t imap_set_count(const struct imap_set *set)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < set->n; i++)
		n += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
	return n;
}

uint32_t imap_set_last(const struct imap_set *set)
{
	return set->n > 0 ? set->ranges[set->n - 1].last : 0;
}

bool imap_set_next(const struct imap_set *set, struct imap_set_at *at, uint32_t *number)
{
	const struct imap_range *r;

	if (at->range >= set->n)
		return false;
	r = &set->ranges[at->range];
	*number = r->first + at->passed;
	if (*number == r->last)
		*at = (struct imap_set_at){ .range = at->range + 1 };
	else
		at->passed++;
	return true;
}

#include "apps/mail/wire/mime.h"

/* One number of a path: from 1, and no more digits than a number of parts can have. */
static bool take_number(struct str *path, uint64_t *n)
{
	struct str rest, word = str_cut(*path, '.', &rest);

	if (!str_to_u64(word, n) || *n == 0 || *n > UINT32_MAX || word.p[0] == '0')
		return false;
	/* A dot must have something behind it. */
	if (word.len < path->len && rest.len == 0)
		return false;
	*path = rest;
	return true;
}

static uint32_t child(const struct mime *m, const struct mime_part *p, uint64_t n)
{
	uint32_t i = p->child;

	if (n > p->n_children)
		return MIME_NONE;
	for (; n > 1; n--)
		i = mime_part(m, i)->next;
	return i;
}

uint32_t mime_find(const struct mime *m, struct str path)
{
	uint32_t i = MIME_ROOT;
	bool at_message = true; /* a message is parted, or is its own part 1 */

	while (path.len > 0) {
		const struct mime_part *p = mime_part(m, i);
		uint64_t n;

		if (!take_number(&path, &n))
			return MIME_NONE;
		if (!at_message && p->kind == MIME_MESSAGE) {
			i = p->child;
			p = mime_part(m, i);
			at_message = true;
		}
		if (p->kind == MIME_MULTIPART)
			i = child(m, p, n);
		else if (!at_message || n != 1)
			i = MIME_NONE;
		if (i == MIME_NONE)
			return MIME_NONE;
		at_message = false;
	}
	return i;
}

#include "apps/mail/wire/imap_arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_LEN = 2048, ARRAY_FIRST = 4, ALIGN = alignof(max_align_t) };

struct imap_block {
	struct imap_block *next;
	size_t len;
	alignas(max_align_t) char bytes[];
};

void imap_arena_init(struct imap_arena *a, size_t max)
{
	*a = (struct imap_arena){ .max = max };
}

void imap_arena_reset(struct imap_arena *a)
{
	while (a->blocks) {
		struct imap_block *b = a->blocks;

		a->blocks = b->next;
		free(b);
	}
	a->used = 0;
	a->len = 0;
}

/* A block for at least @len bytes; each is as big as all before, so that there are few. */
static struct imap_block *block_new(struct imap_arena *a, size_t len)
{
	size_t want = a->len > BLOCK_LEN ? a->len : BLOCK_LEN;
	struct imap_block *b;

	if (len > a->max - a->len)
		return NULL;
	if (want < len)
		want = len;
	if (want > a->max - a->len)
		want = a->max - a->len;
	b = malloc(sizeof(*b) + want);
	if (!b)
		return NULL;
	b->next = a->blocks;
	b->len = want;
	a->blocks = b;
	a->used = 0;
	a->len += want;
	return b;
}

void *imap_arena_get(struct imap_arena *a, size_t len)
{
	struct imap_block *b = a->blocks;
	void *p;

	if (len > a->max)
		return NULL;
	len = (len + ALIGN - 1) / ALIGN * ALIGN;
	if (!b || len > b->len - a->used)
		b = block_new(a, len);
	if (!b)
		return NULL;
	p = memset(b->bytes + a->used, 0, len);
	a->used += len;
	return p;
}

/* An array's room is a power of two from ARRAY_FIRST on: it is full when @n is one. */
void *imap_arena_more(struct imap_arena *a, void *items, size_t n, size_t item_len)
{
	bool is_full = n >= ARRAY_FIRST && (n & (n - 1)) == 0;
	void *more;

	if (n > 0 && !is_full)
		return items;
	if (n > SIZE_MAX / 2 / item_len)
		return NULL;
	more = imap_arena_get(a, (n > 0 ? n * 2 : ARRAY_FIRST) * item_len);
	if (more && n > 0)
		memcpy(more, items, n * item_len);
	return more;
}

/*
 * Memory for what is read from one command or one response: given out in small pieces,
 * all freed at once, never more than a limit.  An arena that is empty owns nothing.
 */
#pragma once

#include <stddef.h>

struct imap_block;

struct imap_arena {
	struct imap_block *blocks; /* the newest first */
	size_t used;		   /* bytes of the newest */
	size_t len;		   /* bytes of all */
	size_t max;
};

void imap_arena_init(struct imap_arena *a, size_t max);
/* Frees all that was given out; the arena can be used again. */
void imap_arena_reset(struct imap_arena *a);

/* Zeroed, aligned for any of our structs.  NULL: @max is reached, or no memory. */
void *imap_arena_get(struct imap_arena *a, size_t len);
/*
 * An array of which @n items of @item_len bytes are used, with room for one more: the
 * same one, or a copy.  NULL as above.  Begin with @items NULL and @n 0.
 */
void *imap_arena_more(struct imap_arena *a, void *items, size_t n, size_t item_len);

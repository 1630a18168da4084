/*
 * Who is told that a mailbox changed: at once, by the writer, when the commit is on
 * stable storage and before its operations are answered.
 */
#pragma once

#include <stdint.h>

#include "stack/base/list.h"

struct store;

struct store_watch {
	struct list node; /* the store's */
	uint32_t box;
	/* On the writer's thread; must not block and must not add or remove watches;
	 * usually posts to a net. */
	void (*changed)(struct store_watch *watch);
};

/* From any thread.  The watch stays the caller's, and where it is, until it is removed. */
void watch_add(struct store *store, struct store_watch *watch, uint32_t box);
/* After this, ->changed is not running and will not be called. */
void watch_remove(struct store *store, struct store_watch *watch);

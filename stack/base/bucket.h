/*
 * A rate limit: @burst at once, then one more every @interval_ns.
 *
 * Kept as the time at which the bucket will be full again (the "virtual
 * scheduling" form of ITU-T I.371), so nothing has to refill it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	uint64_t interval_ns; /* in which one comes back */
	uint64_t span_ns;     /* in which an empty one fills */
	uint64_t full_ns;     /* when it will be full; in the past: it is */
};

/* A full bucket.  @per_s and @burst are not 0. */
void bucket_init(struct bucket *b, uint32_t per_s, uint32_t burst);
/* Takes one; false, and takes nothing, when it is empty. */
bool bucket_take(struct bucket *b, uint64_t now_ns);

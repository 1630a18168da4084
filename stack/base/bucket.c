#include "stack/base/bucket.h"

#include "stack/base/check.h"
#include "stack/base/clock.h"

void bucket_init(struct bucket *b, uint32_t per_s, uint32_t burst)
{
	ASSERT(per_s && burst);
	b->interval_ns = NS_PER_S / per_s;
	b->span_ns = b->interval_ns * burst;
	b->full_ns = 0;
}

bool bucket_take(struct bucket *b, uint64_t now_ns)
{
	uint64_t full_ns = b->full_ns > now_ns ? b->full_ns : now_ns;

	full_ns += b->interval_ns;
	if (full_ns - now_ns > b->span_ns)
		return false;
	b->full_ns = full_ns;
	return true;
}

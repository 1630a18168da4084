#include "stack/base/clock.h"

#include <time.h>

#include "stack/base/check.h"

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	ASSERT(clock_gettime(clock, &ts) == 0);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

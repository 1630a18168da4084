/*
 * The two clocks of the host.  Read by loops and programs, once a turn; the
 * layers get the time as an argument.
 */
#pragma once

#include <stdint.h>

#define US_PER_S UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* Nanoseconds that never go back (CLOCK_MONOTONIC). */
uint64_t clock_now_ns(void);
/* Nanoseconds since 1970 (CLOCK_REALTIME). */
uint64_t clock_wall_ns(void);

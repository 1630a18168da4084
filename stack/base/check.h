/*
 * Assertions: mistakes of ours, never of a peer.
 *
 * ASSERT stays in release builds and is cheap.  DEBUG_ASSERT may walk a queue
 * and vanishes when NDEBUG is defined.  Neither can be reached from bytes that
 * came from outside; what the world does is a return value or a verdict.
 */
#pragma once

#include <stdlib.h>

/* Prints where and what, then aborts. */
_Noreturn void check_fail(const char *file, int line, const char *what);

#define ASSERT(cond) ((cond) ? (void)0 : check_fail(__FILE__, __LINE__, #cond))

#ifdef NDEBUG
#define DEBUG_ASSERT(cond) ((void)sizeof(!(cond)))
#else
#define DEBUG_ASSERT(cond) ASSERT(cond)
#endif

/* The struct that holds @member at @ptr. */
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

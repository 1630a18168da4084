/*
 * Which sockets have news: epoll's model, without its system calls.
 *
 * A ready set lives on the core of the thread that made it.  Level-triggered by
 * default: an event is told as long as it is true; PB_READY_EDGE: once for each
 * change; PB_READY_ONCE: once.  pb_ready_wait() never sleeps, it says what is so now; sleep in pb_wait().
 */
#pragma once

#include <stdint.h>

#include "stack/api/stack.h"

enum pb_ready_event {
	PB_READY_IN = 1 << 0,	 /* data, end of stream, or a connection to accept */
	PB_READY_OUT = 1 << 1,	 /* room to send; connect() is through */
	PB_READY_HUP = 1 << 2,	 /* both directions are closed: always told */
	PB_READY_ERR = 1 << 3,	 /* SO_ERROR is set: always told */
	PB_READY_RDHUP = 1 << 4, /* the peer sends no more */
	PB_READY_PRI = 1 << 5,	 /* urgent data */
	PB_READY_EDGE = 1 << 16,
	PB_READY_ONCE = 1 << 17, /* then nothing until pb_ready_mod() */
};

struct pb_event {
	uint32_t events;
	void *user;
};

struct pb_ready;

/* NULL and errno: ENXIO, ENOMEM. */
PB_API struct pb_ready *pb_ready_new(void);
PB_API void pb_ready_free(struct pb_ready *set);
/* A socket is in one set at most.  0, or -1: EBADF, EEXIST, ENOENT. */
PB_API int pb_ready_add(struct pb_ready *set, int s, uint32_t events, void *user);
PB_API int pb_ready_mod(struct pb_ready *set, int s, uint32_t events, void *user);
PB_API int pb_ready_del(struct pb_ready *set, int s);
/* Up to @n events; how many. */
PB_API int pb_ready_wait(struct pb_ready *set, struct pb_event *events, int n);

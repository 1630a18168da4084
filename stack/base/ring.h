/*
 * Messages between threads: a bounded ring of pointers, many writers, one reader.
 *
 * The only place with atomics on the packet path.  A writer never waits: when the
 * ring is full it is told so.  Sleeping readers are woken by whatever the owner
 * pairs with the ring (an eventfd).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring_slot {
	_Atomic uint64_t turn;
	void *msg;
};

struct ring {
	_Alignas(64) _Atomic uint64_t head; /* writers */
	_Alignas(64) uint64_t tail;	    /* the reader */
	_Alignas(64) struct ring_slot *slots;
	uint64_t mask;
};

/* @n slots, a power of two and at least 2.  0 or -ENOMEM. */
int ring_init(struct ring *r, uint32_t n);
void ring_fini(struct ring *r);
/* From any thread.  False: full. */
bool ring_push(struct ring *r, void *msg);
/* From the reader's thread.  NULL: empty. */
void *ring_pop(struct ring *r);

/*
 * A fuzz input read as a sequence of packets, so that every input is one:
 *
 *    0       1        3
 *    +-------+--------+------------ - -
 *    | flags | length | bytes ...        and again, to the end of the input
 *    +-------+--------+------------ - -
 *
 * A length of more than is left means what is left.  What the flags mean beside
 * those below is up to the target.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/byte.h"
#include "tests/lib/host.h"

enum frames_flag {
	FRAMES_SUM = 1 << 0,  /* the target makes the checksum right */
	FRAMES_ALL = 1 << 1,  /* in a frame to all stations */
	FRAMES_TIME = 1 << 2, /* time goes on before it, a second */
	FRAMES_HEAD = 1 << 3, /* bytes inside the descriptor, if they fit */
};

struct frame_in {
	uint8_t flags;
	const uint8_t *bytes;
	uint32_t len;
};

/* The next packet of the input; false at its end. */
bool frames_next(struct rd *input, struct frame_in *in);
/* Lets @h receive @frame of @len bytes by interface 0, as @flags say, and drains all
 * that comes of it. */
void frames_receive(struct host *h, uint8_t flags, uint8_t *frame, uint32_t len);

/*
 * Frames for the tests of the simulator: a TCP segment of IPv4 with its sum.
 */
#pragma once

#include <string.h>

#include "apps/pbsim/frame.h"
#include "ip/ip4_wire.h"

static inline struct frame *frame_made(struct frame_shop *shop, uint32_t len,
				       enum frame_ecn ecn, uint16_t port)
{
	struct frame *f = frame_new(shop, len);
	struct ip4_header h = {
		.tos = (uint8_t)ecn,
		.ttl = 64,
		.proto = 6,
		.total_len = (uint16_t)len,
		.df = true,
		.src = { { 10, 0, 0, 1 } },
		.dst = { { 10, 0, 0, 2 } },
	};

	memset(f->bytes, 0, len);
	ip4_emit(f->bytes, &h);
	f->bytes[20] = (uint8_t)(port >> 8);
	f->bytes[21] = (uint8_t)port;
	f->bytes[32] = 5 << 4;
	return f;
}

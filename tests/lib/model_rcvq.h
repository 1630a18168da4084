/*
 * The receive queue beside a map of bytes.
 *
 * The input says what happens: segments of any size, place and shape come, bytes are
 * read, early ones are dropped.  Every segment has bytes of its own, so that the first
 * copy can be told from later ones.  A difference aborts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void model_rcvq(const uint8_t *input, size_t len);

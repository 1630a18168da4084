/*
 * The scoreboard beside a map of bytes that obeys RFC 6675 word by word.
 *
 * The input says what happens: blocks come, the window moves, all is forgotten.
 * After each step every question is asked of both; a difference aborts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void model_sack(const uint8_t *input, size_t len);

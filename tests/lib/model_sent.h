/*
 * tcp/sent.h against a model that knows each byte by itself: the input says what is sent,
 * acknowledged, reported, lost and sent again; after each step both must agree.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

void model_sent(const uint8_t *input, size_t len);

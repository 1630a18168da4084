/*
 * Keyed hash: SipHash (Aumasson, Bernstein 2012), in the 1-3 form for tables and
 * the 2-4 form for numbers that a peer must not guess (RFC 6528, RFC 6056).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct hash_key {
	uint64_t k[2];
};

uint64_t hash_siphash13(const struct hash_key *key, const void *bytes, size_t len);
uint64_t hash_siphash24(const struct hash_key *key, const void *bytes, size_t len);

/* Of the two ends of a connection, for tables: 32 well mixed bits. */
uint32_t hash_flow(const struct hash_key *key, const struct flow *f);

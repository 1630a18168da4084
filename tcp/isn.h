/*
 * Initial sequence numbers (RFC 6528): a 4 us clock plus a keyed hash of the flow.
 * Timestamp offsets per flow by the same key (RFC 7323 5.4, 7.1).
 */
#pragma once

#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"
#include "stack/base/seq.h"

struct seq isn_new(const struct hash_key *key, const struct flow *f, uint64_t now_ns);
uint32_t isn_ts_offset(const struct hash_key *key, const struct flow *f);

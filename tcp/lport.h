/*
 * Ephemeral ports (RFC 6056, algorithm 4, double hash): hard to guess, rarely
 * reused for the same peer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"

enum { LPORT_FIRST = 32768, LPORT_LAST = 60999, LPORT_TABLE = 64 };

struct lport {
	const struct hash_key *key;
	uint32_t table[LPORT_TABLE];
};

/* True when the flow, with its local port, is taken. */
typedef bool lport_taken(void *ctx, const struct flow *f);

void lport_init(struct lport *l, const struct hash_key *key, uint32_t seed);
/* Sets f->local_port.  0, or -EADDRNOTAVAIL when all are taken. */
int lport_choose(struct lport *l, struct flow *f, lport_taken *taken, void *ctx);

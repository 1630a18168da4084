/*
 * Path MTUs by destination (RFC 1191), as transports vouched for them.
 *
 * All entries live equally long, so the list in the order of their making is also the
 * order in which they end: one timer serves it, and the oldest makes room.
 */
#pragma once

#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"
#include "stack/base/list.h"
#include "stack/base/map.h"
#include "stack/base/pool.h"
#include "stack/base/wheel.h"

struct pmtu {
	struct map by_dst;
	struct pool entries;
	struct list age; /* the oldest in front */
	struct timer timer;
	struct wheel *wheel;
	struct hash_key key;
	uint32_t *generation; /* counted up when an answer changes */
};

/* What is known of a destination. */
struct pmtu_info {
	uint16_t mtu; /* 0: nothing */
	/* A link on the way takes less than we believe: let routers fragment. */
	bool below_min;
};

/* 0 or -ENOMEM. */
int pmtu_init(struct pmtu *pm, struct wheel *wheel, const struct hash_key *key,
	      uint32_t *generation);
void pmtu_fini(struct pmtu *pm);

struct pmtu_info pmtu_get(const struct pmtu *pm, const struct addr *dst);
/* Lowers the MTU to @dst to @mtu, at most @link_mtu; true when that is news. */
bool pmtu_set(struct pmtu *pm, const struct addr *dst, unsigned mtu, unsigned link_mtu,
	      uint64_t now_ns);

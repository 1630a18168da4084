/*
 * What a client knows of Fast Open servers (RFC 7413 4.1.3), by address: cookie, MSS,
 * and whether SYNs with data are lost on the way there.
 *
 * Entries are made by answers to SYNs that asked, so by servers that we spoke to; there
 * are at most @max, and whom we spoke to longest ago is forgotten first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"
#include "stack/base/list.h"
#include "stack/base/map.h"
#include "stack/base/pool.h"
#include "tcp/fo_cookie.h"

enum {
	FO_LOST_MAX = 2,   /* SYNs lost in a row: then none of this kind for a time ... */
	FO_PAUSE_SHIFT = 9 /* ... that doubles with each more, so often at most */
};

struct fo_cache {
	struct map by_dst;
	struct pool entries;
	struct list age; /* the oldest in front */
	struct hash_key key;
	uint32_t pause_s; /* the first pause; 0: there is none */
};

/* How the next SYN to a server may be. */
struct fo_hint {
	struct fo_cookie cookie; /* len 0: none; @exp: the form of the request */
	uint16_t mss;		 /* 0: not known */
	bool paused;		 /* no option and no data: they are lost */
};

/* What a SYN-ACK told. */
struct fo_answer {
	uint16_t mss;
	bool lost;		 /* only a later SYN, without the option, arrived */
	bool refused, asked_exp; /* we asked for a cookie, so, and there is none */
	struct fo_cookie cookie; /* len 0: none */
};

/* 0 or -ENOMEM. */
int fo_cache_init(struct fo_cache *fc, uint32_t max, uint32_t pause_s,
		  const struct hash_key *key);
void fo_cache_fini(struct fo_cache *fc);
void fo_cache_get(struct fo_cache *fc, const struct addr *dst, uint64_t now_ns,
		  struct fo_hint *hint);
void fo_cache_learn(struct fo_cache *fc, const struct addr *dst,
		    const struct fo_answer *answer, uint64_t now_ns);
/* A connection that began with data in its SYN came to nothing later on. */
void fo_cache_lost(struct fo_cache *fc, const struct addr *dst, uint64_t now_ns);

/*
 * Numbers that a peer must not guess: SipHash-2-4 of a flow under the core's key.
 *
 * Each use has its own domain, so that what one number shows (a sequence number
 * is seen by everybody on the path) says nothing about another.
 */
#pragma once

#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/hash.h"

enum secret_use {
	SECRET_ISN,
	SECRET_TS_OFFSET,
	SECRET_LPORT_OFFSET,
	SECRET_LPORT_INDEX,
	SECRET_COOKIE,
	SECRET_COOKIE_LOW,
};

/* Of @f, @use and one more number. */
uint64_t secret_flow(const struct hash_key *key, enum secret_use use,
		     const struct flow *f, uint64_t extra);

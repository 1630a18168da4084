/*
 * The process that will be killed: it delivers; some of what it delivered it expunges,
 * moves to another mailbox, or copies there; and it renames that mailbox; as fast as the
 * store answers.  It writes a line of its diary before and after.
 */
#pragma once

#include <stdint.h>

#include "apps/mail/store/store.h"

enum { CRASH_IN_FLIGHT = 16 };

enum crash_event {
	CRASH_DELIVERED, /* acknowledged: must be there from now on */
	CRASH_EXPUNGING, /* from its first recipient: may be gone from now on */
	CRASH_EXPUNGED,	 /* acknowledged: must be gone from now on */
	CRASH_MOVED,	 /* its first recipient's is not in INBOX any more */
	CRASH_COPIED,	 /* its first recipient has it twice */
};

struct crash_note {
	enum crash_event event;
	uint32_t id;
};

/* Goes on until it is killed; messages are numbered from @first on. */
_Noreturn void crash_child(const struct store_conf *conf, uint64_t seed, uint32_t first,
			   int diary);

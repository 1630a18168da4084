/*
 * The address of our stack, as whoever runs it must hear of it: when it can be used,
 * and when another station claims it.
 *
 * The stack itself asks for, announces and defends its address (RFC 5227); this only
 * looks, on the thread of the net.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/net.h"

struct log;
struct pb_core;

enum {
	ADDR_WATCH_ASKING_MS = 20, /* between looks until it is known to be ours */
	ADDR_WATCH_LOOK_MS = 1000, /* and from then on */
	ADDR_WATCH_LOG_MS = 60000, /* between log lines about claims */
	ADDR_WATCH_RIVAL_LEN = 18, /* an Ethernet address as text */
};

/* Called once.  @rival: NULL when the address can be used; else who has it. */
typedef void addr_watch_told(void *arg, const char *rival);

struct addr_watch {
	struct net *net;
	struct pb_core *core; /* NULL: the kernel looks after addresses */
	const struct log *log;
	addr_watch_told *told;
	void *arg;

	struct net_timer look;
	uint64_t n_seen; /* claims that were logged */
	bool ready;
};

/* The first five are set; from the net's next turn on. */
void addr_watch_start(struct addr_watch *w);

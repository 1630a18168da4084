/*
 * The lease of our stack, when a DHCP server gives its address: each change is a line in
 * the log, and the name servers that come with it are those that we ask, unless the
 * configuration names some.
 */
#pragma once

#include <stdint.h>

#include "apps/lib/net.h"

struct dns;
struct log;
struct pb_core;

enum { LEASE_WATCH_LOOK_MS = 200 };

struct lease_watch {
	struct net *net;
	struct pb_core *core;
	const struct log *log;
	struct dns *dns; /* NULL: its servers stay as they are */

	struct net_timer look;
	uint32_t seen;	  /* changes that were logged */
	uint32_t dns_set; /* changes whose name servers are asked */
};

/* The first four are set; from the net's next turn on. */
void lease_watch_start(struct lease_watch *w);

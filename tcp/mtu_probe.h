/*
 * Paths that swallow long segments and say nothing (RFC 2923 2.1): the search for a length
 * that arrives, by what is lost and what is acknowledged (RFC 4821 7.7, RFC 8899 4.3).
 *
 *	               MTU_TRIES timeouts             MTU_TRIES more
 *	as ICMP knows -------------------> MTU_BASE -----------------> MTU_LAST, of IPv4
 *	      ^                               |                           |
 *	      |  nothing else was in flight   +---------------------------+
 *	      +-------------------------------+  acknowledged: all connections to that
 *	                                         destination learn it
 *
 * What is not longer than MTU_BASE gets to MTU_LAST, too, when it was lost MTU_TRIES_SHORT
 * times: on a path that became narrower than ICMP said, or one shorter than that of a
 * connection without full segments.
 *
 * The guess is the connection's alone until a segment of that length was acknowledged, so
 * that a peer that is just gone leaves nothing behind.  What was learned is forgotten
 * like what ICMP says, after IP_PMTU_SECONDS; then longer segments are tried again.
 */
#pragma once

#include <stdint.h>

struct tcp_conn;

enum {
	MTU_TRIES = 3,	     /* timeouts in a row, of full segments */
	MTU_TRIES_SHORT = 9, /* before one shorter than MTU_BASE is suspected ... */
	MTU_STALLED_MS =
		150000,	 /* ... or stalled so long, where timeouts are far apart */
	MTU_BASE = 1280, /* what every path of IPv6 takes, and nearly every other */
	MTU_LAST = 576,	 /* what every host of IPv4 takes (RFC 791 3.1) */
};

/* The retransmission timer fired once more; before segments are cut anew. */
void tcp_mtu_timeout(struct tcp_conn *c);
/* Something was acknowledged while x->mtu_guess was in force. */
void tcp_mtu_worked(struct tcp_conn *c, uint64_t now_ns);

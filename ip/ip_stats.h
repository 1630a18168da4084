/*
 * What the IP layer counts.  Read by stack/core/metrics.c and tests, by ip_stats().
 */
#pragma once

#include <stdint.h>

/* clang-format off */
#define IP_COUNTERS(C)							\
	C(in,		"packets received")				\
	C(out,		"packets sent, super-frames as one")		\
	C(out_no_route,	"packets not sent for want of a route")		\
	C(out_too_big,	"packets not sent because they may not be cut")	\
	C(out_no_memory, "packets not sent because a pool was empty")	\
	C(loop_full,	"packets to ourselves beyond the queue's limit") \
	C(frag_made,	"fragments sent")				\
	C(frag_in,	"fragments received")				\
	C(reass_done,	"packets put together")				\
	C(reass_timeout, "packets given up before all fragments came")	\
	C(reass_evicted, "packets given up to make room for others")	\
	C(reass_refused, "packets refused for a hostile fragment")	\
	C(icmp_echo,	"echo requests answered")			\
	C(icmp_errors_out, "ICMP errors sent")				\
	C(icmp_errors_in, "ICMP errors about packets of ours")		\
	C(icmp_held_back, "ICMP messages not sent for the rate limit")	\
	C(igmp_in,	"IGMP messages received")			\
	C(igmp_out,	"IGMP messages sent")				\
	C(groups_full,	"groups not joined because there were too many") \
	C(pmtu_set,	"path MTUs learned")
/* clang-format on */

struct ip_stats {
#define C(name, text) uint64_t name;
	IP_COUNTERS(C)
#undef C
};

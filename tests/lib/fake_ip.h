/*
 * The IP layer as TCP sees it, made by hand: what is sent is kept to be looked at.
 *
 * With an IPv6 address, every path is wider by what the header is longer, so that segments
 * are of the lengths that they have with IPv4, and a dialogue holds for both.
 *
 * Link it before the stack: it defines the functions of ip/ip.h that TCP uses, and so
 * the real ones are not taken from the library.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/pkt.h"

struct ip_out;

struct ip {
	struct addr ours;
	unsigned mtu; /* of every path, as if it were one of IPv4 */
	bool gso;
	int error; /* what ip_output() answers instead of sending; 0: it sends */
	struct pkt *first, **last; /* sent; src, dst, ttl, tos are set, DF is in cb[0] */
	uint32_t n_sent, n_waiting, n_confirmed;
	uint64_t now_ns; /* of the last packet sent */
};

/* Bytes that the header of @ip is longer than that of IPv4. */
unsigned fake_ip_more(const struct ip *ip);
void fake_ip_init(struct ip *ip, struct addr ours);
/* Frees what was sent and not popped. */
void fake_ip_fini(struct ip *ip);
/* The oldest packet that was sent, now the caller's; NULL: none. */
struct pkt *fake_ip_pop(struct ip *ip);

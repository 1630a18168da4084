/*
 * What IPv6 has beside ip/ip.h: its input, its ICMP, and addresses with lives.
 *
 * RFC 8200, 4443 (ICMPv6), 4291 (addresses), 6724 (which of them), 6437 (flow labels).
 * Everything that an address, a route or a packet to send can say goes through ip/ip.h,
 * for both families.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip/ip.h"
#include "stack/base/addr.h"
#include "stack/base/verdict.h"

struct ip;
struct pkt;

enum { IP_PROTO_ICMP6 = 58 };

enum {
	IP6_ADDR_MAX = 16, /* addresses of one interface */
	IP6_REASS_SECONDS = 60,
};

/*
 * A packet that eth_input() stripped, or that ip_loop_pop() gave.  Does what ip4_input()
 * does.  Extension headers are behind it; l4 and proto are those of what comes next.
 */
struct step ip6_input(struct ip *ip, struct pkt *p, uint64_t now_ns);
/*
 * Answers echoes, hands neighbour discovery down to arp/nd.h, and makes of an error what
 * struct ip_quote says, for the transport.
 */
struct step icmp6_input(struct ip *ip, struct pkt *p, uint64_t now_ns);
/* As icmp4_unreachable(); and the same for a packet of either family. */
void icmp6_unreachable(struct ip *ip, const struct pkt *p, enum ip_error why,
		       uint64_t now_ns);
void ip_unreachable(struct ip *ip, const struct pkt *p, enum ip_error why,
		    uint64_t now_ns);

/* The zone of link-local addresses that are said without one: of the first interface
 * that speaks IPv6; 0: none does. */
uint8_t ip_default_zone(const struct ip *ip);

/*
 * Begins to speak IPv6 on @iface: makes its link-local address, of which others cannot
 * tell what hardware we are (RFC 7217).  0 or -errno as ip_addr_add().
 */
int ip6_start(struct ip *ip, unsigned iface, bool probe, uint64_t now_ns);
/*
 * Solicits routers on it, and believes what they say: default routes, prefixes, the
 * addresses that we make with these, redirects (RFC 4861 6.3, 8; RFC 4862 5.5).
 */
void ip6_listen_to_routers(struct ip *ip, unsigned iface, uint64_t now_ns);
/* The secret of such addresses: who keeps it has the same ones after each start.  By
 * default it is the core's key.  @text is read, not kept. */
void ip6_set_secret(struct ip *ip, const char *text);

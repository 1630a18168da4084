/*
 * DHCP messages as bytes (RFC 2131 2, options of RFC 2132).
 *
 *    0     1     2     3     4           8     10    12
 *    +-----+-----+-----+-----+-----------+-----+-----+-----------+-----------+
 *    | op  |htype|hlen |hops | xid       |secs |flags| ciaddr    | yiaddr    |
 *    +-----+-----+-----+-----+-----------+-----+-----+-----------+-----------+
 *    20          24          28                44          108         236
 *    +-----------+-----------+-----------------+-----------+-----------+------
 *    | siaddr    | giaddr    | chaddr, 16      | sname, 64 | file, 128 | 63 82
 *    +-----------+-----------+-----------------+-----------+-----------+------
 *     53 63, then options: code, length, bytes; 0 pads, 255 ends them
 *
 * htype is 1 and hlen 6: Ethernet.  Option 52 says that options go on in file, in sname,
 * or in both.  An option may come in parts, which are one (RFC 3396 5); so lists of any
 * length can be sent, of which the first few are kept.
 *
 * siaddr, giaddr, hops, sname and file, which are for booting and for relays, are
 * written as zeros, and not read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/base/addr.h"
#include "stack/base/byte.h"

enum {
	DHCP_PORT_SERVER = 67,
	DHCP_PORT_CLIENT = 68,
	DHCP_LEN_LEAST = 300,  /* padded to it, for old relays (RFC 1542 2.1) */
	DHCP_LEN_MAX = 1472,   /* in a frame of 1500 bytes */
	DHCP_OPTION_MAX = 512, /* bytes of all parts of an option */
	DHCP_ROUTERS_MAX = 4,
	DHCP_DNS_MAX = 4,
	DHCP_ROUTES_MAX = 16,
	DHCP_ASKS_MAX = 16,
	DHCP_ID_MAX = 32,
	DHCP_DOMAIN_LEN = 254, /* with its NUL */
};

enum dhcp_op { DHCP_BOOTREQUEST = 1, DHCP_BOOTREPLY = 2 };

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER,
	DHCP_REQUEST,
	DHCP_DECLINE,
	DHCP_ACK,
	DHCP_NAK,
	DHCP_RELEASE,
	DHCP_INFORM,
};

enum dhcp_code {
	DHCP_PAD = 0,
	DHCP_SUBNET = 1,
	DHCP_ROUTERS = 3,
	DHCP_DNS = 6,
	DHCP_DOMAIN = 15,
	DHCP_MTU = 26,
	DHCP_REQUESTED = 50,
	DHCP_LEASE = 51,
	DHCP_OVERLOAD = 52,
	DHCP_TYPE = 53,
	DHCP_SERVER = 54,
	DHCP_ASKS = 55,
	DHCP_SIZE_MAX = 57,
	DHCP_T1 = 58,
	DHCP_T2 = 59,
	DHCP_ID = 61,
	DHCP_ROUTES = 121, /* RFC 3442 */
	DHCP_END = 255,
};

#define DHCP_FOR_EVER UINT32_MAX /* a lease without end (RFC 2131 3.3) */

struct dhcp_route {
	struct ip4 prefix; /* nothing behind @bits */
	struct ip4 router; /* 0.0.0.0: on the link */
	uint8_t bits;
};

/* What is zero was not said, but for the lengths of routes and the seconds of @lease_s. */
struct dhcp_msg {
	enum dhcp_op op;
	enum dhcp_type type;
	uint32_t xid;
	uint16_t secs;
	bool broadcast; /* answer to all: we cannot hear anything else yet */
	struct ip4 ciaddr, yiaddr;
	struct mac chaddr;

	struct ip4 requested, server;
	bool has_lease;
	uint32_t lease_s, t1_s, t2_s;
	uint16_t size_max, mtu;
	uint8_t bits; /* of the subnet mask; 1 to 32 */
	uint8_t n_routers, n_dns, n_routes, n_asks, id_len;
	struct ip4 routers[DHCP_ROUTERS_MAX], dns[DHCP_DNS_MAX];
	struct dhcp_route routes[DHCP_ROUTES_MAX];
	uint8_t asks[DHCP_ASKS_MAX];  /* enum dhcp_code */
	uint8_t id[DHCP_ID_MAX];      /* of the client */
	char domain[DHCP_DOMAIN_LEN]; /* letters, digits, hyphens, dots; else "" */
};

/*
 * Reads a whole message.  False: short, not of Ethernet, no message type, options
 * without an end, or one of those above with a length or a value that it cannot have.
 * Others are passed over.
 */
bool dhcp_parse(const uint8_t *bytes, size_t len, struct dhcp_msg *m);
/* Writes @m with its options in the order of their codes, the type first, and padding. */
void dhcp_emit(struct wr *w, const struct dhcp_msg *m);

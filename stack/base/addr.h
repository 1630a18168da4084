/*
 * Addresses, as bytes in the order in which they stand on the wire.
 *
 * struct addr is a tagged union of the IP families.  Bytes behind a shorter
 * address are always zero, so two addresses are equal when their bytes are.  The
 * kinds of IPv6 addresses are those of RFC 4291 2.4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct mac {
	uint8_t b[6];
};

struct ip4 {
	uint8_t b[4];
};

struct ip6 {
	uint8_t b[16];
};

enum addr_family { ADDR_NONE = 0, ADDR_IP4 = 4, ADDR_IP6 = 6 };

struct addr {
	uint8_t family; /* enum addr_family */
	/*
	 * RFC 4007 6: where a link-local IPv6 address is meant, the number of the interface
	 * and one; 0 for all others, and for one of which that is not known.
	 */
	uint8_t zone;
	union {
		struct ip4 ip4;
		struct ip6 ip6; /* the widest: its bytes are the union's */
	};
};

/* The two ends of a connection, seen from our side.  Ports in host order. */
struct flow {
	struct addr local, remote;
	uint16_t local_port, remote_port;
};

/* Longest text of an address, with its NUL; and with a port, "[v6]:65535". */
enum { ADDR_TEXT_LEN = 46, ADDR_PORT_TEXT_LEN = 56, MAC_TEXT_LEN = 18 };

static inline struct addr addr_ip4(struct ip4 a)
{
	struct addr r = { .family = ADDR_IP4 };

	r.ip4 = a;
	return r;
}

static inline struct addr addr_ip6(struct ip6 a)
{
	struct addr r = { .family = ADDR_IP6 };

	r.ip6 = a;
	return r;
}

static inline bool mac_eq(struct mac a, struct mac b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static inline bool ip4_eq(struct ip4 a, struct ip4 b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static inline bool flow_eq(const struct flow *a, const struct flow *b)
{
	return a->local_port == b->local_port && a->remote_port == b->remote_port &&
	       addr_eq(&a->local, &b->local) && addr_eq(&a->remote, &b->remote);
}

static inline bool ip4_is_zero(struct ip4 a)
{
	return (a.b[0] | a.b[1] | a.b[2] | a.b[3]) == 0;
}

static inline bool ip4_is_multicast(struct ip4 a)
{
	return (a.b[0] & 0xf0) == 0xe0;
}

static inline bool ip4_is_broadcast(struct ip4 a)
{
	return (a.b[0] & a.b[1] & a.b[2] & a.b[3]) == 0xff;
}

static inline bool ip6_eq(struct ip6 a, struct ip6 b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static inline bool ip6_is_multicast(struct ip6 a)
{
	return a.b[0] == 0xff;
}

static inline bool ip6_is_link_local(struct ip6 a)
{
	return a.b[0] == 0xfe && (a.b[1] & 0xc0) == 0x80;
}

/* A group of one link, or of one host. */
static inline bool ip6_is_link_group(struct ip6 a)
{
	return a.b[0] == 0xff && (a.b[1] & 15) <= 2;
}

/* "::", which nobody has. */
bool ip6_is_zero(struct ip6 a);
/* "::1" */
bool ip6_is_loopback(struct ip6 a);
/* "::ffff:192.0.2.1": an IPv4 address in the words of IPv6, never on a wire. */
bool ip6_is_mapped(struct ip6 a);

/* True for the address that stands for any, of its family. */
static inline bool addr_is_any(const struct addr *a)
{
	return a->family == ADDR_IP6 ? ip6_is_zero(a->ip6) : ip4_is_zero(a->ip4);
}

static inline bool addr_is_multicast(const struct addr *a)
{
	return a->family == ADDR_IP6 ? ip6_is_multicast(a->ip6) :
				       ip4_is_multicast(a->ip4);
}

static inline bool mac_is_multicast(struct mac m)
{
	return m.b[0] & 1;
}

static inline bool mac_is_broadcast(struct mac m)
{
	static const struct mac all = { { 255, 255, 255, 255, 255, 255 } };

	return mac_eq(m, all);
}

/* True when the first @bits bits of both, of one family, are the same. */
bool addr_same_prefix(const struct addr *a, const struct addr *b, unsigned bits);

/* Text to address and back.  The parsers read all of @text or refuse it. */
bool mac_parse(const char *text, struct mac *m);
bool addr_parse(const char *text, struct addr *a);
/* "192.0.2.1/24": address and prefix length; 32 or 128 when "/n" is missing. */
bool addr_parse_prefix(const char *text, struct addr *a, unsigned *bits);
/* Write the text to @out, which has the room named above, and return @out. */
const char *mac_text(struct mac m, char out[static MAC_TEXT_LEN]);
const char *addr_text(const struct addr *a, char out[static ADDR_TEXT_LEN]);
const char *addr_port_text(const struct addr *a, uint16_t port,
			   char out[static ADDR_PORT_TEXT_LEN]);

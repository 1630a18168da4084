/*
 * "ADDRESS:PORT" as text, as struct net_where, and as a sockaddr.
 */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

#include "apps/lib/net_impl.h"
#include "apps/lib/str.h"

enum { HOST_TEXT_MAX = ADDR_TEXT_LEN - 1 };

static bool parse_host(struct str host, struct addr *addr)
{
	char text[ADDR_TEXT_LEN];

	if (str_eq(host, STR("*"))) {
		*addr = addr_ip4((struct ip4){ { 0 } });
		return true;
	}
	if (host.len == 0 || host.len > HOST_TEXT_MAX || memchr(host.p, 0, host.len))
		return false;
	memcpy(text, host.p, host.len);
	text[host.len] = '\0';
	return addr_parse(text, addr);
}

int net_where_parse(const char *text, struct net_where *where)
{
	const char *colon = strrchr(text, ':');
	bool bracketed = text[0] == '[';
	struct net_where w = { 0 };
	struct str host;
	uint64_t port;

	if (!colon || !str_to_u64(str_of(colon + 1), &port) || port > UINT16_MAX)
		return -EINVAL;
	host = (struct str){ text, (size_t)(colon - text) };
	if (bracketed) {
		if (host.len < 2 || host.p[host.len - 1] != ']')
			return -EINVAL;
		host = (struct str){ host.p + 1, host.len - 2 };
	}
	/* RFC 3986 3.2.2: brackets are for IPv6, and IPv6 is in brackets. */
	w.is_any = str_eq(host, STR("*"));
	if (!parse_host(host, &w.addr) || bracketed != (w.addr.family == ADDR_IP6))
		return -EINVAL;
	w.port = (uint16_t)port;
	*where = w;
	return 0;
}

const char *net_where_addr_text(const struct net_where *where,
				char out[static NET_ADDR_TEXT_LEN])
{
	if (!where->is_local)
		return addr_text(&where->addr, out);
	snprintf(out, NET_ADDR_TEXT_LEN, "uid:%" PRIu32, where->uid);
	return out;
}

const char *net_where_text(const struct net_where *where,
			   char out[static NET_ADDR_TEXT_LEN])
{
	if (where->is_local)
		return net_where_addr_text(where, out);
	return addr_port_text(&where->addr, where->port, out);
}

bool net_where_ok(const char *text)
{
	struct net_where where;

	return net_where_parse(text, &where) == 0;
}

unsigned net_where_sockaddr(const struct net_where *where, struct sockaddr_storage *sa)
{
	memset(sa, 0, sizeof(*sa));
	if (where->addr.family == ADDR_IP6 || where->is_any) {
		struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
					    .sin6_port = htons(where->port) };

		if (!where->is_any)
			memcpy(&in6.sin6_addr, &where->addr.ip6, sizeof(in6.sin6_addr));
		memcpy(sa, &in6, sizeof(in6));
		return sizeof(in6);
	} else {
		struct sockaddr_in in = { .sin_family = AF_INET,
					  .sin_port = htons(where->port) };

		memcpy(&in.sin_addr, &where->addr.ip4, sizeof(in.sin_addr));
		memcpy(sa, &in, sizeof(in));
		return sizeof(in);
	}
}

void net_where_from_sockaddr(const struct sockaddr_storage *sa, struct net_where *where)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	struct ip6 ip6;
	struct ip4 ip4;

	memset(where, 0, sizeof(*where));
	if (sa->ss_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		memcpy(&ip6, &in6.sin6_addr, sizeof(ip6));
		memcpy(&ip4, ip6.b + sizeof(ip6) - sizeof(ip4), sizeof(ip4));
		/* RFC 3493 3.7: how a socket of both families sees IPv4's. */
		where->addr = ip6_is_mapped(ip6) ? addr_ip4(ip4) : addr_ip6(ip6);
		where->port = ntohs(in6.sin6_port);
	} else if (sa->ss_family == AF_INET) {
		memcpy(&in, sa, sizeof(in));
		memcpy(&ip4, &in.sin_addr, sizeof(ip4));
		where->addr = addr_ip4(ip4);
		where->port = ntohs(in.sin_port);
	}
}

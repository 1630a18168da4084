#include "apps/mail/relay/route.h"

#include "apps/lib/net.h"
#include "apps/mail/wire/mailaddr.h"
#include "stack/base/addr.h"

static bool via_ok(const char *via)
{
	struct str port_text, name = str_cut(str_of(via), ':', &port_text);
	bool has_port = name.len < strlen(via);
	struct addr addr;
	uint64_t port;

	if (addr_parse(via, &addr))
		return true;
	if (via[0] == '[')
		return net_where_ok(via);
	return mailaddr_is_domain(name) && name.p[0] != '[' &&
	       (!has_port || (str_to_u64(port_text, &port) && port > 0 && port <= 65535));
}

static bool domain_ok(struct str domain)
{
	if (str_eq(domain, STR("*")))
		return true;
	if (domain.len > 0 && domain.p[0] == '.') {
		domain.p++;
		domain.len--;
	}
	return mailaddr_is_domain(domain);
}

bool route_parse(const char *text, struct route *route)
{
	struct str rest, domain = str_cut(str_of(text), ' ', &rest);

	rest = str_trim(rest);
	if (str_eq_nocase(rest, STR("waits"))) {
		*route = (struct route){ .domain = domain };
		return domain_ok(domain);
	}
	if (!str_starts_nocase(rest, STR("via ")))
		return false;
	rest.p += 4;
	while (*rest.p == ' ')
		rest.p++;
	if (!domain_ok(domain) || !via_ok(rest.p))
		return false;
	*route = (struct route){ .domain = domain, .via = rest.p };
	return true;
}

bool route_matches(struct str pattern, struct str domain)
{
	struct str tail;

	if (str_eq(pattern, STR("*")))
		return true;
	if (pattern.p[0] != '.')
		return str_eq_nocase(pattern, domain);
	if (domain.len <= pattern.len)
		return false;
	tail = (struct str){ domain.p + domain.len - pattern.len, pattern.len };
	return str_eq_nocase(tail, pattern);
}

const struct route *route_find(const struct route *routes, size_t n, struct str domain)
{
	const struct route *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (route_matches(routes[i].domain, domain) &&
		    (!best || routes[i].domain.len > best->domain.len))
			best = &routes[i];
	return best;
}

#include "apps/mail/relay/mx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stack/base/rng.h"

static int by_preference(const void *a, const void *b)
{
	const struct dns_mx *x = a, *y = b;

	return (x->preference > y->preference) - (x->preference < y->preference);
}

/* RFC 5321 5.1: equal ones in an order of chance, to spread the load. */
static void shuffle(struct dns_mx *mxs, size_t n, struct rng *rng)
{
	for (size_t i = n; i > 1; i--) {
		size_t k = rng_below(rng, (uint32_t)i);
		struct dns_mx swap = mxs[i - 1];

		mxs[i - 1] = mxs[k];
		mxs[k] = swap;
	}
}

static void shuffle_equals(struct dns_mx *mxs, size_t n, struct rng *rng)
{
	size_t from = 0;

	for (size_t i = 1; i <= n; i++)
		if (i == n || mxs[i].preference != mxs[from].preference) {
			shuffle(mxs + from, i - from, rng);
			from = i;
		}
}

int mx_order(struct dns_mx *mxs, size_t *n, const char *self, struct rng *rng)
{
	size_t n_named = 0, kept = 0;
	uint32_t limit = UINT32_MAX;

	for (size_t i = 0; i < *n; i++) {
		if (mxs[i].host[0] == '\0' || strcmp(mxs[i].host, ".") == 0)
			continue;
		/* RFC 5321 5.1: ours, and all that are not better, are left out. */
		if (strcasecmp(mxs[i].host, self) == 0 && mxs[i].preference < limit)
			limit = mxs[i].preference;
		mxs[n_named++] = mxs[i];
	}
	/* RFC 7505 3: a single "." */
	if (n_named == 0)
		return -ENOENT;
	for (size_t i = 0; i < n_named; i++)
		if (mxs[i].preference < limit)
			mxs[kept++] = mxs[i];
	if (kept == 0)
		return -ELOOP;
	qsort(mxs, kept, sizeof(*mxs), by_preference);
	shuffle_equals(mxs, kept, rng);
	*n = kept;
	return 0;
}

static struct client_said why(enum client_result result, unsigned subject,
			      unsigned detail, const char *text)
{
	return (struct client_said){
		.result = result,
		.enhanced = { result == CLIENT_PERMANENT ? 5 : 4, (uint16_t)subject,
			      (uint16_t)detail },
		.text = text,
	};
}

static void add_host(struct mx *mx, const char *name)
{
	snprintf(mx->hosts[0].host, sizeof(mx->hosts[0].host), "%s", name);
	mx->n_hosts = 1;
}

/* RFC 5321 4.1.3 */
static void use_literal(struct mx *mx, struct str domain)
{
	char text[ADDR_TEXT_LEN];
	struct str inner = { domain.p + 1, domain.len - 2 };

	mx->is_literal = true;
	if (str_starts_nocase(inner, STR("IPv6:"))) {
		inner.p += 5;
		inner.len -= 5;
	}
	if (inner.len >= sizeof(text))
		return;
	memcpy(text, inner.p, inner.len);
	text[inner.len] = '\0';
	mx->n_addrs = addr_parse(text, &mx->addrs[0]);
}

/* "192.0.2.1", "192.0.2.1:2525", "[v6]:25", "mail.example", "mail.example:2525" */
static void use_route(struct mx *mx, const char *route)
{
	struct str port_text, name = str_cut(str_of(route), ':', &port_text);
	uint64_t port;

	mx->is_literal = true;
	if (addr_parse(route, &mx->addrs[0])) {
		snprintf(mx->domain, sizeof(mx->domain), "%s", route);
		mx->n_addrs = 1;
		return;
	}
	if (route[0] == '[') {
		const char *end = strchr(route, ']');

		name = (struct str){ route + 1, end ? (size_t)(end - route - 1) : 0 };
		port_text = str_of(end && end[1] == ':' ? end + 2 : "");
	}
	if (str_to_u64(port_text, &port) && port <= UINT16_MAX)
		mx->port = (uint16_t)port;
	snprintf(mx->domain, sizeof(mx->domain), "%.*s", (int)name.len, name.p);
	mx->n_addrs = addr_parse(mx->domain, &mx->addrs[0]);
	if (mx->n_addrs == 0)
		add_host(mx, mx->domain);
}

void mx_begin(struct mx *mx, struct dns *dns, struct rng *rng, const char *self,
	      struct str domain, const char *route)
{
	*mx = (struct mx){ .dns = dns, .rng = rng, .self = self, .port = 25 };
	mx->why = why(CLIENT_PERMANENT, 1, 2, "There is no such address");
	if (route) {
		use_route(mx, route);
		return;
	}
	snprintf(mx->domain, sizeof(mx->domain), "%.*s", (int)domain.len, domain.p);
	if (domain.len > 2 && domain.p[0] == '[')
		use_literal(mx, domain);
}

static void tell(struct mx *mx, const struct mx_found *found)
{
	mx->take(mx->arg, found);
}

static void tell_end(struct mx *mx)
{
	const struct mx_found end = { .host = mx->domain, .why = mx->why };

	tell(mx, &end);
}

static void tell_addr(struct mx *mx)
{
	struct mx_found found = { .found = true, .host = mx->domain };

	if (mx->at_host > 0)
		found.host = mx->hosts[mx->at_host - 1].host;
	addr_port_text(&mx->addrs[mx->at_addr++], mx->port, found.where);
	mx->n_given++;
	tell(mx, &found);
}

static void use_addrs(struct mx *mx, const struct dns_answer *answer)
{
	mx->n_addrs = answer->n;
	mx->at_addr = 0;
	for (size_t i = 0; i < answer->n; i++) {
		size_t k = rng_below(mx->rng, (uint32_t)i + 1);

		mx->addrs[i] = mx->addrs[k];
		mx->addrs[k] = answer->addrs[i];
	}
}

static void addrs_came(void *arg, const struct dns_answer *answer)
{
	struct mx *mx = arg;
	/* Names that MX records lead to can be put right; an implicit one is the domain. */
	enum client_result result =
		mx->any_host || mx->is_literal ? CLIENT_TRANSIENT : CLIENT_PERMANENT;

	mx->query = NULL;
	switch (answer->status) {
	case DNS_FOUND: use_addrs(mx, answer); break;
	case DNS_FAILED:
		mx->why = why(CLIENT_TRANSIENT, 4, 3,
			      "No name server answers for its host");
		break;
	case DNS_NO_NAME:
	case DNS_NO_RECORD:
		mx->why = why(result, result == CLIENT_PERMANENT ? 1 : 4,
			      result == CLIENT_PERMANENT ? 2 : 4,
			      "Its mail host has no address");
		break;
	}
	mx_next(mx, mx->take, mx->arg);
}

static void use_mxs(struct mx *mx, const struct dns_answer *answer)
{
	size_t n = answer->n;
	int r;

	memcpy(mx->hosts, answer->mxs, n * sizeof(*mx->hosts));
	r = mx_order(mx->hosts, &n, mx->self, mx->rng);
	if (r == 0) {
		mx->n_hosts = n;
		mx->any_host = true;
		/* Until one of them has an address. */
		mx->why = why(CLIENT_TRANSIENT, 4, 4, "Its mail hosts have no address");
	} else if (r == -ENOENT) {
		/* RFC 7505 4.2 */
		mx->why = why(CLIENT_PERMANENT, 1, 10, "The domain takes no mail");
	} else {
		mx->why = why(CLIENT_PERMANENT, 4, 6, "Its mail host is this one");
	}
}

static void mxs_came(void *arg, const struct dns_answer *answer)
{
	struct mx *mx = arg;

	mx->query = NULL;
	switch (answer->status) {
	case DNS_FOUND: use_mxs(mx, answer); break;
	case DNS_NO_RECORD:
		if (strcasecmp(mx->domain, mx->self) == 0)
			mx->why =
				why(CLIENT_PERMANENT, 4, 6, "Its mail host is this one");
		else
			add_host(mx, mx->domain); /* the implicit MX */
		break;
	case DNS_NO_NAME:
		mx->why = why(CLIENT_PERMANENT, 1, 2, "There is no such domain");
		break;
	case DNS_FAILED:
		mx->why = why(CLIENT_TRANSIENT, 4, 3,
			      "No name server answers for the domain");
		break;
	}
	mx_next(mx, mx->take, mx->arg);
}

static void ask(struct mx *mx, enum dns_kind kind, const char *name, dns_done *done)
{
	mx->query = dns_ask(mx->dns, kind, str_of(name), done, mx);
	if (!mx->query) {
		mx->why = why(CLIENT_TRANSIENT, 3, 0, "Out of memory");
		tell_end(mx);
	}
}

void mx_next(struct mx *mx, mx_take *take, void *arg)
{
	mx->take = take;
	mx->arg = arg;
	if (mx->n_given >= MX_TRIES_MAX) {
		tell_end(mx);
	} else if (mx->at_addr < mx->n_addrs) {
		tell_addr(mx);
	} else if (mx->at_host < mx->n_hosts) {
		ask(mx, DNS_A, mx->hosts[mx->at_host++].host, addrs_came);
	} else if (!mx->is_literal && !mx->asked_mx) {
		mx->asked_mx = true;
		ask(mx, DNS_MX, mx->domain, mxs_came);
	} else {
		tell_end(mx);
	}
}

void mx_end(struct mx *mx)
{
	if (mx->query)
		dns_cancel(mx->query);
	mx->query = NULL;
}

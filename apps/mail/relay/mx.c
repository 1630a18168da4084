#include "apps/mail/relay/mx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"
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

/* The only address, whatever there is else. */
static bool use_addr(struct mx *mx, const char *text)
{
	struct addr addr;

	if (!addr_parse(text, &addr))
		return false;
	mx->dests[0] = (struct dest){ .addr = addr };
	mx->n_dests = 1;
	return true;
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
	use_addr(mx, text);
}

/* "192.0.2.1", "192.0.2.1:2525", "[v6]:25", "mail.example", "mail.example:2525" */
static void use_route(struct mx *mx, const char *route)
{
	struct str port_text, name = str_cut(str_of(route), ':', &port_text);
	uint64_t port;

	mx->is_literal = true;
	if (use_addr(mx, route)) {
		snprintf(mx->domain, sizeof(mx->domain), "%s", route);
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
	if (!use_addr(mx, mx->domain))
		add_host(mx, mx->domain);
}

static void patience_over(struct net_timer *t, uint64_t now_ns);

void mx_begin(struct mx *mx, const struct mx_env *env, struct str domain,
	      const char *route)
{
	*mx = (struct mx){ .env = *env, .port = 25 };
	net_timer_init(&mx->patience, patience_over);
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
	mx_take *take = mx->take;

	mx->take = NULL;
	take(mx->arg, found);
}

static void tell_end(struct mx *mx)
{
	const struct mx_found end = { .host = mx->domain, .why = mx->why };

	tell(mx, &end);
}

static void tell_addr(struct mx *mx)
{
	struct mx_found found = { .found = true, .host = mx->domain };
	struct dest dest = mx->dests[0];

	if (mx->at_host > 0)
		found.host = mx->hosts[mx->at_host - 1].host;
	addr_port_text(&dest.addr, mx->port, found.where);
	memmove(mx->dests, mx->dests + 1, --mx->n_dests * sizeof(*mx->dests));
	mx->last = dest.addr.family;
	mx->n_given++;
	mx->n_of_host++;
	tell(mx, &found);
}

static bool asks(const struct mx *mx)
{
	return mx->mx_query || mx->query[0] || mx->query[1];
}

/* Nobody is asked any more about this host. */
static void stop_asking(struct mx *mx)
{
	for (int i = 0; i < MX_FAMILIES; i++) {
		if (mx->query[i])
			dns_cancel(mx->query[i]);
		mx->query[i] = NULL;
	}
	net_timer_stop(mx->env.net, &mx->patience);
	mx->is_patient = false;
}

/* Those without a way to them, as long as there are others. */
static void drop_unusable(struct mx *mx)
{
	size_t n = 0;

	/* dest_order() put them behind all others. */
	while (n < mx->n_dests && dest_is_usable(&mx->dests[n]))
		n++;
	if (n > 0 || mx->n_of_host > 0)
		mx->n_dests = n;
}

/*
 * RFC 5321 5.1: an MX that is ourselves ends the list, as one that is not better.  Our
 * own address tells it, of either family.
 */
static bool is_ours(const struct mx *mx)
{
	for (size_t i = 0; !mx->is_literal && i < mx->n_dests; i++)
		if (dest_is_ours(&mx->dests[i]))
			return true;
	return false;
}

static void end_at_ourselves(struct mx *mx)
{
	stop_asking(mx);
	mx->n_dests = 0;
	mx->n_hosts = mx->at_host;
	/* Of hosts before it something may come yet, on another day. */
	if (mx->at_host == 1)
		mx->why = why(CLIENT_PERMANENT, 4, 6, "Its mail host is this one");
}

/* RFC 8305 3: what comes late takes its place among those that were not tried yet. */
static void use_addrs(struct mx *mx, const struct dns_answer *answer)
{
	struct dest *new = mx->dests + mx->n_dests;
	size_t most = MX_ADDRS_MAX > mx->n_of_host ? MX_ADDRS_MAX - mx->n_of_host : 0;

	for (size_t i = 0; i < answer->n; i++) {
		size_t k = rng_below(mx->env.rng, (uint32_t)i + 1);

		new[i] = new[k];
		new[k] = dest_of(mx->env.net, &answer->addrs[i]);
	}
	mx->n_dests += answer->n;
	if (is_ours(mx)) {
		end_at_ourselves(mx);
		return;
	}
	dest_order(mx->dests, mx->n_dests);
	drop_unusable(mx);
	dest_interleave(mx->dests, mx->n_dests, mx->last);
	if (mx->n_dests > most)
		mx->n_dests = most;
}

/* Neither family has an address. */
static void note_none(struct mx *mx)
{
	/* Names that MX records lead to can be put right; an implicit one is the domain. */
	bool is_final = !mx->any_host && !mx->is_literal;

	if (mx->status[0] == DNS_FAILED || mx->status[1] == DNS_FAILED)
		mx->why = why(CLIENT_TRANSIENT, 4, 3,
			      "No name server answers for its host");
	else
		mx->why = why(is_final ? CLIENT_PERMANENT : CLIENT_TRANSIENT,
			      is_final ? 1 : 4, is_final ? 2 : 4,
			      "Its mail host has no address");
}

static void go_on(struct mx *mx);

static void patience_over(struct net_timer *t, uint64_t now_ns)
{
	struct mx *mx = container_of(t, struct mx, patience);

	(void)now_ns;
	mx->is_patient = false;
	go_on(mx);
}

static void addrs_came(struct mx *mx, enum mx_family family,
		       const struct dns_answer *answer)
{
	mx->query[family] = NULL;
	mx->status[family] = answer->status;
	if (answer->status == DNS_FOUND)
		use_addrs(mx, answer);
	else if (!asks(mx) && mx->status[!family] != DNS_FOUND)
		note_none(mx);
	/* RFC 8305 3: IPv6's waits for nobody, IPv4's a little. */
	mx->is_patient = family == MX_IP4 && mx->query[MX_IP6] && mx->n_dests > 0;
	if (mx->is_patient)
		net_timer_arm(mx->env.net, &mx->patience,
			      net_now_ns(mx->env.net) + MX_RESOLVE_MS * NS_PER_MS);
	else
		net_timer_stop(mx->env.net, &mx->patience);
	go_on(mx);
}

static void ip4_came(void *arg, const struct dns_answer *answer)
{
	addrs_came(arg, MX_IP4, answer);
}

static void ip6_came(void *arg, const struct dns_answer *answer)
{
	addrs_came(arg, MX_IP6, answer);
}

static void use_mxs(struct mx *mx, const struct dns_answer *answer)
{
	size_t n = answer->n;
	int r;

	memcpy(mx->hosts, answer->mxs, n * sizeof(*mx->hosts));
	r = mx_order(mx->hosts, &n, mx->env.self, mx->env.rng);
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

	mx->mx_query = NULL;
	switch (answer->status) {
	case DNS_FOUND: use_mxs(mx, answer); break;
	case DNS_NO_RECORD:
		if (strcasecmp(mx->domain, mx->env.self) == 0)
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
	go_on(mx);
}

static void out_of_memory(struct mx *mx)
{
	stop_asking(mx);
	mx->why = why(CLIENT_TRANSIENT, 3, 0, "Out of memory");
	tell_end(mx);
}

static void ask_host(struct mx *mx)
{
	struct str name = str_of(mx->hosts[mx->at_host++].host);

	mx->n_of_host = 0;
	mx->last = ADDR_NONE;
	/* RFC 8305 3: AAAA first, and A at once behind it. */
	mx->query[MX_IP6] = dns_ask(mx->env.dns, DNS_AAAA, name, ip6_came, mx);
	mx->query[MX_IP4] = dns_ask(mx->env.dns, DNS_A, name, ip4_came, mx);
	if (!mx->query[MX_IP6] || !mx->query[MX_IP4])
		out_of_memory(mx);
}

static void ask_mx(struct mx *mx)
{
	mx->asked_mx = true;
	mx->mx_query = dns_ask(mx->env.dns, DNS_MX, str_of(mx->domain), mxs_came, mx);
	if (!mx->mx_query)
		out_of_memory(mx);
}

/* An address without a way to it waits for those of the other family. */
static bool has_addr(const struct mx *mx)
{
	return mx->n_dests > 0 && (dest_is_usable(&mx->dests[0]) || !asks(mx));
}

bool mx_has_more(const struct mx *mx)
{
	return has_addr(mx) && !mx->is_patient && mx->n_given < MX_TRIES_MAX;
}

/* Tells what is known, or asks for what is not, or waits. */
static void go_on(struct mx *mx)
{
	if (!mx->take || mx->is_patient)
		return;
	if (mx->n_given >= MX_TRIES_MAX)
		tell_end(mx);
	else if (has_addr(mx))
		tell_addr(mx);
	else if (asks(mx))
		return;
	else if (mx->at_host < mx->n_hosts)
		ask_host(mx);
	else if (!mx->is_literal && !mx->asked_mx)
		ask_mx(mx);
	else
		tell_end(mx);
}

void mx_next(struct mx *mx, mx_take *take, void *arg)
{
	mx->take = take;
	mx->arg = arg;
	go_on(mx);
}

void mx_end(struct mx *mx)
{
	if (!mx->env.net)
		return;
	if (mx->mx_query)
		dns_cancel(mx->mx_query);
	mx->mx_query = NULL;
	stop_asking(mx);
}

#include "apps/lib/dns.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/dns_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

static bool lives(const struct dns *dns, const struct dns_entry *e)
{
	return net_now_ns(dns->net) < e->until_ns;
}

static struct dns_entry **place_of(struct dns *dns, enum dns_kind kind, const char *name)
{
	uint64_t hash = hash_siphash13(&dns->key, name, strlen(name) + 1) + kind;

	return &dns->cache[hash % DNS_CACHE_PLACES];
}

static void entry_put(struct dns_entry *e)
{
	if (e && --e->n_refs == 0)
		free(e);
}

static struct dns_entry *find(struct dns *dns, enum dns_kind kind, const char *name)
{
	struct dns_entry *e = *place_of(dns, kind, name);

	if (!e || e->kind != kind || strcmp(e->name, name) != 0 || !lives(dns, e))
		return NULL;
	return e;
}

static void remember(struct dns *dns, struct dns_entry *e)
{
	struct dns_entry **place = place_of(dns, e->kind, e->name);

	if (!lives(dns, e))
		return;
	entry_put(*place);
	e->n_refs++;
	*place = e;
}

/* The answer is there, and will be told in the next turn. */
static void answered(struct dns_query *q, struct dns_entry *e)
{
	struct dns *dns = q->dns;

	q->entry = e;
	list_remove(&q->node);
	list_push(&dns->ready, &q->node);
	net_timer_arm(dns->net, &dns->soon, net_now_ns(dns->net));
}

static void tell(struct dns_query *q)
{
	const struct dns_entry *e = q->entry;
	struct dns_answer answer = { .status = DNS_FAILED };

	if (e) {
		answer.status = e->status;
		answer.n = e->n;
		if (e->kind == DNS_MX)
			answer.mxs = (const void *)e->records;
		else
			answer.addrs = (const void *)e->records;
	}
	q->dns->stats.failed += answer.status == DNS_FAILED;
	q->dns->stats.none +=
		answer.status == DNS_NO_NAME || answer.status == DNS_NO_RECORD;
	q->done(q->arg, &answer);
	entry_put(q->entry);
	free(q);
}

static void tell_all(struct net_timer *t, uint64_t now_ns)
{
	struct dns *dns = container_of(t, struct dns, soon);

	(void)now_ns;
	while (!list_empty(&dns->ready))
		tell(container_of(list_pop(&dns->ready), struct dns_query, node));
}

static struct dns_entry *entry_new(const struct dns_query *q, enum dns_status status,
				   size_t n)
{
	size_t size = q->kind == DNS_MX ? sizeof(struct dns_mx) : sizeof(struct addr);
	struct dns_entry *e = calloc(1, sizeof(*e) + n * size);

	if (!e)
		return NULL;
	e->n_refs = 1;
	e->kind = q->kind;
	e->status = status;
	e->n = n;
	strcpy(e->name, q->name);
	return e;
}

static struct dns_entry *read_a(const struct dns_query *q, const uint8_t *bytes, int len)
{
	struct ares_addrttl found[DNS_RECORDS_MAX];
	int n = DNS_RECORDS_MAX;
	struct dns_entry *e;
	struct addr *to;

	if (ares_parse_a_reply(bytes, len, NULL, found, &n) != ARES_SUCCESS || n <= 0)
		return NULL;
	e = entry_new(q, DNS_FOUND, (size_t)n);
	if (!e)
		return NULL;
	to = (void *)e->records;
	for (int i = 0; i < n; i++) {
		struct ip4 ip4;

		memcpy(&ip4, &found[i].ipaddr, sizeof(ip4));
		to[i] = addr_ip4(ip4);
	}
	return e;
}

static struct dns_entry *read_aaaa(const struct dns_query *q, const uint8_t *bytes,
				   int len)
{
	struct ares_addr6ttl found[DNS_RECORDS_MAX];
	int n = DNS_RECORDS_MAX;
	struct dns_entry *e;
	struct addr *to;

	if (ares_parse_aaaa_reply(bytes, len, NULL, found, &n) != ARES_SUCCESS || n <= 0)
		return NULL;
	e = entry_new(q, DNS_FOUND, (size_t)n);
	if (!e)
		return NULL;
	to = (void *)e->records;
	for (int i = 0; i < n; i++) {
		struct ip6 ip6;

		memcpy(&ip6, &found[i].ip6addr, sizeof(ip6));
		to[i] = addr_ip6(ip6);
	}
	return e;
}

static struct dns_entry *read_mx(const struct dns_query *q, const uint8_t *bytes, int len)
{
	struct ares_mx_reply *found, *at;
	struct dns_entry *e;
	struct dns_mx *to;
	size_t n = 0;

	if (ares_parse_mx_reply(bytes, len, &found) != ARES_SUCCESS)
		return NULL;
	for (at = found; at && n < DNS_RECORDS_MAX; at = at->next)
		n++;
	e = n > 0 ? entry_new(q, DNS_FOUND, n) : NULL;
	to = e ? (void *)e->records : NULL;
	at = found;
	for (size_t i = 0; e && i < n; i++, at = at->next) {
		to[i].preference = at->priority;
		snprintf(to[i].host, sizeof(to[i].host), "%s", at->host);
	}
	ares_free_data(found);
	return e;
}

static struct dns_entry *read_records(const struct dns_query *q, const uint8_t *bytes,
				      int len)
{
	switch (q->kind) {
	case DNS_A: return read_a(q, bytes, len);
	case DNS_AAAA: return read_aaaa(q, bytes, len);
	case DNS_MX: return read_mx(q, bytes, len);
	}
	return NULL;
}

/* The answer as an entry of the cache; NULL: there is none. */
static struct dns_entry *read_answer(const struct dns_query *q, int status,
				     const uint8_t *bytes, int len)
{
	struct dns_entry *e = NULL;
	uint32_t most = DNS_TTL_MAX_S;

	if (status == ARES_SUCCESS)
		e = read_records(q, bytes, len);
	if (status == ARES_ENOTFOUND || status == ARES_ENODATA ||
	    (status == ARES_SUCCESS && !e)) {
		e = entry_new(q, status == ARES_ENOTFOUND ? DNS_NO_NAME : DNS_NO_RECORD,
			      0);
		most = DNS_NONE_TTL_MAX_S;
	}
	if (e) {
		uint32_t ttl_s = bytes && len > 0 ?
					 dns_ttl((struct str){ (const char *)bytes,
							       (size_t)len }) :
					 0;

		e->until_ns = net_now_ns(q->dns->net) +
			      (ttl_s < most ? ttl_s : most) * NS_PER_S;
	}
	return e;
}

static void came(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct dns_query *q = arg;
	struct dns *dns = q->dns;
	struct dns_entry *e;

	(void)timeouts;
	dns->stats.open--;
	if (!q->done || dns->ending) {
		list_remove(&q->node);
		free(q);
		return;
	}
	e = read_answer(q, status, bytes, len);
	if (e)
		remember(dns, e);
	answered(q, e);
}

/* The name in small letters, without a dot at its end. */
static bool set_name(struct dns_query *q, struct str name)
{
	if (name.len > 0 && name.p[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || name.len > DNS_NAME_MAX || memchr(name.p, 0, name.len))
		return false;
	str_lower(name, q->name);
	return true;
}

static int type_of(enum dns_kind kind)
{
	switch (kind) {
	case DNS_A: return ns_t_a;
	case DNS_AAAA: return ns_t_aaaa;
	case DNS_MX: return ns_t_mx;
	}
	return ns_t_invalid;
}

struct dns_query *dns_ask(struct dns *dns, enum dns_kind kind, struct str name,
			  dns_done *done, void *arg)
{
	struct dns_query *q = calloc(1, sizeof(*q));
	struct dns_entry *e;

	if (!q)
		return NULL;
	q->dns = dns;
	q->kind = kind;
	q->done = done;
	q->arg = arg;
	list_init(&q->node);
	dns->stats.asked++;
	if (!set_name(q, name)) {
		answered(q, NULL);
		return q;
	}
	e = find(dns, kind, q->name);
	if (e) {
		dns->stats.cached++;
		e->n_refs++;
		answered(q, e);
		return q;
	}
	dns->stats.open++;
	ares_query(dns->channel, q->name, ns_c_in, type_of(kind), came, q);
	dns_look(dns);
	return q;
}

void dns_cancel(struct dns_query *q)
{
	q->done = NULL;
	/* What c-ares still has comes back through came(). */
	if (list_empty(&q->node))
		return;
	list_remove(&q->node);
	entry_put(q->entry);
	free(q);
}

static void late(struct net_timer *t, uint64_t now_ns)
{
	struct dns *dns = container_of(t, struct dns, late);

	(void)now_ns;
	ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	dns_look(dns);
}

void dns_look(struct dns *dns)
{
	struct timeval tv, *next = ares_timeout(dns->channel, NULL, &tv);

	if (!next)
		net_timer_stop(dns->net, &dns->late);
	else
		/* Its timers have ms; one more, so that they are due then. */
		net_timer_arm(dns->net, &dns->late,
			      net_now_ns(dns->net) + (uint64_t)tv.tv_sec * NS_PER_S +
				      (uint64_t)tv.tv_usec * 1000 + NS_PER_MS);
}

static int open_channel(struct dns *dns, const char *servers)
{
	struct ares_options options = {
		.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
		.timeout = DNS_TRY_MS,
		.tries = DNS_TRIES,
	};
	int r = ares_init_options(&dns->channel, &options,
				  ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);

	if (r != ARES_SUCCESS) {
		dns->channel = NULL;
		return -ENOMEM;
	}
	dns_use_net(dns);
	if (servers && ares_set_servers_ports_csv(dns->channel, servers) != ARES_SUCCESS)
		return -EINVAL;
	return 0;
}

int dns_new(struct net *net, const char *servers, uint64_t seed, struct dns **dns)
{
	struct dns *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return -ENOMEM;
	d->net = net;
	d->key = (struct hash_key){ { seed, ~seed } };
	list_init(&d->ready);
	net_timer_init(&d->soon, tell_all);
	net_timer_init(&d->late, late);
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(d);
		return -ENOMEM;
	}
	r = open_channel(d, servers);
	if (r < 0) {
		dns_free(d);
		return r;
	}
	*dns = d;
	return 0;
}

int dns_set_servers(struct dns *dns, const char *servers)
{
	/* c-ares tells both by the same number. */
	if (dns->stats.open)
		return -EBUSY;
	return ares_set_servers_ports_csv(dns->channel, servers) == ARES_SUCCESS ?
		       0 :
		       -EINVAL;
}

void dns_free(struct dns *dns)
{
	if (!dns)
		return;
	dns->ending = true;
	if (dns->channel)
		ares_destroy(dns->channel);
	net_timer_stop(dns->net, &dns->soon);
	net_timer_stop(dns->net, &dns->late);
	while (!list_empty(&dns->ready))
		dns_cancel(container_of(dns->ready.next, struct dns_query, node));
	for (int i = 0; i < DNS_CACHE_PLACES; i++)
		entry_put(dns->cache[i]);
	ares_library_cleanup();
	free(dns);
}

const struct dns_stats *dns_stats(const struct dns *dns)
{
	return &dns->stats;
}

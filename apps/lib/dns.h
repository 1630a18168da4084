/*
 * Names to addresses, and domains to their mail hosts: c-ares over the net's own sockets,
 * with a cache.
 *
 * One struct dns serves one net, on its thread.  Answers always come later, from the net's
 * loop, also those that are known already.  An answer stays in the cache for as long as
 * its records live (RFC 1035 3.2.1), within limits; that there is none, as RFC 2308 has
 * it.  The cache has a fixed number of places: what falls on one that is taken
 * replaces it.
 *
 * When servers are slow or silent, c-ares asks again and then others.  It reads the
 * host's clock for that, not the net's: with virtual time answers work, its patience does not.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "stack/base/addr.h"

struct dns;
struct dns_query;
struct net;

enum {
	DNS_NAME_MAX = 255,
	DNS_RECORDS_MAX = 32, /* of an answer; more are passed over */
	DNS_CACHE_PLACES = 4096,
	DNS_TTL_MAX_S = 86400,
	DNS_NONE_TTL_MAX_S = 300,
	DNS_TRY_MS = 2000, /* until a server is asked again, or the next one, */
	DNS_TRIES = 3,	   /* and how often each is */
};

enum dns_kind { DNS_A, DNS_AAAA, DNS_MX }; /* AAAA: RFC 3596 */

enum dns_status {
	DNS_FOUND,
	DNS_NO_RECORD, /* the name is there, without such records */
	DNS_NO_NAME,
	DNS_FAILED, /* no server answered, or not so that it can be understood */
};

struct dns_mx {
	uint16_t preference;
	char host[DNS_NAME_MAX + 1]; /* "" in a null MX (RFC 7505) */
};

/* Valid while it is told. */
struct dns_answer {
	enum dns_status status;
	size_t n; /* DNS_FOUND: at least 1 */
	const struct addr *addrs;
	const struct dns_mx *mxs; /* as they came */
};

/*
 * @servers: "ADDRESS" or "ADDRESS:PORT", commas between; NULL: those of the host.
 * 0 or -errno; -EINVAL: they are none.
 */
int dns_new(struct net *net, const char *servers, uint64_t seed, struct dns **dns);
/* Asks others from now on.  0; -EINVAL: they are none; -EBUSY: questions are on their way,
 * and it asks whom it asked. */
int dns_set_servers(struct dns *dns, const char *servers);
/* No answer will come to anybody. */
void dns_free(struct dns *dns);

typedef void dns_done(void *arg, const struct dns_answer *answer);
/* NULL: no memory. */
struct dns_query *dns_ask(struct dns *dns, enum dns_kind kind, struct str name,
			  dns_done *done, void *arg);
/* @done will not be called. */
void dns_cancel(struct dns_query *query);

/* clang-format off */
#define DNS_COUNTERS(C)							\
	C(asked,	"questions")					\
	C(cached,	"questions answered from the cache")		\
	C(none,		"answers that there is no such name or record")	\
	C(failed,	"questions without an answer")			\
	C(open,		"questions on their way now")
/* clang-format on */

struct dns_stats {
#define C(name, text) uint64_t name;
	DNS_COUNTERS(C)
#undef C
};

const struct dns_stats *dns_stats(const struct dns *dns);

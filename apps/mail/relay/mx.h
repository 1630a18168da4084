/*
 * Where mail for a domain goes: addresses, one after the other, until one takes it
 * (RFC 5321 5.1).
 *
 *	"[192.0.2.1]"	that address
 *	a route		its address, or those of its name
 *	MX records	by preference, equal ones shuffled
 *	none		the domain's own addresses, as if it were its MX (the implicit MX)
 *
 * Hosts that are not better than ourselves, by name or by address, are left out; a null MX
 * says that there is no mail (RFC 7505).  A host's addresses are looked up when it is its
 * turn: of both families at once, shuffled, then in the order of dest.h.  Who gets them may
 * try the next one of a host while others are not through (race.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/dest.h"
#include "apps/lib/dns.h"
#include "apps/lib/net.h"
#include "apps/mail/relay/client.h"

struct net;
struct rng;

enum {
	MX_TRIES_MAX = 20,  /* addresses of a domain that are tried in a row */
	MX_ADDRS_MAX = 8,   /* of one host: the best of each family are among them */
	MX_RESOLVE_MS = 50, /* RFC 8305 3: how long IPv4's addresses wait for IPv6's */
};

enum mx_family { MX_IP6, MX_IP4, MX_FAMILIES };

/* What all lookups of a relay share. */
struct mx_env {
	struct net *net;
	struct dns *dns;
	struct rng *rng;
	const char *self; /* our name */
};

struct mx_found {
	bool found;
	char where[NET_ADDR_TEXT_LEN]; /* "192.0.2.1:25" */
	const char *host;	       /* its name, as far as there is one */
	struct client_said why;	       /* found: no; why not, or why no more */
};

typedef void mx_take(void *arg, const struct mx_found *found);

struct mx {
	struct mx_env env;
	uint16_t port;
	mx_take *take; /* NULL: nobody waits for an address */
	void *arg;
	struct dns_query *mx_query, *query[MX_FAMILIES]; /* on their way */
	enum dns_status status[MX_FAMILIES];		 /* of this host */
	struct net_timer patience;
	bool is_patient; /* addresses of IPv4 wait for IPv6's */
	bool is_literal, asked_mx, any_host;
	unsigned n_given, n_of_host;
	enum addr_family last;	/* that was given of this host */
	struct client_said why; /* of the last host without addresses */
	char domain[DNS_NAME_MAX + 1];
	size_t n_hosts, at_host; /* the next one */
	struct dns_mx hosts[DNS_RECORDS_MAX];
	size_t n_dests; /* addresses of this host that were not given yet, */
	struct dest dests[MX_ADDRS_MAX + DNS_RECORDS_MAX]; /* with room for an answer */
};

/*
 * Prepares @mx, which stays where it is, for @domain; @route, when it is not NULL,
 * is "ADDRESS[:PORT]" or "NAME[:PORT]".
 */
void mx_begin(struct mx *mx, const struct mx_env *env, struct str domain,
	      const char *route);
/* The next address, or the end, is told to @take; maybe at once. */
void mx_next(struct mx *mx, mx_take *take, void *arg);
/* The next one is known, and of the same host as the last: mx_next() tells it at once. */
bool mx_has_more(const struct mx *mx);
/* @take is not called any more. */
void mx_end(struct mx *mx);

/*
 * Orders MX records for us: 0; or -ENOENT, a null MX; or -ELOOP, we are the best.  *n becomes
 * less, and more than 0.
 */
int mx_order(struct dns_mx *mxs, size_t *n, const char *self, struct rng *rng);

/*
 * Where mail for a domain goes: addresses, one after the other, until one takes it
 * (RFC 5321 5.1).
 *
 *	"[192.0.2.1]"	that address
 *	a route		its address, or those of its name
 *	MX records	by preference, equal ones shuffled; those of each host shuffled
 *	none		the domain's own addresses, as if it were its MX (the implicit MX)
 *
 * Hosts that are not better than ourselves are left out; a null MX says that there is
 * no mail (RFC 7505).  A host's addresses are looked up when it is its turn.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/dns.h"
#include "apps/lib/net.h"
#include "apps/mail/relay/client.h"

struct rng;

enum { MX_TRIES_MAX = 10 }; /* addresses of a domain that are tried in a row */

struct mx_found {
	bool found;
	char where[NET_ADDR_TEXT_LEN]; /* "192.0.2.1:25" */
	const char *host;	       /* its name, as far as there is one */
	struct client_said why;	       /* found: no; why not, or why no more */
};

typedef void mx_take(void *arg, const struct mx_found *found);

struct mx {
	struct dns *dns;
	struct rng *rng;
	const char *self;
	uint16_t port;
	mx_take *take;
	void *arg;
	struct dns_query *query;
	bool is_literal, asked_mx, any_host;
	unsigned n_given;
	struct client_said why; /* of the last host without addresses */
	char domain[DNS_NAME_MAX + 1];
	size_t n_hosts, at_host; /* the next one */
	struct dns_mx hosts[DNS_RECORDS_MAX];
	size_t n_addrs, at_addr;
	struct addr addrs[DNS_RECORDS_MAX];
};

/*
 * Prepares @mx, which stays where it is, for @domain; @route, when it is not NULL,
 * is "ADDRESS[:PORT]" or "NAME[:PORT]".  @self: our name.
 */
void mx_begin(struct mx *mx, struct dns *dns, struct rng *rng, const char *self,
	      struct str domain, const char *route);
/* The next address, or the end, is told to @take; maybe at once. */
void mx_next(struct mx *mx, mx_take *take, void *arg);
/* @take is not called any more. */
void mx_end(struct mx *mx);

/*
 * Orders MX records for us: 0; or -ENOENT, a null MX; or -ELOOP, we are the best.  *n becomes
 * less, and more than 0.
 */
int mx_order(struct dns_mx *mxs, size_t *n, const char *self, struct rng *rng);

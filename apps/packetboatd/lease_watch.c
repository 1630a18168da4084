#include "apps/packetboatd/lease_watch.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "apps/lib/dns.h"
#include "stack/api/dhcp.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "stack/base/log.h"

enum { SERVERS_LEN = PB_DHCP_DNS_MAX * (INET_ADDRSTRLEN + 1) + 1 };

/* With commas between them. */
static void servers_text(const struct pb_dhcp_info *lease, char out[static SERVERS_LEN])
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < lease->n_dns; i++) {
		if (i)
			out[at++] = ',';
		inet_ntop(AF_INET, &lease->dns[i], out + at, INET_ADDRSTRLEN);
		at += strlen(out + at);
	}
}

static void tell(struct lease_watch *w, const struct pb_dhcp_info *lease)
{
	char addr[INET_ADDRSTRLEN], server[INET_ADDRSTRLEN], servers[SERVERS_LEN];

	w->seen = lease->changes;
	if (lease->addr.s_addr == INADDR_ANY) {
		log_line(w->log, LOG_WARNING, "lease ended state=%s", lease->state);
		return;
	}
	inet_ntop(AF_INET, &lease->addr, addr, sizeof(addr));
	inet_ntop(AF_INET, &lease->server, server, sizeof(server));
	servers_text(lease, servers);
	log_line(w->log, LOG_INFO, "lease addr=%s/%u by=%s dns=%s domain=%s", addr,
		 lease->bits, server, servers, lease->domain);
}

static void use_servers(struct lease_watch *w, const struct pb_dhcp_info *lease)
{
	char servers[SERVERS_LEN];

	servers_text(lease, servers);
	/* Not while questions are on their way: then with the next look. */
	if (!lease->n_dns || dns_set_servers(w->dns, servers) == 0)
		w->dns_set = lease->changes;
}

static void look(struct net_timer *t, uint64_t now_ns)
{
	struct lease_watch *w = container_of(t, struct lease_watch, look);
	struct pb_dhcp_info lease;

	pb_dhcp_get(w->core, &lease);
	if (lease.changes != w->seen)
		tell(w, &lease);
	if (w->dns && lease.changes != w->dns_set)
		use_servers(w, &lease);
	net_timer_arm(w->net, t, now_ns + LEASE_WATCH_LOOK_MS * NS_PER_MS);
}

void lease_watch_start(struct lease_watch *w)
{
	net_timer_init(&w->look, look);
	net_timer_arm(w->net, &w->look, net_now_ns(w->net));
}

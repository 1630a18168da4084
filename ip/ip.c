#include "ip/ip.h"

#include <errno.h>
#include <stdlib.h>

#include "arp/neigh.h"
#include "ip/ip_impl.h"
#include "stack/base/check.h"
#include "stack/base/pkt.h"

/* Packets that neighbours give up (neigh_unreachable). */
static void no_neighbour(void *ip, struct pkt *p, uint64_t now_ns)
{
	if (p->data[0] >> 4 == 6)
		icmp6_no_neighbour(ip, p, now_ns);
	else
		icmp4_no_neighbour(ip, p, now_ns);
}

int ip_new(struct ip **ip, struct neigh_table *neigh, struct pkt_pool *pool,
	   struct wheel *wheel, struct rng *rng, const struct hash_key *key)
{
	struct ip *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	i->neigh = neigh;
	i->pool = pool;
	i->wheel = wheel;
	i->rng = rng;
	i->key = key;
	i->iid_key = *key;
	i->generation = 1; /* what no struct ip_dst has yet */
	i->loop_end = &i->loop;
	bucket_init(&i->echoes, IP_ECHO_PER_S, IP_ECHO_PER_S / 10);
	bucket_init(&i->errors, IP_ICMP_ERRORS_PER_S, IP_ERROR_BURST);
	if (pmtu_init(&i->pmtu, wheel, key, &i->generation)) {
		free(i);
		return -ENOMEM;
	}
	reass_init(&i->reass, i, wheel);
	neigh_on_unreachable(neigh, no_neighbour, i);
	*ip = i;
	return 0;
}

void ip_free(struct ip *ip)
{
	neigh_on_unreachable(ip->neigh, NULL, NULL);
	for (unsigned i = 0; i < IP_IFACE_MAX; i++)
		ip6_iface_fini(&ip->ifaces[i]);
	pkt_free_list(ip->loop);
	for (unsigned i = 0; i < ip->n_ifaces; i++)
		igmp_fini(&ip->ifaces[i].igmp);
	reass_fini(&ip->reass);
	pmtu_fini(&ip->pmtu);
	free(ip);
}

void ip_unreachable(struct ip *ip, const struct pkt *p, enum ip_error why,
		    uint64_t now_ns)
{
	if (p->dst.family == ADDR_IP6)
		icmp6_unreachable(ip, p, why, now_ns);
	else
		icmp4_unreachable(ip, p, why, now_ns);
}

const struct ip_stats *ip_stats(const struct ip *ip)
{
	return &ip->stats;
}

static void check_routes(const struct ip *ip)
{
	ASSERT(ip->n_routes <= IP_ROUTE_MAX);
	for (unsigned i = 1; i < ip->n_routes; i++) {
		const struct ip_route *a = &ip->routes[i - 1], *b = &ip->routes[i];

		ASSERT(a->bits > b->bits ||
		       (a->bits == b->bits && a->metric <= b->metric));
	}
}

void ip_check(const struct ip *ip)
{
	uint32_t n_unready = 0, n_loop = 0;

	for (unsigned i = 0; i < IP_IFACE_MAX; i++) {
		const struct ip_iface *iface = &ip->ifaces[i];

		for (unsigned k = 0; k < iface->n_addrs; k++)
			n_unready += !iface->addrs[k].ready;
		for (unsigned k = 0; k < iface->ip6.n_addrs; k++)
			n_unready += !iface->ip6.addrs[k].ready;
	}
	ASSERT(n_unready == ip->n_unready);
	for (const struct pkt *p = ip->loop; p; p = p->link)
		n_loop++;
	ASSERT(n_loop == ip->n_loop && n_loop <= IP_LOOP_MAX);
	check_routes(ip);
	reass_check(&ip->reass);
}

/*
 * From a transport's segment to a frame: source, route, next hop, header.
 *
 * All that has to be looked up for a destination is kept in a struct ip_dst, in a small
 * table that is right as long as its generation is the present one; so the usual
 * packet costs one comparison of an address.  Groups, and ourselves, go the same way.
 */
#include <errno.h>

#include "arp/neigh.h"
#include "eth/eth.h"
#include "eth/offload.h"
#include "ip/ip_impl.h"
#include "stack/base/check.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

enum { TCP_OFFSET = 12 }; /* RFC 9293 3.1: of the byte that has the header's length */

/* ---- destinations ---- */

static bool to_ourselves(const struct ip *ip, struct ip_dst *d)
{
	if (!ip_is_ours(ip, &d->dst))
		return false;
	d->kind = IP_DST_OURS;
	d->iface = IP_IFACE_LOOP;
	d->can_gso = true; /* it never leaves our memory */
	d->mtu = d->link_mtu = IP4_LEN_MAX;
	d->src = d->dst;
	return true;
}

/* The interface by which a group is reached: of its route, else of @src, else any. */
static bool group_iface(const struct ip *ip, const struct addr *dst,
			const struct addr *src, uint8_t *index)
{
	const struct ip_route *route = ip_route_find(ip, dst);
	const struct ip_iface *of_src = src ? ip_iface_of(ip, src->ip4) : NULL;

	if (of_src) {
		*index = (uint8_t)(of_src - ip->ifaces);
		return true;
	}
	if (route) {
		*index = route->iface;
		return true;
	}
	for (unsigned i = 0; i < ip->n_ifaces; i++)
		if (ip->ifaces[i].n_addrs) {
			*index = (uint8_t)i;
			return true;
		}
	return false;
}

/* All ones on every network is what Ethernet calls broadcast. */
static const struct addr all_stations = { .family = ADDR_IP4,
					  .ip4 = { { 255, 255, 255, 255 } } };

static bool next_hop(const struct ip *ip, const struct addr *src, struct ip_dst *d)
{
	const struct ip_route *route;

	if (ip4_is_multicast(d->dst.ip4) || ip4_is_broadcast(d->dst.ip4)) {
		d->kind = ip4_is_multicast(d->dst.ip4) ? IP_DST_MULTICAST :
							 IP_DST_BROADCAST;
		d->next_hop = d->dst;
		return group_iface(ip, &d->dst, src, &d->iface);
	}
	if (ip4_is_no_station(d->dst.ip4))
		return false;
	route = ip_route_find_from(ip, &d->dst, src);
	if (!route)
		return false;
	d->iface = route->iface;
	d->src = route->src;
	d->kind = IP_DST_STATION;
	d->next_hop = route->gateway.family ? route->gateway : d->dst;
	if (ip_iface_is_broadcast(&ip->ifaces[d->iface], d->dst.ip4)) {
		d->kind = IP_DST_BROADCAST;
		d->next_hop = all_stations;
	}
	return true;
}

static void fill_path(const struct ip *ip, struct ip_dst *d)
{
	uint32_t tso = d->dst.family == ADDR_IP6 ? PORT_TX_TSO6 : PORT_TX_TSO4;
	const struct eth *eth = ip->ifaces[d->iface].eth;
	struct pmtu_info path = pmtu_get(&ip->pmtu, &d->dst);

	d->link_mtu = eth->mtu;
	if (d->dst.family == ADDR_IP6 && ip->ifaces[d->iface].ip6.mtu &&
	    ip->ifaces[d->iface].ip6.mtu < eth->mtu)
		d->link_mtu = ip->ifaces[d->iface].ip6.mtu;
	d->mtu = path.mtu && path.mtu < d->link_mtu ? path.mtu : d->link_mtu;
	d->no_df = path.below_min;
	d->can_gso = d->kind == IP_DST_STATION && eth->port->caps & PORT_TX_SUM &&
		     eth->port->caps & tso;
}

/* The route said whose way it is, and we are that. */
static bool has_source(const struct ip *ip, const struct ip_dst *d)
{
	return d->src.family && ip_is_ours(ip, &d->src);
}

static bool look_up6(const struct ip *ip, const struct addr *src, struct ip_dst *d)
{
	struct ip6 own;

	if (!ip6_next_hop(ip, src, d))
		return false;
	if (!has_source(ip, d)) {
		if (!ip6_select_source(&ip->ifaces[d->iface], d->dst.ip6, &own))
			return false;
		d->src = ip6_zoned(own, d->iface);
	}
	fill_path(ip, d);
	return true;
}

static bool look_up(const struct ip *ip, const struct addr *dst, const struct addr *src,
		    struct ip_dst *d)
{
	struct ip4 own;

	*d = (struct ip_dst){ .dst = *dst, .generation = ip->generation };
	if (to_ourselves(ip, d))
		return true;
	if (dst->family == ADDR_IP6)
		return look_up6(ip, src, d);
	if (dst->family != ADDR_IP4)
		return false;
	if (!next_hop(ip, src, d))
		return false;
	if (!has_source(ip, d)) {
		if (!ip_iface_source(ip, d->iface, d->next_hop.ip4, &own))
			return false;
		d->src = addr_ip4(own);
	}
	fill_path(ip, d);
	return true;
}

static struct ip_dst *slot_of(struct ip *ip, const struct addr *dst)
{
	const uint8_t *b = dst->ip6.b;

	if (dst->family == ADDR_IP6) /* prefixes differ less than what is behind them */
		b += 12;
	return &ip->dsts[(b[0] ^ b[1] ^ b[2] ^ b[3]) % IP_DST_MAX];
}

/* @d was looked up for who asks now. */
static bool is_for(const struct ip *ip, const struct ip_dst *d, const struct addr *src)
{
	static const struct addr nobody;

	return !ip->n_src_routes || addr_eq(&d->from, src ? src : &nobody);
}

static bool depends_on_source(const struct addr *dst)
{
	if (dst->family == ADDR_IP6)
		return !dst->zone &&
		       (ip6_is_multicast(dst->ip6) || ip6_is_link_local(dst->ip6));
	return dst->ip4.b[0] >= 224;
}

const struct ip_dst *ip_dst_find(struct ip *ip, const struct addr *dst,
				 const struct addr *src)
{
	/* Where a group is depends on who speaks: not to be remembered. */
	bool by_src = src && depends_on_source(dst);
	struct ip_dst *d = slot_of(ip, dst);
	bool found;

	if (ip->n_unready)
		ip_iface_refresh(ip);
	if (d->generation == ip->generation && !by_src && addr_eq(&d->dst, dst) &&
	    is_for(ip, d, src))
		return d;
	found = look_up(ip, dst, src, d);
	if (src)
		d->from = *src;
	if (!found || by_src)
		d->generation = ip->generation - 1;
	return found ? d : NULL;
}

int ip_source(struct ip *ip, const struct addr *dst, struct addr *src)
{
	const struct ip_dst *d = ip_dst_find(ip, dst, NULL);

	if (!d)
		return -ENETUNREACH;
	*src = d->src;
	return 0;
}

unsigned ip_path_mtu(struct ip *ip, const struct addr *dst)
{
	const struct ip_dst *d = ip_dst_find(ip, dst, NULL);

	return d ? d->mtu : 0;
}

unsigned ip_link_mtu(struct ip *ip, const struct addr *dst)
{
	const struct ip_dst *d = ip_dst_find(ip, dst, NULL);

	return d ? d->link_mtu : 0;
}

void ip_path_mtu_set(struct ip *ip, const struct addr *dst, unsigned mtu, uint64_t now_ns)
{
	const struct ip_dst *d = ip_dst_find(ip, dst, NULL);

	if (d && d->kind == IP_DST_STATION &&
	    pmtu_set(&ip->pmtu, dst, mtu, d->link_mtu, now_ns))
		ip->stats.pmtu_set++;
}

bool ip_can_gso(struct ip *ip, const struct addr *dst)
{
	const struct ip_dst *d = ip_dst_find(ip, dst, NULL);

	return d && d->can_gso;
}

void ip_confirm(struct ip *ip, const struct addr *dst, uint64_t now_ns)
{
	const struct ip_dst *d = ip_dst_find(ip, dst, NULL);

	if (d && d->kind == IP_DST_STATION)
		neigh_confirm(ip->neigh, ip->ifaces[d->iface].eth, &d->next_hop, now_ns);
}

/* ---- packets ---- */

/*
 * A counter that starts at a secret place for each pair of addresses and protocol, and
 * goes on in steps that cannot be foreseen; pairs share the counters (RFC 7739 5.3).
 */
uint16_t ip_output_id(struct ip *ip, const struct ip4_header *h, unsigned n)
{
	uint8_t bytes[9];
	uint64_t hash;
	uint16_t *counter;

	memcpy(bytes, &h->src, 4);
	memcpy(bytes + 4, &h->dst, 4);
	bytes[8] = h->proto;
	hash = hash_siphash24(ip->key, bytes, sizeof(bytes));
	counter = &ip->ids[(hash >> 16) % IP_ID_MAX];
	*counter = (uint16_t)(*counter + n + rng_below(ip->rng, 4));
	return (uint16_t)(hash + *counter - n + 1);
}

void ip_output_loop(struct ip *ip, struct pkt *p)
{
	if (ip->n_loop == IP_LOOP_MAX) {
		ip->stats.loop_full++;
		pkt_free(p);
		return;
	}
	/* It was not damaged on the way: a sum that nobody completed is right. */
	if (p->flags & PKT_SUM_PARTIAL)
		p->flags = PKT_SUM_OK;
	p->iface = IP_IFACE_LOOP;
	p->link = NULL;
	*ip->loop_end = p;
	ip->loop_end = &p->link;
	ip->n_loop++;
}

struct pkt *ip_loop_pop(struct ip *ip)
{
	struct pkt *p = ip->loop;

	if (!p)
		return NULL;
	ip->loop = p->link;
	p->link = NULL;
	if (!ip->loop)
		ip->loop_end = &ip->loop;
	ip->n_loop--;
	return p;
}

bool ip_loop_waits(const struct ip *ip)
{
	return ip->loop != NULL;
}

static int refuse(struct pkt *p, uint64_t *counter, int err)
{
	++*counter;
	pkt_free(p);
	return err;
}

/* The packet is longer than the path takes: in fragments, if it may be. */
static int output_long(struct ip *ip, struct pkt *p, struct ip4_header *h,
		       const struct ip_dst *d, uint64_t now_ns)
{
	if (h->df || p->gso_len || p->total_len + IP4_HEADER_LEN > IP4_LEN_MAX)
		return refuse(p, &ip->stats.out_too_big, -EMSGSIZE);
	if (p->flags & PKT_SUM_PARTIAL) {
		p->l4 = p->data;
		p->proto = h->proto;
		offload_sum(p);
	}
	return ip_frag_output(ip, p, h, d, now_ns);
}

/* The longest IP packet that leaves: a super-frame, which only TCP makes, is cut below. */
static uint32_t frame_len(const struct pkt *p)
{
	uint32_t len = p->total_len;

	if (p->gso_len)
		len = (p->data[TCP_OFFSET] >> 4) * 4u + p->gso_len;
	return len + IP4_HEADER_LEN;
}

static void send_whole(struct ip *ip, struct pkt *p, struct ip4_header *h,
		       const struct ip_dst *d, uint64_t now_ns)
{
	unsigned n_segs = p->gso_len ? p->total_len / p->gso_len + 1 : 1;

	/* RFC 6864 4.1: what is never fragmented needs no identification. */
	h->id = h->df ? 0 : ip_output_id(ip, h, n_segs);
	h->total_len = (uint16_t)(p->total_len + IP4_HEADER_LEN);
	p->proto = h->proto;
	p->l4 = p->data;
	p->l3 = pkt_push(p, IP4_HEADER_LEN);
	ip4_emit(p->l3, h);
	ip->stats.out++;
	if (d->kind == IP_DST_OURS)
		ip_output_loop(ip, p);
	else
		neigh_output(ip->neigh, ip->ifaces[d->iface].eth, &d->next_hop, p,
			     now_ns);
}

int ip_output(struct ip *ip, struct pkt *p, const struct ip_out *how, uint64_t now_ns)
{
	const struct addr *src = how->src.family ? &how->src : NULL;
	const struct ip_dst *d;
	struct ip4_header h;

	if (how->via)
		return ip_output_link(ip, p, how, now_ns);
	d = ip_dst_find(ip, &how->dst, src);
	if (!d)
		return refuse(p, &ip->stats.out_no_route, -ENETUNREACH);
	if (how->dst.family == ADDR_IP6)
		return ip6_output(ip, p, how, d, now_ns);
	if (d->kind == IP_DST_BROADCAST && !(how->flags & IP_BROADCAST_OK))
		return refuse(p, &ip->stats.out_no_route, -EACCES);
	h = (struct ip4_header){
		.tos = how->tos,
		.ttl = how->ttl ? how->ttl : IP_TTL_DEFAULT,
		.proto = how->proto,
		.df = how->flags & IP_DF && !d->no_df,
		.src = src ? src->ip4 : d->src.ip4,
		.dst = how->dst.ip4,
	};
	/* RFC 2131 4.4.5, RFC 5227 2.1.1: not from what is ours no more, or not yet. */
	if (src && !addr_eq(src, &d->src) && !ip_is_ours(ip, src))
		return refuse(p, &ip->stats.out_no_route, -EADDRNOTAVAIL);
	/* RFC 1122 3.2.1.3 (g): never outside a host. */
	if (ip4_is_loopback(h.src) && d->kind != IP_DST_OURS)
		return refuse(p, &ip->stats.out_no_route, -ENETUNREACH);
	if (frame_len(p) > d->mtu || p->total_len + IP4_HEADER_LEN > IP4_LEN_MAX)
		return output_long(ip, p, &h, d, now_ns);
	send_whole(ip, p, &h, d, now_ns);
	return 0;
}

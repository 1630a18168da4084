/*
 * From a transport's segment to an IPv6 packet: what ip/output.c does for both families,
 * and the header.
 */
#include <errno.h>

#include "arp/neigh.h"
#include "eth/eth.h"
#include "eth/offload.h"
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/pkt.h"

enum { TCP_OFFSET = 12, PORTS_LEN = 4 };

/* The interface of a zone; without one, the first that speaks IPv6 (RFC 4007 6). */
static bool zone_iface(const struct ip *ip, uint8_t zone, uint8_t *iface)
{
	for (unsigned i = 0; i < ip->n_ifaces; i++) {
		if (zone ? zone != i + 1 : !ip->ifaces[i].ip6.n_addrs)
			continue;
		*iface = (uint8_t)i;
		return true;
	}
	return false;
}

uint8_t ip_default_zone(const struct ip *ip)
{
	uint8_t iface;

	return zone_iface(ip, 0, &iface) ? (uint8_t)(iface + 1) : 0;
}

static uint8_t zone_for(const struct ip *ip, const struct addr *dst,
			const struct addr *src)
{
	unsigned iface;

	if (dst->zone)
		return dst->zone;
	if (src && ip6_find(ip, src, &iface))
		return (uint8_t)(iface + 1);
	return 0;
}

bool ip6_next_hop(const struct ip *ip, const struct addr *src, struct ip_dst *d)
{
	struct ip6 dst = d->dst.ip6;
	const struct ip_route *route;
	const struct ip6 *better;

	d->kind = IP_DST_STATION;
	d->next_hop = addr_ip6(dst);
	if (ip6_is_multicast(dst)) {
		d->kind = IP_DST_MULTICAST;
		return zone_iface(ip, zone_for(ip, &d->dst, src), &d->iface);
	}
	if (ip6_is_link_local(dst))
		return zone_iface(ip, zone_for(ip, &d->dst, src), &d->iface);
	/* RFC 4291 2.5.2, 2.5.3, 2.5.5.2: these are never on a wire. */
	if (ip6_is_zero(dst) || ip6_is_loopback(dst) || ip6_is_mapped(dst))
		return false;
	route = ip_route_find_from(ip, &d->dst, src);
	if (!route)
		return false;
	d->iface = route->iface;
	d->src = route->src;
	better = ra_redirect(&ip->ifaces[d->iface].ip6.ra, dst);
	if (better)
		d->next_hop = addr_ip6(*better);
	else if (route->gateway.family)
		d->next_hop = addr_ip6(route->gateway.ip6);
	return true;
}

/*
 * RFC 6437 3: the same for all packets of a flow, and not to be guessed from those of
 * others.  The transports that have ports begin with them.
 */
static uint32_t flow_label(const struct ip *ip, const struct pkt *p,
			   const struct ip6_header *h)
{
	uint8_t bytes[2 * sizeof(struct ip6) + PORTS_LEN + 1] = { 0 };

	memcpy(bytes, &h->src, sizeof(h->src));
	memcpy(bytes + 16, &h->dst, sizeof(h->dst));
	if ((h->next == IP_PROTO_TCP || h->next == IP_PROTO_UDP) && p->len >= PORTS_LEN)
		memcpy(bytes + 32, p->data, PORTS_LEN);
	bytes[36] = h->next;
	return (uint32_t)hash_siphash13(ip->key, bytes, sizeof(bytes)) & 0xfffff;
}

static uint8_t hop_limit(const struct ip *ip, const struct ip_out *how,
			 const struct ip_dst *d)
{
	if (how->ttl)
		return how->ttl;
	if (d->kind == IP_DST_OURS)
		return IP_TTL_DEFAULT;
	if (d->kind == IP_DST_MULTICAST) /* RFC 3493 5.2 */
		return 1;
	return ip->ifaces[d->iface].ip6.hop_limit ? ip->ifaces[d->iface].ip6.hop_limit :
						    IP_TTL_DEFAULT;
}

static int refuse(struct pkt *p, uint64_t *counter, int err)
{
	++*counter;
	pkt_free(p);
	return err;
}

static void send_packet(struct ip *ip, struct pkt *p, const struct ip6_header *h,
			const struct ip_dst *d, uint64_t now_ns)
{
	p->l3 = pkt_push(p, IP6_HEADER_LEN);
	ip6_emit(p->l3, h);
	if (d->kind == IP_DST_OURS)
		ip_output_loop(ip, p);
	else
		neigh_output(ip->neigh, ip->ifaces[d->iface].eth, &d->next_hop, p,
			     now_ns);
}

/* The longest IP packet that leaves: a super-frame, which only TCP makes, is cut below. */
static uint32_t frame_len(const struct pkt *p)
{
	uint32_t len = p->total_len;

	if (p->gso_len)
		len = (p->data[TCP_OFFSET] >> 4) * 4u + p->gso_len;
	return len + IP6_HEADER_LEN;
}

/* RFC 8200 4.5: only the sender cuts. */
static int output_long(struct ip *ip, struct pkt *p, struct ip6_header *h,
		       const struct ip_out *how, const struct ip_dst *d, uint64_t now_ns)
{
	if (how->flags & IP_DF || p->gso_len || p->total_len > IP6_PAYLOAD_MAX)
		return refuse(p, &ip->stats.out_too_big, -EMSGSIZE);
	if (p->flags & PKT_SUM_PARTIAL) {
		p->l4 = p->data;
		p->proto = h->next;
		offload_sum(p);
	}
	return ip6_frag_output(ip, p, h, d, now_ns);
}

int ip6_output(struct ip *ip, struct pkt *p, const struct ip_out *how,
	       const struct ip_dst *d, uint64_t now_ns)
{
	struct ip6_header h = {
		.tclass = how->tos,
		.next = how->proto,
		.hop_limit = hop_limit(ip, how, d),
		.src = how->src.family ? how->src.ip6 : d->src.ip6,
		.dst = how->dst.ip6,
	};

	/* RFC 4291 2.5.3: never outside a host. */
	if (ip6_is_loopback(h.src) && d->kind != IP_DST_OURS)
		return refuse(p, &ip->stats.out_no_route, -ENETUNREACH);
	h.flow = flow_label(ip, p, &h);
	if (frame_len(p) > d->mtu || p->total_len > IP6_PAYLOAD_MAX)
		return output_long(ip, p, &h, how, d, now_ns);
	h.payload_len = (uint16_t)p->total_len;
	p->proto = h.next;
	p->l4 = p->data;
	ip->stats.out++;
	send_packet(ip, p, &h, d, now_ns);
	return 0;
}

/*
 * Packets by an interface that their sender names, to a group or to all stations of its
 * link: no route is asked, nothing is resolved, and who sends may be nobody yet.  So
 * does DHCP ask for an address, and IGMP tell of groups.
 */
#include <errno.h>

#include "arp/neigh.h"
#include "eth/eth.h"
#include "ip/ip_impl.h"
#include "stack/base/pkt.h"

static int refuse(struct pkt *p, uint64_t *counter, int err)
{
	++*counter;
	pkt_free(p);
	return err;
}

static void send_whole(struct ip *ip, struct pkt *p, struct ip4_header *h,
		       const struct ip_dst *d, bool alert, uint64_t now_ns)
{
	unsigned header_len = IP4_HEADER_LEN + (alert ? IP4_ALERT_LEN : 0);

	h->id = h->df ? 0 : ip_output_id(ip, h, 1);
	h->total_len = (uint16_t)(p->total_len + header_len);
	p->proto = h->proto;
	p->l4 = p->data;
	p->l3 = pkt_push(p, header_len);
	if (alert)
		ip4_emit_alert(p->l3, h);
	else
		ip4_emit(p->l3, h);
	ip->stats.out++;
	neigh_output(ip->neigh, ip->ifaces[d->iface].eth, &d->next_hop, p, now_ns);
}

/* A copy of what goes to a group that we are in. */
static void loop_copy(struct ip *ip, const struct pkt *p, struct ip4_header *h)
{
	struct pkt *copy = pkt_copy(ip->pool, PKT_DATA, p);

	if (!copy || p->total_len + IP4_HEADER_LEN > IP4_LEN_MAX) {
		ip->stats.out_no_memory++;
		pkt_free(copy);
		return;
	}
	h->total_len = (uint16_t)(copy->total_len + IP4_HEADER_LEN);
	copy->l4 = copy->data;
	copy->l3 = pkt_push(copy, IP4_HEADER_LEN);
	ip4_emit(copy->l3, h);
	ip_output_loop(ip, copy);
}

int ip_output_link(struct ip *ip, struct pkt *p, const struct ip_out *how,
		   uint64_t now_ns)
{
	unsigned iface = how->via - 1u;
	const struct eth *eth = iface < IP_IFACE_MAX ? ip->ifaces[iface].eth : NULL;
	struct ip_dst d = { .dst = how->dst, .iface = (uint8_t)iface };
	struct ip4_header h = {
		.tos = how->tos,
		.ttl = how->ttl ? how->ttl : IP_TTL_DEFAULT,
		.proto = how->proto,
		.df = how->flags & IP_DF,
		.src = how->src.ip4,
		.dst = how->dst.ip4,
	};

	/* RFC 1112 6.1: before it is gone, and however far it goes. */
	if (how->flags & (IP_GROUP_LOOP | IP_GROUP_HOST) && eth &&
	    igmp_listens(&ip->ifaces[iface].igmp, h.dst))
		loop_copy(ip, p, &h);
	if (how->flags & IP_GROUP_HOST) {
		pkt_free(p);
		return 0;
	}
	if (!eth || how->dst.family != ADDR_IP4 ||
	    (!ip4_is_multicast(h.dst) && !ip4_is_broadcast(h.dst)))
		return refuse(p, &ip->stats.out_no_route, -ENETUNREACH);
	d.next_hop = d.dst;
	d.mtu = eth->mtu;
	if (p->total_len + IP4_HEADER_LEN <= d.mtu) {
		send_whole(ip, p, &h, &d, how->flags & IP_ALERT, now_ns);
		return 0;
	}
	if (h.df || p->total_len + IP4_HEADER_LEN > IP4_LEN_MAX)
		return refuse(p, &ip->stats.out_too_big, -EMSGSIZE);
	return ip_frag_output(ip, p, &h, &d, now_ns);
}

/*
 * Received IPv6 packets (RFC 8200): is the header sound, is the sender somebody, is it
 * for us, what do its extension headers ask for, is it whole; then who reads it.
 */
#include "ip/ip6.h"

#include "arp/nd.h"
#include "eth/eth.h"
#include "ip/ip6_ext.h"
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/pkt.h"

/* Reads the header, which stays; cuts what the frame adds behind. */
static enum verdict read_header(struct pkt *p, struct ip6_header *h)
{
	struct rd r = rd_of(p->data, p->len);

	if (p->len < IP6_HEADER_LEN)
		return V_SHORT;
	if (!ip6_parse(&r, h))
		return V_IP_BAD_HEADER;
	if ((uint32_t)h->payload_len + IP6_HEADER_LEN > p->total_len)
		return V_SHORT;
	pkt_trim_to(p, (uint32_t)h->payload_len + IP6_HEADER_LEN);
	return V_DONE;
}

/* RFC 4291 2.5.6: behind the prefix of ten bits are 54 zeros. */
static bool bad_link_local(struct ip6 a)
{
	static const uint8_t start[8] = { 0xfe, 0x80 };

	return ip6_is_link_local(a) && memcmp(a.b, start, sizeof(start)) != 0;
}

/* Who cannot be the sender of a packet that came by @iface.  "::" may, to ask who it is
 * itself: that is for ICMPv6 to judge. */
static bool bad_source(const struct ip_iface *iface, const struct ip6_header *h)
{
	const struct ip6_addr *own = ip6_iface_find(iface, h->src);

	/* RFC 4862 5.4.4: neighbour discovery hears of whoever has an address of ours. */
	if (h->next == IP_PROTO_ICMP6 && h->hop_limit == ND_HOP_LIMIT)
		own = NULL;
	return ip6_is_multicast(h->src) || ip6_is_loopback(h->src) ||
	       ip6_is_mapped(h->src) || bad_link_local(h->src) || (own && own->ready) ||
	       (ip6_is_zero(h->src) && !ip6_is_multicast(h->dst));
}

/* From the link.  We are strict about the interface, as with IPv4. */
static enum verdict check_addresses(const struct ip *ip, const struct pkt *p,
				    const struct ip6_header *h)
{
	const struct ip_iface *iface = &ip->ifaces[p->iface % IP_IFACE_MAX];
	const struct ip6_addr *own;

	if (p->iface >= IP_IFACE_MAX || !iface->eth)
		return V_IP_NOT_OURS;
	if (bad_source(iface, h))
		return V_IP_BAD_SOURCE;
	if (ip6_is_multicast(h->dst))
		return ip6_iface_listens(iface, h->dst) ? V_DONE : V_IP_NOT_OURS;
	own = ip6_iface_find(iface, h->dst);
	if (!own || !own->ready || p->flags & PKT_BROADCAST)
		return V_IP_NOT_OURS;
	return V_DONE;
}

/* The interface of what came or, from ourselves, the one that has @a. */
static struct addr zoned(const struct ip *ip, const struct pkt *p, struct ip6 a)
{
	struct addr plain = addr_ip6(a);
	unsigned iface = p->iface;

	if (p->iface == IP_IFACE_LOOP && !ip6_find(ip, &plain, &iface))
		return plain;
	return ip6_zoned(a, iface);
}

static struct step problem(struct ip *ip, const struct pkt *p, const struct ip6_ext *x,
			   uint64_t now_ns)
{
	struct icmp_header h = { .type = ICMP6_PARAMETER,
				 .code = x->code,
				 .rest = x->pointer };

	icmp6_error(ip, p, &h, now_ns);
	return step_end(x->code == ICMP6_PARAMETER_NEXT ? V_IP_PROTOCOL :
							  V_IP_BAD_HEADER);
}

/* The chain of headers ends at a transport, or where we know no further. */
static struct step to_transport(struct ip *ip, struct pkt *p, struct ip6_ext *x,
				uint64_t now_ns)
{
	switch (x->next) {
	case IP_PROTO_TCP:
		/* RFC 9293 3.9.2.3 (MUST-57): TCP is between two. */
		if (ip6_is_multicast(p->dst.ip6) || ip6_is_zero(p->src.ip6))
			return step_end(V_IP_NOT_OURS);
		return step_to(NEXT_TCP);
	case IP_PROTO_UDP:
		if (ip6_is_zero(p->src.ip6))
			return step_end(V_IP_BAD_SOURCE);
		return step_to(NEXT_UDP);
	case IP_PROTO_ICMP6: return step_to(NEXT_ICMP6);
	case IP6_NEXT_NONE: return step_end(V_DONE); /* RFC 8200 4.7 */
	default: break;
	}
	/* RFC 8200 4 */
	x->code = ICMP6_PARAMETER_NEXT;
	x->pointer = x->next_at;
	return problem(ip, p, x, now_ns);
}

static struct step fragment(struct ip *ip, struct pkt *p, struct ip6_ext *x,
			    uint64_t now_ns);

/* Walks on from @x through what lies in the first descriptor, as all headers must. */
static struct step walk(struct ip *ip, struct pkt *p, struct ip6_ext *x, uint64_t now_ns)
{
	size_t len = (size_t)(p->data + p->len - p->l3);
	enum ip6_ext_end end = ip6_ext_walk(x, p->l3, len);
	bool to_group = ip6_is_multicast(p->dst.ip6);

	switch (end) {
	case IP6_EXT_UPPER:
	case IP6_EXT_FRAGMENT: break;
	case IP6_EXT_SHORT: return step_end(p->next ? V_IP_EXT_LIMIT : V_SHORT);
	case IP6_EXT_DISCARD: return step_end(V_IP_EXT_DISCARD);
	case IP6_EXT_LIMIT: return step_end(V_IP_EXT_LIMIT);
	case IP6_EXT_PROBLEM: return problem(ip, p, x, now_ns);
	case IP6_EXT_PROBLEM_ONE:
		return to_group ? step_end(V_IP_BAD_HEADER) : problem(ip, p, x, now_ns);
	}
	pkt_pull(p, (uint32_t)(p->l3 + x->at - p->data));
	p->l4 = p->data;
	p->proto = x->next;
	return end == IP6_EXT_FRAGMENT ? fragment(ip, p, x, now_ns) :
					 to_transport(ip, p, x, now_ns);
}

/* What is whole goes on behind the fragment header of its first fragment. */
static struct step go_on(struct ip *ip, struct pkt *p, struct ip6_ext *x, uint64_t now_ns)
{
	uint32_t at = (uint32_t)(p->data - p->l3);

	x->next_at = at - IP6_FRAG_LEN;
	x->next = p->l3[x->next_at];
	x->at = at;
	x->n++;
	/* A packet in a packet in a packet has no use. */
	if (x->next == IP6_NEXT_FRAGMENT)
		return step_end(V_IP_EXT_LIMIT);
	return walk(ip, p, x, now_ns);
}

static struct step fragment(struct ip *ip, struct pkt *p, struct ip6_ext *x,
			    uint64_t now_ns)
{
	struct rd r = rd_of(p->data, p->len);
	struct ip6_frag f;
	enum verdict v;

	if (!ip6_frag_parse(&r, &f))
		return step_end(V_SHORT);
	pkt_pull(p, IP6_FRAG_LEN);
	/* RFC 6946 4: an atomic fragment is a packet of its own, whatever others say. */
	if (!f.mf && f.frag_off == 0)
		return go_on(ip, p, x, now_ns);
	if (!ip6_reass_input(ip, p, &f, now_ns, &v))
		return step_end(v);
	return go_on(ip, p, x, now_ns);
}

struct step ip6_input(struct ip *ip, struct pkt *p, uint64_t now_ns)
{
	struct ip6_ext x = { .at = IP6_HEADER_LEN, .next_at = IP6_AT_NEXT };
	struct ip6_header h;
	enum verdict v = read_header(p, &h);

	ip->stats.in++;
	if (ip->n_unready)
		ip_iface_refresh(ip);
	if (v == V_DONE && p->iface != IP_IFACE_LOOP)
		v = check_addresses(ip, p, &h);
	if (v != V_DONE)
		return step_end(v);
	p->l3 = p->data;
	p->src = zoned(ip, p, h.src);
	p->dst = zoned(ip, p, h.dst);
	p->ttl = h.hop_limit;
	p->tos = h.tclass;
	x.next = h.next;
	return walk(ip, p, &x, now_ns);
}

/*
 * Received IPv4 packets (RFC 791, RFC 1122 3.2): is the header sound, is the sender
 * somebody, is it for us, is it whole; then who reads it.
 */
#include "eth/eth.h"
#include "ip/ip_impl.h"
#include "stack/base/pkt.h"

/* Reads and verifies the header, which stays; cuts what the frame adds behind. */
static enum verdict read_header(struct pkt *p, struct ip4_header *h)
{
	struct rd r = rd_of(p->data, p->len);

	if (p->len < IP4_HEADER_LEN)
		return V_SHORT;
	if (!ip4_parse(&r, h))
		return V_IP_BAD_HEADER;
	if (!ip4_sum_is_right(p->data, h->header_len))
		return V_IP_BAD_SUM;
	if (h->total_len > p->total_len)
		return V_SHORT;
	if (h->total_len < p->total_len)
		pkt_trim_to(p, h->total_len);
	return V_DONE;
}

/* RFC 1122 3.2.1.3: who cannot be the sender of a packet that came by @iface. */
static bool bad_source(const struct ip *ip, const struct ip_iface *iface, struct ip4 src)
{
	/* RFC 1122 3.2.1.3 (g), and our own address: only from ourselves. */
	return ip4_is_no_station(src) || ip4_is_loopback(src) ||
	       ip_iface_is_broadcast(iface, src) || ip_iface_of(ip, src);
}

/* RFC 1112 4: every host that knows groups is in the one of all hosts; and in others, if
 * a program wants to. */
static bool for_all(const struct ip_iface *iface, struct ip4 dst)
{
	static const struct ip4 all_hosts = { { 224, 0, 0, 1 } };

	return ip4_is_broadcast(dst) || ip_iface_is_broadcast(iface, dst) ||
	       ip4_eq(dst, all_hosts) || igmp_listens(&iface->igmp, dst);
}

/* From the link.  We are strict about the interface (RFC 1122 3.3.4.2 (A)). */
static enum verdict check_addresses(const struct ip *ip, const struct pkt *p,
				    const struct ip4_header *h)
{
	const struct ip_iface *iface = &ip->ifaces[p->iface % IP_IFACE_MAX];

	if (p->iface >= IP_IFACE_MAX || !iface->eth)
		return V_IP_NOT_OURS;
	if (bad_source(ip, iface, h->src))
		return V_IP_BAD_SOURCE;
	if (ip_iface_has(iface, h->dst)) {
		/* RFC 1122 3.3.6: one of us is not whom a broadcast frame is for. */
		return p->flags & PKT_BROADCAST ? V_IP_NOT_OURS : V_DONE;
	}
	/* RFC 9293 3.9.2.3 (MUST-57): TCP is between two. */
	if (for_all(iface, h->dst) && h->proto != IP_PROTO_TCP)
		return V_DONE;
	return V_IP_NOT_OURS;
}

/* Options are skipped; what cannot be is answered (RFC 1122 3.2.2.5). */
static enum verdict check_options(struct ip *ip, const struct pkt *p, unsigned header_len,
				  uint64_t now_ns)
{
	struct rd r = rd_of(p->data + IP4_HEADER_LEN, header_len - IP4_HEADER_LEN);
	struct icmp_header problem = { .type = ICMP_PARAMETER };
	uint8_t at;

	switch (ip4_options_read(r, &at)) {
	case IP4_OPTIONS_FINE: break;
	case IP4_OPTIONS_SOURCE_ROUTE: return V_IP_SOURCE_ROUTE;
	case IP4_OPTIONS_BAD:
		problem.rest = (uint32_t)(IP4_HEADER_LEN + at) << 24;
		icmp4_error(ip, p, &problem, now_ns);
		return V_IP_BAD_HEADER;
	}
	return V_DONE;
}

static struct step to_transport(struct ip *ip, struct pkt *p, uint64_t now_ns)
{
	static const struct icmp_header unknown = { .type = ICMP_UNREACHABLE,
						    .code = ICMP_UNREACHABLE_PROTO };

	switch (p->proto) {
	case IP_PROTO_TCP: return step_to(NEXT_TCP);
	case IP_PROTO_UDP: return step_to(NEXT_UDP);
	case IP_PROTO_ICMP: return step_to(NEXT_ICMP4);
	case IP_PROTO_IGMP: return igmp_input(ip, p, now_ns);
	default: break;
	}
	/* RFC 1122 3.2.2.1 */
	icmp4_error(ip, p, &unknown, now_ns);
	return step_end(V_IP_PROTOCOL);
}

static bool reassemble(struct ip *ip, struct pkt *p, const struct ip4_header *h,
		       uint64_t now_ns, enum verdict *v)
{
	struct reass_frag frag = {
		.src = p->src,
		.dst = p->dst,
		.id = h->id,
		.proto = h->proto,
		.upper = h->proto,
		.mf = h->mf,
		.tos = h->tos,
		.frag_off = h->frag_off,
		.len_max = IP4_LEN_MAX - h->header_len,
	};

	return reass_input(&ip->reass, p, &frag, now_ns, v);
}

struct step ip4_input(struct ip *ip, struct pkt *p, uint64_t now_ns)
{
	struct ip4_header h;
	enum verdict v = read_header(p, &h);

	ip->stats.in++;
	if (ip->n_unready)
		ip_iface_refresh(ip);
	if (v == V_DONE && p->iface != IP_IFACE_LOOP)
		v = check_addresses(ip, p, &h);
	if (v != V_DONE)
		return step_end(v);
	p->l3 = p->data;
	p->src = addr_ip4(h.src);
	p->dst = addr_ip4(h.dst);
	p->proto = h.proto;
	p->ttl = h.ttl;
	p->tos = h.tos;
	if (h.header_len > IP4_HEADER_LEN) {
		v = check_options(ip, p, h.header_len, now_ns);
		if (v != V_DONE)
			return step_end(v);
	}
	pkt_pull(p, h.header_len);
	p->l4 = p->data;
	if ((h.mf || h.frag_off) && !reassemble(ip, p, &h, now_ns, &v))
		return step_end(v);
	return to_transport(ip, p, now_ns);
}

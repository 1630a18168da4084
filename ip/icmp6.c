/*
 * ICMPv6 (RFC 4443): what is asked, what is said about packets of ours, and what we say
 * about packets of others.
 *
 * Errors that come in go on to the transport whose packet they quote, as with IPv4
 * (icmp4.c).  Neighbour discovery is read here and done by arp/nd.c.
 */
#include "arp/nd.h"
#include "arp/nd_wire.h"
#include "ip/ip6_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/cksum.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

enum {
	QUOTE_MIN = 8, /* bytes of a transport that say whose it is */
	/* RFC 4443 2.4 (c): as much as fits the least MTU. */
	QUOTE_MAX = IP6_MTU_MIN - IP6_HEADER_LEN - ICMP_HEADER_LEN,
	HEADROOM = 64,
	ECN_MASK = 3,
};

/* Writes the sum over @p, which begins with the ICMPv6 header, into it. */
static void put_sum(struct pkt *p, const struct addr *src, const struct addr *dst)
{
	uint64_t sum = cksum_pseudo(src, dst, IP_PROTO_ICMP6, p->total_len);
	uint16_t field = 0;

	memcpy(p->data + ICMP_AT_SUM, &field, sizeof(field));
	field = cksum_end(cksum_add_pkt(sum, p, 0));
	memcpy(p->data + ICMP_AT_SUM, &field, sizeof(field));
}

/* Sends @p from how->src or, when that is none, from an address chosen for how->dst. */
static void send_message(struct ip *ip, struct pkt *p, struct ip_out *how,
			 uint64_t now_ns)
{
	if (!how->src.family && ip_source(ip, &how->dst, &how->src)) {
		pkt_free(p);
		return;
	}
	put_sum(p, &how->src, &how->dst);
	ip_output(ip, p, how, now_ns);
}

/* ---- echo ---- */

/* A header in front of the bytes that came; @p is taken on V_KEPT. */
static struct step echo(struct ip *ip, struct pkt *p, struct icmp_header *h,
			uint64_t now_ns)
{
	struct ip_out how = {
		.dst = p->src,
		.proto = IP_PROTO_ICMP6,
		.tos = p->tos & (uint8_t)~ECN_MASK,
	};
	struct pkt *reply;
	struct wr w;

	if (ip6_is_zero(p->src.ip6))
		return step_end(V_IP_BAD_SOURCE);
	/* RFC 4443 4.2: from the address that was asked; a group is answered by one. */
	if (!ip6_is_multicast(p->dst.ip6))
		how.src = p->dst;
	if (!bucket_take(&ip->echoes, now_ns)) {
		ip->stats.icmp_held_back++;
		return step_end(V_ICMP_LIMIT);
	}
	reply = pkt_new(ip->pool, PKT_DATA);
	if (!reply)
		return step_end(V_NO_MEMORY);
	h->type = ICMP6_ECHO_REPLY;
	w = wr_of(pkt_push(reply, ICMP_HEADER_LEN), ICMP_HEADER_LEN);
	icmp_emit(&w, h);
	ip->stats.icmp_echo++;
	pkt_pull(p, ICMP_HEADER_LEN);
	pkt_chain(reply, p);
	send_message(ip, reply, &how, now_ns);
	return step_end(V_KEPT);
}

/* ---- errors in ---- */

static enum ip_error unreachable_error(uint8_t code)
{
	switch ((enum icmp6_unreachable)code) {
	case ICMP6_UNREACHABLE_NO_ROUTE:
	case ICMP6_UNREACHABLE_REJECT: return IP_ERROR_NET_UNREACHABLE;
	case ICMP6_UNREACHABLE_SCOPE:
	case ICMP6_UNREACHABLE_ADDRESS: return IP_ERROR_HOST_UNREACHABLE;
	case ICMP6_UNREACHABLE_PORT: return IP_ERROR_PORT_UNREACHABLE;
	case ICMP6_UNREACHABLE_PROHIBITED:
	case ICMP6_UNREACHABLE_POLICY: return IP_ERROR_PROHIBITED;
	}
	return IP_ERROR_NONE;
}

static enum ip_error error_of(const struct icmp_header *h)
{
	switch (h->type) {
	case ICMP6_UNREACHABLE: return unreachable_error(h->code);
	case ICMP6_TOO_BIG: return IP_ERROR_TOO_BIG;
	case ICMP6_TIME_EXCEEDED: return IP_ERROR_TIME_EXCEEDED;
	case ICMP6_PARAMETER:
		/* RFC 4443 3.4: this is how IPv6 says that a protocol is not spoken. */
		return h->code == ICMP6_PARAMETER_NEXT ? IP_ERROR_PROTO_UNREACHABLE :
							 IP_ERROR_PARAMETER;
	default: return IP_ERROR_NONE;
	}
}

/* The quoted headers up to the transport; false: it quotes no packet of ours. */
static bool read_quote(const struct ip *ip, const struct pkt *p, struct rd *r,
		       struct ip6_header *quoted)
{
	struct ip6_frag f = { 0 };

	if (!ip6_parse(r, quoted))
		return false;
	/* The only extension header that we send; the first fragment says whose it is. */
	if (quoted->next == IP6_NEXT_FRAGMENT) {
		if (!ip6_frag_parse(r, &f) || f.frag_off)
			return false;
		quoted->next = f.next;
	}
	if (rd_left(r) < QUOTE_MIN || !ip6_eq(quoted->src, p->dst.ip6) ||
	    !ip_is_ours(ip, &p->dst))
		return false;
	return quoted->next == IP_PROTO_TCP || quoted->next == IP_PROTO_UDP;
}

/* Turns @p into what it quotes, a packet that we sent. */
static struct step error_input(struct ip *ip, struct pkt *p, const struct icmp_header *h)
{
	struct rd r = rd_of(p->data + ICMP_HEADER_LEN, p->len - ICMP_HEADER_LEN);
	struct ip_quote quote = { .error = error_of(h) };
	struct ip6_header quoted;

	if (quote.error == IP_ERROR_NONE)
		return step_end(V_ICMP_TYPE);
	/* RFC 8201 4: no path of IPv6 is so narrow; whoever says so is not believed. */
	if (quote.error == IP_ERROR_TOO_BIG && h->rest < IP6_MTU_MIN)
		return step_end(V_ICMP_MTU);
	if (!read_quote(ip, p, &r, &quoted))
		return step_end(V_ICMP_NO_FLOW);
	if (quote.error == IP_ERROR_TOO_BIG)
		quote.mtu = h->rest;
	ip->stats.icmp_errors_in++;
	p->l3 = p->data + ICMP_HEADER_LEN;
	pkt_pull(p, (uint32_t)(r.p - p->data));
	p->l4 = p->data;
	p->src = p->dst; /* it was ours: with its zone */
	p->dst = ip6_zoned(quoted.dst, p->src.zone ? p->src.zone - 1u : p->iface);
	p->proto = quoted.next;
	memcpy(p->cb, &quote, sizeof(quote));
	return step_to(quoted.next == IP_PROTO_TCP ? NEXT_TCP_ERROR : NEXT_UDP_ERROR);
}

/* ---- neighbour discovery ---- */

/* A solicitation or an advertisement: of ours, or of a neighbour. */
static struct step nd_message(struct ip *ip, const struct pkt *p, const struct nd_msg *m,
			      uint64_t now_ns)
{
	struct ip_iface *iface = &ip->ifaces[p->iface];
	struct step s = nd_input(ip->neigh, iface->eth, p, m, now_ns);

	/* RFC 4861 7.2.5: whoever stops being a router takes its routes along. */
	if (m->type == ND_ADVERT && s.verdict == V_DONE && !m->router)
		ra_router_gone(&iface->ip6.ra, m->target);
	if (s.verdict == V_ND_CONFLICT &&
	    nd_addr_state(ip->neigh, iface->eth, m->target) == ARP_ADDR_CONFLICT)
		slaac_conflict(ip, p->iface, m->target, now_ns);
	return s;
}

static struct step nd(struct ip *ip, const struct pkt *p, uint64_t now_ns)
{
	struct rd r = rd_of(p->data, p->len);
	struct nd_msg m;
	struct ra *ra;

	/* RFC 4861 6.1, 7.1, 8.1: no router passed it on.  RFC 6980 5: it is whole, and
	 * came without a fragment header; nobody sends it with another. */
	if (p->ttl != ND_HOP_LIMIT || p->next || p->l4 != p->l3 + IP6_HEADER_LEN ||
	    p->iface >= IP_IFACE_MAX || !nd_parse(&r, &m))
		return step_end(V_ND_BAD);
	ra = &ip->ifaces[p->iface].ip6.ra;
	switch (m.type) {
	case ND_SOLICIT:
	case ND_ADVERT: return nd_message(ip, p, &m, now_ns);
	case ND_ROUTER_SOLICIT: return step_end(V_ICMP_TYPE); /* we are a host */
	case ND_ROUTER_ADVERT:
		return step_end(ra_input(ra, p, &m, now_ns) ? V_DONE : V_ND_BAD);
	case ND_REDIRECT:
		return step_end(ra_redirect_input(ra, p, &m, now_ns) ? V_DONE : V_ND_BAD);
	}
	return step_end(V_ICMP_TYPE);
}

static struct step query(struct ip *ip, const struct pkt *p, uint64_t now_ns)
{
	if (p->iface >= IP_IFACE_MAX || p->next ||
	    !mld_query(&ip->ifaces[p->iface].ip6.mld, p, now_ns))
		return step_end(V_ND_BAD);
	return step_end(V_DONE);
}

struct step icmp6_input(struct ip *ip, struct pkt *p, uint64_t now_ns)
{
	struct rd r = rd_of(p->data, p->len);
	struct icmp_header h;
	uint64_t sum;

	if (!icmp_parse(&r, &h))
		return step_end(V_SHORT);
	sum = cksum_pseudo(&p->src, &p->dst, IP_PROTO_ICMP6, p->total_len);
	if (cksum_fold(cksum_add_pkt(sum, p, 0)) != 0xffff)
		return step_end(V_ICMP_BAD_SUM);
	if (h.type >= ICMP6_ROUTER_SOLICIT && h.type <= ICMP6_REDIRECT)
		return nd(ip, p, now_ns);
	/* Only a duplicate of us, which neighbour discovery hears, can have said it. */
	if (p->iface != IP_IFACE_LOOP && ip_is_ours(ip, &p->src))
		return step_end(V_IP_BAD_SOURCE);
	if (h.type == ICMP6_MLD_QUERY)
		return query(ip, p, now_ns);
	if (h.type == ICMP6_ECHO)
		return echo(ip, p, &h, now_ns);
	if (icmp6_is_error(h.type))
		return error_input(ip, p, &h);
	return step_end(V_ICMP_TYPE);
}

/* ---- errors out ---- */

/* True when the packet at @r is, or may be, an ICMPv6 error or a redirect. */
static bool carries_error(struct rd r)
{
	struct ip6_header h;
	uint8_t next, type;

	if (!ip6_parse(&r, &h))
		return true;
	next = h.next;
	while (next == IP6_NEXT_HOP_BY_HOP || next == IP6_NEXT_ROUTING ||
	       next == IP6_NEXT_DESTINATION || next == IP6_NEXT_FRAGMENT) {
		const uint8_t *b = rd_take(&r, 8);
		size_t more = next == IP6_NEXT_FRAGMENT ? 0 : b[1] * 8u;

		next = b[0];
		if (r.bad || more > rd_left(&r))
			return true;
		r.p += more;
	}
	if (next != IP_PROTO_ICMP6)
		return false;
	type = rd8(&r);
	return icmp6_is_error(type) || type == ICMP6_REDIRECT;
}

/*
 * RFC 4443 2.4 (e): not about an error, not about what was sent to many (but for two
 * kinds), nor to who is not one station.
 */
static bool may_be_answered(const struct ip *ip, const struct pkt *p,
			    const struct icmp_header *error)
{
	bool to_many = p->flags & PKT_BROADCAST || ip6_is_multicast(p->dst.ip6);
	bool about_option =
		error->type == ICMP6_PARAMETER && error->code == ICMP6_PARAMETER_OPTION;

	if ((to_many && !about_option) || ip6_is_multicast(p->src.ip6) ||
	    ip6_is_zero(p->src.ip6))
		return false;
	if (!to_many && !ip_is_ours(ip, &p->dst))
		return false;
	return !carries_error(rd_of(p->l3, (size_t)(p->data + p->len - p->l3)));
}

/* RFC 4443 2.4 (f); the limit is the one of IPv4's errors, and as hard to count. */
static bool under_limit(struct ip *ip, uint64_t now_ns)
{
	bool may = bucket_take(&ip->errors, now_ns);

	if (may && rng_below(ip->rng, 4) == 0)
		bucket_take(&ip->errors, now_ns);
	if (!may)
		ip->stats.icmp_held_back++;
	return may;
}

/* An error that quotes @len bytes of a packet, with no sum yet; NULL: no memory. */
static struct pkt *make(struct ip *ip, const struct icmp_header *h, const uint8_t *packet,
			size_t len)
{
	struct pkt *p = pkt_new_buf(ip->pool, PKT_CONTROL, HEADROOM);
	struct wr w;

	if (!p)
		return NULL;
	pkt_append(p, packet, (uint32_t)(len < QUOTE_MAX ? len : QUOTE_MAX));
	w = wr_of(pkt_push(p, ICMP_HEADER_LEN), ICMP_HEADER_LEN);
	icmp_emit(&w, h);
	return p;
}

void icmp6_error(struct ip *ip, const struct pkt *p, const struct icmp_header *error,
		 uint64_t now_ns)
{
	struct ip_out how = { .dst = p->src, .proto = IP_PROTO_ICMP6 };
	struct pkt *e;

	if (!may_be_answered(ip, p, error) || !under_limit(ip, now_ns))
		return;
	if (!ip6_is_multicast(p->dst.ip6))
		how.src = p->dst;
	e = make(ip, error, p->l3, (size_t)(p->data + p->len - p->l3));
	if (!e)
		return;
	ip->stats.icmp_errors_out++;
	send_message(ip, e, &how, now_ns);
}

void icmp6_unreachable(struct ip *ip, const struct pkt *p, enum ip_error why,
		       uint64_t now_ns)
{
	struct icmp_header h = { .type = ICMP6_UNREACHABLE };

	switch (why) {
	case IP_ERROR_NET_UNREACHABLE: h.code = ICMP6_UNREACHABLE_NO_ROUTE; break;
	case IP_ERROR_HOST_UNREACHABLE: h.code = ICMP6_UNREACHABLE_ADDRESS; break;
	case IP_ERROR_PORT_UNREACHABLE: h.code = ICMP6_UNREACHABLE_PORT; break;
	case IP_ERROR_PROHIBITED: h.code = ICMP6_UNREACHABLE_PROHIBITED; break;
	case IP_ERROR_NONE:
	case IP_ERROR_PROTO_UNREACHABLE: /* ip6_input() says it of a header */
	case IP_ERROR_TOO_BIG:
	case IP_ERROR_TIME_EXCEEDED:
	case IP_ERROR_PARAMETER: return;
	}
	icmp6_error(ip, p, &h, now_ns);
}

/* Nobody answered for the first hop to @dst: if there is another, it is tried. */
static void hop_lost(struct ip *ip, struct ip6 dst)
{
	struct addr to = addr_ip6(dst);
	const struct ip_dst *d = ip_dst_find(ip, &to, NULL);

	if (d && d->kind == IP_DST_STATION)
		ra_hop_lost(&ip->ifaces[d->iface].ip6.ra, d->next_hop.ip6);
}

void icmp6_no_neighbour(struct ip *ip, struct pkt *p, uint64_t now_ns)
{
	static const struct icmp_header error = { .type = ICMP6_UNREACHABLE,
						  .code = ICMP6_UNREACHABLE_ADDRESS };
	struct ip_out how = { .proto = IP_PROTO_ICMP6 };
	struct rd r = rd_of(p->data, p->len);
	struct ip6_header h;
	struct pkt *e = NULL;
	unsigned iface;

	if (ip6_parse(&r, &h))
		hop_lost(ip, h.dst);
	if (!r.bad && h.next != IP_PROTO_ICMP6)
		e = make(ip, &error, p->data, p->len);
	pkt_free(p);
	if (!e)
		return;
	how.src = addr_ip6(h.src);
	if (ip6_find(ip, &how.src, &iface))
		how.src = ip6_zoned(h.src, iface);
	how.dst = how.src;
	send_message(ip, e, &how, now_ns);
}

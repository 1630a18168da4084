/*
 * ICMP for IPv4: what is asked, what is said about packets of ours, and what we say
 * about packets of others (RFC 792, RFC 1122 3.2.2).
 *
 * Errors that come in go on to the transport whose packet they quote, which alone can
 * tell whether it sent that (RFC 5927).  Redirects are not followed: on the link anybody
 * can send one, and a host with routes set by hand has no use for them.  Source quench is
 * dead (RFC 6633), timestamps and masks are nobody's business.
 */
#include "ip/ip_impl.h"
#include "stack/base/cksum.h"
#include "stack/base/pkt.h"
#include "stack/base/rng.h"

enum {
	QUOTE_MIN = 8,	 /* bytes of the transport that are always quoted (RFC 792) */
	ERROR_MAX = 576, /* RFC 1812 4.3.2.3: the longest error */
	QUOTE_MAX = ERROR_MAX - IP4_HEADER_LEN - ICMP_HEADER_LEN,
	HEADROOM = 64,
	ECN_MASK = 3,
};

/* ---- echo ---- */

/* The sum of the reply: the request's, but for the type (RFC 1624). */
static void reply_sum(const uint8_t *request, uint8_t *reply)
{
	uint16_t sum, was, is;

	memcpy(&sum, request + ICMP_AT_SUM, sizeof(sum));
	memcpy(&was, request, sizeof(was));
	memcpy(&is, reply, sizeof(is));
	sum = cksum_end((uint64_t)(uint16_t)~sum + (uint16_t)~was + is);
	memcpy(reply + ICMP_AT_SUM, &sum, sizeof(sum));
}

/* A header in front of the bytes that came; @p is taken on V_KEPT. */
static struct step echo(struct ip *ip, struct pkt *p, struct icmp_header *h,
			uint64_t now_ns)
{
	struct ip_out how = {
		.src = p->dst,
		.dst = p->src,
		.proto = IP_PROTO_ICMP,
		.tos = p->tos & (uint8_t)~ECN_MASK,
	};
	struct pkt *reply;
	struct wr w;

	/* RFC 1122 3.2.2.6: not to all at once, which would multiply it. */
	if (!ip_is_ours(ip, &p->dst))
		return step_end(V_IP_NOT_OURS);
	if (!bucket_take(&ip->echoes, now_ns)) {
		ip->stats.icmp_held_back++;
		return step_end(V_ICMP_LIMIT);
	}
	reply = pkt_new(ip->pool, PKT_DATA);
	if (!reply)
		return step_end(V_NO_MEMORY);
	h->type = ICMP_ECHO_REPLY;
	w = wr_of(pkt_push(reply, ICMP_HEADER_LEN), ICMP_HEADER_LEN);
	icmp_emit(&w, h);
	reply_sum(p->data, reply->data);
	ip->stats.icmp_echo++;
	pkt_pull(p, ICMP_HEADER_LEN);
	pkt_chain(reply, p);
	ip_output(ip, reply, &how, now_ns);
	return step_end(V_KEPT);
}

/* ---- errors in ---- */

static enum ip_error unreachable_error(uint8_t code)
{
	switch ((enum icmp_unreachable)code) {
	case ICMP_UNREACHABLE_NET:
	case ICMP_UNREACHABLE_NET_UNKNOWN:
	case ICMP_UNREACHABLE_NET_TOS: return IP_ERROR_NET_UNREACHABLE;
	case ICMP_UNREACHABLE_HOST:
	case ICMP_UNREACHABLE_SOURCE_ROUTE:
	case ICMP_UNREACHABLE_HOST_UNKNOWN:
	case ICMP_UNREACHABLE_ISOLATED:
	case ICMP_UNREACHABLE_HOST_TOS: return IP_ERROR_HOST_UNREACHABLE;
	case ICMP_UNREACHABLE_PROTO: return IP_ERROR_PROTO_UNREACHABLE;
	case ICMP_UNREACHABLE_PORT: return IP_ERROR_PORT_UNREACHABLE;
	case ICMP_UNREACHABLE_TOO_BIG: return IP_ERROR_TOO_BIG;
	case ICMP_UNREACHABLE_NET_PROHIBITED:
	case ICMP_UNREACHABLE_HOST_PROHIBITED:
	case ICMP_UNREACHABLE_PROHIBITED:
	case ICMP_UNREACHABLE_PRECEDENCE:
	case ICMP_UNREACHABLE_PRECEDENCE_CUTOFF: return IP_ERROR_PROHIBITED;
	}
	return IP_ERROR_NONE;
}

static enum ip_error error_of(const struct icmp_header *h)
{
	switch (h->type) {
	case ICMP_UNREACHABLE: return unreachable_error(h->code);
	case ICMP_TIME_EXCEEDED: return IP_ERROR_TIME_EXCEEDED;
	case ICMP_PARAMETER: return IP_ERROR_PARAMETER;
	default: return IP_ERROR_NONE;
	}
}

/* RFC 1191 7.1: what a router that does not know RFC 1191 may have meant. */
static uint32_t plateau_below(uint32_t len)
{
	static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002,
					     1492,  1006,  508,	 296 };

	for (unsigned i = 0; i < sizeof(plateaus) / sizeof(*plateaus); i++)
		if (plateaus[i] < len)
			return plateaus[i];
	return 68;
}

static bool quotes_us(const struct ip *ip, const struct pkt *p,
		      const struct ip4_header *quoted)
{
	return ip4_eq(quoted->src, p->dst.ip4) && ip_is_ours(ip, &p->dst) &&
	       (quoted->proto == IP_PROTO_TCP || quoted->proto == IP_PROTO_UDP);
}

/* Turns @p into what it quotes, a packet that we sent. */
static struct step error_input(struct ip *ip, struct pkt *p, const struct icmp_header *h)
{
	struct rd r = rd_of(p->data + ICMP_HEADER_LEN, p->len - ICMP_HEADER_LEN);
	struct ip_quote quote = { .error = error_of(h) };
	struct ip4_header quoted;
	uint32_t l4_len;

	if (quote.error == IP_ERROR_NONE)
		return step_end(V_ICMP_TYPE);
	if (!ip4_parse(&r, &quoted) || quoted.frag_off || rd_left(&r) < QUOTE_MIN)
		return step_end(V_ICMP_NO_FLOW);
	if (!quotes_us(ip, p, &quoted))
		return step_end(V_ICMP_NO_FLOW);
	l4_len = quoted.total_len - quoted.header_len;
	if (l4_len < QUOTE_MIN)
		return step_end(V_ICMP_NO_FLOW);
	if (quote.error == IP_ERROR_TOO_BIG)
		quote.mtu = icmp_mtu(h) ? icmp_mtu(h) : plateau_below(quoted.total_len);
	ip->stats.icmp_errors_in++;
	p->l3 = p->data + ICMP_HEADER_LEN;
	pkt_pull(p, ICMP_HEADER_LEN + quoted.header_len);
	if (p->total_len > l4_len) /* RFC 4884: what follows is not the packet */
		pkt_trim_to(p, l4_len);
	p->l4 = p->data;
	p->src = addr_ip4(quoted.src);
	p->dst = addr_ip4(quoted.dst);
	p->proto = quoted.proto;
	memcpy(p->cb, &quote, sizeof(quote));
	return step_to(quoted.proto == IP_PROTO_TCP ? NEXT_TCP_ERROR : NEXT_UDP_ERROR);
}

struct step icmp4_input(struct ip *ip, struct pkt *p, uint64_t now_ns)
{
	struct rd r = rd_of(p->data, p->len);
	struct icmp_header h;

	if (!icmp_parse(&r, &h))
		return step_end(V_SHORT);
	if (cksum_fold(cksum_add_pkt(0, p, 0)) != 0xffff)
		return step_end(V_ICMP_BAD_SUM);
	if (h.type == ICMP_ECHO)
		return echo(ip, p, &h, now_ns);
	return error_input(ip, p, &h);
}

/* ---- errors out ---- */

/*
 * RFC 1122 3.2.2: not about an ICMP error, nor what was sent to many, nor a fragment
 * that is not the first.  (That the source is one host was seen by ip4_input().)
 */
static bool may_be_answered(const struct ip *ip, const struct pkt *p)
{
	struct rd r = rd_of(p->l3, (size_t)(p->data + p->len - p->l3));
	struct ip4_header h;

	if (p->flags & PKT_BROADCAST || !ip_is_ours(ip, &p->dst))
		return false;
	if (!ip4_parse(&r, &h) || h.frag_off)
		return false;
	return h.proto != IP_PROTO_ICMP || !icmp_may_be_error(rd8(&r));
}

/*
 * Takes from the common limit.  By counting what is left of it, an attacker could learn
 * which ports of ours are in use (CVE-2020-25705): so now and then it takes more.
 */
static bool under_limit(struct ip *ip, uint64_t now_ns)
{
	bool may = bucket_take(&ip->errors, now_ns);

	if (may && rng_below(ip->rng, 4) == 0)
		bucket_take(&ip->errors, now_ns);
	if (!may)
		ip->stats.icmp_held_back++;
	return may;
}

/* An error that quotes @len bytes of a packet; NULL: no memory. */
static struct pkt *make(struct ip *ip, const struct icmp_header *h, const uint8_t *packet,
			size_t len)
{
	struct pkt *p = pkt_new_buf(ip->pool, PKT_CONTROL, HEADROOM);
	uint16_t sum;
	struct wr w;

	if (!p)
		return NULL;
	pkt_append(p, packet, (uint32_t)(len < QUOTE_MAX ? len : QUOTE_MAX));
	w = wr_of(pkt_push(p, ICMP_HEADER_LEN), ICMP_HEADER_LEN);
	icmp_emit(&w, h);
	sum = cksum_end(cksum_add(0, p->data, p->len));
	memcpy(p->data + ICMP_AT_SUM, &sum, sizeof(sum));
	return p;
}

void icmp4_error(struct ip *ip, const struct pkt *p, const struct icmp_header *error,
		 uint64_t now_ns)
{
	struct ip_out how = { .src = p->dst, .dst = p->src, .proto = IP_PROTO_ICMP };
	struct pkt *e;

	if (!may_be_answered(ip, p) || !under_limit(ip, now_ns))
		return;
	e = make(ip, error, p->l3, (size_t)(p->data + p->len - p->l3));
	if (!e)
		return;
	ip->stats.icmp_errors_out++;
	ip_output(ip, e, &how, now_ns);
}

void icmp4_unreachable(struct ip *ip, const struct pkt *p, enum ip_error why,
		       uint64_t now_ns)
{
	struct icmp_header h = { .type = ICMP_UNREACHABLE };

	switch (why) {
	case IP_ERROR_NET_UNREACHABLE: h.code = ICMP_UNREACHABLE_NET; break;
	case IP_ERROR_HOST_UNREACHABLE: h.code = ICMP_UNREACHABLE_HOST; break;
	case IP_ERROR_PROTO_UNREACHABLE: h.code = ICMP_UNREACHABLE_PROTO; break;
	case IP_ERROR_PORT_UNREACHABLE: h.code = ICMP_UNREACHABLE_PORT; break;
	case IP_ERROR_PROHIBITED: h.code = ICMP_UNREACHABLE_PROHIBITED; break;
	case IP_ERROR_NONE:
	case IP_ERROR_TOO_BIG: /* these are not about reaching */
	case IP_ERROR_TIME_EXCEEDED:
	case IP_ERROR_PARAMETER: return;
	}
	icmp4_error(ip, p, &h, now_ns);
}

/*
 * Told to ourselves as a router would tell it, so that the transport hears it in the
 * same way.
 */
void icmp4_no_neighbour(struct ip *ip, struct pkt *p, uint64_t now_ns)
{
	static const struct icmp_header error = { .type = ICMP_UNREACHABLE,
						  .code = ICMP_UNREACHABLE_HOST };
	struct rd r = rd_of(p->data, p->len);
	struct ip_out how = { .proto = IP_PROTO_ICMP };
	struct ip4_header h;
	struct pkt *e = NULL;

	if (ip4_parse(&r, &h) && h.frag_off == 0 && h.proto != IP_PROTO_ICMP)
		e = make(ip, &error, p->data, p->len);
	pkt_free(p);
	if (!e)
		return;
	how.src = how.dst = addr_ip4(h.src);
	ip_output(ip, e, &how, now_ns);
}

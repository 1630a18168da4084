#include "eth/offload.h"

#include "eth/port.h"
#include "stack/base/byte.h"
#include "stack/base/cksum.h"
#include "stack/base/pkt.h"
#include "tcp/tcp_wire.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

/* RFC 791 3.1 */
enum { IP4_LEN = 2, IP4_ID = 4, IP4_SUM = 10, IP4_SRC = 12, IP4_DST = 16 };
/* RFC 8200 3 */
enum { IP6_LEN = 4, IP6_SRC = 8, IP6_DST = 24, IP6_HEADER_LEN = 40 };
/* RFC 9293 3.1, RFC 768 */
enum { TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_SUM = 16, TCP_URGENT = 18 };
enum { UDP_SUM = 6 };

static void set16(uint8_t *at, uint32_t v)
{
	struct wr w = wr_of(at, 2);

	wr16(&w, (uint16_t)v);
}

static void set32(uint8_t *at, uint32_t v)
{
	struct wr w = wr_of(at, 4);

	wr32(&w, v);
}

static bool is_ip4(const uint8_t *l3)
{
	return l3[0] >> 4 == 4;
}

unsigned offload_sum_offset(uint8_t proto)
{
	return proto == PROTO_TCP ? TCP_SUM : UDP_SUM;
}

void offload_sum(struct pkt *p)
{
	uint8_t *field = p->l4 + offload_sum_offset(p->proto);
	uint16_t sum;

	ASSERT(p->proto == PROTO_TCP || p->proto == PROTO_UDP);
	sum = cksum_end(cksum_add_pkt(0, p, (uint32_t)(p->l4 - p->data)));
	/* RFC 768: a sum of zero is sent as all ones; zero says that there is none. */
	if (p->proto == PROTO_UDP && sum == 0)
		sum = 0xffff;
	memcpy(field, &sum, sizeof(sum));
	p->flags &= (uint16_t)~PKT_SUM_PARTIAL;
}

bool offload_must_cut(const struct pkt *p, uint32_t caps)
{
	if (!p->gso_len)
		return false;
	return !(caps & (is_ip4(p->l3) ? PORT_TX_TSO4 : PORT_TX_TSO6));
}

void offload_cut_start(struct offload_cut *c, struct pkt *super)
{
	uint32_t l4 = (uint32_t)(super->l4 - super->data);
	uint32_t header_len = l4 + (super->l4[TCP_OFFSET] >> 4) * 4u;

	ASSERT(super->gso_len && super->proto == PROTO_TCP);
	ASSERT(header_len <= super->len && header_len <= PKT_HEAD_LEN);
	*c = (struct offload_cut){
		.super = super,
		.from = super,
		.from_at = header_len,
		.header_len = header_len,
		.left = super->total_len - header_len,
		.l3 = (uint16_t)(super->l3 - super->data),
		.l4 = (uint16_t)l4,
	};
}

/* The length field, the identification and the sum of an IPv4 header. */
static void set_ip4(uint8_t *h, uint32_t len, uint32_t n)
{
	size_t header_len = (h[0] & 15u) * 4;
	uint16_t sum = 0;

	set16(h + IP4_LEN, len);
	set16(h + IP4_ID, be16(h + IP4_ID) + n);
	memcpy(h + IP4_SUM, &sum, sizeof(sum));
	sum = cksum_end(cksum_add(0, h, header_len));
	memcpy(h + IP4_SUM, &sum, sizeof(sum));
}

/* RFC 9293 3.1: the urgent pointer counts from the segment's own number. */
static void set_urgent(uint8_t *tcp, uint32_t done)
{
	uint16_t urgent = be16(tcp + TCP_URGENT);

	if (urgent > done) {
		set16(tcp + TCP_URGENT, urgent - done);
	} else {
		set16(tcp + TCP_URGENT, 0);
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_URG;
	}
}

static void set_tcp(const struct offload_cut *c, uint8_t *tcp, bool last)
{
	set32(tcp + TCP_SEQ, be32(tcp + TCP_SEQ) + c->done);
	if (!last)
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (c->done) {
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
		if (tcp[TCP_FLAGS] & TCP_URG)
			set_urgent(tcp, c->done);
	}
}

/* The sum of the pseudo header of a segment of @len bytes, header included. */
static uint16_t pseudo(const uint8_t *l3, uint32_t len)
{
	struct addr src = { .family = ADDR_IP6 }, dst = { .family = ADDR_IP6 };

	if (is_ip4(l3)) {
		src.family = dst.family = ADDR_IP4;
		memcpy(&src.ip4, l3 + IP4_SRC, sizeof(src.ip4));
		memcpy(&dst.ip4, l3 + IP4_DST, sizeof(dst.ip4));
	} else {
		memcpy(&src.ip6, l3 + IP6_SRC, sizeof(src.ip6));
		memcpy(&dst.ip6, l3 + IP6_DST, sizeof(dst.ip6));
	}
	return cksum_fold(cksum_pseudo(&src, &dst, PROTO_TCP, len));
}

/* A descriptor with a copy of the headers, made right for @len bytes of payload. */
static struct pkt *headers(const struct offload_cut *c, uint32_t len)
{
	const struct pkt *super = c->super;
	struct pkt *seg = pkt_new(super->pool, PKT_DATA);
	uint16_t sum;

	if (!seg)
		return NULL;
	memcpy(pkt_push(seg, c->header_len), super->data, c->header_len);
	seg->l3 = seg->data + c->l3;
	seg->l4 = seg->data + c->l4;
	seg->proto = super->proto;
	seg->flags = super->flags | PKT_SUM_PARTIAL;
	if (is_ip4(seg->l3))
		set_ip4(seg->l3, c->header_len - c->l3 + len, c->n);
	else
		set16(seg->l3 + IP6_LEN, c->header_len - c->l3 - IP6_HEADER_LEN + len);
	set_tcp(c, seg->l4, len == c->left);
	sum = pseudo(seg->l3, c->header_len - c->l4 + len);
	memcpy(seg->l4 + TCP_SUM, &sum, sizeof(sum));
	return seg;
}

/* Hangs the next @len bytes of payload behind @seg.  False: the pool is empty. */
static bool add_payload(struct offload_cut *c, struct pkt *seg, uint32_t len)
{
	struct pkt *part;

	while (len) {
		uint32_t n = c->from->len - c->from_at;

		if (n == 0) {
			c->from = c->from->next;
			c->from_at = 0;
			continue;
		}
		n = n < len ? n : len;
		part = pkt_share(c->from, c->from->data + c->from_at, n);
		if (!part)
			return false;
		pkt_chain(seg, part);
		c->from_at += n;
		len -= n;
	}
	return true;
}

struct pkt *offload_cut_next(struct offload_cut *c)
{
	uint32_t len = c->left < c->super->gso_len ? c->left : c->super->gso_len;
	struct pkt *seg;

	if (len == 0)
		return NULL;
	seg = headers(c, len);
	if (!seg)
		return NULL;
	if (!add_payload(c, seg, len)) {
		pkt_free(seg);
		return NULL;
	}
	c->done += len;
	c->left -= len;
	c->n++;
	return seg;
}

uint32_t offload_cut_end(struct offload_cut *c)
{
	uint32_t gso_len = c->super->gso_len;

	pkt_free(c->super);
	c->super = NULL;
	return (c->left + gso_len - 1) / gso_len;
}

#include "ip/ip4_wire.h"

#include "stack/base/cksum.h"

/* Places of the fields. */
enum {
	AT_VERSION = 0,
	AT_TOS = 1,
	AT_TOTAL_LEN = 2,
	AT_ID = 4,
	AT_FRAG = 6,
	AT_TTL = 8,
	AT_PROTO = 9,
	AT_SUM = 10,
	AT_SRC = 12,
	AT_DST = 16,
};

enum { VERSION = 4, FRAG_DF = 0x4000, FRAG_MF = 0x2000, FRAG_OFFSET = 0x1fff };

/* RFC 791 3.1; copied flag, class and number in one byte. */
enum {
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_LSRR = 131,
	OPTION_SSRR = 137,
	OPTION_ROUTER_ALERT = 148,
};

bool ip4_parse(struct rd *r, struct ip4_header *h)
{
	const uint8_t *b = rd_take(r, IP4_HEADER_LEN);
	uint16_t frag = be16(b + AT_FRAG);

	h->header_len = (uint8_t)((b[AT_VERSION] & 0x0f) * 4);
	h->tos = b[AT_TOS];
	h->total_len = be16(b + AT_TOTAL_LEN);
	h->id = be16(b + AT_ID);
	h->df = frag & FRAG_DF;
	h->mf = frag & FRAG_MF;
	h->frag_off = (uint16_t)((frag & FRAG_OFFSET) * 8);
	h->ttl = b[AT_TTL];
	h->proto = b[AT_PROTO];
	memcpy(&h->src, b + AT_SRC, sizeof(h->src));
	memcpy(&h->dst, b + AT_DST, sizeof(h->dst));
	if (b[AT_VERSION] >> 4 != VERSION || h->header_len < IP4_HEADER_LEN ||
	    h->total_len < h->header_len)
		return false;
	rd_take(r, h->header_len - (size_t)IP4_HEADER_LEN);
	return !r->bad;
}

bool ip4_sum_is_right(const uint8_t *b, size_t len)
{
	return cksum_fold(cksum_add(0, b, len)) == 0xffff;
}

enum ip4_options ip4_options_read(struct rd r, uint8_t *at)
{
	const uint8_t *start = r.p;

	while (rd_left(&r)) {
		uint8_t where = (uint8_t)(r.p - start);
		uint8_t type = rd8(&r), len;

		if (type == OPTION_END)
			break;
		if (type == OPTION_NOP)
			continue;
		len = rd8(&r);
		if (len < 2 || len - 2u > rd_left(&r)) {
			*at = where;
			return IP4_OPTIONS_BAD;
		}
		if (type == OPTION_LSRR || type == OPTION_SSRR) {
			*at = where;
			return IP4_OPTIONS_SOURCE_ROUTE;
		}
		rd_take(&r, len - 2u);
	}
	return IP4_OPTIONS_FINE;
}

static void put16(uint8_t *b, unsigned v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

/* The header for @len bytes, of which those behind IP4_HEADER_LEN are there. */
static void emit(uint8_t *b, const struct ip4_header *h, unsigned len)
{
	uint16_t sum = 0;

	b[AT_VERSION] = (uint8_t)(VERSION << 4 | len / 4);
	b[AT_TOS] = h->tos;
	put16(b + AT_TOTAL_LEN, h->total_len);
	put16(b + AT_ID, h->id);
	put16(b + AT_FRAG,
	      (h->df ? FRAG_DF : 0u) | (h->mf ? FRAG_MF : 0u) | h->frag_off / 8u);
	b[AT_TTL] = h->ttl;
	b[AT_PROTO] = h->proto;
	memcpy(b + AT_SUM, &sum, sizeof(sum));
	memcpy(b + AT_SRC, &h->src, sizeof(h->src));
	memcpy(b + AT_DST, &h->dst, sizeof(h->dst));
	sum = cksum_end(cksum_add(0, b, len));
	memcpy(b + AT_SUM, &sum, sizeof(sum));
}

void ip4_emit(uint8_t b[static IP4_HEADER_LEN], const struct ip4_header *h)
{
	emit(b, h, IP4_HEADER_LEN);
}

void ip4_emit_alert(uint8_t b[static IP4_HEADER_LEN + IP4_ALERT_LEN],
		    const struct ip4_header *h)
{
	b[IP4_HEADER_LEN] = OPTION_ROUTER_ALERT;
	b[IP4_HEADER_LEN + 1] = IP4_ALERT_LEN;
	/* RFC 2113 2.1: zero, the router shall examine the packet. */
	put16(b + IP4_HEADER_LEN + 2, 0);
	emit(b, h, IP4_HEADER_LEN + IP4_ALERT_LEN);
}

#include "ip/ip6_wire.h"

enum { VERSION = 6, FLOW_MASK = 0xfffff, FRAG_MF = 1, FRAG_OFFSET = 0xfff8 };

bool ip6_parse(struct rd *r, struct ip6_header *h)
{
	const uint8_t *b = rd_take(r, IP6_HEADER_LEN);
	uint32_t first = be32(b);

	h->tclass = (uint8_t)(first >> 20);
	h->flow = first & FLOW_MASK;
	h->payload_len = be16(b + IP6_AT_PAYLOAD_LEN);
	h->next = b[IP6_AT_NEXT];
	h->hop_limit = b[7];
	memcpy(&h->src, b + 8, sizeof(h->src));
	memcpy(&h->dst, b + 24, sizeof(h->dst));
	return !r->bad && first >> 28 == VERSION;
}

void ip6_emit(uint8_t b[static IP6_HEADER_LEN], const struct ip6_header *h)
{
	struct wr w = wr_of(b, IP6_HEADER_LEN);

	wr32(&w,
	     (uint32_t)VERSION << 28 | (uint32_t)h->tclass << 20 | (h->flow & FLOW_MASK));
	wr16(&w, h->payload_len);
	wr8(&w, h->next);
	wr8(&w, h->hop_limit);
	wr_copy(&w, &h->src, sizeof(h->src));
	wr_copy(&w, &h->dst, sizeof(h->dst));
}

bool ip6_frag_parse(struct rd *r, struct ip6_frag *f)
{
	const uint8_t *b = rd_take(r, IP6_FRAG_LEN);
	uint16_t offset = be16(b + IP6_FRAG_AT_OFFSET);

	f->next = b[0];
	f->frag_off = offset & FRAG_OFFSET;
	f->mf = offset & FRAG_MF;
	f->id = be32(b + 4);
	return !r->bad;
}

void ip6_frag_emit(uint8_t b[static IP6_FRAG_LEN], const struct ip6_frag *f)
{
	struct wr w = wr_of(b, IP6_FRAG_LEN);

	wr8(&w, f->next);
	wr8(&w, 0);
	wr16(&w, (uint16_t)((f->frag_off & FRAG_OFFSET) | (f->mf ? FRAG_MF : 0)));
	wr32(&w, f->id);
}

#include "ip/udp_wire.h"

bool udp_parse(struct rd *r, struct udp_header *h)
{
	const uint8_t *b = rd_take(r, UDP_HEADER_LEN);

	h->src_port = be16(b);
	h->dst_port = be16(b + 2);
	h->len = be16(b + 4);
	h->has_sum = be16(b + UDP_AT_SUM) != 0;
	return !r->bad && h->len >= UDP_HEADER_LEN;
}

void udp_emit(struct wr *w, const struct udp_header *h)
{
	wr16(w, h->src_port);
	wr16(w, h->dst_port);
	wr16(w, h->len);
	wr16(w, 0);
}

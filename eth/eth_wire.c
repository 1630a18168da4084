#include "eth/eth_wire.h"

enum { OFF_DST = 0, OFF_SRC = 6, OFF_TYPE = 12 };

bool eth_parse(struct rd *r, struct eth_header *h)
{
	const uint8_t *b = rd_take(r, ETH_HEADER_LEN);

	memcpy(&h->dst, b + OFF_DST, sizeof(h->dst));
	memcpy(&h->src, b + OFF_SRC, sizeof(h->src));
	h->type = be16(b + OFF_TYPE);
	h->tci = 0;
	h->tagged = h->type == ETHERTYPE_VLAN;
	h->len = ETH_HEADER_LEN;
	if (h->tagged) {
		h->tci = rd16(r);
		h->type = rd16(r);
		h->len = ETH_HEADER_LEN + ETH_TAG_LEN;
	}
	return !r->bad;
}

void eth_emit(struct wr *w, const struct eth_header *h)
{
	wr_copy(w, &h->dst, sizeof(h->dst));
	wr_copy(w, &h->src, sizeof(h->src));
	if (h->tagged) {
		wr16(w, ETHERTYPE_VLAN);
		wr16(w, h->tci);
	}
	wr16(w, h->type);
}

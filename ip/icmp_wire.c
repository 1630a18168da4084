#include "ip/icmp_wire.h"

bool icmp_parse(struct rd *r, struct icmp_header *h)
{
	const uint8_t *b = rd_take(r, ICMP_HEADER_LEN);

	h->type = b[0];
	h->code = b[1];
	h->rest = be32(b + 4);
	return !r->bad;
}

void icmp_emit(struct wr *w, const struct icmp_header *h)
{
	wr8(w, h->type);
	wr8(w, h->code);
	wr16(w, 0);
	wr32(w, h->rest);
}

bool icmp_may_be_error(uint8_t type)
{
	return type != ICMP_ECHO && type != ICMP_ECHO_REPLY;
}

#include "arp/arp_wire.h"

enum { HTYPE_ETHER = 1, PTYPE_IP4 = 0x0800, HLEN = 6, PLEN = 4 };

bool arp_parse(struct rd *r, struct arp_msg *m)
{
	bool known = rd16(r) == HTYPE_ETHER;
	uint16_t op;

	known &= rd16(r) == PTYPE_IP4;
	known &= rd8(r) == HLEN;
	known &= rd8(r) == PLEN;
	op = rd16(r);
	known &= op == ARP_REQUEST || op == ARP_REPLY;
	m->op = (enum arp_op)op;
	rd_copy(r, &m->sender_mac, HLEN);
	rd_copy(r, &m->sender_ip, PLEN);
	rd_copy(r, &m->target_mac, HLEN);
	rd_copy(r, &m->target_ip, PLEN);
	return known && !r->bad;
}

void arp_emit(struct wr *w, const struct arp_msg *m)
{
	wr16(w, HTYPE_ETHER);
	wr16(w, PTYPE_IP4);
	wr8(w, HLEN);
	wr8(w, PLEN);
	wr16(w, (uint16_t)m->op);
	wr_copy(w, &m->sender_mac, HLEN);
	wr_copy(w, &m->sender_ip, PLEN);
	wr_copy(w, &m->target_mac, HLEN);
	wr_copy(w, &m->target_ip, PLEN);
}

#include "eth/sum_whole.h"

#include "eth/eth_wire.h"
#include "eth/offload.h"
#include "stack/base/cksum.h"
#include "stack/base/pkt.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

/* RFC 791 3.1 */
enum { IP4_LEN = 2, IP4_FRAG = 6, IP4_PROTO = 9, IP4_SRC = 12, IP4_HEADER_LEN = 20 };
enum { IP4_FRAG_MASK = 0x3fff }; /* more fragments, and the offset */
/* RFC 8200 3 */
enum { IP6_LEN = 4, IP6_NEXT = 6, IP6_SRC = 8, IP6_HEADER_LEN = 40 };

/* What the headers say. */
struct found {
	struct addr src, dst;
	uint32_t l4, l4_len;
	uint8_t proto;
};

static bool find_ip4(const struct pkt *p, struct rd *r, struct found *f)
{
	const uint8_t *h = rd_take(r, IP4_HEADER_LEN);
	uint32_t header_len = (h[0] & 15u) * 4, at;

	if (r->bad || h[0] >> 4 != 4 || header_len < IP4_HEADER_LEN ||
	    be16(h + IP4_FRAG) & IP4_FRAG_MASK)
		return false;
	at = (uint32_t)(h - p->data);
	f->src.family = f->dst.family = ADDR_IP4;
	memcpy(&f->src.ip4, h + IP4_SRC, sizeof(f->src.ip4));
	memcpy(&f->dst.ip4, h + IP4_SRC + sizeof(f->src.ip4), sizeof(f->dst.ip4));
	f->proto = h[IP4_PROTO];
	f->l4 = at + header_len;
	f->l4_len = be16(h + IP4_LEN) - header_len;
	return be16(h + IP4_LEN) >= header_len;
}

static bool find_ip6(const struct pkt *p, struct rd *r, struct found *f)
{
	const uint8_t *h = rd_take(r, IP6_HEADER_LEN);

	if (r->bad || h[0] >> 4 != 6)
		return false;
	f->src.family = f->dst.family = ADDR_IP6;
	memcpy(&f->src.ip6, h + IP6_SRC, sizeof(f->src.ip6));
	memcpy(&f->dst.ip6, h + IP6_SRC + sizeof(f->src.ip6), sizeof(f->dst.ip6));
	f->proto = h[IP6_NEXT];
	f->l4 = (uint32_t)(h - p->data) + IP6_HEADER_LEN;
	f->l4_len = be16(h + IP6_LEN);
	return true;
}

static bool find_ip(const struct pkt *p, bool has_link, struct found *f)
{
	struct rd r = rd_of(p->data, p->len);
	struct eth_header h;

	if (!has_link)
		return p->len && p->data[0] >> 4 == 6 ? find_ip6(p, &r, f) :
							find_ip4(p, &r, f);
	if (!eth_parse(&r, &h))
		return false;
	switch (h.type) {
	case ETHERTYPE_IP4: return find_ip4(p, &r, f);
	case ETHERTYPE_IP6: return find_ip6(p, &r, f);
	default: return false;
	}
}

static bool find(const struct pkt *p, bool has_link, struct found *f)
{
	*f = (struct found){ 0 };
	/* A padded frame was on a wire: its sum was made then. */
	if (!find_ip(p, has_link, f) || f->l4 + f->l4_len != p->total_len)
		return false;
	if (f->proto == PROTO_TCP)
		return f->l4_len >= 20;
	return f->proto == PROTO_UDP && f->l4_len >= 8;
}

void sum_whole(const struct pkt *p, bool has_link, uint8_t *head, uint32_t head_len)
{
	uint16_t field, sum;
	struct found f;
	uint64_t all;
	uint32_t at;

	if (!find(p, has_link, &f))
		return;
	at = f.l4 + offload_sum_offset(f.proto);
	if (at + sizeof(field) > head_len)
		return;
	/* RFC 1071: what is in the field is taken off by adding its complement. */
	memcpy(&field, head + at, sizeof(field));
	if (f.proto == PROTO_UDP && field == 0)
		return;
	all = cksum_pseudo(&f.src, &f.dst, f.proto, f.l4_len);
	all += cksum_add_pkt(0, p, f.l4);
	all += (uint16_t)~field;
	sum = cksum_end(all);
	if (f.proto == PROTO_UDP && sum == 0)
		sum = 0xffff;
	memcpy(head + at, &sum, sizeof(sum));
}

#include "apps/pbsim/frame.h"

#include <stdlib.h>
#include <string.h>

#include "stack/base/byte.h"
#include "stack/base/check.h"
#include "stack/base/cksum.h"
#include "stack/base/hash.h"
#include "stack/base/pkt.h"

enum {
	IP4_LEN = 20,
	IP6_LEN = 40,
	TCP_LEN = 20,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	SYN = 2,
	FIN = 1,
};

void frame_shop_init(struct frame_shop *shop)
{
	*shop = (struct frame_shop){ 0 };
	list_init(&shop->spare);
}

void frame_shop_fini(struct frame_shop *shop)
{
	struct list *node;

	ASSERT(shop->n_out == 0);
	while ((node = list_pop(&shop->spare)))
		free(container_of(node, struct frame, node));
}

struct frame *frame_new(struct frame_shop *shop, uint32_t len)
{
	uint32_t capacity = len > FRAME_CLASS_LEN ? len : FRAME_CLASS_LEN;
	struct list *node = len > FRAME_CLASS_LEN ? NULL : list_pop(&shop->spare);
	struct frame *f;

	if (node) {
		f = container_of(node, struct frame, node);
		shop->n_spare--;
	} else {
		f = malloc(sizeof(*f) + capacity);
	}
	if (!f)
		return NULL;
	*f = (struct frame){ .len = len, .wire_len = len, .capacity = capacity };
	list_init(&f->node);
	shop->n_out++;
	return f;
}

/* A super-frame is on the wire as long as its segments, each with its headers. */
static uint32_t wire_len(const struct pkt *p)
{
	uint32_t header, payload, n;

	if (!p->gso_len)
		return p->total_len;
	header = (uint32_t)(p->l4 - p->data) + (p->l4[12] >> 4) * 4u;
	payload = p->total_len - header;
	n = (payload + p->gso_len - 1) / p->gso_len;
	return payload + n * header;
}

struct frame *frame_of_pkt(struct frame_shop *shop, const struct pkt *p)
{
	struct frame *f = frame_new(shop, p->total_len);

	if (!f)
		return NULL;
	pkt_read(p, 0, f->bytes, f->len);
	f->wire_len = wire_len(p);
	f->gso_len = p->gso_len;
	f->sum_ok = p->flags & PKT_SUM_PARTIAL;
	return f;
}

struct frame *frame_copy(struct frame_shop *shop, const struct frame *f)
{
	struct frame *twin = frame_new(shop, f->len);

	if (!twin)
		return NULL;
	memcpy(twin->bytes, f->bytes, f->len);
	twin->wire_len = f->wire_len;
	twin->gso_len = f->gso_len;
	twin->sum_ok = f->sum_ok;
	twin->at_ns = f->at_ns;
	return twin;
}

void frame_free(struct frame_shop *shop, struct frame *f)
{
	shop->n_out--;
	if (f->capacity > FRAME_CLASS_LEN || shop->n_spare == FRAME_SPARE_MAX) {
		free(f);
		return;
	}
	list_insert(&shop->spare, &f->node);
	shop->n_spare++;
}

/* 4 or 6 when all of the header is there, else 0. */
static unsigned version(const struct frame *f)
{
	unsigned v = f->len >= IP4_LEN ? f->bytes[0] >> 4 : 0;

	if (v == 4)
		return 4;
	return v == 6 && f->len >= IP6_LEN ? 6 : 0;
}

/* Where the transport header begins, and its protocol; 0: there is none. */
static uint32_t transport(const struct frame *f, uint8_t *proto)
{
	if (version(f) == 6) {
		*proto = f->bytes[6];
		return IP6_LEN;
	}
	/* The later fragments have none. */
	if (version(f) != 4 || be16(f->bytes + 6) & 0x1fff)
		return 0;
	*proto = f->bytes[9];
	return (f->bytes[0] & 15) * 4u;
}

enum frame_ecn frame_ecn(const struct frame *f)
{
	switch (version(f)) {
	case 4: return (enum frame_ecn)(f->bytes[1] & 3);
	case 6: return (enum frame_ecn)(f->bytes[1] >> 4 & 3);
	default: return FRAME_NOT_ECT;
	}
}

/* RFC 1624 eqn. 3: the sum of a header of which one 16-bit word became another. */
static void sum_fix(uint8_t *sum, uint32_t old_word, uint32_t new_word)
{
	uint32_t s = (~be16(sum) & 0xffffu) + (~old_word & 0xffffu) + new_word;

	s = (s & 0xffff) + (s >> 16);
	s = ~((s & 0xffff) + (s >> 16));
	sum[0] = (uint8_t)(s >> 8);
	sum[1] = (uint8_t)s;
}

bool frame_mark(struct frame *f)
{
	uint8_t *b = f->bytes;
	uint32_t old_word;

	if (frame_ecn(f) == FRAME_NOT_ECT)
		return false;
	if (version(f) == 6) {
		b[1] |= FRAME_CE << 4;
		return true;
	}
	old_word = be16(b);
	b[1] |= FRAME_CE;
	sum_fix(b + 10, old_word, be16(b));
	return true;
}

void frame_complete_sum(struct frame *f)
{
	uint8_t proto = 0;
	uint32_t at = transport(f, &proto), field = at + (proto == PROTO_UDP ? 6 : 16);
	uint16_t sum;

	if (!f->sum_ok || !at || field + 2 > f->len)
		return;
	/* The field holds the sum of the pseudo header. */
	sum = cksum_end(cksum_add(0, f->bytes + at, f->len - at));
	memcpy(f->bytes + field, &sum, sizeof(sum));
	f->sum_ok = false;
}

bool frame_hop(struct frame *f)
{
	uint8_t *b = f->bytes;
	uint32_t old_word;

	switch (version(f)) {
	case 4:
		if (b[8] <= 1)
			return false;
		old_word = be16(b + 8);
		b[8]--;
		sum_fix(b + 10, old_word, be16(b + 8));
		return true;
	case 6:
		if (b[7] <= 1)
			return false;
		b[7]--;
		return true;
	default: return false;
	}
}

bool frame_dst(const struct frame *f, struct addr *dst)
{
	unsigned v = version(f);

	if (!v)
		return false;
	*dst = (struct addr){ .family = (uint8_t)v };
	if (v == 4)
		memcpy(&dst->ip4, f->bytes + 16, sizeof(dst->ip4));
	else
		memcpy(&dst->ip6, f->bytes + 24, sizeof(dst->ip6));
	return true;
}

uint64_t frame_flow_hash(const struct frame *f, uint64_t salt)
{
	struct hash_key key = { { salt, 0 } };
	uint8_t what[2 * 16 + 4 + 1] = { 0 }, proto = 0;
	uint32_t at = transport(f, &proto);

	switch (version(f)) {
	case 4: memcpy(what, f->bytes + 12, 8); break;
	case 6: memcpy(what, f->bytes + 8, 32); break;
	default: break;
	}
	what[36] = proto;
	if (at && at + 4 <= f->len && (proto == PROTO_TCP || proto == PROTO_UDP))
		memcpy(what + 32, f->bytes + at, 4);
	return hash_siphash13(&key, what, sizeof(what));
}

bool frame_tcp(const struct frame *f, struct frame_tcp *t)
{
	uint8_t proto = 0;
	uint32_t at = transport(f, &proto), head;
	const uint8_t *b = f->bytes + at;

	if (!at || proto != PROTO_TCP || at + TCP_LEN > f->len)
		return false;
	head = at + (b[12] >> 4) * 4u;
	*t = (struct frame_tcp){
		.src_port = be16(b),
		.dst_port = be16(b + 2),
		.seq = be32(b + 4),
		.ack = be32(b + 8),
		.payload_len = f->len > head ? f->len - head : 0,
		.syn = b[13] & SYN,
		.fin = b[13] & FIN,
	};
	return true;
}

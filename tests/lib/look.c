#include "tests/lib/look.h"

#include <string.h>

#include "tests/lib/build.h"
#include "tests/lib/build6.h"

static uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)get16(b) << 16 | get16(b + 2);
}

static void look_arp(struct look *l, const uint8_t *b, uint32_t len)
{
	static const uint8_t start[6] = { 0, 1, 8, 0, 6, 4 };

	if (len < 28)
		return;
	l->sound = memcmp(b, start, 6) == 0;
	l->arp_op = get16(b + 6);
	memcpy(l->sender_mac.b, b + 8, 6);
	memcpy(l->sender_ip.b, b + 14, 4);
	memcpy(l->target_mac.b, b + 18, 6);
	memcpy(l->target_ip.b, b + 24, 4);
}

/* Cuts @n bytes off the front of the payload; false: there are not so many. */
static bool strip(struct look *l, uint32_t n)
{
	if (l->payload_len < n)
		return false;
	l->payload += n;
	l->payload_len -= n;
	return true;
}

static bool look_tcp(struct look *l, const uint8_t *b, uint32_t len)
{
	uint32_t header_len = len < 20 ? 0 : (b[12] >> 4) * 4u;

	if (header_len < 20 || !strip(l, header_len))
		return false;
	l->seq = get32(b + 4);
	l->ack = get32(b + 8);
	l->flags = get16(b + 12) & 0x1ff;
	l->window = get16(b + 14);
	l->urgent = get16(b + 18);
	l->options = b + 20;
	l->options_len = header_len - 20;
	return true;
}

static bool look_icmp(struct look *l, const uint8_t *b, uint32_t len)
{
	if (len < 8 || !strip(l, 8))
		return false;
	l->icmp_type = b[0];
	l->icmp_code = b[1];
	l->icmp_rest = get32(b + 4);
	return true;
}

static bool look_transport(struct look *l)
{
	const uint8_t *b = l->payload;
	uint32_t len = l->payload_len;

	if (len < 8)
		return false;
	if (l->proto == 6 || l->proto == 17) {
		l->src_port = get16(b);
		l->dst_port = get16(b + 2);
	}
	switch (l->proto) {
	case 1:
	case 58: return look_icmp(l, b, len);
	case 6: return look_tcp(l, b, len);
	case 17: return strip(l, 8);
	default: return true;
	}
}

/* The checksum of a whole transport packet of @len bytes at @b. */
static bool sum_is_right(const struct look *l, const uint8_t *b, uint32_t len)
{
	bool is_ip6 = l->type == 0x86dd;
	uint32_t pseudo = is_ip6 ? build_pseudo6(l->src6, l->dst6, l->proto, len) :
				   build_pseudo(l->src, l->dst, l->proto, len);

	switch (l->proto) {
	case 58: return build_sum(pseudo, b, len) == 0xffff;
	case 1: return build_sum(0, b, len) == 0xffff;
	case 17:
		if (get16(b + 4) != len)
			return false;
		if (get16(b + 6) == 0)
			return !is_ip6;
		__attribute__((fallthrough));
	case 6: return build_sum(pseudo, b, len) == 0xffff;
	default: return true;
	}
}

/* The header; false when it is not all there. */
static bool look_ip4(struct look *l, const uint8_t *b, uint32_t len)
{
	uint32_t header_len = len < 20 ? 0 : (b[0] & 15) * 4u;

	if (header_len < 20 || header_len > len || b[0] >> 4 != 4)
		return false;
	l->tos = b[1];
	l->total_len = get16(b + 2);
	l->id = get16(b + 4);
	l->df = get16(b + 6) & BUILD_DF;
	l->mf = get16(b + 6) & BUILD_MF;
	l->frag_off = (uint16_t)((get16(b + 6) & 0x1fff) * 8);
	l->ttl = b[8];
	l->proto = b[9];
	memcpy(l->src.b, b + 12, 4);
	memcpy(l->dst.b, b + 16, 4);
	l->payload = b + header_len;
	l->payload_len = len - header_len;
	return build_sum(0, b, header_len) == 0xffff;
}

/* One extension header; false: it is not all there. */
static bool look_ext(struct look *l)
{
	const uint8_t *b = l->payload;
	uint32_t len = l->payload_len < 8 ? 0 : l->proto == 44 ? 8 : (b[1] + 1u) * 8;

	if (!len || l->n_exts == sizeof(l->exts) || !strip(l, len))
		return false;
	if (l->proto == 44) {
		l->mf = b[3] & 1;
		l->frag_off = get16(b + 2) & 0xfff8;
		l->frag_id = get32(b + 4);
	}
	l->exts[l->n_exts++] = l->proto;
	l->exts_len += len;
	l->proto = b[0];
	return true;
}

/* The headers; false when they are not all there. */
static bool look_ip6(struct look *l, const uint8_t *b, uint32_t len)
{
	if (len < 40 || b[0] >> 4 != 6)
		return false;
	l->tos = (uint8_t)(get16(b) >> 4);
	l->flow = get32(b) & 0xfffff;
	l->total_len = (uint16_t)(get16(b + 4) + 40);
	l->proto = b[6];
	l->ttl = b[7];
	memcpy(l->src6.b, b + 8, 16);
	memcpy(l->dst6.b, b + 24, 16);
	l->payload = b + 40;
	l->payload_len = len - 40;
	while (l->proto == 0 || l->proto == 43 || l->proto == 44 || l->proto == 60)
		if (!look_ext(l))
			return false;
	return true;
}

static void look_packet6(struct look *l, const uint8_t *b, uint32_t len)
{
	const uint8_t *l4;
	uint32_t l4_len;

	if (!look_ip6(l, b, len) || get16(b + 4) + 40u > len)
		return;
	l->payload_len -= len - get16(b + 4) - 40;
	l4 = l->payload;
	l4_len = l->payload_len;
	if (l->frag_off)
		l->sound = true;
	else
		l->sound = look_transport(l) && (l->mf || sum_is_right(l, l4, l4_len));
}

static void look_packet(struct look *l, const uint8_t *b, uint32_t len)
{
	const uint8_t *l4;
	uint32_t l4_len;

	if (!look_ip4(l, b, len) || l->total_len > len)
		return;
	l->payload_len -= len - l->total_len; /* padding of the frame */
	l4 = l->payload;
	l4_len = l->payload_len;
	if (l->frag_off)
		l->sound = true;
	else
		l->sound = look_transport(l) && (l->mf || sum_is_right(l, l4, l4_len));
}

struct look look(const uint8_t *frame, uint32_t len)
{
	struct look l = { 0 };

	if (len < 14)
		return l;
	memcpy(l.eth_dst.b, frame, 6);
	memcpy(l.eth_src.b, frame + 6, 6);
	l.type = get16(frame + 12);
	if (l.type == 0x0806)
		look_arp(&l, frame + 14, len - 14);
	else if (l.type == 0x0800)
		look_packet(&l, frame + 14, len - 14);
	else if (l.type == 0x86dd)
		look_packet6(&l, frame + 14, len - 14);
	return l;
}

struct look look_quote6(const uint8_t *packet, uint32_t len)
{
	struct look l = { .type = 0x86dd };

	if (look_ip6(&l, packet, len) && l.payload_len >= 8) {
		l.sound = true;
		look_transport(&l);
	}
	return l;
}

struct look look_quote(const uint8_t *packet, uint32_t len)
{
	struct look l = { .type = 0x0800 };

	if (look_ip4(&l, packet, len) && l.payload_len >= 8) {
		l.sound = true;
		look_transport(&l);
	}
	return l;
}

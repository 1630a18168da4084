#include "tests/lib/build.h"

#include <string.h>

static void put16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void put32(uint8_t *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b + 2, v);
}

static void put_bytes(uint8_t *b, const void *from, uint32_t len)
{
	if (len)
		memcpy(b, from, len);
}

uint16_t build_sum(uint32_t sum, const uint8_t *bytes, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

uint32_t build_pseudo(struct ip4 src, struct ip4 dst, uint8_t proto, uint32_t len)
{
	return (uint32_t)build_sum(0, src.b, 4) + build_sum(0, dst.b, 4) + proto + len;
}

uint16_t build_partial(struct ip4 src, struct ip4 dst, uint8_t proto, uint32_t len)
{
	uint32_t sum = build_pseudo(src, dst, proto, len);
	uint16_t field;

	put16((uint8_t *)&field, (sum & 0xffff) + (sum >> 16));
	return field;
}

uint32_t build_eth(uint8_t *out, struct mac dst, struct mac src, uint16_t type,
		   const void *payload, uint32_t len)
{
	memcpy(out, dst.b, 6);
	memcpy(out + 6, src.b, 6);
	put16(out + 12, type);
	put_bytes(out + 14, payload, len);
	return 14 + len;
}

uint32_t build_arp(uint8_t *out, const struct build_arp *arp)
{
	uint8_t b[28] = { 0, 1, 8, 0, 6, 4 };

	put16(b + 6, arp->op);
	memcpy(b + 8, arp->sender_mac.b, 6);
	memcpy(b + 14, arp->sender_ip.b, 4);
	memcpy(b + 18, arp->target_mac.b, 6);
	memcpy(b + 24, arp->target_ip.b, 4);
	return build_eth(out, arp->eth_dst, arp->eth_src, 0x0806, b, sizeof(b));
}

void build_fix_ip4(uint8_t *frame)
{
	uint8_t *h = frame + BUILD_L3;

	put16(h + 10, 0);
	put16(h + 10, ~(uint32_t)build_sum(0, h, (h[0] & 15u) * 4));
}

/* The headers of a packet that carries @len bytes; their length. */
static uint32_t headers(uint8_t *out, const struct build_ip4 *ip, uint32_t len)
{
	uint8_t *h = out + BUILD_L3;
	uint32_t header_len = 20u + ip->options_len;

	build_eth(out, ip->eth_dst, ip->eth_src, 0x0800, NULL, 0);
	memset(h, 0, header_len);
	h[0] = (uint8_t)(0x40 | header_len / 4);
	h[1] = ip->tos;
	put16(h + 2, header_len + len);
	put16(h + 4, ip->id);
	put16(h + 6, ip->frag);
	h[8] = ip->ttl ? ip->ttl : 64;
	h[9] = ip->proto;
	memcpy(h + 12, ip->src.b, 4);
	memcpy(h + 16, ip->dst.b, 4);
	put_bytes(h + 20, ip->options, ip->options_len);
	build_fix_ip4(out);
	return BUILD_L3 + header_len;
}

uint32_t build_ip4(uint8_t *out, const struct build_ip4 *ip, const void *payload,
		   uint32_t len)
{
	uint32_t at = headers(out, ip, len);

	put_bytes(out + at, payload, len);
	return at + len;
}

/* The headers, and @len zero bytes at *@l4 for @proto; the frame's length. */
static uint32_t transport(uint8_t *out, const struct build_ip4 *ip, uint8_t proto,
			  uint32_t len, uint8_t **l4)
{
	struct build_ip4 with = *ip;
	uint32_t at;

	with.proto = proto;
	at = headers(out, &with, len);
	*l4 = memset(out + at, 0, len);
	return at + len;
}

uint32_t build_udp(uint8_t *out, const struct build_ip4 *ip, uint16_t src_port,
		   uint16_t dst_port, const void *payload, uint32_t len)
{
	uint8_t *h;
	uint32_t all = transport(out, ip, 17, 8 + len, &h);
	uint16_t sum;

	put16(h, src_port);
	put16(h + 2, dst_port);
	put16(h + 4, 8 + len);
	put_bytes(h + 8, payload, len);
	sum = (uint16_t)~build_sum(build_pseudo(ip->src, ip->dst, 17, 8 + len), h,
				   8 + len);
	put16(h + 6, sum ? sum : 0xffff);
	return all;
}

uint32_t build_tcp(uint8_t *out, const struct build_ip4 *ip, const struct build_tcp *tcp,
		   const void *payload, uint32_t len)
{
	uint32_t header_len = 20u + tcp->options_len;
	uint32_t l4_len = header_len + len;
	uint8_t *h;
	uint32_t all = transport(out, ip, 6, l4_len, &h);

	put16(h, tcp->src_port);
	put16(h + 2, tcp->dst_port);
	put32(h + 4, tcp->seq);
	put32(h + 8, tcp->ack);
	put16(h + 12, header_len / 4 << 12 | tcp->flags);
	put16(h + 14, tcp->window);
	put16(h + 18, tcp->urgent);
	put_bytes(h + 20, tcp->options, tcp->options_len);
	put_bytes(h + header_len, payload, len);
	put16(h + 16,
	      ~(uint32_t)build_sum(build_pseudo(ip->src, ip->dst, 6, l4_len), h, l4_len));
	return all;
}

uint32_t build_icmp(uint8_t *out, const struct build_ip4 *ip, uint16_t type_code,
		    uint32_t rest, const void *payload, uint32_t len)
{
	uint8_t *h;
	uint32_t all = transport(out, ip, 1, 8 + len, &h);

	put16(h, type_code);
	put32(h + 4, rest);
	put_bytes(h + 8, payload, len);
	put16(h + 2, ~(uint32_t)build_sum(0, h, 8 + len));
	return all;
}

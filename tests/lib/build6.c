#include "tests/lib/build6.h"

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

uint32_t build_pseudo6(struct ip6 src, struct ip6 dst, uint8_t proto, uint32_t len)
{
	return (uint32_t)build_sum(0, src.b, 16) + build_sum(0, dst.b, 16) + proto +
	       (len & 0xffff) + (len >> 16);
}

/* The headers of a packet that carries @len bytes of @next; their length. */
static uint32_t headers(uint8_t *out, const struct build_ip6 *ip, uint8_t next,
			uint32_t len)
{
	uint8_t *h = out + BUILD_L3;

	build_eth(out, ip->eth_dst, ip->eth_src, 0x86dd, NULL, 0);
	put32(h, 0x60000000 | (uint32_t)ip->tclass << 20 | ip->flow);
	put16(h + 4, ip->exts_len + len);
	h[6] = ip->exts_len ? ip->ext : next;
	h[7] = ip->hops ? ip->hops : 64;
	memcpy(h + 8, ip->src.b, 16);
	memcpy(h + 24, ip->dst.b, 16);
	put_bytes(h + 40, ip->exts, ip->exts_len);
	if (ip->exts_len)
		h[40 + ip->last_ext] = next;
	return BUILD6_L4 + ip->exts_len;
}

uint32_t build_ip6(uint8_t *out, const struct build_ip6 *ip, const void *payload,
		   uint32_t len)
{
	uint32_t at = headers(out, ip, ip->next, len);

	put_bytes(out + at, payload, len);
	return at + len;
}

/* The headers, and @len zero bytes at *@l4 for @proto; the frame's length. */
static uint32_t transport(uint8_t *out, const struct build_ip6 *ip, uint8_t proto,
			  uint32_t len, uint8_t **l4)
{
	uint32_t at = headers(out, ip, proto, len);

	*l4 = memset(out + at, 0, len);
	return at + len;
}

static uint16_t sum_of(const struct build_ip6 *ip, uint8_t proto, const uint8_t *h,
		       uint32_t len)
{
	return (uint16_t)~build_sum(build_pseudo6(ip->src, ip->dst, proto, len), h, len);
}

uint32_t build_udp6(uint8_t *out, const struct build_ip6 *ip, uint16_t src_port,
		    uint16_t dst_port, const void *payload, uint32_t len)
{
	uint8_t *h;
	uint32_t all = transport(out, ip, 17, 8 + len, &h);
	uint16_t sum;

	put16(h, src_port);
	put16(h + 2, dst_port);
	put16(h + 4, 8 + len);
	put_bytes(h + 8, payload, len);
	sum = sum_of(ip, 17, h, 8 + len);
	put16(h + 6, sum ? sum : 0xffff);
	return all;
}

uint32_t build_tcp6(uint8_t *out, const struct build_ip6 *ip, const struct build_tcp *tcp,
		    const void *payload, uint32_t len)
{
	uint32_t header_len = 20u + tcp->options_len;
	uint8_t *h;
	uint32_t all = transport(out, ip, 6, header_len + len, &h);

	put16(h, tcp->src_port);
	put16(h + 2, tcp->dst_port);
	put32(h + 4, tcp->seq);
	put32(h + 8, tcp->ack);
	put16(h + 12, header_len / 4 << 12 | tcp->flags);
	put16(h + 14, tcp->window);
	put16(h + 18, tcp->urgent);
	put_bytes(h + 20, tcp->options, tcp->options_len);
	put_bytes(h + header_len, payload, len);
	put16(h + 16, sum_of(ip, 6, h, header_len + len));
	return all;
}

uint32_t build_icmp6(uint8_t *out, const struct build_ip6 *ip, uint16_t type_code,
		     uint32_t rest, const void *payload, uint32_t len)
{
	uint8_t *h;
	uint32_t all = transport(out, ip, 58, 8 + len, &h);

	put16(h, type_code);
	put32(h + 4, rest);
	put_bytes(h + 8, payload, len);
	put16(h + 2, sum_of(ip, 58, h, 8 + len));
	return all;
}

uint32_t build_nd(uint8_t *out, const struct build_ip6 *ip, const struct build_nd *nd)
{
	struct build_ip6 with = *ip;
	uint8_t b[1200];
	uint32_t len = 0;

	if (!with.hops)
		with.hops = 255;
	if (nd->type != 133) {
		memcpy(b, nd->target.b, 16);
		len = 16;
	}
	if (nd->mac_option) {
		b[len] = nd->mac_option;
		b[len + 1] = 1;
		memcpy(b + len + 2, nd->mac.b, 6);
		len += 8;
	}
	put_bytes(b + len, nd->more, nd->more_len);
	return build_icmp6(out, &with, (uint16_t)(nd->type << 8), nd->flags, b,
			   len + nd->more_len);
}

uint32_t build_frag6(uint8_t *out, const struct build_ip6 *ip, uint32_t id, uint16_t off,
		     bool more, const void *payload, uint32_t len)
{
	uint32_t at = headers(out, ip, 44, 8 + len);
	uint8_t *h = out + at;

	h[0] = ip->next;
	h[1] = 0;
	put16(h + 2, off | more);
	put32(h + 4, id);
	put_bytes(h + 8, payload, len);
	return at + 8 + len;
}

void build_fix_icmp6(uint8_t *frame, uint32_t len)
{
	uint8_t *h = frame + BUILD6_L4;
	struct build_ip6 ip;

	memcpy(ip.src.b, frame + BUILD_L3 + 8, 16);
	memcpy(ip.dst.b, frame + BUILD_L3 + 24, 16);
	put16(h + 2, 0);
	put16(h + 2, sum_of(&ip, 58, h, len - BUILD6_L4));
}

struct ip6 build_solicited_node(struct ip6 target)
{
	struct ip6 group = { { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff } };

	memcpy(group.b + 13, target.b + 13, 3);
	return group;
}

struct mac build_group_mac(struct ip6 group)
{
	struct mac mac = { { 0x33, 0x33, group.b[12], group.b[13], group.b[14],
			     group.b[15] } };

	return mac;
}

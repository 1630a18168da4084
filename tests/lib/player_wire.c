#include <stdlib.h>
#include <string.h>

#include "eth/port.h"
#include "eth/port_impl.h"
#include "stack/base/byte.h"
#include "tests/lib/build.h"
#include "tests/lib/player_impl.h"

enum {
	IP4_LEN = 20,
	IP6_LEN = 40,
	TTL = 64,
	ICMP4 = 1,
	IGMP = 2,
	ICMP6 = 58,
	HOP_OPTIONS = 0,
	/* ICMPv6 that a link needs, and no script speaks of: MLD and neighbours. */
	LINK_FIRST = 130,
	LINK_LAST = 143,
};

static const struct addr_pair {
	uint8_t len, ours[16], peer[16];
} pairs[] = {
	{ 4, { 192, 0, 2, 1 }, { 192, 0, 2, 2 } },
	{ 16,
	  { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
	  { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } },
};

static const struct addr_pair *pair_of(const struct player *p)
{
	return &pairs[p->family == SCRIPT_IP6];
}

uint8_t player_byte(uint32_t offset)
{
	return (uint8_t)(offset * 7 + (offset >> 8) * 3 + (offset >> 16));
}

uint16_t player_sum(const struct player *p, bool in, uint8_t proto, const uint8_t *l4,
		    uint32_t len)
{
	const struct addr_pair *a = pair_of(p);
	uint8_t pseudo[40] = { 0 };
	unsigned n = a->len;

	/* RFC 792: the sum of ICMP is over its message alone */
	if (proto == ICMP4)
		return build_sum(0, l4, len);
	memcpy(pseudo, in ? a->peer : a->ours, n);
	memcpy(pseudo + n, in ? a->ours : a->peer, n);
	pseudo[2 * n + 1] = proto;
	pseudo[2 * n + 2] = (uint8_t)(len >> 8);
	pseudo[2 * n + 3] = (uint8_t)len;
	return build_sum(build_sum(0, pseudo, 2 * n + 4), l4, len);
}

uint32_t player_header(const struct player *p, bool in, const struct player_ip *ip,
		       uint32_t len, uint8_t *out)
{
	const struct addr_pair *a = pair_of(p);
	uint8_t *addrs = out + 8;
	uint16_t sum;

	if (p->family == SCRIPT_IP4) {
		memset(out, 0, IP4_LEN);
		out[0] = 0x45;
		out[1] = ip->tos;
		out[2] = (uint8_t)((len + IP4_LEN) >> 8);
		out[3] = (uint8_t)(len + IP4_LEN);
		out[6] = 0x40; /* DF */
		out[8] = ip->ttl ? ip->ttl : TTL;
		out[9] = ip->proto;
		addrs = out + 12;
	} else {
		memset(out, 0, IP6_LEN);
		out[0] = (uint8_t)(0x60 | ip->tos >> 4);
		out[1] = (uint8_t)(ip->tos << 4);
		out[4] = (uint8_t)(len >> 8);
		out[5] = (uint8_t)len;
		out[6] = ip->proto;
		out[7] = ip->ttl ? ip->ttl : TTL;
	}
	memcpy(addrs, in ? a->peer : a->ours, a->len);
	memcpy(addrs + a->len, in ? a->ours : a->peer, a->len);
	if (p->family == SCRIPT_IP6)
		return IP6_LEN;
	sum = (uint16_t)~build_sum(0, out, IP4_LEN);
	out[10] = (uint8_t)(sum >> 8);
	out[11] = (uint8_t)sum;
	return IP4_LEN;
}

void player_put(struct player *p, const struct player_ip *ip, const uint8_t *l4,
		uint32_t len)
{
	uint8_t packet[PLAYER_PACKET_MAX + IP6_LEN];
	uint32_t header_len = player_header(p, true, ip, len, packet);
	struct pkt *pkt;

	memcpy(packet + header_len, l4, len);
	pkt = port_pkt(&p->pool, packet, header_len + len);
	if (pkt)
		port_tx_burst(p->far, &pkt, 1, p->now_ns);
}

/* ---- from the stack ---- */

/* What the header says; NULL in @s->bytes' place never: what is wrong with it is told. */
static const char *read_header(const struct player *p, const uint8_t *b, uint32_t len,
			       struct player_sent *s, uint32_t *header_len)
{
	const struct addr_pair *a = pair_of(p);

	if (p->family == SCRIPT_IP4) {
		if (len < IP4_LEN || b[0] != 0x45 || be16(b + 2) != len)
			return "a malformed IPv4 header";
		if (build_sum(0, b, IP4_LEN) != 0xffff)
			return "a wrong sum of the IPv4 header";
		*s = (struct player_sent){ .proto = b[9], .tos = b[1], .ttl = b[8] };
		s->df = b[6] & 0x40;
		*header_len = IP4_LEN;
		b += 12;
	} else {
		if (len < IP6_LEN || b[0] >> 4 != 6 || be16(b + 4) != len - IP6_LEN)
			return "a malformed IPv6 header";
		*s = (struct player_sent){ .proto = b[6], .ttl = b[7], .df = true };
		s->tos = (uint8_t)(b[0] << 4 | b[1] >> 4);
		*header_len = IP6_LEN;
		b += 8;
	}
	if (memcmp(b, a->ours, a->len) != 0 || memcmp(b + a->len, a->peer, a->len) != 0)
		return "a packet between others";
	return NULL;
}

/* What keeps a link going, and other families' packets, are not looked at. */
static bool is_noise(const struct player *p, const uint8_t *b, uint32_t len)
{
	unsigned version = len ? b[0] >> 4 : 0;

	if (p->family == SCRIPT_IP4)
		return version != 4 || (len >= IP4_LEN && b[9] == IGMP);
	if (version != 6 || len < IP6_LEN || b[6] == HOP_OPTIONS)
		return true;
	return b[6] == ICMP6 && len > IP6_LEN && b[IP6_LEN] >= LINK_FIRST &&
	       b[IP6_LEN] <= LINK_LAST;
}

static void keep(struct player *p, const uint8_t *b, uint32_t len)
{
	struct player_sent head, *s;
	uint32_t header_len;
	const char *bad;

	if (is_noise(p, b, len))
		return;
	bad = read_header(p, b, len, &head, &header_len);
	if (!bad &&
	    player_sum(p, false, head.proto, b + header_len, len - header_len) != 0xffff)
		bad = "a packet with a wrong checksum";
	if (bad) {
		player_fail(p, "the stack sent %s", bad);
		return;
	}
	s = malloc(sizeof(*s) + len);
	if (!s)
		return;
	*s = head;
	s->at_ns = p->now_ns;
	s->len = len - header_len;
	memcpy(s->bytes, b + header_len, s->len);
	list_push(&p->sent, &s->node);
}

bool player_collect(struct player *p)
{
	uint8_t packet[PLAYER_PACKET_MAX];
	bool any = false;
	struct pkt *pkt;

	while (port_rx_burst(p->far, &pkt, 1, p->now_ns) == 1) {
		keep(p, packet, pkt_read(pkt, 0, packet, sizeof(packet)));
		pkt_free(pkt);
		any = true;
	}
	return any;
}

struct player_sent *player_pop(struct player *p)
{
	if (list_empty(&p->sent))
		return NULL;
	return container_of(list_pop(&p->sent), struct player_sent, node);
}

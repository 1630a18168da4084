/*
 * Neighbour solicitations and advertisements in and out (RFC 4861 7).
 *
 * What comes in is read in this order: may it be believed, is it about an address of
 * ours (nd_addr.c), what does it say about its sender or its target (neigh.c).
 */
#include "arp/nd.h"

#include "arp/nd_wire.h"
#include "arp/neigh_impl.h"
#include "eth/eth.h"
#include "ip/ip6_wire.h"
#include "stack/base/cksum.h"
#include "stack/base/pkt.h"

enum { PROTO_ICMP6 = 58, AT_SUM = 2 };

static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };

/* The message, its sum and its header, in a packet; NULL: no memory. */
static struct pkt *packet_of(struct neigh_table *table, const struct nd_msg *m,
			     struct ip6 src, struct ip6 dst)
{
	struct pkt *p = pkt_new_buf(table->pool, PKT_CONTROL, ND_EMIT_MAX + 64);
	struct addr from = addr_ip6(src), to = addr_ip6(dst);
	struct ip6_header h = {
		.next = PROTO_ICMP6,
		.hop_limit = ND_HOP_LIMIT,
		.src = src,
		.dst = dst,
	};
	uint8_t bytes[ND_EMIT_MAX];
	struct wr w = wr_of(bytes, sizeof(bytes));
	uint64_t sum;
	uint16_t field;

	if (!p) {
		table->stats.no_memory++;
		return NULL;
	}
	nd_emit(&w, m);
	h.payload_len = (uint16_t)(w.p - bytes);
	sum = cksum_pseudo(&from, &to, PROTO_ICMP6, h.payload_len);
	field = cksum_end(cksum_add(sum, bytes, h.payload_len));
	memcpy(bytes + AT_SUM, &field, sizeof(field));
	memcpy(pkt_push(p, h.payload_len), bytes, h.payload_len);
	ip6_emit(pkt_push(p, IP6_HEADER_LEN), &h);
	return p;
}

bool nd_send(struct neigh_table *table, struct eth *eth, const struct nd_msg *m,
	     struct ip6 src, struct ip6 dst, uint64_t now_ns)
{
	struct pkt *p = packet_of(table, m, src, dst);
	struct addr next_hop = addr_ip6(dst);

	if (!p)
		return false;
	neigh_output(table, eth, &next_hop, p, now_ns);
	return true;
}

bool nd_solicit(struct neigh_table *table, struct eth *eth, struct ip6 target,
		const struct mac *at, uint64_t now_ns)
{
	struct nd_msg m = {
		.type = ND_SOLICIT, .target = target, .has_mac = true, .mac = eth->mac
	};
	struct ip6 src, dst = at ? target : nd_solicited_node(target);
	struct pkt *p;

	/* RFC 4861 7.2.2: from no address it would be a search for a duplicate. */
	if (!nd_addr_nearest(table, eth, target, &src))
		return false;
	p = packet_of(table, &m, src, dst);
	if (!p)
		return false;
	eth_output(eth, p, at ? *at : nd_group_mac(dst), ETHERTYPE_IP6, now_ns);
	table->stats.requests++;
	return true;
}

/* RFC 4861 7.2.4 */
static void reply(struct neigh_table *table, struct eth *eth, const struct nd_msg *to,
		  struct ip6 asker, uint64_t now_ns)
{
	struct nd_msg m = {
		.type = ND_ADVERT,
		.solicited = !ip6_is_zero(asker),
		.override = true,
		.target = to->target,
		.has_mac = true,
		.mac = eth->mac,
	};

	if (nd_send(table, eth, &m, to->target, m.solicited ? asker : all_nodes, now_ns))
		table->stats.replies++;
}

/* RFC 4861 7.1.1: from nobody only to the group of the target, without an address. */
static bool sane_solicit(const struct pkt *p, const struct nd_msg *m)
{
	if (!ip6_is_zero(p->src.ip6))
		return true;
	return !m->has_mac && ip6_eq(p->dst.ip6, nd_solicited_node(m->target));
}

static struct step solicit_input(struct neigh_table *table, struct eth *eth,
				 const struct pkt *p, const struct nd_msg *m,
				 uint64_t now_ns)
{
	struct nd_addr *own = nd_addr_find(table, eth, m->target);

	if (!sane_solicit(p, m))
		return step_end(V_ND_BAD);
	if (!own)
		return step_end(V_ND_NOT_OURS);
	if (nd_addr_solicited(own, p, m, now_ns))
		return step_end(V_ND_CONFLICT);
	/* RFC 4862 5.4.3: a tentative address is not answered for. */
	if (own->state != ARP_ADDR_READY)
		return step_end(V_ND_NOT_OURS);
	if (m->has_mac) {
		struct addr sender = addr_ip6(p->src.ip6);

		neigh_learn(table, eth, &sender, m->mac, NEIGH_HEARD_ASKED, now_ns);
	}
	reply(table, eth, m, p->src.ip6, now_ns);
	return step_end(V_DONE);
}

static struct step advert_input(struct neigh_table *table, struct eth *eth,
				const struct pkt *p, const struct nd_msg *m,
				uint64_t now_ns)
{
	struct nd_addr *own = nd_addr_find(table, eth, m->target);
	struct addr target = addr_ip6(m->target);

	/* RFC 4861 7.1.2 */
	if (ip6_is_multicast(p->dst.ip6) && m->solicited)
		return step_end(V_ND_BAD);
	if (own) {
		nd_addr_claimed(own, m, now_ns);
		return step_end(V_ND_CONFLICT);
	}
	neigh_advertised(table, eth, &target, m, now_ns);
	return step_end(V_DONE);
}

struct step nd_input(struct neigh_table *table, struct eth *eth, const struct pkt *p,
		     const struct nd_msg *m, uint64_t now_ns)
{
	/* No station can have a group's address, or ours (a switch gave it back). */
	if (m->has_mac && mac_is_multicast(m->mac))
		return step_end(V_ND_BAD);
	if (m->has_mac && mac_eq(m->mac, eth->mac))
		return step_end(V_ND_NOT_OURS);
	if (m->type == ND_SOLICIT)
		return solicit_input(table, eth, p, m, now_ns);
	return advert_input(table, eth, p, m, now_ns);
}

void nd_heard(struct neigh_table *table, struct eth *eth, struct ip6 addr, struct mac mac,
	      uint64_t now_ns)
{
	struct addr sender = addr_ip6(addr);

	if (!mac_is_multicast(mac) && !mac_eq(mac, eth->mac))
		neigh_learn(table, eth, &sender, mac, NEIGH_HEARD_ASKED, now_ns);
}

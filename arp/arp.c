/*
 * ARP messages in and out (RFC 826).
 *
 * What comes in is read in this order: is it sense, does it claim an address of ours
 * (arp_addr.c, RFC 5227), what does it say about its sender (neigh.c), does it ask
 * for us.
 */
#include "arp/neigh_impl.h"
#include "eth/eth.h"
#include "stack/base/pkt.h"

const struct mac arp_broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

bool arp_send(struct neigh_table *table, struct eth *eth, const struct arp_msg *m,
	      struct mac dst, uint64_t now_ns)
{
	struct pkt *p = pkt_new(table->pool, PKT_CONTROL);
	struct wr w;

	if (!p) {
		table->stats.no_memory++;
		return false;
	}
	w = wr_of(pkt_push(p, ARP_LEN), ARP_LEN);
	arp_emit(&w, m);
	eth_output(eth, p, dst, ETHERTYPE_ARP, now_ns);
	return true;
}

bool arp_request(struct neigh_table *table, struct eth *eth, struct ip4 addr,
		 struct mac dst, uint64_t now_ns)
{
	struct arp_msg m = {
		.op = ARP_REQUEST,
		.sender_mac = eth->mac,
		.target_ip = addr,
	};

	/* With no sender address it would be a probe (RFC 5227 1.1): not for this. */
	if (!arp_addr_nearest(table, eth, addr, &m.sender_ip) ||
	    !arp_send(table, eth, &m, dst, now_ns))
		return false;
	table->stats.requests++;
	return true;
}

static void reply(struct neigh_table *table, struct eth *eth, const struct arp_msg *to,
		  uint64_t now_ns)
{
	struct arp_msg m = {
		.op = ARP_REPLY,
		.sender_mac = eth->mac,
		.sender_ip = to->target_ip,
		.target_mac = to->sender_mac,
		.target_ip = to->sender_ip,
	};

	if (arp_send(table, eth, &m, to->sender_mac, now_ns))
		table->stats.replies++;
}

/* True for a sender that a station can be.  Without an address it may only probe. */
static bool sane(const struct arp_msg *m)
{
	static const struct mac none;

	if (mac_is_multicast(m->sender_mac) || mac_eq(m->sender_mac, none))
		return false;
	if (ip4_is_zero(m->sender_ip))
		return m->op == ARP_REQUEST;
	return m->sender_ip.b[0] != 0 && m->sender_ip.b[0] != 127 &&
	       m->sender_ip.b[0] < 224;
}

struct step arp_input(struct neigh_table *table, struct eth *eth, struct pkt *p,
		      uint64_t now_ns)
{
	struct rd r = rd_of(p->data, p->len);
	const struct arp_addr *target;
	enum neigh_heard how = NEIGH_HEARD_SAID;
	struct arp_msg m;

	if (!arp_parse(&r, &m) || !sane(&m))
		return step_end(V_ARP_BAD);
	if (arp_addr_is_our_mac(table, eth, m.sender_mac))
		return step_end(V_ARP_NOT_OURS); /* a switch gave us our own back */
	if (arp_addr_conflict(table, eth, &m, now_ns))
		return step_end(V_ARP_CONFLICT);
	target = arp_addr_find(table, eth, m.target_ip);
	if (target && target->state != ARP_ADDR_READY)
		target = NULL;
	if (target)
		how = m.op == ARP_REQUEST ? NEIGH_HEARD_ASKED : NEIGH_HEARD_ANSWER;
	if (!ip4_is_zero(m.sender_ip)) {
		struct addr sender = addr_ip4(m.sender_ip);

		neigh_learn(table, eth, &sender, m.sender_mac, how, now_ns);
	}
	if (!target)
		return step_end(V_ARP_NOT_OURS);
	if (m.op == ARP_REQUEST)
		reply(table, eth, &m, now_ns);
	return step_end(V_DONE);
}

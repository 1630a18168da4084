#include <criterion/criterion.h>
#include <errno.h>

#include "ip/dhcp4_impl.h"
#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

/*
 * The client of interface 0 and a server, 192.0.2.9 at peer_mac[0], for which the test
 * speaks.  It offers 192.0.2.50/24 for an hour.
 */
static struct host *h;
static struct look l;
static struct dhcp_msg q; /* the last question */
static struct dhcp_msg offer;
static const struct ip4 nobody, everybody = { { 255, 255, 255, 255 } };
static const struct ip4 leased = { { 192, 0, 2, 50 } };

static void setup(void)
{
	h = host_bare();
	cr_assert_eq(dhcp4_new(&h->dhcp, h->ip, h->udp), 0);
	offer = (struct dhcp_msg){
		.op = DHCP_BOOTREPLY,
		.yiaddr = leased,
		.chaddr = host_mac[0],
		.server = peer_ip[0],
		.has_lease = true,
		.lease_s = 3600,
		.bits = 24,
		.n_routers = 1,
		.routers = { gateway_ip },
		.n_dns = 1,
		.dns = { { { 192, 0, 2, 53 } } },
		.domain = "example.org",
	};
}

static void clean(void)
{
	host_drain(h);
	host_free(h);
}

Cases(dhcp4, setup, clean);

static struct dhcp4_info info(void)
{
	struct dhcp4_info i;

	dhcp4_info(h->dhcp, 0, &i);
	return i;
}

static enum dhcp4_state state(void)
{
	return info().state;
}

static void start(bool probe)
{
	struct dhcp4_conf conf = { .probe = probe };

	cr_assert_eq(dhcp4_start(h->dhcp, 0, &conf, h->now_ns), 0);
}

/* ARP: @ip at @mac asks for @target; of itself: it says where it is. */
static void arp(struct ip4 ip, struct mac mac, struct ip4 target)
{
	struct build_arp m = {
		.eth_dst = all_mac,
		.eth_src = mac,
		.op = 1,
		.sender_mac = mac,
		.sender_ip = ip,
		.target_ip = target,
	};
	uint8_t frame[64];

	host_receive(h, 0, frame, build_arp(frame, &m));
}

/* Takes the next message to a server, as @q; false: nothing but ARP was sent, which is
 * answered. */
static bool asked(void)
{
	while (host_sent(h, 0, &l)) {
		if (l.arp_op == 1 && ip4_eq(l.target_ip, peer_ip[0]))
			arp(peer_ip[0], peer_mac[0], leased);
		if (l.type != 0x0800)
			continue;
		cr_assert(l.sound && l.proto == 17 && l.src_port == 68 &&
			  l.dst_port == 67);
		cr_assert(dhcp_parse(l.payload, l.payload_len, &q));
		cr_assert(q.op == DHCP_BOOTREQUEST && mac_eq(q.chaddr, host_mac[0]));
		return true;
	}
	return false;
}

/* The same, and that it is a @type from @src to @dst. */
static bool said(enum dhcp_type type, struct ip4 src, struct ip4 dst)
{
	return asked() && q.type == type && ip4_eq(l.src, src) && ip4_eq(l.dst, dst) &&
	       mac_eq(l.eth_dst, ip4_eq(dst, everybody) ? all_mac : peer_mac[0]);
}

static bool said_to_all(enum dhcp_type type)
{
	return said(type, nobody, everybody);
}

/* @m comes, to all or to the address that is ours. */
static struct step hear(const struct dhcp_msg *m)
{
	struct build_ip4 ip = host_from_peer(0);
	uint8_t bytes[DHCP_LEN_MAX], frame[BUILD_MAX];
	struct wr w = wr_of(bytes, sizeof(bytes));

	dhcp_emit(&w, m);
	ip.dst = everybody;
	ip.eth_dst = all_mac;
	return host_receive(
		h, 0, frame,
		build_udp(frame, &ip, 67, 68, bytes, (uint32_t)(w.p - bytes)));
}

/* The server answers the last question. */
static enum verdict answer(enum dhcp_type type)
{
	offer.type = type;
	offer.xid = q.xid;
	return hear(&offer).verdict;
}

/* Time goes on until something is asked; after how many milliseconds. */
static uint64_t until_asked(uint64_t limit_ms)
{
	for (uint64_t ms = 0; ms <= limit_ms; ms++) {
		if (asked())
			return ms;
		host_pass(h, NS_PER_MS);
	}
	return UINT64_MAX;
}

static void get_offer(void)
{
	cr_assert_neq(until_asked(100000), UINT64_MAX);
	cr_assert_eq(q.type, DHCP_DISCOVER);
	cr_assert_eq(answer(DHCP_OFFER), V_DONE);
	cr_assert_eq(state(), DHCP4_REQUESTING);
	cr_assert(said_to_all(DHCP_REQUEST));
}

/* The server is a neighbour, and the answer is taken away. */
static void meet_server(void)
{
	arp(peer_ip[0], peer_mac[0], leased);
	host_drain(h);
}

static void become_bound(void)
{
	start(false);
	get_offer();
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	host_pass(h, NS_PER_MS);
	cr_assert_eq(state(), DHCP4_BOUND);
	meet_server();
	host_pass(h, 3 * NS_PER_S);
	host_drain(h);
}

static bool has_address(void)
{
	struct addr addr = addr_ip4(leased);

	return ip_is_ours(h->ip, &addr);
}

/* Where packets to @text go first; "" when there is no way. */
static const char *way_to(const char *text, char out[static ADDR_TEXT_LEN])
{
	const struct ip_dst *d;
	struct addr dst;

	cr_assert(addr_parse(text, &dst));
	d = ip_dst_find(h->ip, &dst, NULL);
	return d ? addr_text(&d->next_hop, out) : "";
}

/* ---- a lease is found ---- */

Case(dhcp4, asks_all_stations_within_a_second_and_says_who_it_is)
{
	/* RFC 4361 6.1: 255, IAID, DUID-LL of Ethernet and our address. */
	static const uint8_t id[] = { 255, 0, 0, 0, 1, 0, 3, 0, 1, 2, 0, 0, 0, 0, 1 };

	start(true);
	cr_assert_leq(until_asked(1000), 1000);
	cr_assert_eq(q.type, DHCP_DISCOVER);
	cr_assert(ip4_eq(l.src, nobody) && ip4_eq(l.dst, everybody));
	cr_assert(mac_eq(l.eth_dst, all_mac) && q.broadcast && q.size_max == 1500);
	cr_assert(ip4_is_zero(q.ciaddr) && ip4_is_zero(q.requested));
	cr_assert_eq(q.id_len, sizeof(id));
	cr_assert_arr_eq(q.id, id, sizeof(id));
	cr_assert_geq(l.payload_len, 300);
	cr_assert_eq(state(), DHCP4_SELECTING);
}

/* RFC 3442: who asks for both wants routes first. */
Case(dhcp4, asks_for_routes_before_routers)
{
	start(true);
	until_asked(1000);
	cr_assert(q.n_asks >= 3 && q.asks[1] == DHCP_ROUTES && q.asks[2] == DHCP_ROUTERS);
}

Case(dhcp4, asks_less_and_less_often)
{
	static const unsigned expected_s[] = { 4, 8, 16, 32, 64, 64, 64 };
	uint16_t secs = 0;

	start(true);
	until_asked(1000);
	for (unsigned i = 0; i < ARRAY_LEN(expected_s); i++) {
		uint64_t ms = until_asked(100000);

		cr_assert(ms >= expected_s[i] * 1000 - 1000 &&
				  ms <= expected_s[i] * 1000 + 1001,
			  "number %u after %lu ms", i, ms);
		cr_assert(q.type == DHCP_DISCOVER && q.secs > secs);
		secs = q.secs;
	}
}

Case(dhcp4, an_offer_is_asked_for_probed_and_used)
{
	char out[ADDR_TEXT_LEN];
	uint16_t secs;
	uint32_t xid;

	start(true);
	until_asked(1000);
	xid = q.xid;
	secs = q.secs;
	cr_assert_eq(answer(DHCP_OFFER), V_DONE);
	cr_assert(said_to_all(DHCP_REQUEST));
	cr_assert(q.xid == xid && q.secs == secs && ip4_eq(q.requested, leased) &&
		  ip4_eq(q.server, peer_ip[0]) && ip4_is_zero(q.ciaddr));
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	cr_assert_eq(state(), DHCP4_PROBING);
	cr_assert(!has_address() && !info().addr.family);
	host_pass(h, 8 * NS_PER_S);
	cr_assert_eq(state(), DHCP4_BOUND);
	cr_assert(has_address() && ip4_eq(info().addr.ip4, leased) && info().bits == 24);
	cr_assert(info().n_dns == 1 && info().dns[0].b[3] == 53);
	cr_assert_str_eq(info().domain, "example.org");
	cr_assert_str_eq(way_to("192.0.2.77", out), "192.0.2.77");
	cr_assert_str_eq(way_to("203.0.113.1", out), "192.0.2.254");
	host_drain(h);
}

Case(dhcp4, a_request_without_an_answer_begins_again_after_the_fourth)
{
	start(false);
	get_offer();
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_neq(until_asked(100000), UINT64_MAX);
		cr_assert_eq(q.type, DHCP_REQUEST);
	}
	cr_assert_neq(until_asked(100000), UINT64_MAX);
	cr_assert_eq(q.type, DHCP_DISCOVER);
}

Case(dhcp4, an_address_in_use_is_declined)
{
	start(true);
	get_offer();
	answer(DHCP_ACK);
	host_pass(h, 2 * NS_PER_S);
	cr_assert_eq(state(), DHCP4_PROBING);
	arp(leased, peer_mac[1], leased);
	host_pass(h, 100 * NS_PER_MS);
	cr_assert(said_to_all(DHCP_DECLINE));
	cr_assert(ip4_eq(q.requested, leased) && ip4_eq(q.server, peer_ip[0]));
	cr_assert(ip4_is_zero(q.ciaddr) && q.id_len && !q.n_asks && !q.size_max);
	cr_assert_eq(state(), DHCP4_INIT);
	cr_assert_eq(dhcp4_stats(h->dhcp)->declined, 1);
	cr_assert_eq(h->ip->n_unready, 0);
	/* RFC 2131 3.1 (5): not for ten seconds. */
	cr_assert_geq(until_asked(20000), 9800);
	cr_assert_eq(q.type, DHCP_DISCOVER);
}

Case(dhcp4, a_nak_begins_again_and_many_are_answered_slowly)
{
	uint64_t ms, last = 0;

	start(false);
	for (unsigned i = 0; i < 7; i++) {
		get_offer();
		cr_assert_eq(answer(DHCP_NAK), V_DONE);
		cr_assert_eq(state(), DHCP4_INIT);
		for (ms = 0; state() == DHCP4_INIT; ms++)
			host_pass(h, NS_PER_MS);
		cr_assert(ms > last, "number %u after %lu ms", i, ms);
		last = ms;
	}
	cr_assert(last >= 64000 && last < 65000);
	cr_assert_eq(dhcp4_stats(h->dhcp)->naks, 7);
}

Case(dhcp4, an_address_it_had_is_asked_for_first)
{
	struct dhcp4_conf conf = { .again = leased };

	cr_assert_eq(dhcp4_start(h->dhcp, 0, &conf, h->now_ns), 0);
	cr_assert(said_to_all(DHCP_REQUEST));
	cr_assert(ip4_eq(q.requested, leased) && ip4_is_zero(q.server) &&
		  ip4_is_zero(q.ciaddr));
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	host_pass(h, NS_PER_MS);
	cr_assert_eq(state(), DHCP4_BOUND);
}

Case(dhcp4, an_address_it_had_and_cannot_have_is_forgotten)
{
	struct dhcp4_conf conf = { .again = { { 10, 0, 0, 9 } } };

	cr_assert_eq(dhcp4_start(h->dhcp, 0, &conf, h->now_ns), 0);
	cr_assert(asked());
	cr_assert_eq(answer(DHCP_NAK), V_DONE);
	get_offer();
	cr_assert(ip4_eq(q.requested, leased));
}

/* ---- a lease goes on, and ends ---- */

Case(dhcp4, is_renewed_with_its_server_after_half_of_the_time)
{
	uint64_t ends_ns, announcements;

	become_bound();
	announcements = neigh_stats(h->neigh)->announcements;
	ends_ns = info().ends_ns;
	host_pass(h, 1600 * NS_PER_S);
	cr_assert_eq(state(), DHCP4_BOUND);
	cr_assert_leq(until_asked(200000), 200000);
	cr_assert_eq(state(), DHCP4_RENEWING);
	cr_assert(q.type == DHCP_REQUEST && ip4_eq(l.src, leased) &&
		  ip4_eq(l.dst, peer_ip[0]) && mac_eq(l.eth_dst, peer_mac[0]));
	/* RFC 2131 4.3.2: only ciaddr says what it is about. */
	cr_assert(ip4_eq(q.ciaddr, leased) && ip4_is_zero(q.requested) &&
		  ip4_is_zero(q.server) && !q.broadcast);
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	cr_assert_eq(state(), DHCP4_BOUND);
	cr_assert_gt(info().ends_ns, ends_ns + 1600 * NS_PER_S);
	cr_assert(has_address());
	/* Nothing changed, so nothing was announced anew. */
	cr_assert_eq(neigh_stats(h->neigh)->announcements, announcements);
}

Case(dhcp4, is_asked_for_from_anybody_after_seven_eighths)
{
	become_bound();
	while (state() != DHCP4_REBINDING) {
		host_pass(h, NS_PER_S);
		meet_server();
	}
	cr_assert(h->now_ns / NS_PER_S > 3000 && h->now_ns / NS_PER_S < 3160);
	host_drain(h);
	cr_assert_neq(until_asked(400000), UINT64_MAX);
	cr_assert(ip4_eq(l.dst, everybody) && mac_eq(l.eth_dst, all_mac));
	cr_assert(ip4_eq(l.src, leased) && ip4_eq(q.ciaddr, leased));
	/* Another server has taken the first one's place. */
	offer.server.b[3] = 10;
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	cr_assert_eq(state(), DHCP4_BOUND);
	cr_assert_eq(info().server.ip4.b[3], 10);
}

Case(dhcp4, an_end_without_an_answer_takes_the_address_away)
{
	char out[ADDR_TEXT_LEN];

	become_bound();
	host_pass(h, 3590 * NS_PER_S);
	cr_assert_eq(state(), DHCP4_REBINDING);
	cr_assert(has_address());
	host_drain(h);
	host_pass(h, 11 * NS_PER_S);
	cr_assert(!has_address() && !info().addr.family);
	cr_assert_eq(dhcp4_stats(h->dhcp)->expired, 1);
	cr_assert_eq(h->ip->n_routes, 0);
	cr_assert_str_eq(way_to("192.0.2.77", out), "");
	cr_assert(said_to_all(DHCP_DISCOVER));
}

/* RFC 2131 4.4.5: half of the time that is left, and no more often than once a minute. */
Case(dhcp4, does_not_ask_again_and_again_while_it_renews)
{
	unsigned n = 0;
	uint64_t ms;

	become_bound();
	until_asked(1900000);
	while ((ms = until_asked(1900000)) != UINT64_MAX && q.type == DHCP_REQUEST) {
		cr_assert(n == 0 || ms > 50000 || state() == DHCP4_REBINDING);
		meet_server();
		n++;
	}
	cr_assert(n > 4 && n < 16, "%u requests", n);
}

Case(dhcp4, a_nak_takes_the_address_away_at_once)
{
	become_bound();
	until_asked(2000000);
	cr_assert_eq(answer(DHCP_NAK), V_DONE);
	cr_assert(!has_address());
	cr_assert_eq(state(), DHCP4_INIT);
}

Case(dhcp4, for_ever_is_never_renewed)
{
	offer.lease_s = DHCP_FOR_EVER;
	become_bound();
	cr_assert_eq(info().ends_ns, UINT64_MAX);
	cr_assert_eq(h->wheel.n_armed, 0);
}

Case(dhcp4, what_changed_with_a_renewal_is_put_in_force)
{
	uint32_t generation;
	char out[ADDR_TEXT_LEN];

	become_bound();
	generation = info().generation;
	until_asked(2000000);
	offer.routers[0].b[3] = 253;
	offer.dns[0].b[3] = 54;
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	cr_assert_eq(state(), DHCP4_BOUND);
	cr_assert(has_address() && info().generation != generation);
	cr_assert_str_eq(way_to("203.0.113.1", out), "192.0.2.253");
	cr_assert_eq(info().dns[0].b[3], 54);
	cr_assert_eq(h->ip->n_routes, 2);
}

Case(dhcp4, the_times_of_the_server_are_kept_when_they_can_be)
{
	offer.t1_s = 100;
	offer.t2_s = 200;
	become_bound();
	cr_assert_leq(until_asked(101000), 101000);
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	offer.t1_s = 200; /* not before the other */
	cr_assert_leq(until_asked(101000), 101000);
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	cr_assert_gt(until_asked(2000000), 1600000);
}

Case(dhcp4, gives_the_lease_back_when_it_is_stopped)
{
	become_bound();
	dhcp4_stop(h->dhcp, 0, h->now_ns);
	cr_assert(said(DHCP_RELEASE, leased, peer_ip[0]));
	cr_assert(ip4_eq(q.ciaddr, leased) && ip4_eq(q.server, peer_ip[0]) && q.id_len);
	cr_assert(!has_address() && state() == DHCP4_OFF);
	dhcp4_stop(h->dhcp, 0, h->now_ns);
	cr_assert_eq(until_asked(5000000), UINT64_MAX);
}

/* ---- what a lease says ---- */

Case(dhcp4, routes_come_before_routers)
{
	char out[ADDR_TEXT_LEN];

	offer.n_routes = 3;
	offer.routes[0] = (struct dhcp_route){ .prefix = { { 10, 0, 0, 0 } },
					       .bits = 8,
					       .router = { { 192, 0, 2, 7 } } };
	/* A gateway outside of the subnet, reached on the link (RFC 3442). */
	offer.routes[1] =
		(struct dhcp_route){ .prefix = { { 198, 18, 0, 1 } }, .bits = 32 };
	offer.routes[2] = (struct dhcp_route){ .router = { { 198, 18, 0, 1 } } };
	become_bound();
	cr_assert_str_eq(way_to("10.9.9.9", out), "192.0.2.7");
	cr_assert_str_eq(way_to("198.18.0.1", out), "198.18.0.1");
	cr_assert_str_eq(way_to("203.0.113.1", out), "198.18.0.1");
	cr_assert_eq(dhcp4_stats(h->dhcp)->odd, 0);
	dhcp4_stop(h->dhcp, 0, h->now_ns);
	cr_assert_eq(h->ip->n_routes, 0);
}

Case(dhcp4, routes_that_cannot_be_are_passed_over)
{
	char out[ADDR_TEXT_LEN];

	offer.n_routes = 4;
	offer.routes[0] = (struct dhcp_route){ .router = { { 203, 0, 113, 1 } } };
	offer.routes[1] = (struct dhcp_route){ .prefix = { { 127, 0, 0, 0 } },
					       .bits = 8,
					       .router = gateway_ip };
	offer.routes[2] = (struct dhcp_route){ .prefix = { { 224, 0, 0, 0 } },
					       .bits = 4,
					       .router = gateway_ip };
	offer.routes[3] = (struct dhcp_route){ .prefix = { { 10, 0, 0, 0 } },
					       .bits = 8,
					       .router = gateway_ip };
	become_bound();
	cr_assert_eq(dhcp4_stats(h->dhcp)->odd, 3);
	cr_assert_str_eq(way_to("10.0.0.1", out), "192.0.2.254");
	cr_assert_str_eq(way_to("203.0.113.1", out), "");
}

Case(dhcp4, a_router_that_is_nowhere_near_is_passed_over_for_the_next)
{
	char out[ADDR_TEXT_LEN];

	offer.n_routers = 3;
	offer.routers[0] = (struct ip4){ { 203, 0, 113, 1 } };
	offer.routers[1] = leased;
	offer.routers[2] = gateway_ip;
	become_bound();
	cr_assert_eq(dhcp4_stats(h->dhcp)->odd, 2);
	cr_assert_str_eq(way_to("203.0.113.1", out), "192.0.2.254");
}

Case(dhcp4, the_mtu_is_lowered_and_comes_back)
{
	offer.mtu = 1400;
	become_bound();
	cr_assert_eq(h->eth[0].mtu, 1400);
	dhcp4_stop(h->dhcp, 0, h->now_ns);
	cr_assert_eq(h->eth[0].mtu, 1500);
}

Case(dhcp4, an_mtu_that_is_too_small_or_too_big_changes_nothing)
{
	offer.mtu = 100;
	become_bound();
	cr_assert_eq(h->eth[0].mtu, 1500);
	cr_assert_eq(dhcp4_stats(h->dhcp)->odd, 1);
	offer.mtu = 9000;
	until_asked(2000000);
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	cr_assert_eq(h->eth[0].mtu, 1500);
}

Case(dhcp4, without_a_mask_a_network_is_of_its_class)
{
	offer.bits = 0;
	offer.n_routers = 0;
	become_bound();
	cr_assert_eq(info().bits, 24);
}

/* ---- servers that mean no good, or nothing ---- */

static void ignored(const char *what, const struct dhcp_msg *m, enum verdict v)
{
	enum dhcp4_state before = state();

	cr_assert_eq(hear(m).verdict, v, "%s", what);
	cr_assert_eq(state(), before, "%s", what);
	cr_assert(!asked(), "%s", what);
}

Case(dhcp4, offers_of_what_cannot_be_are_counted_and_nothing_else)
{
	static const struct ip4 bad[] = { { { 0, 0, 0, 0 } },	  { { 127, 0, 0, 1 } },
					  { { 224, 0, 0, 1 } },	  { { 192, 0, 2, 0 } },
					  { { 192, 0, 2, 255 } }, { { 192, 0, 2, 9 } } };
	struct dhcp_msg m;

	start(false);
	until_asked(1000);
	offer.xid = q.xid;
	offer.type = DHCP_OFFER;
	for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
		m = offer, m.yiaddr = bad[i];
		ignored("address", &m, V_DHCP_BAD);
	}
	m = offer, m.has_lease = false, ignored("no lease", &m, V_DHCP_BAD);
	m = offer, m.lease_s = 0, ignored("lease of nothing", &m, V_DHCP_BAD);
	m = offer, m.lease_s = DHCP4_LEASE_LEAST_S - 1, ignored("short", &m, V_DHCP_BAD);
	m = offer, m.server = nobody, ignored("no server", &m, V_DHCP_BAD);
	cr_assert_eq(dhcp4_stats(h->dhcp)->absurd, ARRAY_LEN(bad) + 4);
	cr_assert_eq(hear(&offer).verdict, V_DONE);
}

Case(dhcp4, messages_to_others_are_counted_and_nothing_else)
{
	struct dhcp_msg m;

	start(false);
	until_asked(1000);
	offer.xid = q.xid;
	offer.type = DHCP_OFFER;
	m = offer, m.xid++, ignored("xid", &m, V_DHCP_NOT_OURS);
	m = offer, m.chaddr.b[5]++, ignored("mac", &m, V_DHCP_NOT_OURS);
	m = offer, m.op = DHCP_BOOTREQUEST, ignored("op", &m, V_DHCP_NOT_OURS);
	m = offer, m.type = DHCP_ACK, ignored("early", &m, V_DHCP_NOT_OURS);
	m = offer, m.type = DHCP_NAK, ignored("early nak", &m, V_DHCP_NOT_OURS);
	m = offer, m.type = DHCP_DISCOVER, ignored("discover", &m, V_DHCP_NOT_OURS);
	/* RFC 6842 3 */
	m = offer, m.id_len = 2, m.id[0] = 1, ignored("id", &m, V_DHCP_NOT_OURS);
	cr_assert_eq(dhcp4_stats(h->dhcp)->not_ours, 7);
	m = offer, m.id_len = q.id_len, memcpy(m.id, q.id, q.id_len);
	cr_assert_eq(hear(&m).verdict, V_DONE);
	cr_assert(said_to_all(DHCP_REQUEST));
	/* Another server, or another address than was asked for. */
	m = offer, m.type = DHCP_ACK, m.server.b[3]++;
	ignored("server", &m, V_DHCP_NOT_OURS);
	m = offer, m.type = DHCP_NAK, m.server.b[3]++;
	ignored("nak of another", &m, V_DHCP_NOT_OURS);
	m = offer, m.type = DHCP_ACK, m.yiaddr.b[3]++;
	ignored("address", &m, V_DHCP_BAD);
	m = offer, ignored("late offer", &m, V_DHCP_NOT_OURS);
}

Case(dhcp4, a_lease_is_not_taken_away_by_a_stranger)
{
	struct dhcp_msg m;

	become_bound();
	m = offer, m.type = DHCP_NAK, ignored("nak while bound", &m, V_DHCP_NOT_OURS);
	m = offer, m.type = DHCP_ACK, ignored("ack while bound", &m, V_DHCP_NOT_OURS);
	until_asked(2000000);
	m = offer, m.type = DHCP_NAK, m.xid = q.xid + 1;
	ignored("nak with another number", &m, V_DHCP_NOT_OURS);
	cr_assert(has_address());
}

Case(dhcp4, malformed_messages_are_counted_and_nothing_else)
{
	struct build_ip4 ip = host_from_peer(0);
	static uint8_t bytes[2000], frame[BUILD_MAX];

	start(false);
	until_asked(1000);
	ip.dst = everybody;
	ip.eth_dst = all_mac;
	for (uint32_t len = 0; len < sizeof(bytes); len += 100) {
		uint32_t n = build_udp(frame, &ip, 67, 68, bytes, len);

		if (n > 1514)
			break;
		cr_assert_eq(host_receive(h, 0, frame, n).verdict, V_DHCP_BAD);
	}
	cr_assert_eq(dhcp4_stats(h->dhcp)->bad, 15);
	cr_assert_eq(state(), DHCP4_SELECTING);
}

Case(dhcp4, an_address_that_is_configured_already_is_not_taken)
{
	struct addr own = addr_ip4(leased);

	cr_assert_eq(ip_addr_add(h->ip, 0, &own, 24, false, h->now_ns), 0);
	start(false);
	get_offer();
	cr_assert_eq(answer(DHCP_ACK), V_DONE);
	cr_assert_eq(state(), DHCP4_INIT);
	cr_assert(has_address());
}

Case(dhcp4, is_for_an_interface_with_others_on_it)
{
	struct dhcp4_conf conf = { 0 };

	cr_assert_eq(dhcp4_start(h->dhcp, 5, &conf, h->now_ns), -EINVAL);
	cr_assert_eq(dhcp4_start(h->dhcp, IP_IFACE_MAX, &conf, h->now_ns), -EINVAL);
	h->eth[1].point_to_point = true;
	cr_assert_eq(dhcp4_start(h->dhcp, 1, &conf, h->now_ns), -EINVAL);
	h->eth[1].point_to_point = false;
	cr_assert_eq(dhcp4_start(h->dhcp, 1, &conf, h->now_ns), 0);
	cr_assert_eq(dhcp4_start(h->dhcp, 1, &conf, h->now_ns), -EINVAL);
}

Case(dhcp4, an_empty_pool_is_an_ordinary_day)
{
	struct pkt *taken = NULL, *p;

	start(false);
	while ((p = pkt_new_buf(&h->pool, PKT_CONTROL, 0))) {
		p->link = taken;
		taken = p;
	}
	host_pass(h, 2 * NS_PER_S);
	cr_assert_geq(dhcp4_stats(h->dhcp)->not_sent, 1);
	pkt_free_list(taken);
	get_offer();
}

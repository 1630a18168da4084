#include <criterion/criterion.h>

#include "ip/ip_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static struct ip6_iface *i;
static uint8_t f[2048];

/* A host that has a link-local address, and hears routers. */
static void setup(void)
{
	h = host_bare();
	i = &h->ip->ifaces[0].ip6;
	cr_assert_eq(ip6_start(h->ip, 0, false, h->now_ns), 0);
	ip6_listen_to_routers(h->ip, 0, h->now_ns);
	host_pass(h, 3 * NS_PER_S);
	host_drain(h);
}

static void clean(void)
{
	host_drain(h);
	host_free(h);
}

Cases(ra, setup, clean);

static const struct ip6 router = { { 0xfe, 0x80, [15] = 0xfe } };
static const struct ip6 router2 = { { 0xfe, 0x80, [15] = 0xfd } };
static const struct ip6 all_nodes = { { 0xff, 2, [15] = 1 } };
static const struct ip6 prefix = { { 0x20, 0x01, 0x0d, 0xb8, 0, 7 } };

static void put32(uint8_t *b, uint32_t v)
{
	for (unsigned k = 0; k < 4; k++)
		b[k] = (uint8_t)(v >> (24 - 8 * k));
}

/* What a router says. */
static struct advert {
	struct ip6 src;
	uint8_t hops, hop_limit, flags;
	uint16_t lifetime;
	uint32_t mtu; /* 0: unsaid */
	uint8_t n_prefixes, prefix_flags, bits;
	uint32_t valid, preferred;
	struct ip6 prefix;
} said;

static void begin(void)
{
	said = (struct advert){
		.src = router,
		.hops = 255,
		.hop_limit = 64,
		.lifetime = 1800,
		.n_prefixes = 1,
		.prefix_flags = 0xc0,
		.bits = 64,
		.valid = 86400,
		.preferred = 14400,
		.prefix = prefix,
	};
}

static enum verdict advertise(void)
{
	struct build_ip6 ip = host6_from_peer(0);
	uint8_t b[1200] = { 0 };
	uint32_t len = 8;

	ip.src = said.src;
	ip.dst = all_nodes;
	ip.eth_dst = build_group_mac(all_nodes);
	ip.hops = said.hops;
	memcpy(b + len, "\1\1", 2);
	memcpy(b + len + 2, peer_mac[0].b, 6);
	len += 8;
	if (said.mtu) {
		memcpy(b + len, "\5\1\0\0", 4);
		put32(b + len + 4, said.mtu);
		len += 8;
	}
	for (unsigned k = 0; k < said.n_prefixes; k++, len += 32) {
		b[len] = 3;
		b[len + 1] = 4;
		b[len + 2] = said.bits;
		b[len + 3] = said.prefix_flags;
		put32(b + len + 4, said.valid);
		put32(b + len + 8, said.preferred);
		memcpy(b + len + 16, said.prefix.b, 16);
		b[len + 16 + 6] = (uint8_t)(said.prefix.b[6] + k);
	}
	len = build_icmp6(f, &ip, 134 << 8,
			  (uint32_t)said.hop_limit << 24 | (uint32_t)said.flags << 16 |
				  said.lifetime,
			  b, len);
	return host_receive(h, 0, f, len).verdict;
}

static const struct ip_route *route_to(struct ip6 dst)
{
	struct addr a = addr_ip6(dst);

	return ip_route_find(h->ip, &a);
}

static const struct ip6 far = { { 0x20, 0x01, 0x0d, 0xb8, 0x99, [15] = 1 } };

static bool default_is(struct ip6 addr)
{
	const struct ip_route *r = route_to(far);

	return r && r->bits == 0 && ip6_eq(r->gateway.ip6, addr);
}

/* The address of ours in the prefix; NULL: we have none. */
static const struct ip6_addr *made(void)
{
	for (unsigned k = 0; k < i->n_addrs; k++)
		if (memcmp(i->addrs[k].addr.b, prefix.b, 8) == 0)
			return &i->addrs[k];
	return NULL;
}

/* ---- solicitations ---- */

Case(ra, routers_are_solicited_ever_more_slowly)
{
	struct host *bare = host_bare();
	uint64_t at[8], n = 0;

	ip6_start(bare->ip, 0, false, bare->now_ns);
	ip6_listen_to_routers(bare->ip, 0, bare->now_ns);
	for (unsigned ms = 0; ms < 200000 && n < 6; ms += 10) {
		host_pass(bare, 10 * NS_PER_MS);
		while (host_sent(bare, 0, &l))
			if (l.icmp_type == 133) {
				cr_assert(l.sound && l.ttl == 255 && l.dst6.b[15] == 2);
				/* Who it is at is said with it: source 1. */
				cr_assert(l.payload_len == 8 && l.payload[0] == 1);
				at[n++] = bare->now_ns;
			}
	}
	cr_assert_eq(n, 6);
	/* RFC 7559 2: each about twice as late as the one before. */
	for (unsigned k = 2; k < 6; k++) {
		double times =
			(double)(at[k] - at[k - 1]) / (double)(at[k - 1] - at[k - 2]);

		cr_assert(times > 1.5 && times < 2.6, "%f", times);
	}
	host_drain(bare);
	host_free(bare);
}

Case(ra, a_router_that_answered_is_not_solicited_again)
{
	begin();
	cr_assert_eq(advertise(), V_DONE);
	for (unsigned k = 0; k < 100; k++) {
		host_pass(h, NS_PER_S);
		while (host_sent(h, 0, &l))
			cr_assert_neq(l.icmp_type, 133);
	}
}

/* ---- default routers ---- */

Case(ra, a_router_is_the_way_out_as_long_as_it_says)
{
	begin();
	cr_assert_eq(advertise(), V_DONE);
	cr_assert(default_is(router));
	host_pass(h, 1799 * NS_PER_S);
	cr_assert(default_is(router));
	host_pass(h, 2 * NS_PER_S);
	cr_assert(!route_to(far));
	advertise();
	cr_assert(default_is(router));
	said.lifetime = 0;
	advertise();
	cr_assert(!route_to(far));
}

Case(ra, the_better_router_goes_first)
{
	begin();
	advertise();
	said.src = router2;
	said.flags = 1 << 3; /* high */
	advertise();
	cr_assert(default_is(router2));
	said.flags = 3 << 3; /* low */
	advertise();
	cr_assert(default_is(router));
}

Case(ra, what_was_configured_goes_before_routers)
{
	struct ip_route own = { .prefix.family = ADDR_IP6, .gateway = addr_ip6(router2) };

	cr_assert_eq(ip_route_add(h->ip, &own), 0);
	begin();
	advertise();
	cr_assert(default_is(router2));
}

Case(ra, so_many_routers_and_no_more)
{
	begin();
	said.n_prefixes = 0;
	for (unsigned k = 0; k < RA_ROUTERS_MAX + 3; k++) {
		said.src.b[14] = (uint8_t)k;
		advertise();
	}
	cr_assert(i->ra.n_routers == RA_ROUTERS_MAX);
	cr_assert_eq(h->ip->n_routes, RA_ROUTERS_MAX);
}

static void send_far(void)
{
	struct ip_out how = { .dst = addr_ip6(far), .proto = 6 };

	ip_output(h->ip, host_bytes(h, 60), &how, h->now_ns);
}

Case(ra, another_router_is_tried_when_one_does_not_answer)
{
	begin();
	advertise();
	said.src = router2;
	said.flags = 3 << 3;
	advertise();
	host_pass(h, 3 * NS_PER_S);
	send_far();
	/* It was heard, so it is believed for a while; then asked; then given up. */
	host_pass(h, 20 * NS_PER_S);
	send_far();
	host_pass(h, 10 * NS_PER_S);
	cr_assert(default_is(router2));
	/* It lives, if it says so. */
	said.src = router;
	said.flags = 0;
	advertise();
	cr_assert(default_is(router));
	while (host_loop(h).verdict != V_COUNT)
		continue;
}

Case(ra, who_says_that_it_is_no_router_is_none)
{
	struct build_ip6 ip = host6_from_peer(0);
	struct build_nd nd = {
		.type = 136,
		.flags = 0x20000000,
		.target = router,
		.mac_option = 2,
		.mac = peer_mac[0],
	};

	begin();
	advertise();
	ip.src = router;
	ip.dst = all_nodes;
	ip.eth_dst = build_group_mac(all_nodes);
	nd.flags |= 0x80000000;
	host_receive(h, 0, f, build_nd(f, &ip, &nd));
	cr_assert(default_is(router));
	nd.flags = 0x20000000;
	host_receive(h, 0, f, build_nd(f, &ip, &nd));
	cr_assert(!route_to(far));
}

/* ---- what is not believed ---- */

Case(ra, refuses_routers_that_cannot_be)
{
	begin();
	said.hops = 254;
	cr_assert_eq(advertise(), V_ND_BAD);
	begin();
	said.src = peer_ip6[0];
	cr_assert_eq(advertise(), V_ND_BAD);
	cr_assert(!route_to(far) && !made());
}

Case(ra, who_was_not_told_to_hears_no_routers)
{
	struct host *deaf = host6_with_peers();
	struct host *keep = h;

	h = deaf;
	begin();
	said.src = router2;
	cr_assert_eq(advertise(), V_DONE);
	h = keep;
	cr_assert_eq(deaf->ip->ifaces[0].ip6.ra.n_routers, 0);
	cr_assert_eq(deaf->ip->ifaces[0].ip6.n_addrs, 2);
	host_drain(deaf);
	host_free(deaf);
}

Case(ra, nobody_cuts_us_off_with_a_hop_limit_or_an_mtu)
{
	begin();
	said.hop_limit = 100;
	said.mtu = 1400;
	advertise();
	cr_assert(i->hop_limit == 100 && i->mtu == 1400);
	cr_assert_eq(ip_path_mtu(h->ip, &(struct addr){ .family = ADDR_IP6, .ip6 = far }),
		     1400);
	said.hop_limit = 1; /* CVE-2015-2922 */
	said.mtu = 1279;
	advertise();
	cr_assert(i->hop_limit == 100 && i->mtu == 1400);
	said.hop_limit = 0;
	said.mtu = 9000;
	advertise();
	cr_assert(i->hop_limit == 100 && i->mtu == 1400);
	host_pass(h, 3 * NS_PER_S);
	host_drain(h);
	host6_learn(h, 0, router, peer_mac[0]);
	send_far();
	cr_assert(host_sent(h, 0, &l) && l.ttl == 100);
}

/* ---- prefixes and addresses ---- */

Case(ra, a_prefix_is_on_the_link_as_long_as_it_is_valid)
{
	struct ip6 near = prefix;

	near.b[15] = 9;
	begin();
	said.prefix_flags = 0x80;
	advertise();
	cr_assert(route_to(near) && route_to(near)->bits == 64 && !made());
	cr_assert_eq(route_to(near)->gateway.family, ADDR_NONE);
	host_pass(h, 86401 * NS_PER_S);
	cr_assert(!route_to(near));
	said.valid = UINT32_MAX;
	advertise();
	host_pass(h, 1000000 * NS_PER_S);
	cr_assert(route_to(near) && route_to(near)->bits == 64);
	said.valid = 0;
	advertise();
	cr_assert(route_to(near) && route_to(near)->bits == 0);
}

Case(ra, a_prefix_makes_an_address_that_is_tried_first)
{
	struct addr a;

	begin();
	advertise();
	cr_assert(made() && !made()->ready && made()->bits == 64);
	a = addr_ip6(made()->addr);
	cr_assert(!ip_is_ours(h->ip, &a) &&
		  ip6_iface_listens(&h->ip->ifaces[0], build_solicited_node(a.ip6)));
	host_pass(h, 3 * NS_PER_S);
	cr_assert(ip_is_ours(h->ip, &a));
	/* The same prefix makes no second one. */
	advertise();
	cr_assert_eq(i->n_addrs, 2);
}

Case(ra, an_address_grows_old_and_ends)
{
	begin();
	advertise();
	host_pass(h, 14399 * NS_PER_S);
	cr_assert(made() && !made()->deprecated);
	host_pass(h, 2 * NS_PER_S);
	cr_assert(made() && made()->deprecated);
	said.valid = 86400;
	advertise();
	cr_assert(!made()->deprecated);
	host_pass(h, 86401 * NS_PER_S);
	cr_assert(!made());
}

Case(ra, nobody_ends_an_address_at_once)
{
	begin();
	advertise();
	/* RFC 4862 5.5.3 e: two hours are left, and no more is taken. */
	said.valid = said.preferred = 10;
	advertise();
	host_pass(h, 7000 * NS_PER_S);
	cr_assert(made() && made()->deprecated);
	advertise();
	host_pass(h, 199 * NS_PER_S);
	cr_assert(made());
	host_pass(h, 2 * NS_PER_S);
	cr_assert(!made());
}

Case(ra, prefixes_that_make_no_address)
{
	begin();
	said.prefix_flags = 0x40;
	said.preferred = said.valid + 1;
	advertise();
	cr_assert(!made());
	begin();
	said.bits = 63;
	advertise();
	cr_assert(!made());
	begin();
	said.valid = said.preferred = 0;
	advertise();
	cr_assert(!made());
	begin();
	said.prefix = router; /* the link's own */
	advertise();
	cr_assert_eq(i->n_addrs, 1);
}

Case(ra, so_many_prefixes_and_addresses_and_no_more)
{
	begin();
	said.n_prefixes = 8;
	for (unsigned k = 0; k < 4; k++) {
		said.prefix.b[5] = (uint8_t)k;
		advertise();
	}
	cr_assert_eq(i->n_addrs, 1 + RA_ADDRS_MAX);
	cr_assert_eq(i->ra.n_prefixes, RA_PREFIXES_MAX);
	host_pass(h, 5 * NS_PER_S);
}

/* Somebody has @target. */
static void claim(struct ip6 target)
{
	struct build_ip6 ip = host6_from_peer(0);
	struct build_nd nd = {
		.type = 136, .flags = 0x20000000, .target = target, .mac_option = 2
	};

	nd.mac = peer_mac[0];
	ip.src = target;
	ip.dst = all_nodes;
	ip.eth_dst = build_group_mac(all_nodes);
	host_receive(h, 0, f, build_nd(f, &ip, &nd));
}

Case(ra, an_address_that_another_has_is_made_anew_but_not_for_ever)
{
	struct ip6 old;

	begin();
	advertise();
	for (unsigned k = 0; k < RA_DAD_TRIES; k++) {
		old = made()->addr;
		claim(old);
		cr_assert(made() && !ip6_eq(made()->addr, old), "try %u", k);
		cr_assert_eq(made()->n_conflicts, k + 1);
	}
	old = made()->addr;
	claim(old);
	cr_assert(made() && ip6_eq(made()->addr, old) && !made()->ready);
}

/* ---- redirects ---- */

/* @src says that @dst is better reached by @target. */
static enum verdict redirect(struct ip6 src, struct ip6 target, struct ip6 dst)
{
	struct build_ip6 ip = host6_from_peer(0);
	struct build_nd nd = { .type = 137, .target = target, .more_len = 24 };
	uint8_t more[24];

	memcpy(more, dst.b, 16);
	memcpy(more + 16, "\2\1\2\0\0\0\1\7", 8);
	nd.more = more;
	ip.src = src;
	ip.dst = i->addrs[0].addr;
	return host_receive(h, 0, f, build_nd(f, &ip, &nd)).verdict;
}

static struct ip6 hop_to(struct ip6 dst)
{
	struct addr a = addr_ip6(dst);
	const struct ip_dst *d = ip_dst_find(h->ip, &a, NULL);

	cr_assert(d);
	return d->next_hop.ip6;
}

Case(ra, our_first_hop_may_send_us_to_another)
{
	struct ip6 other = far;

	other.b[15] = 2;
	begin();
	advertise();
	cr_assert(ip6_eq(hop_to(far), router));
	cr_assert_eq(redirect(router, router2, far), V_DONE);
	cr_assert(ip6_eq(hop_to(far), router2) && ip6_eq(hop_to(other), router));
	/* Or say that the destination is a neighbour. */
	cr_assert_eq(redirect(router, other, other), V_DONE);
	cr_assert(ip6_eq(hop_to(other), other));
	/* It is known where the new hop is, without a question. */
	host_drain(h);
	send_far();
	cr_assert(host_sent(h, 0, &l) && l.icmp_type == 0 && l.eth_dst.b[5] == 7);
	host_pass(h, (RA_REDIRECT_S + 1) * NS_PER_S);
	cr_assert(ip6_eq(hop_to(far), router));
	while (host_loop(h).verdict != V_COUNT)
		continue;
}

Case(ra, nobody_else_may_send_us_anywhere)
{
	begin();
	advertise();
	cr_assert_eq(redirect(router2, router2, far), V_ND_BAD);
	cr_assert_eq(redirect(peer_ip6[0], router2, far), V_ND_BAD);
	/* A target is a router or the destination itself. */
	cr_assert_eq(redirect(router, peer_ip6[0], far), V_ND_BAD);
	cr_assert(ip6_eq(hop_to(far), router));
	/* Once sent on, only the new hop may. */
	redirect(router, router2, far);
	cr_assert_eq(redirect(router, router, far), V_ND_BAD);
	cr_assert_eq(redirect(router2, router, far), V_DONE);
	cr_assert(ip6_eq(hop_to(far), router));
}

Case(ra, so_many_redirects_and_no_more)
{
	struct ip6 dst = far;

	begin();
	advertise();
	for (unsigned k = 0; k < RA_REDIRECTS_MAX + 9; k++) {
		dst.b[14] = (uint8_t)k;
		cr_assert_eq(redirect(router, router2, dst), V_DONE);
		cr_assert(ip6_eq(hop_to(dst), router2));
	}
	cr_assert_eq(i->ra.n_redirects, RA_REDIRECTS_MAX);
	/* RFC 4861 8.3: the router that they lead to is none any more. */
	said.src = router2;
	advertise();
	said.lifetime = 0;
	advertise();
	cr_assert_eq(i->ra.n_redirects, 0);
}

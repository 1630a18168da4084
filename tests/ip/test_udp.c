#include <criterion/criterion.h>
#include <errno.h>

#include "ip/ip_impl.h"
#include "ip/udp.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;
static struct build_ip4 ip;
static struct udp_port port, other;
static uint8_t f[BUILD_MAX];

static void setup(void)
{
	h = host_with_peers();
	ip = host_from_peer(0);
}

static void clean(void)
{
	host_free(h);
}

Cases(udp, setup, clean);

static struct addr addr(const char *text)
{
	struct addr a = { 0 };

	cr_assert(text[0] == 0 || addr_parse(text, &a));
	return a;
}

/* Binds @p; "" is any address, and a remote of "" anybody. */
static int bind_to(struct udp_port *p, const char *local, uint16_t local_port,
		   const char *remote, uint16_t remote_port)
{
	*p = (struct udp_port){
		.flow = {
			.local = addr(local),
			.remote = addr(remote),
			.local_port = local_port,
			.remote_port = remote_port,
		},
	};
	return udp_bind(h->udp, p);
}

static int bind_any(struct udp_port *p, uint16_t local_port)
{
	return bind_to(p, "", local_port, "", 0);
}

static enum verdict receive_bytes(const void *bytes, uint32_t len)
{
	return host_receive(h, 0, f, build_udp(f, &ip, 1000, 53, bytes, len)).verdict;
}

static enum verdict receive(const char *text)
{
	return receive_bytes(text, (uint32_t)strlen(text));
}

/* The next datagram of @p is @text from the peer's port 1000. */
static bool got(struct udp_port *p, const char *text)
{
	struct addr peer = addr_ip4(ip.src);
	struct pkt *d = udp_recv(p);
	struct udp_from from;
	bool same;

	if (!d)
		return false;
	memcpy(&from, d->cb, sizeof(from));
	same = d->total_len == strlen(text) && memcmp(d->data, text, d->len) == 0 &&
	       from.port == 1000 && addr_eq(&d->src, &peer);
	pkt_free(d);
	return same;
}

static bool silent(void)
{
	return !host_sent(h, 0, &l) && !host_sent(h, 1, &l);
}

/* ---- in ---- */

Case(udp, datagrams_wait_in_order_and_are_news_once)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert_null(udp_ready_pop(h->udp));
	cr_assert_eq(receive("one"), V_KEPT);
	cr_assert_eq(receive("two"), V_KEPT);
	cr_assert(port.n_queued == 2 && port.bytes_queued == 6);
	cr_assert_eq(udp_ready_pop(h->udp), &port);
	cr_assert_null(udp_ready_pop(h->udp));
	cr_assert(got(&port, "one") && got(&port, "two") && !got(&port, ""));
	cr_assert(port.n_queued == 0 && port.bytes_queued == 0);
	cr_assert_eq(receive("three"), V_KEPT);
	cr_assert_eq(udp_ready_pop(h->udp), &port);
	cr_assert(got(&port, "three"));
	cr_assert_eq(udp_stats(h->udp)->in, 3);
}

Case(udp, empty_datagrams_are_datagrams)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert_eq(receive(""), V_KEPT);
	cr_assert(port.n_queued == 1 && got(&port, ""));
}

Case(udp, the_largest_datagram_arrives)
{
	static uint8_t bytes[65507];
	struct pkt *p;

	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert_eq(receive_bytes(bytes, sizeof(bytes)), V_KEPT);
	p = udp_recv(&port);
	cr_assert_eq(p->total_len, sizeof(bytes));
	pkt_free(p);
}

Case(udp, refuses_every_truncation)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	for (uint32_t len = 0; len < 11; len++) {
		uint8_t datagram[11];

		build_udp(f, &ip, 1000, 53, "abc", 3);
		memcpy(datagram, f + BUILD_L4, sizeof(datagram));
		ip.proto = 17;
		cr_assert_eq(
			host_receive(h, 0, f, build_ip4(f, &ip, datagram, len)).verdict,
			len < 8 ? V_SHORT : V_UDP_BAD_LEN);
	}
	cr_assert_eq(port.n_queued, 0);
}

Case(udp, refuses_lengths_that_do_not_fit)
{
	uint32_t len;

	cr_assert_eq(bind_any(&port, 53), 0);
	for (uint8_t claimed = 0; claimed < 8; claimed++) {
		len = build_udp(f, &ip, 1000, 53, "abc", 3);
		f[BUILD_L4 + 5] = claimed;
		cr_assert_eq(host_receive(h, 0, f, len).verdict, V_UDP_BAD_LEN);
	}
	f[BUILD_L4 + 5] = 12;
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_UDP_BAD_LEN);
}

Case(udp, what_follows_the_datagram_is_cut)
{
	uint8_t longer[20];

	cr_assert_eq(bind_any(&port, 53), 0);
	build_udp(f, &ip, 1000, 53, "abc", 3);
	memcpy(longer, f + BUILD_L4, 11);
	ip.proto = 17;
	cr_assert_eq(host_receive(h, 0, f, build_ip4(f, &ip, longer, 20)).verdict,
		     V_KEPT);
	cr_assert(got(&port, "abc"));
}

Case(udp, refuses_every_changed_bit)
{
	uint32_t len;

	cr_assert_eq(bind_any(&port, 53), 0);
	len = build_udp(f, &ip, 1000, 53, "abc", 3);
	for (unsigned bit = 0; bit < 11 * 8; bit++) {
		enum verdict v;

		f[BUILD_L4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		v = host_receive(h, 0, f, len).verdict;
		cr_assert(v == V_UDP_BAD_SUM || v == V_UDP_BAD_LEN, "bit %u", bit);
		f[BUILD_L4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	cr_assert(silent());
}

Case(udp, a_sum_of_zero_is_none)
{
	uint32_t len;

	cr_assert_eq(bind_any(&port, 53), 0);
	len = build_udp(f, &ip, 1000, 53, "abc", 3);
	f[BUILD_L4 + 6] = f[BUILD_L4 + 7] = 0;
	cr_assert_eq(host_receive(h, 0, f, len).verdict, V_KEPT);
	cr_assert(got(&port, "abc"));
}

Case(udp, a_sum_that_the_port_vouches_for_is_not_looked_at)
{
	struct pkt *p;
	uint32_t len;

	cr_assert_eq(bind_any(&port, 53), 0);
	len = build_udp(f, &ip, 1000, 53, "abc", 3);
	f[BUILD_L4 + 6] ^= 1;
	p = capture_pkt(&h->pool, f, len);
	p->flags |= PKT_SUM_OK;
	cr_assert_eq(host_receive_pkt(h, 0, p).verdict, V_KEPT);
	cr_assert(got(&port, "abc"));
}

Case(udp, so_many_datagrams_wait_and_no_more)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	for (unsigned i = 0; i < UDP_QUEUE_MAX; i++)
		cr_assert_eq(receive("x"), V_KEPT);
	cr_assert_eq(receive("x"), V_UDP_FULL);
	cr_assert(got(&port, "x"));
	cr_assert_eq(receive("x"), V_KEPT);
}

Case(udp, so_many_bytes_wait_and_no_more)
{
	static uint8_t bytes[60000];
	unsigned n = UDP_QUEUE_BYTES_MAX / sizeof(bytes);

	cr_assert_eq(bind_any(&port, 53), 0);
	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(receive_bytes(bytes, sizeof(bytes)), V_KEPT);
	cr_assert_eq(receive_bytes(bytes, sizeof(bytes)), V_UDP_FULL);
	cr_assert_eq(receive_bytes(bytes, UDP_QUEUE_BYTES_MAX - n * sizeof(bytes)),
		     V_KEPT);
	cr_assert_eq(receive_bytes(bytes, 1), V_UDP_FULL);
}

/* ---- to whom ---- */

Case(udp, the_port_that_says_most_gets_it)
{
	static struct udp_port any, local, peer, exact;

	cr_assert_eq(bind_any(&any, 53), 0);
	cr_assert_eq(receive("any"), V_KEPT);
	cr_assert(got(&any, "any"));
	cr_assert_eq(bind_to(&peer, "192.0.2.1", 53, "192.0.2.9", 999), 0);
	cr_assert_eq(receive("other port of the peer"), V_KEPT);
	cr_assert(got(&any, "other port of the peer"));
	cr_assert_eq(bind_to(&exact, "192.0.2.1", 53, "192.0.2.9", 1000), 0);
	cr_assert_eq(receive("exact"), V_KEPT);
	cr_assert(got(&exact, "exact"));
	udp_unbind(h->udp, &exact);
	udp_unbind(h->udp, &any);
	cr_assert_eq(bind_to(&local, "192.0.2.1", 53, "", 0), 0);
	cr_assert_eq(receive("local"), V_KEPT);
	cr_assert(got(&local, "local"));
	udp_unbind(h->udp, &local);
	cr_assert_eq(bind_to(&other, "198.51.100.1", 53, "", 0), 0);
	cr_assert_eq(receive("to another of our addresses"), V_UDP_NO_SOCKET);
	host_drain(h);
}

Case(udp, ports_that_nothing_tells_apart_clash)
{
	static struct udp_port a, b, c;

	cr_assert_eq(bind_any(&a, 53), 0);
	cr_assert_eq(bind_any(&b, 53), -EADDRINUSE);
	cr_assert_eq(bind_to(&b, "192.0.2.1", 53, "", 0), -EADDRINUSE);
	cr_assert_eq(bind_to(&b, "192.0.2.1", 53, "192.0.2.9", 7), 0);
	cr_assert_eq(bind_to(&c, "192.0.2.1", 53, "192.0.2.9", 7), -EADDRINUSE);
	cr_assert_eq(bind_to(&c, "192.0.2.1", 53, "192.0.2.9", 8), 0);
	udp_unbind(h->udp, &a);
	cr_assert_eq(bind_to(&a, "192.0.2.1", 53, "", 0), 0);
	udp_unbind(h->udp, &c);
	cr_assert_eq(bind_to(&c, "198.51.100.1", 53, "", 0), 0);
	udp_unbind(h->udp, &c);
	cr_assert_eq(bind_any(&c, 54), 0);
}

Case(udp, only_addresses_of_ours_can_be_bound)
{
	cr_assert_eq(bind_to(&port, "192.0.2.2", 53, "", 0), -EADDRNOTAVAIL);
	cr_assert_eq(bind_to(&port, "2001:db8::1", 53, "", 0), -EADDRNOTAVAIL);
	cr_assert_eq(bind_to(&port, "127.0.0.1", 53, "", 0), 0);
	/* And groups, of which it hears then nothing else. */
	cr_assert_eq(bind_to(&other, "224.0.0.1", 54, "", 0), 0);
}

Case(udp, address_still_probed_for_can_be_bound)
{
	struct addr more = addr_ip4((struct ip4){ { 192, 0, 2, 77 } });

	cr_assert_eq(ip_addr_add(h->ip, 0, &more, 24, true, h->now_ns), 0);
	cr_assert(!ip_is_ours(h->ip, &more));
	cr_assert_eq(bind_to(&port, "192.0.2.77", 53, "", 0), 0);
	host_drain(h);
}

Case(udp, what_is_bound_to_any_hears_broadcasts)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert_eq(bind_to(&other, "192.0.2.1", 53, "192.0.2.9", 1000), 0);
	ip.eth_dst = all_mac;
	ip.dst = (struct ip4){ { 192, 0, 2, 255 } };
	cr_assert_eq(receive("all"), V_KEPT);
	cr_assert(got(&port, "all"));
}

Case(udp, ephemeral_ports_cannot_be_foreseen_nor_clash)
{
	static struct udp_port many[1000];
	unsigned next_to = 0;

	for (unsigned i = 0; i < 1000; i++) {
		cr_assert_eq(bind_any(&many[i], 0), 0);
		cr_assert(many[i].flow.local_port >= 32768);
		for (unsigned k = 0; k < i; k++)
			cr_assert_neq(many[k].flow.local_port, many[i].flow.local_port);
		if (i && many[i].flow.local_port == many[i - 1].flow.local_port + 1)
			next_to++;
	}
	cr_assert(next_to < 5);
}

Case(udp, ephemeral_ports_come_to_an_end)
{
	static struct udp_port many[32769];
	unsigned n = 0;

	while (n < 32769 && bind_any(&many[n], 0) == 0)
		n++;
	cr_assert_eq(n, 32768);
	cr_assert_eq(bind_any(&port, 0), -EADDRINUSE);
	cr_assert_eq(port.flow.local_port, 0);
	/* Toward one peer they are there again. */
	cr_assert_eq(bind_to(&port, "192.0.2.1", 0, "192.0.2.9", 53), 0);
}

Case(udp, unbinding_frees_what_waits_and_may_happen_twice)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	receive("x");
	udp_unbind(h->udp, &port);
	udp_unbind(h->udp, &port);
	cr_assert_null(udp_ready_pop(h->udp));
	cr_assert_null(udp_recv(&port));
	cr_assert_eq(receive("x"), V_UDP_NO_SOCKET);
	host_drain(h);
}

/* ---- out ---- */

static int output(struct udp_port *p, uint32_t len, const char *dst)
{
	struct addr to = addr(dst);

	return udp_output(h->udp, p, host_bytes(h, len), &to, 2000, h->now_ns);
}

Case(udp, sends_with_a_right_sum)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	for (uint32_t len = 0; len <= 1472; len += 23) {
		cr_assert_eq(output(&port, len, "192.0.2.9"), 0);
		cr_assert(host_sent(h, 0, &l) && l.sound && l.proto == 17);
		cr_assert(l.src_port == 53 && l.dst_port == 2000 && l.payload_len == len);
		cr_assert(ip4_eq(l.src, host_ip[0]) && !l.df);
		cr_assert(h->frame[BUILD_L4 + 6] || h->frame[BUILD_L4 + 7]);
	}
	cr_assert_eq(udp_stats(h->udp)->out, 1472 / 23 + 1);
}

Case(udp, leaves_sums_out_when_it_is_told_to)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	port.no_sum = true;
	cr_assert_eq(output(&port, 100, "192.0.2.9"), 0);
	cr_assert(host_sent(h, 0, &l) && l.payload_len == 100);
	cr_assert(!h->frame[BUILD_L4 + 6] && !h->frame[BUILD_L4 + 7]);
}

Case(udp, a_sum_that_comes_out_as_zero_is_sent_as_ones)
{
	uint32_t pseudo = build_pseudo(host_ip[0], peer_ip[0], 17, 10);
	struct addr to = addr_ip4(peer_ip[0]);
	uint8_t header[8] = { 0, 53, 2000 >> 8, 2000 & 255, 0, 10, 0, 0 };
	uint16_t missing = (uint16_t)~build_sum(pseudo, header, 8);
	uint8_t bytes[2] = { (uint8_t)(missing >> 8), (uint8_t)missing };
	struct pkt *p = host_bytes(h, 0);

	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert(pkt_append(p, bytes, 2));
	cr_assert_eq(udp_output(h->udp, &port, p, &to, 2000, h->now_ns), 0);
	cr_assert(host_sent(h, 0, &l) && l.sound);
	cr_assert(h->frame[BUILD_L4 + 6] == 255 && h->frame[BUILD_L4 + 7] == 255);
}

Case(udp, sums_are_left_to_ports_that_complete_them)
{
	struct pkt *p;

	h->cap[0].port.caps = PORT_TX_SUM | PORT_TX_TSO4;
	h->ip->generation++;
	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert_eq(output(&port, 100, "192.0.2.9"), 0);
	eth_flush(&h->eth[0], h->now_ns);
	p = capture_pop(&h->cap[0]);
	cr_assert(p && p->flags & PKT_SUM_PARTIAL);
	cr_assert(p->l4 == p->data + BUILD_L4 && p->l3 == p->data + BUILD_L3);
	cr_assert_eq(be16(p->l4 + 6),
		     build_sum(build_pseudo(host_ip[0], peer_ip[0], 17, 108), NULL, 0));
	pkt_free(p);
}

Case(udp, long_datagrams_go_in_fragments_with_a_whole_sum)
{
	for (unsigned caps = 0; caps < 2; caps++) {
		static uint8_t all[65515];
		uint32_t at = 0;

		h->cap[0].port.caps = caps ? PORT_TX_SUM | PORT_TX_TSO4 : 0;
		h->ip->generation++;
		cr_assert_eq(bind_any(&port, 53), 0);
		cr_assert_eq(output(&port, 65507, "192.0.2.9"), 0);
		while (host_sent(h, 0, &l)) {
			l.payload -= at ? 0 : 8;
			l.payload_len += at ? 0 : 8;
			memcpy(all + at, l.payload, l.payload_len);
			at += l.payload_len;
		}
		cr_assert_eq(at, 65515);
		cr_assert_eq(
			build_sum(build_pseudo(host_ip[0], peer_ip[0], 17, at), all, at),
			0xffff);
		udp_unbind(h->udp, &port);
	}
}

Case(udp, refuses_what_is_longer_than_any_datagram)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert_eq(output(&port, 65508, "192.0.2.9"), -EMSGSIZE);
	cr_assert_eq(output(&port, 65528, "192.0.2.9"), -EMSGSIZE);
	cr_assert_eq(output(&port, 70000, "192.0.2.9"), -EMSGSIZE);
	cr_assert(silent());
}

Case(udp, the_port_says_how_its_datagrams_go)
{
	cr_assert_eq(bind_any(&port, 53), 0);
	port.ttl = 5;
	port.tos = 0x20;
	port.ip_flags = IP_DF;
	cr_assert_eq(output(&port, 10, "192.0.2.9"), 0);
	cr_assert(host_sent(h, 0, &l) && l.ttl == 5 && l.tos == 0x20 && l.df);
	cr_assert_eq(output(&port, 1473, "192.0.2.9"), -EMSGSIZE);
	cr_assert_eq(output(&port, 10, "255.255.255.255"), -EACCES);
	port.ip_flags = IP_BROADCAST_OK;
	cr_assert_eq(output(&port, 10, "255.255.255.255"), 0);
	cr_assert(host_sent(h, 0, &l) && mac_eq(l.eth_dst, all_mac) && l.sound);
	cr_assert_eq(output(&port, 10, "240.0.0.1"), -ENETUNREACH);
	cr_assert_eq(udp_stats(h->udp)->out, 2);
}

Case(udp, sends_from_the_address_it_is_bound_to)
{
	cr_assert_eq(bind_to(&port, "198.51.100.1", 53, "", 0), 0);
	cr_assert_eq(output(&port, 10, "192.0.2.9"), 0);
	cr_assert(host_sent(h, 0, &l) && l.sound && ip4_eq(l.src, host_ip[1]));
}

Case(udp, payload_without_headroom_gets_a_descriptor_in_front)
{
	struct addr to = addr("192.0.2.9");
	struct pkt *p = pkt_new_buf(&h->pool, PKT_DATA, 10);

	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert(pkt_append(p, "tight", 5));
	cr_assert_eq(udp_output(h->udp, &port, p, &to, 2000, h->now_ns), 0);
	cr_assert(host_sent(h, 0, &l) && l.sound && l.payload_len == 5);
	p = pkt_new(&h->pool, PKT_DATA);
	memcpy(pkt_push(p, 120), f, 120);
	cr_assert_eq(udp_output(h->udp, &port, p, &to, 2000, h->now_ns), 0);
	cr_assert(host_sent(h, 0, &l) && l.sound && l.payload_len == 120);
}

Case(udp, an_empty_pool_costs_the_datagram_only)
{
	struct addr to = addr("192.0.2.9");
	struct pkt *p = pkt_new_buf(&h->pool, PKT_DATA, 0), *all[HOST_PKTS];
	unsigned n = 0;

	cr_assert_eq(bind_any(&port, 53), 0);
	while ((all[n] = pkt_new(&h->pool, PKT_CONTROL)))
		n++;
	cr_assert_eq(udp_output(h->udp, &port, p, &to, 2000, h->now_ns), -ENOBUFS);
	cr_assert_eq(udp_stats(h->udp)->no_memory, 1);
	while (n)
		pkt_free(all[--n]);
	cr_assert(silent());
}

Case(udp, to_ourselves_and_back)
{
	cr_assert_eq(bind_any(&port, 2000), 0);
	cr_assert_eq(bind_any(&other, 1000), 0);
	ip.src = host_ip[0];
	for (uint32_t len = 0; len < 65507; len += 20000) {
		struct pkt *p;

		cr_assert_eq(output(&other, len, "192.0.2.1"), 0);
		cr_assert_eq(host_loop(h).verdict, V_KEPT);
		p = udp_recv(&port);
		cr_assert(p && p->total_len == len);
		pkt_free(p);
	}
	cr_assert(silent());
}

/* ---- errors ---- */

Case(udp, nobody_listens_is_answered)
{
	cr_assert_eq(receive("x"), V_UDP_NO_SOCKET);
	cr_assert(host_sent(h, 0, &l) && l.icmp_type == 3 && l.icmp_code == 3);
}

/* ICMP says that what went from our port 53 to the peer's 2000 ended so. */
static enum verdict error(uint16_t type_code, uint32_t rest)
{
	struct build_ip4 ours = { .src = host_ip[0], .dst = peer_ip[0] };
	uint8_t quoted[28];

	build_udp(f, &ours, 53, 2000, "12345678", 8);
	memcpy(quoted, f + BUILD_L3, sizeof(quoted));
	return host_receive(h, 0, f,
			    build_icmp(f, &ip, type_code, rest, quoted, sizeof(quoted)))
		.verdict;
}

Case(udp, an_error_is_given_to_the_connected_port)
{
	static const struct {
		uint16_t type_code;
		int error;
	} cases[] = {
		{ 0x0300, ENETUNREACH },  { 0x0301, EHOSTUNREACH },
		{ 0x0302, ENOPROTOOPT },  { 0x0303, ECONNREFUSED },
		{ 0x030d, EHOSTUNREACH }, { 0x0b00, EHOSTUNREACH },
		{ 0x0c00, EPROTO },
	};

	cr_assert_eq(bind_to(&port, "192.0.2.1", 53, "192.0.2.9", 2000), 0);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		cr_assert_eq(error(cases[i].type_code, 0), V_DONE);
		cr_assert_eq(port.error, cases[i].error, "case %u", i);
		cr_assert_eq(udp_ready_pop(h->udp), &port);
	}
	cr_assert_eq(udp_stats(h->udp)->errors_in, ARRAY_LEN(cases));
}

Case(udp, an_error_about_no_connected_port_is_nobodys)
{
	cr_assert_eq(error(0x0303, 0), V_ICMP_NO_FLOW);
	cr_assert_eq(bind_any(&port, 53), 0);
	cr_assert_eq(bind_to(&other, "192.0.2.1", 53, "192.0.2.9", 2001), 0);
	cr_assert_eq(error(0x0303, 0), V_ICMP_NO_FLOW);
	cr_assert(port.error == 0 && other.error == 0);
	cr_assert_null(udp_ready_pop(h->udp));
}

Case(udp, path_mtus_are_believed_only_without_fragments)
{
	struct addr peer = addr_ip4(peer_ip[0]);

	cr_assert_eq(bind_to(&port, "192.0.2.1", 53, "192.0.2.9", 2000), 0);
	cr_assert_eq(error(0x0304, 1000), V_ICMP_NO_FLOW);
	cr_assert_eq(ip_path_mtu(h->ip, &peer), 1500);
	port.ip_flags = IP_DF;
	cr_assert_eq(error(0x0304, 1000), V_DONE);
	cr_assert_eq(ip_path_mtu(h->ip, &peer), 1000);
	cr_assert_eq(port.error, EMSGSIZE);
}

Case(udp, nobody_answering_on_the_link_is_an_error_too)
{
	cr_assert_eq(bind_to(&port, "192.0.2.1", 53, "192.0.2.77", 2000), 0);
	cr_assert_eq(output(&port, 10, "192.0.2.77"), 0);
	host_pass(h, 4 * NS_PER_S);
	cr_assert_eq(host_loop(h).verdict, V_DONE);
	cr_assert_eq(port.error, EHOSTUNREACH);
	host_drain(h);
}

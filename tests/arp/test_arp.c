#include <criterion/criterion.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/host.h"

static struct host *h;
static struct look l;

static void setup(void)
{
	h = host_new();
}

static void clean(void)
{
	host_free(h);
}

Cases(arp, setup, clean);

static const struct ip4 nobody;

static struct build_arp question(void)
{
	return (struct build_arp){
		.eth_dst = all_mac,
		.eth_src = peer_mac[0],
		.op = 1,
		.sender_mac = peer_mac[0],
		.sender_ip = peer_ip[0],
		.target_ip = host_ip[0],
	};
}

static enum verdict receive(const struct build_arp *m)
{
	uint8_t f[64];
	struct step s = host_receive(h, 0, f, build_arp(f, m));

	cr_assert_eq(s.next, NEXT_NONE);
	return s.verdict;
}

static bool silent(void)
{
	return !host_sent(h, 0, &l);
}

Case(arp, answers_for_our_address_to_who_asked)
{
	struct build_arp m = question();

	cr_assert_eq(receive(&m), V_DONE);
	cr_assert(host_sent(h, 0, &l) && l.sound && l.arp_op == 2);
	cr_assert(mac_eq(l.eth_dst, peer_mac[0]) && mac_eq(l.eth_src, host_mac[0]));
	cr_assert(mac_eq(l.sender_mac, host_mac[0]) && ip4_eq(l.sender_ip, host_ip[0]));
	cr_assert(mac_eq(l.target_mac, peer_mac[0]) && ip4_eq(l.target_ip, peer_ip[0]));
	cr_assert(silent());
	cr_assert_eq(neigh_stats(h->neigh)->replies, 1);
}

Case(arp, answers_a_question_to_us_alone)
{
	struct build_arp m = question();

	m.eth_dst = host_mac[0];
	cr_assert_eq(receive(&m), V_DONE);
	cr_assert(host_sent(h, 0, &l) && l.arp_op == 2);
}

Case(arp, answers_a_probe_and_learns_nothing_from_it)
{
	struct build_arp m = question();
	struct neigh_info info;

	m.sender_ip = nobody;
	cr_assert_eq(receive(&m), V_DONE);
	cr_assert(host_sent(h, 0, &l) && l.arp_op == 2 &&
		  ip4_eq(l.sender_ip, host_ip[0]));
	cr_assert(!neigh_info(h->neigh, 0, &info));
}

Case(arp, is_silent_about_the_addresses_of_others)
{
	struct build_arp m = question();

	m.target_ip.b[3] = 7;
	cr_assert_eq(receive(&m), V_ARP_NOT_OURS);
	m.target_ip = host_ip[1]; /* ours, but on the other network */
	cr_assert_eq(receive(&m), V_ARP_NOT_OURS);
	cr_assert(silent());
}

Case(arp, does_not_answer_answers)
{
	struct build_arp m = question();

	m.op = 2;
	cr_assert_eq(receive(&m), V_DONE);
	cr_assert(silent());
}

Case(arp, refuses_senders_that_cannot_be)
{
	static const struct ip4 addrs[] = {
		{ { 0, 0, 0, 1 } },   { { 127, 0, 0, 1 } },	  { { 224, 0, 0, 1 } },
		{ { 240, 0, 0, 1 } }, { { 255, 255, 255, 255 } },
	};
	static const struct mac macs[] = { { { 0 } },
					   { { 1, 0, 0, 0, 0, 1 } },
					   { { 255, 255, 255, 255, 255, 255 } } };
	struct build_arp m;

	for (unsigned i = 0; i < ARRAY_LEN(addrs); i++) {
		m = question();
		m.sender_ip = addrs[i];
		cr_assert_eq(receive(&m), V_ARP_BAD, "address %u", i);
	}
	for (unsigned i = 0; i < ARRAY_LEN(macs); i++) {
		m = question();
		m.sender_mac = macs[i];
		cr_assert_eq(receive(&m), V_ARP_BAD, "station %u", i);
	}
	m = question();
	m.op = 2;
	m.sender_ip = nobody; /* a probe is a question */
	cr_assert_eq(receive(&m), V_ARP_BAD);
	cr_assert(silent());
}

Case(arp, refuses_every_truncation)
{
	struct build_arp m = question();
	uint8_t f[64];
	uint32_t len = build_arp(f, &m);

	for (uint32_t n = BUILD_L3; n < len; n++)
		cr_assert_eq(host_receive(h, 0, f, n).verdict, V_ARP_BAD, "%u bytes", n);
	cr_assert(silent());
}

Case(arp, reads_a_padded_frame)
{
	struct build_arp m = question();
	uint8_t f[64] = { 0 };

	build_arp(f, &m);
	cr_assert_eq(host_receive(h, 0, f, 60).verdict, V_DONE);
	cr_assert(host_sent(h, 0, &l) && l.arp_op == 2);
}

Case(arp, ignores_what_we_said_ourselves)
{
	struct build_arp m = question();

	m.eth_src = m.sender_mac = host_mac[0];
	m.sender_ip = host_ip[0];
	cr_assert_eq(receive(&m), V_ARP_NOT_OURS);
	/* From our other interface on the same network. */
	m.eth_src = m.sender_mac = host_mac[1];
	cr_assert_eq(receive(&m), V_ARP_NOT_OURS);
	cr_assert_eq(neigh_stats(h->neigh)->conflicts, 0);
	cr_assert(silent());
}

Case(arp, an_empty_pool_costs_the_answer_only)
{
	struct build_arp m = question();
	struct pkt *all[HOST_PKTS];
	unsigned n = 0;
	uint8_t f[64];
	struct pkt *p = capture_pkt(&h->pool, f, build_arp(f, &m));

	while ((all[n] = pkt_new(&h->pool, PKT_CONTROL)))
		n++;
	cr_assert_eq(host_receive_pkt(h, 0, p).verdict, V_DONE);
	cr_assert_eq(neigh_stats(h->neigh)->no_memory, 1);
	while (n)
		pkt_free(all[--n]);
	cr_assert(silent());
}

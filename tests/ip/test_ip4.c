#include <criterion/criterion.h>

#include "tests/lib/host.h"

static struct host *h;

static void setup(void)
{
	h = host_with_peers();
}

static void clean(void)
{
	host_free(h);
}

TestSuite(ip4, .init = setup, .fini = clean);

Test(ip4, answers_an_echo)
{
	struct build_ip4 ip = host_from_peer(0);
	uint8_t f[256];
	struct look l;
	struct step s;

	s = host_receive(h, 0, f, build_icmp(f, &ip, 0x0800, 0x12340001, "abc", 3));
	cr_assert(s.next == NEXT_NONE && s.verdict == V_KEPT);
	cr_assert(host_sent(h, 0, &l));
	cr_assert(l.sound && l.proto == 1 && l.icmp_type == 0 &&
		  l.icmp_rest == 0x12340001);
	cr_assert(l.payload_len == 3 && memcmp(l.payload, "abc", 3) == 0);
	cr_assert(ip4_eq(l.src, host_ip[0]) && ip4_eq(l.dst, peer_ip[0]));
	cr_assert(mac_eq(l.eth_dst, peer_mac[0]));
}

/*
 * DHCP messages to a client, which is what its answers make of it; those with FRAMES_SUM
 * carry the number of its last question and its address.
 */
#include "ip/dhcp4_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/frames.h"

enum { AT_XID = 4, AT_CHADDR = 28, LONG_PASS = 1 << 4 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void make_ours(const struct host *h, uint8_t *m)
{
	struct wr w = wr_of(m + AT_XID, 4);

	wr32(&w, h->dhcp->clients[0].xid);
	memcpy(m + AT_CHADDR, &host_mac[0], sizeof(host_mac[0]));
}

static void check(const struct host *h)
{
	struct dhcp4_info info;

	dhcp4_info(h->dhcp, 0, &info);
	ASSERT(info.n_dns <= DHCP_DNS_MAX);
	ASSERT(h->eth[0].mtu >= DHCP4_MTU_LEAST && h->eth[0].mtu <= 1500);
	if (info.addr.family)
		ASSERT(ip_is_ours(h->ip, &info.addr) && info.state >= DHCP4_BOUND);
	ip_check(h->ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct build_ip4 ip = host_from_peer(0);
	static const struct dhcp4_conf conf;
	struct rd input = rd_of(bytes, len);
	static uint8_t frame[BUILD_MAX];
	struct host *h = host_bare();
	struct frame_in in;

	ip.dst = (struct ip4){ { 255, 255, 255, 255 } };
	ASSERT(dhcp4_new(&h->dhcp, h->ip, h->udp) == 0);
	ASSERT(dhcp4_start(h->dhcp, 0, &conf, h->now_ns) == 0);
	host_pass(h, 2 * NS_PER_S);
	while (frames_next(&input, &in)) {
		uint8_t m[2000];

		if (in.flags & LONG_PASS)
			host_pass(h, 60 * NS_PER_S);
		if (in.len > sizeof(m))
			in.len = sizeof(m);
		memcpy(m, in.bytes, in.len);
		if (in.flags & FRAMES_SUM && in.len >= AT_CHADDR + sizeof(struct mac))
			make_ours(h, m);
		len = build_udp(frame, &ip, 67, 68, m, in.len);
		frames_receive(h, in.flags | FRAMES_ALL, frame, (uint32_t)len);
		check(h);
	}
	dhcp4_stop(h->dhcp, 0, h->now_ns);
	host_drain(h);
	host_free(h);
	return 0;
}

/*
 * ICMPv6 messages, neighbour discovery among them, from the peer to a host that looks for
 * a neighbour and for a duplicate of a new address, and hears routers.  With FRAMES_FAR
 * the hop limit is 1, as queries of MLD have it, else 255, as neighbours do; with
 * FRAMES_GROUP it is for the group of our address.
 */
#include "stack/base/check.h"
#include "tests/lib/frames.h"

enum {
	FRAMES_FAR = 1 << 4,
	FRAMES_GROUP = 1 << 5,
	FRAMES_NOBODY = 1 << 6,
	FRAMES_ROUTER = 1 << 7, /* from the link-local address of one */
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void look_for(struct host *h, uint8_t last)
{
	struct addr hop = addr_ip6(peer_ip6[0]);

	hop.ip6.b[15] = last;
	neigh_output(h->neigh, &h->eth[0], &hop, host_bytes(h, 60), h->now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd input = rd_of(bytes, len);
	struct host *h = host6_with_peers();
	static struct udp_port connected;
	static uint8_t frame[BUILD_MAX];
	struct addr fresh = addr_ip6(host_ip6[0]);
	struct frame_in in;

	connected = (struct udp_port){ .flow = { addr_ip6(host_ip6[0]),
						 addr_ip6(peer_ip6[0]), 53, 1000 } };
	ASSERT(udp_bind(h->udp, &connected) == 0);
	fresh.ip6.b[15] = 0x50;
	ASSERT(ip_addr_add(h->ip, 0, &fresh, 64, true, h->now_ns) == 0);
	ip6_listen_to_routers(h->ip, 0, h->now_ns);
	look_for(h, 0x77);
	while (frames_next(&input, &in)) {
		struct build_ip6 ip = host6_from_peer(0);

		ip.next = 58;
		ip.hops = in.flags & FRAMES_FAR ? 1 : 255;
		if (in.flags & FRAMES_GROUP)
			ip.dst = build_solicited_node(host_ip6[0]);
		if (in.flags & FRAMES_NOBODY)
			ip.src = (struct ip6){ { 0 } };
		if (in.flags & FRAMES_ROUTER)
			ip.src = gateway_ll;
		len = build_ip6(frame, &ip, in.bytes, in.len);
		if (in.flags & FRAMES_SUM && in.len >= 4)
			build_fix_icmp6(frame, (uint32_t)len);
		frames_receive(h, in.flags, frame, (uint32_t)len);
	}
	host_free(h);
	return 0;
}

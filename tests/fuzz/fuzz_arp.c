/*
 * ARP messages to a host that has an address, probes another, and waits for some
 * neighbours.  A packet with the flag OUTPUT is sent to the address that it begins
 * with.
 */
#include "stack/base/check.h"
#include "tests/lib/frames.h"

enum { OUTPUT = 1 << 4, CONFIRM = 1 << 5 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void to_neighbour(struct host *h, const struct frame_in *in)
{
	struct rd r = rd_of(in->bytes, in->len);
	struct addr hop = { .family = ADDR_IP4 };

	rd_copy(&r, &hop.ip4, sizeof(hop.ip4));
	if (in->flags & CONFIRM)
		neigh_confirm(h->neigh, &h->eth[0], &hop, h->now_ns);
	else
		neigh_output(h->neigh, &h->eth[0], &hop, host_bytes(h, 20), h->now_ns);
	host_drain(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd input = rd_of(bytes, len);
	struct host *h = host_new();
	struct ip4 probed = { { 192, 0, 2, 3 } };
	static uint8_t frame[BUILD_MAX];
	struct frame_in in;

	ASSERT(arp_addr_add(h->neigh, &h->eth[0], probed, true, h->now_ns) == 0);
	while (frames_next(&input, &in)) {
		if (in.flags & (OUTPUT | CONFIRM)) {
			to_neighbour(h, &in);
			continue;
		}
		len = build_eth(frame, host_mac[0], peer_mac[0], ETHERTYPE_ARP, in.bytes,
				in.len < 1500 ? in.len : 1500);
		frames_receive(h, in.flags, frame, (uint32_t)len);
	}
	host_free(h);
	return 0;
}

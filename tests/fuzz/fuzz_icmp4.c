/*
 * ICMP messages from the peer to a host with a connected UDP port.
 */
#include "stack/base/check.h"
#include "tests/lib/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void fix_sum(uint8_t *icmp, uint32_t len)
{
	uint16_t sum;

	icmp[2] = icmp[3] = 0;
	sum = (uint16_t)~build_sum(0, icmp, len);
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd input = rd_of(bytes, len);
	struct host *h = host_with_peers();
	struct build_ip4 ip = host_from_peer(0);
	static struct udp_port port;
	static uint8_t frame[BUILD_MAX];
	struct frame_in in;

	port = (struct udp_port){
		.flow = { addr_ip4(host_ip[0]), addr_ip4(peer_ip[0]), 53, 2000 },
		.ip_flags = IP_DF,
	};
	ASSERT(udp_bind(h->udp, &port) == 0);
	ip.proto = IP_PROTO_ICMP;
	while (frames_next(&input, &in)) {
		if (in.len > 65515)
			in.len = 65515;
		len = build_ip4(frame, &ip, in.bytes, in.len);
		if (in.flags & FRAMES_SUM && in.len >= 4)
			fix_sum(frame + BUILD_L4, in.len);
		frames_receive(h, in.flags, frame, (uint32_t)len);
	}
	host_free(h);
	return 0;
}

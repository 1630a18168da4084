/*
 * IPv6 packets, with extension headers and fragments among them, to a host with two UDP
 * ports.
 */
#include "stack/base/check.h"
#include "tests/lib/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd input = rd_of(bytes, len);
	struct host *h = host6_with_peers();
	static struct udp_port any, connected;
	static uint8_t frame[BUILD_MAX];
	struct frame_in in;

	any = (struct udp_port){ .flow.local_port = 53 };
	connected = (struct udp_port){ .flow = { addr_ip6(host_ip6[0]),
						 addr_ip6(peer_ip6[0]), 53, 1000 } };
	ASSERT(udp_bind(h->udp, &any) == 0 && udp_bind(h->udp, &connected) == 0);
	while (frames_next(&input, &in)) {
		len = build_eth(frame, host_mac[0], peer_mac[0], ETHERTYPE_IP6, in.bytes,
				in.len);
		frames_receive(h, in.flags, frame, (uint32_t)len);
		pkt_free(udp_recv(&any));
	}
	host_free(h);
	return 0;
}

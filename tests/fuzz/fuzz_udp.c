/*
 * UDP datagrams from the peer to a host with ports of every kind; what arrives is
 * sent back to where it came from.
 */
#include "stack/base/check.h"
#include "tests/lib/frames.h"

enum { PORTS = 4, READ = 1 << 4 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void fix_sum(uint8_t *udp, uint32_t len)
{
	uint16_t sum;

	udp[6] = udp[7] = 0;
	sum = (uint16_t)~build_sum(build_pseudo(peer_ip[0], host_ip[0], 17, len), udp,
				   len);
	udp[6] = (uint8_t)(sum >> 8);
	udp[7] = (uint8_t)sum;
}

static void send_back(struct host *h)
{
	struct udp_port *port;
	struct pkt *p;

	while ((port = udp_ready_pop(h->udp))) {
		while ((p = udp_recv(port))) {
			struct addr src = p->src;
			struct udp_from from;

			memcpy(&from, p->cb, sizeof(from));
			p->flags = 0;
			udp_output(h->udp, port, p, &src, from.port, h->now_ns);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct addr host = addr_ip4(host_ip[0]), peer = addr_ip4(peer_ip[0]);
	struct rd input = rd_of(bytes, len);
	struct build_ip4 ip = host_from_peer(0);
	static struct udp_port ports[PORTS];
	struct host *h = host_with_peers();
	static uint8_t frame[BUILD_MAX];
	struct frame_in in;

	ports[0] = (struct udp_port){ .flow.local_port = 53 };
	ports[1] = (struct udp_port){ .flow = { host, peer, 53, 1000 } };
	ports[2] = (struct udp_port){ .flow = { .local = host, .local_port = 54 } };
	ports[3] = (struct udp_port){ 0 };
	for (unsigned i = 0; i < PORTS; i++)
		ASSERT(udp_bind(h->udp, &ports[i]) == 0);
	ip.proto = IP_PROTO_UDP;
	while (frames_next(&input, &in)) {
		if (in.len > 65515)
			in.len = 65515;
		len = build_ip4(frame, &ip, in.bytes, in.len);
		if (in.flags & FRAMES_SUM && in.len >= 8)
			fix_sum(frame + BUILD_L4, in.len);
		frames_receive(h, in.flags, frame, (uint32_t)len);
		if (in.flags & READ)
			send_back(h);
	}
	host_free(h);
	return 0;
}

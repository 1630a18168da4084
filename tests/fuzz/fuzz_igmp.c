/*
 * IGMP messages to a host in two groups, from a router or another host; with FRAMES_SUM
 * with a right sum.
 */
#include "ip/igmp_wire.h"
#include "ip/mcast.h"
#include "stack/base/check.h"
#include "tests/lib/frames.h"

enum { LEAVE = 1 << 4, JOIN = 1 << 5, TO_GROUP = 1 << 6 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void fix_sum(uint8_t *m, uint32_t len)
{
	uint16_t sum;

	m[2] = m[3] = 0;
	sum = (uint16_t)~build_sum(0, m, len);
	m[2] = (uint8_t)(sum >> 8);
	m[3] = (uint8_t)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct addr group = { ADDR_IP4, .ip4 = { { 239, 1, 2, 3 } } };
	struct build_ip4 ip = host_from_peer(0);
	struct rd input = rd_of(bytes, len);
	static uint8_t frame[BUILD_MAX];
	struct host *h = host_new();
	struct frame_in in;
	unsigned n = 1;

	ASSERT(mcast_join(h->ip, 0, &group, h->now_ns) == 0);
	ip.proto = IP_PROTO_IGMP;
	ip.ttl = 1;
	while (frames_next(&input, &in)) {
		if (in.len > 1480)
			in.len = 1480;
		ip.dst = in.flags & TO_GROUP ? group.ip4 :
					       (struct ip4){ { 224, 0, 0, 1 } };
		len = build_ip4(frame, &ip, in.bytes, in.len);
		if (in.flags & FRAMES_SUM && in.len >= IGMP_LEN)
			fix_sum(frame + BUILD_L4, in.len);
		frames_receive(h, in.flags | FRAMES_ALL, frame, (uint32_t)len);
		if (in.flags & LEAVE && n) {
			mcast_leave(h->ip, 0, &group, h->now_ns);
			n--;
		}
		if (in.flags & JOIN && n < UINT16_MAX) {
			ASSERT(mcast_join(h->ip, 0, &group, h->now_ns) == 0);
			n++;
		}
		ASSERT(mcast_listens(h->ip, 0, &group) == (n > 0));
	}
	host_drain(h);
	host_free(h);
	return 0;
}

#include "tests/lib/frames.h"

#include "stack/base/clock.h"

bool frames_next(struct rd *input, struct frame_in *in)
{
	if (rd_left(input) < 3)
		return false;
	in->flags = rd8(input);
	in->len = rd16(input);
	if (in->len > rd_left(input))
		in->len = (uint32_t)rd_left(input);
	in->bytes = input->p;
	input->p += in->len;
	return true;
}

static struct pkt *packet(struct host *h, uint8_t flags, const uint8_t *frame,
			  uint32_t len)
{
	struct pkt *p;

	if (!(flags & FRAMES_HEAD) || len > PKT_HEAD_LEN)
		return capture_pkt(&h->pool, frame, len);
	p = pkt_new(&h->pool, PKT_DATA);
	memcpy(pkt_push(p, len), frame, len);
	return p;
}

void frames_receive(struct host *h, uint8_t flags, uint8_t *frame, uint32_t len)
{
	if (flags & FRAMES_TIME)
		host_pass(h, NS_PER_S);
	if (flags & FRAMES_ALL)
		memcpy(frame, all_mac.b, sizeof(all_mac));
	host_receive_pkt(h, 0, packet(h, flags, frame, len));
	while (host_loop(h).verdict != V_COUNT)
		continue;
	host_drain(h);
	neigh_check(h->neigh);
	ip_check(h->ip);
}

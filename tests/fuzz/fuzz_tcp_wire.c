#include "stack/base/check.h"
#include "tcp/tcp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What was understood is written, and understood as the same again. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	struct tcp_seg seg, again;
	uint8_t out[TCP_HEADER_MAX];
	struct wr w = wr_of(out, sizeof(out));

	memset(&seg, 0, sizeof(seg));
	memset(&again, 0, sizeof(again));
	if (!tcp_parse(&r, &seg))
		return 0;
	ASSERT(seg.wscale <= 14 && seg.n_sack <= TCP_SACK_MAX);
	ASSERT(seg.header_len >= TCP_HEADER_LEN && r.p == bytes + seg.header_len);
	seg.header_len = tcp_emit(&w, &seg);
	ASSERT(!w.bad && w.p == out + seg.header_len);
	r = rd_of(out, seg.header_len);
	ASSERT(tcp_parse(&r, &again) && rd_left(&r) == 0);
	/* A packed list of options may hold more blocks than one that is padded. */
	ASSERT(again.n_sack <= seg.n_sack);
	for (; seg.n_sack > again.n_sack; seg.n_sack--)
		seg.sack[seg.n_sack - 1] = (struct tcp_block){ 0 };
	/* AccECN's is left out where padding needs its room. */
	if (seg.n_acc > again.n_acc || !(again.has & (TCP_HAS_ACC0 | TCP_HAS_ACC1))) {
		seg.has &= (uint16_t) ~(TCP_HAS_ACC0 | TCP_HAS_ACC1);
		seg.n_acc = 0;
		memset(seg.acc, 0, sizeof(seg.acc));
	}
	ASSERT(seg.fo_len == again.fo_len && !seg.fo == !again.fo);
	ASSERT(!seg.fo || memcmp(seg.fo, again.fo, seg.fo_len) == 0);
	again.fo = seg.fo;
	ASSERT(memcmp(&seg, &again, sizeof(seg)) == 0);
	return 0;
}

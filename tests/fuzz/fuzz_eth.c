#include "eth/eth.h"
#include "stack/base/check.h"
#include "stack/base/pkt.h"
#include "tests/lib/capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Writes the header again from what was read of it. */
static void check_round_trip(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	uint8_t out[ETH_HEADER_LEN + ETH_TAG_LEN];
	struct eth_header h;
	struct wr w;

	if (!eth_parse(&r, &h))
		return;
	w = wr_of(out, h.len);
	eth_emit(&w, &h);
	ASSERT(!w.bad && w.p == w.end);
	ASSERT(memcmp(out, bytes, h.len) == 0);
	ASSERT(rd_left(&r) == len - h.len);
}

/*
 * A frame as it came from a port; the first byte says what the port found out about
 * it, and whether it has its first bytes only.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct mac ours = { { 2, 0, 0, 0, 0, 1 } };
	struct pkt_pool pool;
	struct capture cap;
	struct step step;
	struct eth eth;
	struct pkt *p;

	if (len < 1 || len > 4000)
		return 0;
	check_round_trip(bytes + 1, len - 1);
	ASSERT(pkt_pool_init(&pool, 16, 16) == 0);
	capture_init(&cap, &pool, ours, 0);
	eth_init(&eth, &cap.port, 1);
	p = capture_pkt(&pool, bytes + 1, (uint32_t)len - 1);
	if (bytes[0] & 1)
		p->flags |= PKT_VLAN;
	p->vlan = bytes[0] >> 1;
	step = eth_input(&eth, p);
	if (step.next != NEXT_NONE) {
		ASSERT(p->l3 == p->data && p->total_len <= len - 1 - ETH_HEADER_LEN);
		ASSERT(!(p->flags & PKT_VLAN) || (p->vlan & ETH_VLAN_MASK) == 0);
	}
	pkt_free(p);
	eth_fini(&eth);
	ASSERT(pool.pkts.n_out == 0 && pool.bufs.n_out == 0);
	pkt_pool_fini(&pool);
	return 0;
}

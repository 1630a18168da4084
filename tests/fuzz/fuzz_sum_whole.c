#include "eth/port_impl.h"
#include "eth/sum_whole.h"
#include "stack/base/pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/*
 * A received frame.  Two bytes may change, and a sum that was made is not made again
 * differently.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t once[PKT_HEADERS_LEN], twice[PKT_HEADERS_LEN];
	uint32_t head_len, changed = 0;
	struct pkt_pool pool;
	struct pkt *p;

	if (len < 1 || len > 9000)
		return 0;
	ASSERT(pkt_pool_init(&pool, 16, 16) == 0);
	p = port_pkt(&pool, bytes, (uint32_t)len);
	head_len = p->len < PKT_HEADERS_LEN ? p->len : PKT_HEADERS_LEN;
	memcpy(once, p->data, head_len);
	sum_whole(p, once, head_len);
	for (uint32_t i = 0; i < head_len; i++)
		changed += once[i] != bytes[i];
	ASSERT(changed <= 2);
	memcpy(p->data, once, head_len);
	memcpy(twice, once, head_len);
	sum_whole(p, twice, head_len);
	ASSERT(memcmp(once, twice, head_len) == 0);
	pkt_free(p);
	ASSERT(pool.pkts.n_out == 0 && pool.bufs.n_out == 0);
	pkt_pool_fini(&pool);
	return 0;
}

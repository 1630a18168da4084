#include "eth/port_impl.h"
#include "eth/sum_whole.h"
#include "stack/base/pkt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Two bytes may change, and a sum that was made is not made again differently. */
static void check(const uint8_t *bytes, size_t len, bool has_link)
{
	uint8_t once[PKT_HEADERS_LEN], twice[PKT_HEADERS_LEN];
	uint32_t head_len, changed = 0;
	struct pkt_pool pool;
	struct pkt *p;

	ASSERT(pkt_pool_init(&pool, 16, 16) == 0);
	p = port_pkt(&pool, bytes, (uint32_t)len);
	head_len = p->len < PKT_HEADERS_LEN ? p->len : PKT_HEADERS_LEN;
	memcpy(once, p->data, head_len);
	sum_whole(p, has_link, once, head_len);
	for (uint32_t i = 0; i < head_len; i++)
		changed += once[i] != bytes[i];
	ASSERT(changed <= 2);
	memcpy(p->data, once, head_len);
	memcpy(twice, once, head_len);
	sum_whole(p, has_link, twice, head_len);
	ASSERT(memcmp(once, twice, head_len) == 0);
	pkt_free(p);
	ASSERT(pool.pkts.n_out == 0 && pool.bufs.n_out == 0);
	pkt_pool_fini(&pool);
}

/* A received frame, or packet of a link without headers. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	if (len < 1 || len > 9000)
		return 0;
	check(bytes, len, true);
	check(bytes, len, false);
	return 0;
}

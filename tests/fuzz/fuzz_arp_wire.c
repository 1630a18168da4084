#include "arp/arp_wire.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What was understood is written as the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rd r = rd_of(bytes, len);
	uint8_t out[ARP_LEN];
	struct wr w = wr_of(out, sizeof(out));
	struct arp_msg m;

	if (!arp_parse(&r, &m))
		return 0;
	arp_emit(&w, &m);
	ASSERT(!w.bad && w.p == w.end);
	ASSERT(memcmp(out, bytes, ARP_LEN) == 0);
	return 0;
}

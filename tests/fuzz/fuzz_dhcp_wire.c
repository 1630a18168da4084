#include "ip/dhcp_wire.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What was understood is written so that it is understood as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	uint8_t out[DHCP_LEN_MAX];
	struct wr w = wr_of(out, sizeof(out));
	struct dhcp_msg m, again;

	if (!dhcp_parse(bytes, len, &m))
		return 0;
	ASSERT(m.bits <= 32 && m.n_routes <= DHCP_ROUTES_MAX);
	ASSERT(m.n_dns <= DHCP_DNS_MAX && m.n_routers <= DHCP_ROUTERS_MAX);
	dhcp_emit(&w, &m);
	ASSERT(!w.bad);
	ASSERT(dhcp_parse(out, (size_t)(w.p - out), &again));
	ASSERT(memcmp(&m, &again, sizeof(m)) == 0);
	return 0;
}

#include "apps/lib/dns_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Whatever a name server sends is walked within its bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	(void)dns_ttl((struct str){ (const char *)bytes, len });
	return 0;
}

#include "apps/mail/queue/envelope.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What is read at all is written as the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str in = { (const char *)bytes, len };
	char out[ENVELOPE_LEN_MAX];
	struct envelope e;

	if (!envelope_parse(in, &e))
		return 0;
	ASSERT(envelope_emit(&e, out) == len);
	ASSERT(memcmp(out, bytes, len) == 0);
	return 0;
}

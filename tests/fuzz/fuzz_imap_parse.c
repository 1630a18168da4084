#include <stdlib.h>

#include "stack/base/check.h"
#include "tests/lib/imap_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The same commands are read however the bytes were cut. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const struct imap_parse_limits limits = {
		.line_len = 300, .literal_len = 100, .len = 600, .skip_len = 500
	};
	struct str in = { (const char *)bytes, len };
	struct imap_text whole = { .p = NULL }, cut = { .p = NULL };

	imap_text_walk(&whole, &limits, in, 0);
	imap_text_walk(&cut, &limits, in, 1 + len % 3);
	ASSERT(whole.len == cut.len && memcmp(whole.p, cut.p, cut.len) == 0);
	free(whole.p);
	free(cut.p);
	return 0;
}

#include "apps/mail/wire/utf7.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What is read is written again to the same bytes, in both directions. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str in = { (const char *)bytes, len };
	char there[4096], back[4096];
	size_t n_there, n_back;

	if (len > 512)
		return 0;
	if (utf7_parse(in, there, sizeof(there), &n_there) == 0) {
		ASSERT(utf7_emit((struct str){ there, n_there }, back, sizeof(back),
				 &n_back) == 0);
		ASSERT(str_eq((struct str){ back, n_back }, in));
	}
	if (utf7_emit(in, there, sizeof(there), &n_there) == 0) {
		ASSERT(utf7_parse((struct str){ there, n_there }, back, sizeof(back),
				  &n_back) == 0);
		ASSERT(str_eq((struct str){ back, n_back }, in));
	}
	return 0;
}

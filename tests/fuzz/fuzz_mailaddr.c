#include "apps/mail/wire/mailaddr.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What was understood is within the limits, and written so that it reads the same. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str in = { (const char *)bytes, len };
	char text[MAILADDR_TEXT_LEN + 2] = "<", again[MAILADDR_TEXT_LEN];
	struct mailaddr a, b;
	size_t n;

	(void)mailaddr_is_domain(in);
	(void)mailaddr_is_literal(in);
	if (mailaddr_path(&in, &a))
		return 0;
	ASSERT(in.p + in.len == (const char *)bytes + len);
	ASSERT(a.local.len <= MAILADDR_LOCAL_MAX && a.domain.len <= MAILADDR_DOMAIN_MAX);
	n = mailaddr_emit(&a, text + 1);
	ASSERT(n + 2 <= MAILADDR_PATH_MAX);
	text[n + 1] = '>';
	in = (struct str){ text, n + 2 };
	ASSERT(mailaddr_path(&in, &b) == 0 && in.len == 0);
	ASSERT(mailaddr_emit(&b, again) == n && memcmp(again, text + 1, n) == 0);
	return 0;
}

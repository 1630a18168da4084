#include <stdlib.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/mime_7bit.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* What comes out when it is read in pieces of @step; its length, or -1 without change. */
static long convert(struct mime *m, struct str s, size_t step, char *out, size_t room)
{
	struct mime_7bit c;
	size_t n = 0, some;

	mime_parse(m, s);
	if (mime_7bit_init(&c, m, s) != MIME_7BIT_CHANGED) {
		mime_7bit_fini(&c);
		return -1;
	}
	while ((some = mime_7bit_read(&c, out + n, step)) > 0) {
		n += some;
		ASSERT(n + step <= room);
	}
	mime_7bit_fini(&c);
	return (long)n;
}

/* The first byte is the size of the pieces.  What comes out is the same for all, and
 * only headers may have bytes above 127. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	size_t room = 128 * len + 8192;
	struct mime *m;
	char *a, *b;
	struct str s;
	long n;

	if (len < 1)
		return 0;
	s = (struct str){ (const char *)bytes + 1, len - 1 };
	m = mime_new(&mime_limits_default);
	a = malloc(room);
	b = malloc(room);
	n = convert(m, s, 4096, a, room);
	ASSERT(convert(m, s, 1 + bytes[0], b, room) == n);
	ASSERT(n < 0 || memcmp(a, b, (size_t)n) == 0);
	if (n >= 0 && !(mime_odd(m) & MIME_ODD_HEADER_8BIT))
		ASSERT(charset_is_ascii((struct str){ a, (size_t)n }));
	free(a);
	free(b);
	mime_free(m);
	return 0;
}

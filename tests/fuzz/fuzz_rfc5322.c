#include "apps/mail/wire/rfc5322.h"
#include "stack/base/check.h"

static size_t top_len(struct str s, uint64_t n_lines, size_t n)
{
	struct rfc5322_top top;

	rfc5322_top_init(&top, n_lines);
	while (!rfc5322_top_feed(&top, s, n))
		;
	return top.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct rfc5322_scan scan(struct str s, size_t step)
{
	static const struct rfc5322_limits limits = { 1000, 100, 20, 5 };
	struct rfc5322_scan scan;

	rfc5322_scan_init(&scan, &limits);
	for (size_t at = 0; at < s.len; at += step)
		rfc5322_scan_feed(
			&scan,
			(struct str){ s.p + at, s.len - at < step ? s.len - at : step });
	return scan;
}

/* The first byte is the size of the pieces, and how many lines TOP shows. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct rfc5322_scan whole, cut;
	struct str s;
	size_t top;

	if (len < 1)
		return 0;
	s = (struct str){ (const char *)bytes + 1, len - 1 };
	whole = scan(s, len);
	cut = scan(s, 1 + bytes[0] % 16);
	ASSERT(whole.fault == cut.fault && whole.n_fields == cut.n_fields);
	ASSERT(whole.n_received == cut.n_received);
	if (whole.fault == RFC5322_FINE)
		ASSERT(whole.where == cut.where && whole.header_len == cut.header_len);
	ASSERT(whole.header_len <= s.len && whole.n_received <= whole.n_fields);
	top = top_len(s, bytes[0], 1);
	ASSERT(top <= s.len && top == rfc5322_top_len(s, bytes[0]));
	ASSERT(top <= top_len(s, bytes[0] + 1u, 3));
	return 0;
}

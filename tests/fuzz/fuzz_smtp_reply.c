#include "apps/mail/wire/smtp_reply.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Lines, until one is refused or is the last: limits hold, and what is kept is text. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str in = { (const char *)bytes, len };
	struct smtp_reply r;
	int got = 0;

	smtp_reply_init(&r);
	while (got == 0 && in.len > 0) {
		struct str line = str_cut(in, '\n', &in), rest;

		got = smtp_reply_line(&r, line, &rest);
		if (got < 0)
			break;
		ASSERT(rest.p >= line.p && rest.p + rest.len <= line.p + line.len);
	}
	ASSERT(r.n_lines <= SMTP_REPLY_LINES_MAX && r.text_len <= SMTP_REPLY_TEXT_MAX);
	ASSERT(strlen(r.text) == r.text_len);
	ASSERT(r.enhanced.class == 0 || r.enhanced.class == r.code / 100);
	return 0;
}

#include "apps/mail/wire/pop3.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str line = { (const char *)bytes, len }, args[POP3_ARGS_MAX];
	struct pop3_cmd cmd;
	uint32_t number;
	int n;

	pop3_split(line, &cmd);
	ASSERT(cmd.keyword.len <= len && cmd.rest.len <= len);
	n = pop3_args(&cmd, args);
	ASSERT(n <= POP3_ARGS_MAX);
	for (int i = 0; i < n; i++) {
		ASSERT(args[i].len > 0 && args[i].p >= line.p &&
		       args[i].p + args[i].len <= line.p + line.len);
		if (pop3_number(args[i], &number))
			ASSERT(number > 0 && args[i].p[0] != '-');
	}
	return 0;
}

#include "apps/mail/wire/smtp_cmd.h"
#include "stack/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool is_inside(struct str part, struct str whole)
{
	return part.len == 0 ||
	       (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

/* Nothing that was understood is outside of what was given. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str line = { (const char *)bytes, len };
	struct smtp_mail mail;
	struct smtp_cmd cmd;
	struct mailaddr to;

	smtp_cmd_split(line, &cmd);
	ASSERT(is_inside(cmd.verb, line) && is_inside(cmd.arg, line));
	(void)smtp_cmd_is_host(cmd.arg);
	if (smtp_cmd_mail(cmd.arg, &mail) == SMTP_CMD_OK)
		ASSERT(is_inside(mail.from.local, cmd.arg) &&
		       is_inside(mail.from.domain, cmd.arg));
	if (smtp_cmd_rcpt(cmd.arg, &to) == SMTP_CMD_OK)
		ASSERT(to.kind != MAILADDR_NULL && is_inside(to.local, cmd.arg) &&
		       is_inside(to.domain, cmd.arg));
	return 0;
}

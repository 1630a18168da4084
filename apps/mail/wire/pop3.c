#include "apps/mail/wire/pop3.h"

#include <errno.h>

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* command = keyword *(SP param) CRLF (RFC 2449 9) */
void pop3_split(struct str line, struct pop3_cmd *cmd)
{
	size_t n = 0;

	while (n < line.len && is_alpha(line.p[n]))
		n++;
	*cmd = (struct pop3_cmd){ .keyword = { line.p, n }, .rest = { line.p + n, 0 } };
	if (n == line.len)
		return;
	if (line.p[n] != ' ') {
		cmd->keyword.len = 0;
		return;
	}
	cmd->has_rest = true;
	cmd->rest = (struct str){ line.p + n + 1, line.len - n - 1 };
}

/* Blanks at the end of the line are tolerated, as in SMTP. */
int pop3_args(const struct pop3_cmd *cmd, struct str args[static POP3_ARGS_MAX])
{
	struct str rest = cmd->rest;
	int n = 0;

	while (rest.len > 0 && rest.p[rest.len - 1] == ' ')
		rest.len--;
	while (rest.len > 0) {
		struct str arg = str_cut(rest, ' ', &rest);

		if (arg.len == 0 || n == POP3_ARGS_MAX)
			return -EINVAL;
		args[n++] = arg;
	}
	return n;
}

bool pop3_number(struct str arg, uint32_t *n)
{
	uint64_t value;

	if (!str_to_u64(arg, &value) || value == 0 || value > UINT32_MAX)
		return false;
	*n = (uint32_t)value;
	return true;
}

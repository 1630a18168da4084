/*
 * A line on the control socket: whatever it is, the answer is a table or a refusal,
 * and ends as it should.
 */
#include <stdint.h>
#include <stdlib.h>

#include "apps/lib/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void run(void *arg, struct ctl_reply *to)
{
	const struct str *line = arg;
	char cell[64];
	size_t n = line->len < sizeof(cell) - 1 ? line->len : sizeof(cell) - 1;

	memcpy(cell, line->p, n);
	cell[n] = '\0';
	ctl_row(to, (const char *[]){ cell, "." }, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char *const columns[] = { "cell", "dot", NULL };
	static const struct ctl_command commands[] = {
		{ "stat", "", columns, run },
		{ "conns", "", columns, run },
	};
	struct str line = { (const char *)bytes, len };
	size_t n, n_lines = 0;
	char *text = ctl_answer(commands, 2, &line, line, &n);

	if (!text || n < 2 || strcmp(text + n - 2, ".\n") != 0 || strlen(text) != n)
		abort();
	if (strncmp(text, "ok\n", 3) != 0 && strncmp(text, "error: ", 7) != 0)
		abort();
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		n_lines++;
	if (n_lines != (text[0] == 'o' ? 4 : 2))
		abort();
	free(text);
	return 0;
}

/*
 * The commands that ask a running packetboatd.
 */
#include <stdio.h>
#include <string.h>

#include "apps/lib/ctl.h"
#include "apps/packetboat/packetboat.h"
#include "apps/packetboat/table.h"
#include "stack/base/check.h"

/* Asks @question and prints the answer. */
static int ask(struct packetboat *p, const char *question, const char *pattern)
{
	char error[CTL_ERROR_LEN];
	struct table table = { 0 };
	int status = 0;

	if (ctl_call(p->control, question, table_add, &table, error) < 0)
		status = packetboat_fail(error);
	else if (table.failed)
		status = packetboat_fail("no memory");
	else if (table_print(&table, pattern, p->json, stdout) == 0 && pattern)
		status = packetboat_fail("no counter has such a name");
	table_fini(&table);
	return status;
}

int ask_stat(struct packetboat *p, int argc, char **argv)
{
	if (argc > 2)
		return packetboat_usage();
	return ask(p, argv[0], argc == 2 ? argv[1] : NULL);
}

int ask_table(struct packetboat *p, int argc, char **argv)
{
	if (argc > 1)
		return packetboat_usage();
	return ask(p, argv[0], NULL);
}

int ask_queue(struct packetboat *p, int argc, char **argv)
{
	static const char *const with_words[] = { "show", "retry", "hold", "remove" };
	char question[CTL_LINE_MAX];
	size_t i = 0;

	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return ask(p, "queue list", NULL);
	while (argc == 3 && i < ARRAY_LEN(with_words) &&
	       strcmp(argv[1], with_words[i]) != 0)
		i++;
	if (argc != 3 || i == ARRAY_LEN(with_words))
		return packetboat_usage();
	if (snprintf(question, sizeof(question), "queue %s %s", argv[1], argv[2]) >=
	    (int)sizeof(question))
		return packetboat_fail("that is too long for an item or a domain");
	return ask(p, question, NULL);
}

/*
 * Lines in, answers out: the part of a control socket that knows no socket.
 */
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/ctl.h"

struct ctl_reply {
	FILE *to;
	char *bytes;
	size_t len;
	bool full;
};

static void put_cell(struct ctl_reply *reply, const char *cell)
{
	for (; *cell; cell++)
		fputc((unsigned char)*cell < ' ' || *cell == 0x7f ? '?' : *cell,
		      reply->to);
}

bool ctl_row(struct ctl_reply *reply, const char *const *cells, size_t n_cells)
{
	if (reply->full)
		return false;
	for (size_t i = 0; i < n_cells; i++) {
		if (i > 0)
			fputc('\t', reply->to);
		put_cell(reply, cells[i]);
	}
	fputc('\n', reply->to);
	reply->full = ftell(reply->to) > CTL_REPLY_MAX;
	return true;
}

static void refuse(struct ctl_reply *reply, const struct ctl_command *commands,
		   size_t n_commands)
{
	fputs("error: no such question; allowed:", reply->to);
	for (size_t i = 0; i < n_commands; i++)
		fprintf(reply->to, " %s", commands[i].name);
	fputc('\n', reply->to);
}

static void run(struct ctl_reply *reply, const struct ctl_command *command, void *arg)
{
	size_t n = 0;

	fputs("ok\n", reply->to);
	while (command->columns[n])
		n++;
	ctl_row(reply, command->columns, n);
	command->run(arg, reply);
}

char *ctl_answer(const struct ctl_command *commands, size_t n_commands, void *arg,
		 struct str line, size_t *len)
{
	struct ctl_reply reply = { 0 };
	size_t i = 0;

	reply.to = open_memstream(&reply.bytes, &reply.len);
	if (!reply.to)
		return NULL;
	while (i < n_commands && !str_eq(line, str_of(commands[i].name)))
		i++;
	if (i < n_commands)
		run(&reply, &commands[i], arg);
	else
		refuse(&reply, commands, n_commands);
	if (!reply.full) /* else the end is missing, and that is seen */
		fputs(".\n", reply.to);
	if (fclose(reply.to) != 0) {
		free(reply.bytes);
		return NULL;
	}
	*len = reply.len;
	return reply.bytes;
}

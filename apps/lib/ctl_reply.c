/*
 * Lines in, answers out: the part of a control socket that knows no socket.
 */
#include <stdio.h>
#include <stdlib.h>

#include "apps/lib/ctl.h"
#include "stack/base/check.h"

struct ctl_reply {
	FILE *to;
	char *bytes;
	size_t len;
	const struct ctl_command *command;
	struct str words;
	bool begun, failed, full;
};

static void put_cell(struct ctl_reply *reply, const char *cell)
{
	for (; *cell; cell++)
		fputc((unsigned char)*cell < ' ' || *cell == 0x7f ? '?' : *cell,
		      reply->to);
}

static void put_row(struct ctl_reply *reply, const char *const *cells, size_t n_cells)
{
	for (size_t i = 0; i < n_cells; i++) {
		if (i > 0)
			fputc('\t', reply->to);
		put_cell(reply, cells[i]);
	}
	fputc('\n', reply->to);
}

/* The names of the columns come before the first row, or where there is none. */
static void begin(struct ctl_reply *reply)
{
	size_t n = 0;

	if (reply->begun || reply->failed)
		return;
	reply->begun = true;
	fputs("ok\n", reply->to);
	while (reply->command->columns[n])
		n++;
	put_row(reply, reply->command->columns, n);
}

bool ctl_row(struct ctl_reply *reply, const char *const *cells, size_t n_cells)
{
	if (reply->full)
		return false;
	begin(reply);
	put_row(reply, cells, n_cells);
	reply->full = ftell(reply->to) > CTL_REPLY_MAX;
	return true;
}

struct str ctl_words(const struct ctl_reply *reply)
{
	return reply->words;
}

void ctl_fail(struct ctl_reply *reply, const char *text)
{
	ASSERT(!reply->begun && !reply->failed);
	reply->failed = true;
	fputs("error: ", reply->to);
	put_cell(reply, text);
	fputc('\n', reply->to);
}

static void refuse(struct ctl_reply *reply, const struct ctl_command *commands,
		   size_t n_commands)
{
	fputs("error: no such question; allowed:", reply->to);
	for (size_t i = 0; i < n_commands; i++)
		fprintf(reply->to, " %s", commands[i].name);
	fputc('\n', reply->to);
}

/* "stat" is itself; "queue show " is what begins with it. */
static bool is_for(const struct ctl_command *command, struct str line)
{
	struct str name = str_of(command->name);

	if (name.p[name.len - 1] != ' ')
		return str_eq(line, name);
	line.len = line.len < name.len ? line.len : name.len;
	return str_eq(line, name);
}

static void run(struct ctl_reply *reply, const struct ctl_command *command, void *arg,
		struct str line)
{
	size_t name_len = strlen(command->name);

	reply->command = command;
	reply->words = (struct str){ line.p + name_len, line.len - name_len };
	command->run(arg, reply);
	begin(reply);
}

char *ctl_answer(const struct ctl_command *commands, size_t n_commands, void *arg,
		 struct str line, size_t *len)
{
	struct ctl_reply reply = { 0 };
	size_t i = 0;

	reply.to = open_memstream(&reply.bytes, &reply.len);
	if (!reply.to)
		return NULL;
	while (i < n_commands && !is_for(&commands[i], line))
		i++;
	if (i < n_commands)
		run(&reply, &commands[i], arg, line);
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

/*
 * A control socket: a Unix stream socket of the host, 0600, through which a local
 * program asks a running one.
 *
 *	-> stat\n                      one line, of at most CTL_LINE_MAX bytes
 *	<- ok\n                        or "error: what, what is allowed"
 *	<- name\tvalue\tmeaning\n      a table: the names of its columns,
 *	<- smtp.sessions\t3\t...\n     and its rows, with tabs between
 *	<- .\n                         the end: without it, something is missing
 *
 * One question a connection.  The server runs in the thread of a net, and never blocks
 * it; who does not read is left alone after CTL_CLIENT_S.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"

enum {
	CTL_LINE_MAX = 256,
	CTL_CLIENTS_MAX = 16, /* at once; more are turned away */
	CTL_CLIENT_S = 30,
	CTL_REPLY_MAX = 64 << 20, /* bytes of an answer; it ends there, and says so */
	CTL_ERROR_LEN = 512,
};

struct ctl;
struct ctl_reply;
struct net;

struct ctl_command {
	const char *name;	    /* with a space at its end: words follow */
	const char *text;	    /* what it answers, in words */
	const char *const *columns; /* NULL at the end */
	void (*run)(void *arg, struct ctl_reply *reply);
};

/*
 * Listens at @path, in place of a socket that nobody listens at any more.  0; or
 * -errno: -EADDRINUSE, somebody does.
 */
int ctl_new(struct net *net, const char *path, const struct ctl_command *commands,
	    size_t n_commands, void *arg, struct ctl **ctl);
/* Closes and removes the socket. */
void ctl_free(struct ctl *ctl);

/* What stands behind the name of a command that takes words. */
struct str ctl_words(const struct ctl_reply *reply);
/* The answer is an error, in place of a table: before any row, and the only one. */
void ctl_fail(struct ctl_reply *reply, const char *text);
/* One row.  Texts are written without tabs and line ends.  False: CTL_REPLY_MAX is
 * reached, no more is taken. */
bool ctl_row(struct ctl_reply *reply, const char *const *cells, size_t n_cells);

/* Asks, and waits for the answer: @row is called with each line, the columns' names
 * first.  0; or -errno and a sentence. */
typedef void ctl_take_row(void *arg, const char *line);
int ctl_call(const char *path, const char *question, ctl_take_row *row, void *arg,
	     char error[CTL_ERROR_LEN]);

/* For tests: the answer to one line, to free(). */
char *ctl_answer(const struct ctl_command *commands, size_t n_commands, void *arg,
		 struct str line, size_t *len);

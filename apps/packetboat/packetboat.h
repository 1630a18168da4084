/*
 * What the commands of packetboat share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Of the configuration file and the command line. */
struct packetboat {
	char *control, *users, *service_user, *hostname, *cert, *key;
	bool json, password_stdin, in_clear;
};

/* Says what is wrong, or what is allowed, on standard error; 1, the exit status. */
int packetboat_fail(const char *text);
int packetboat_usage(void);
/* The file belongs to the service user from now on, if we are root and there is such a
 * user.  0 or -errno. */
int packetboat_give(const struct packetboat *p, int fd);

/* The commands: argv[0] is their name.  Exit statuses. */
int ask_stat(struct packetboat *p, int argc, char **argv);
int ask_table(struct packetboat *p, int argc, char **argv);
int ask_queue(struct packetboat *p, int argc, char **argv);
int cert_command(struct packetboat *p, int argc, char **argv);
int user_command(struct packetboat *p, int argc, char **argv);

/*
 * What Unix expects of a program that runs in the background.  For main(), before and
 * while everything starts; texts of errors are for the user.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum { DAEMON_ERROR_LEN = 256 };

/* Whom a program becomes; what it was, when it was not started as root. */
struct daemon_user {
	uid_t uid;
	gid_t gid;
	bool change; /* we are root, and they are not */
};

/* Looks @name up.  0, or -ENOENT and a sentence. */
int daemon_user(const char *name, struct daemon_user *user, char error[DAEMON_ERROR_LEN]);

/* As many descriptors as the host lets us have. */
void daemon_raise_limits(void);
/*
 * SIGTERM, SIGINT and SIGHUP become readable at a descriptor, SIGPIPE is ignored.
 * Before any thread is made.  The descriptor or -errno; daemon_signal() reads one.
 */
int daemon_signal_fd(void);
int daemon_signal(int fd);

/*
 * Goes on in a child in a session of its own; the parent waits until daemon_ready() and
 * exits with 0, or with 1 if the child ends before.  The descriptor for daemon_ready(),
 * or -errno.
 */
int daemon_background(void);
void daemon_ready(int fd);

/* Makes @path, its parents too (0755), with @mode, and gives it to @user; a directory that
 * is there stays as it is.  0 or -errno and a sentence. */
int daemon_dir(const char *path, mode_t mode, const struct daemon_user *user,
	       char error[DAEMON_ERROR_LEN]);
/* The same for the directory in which @path is. */
int daemon_dir_of(const char *path, mode_t mode, const struct daemon_user *user,
		  char error[DAEMON_ERROR_LEN]);
/* Makes the file @path, 0600, and gives it to @user; one that is there stays as it is. */
int daemon_file(const char *path, const struct daemon_user *user,
		char error[DAEMON_ERROR_LEN]);

/* Becomes @user for good: no groups, no way back, no privileges by exec, umask 077. */
int daemon_become(const struct daemon_user *user, char error[DAEMON_ERROR_LEN]);

/* Writes our number to @path.  0 or -errno. */
int daemon_write_pid(const char *path);

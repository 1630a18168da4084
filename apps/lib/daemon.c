#include "apps/lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what, const char *name, char *error)
{
	int r = -errno;

	snprintf(error, DAEMON_ERROR_LEN, "%s %s: %s", what, name, strerror(-r));
	return r;
}

int daemon_user(const char *name, struct daemon_user *user, char error[DAEMON_ERROR_LEN])
{
	const struct passwd *pw;

	*user = (struct daemon_user){ .uid = getuid(), .gid = getgid() };
	if (geteuid() != 0)
		return 0;
	errno = 0;
	pw = getpwnam(name);
	if (!pw) {
		snprintf(error, DAEMON_ERROR_LEN,
			 "user is '%.64s'; allowed: a user of this system", name);
		return -ENOENT;
	}
	*user = (struct daemon_user){ .uid = pw->pw_uid,
				      .gid = pw->pw_gid,
				      .change = pw->pw_uid != 0 };
	return 0;
}

void daemon_raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit); /* fewer will do, too */
	}
}

int daemon_signal_fd(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int daemon_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

/* The parent's part: ends as the start of the child ends. */
static _Noreturn void wait_for_child(int fd)
{
	char byte;

	_exit(read(fd, &byte, 1) == 1 ? 0 : 1);
}

int daemon_background(void)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int r = -errno;

		close(fds[0]);
		close(fds[1]);
		return r;
	}
	if (pid > 0) {
		close(fds[1]);
		wait_for_child(fds[0]);
	}
	close(fds[0]);
	setsid();
	return fds[1];
}

void daemon_ready(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Messages of the start went to the terminal; now we leave it. */
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	if (write(fd, "", 1) < 0)
		return; /* the parent was killed: nobody waits */
	close(fd);
}

/* Makes all that is missing above @path. */
static int make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int make_dir(const char *path, mode_t mode)
{
	char *copy = strdup(path);
	mode_t before;
	int r;

	if (!copy)
		return -ENOMEM;
	before = umask(0022);
	r = make_parents(copy);
	if (r == 0 && mkdir(path, mode) < 0)
		r = -errno;
	umask(before);
	free(copy);
	return r;
}

int daemon_dir(const char *path, mode_t mode, const struct daemon_user *user,
	       char error[DAEMON_ERROR_LEN])
{
	int r = make_dir(path, mode);
	struct stat st;

	errno = -r;
	if (r < 0 && r != -EEXIST)
		return fail("cannot make", path, error);
	if (r == -EEXIST) {
		/* Somebody made it who knew why: it stays as it is. */
		if (stat(path, &st) < 0)
			return fail("cannot look at", path, error);
		errno = ENOTDIR;
		return S_ISDIR(st.st_mode) ? 0 : fail("cannot use", path, error);
	}
	if (user->change && chown(path, user->uid, user->gid) < 0)
		return fail("cannot give away", path, error);
	return 0;
}

int daemon_dir_of(const char *path, mode_t mode, const struct daemon_user *user,
		  char error[DAEMON_ERROR_LEN])
{
	char *copy = strdup(path);
	int r;

	if (!copy) {
		errno = ENOMEM;
		return fail("cannot make", path, error);
	}
	r = daemon_dir(dirname(copy), mode, user, error);
	free(copy);
	return r;
}

int daemon_file(const char *path, const struct daemon_user *user,
		char error[DAEMON_ERROR_LEN])
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), r = 0;

	if (fd < 0)
		return errno == EEXIST ? 0 : fail("cannot make", path, error);
	if (user->change && fchown(fd, user->uid, user->gid) < 0)
		r = fail("cannot give away", path, error);
	close(fd);
	return r;
}

int daemon_become(const struct daemon_user *user, char error[DAEMON_ERROR_LEN])
{
	umask(0077);
	if (user->change &&
	    (setgroups(0, NULL) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
	     setresuid(user->uid, user->uid, user->uid) < 0))
		return fail("cannot become", "the service user", error);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail("cannot give up", "new privileges", error);
	return 0;
}

int daemon_write_pid(const char *path)
{
	FILE *file = fopen(path, "we");
	int r = 0;

	if (!file)
		return -errno;
	/* For everybody, whatever the umask: it is no secret. */
	if (fchmod(fileno(file), 0644) < 0 || fprintf(file, "%ld\n", (long)getpid()) < 0)
		r = -EIO;
	if (fclose(file) != 0 && r == 0)
		r = -errno;
	return r;
}

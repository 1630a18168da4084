#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps/lib/daemon.h"
#include "tests/lib/case.h"

static char dir[] = "/tmp/daemon.XXXXXX";
static char error[DAEMON_ERROR_LEN];
static const struct daemon_user same = { 0 }; /* nobody else */

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
}

static void clean(void)
{
	cr_assert_eq(rmdir(dir), 0, "something was left behind");
}

Cases(daemon, setup, clean);

Case(daemon, folder_is_made_with_its_parents)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "%s/a/b", dir);
	umask(0077);
	cr_assert_eq(daemon_dir(path, 0700, &same, error), 0, "%s", error);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0700);
	cr_assert_eq(stat("a", &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0755);
	cr_assert_eq(chmod(path, 0711), 0);
	cr_assert_eq(daemon_dir(path, 0700, &same, error), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0711, "it was there: it stays as it is");
	cr_assert_eq(rmdir("a/b"), 0);
	strcat(path, "/file");
	cr_assert_eq(daemon_dir_of(path, 0700, &same, error), 0);
	cr_assert_eq(rmdir("a/b"), 0);
	cr_assert_eq(rmdir("a"), 0);
}

Case(daemon, file_in_the_place_of_a_folder_is_said)
{
	char path[64], expected[DAEMON_ERROR_LEN];
	struct stat st;

	snprintf(path, sizeof(path), "%s/file", dir);
	cr_assert_eq(daemon_file(path, &same, error), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(daemon_file(path, &same, error), 0, "it is there already");
	cr_assert_eq(daemon_dir(path, 0700, &same, error), -ENOTDIR);
	snprintf(expected, sizeof(expected), "cannot use %s: Not a directory", path);
	cr_assert_str_eq(error, expected);
	cr_assert_eq(unlink(path), 0);
}

Case(daemon, number_is_written)
{
	long number = 0;
	FILE *file;

	cr_assert_eq(daemon_write_pid("pid"), 0);
	file = fopen("pid", "r");
	cr_assert_eq(fscanf(file, "%ld\n", &number), 1);
	fclose(file);
	cr_assert_eq(number, getpid());
	cr_assert_eq(unlink("pid"), 0);
	cr_assert_eq(daemon_write_pid("none/pid"), -ENOENT);
}

Case(daemon, signals_are_read)
{
	int fd = daemon_signal_fd();

	cr_assert_geq(fd, 0);
	cr_assert_eq(daemon_signal(fd), 0);
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGTERM);
	cr_assert_eq(daemon_signal(fd), SIGHUP);
	cr_assert_eq(daemon_signal(fd), SIGTERM);
	cr_assert_eq(daemon_signal(fd), 0);
	kill(getpid(), SIGPIPE);
	close(fd);
}

Case(daemon, user_that_is_none_is_said)
{
	struct daemon_user user;

	if (geteuid() != 0)
		cr_skip_test("only root becomes somebody else");
	cr_assert_eq(daemon_user("no-such-user", &user, error), -ENOENT);
	cr_assert_str_eq(error, "user is 'no-such-user'; allowed: a user of this system");
	cr_assert_eq(daemon_user("root", &user, error), 0);
	cr_assert(!user.change);
	cr_assert_eq(daemon_user("nobody", &user, error), 0);
	cr_assert(user.change);
}

/* In a child: there is no way back. */
static int become_nobody(void)
{
	struct daemon_user user;
	gid_t groups[8];

	if (daemon_user("nobody", &user, error) < 0 || daemon_become(&user, error) < 0)
		return 1;
	if (getuid() != user.uid || getegid() != user.gid || getgroups(8, groups) != 0)
		return 2;
	if (setuid(0) == 0 || seteuid(0) == 0)
		return 3;
	return umask(0) == 0077 ? 0 : 4;
}

Case(daemon, service_user_is_for_good)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		cr_skip_test("only root becomes somebody else");
	pid = fork();
	if (pid == 0)
		_exit(become_nobody());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "%d", WEXITSTATUS(status));
}

/* The status of a parent that waits for a child which is @ready or ends before. */
static int status_of_start(bool ready)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = daemon_background();

		if (ready)
			daemon_ready(fd);
		_exit(7);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

Case(daemon, parent_ends_as_the_start_of_the_child_does)
{
	cr_assert_eq(status_of_start(true), 0);
	cr_assert_eq(status_of_start(false), 1);
}

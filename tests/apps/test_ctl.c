#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "apps/lib/ctl.h"
#include "apps/lib/net.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"

static char dir[] = "/tmp/ctl.XXXXXX", path[64];
static struct net *net;
static struct ctl *ctl;
static int ctl_fd; /* the one that the net watches */

static void run_fruit(void *arg, struct ctl_reply *to)
{
	cr_assert_eq(arg, &net);
	ctl_row(to, (const char *[]){ "apple", "1" }, 2);
	ctl_row(to, (const char *[]){ "pear\tor\nso", "\x7f" }, 2);
}

/* More than a socket takes at once. */
enum { MANY = 100000 };

static void run_many(void *arg, struct ctl_reply *to)
{
	(void)arg;
	for (int i = 0; i < MANY; i++)
		cr_assert(ctl_row(to, (const char *[]){ "row row row your boat" }, 1));
}

static void run_endless(void *arg, struct ctl_reply *to)
{
	const char *cell = "more and more of the same, and no end in sight anywhere";

	(void)arg;
	while (ctl_row(to, &cell, 1))
		;
}

static const char *const two[] = { "fruit", "n", NULL };
static const char *const one[] = { "text", NULL };

static void run_echo(void *arg, struct ctl_reply *to)
{
	struct str words = ctl_words(to);
	char text[CTL_LINE_MAX];
	const char *cell = text;

	(void)arg;
	snprintf(text, sizeof(text), "%.*s", (int)words.len, words.p);
	if (words.len > 0)
		ctl_row(to, &cell, 1);
	else
		ctl_fail(to, "nothing\nto say");
}

static const struct ctl_command commands[] = {
	{ "echo ", "what follows", one, run_echo },
	{ "fruit", "what we have", two, run_fruit },
	{ "many", "a lot", one, run_many },
	{ "endless", "all", one, run_endless },
};

static void setup(void)
{
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/control", dir);
	cr_assert_eq(net_posix_new(&net), 0);
	/* The lowest that is free. */
	ctl_fd = dup(STDIN_FILENO);
	close(ctl_fd);
	cr_assert_eq(ctl_new(net, path, commands, ARRAY_LEN(commands), &net, &ctl), 0);
}

static void clean(void)
{
	ctl_free(ctl);
	net_free(net);
	cr_assert_eq(rmdir(dir), 0, "something was left behind");
}

TestSuite(ctl, .timeout = 60);
Cases(ctl, setup, clean);

static void expect_answer(const char *question, size_t len, const char *answer)
{
	struct str line = { question, len };
	size_t n;
	char *text = ctl_answer(commands, ARRAY_LEN(commands), &net, line, &n);

	cr_assert_str_eq(text, answer);
	cr_assert_eq(n, strlen(answer));
	free(text);
}

#define NO_SUCH "error: no such question; allowed: echo  fruit many endless\n.\n"

Case(ctl, line_gets_its_answer)
{
	expect_answer("fruit", 5, "ok\nfruit\tn\napple\t1\npear?or?so\t?\n.\n");
	expect_answer("frui", 4, NO_SUCH);
	expect_answer("fruits", 6, NO_SUCH);
	expect_answer("", 0, NO_SUCH);
	expect_answer("fruit\0", 6, NO_SUCH);
}

Case(ctl, words_behind_a_name_are_its_own)
{
	expect_answer("echo two words", 14, "ok\ntext\ntwo words\n.\n");
	expect_answer("echo", 4, NO_SUCH);
	expect_answer("echo ", 5, "error: nothing?to say\n.\n");
}

static struct {
	const char *question;
	char rows[256], error[CTL_ERROR_LEN];
	int result, n_rows;
} call;

static void take_row(void *arg, const char *line)
{
	cr_assert_eq(arg, &call);
	call.n_rows++;
	if (strlen(call.rows) + strlen(line) + 2 < sizeof(call.rows)) {
		strcat(call.rows, line);
		strcat(call.rows, "|");
	}
}

static void *ask(void *arg)
{
	(void)arg;
	call.result = ctl_call(path, call.question, take_row, &call, call.error);
	net_stop(net);
	return NULL;
}

static void ask_about(const char *question)
{
	pthread_t thread;

	call.question = question;
	cr_assert_eq(pthread_create(&thread, NULL, ask, NULL), 0);
	net_run(net);
	pthread_join(thread, NULL);
}

Case(ctl, question_is_answered_over_the_socket)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	ask_about("fruit");
	cr_assert_eq(call.result, 0, "%s", call.error);
	cr_assert_str_eq(call.rows, "fruit\tn|apple\t1|pear?or?so\t?|");
}

Case(ctl, long_answer_comes_whole_through_a_narrow_socket)
{
	ask_about("many");
	cr_assert_eq(call.result, 0, "%s", call.error);
	cr_assert_eq(call.n_rows, MANY + 1);
}

Case(ctl, answer_without_end_is_bounded_and_that_is_seen)
{
	ask_about("endless");
	cr_assert_eq(call.result, -EPROTO);
	cr_assert_not_null(strstr(call.error, "the answer ends too early"));
}

Case(ctl, refusal_is_told_to_who_asked)
{
	char expected[CTL_ERROR_LEN];

	ask_about("vegetables");
	cr_assert_eq(call.result, -EINVAL);
	snprintf(expected, sizeof(expected),
		 "%s: error: no such question; allowed: echo  fruit many endless", path);
	cr_assert_str_eq(call.error, expected);
}

static int raw_client(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(at.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	net_turn(net);
	return fd;
}

static void expect_read(int fd, const char *text)
{
	char heard[256] = { 0 };
	ssize_t n = recv(fd, heard, sizeof(heard) - 1, MSG_DONTWAIT);

	cr_assert_eq(n, (ssize_t)strlen(text), "%zd", n);
	cr_assert_str_eq(heard, text);
}

Case(ctl, line_comes_in_pieces_or_too_long)
{
	char line[CTL_LINE_MAX];
	int fd = raw_client();

	for (const char *p = "fruit"; *p; p++) {
		cr_assert_eq(send(fd, p, 1, 0), 1);
		net_turn(net);
		cr_assert_lt(recv(fd, line, 1, MSG_DONTWAIT), 0);
	}
	cr_assert_eq(send(fd, "\nmore", 5, 0), 5);
	net_turn(net);
	expect_read(fd, "ok\nfruit\tn\napple\t1\npear?or?so\t?\n.\n");
	close(fd);

	fd = raw_client();
	memset(line, 'x', sizeof(line));
	cr_assert_eq(send(fd, line, sizeof(line), 0), (ssize_t)sizeof(line));
	net_turn(net);
	expect_read(fd, NO_SUCH);
	close(fd);
}

Case(ctl, too_many_clients_are_turned_away)
{
	int fds[CTL_CLIENTS_MAX + 1];
	char byte;

	for (int i = 0; i <= CTL_CLIENTS_MAX; i++)
		fds[i] = raw_client();
	cr_assert_eq(recv(fds[CTL_CLIENTS_MAX], &byte, 1, MSG_DONTWAIT), 0);
	cr_assert_lt(recv(fds[0], &byte, 1, MSG_DONTWAIT), 0, "still open");
	close(fds[0]);
	net_turn(net);
	fds[0] = raw_client();
	cr_assert_eq(send(fds[0], "fruit\n", 6, 0), 6);
	net_turn(net);
	expect_read(fds[0], "ok\nfruit\tn\napple\t1\npear?or?so\t?\n.\n");
	for (int i = 0; i <= CTL_CLIENTS_MAX; i++)
		close(fds[i]);
}

static bool has_news(void)
{
	struct pollfd p = { .fd = ctl_fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

Case(ctl, without_descriptors_accepting_pauses_and_does_not_spin)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct rlimit before, none;

	strcpy(at.sun_path, path);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)fd + 1;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert(has_news());
	net_turn(net);
	cr_assert(!has_news(), "somebody waits, and nobody looks");
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	cr_assert_eq(send(fd, "fruit\n", 6, 0), 6);
	for (char byte; recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0;)
		net_turn(net);
	expect_read(fd, "ok\nfruit\tn\napple\t1\npear?or?so\t?\n.\n");
	close(fd);
}

Case(ctl, second_server_is_refused_and_a_dead_one_replaced)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct ctl *other = NULL;
	int fd;

	cr_assert_eq(ctl_new(net, path, commands, 1, NULL, &other), -EADDRINUSE);
	cr_assert_null(other);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/dead", dir);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	cr_assert_eq(ctl_new(net, at.sun_path, commands, 1, NULL, &other), 0);
	ctl_free(other);
	cr_assert_lt(access(at.sun_path, F_OK), 0);
}

Case(ctl, file_that_is_no_socket_stays)
{
	struct ctl *other;
	char file[64], longest[256];

	snprintf(file, sizeof(file), "%s/file", dir);
	close(open(file, O_CREAT, 0600));
	cr_assert_eq(ctl_new(net, file, commands, 1, NULL, &other), -EEXIST);
	cr_assert_eq(unlink(file), 0);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	cr_assert_eq(ctl_new(net, longest, commands, 1, NULL, &other), -ENAMETOOLONG);
}

Case(ctl, asking_where_nobody_listens_says_so)
{
	char error[CTL_ERROR_LEN];

	cr_assert_eq(ctl_call("/nowhere/control", "fruit", take_row, &call, error),
		     -ENOENT);
	cr_assert_str_eq(error,
			 "/nowhere/control: nobody listens there; does packetboatd "
			 "run?");
}

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "apps/lib/io.h"
#include "apps/lib/net.h"
#include "stack/base/addr.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"

/* An echo server that hangs up at "bye", over loopback, and a client in C's own
 * blocking sockets in a second thread. */

static struct net *net;
static struct net_listener *listener;
static unsigned n_open, n_errors, n_accepted;

static void done(struct io *io, bool error)
{
	n_open--;
	n_errors += error;
	io_close(io);
	if (n_open == 0 && error)
		net_stop(net);
}

static void echo(void *arg, struct io *io, enum io_event event)
{
	struct str line;
	int r;

	(void)arg;
	if (event == IO_ERROR || event == IO_EOF || event == IO_DEADLINE) {
		done(io, event == IO_ERROR);
		return;
	}
	while ((r = io_line(io, 100000, &line)) == 1) {
		io_printf(io, "%.*s\r\n", (int)line.len, line.p);
		if (str_eq(line, STR("bye"))) {
			done(io, false);
			return;
		}
	}
	cr_assert_eq(r, 0);
}

static void take(void *arg, struct io *io)
{
	(void)arg;
	n_open++;
	n_accepted++;
	io_handle(io, echo, NULL);
}

static void setup(void)
{
	cr_assert_eq(net_posix_new(&net), 0);
	cr_assert_eq(net_listen(net, "127.0.0.1:0", 100, take, NULL, &listener), 0);
}

static void clean(void)
{
	net_free(net);
}

TestSuite(net_posix, .timeout = 60);
Cases(net_posix, setup, clean);

static int client(void)
{
	struct sockaddr_in sa = { .sin_family = AF_INET };
	const char *where = net_listener_where(listener);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sa.sin_port = htons((uint16_t)atoi(strrchr(where, ':') + 1));
	cr_assert_eq(connect(s, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return s;
}

/* Reads until end of stream. */
static size_t read_all(int s, char *to, size_t room)
{
	size_t sum = 0;
	ssize_t n;

	while ((n = recv(s, to + sum, room - sum, 0)) > 0)
		sum += (size_t)n;
	cr_assert_eq(n, 0, "%s", strerror(errno));
	return sum;
}

static void *talk(void *arg)
{
	char heard[64];
	int s = client();
	size_t n;

	(void)arg;
	cr_assert_eq(send(s, "hel", 3, 0), 3);
	cr_assert_eq(send(s, "lo\r\nbye\r\nunread", 15, 0), 15);
	n = read_all(s, heard, sizeof(heard));
	cr_assert(str_eq((struct str){ heard, n }, STR("hello\r\nbye\r\n")));
	close(s);
	net_stop(net);
	return NULL;
}

static void run_with(void *(*thread_fn)(void *))
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, thread_fn, NULL), 0);
	net_run(net);
	pthread_join(thread, NULL);
}

Case(net_posix, lines_are_echoed_and_the_last_words_arrive)
{
	run_with(talk);
	cr_assert_eq(n_open, 0);
	cr_assert_eq(n_errors, 0);
}

enum { BULK_LINES = 300, BULK_LINE_LEN = 50002 };

static void *send_bulk(void *arg)
{
	char *line = malloc(BULK_LINE_LEN);
	int s = *(int *)arg;

	memset(line, 'x', BULK_LINE_LEN);
	memcpy(line + BULK_LINE_LEN - 2, "\r\n", 2);
	for (int i = 0; i < BULK_LINES; i++)
		cr_assert_eq(send(s, line, BULK_LINE_LEN, 0), BULK_LINE_LEN);
	shutdown(s, SHUT_WR);
	free(line);
	return NULL;
}

static void *bulk(void *arg)
{
	size_t want = (size_t)BULK_LINES * BULK_LINE_LEN;
	char *all = malloc(want + 1);
	pthread_t sender;
	int s = client();

	(void)arg;
	cr_assert_eq(pthread_create(&sender, NULL, send_bulk, &s), 0);
	cr_assert_eq(read_all(s, all, want + 1), want);
	for (size_t i = 0; i < BULK_LINES; i++)
		cr_assert_eq(all[(i + 1) * BULK_LINE_LEN - 1], '\n');
	pthread_join(sender, NULL);
	free(all);
	close(s);
	net_stop(net);
	return NULL;
}

/* More than all buffers on the way hold: partial writes, and input that waits. */
Case(net_posix, bulk_comes_back_whole_after_half_close)
{
	run_with(bulk);
	cr_assert_eq(n_errors, 0);
}

static void *reset(void *arg)
{
	const struct linger at_once = { .l_onoff = 1 };
	int s = client();

	(void)arg;
	cr_assert_eq(send(s, "half", 4, 0), 4);
	setsockopt(s, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(s);
	return NULL;
}

Case(net_posix, reset_is_an_error)
{
	run_with(reset); /* the echo server stops the net when it is told */
	cr_assert_eq(n_errors, 1);
}

Case(net_posix, place_already_taken_is_refused)
{
	struct net_listener *other;

	cr_assert_eq(net_listen(net, net_listener_where(listener), 1, take, NULL, &other),
		     -EADDRINUSE);
}

static enum io_event first_event = (enum io_event)99;

static void note_first(void *arg, struct io *io, enum io_event event)
{
	(void)arg;
	first_event = event;
	io_abort(io);
	net_stop(net);
}

Case(net_posix, connects_to_a_listener)
{
	struct io *io;

	cr_assert_eq(net_connect(net, net_listener_where(listener), &io), 0);
	io_handle(io, note_first, NULL);
	net_run(net);
	cr_assert_eq(first_event, IO_CONNECTED);
}

Case(net_posix, connecting_where_nobody_listens_is_an_error)
{
	char where[NET_ADDR_TEXT_LEN];
	struct io *io;

	strcpy(where, net_listener_where(listener));
	net_listener_close(listener);
	cr_assert_eq(net_connect(net, where, &io), 0);
	io_handle(io, note_first, NULL);
	net_run(net);
	cr_assert_eq(first_event, IO_ERROR);
}

static unsigned n_readable;

static void readable(void *arg, int fd)
{
	uint64_t n;

	cr_assert_eq(arg, &n_readable);
	cr_assert_eq(read(fd, &n, sizeof(n)), sizeof(n));
	n_readable++;
	net_unwatch_fd(net, fd);
	net_stop(net);
}

Case(net_posix, watched_descriptor_is_told_until_unwatched)
{
	int fd = eventfd(1, EFD_NONBLOCK);
	uint64_t one = 1;

	cr_assert_eq(net_watch_fd(net, fd, readable, &n_readable), 0);
	cr_assert_eq(net_watch_fd(net, fd, readable, &n_readable), -EEXIST);
	net_run(net);
	cr_assert_eq(n_readable, 1);
	cr_assert_eq(write(fd, &one, sizeof(one)), sizeof(one));
	net_turn(net);
	cr_assert_eq(n_readable, 1);
	close(fd);
}

static void stop_at(struct net_timer *t, uint64_t now_ns)
{
	(void)t;
	(void)now_ns;
	net_stop(net);
}

Case(net_posix, timer_ends_the_sleep)
{
	struct net_timer timer;

	net_timer_init(&timer, stop_at);
	net_timer_arm(net, &timer, net_now_ns(net) + 5 * NS_PER_MS);
	net_run(net);
}

static void *post_stop(void *arg)
{
	(void)arg;
	net_stop(net);
	return NULL;
}

Case(net_posix, stop_of_another_thread_ends_the_sleep)
{
	run_with(post_stop);
}

Case(net_posix, knows_from_where_it_would_speak)
{
	struct addr loopback, source;

	cr_assert(addr_parse("127.0.0.1", &loopback));
	cr_assert(net_source(net, &loopback, &source));
	cr_assert(addr_eq(&loopback, &source));
}

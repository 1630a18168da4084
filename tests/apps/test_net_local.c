#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/lib/io.h"
#include "apps/lib/net_impl.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

/*
 * A server and a client over a local socket, both on one net: the kernel's, in real time,
 * or our stack's, in virtual time.
 */
static struct net *net;
static struct two t;
static bool on_stack;
static struct net_listener *listener;
static char dir[] = "/tmp/net_local.XXXXXX", path[64];

struct side {
	struct io *io;
	char events[64]; /* a letter for each: see handle() */
	char heard[64];
	size_t n_heard; /* octets; the first are in @heard */
	bool echoes;
};

static struct side server, client;

static void take_input(struct side *side)
{
	struct str in = io_peek(side->io);
	size_t i;

	for (i = 0; i < in.len; i++, side->n_heard++)
		if (side->n_heard < sizeof(side->heard) - 1)
			side->heard[side->n_heard] = in.p[i];
	if (side->echoes)
		io_write(side->io, in.p, in.len);
	io_consume(side->io, in.len);
}

static void handle(void *arg, struct io *io, enum io_event event)
{
	struct side *side = arg;
	size_t len = strlen(side->events);

	if (event == IO_INPUT)
		take_input(side);
	else if (len + 1 < sizeof(side->events))
		side->events[len] = "C?SRDEX"[event];
	if (event == IO_EOF || event == IO_ERROR) {
		io_close(io);
		side->io = NULL;
	}
}

static void take(void *arg, struct io *io)
{
	server.io = io;
	io_handle(io, handle, arg);
}

static void turn(void)
{
	if (on_stack)
		two_run(&t, NULL, NULL, 10 * NS_PER_MS);
	else
		net_turn(net);
}

/* Until @ready says so. */
static void turn_until(bool (*ready)(void))
{
	for (int i = 0; i < 1000000 && !ready(); i++)
		turn();
	cr_assert(ready());
}

static void begin(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	cr_assert_eq(net_listen(net, path, 10, take, &server, &listener), 0);
}

static void setup_kernel(void)
{
	cr_assert_eq(net_posix_new(&net), 0);
	begin();
}

static void setup_stack(void)
{
	on_stack = true;
	two_open(&t, 1, NULL);
	cr_assert_eq(net_stack_new_at(&net, t.core[0], t.now_ns), 0);
	begin();
}

static void clean(void)
{
	if (on_stack)
		two_use(&t, 0);
	net_free(net);
	if (on_stack)
		two_close(&t);
	unlink(path);
	rmdir(dir);
}

static bool both_there(void)
{
	return server.io && strchr(client.events, 'C');
}

static void connect_client(void)
{
	if (on_stack)
		two_use(&t, 0);
	cr_assert_eq(net_connect(net, path, &client.io), 0);
	io_handle(client.io, handle, &client);
	turn_until(both_there);
}

static bool client_heard(void)
{
	return client.n_heard > 0;
}

static bool both_gone(void)
{
	return !server.io && net_n_conns(net) == 0;
}

static void talk(void)
{
	server.echoes = true;
	connect_client();
	io_puts(client.io, "hello");
	turn_until(client_heard);
	cr_assert_str_eq(client.heard, "hello");
	io_close(client.io);
	turn_until(both_gone);
	cr_assert_str_eq(server.events, "E");
}

enum { MUCH = 3000000 };

static bool all_heard(void)
{
	return server.n_heard == MUCH;
}

static void send_much(void)
{
	char *bytes = calloc(1, MUCH);

	connect_client();
	io_write(client.io, bytes, MUCH);
	io_close(client.io);
	turn_until(all_heard);
	turn_until(both_gone);
	free(bytes);
}

static bool deadline_came(void)
{
	return strchr(server.events, 'D');
}

static void wait_for_deadline(void)
{
	uint64_t due_ns;

	connect_client();
	due_ns = net_now_ns(net) + 20 * NS_PER_MS;
	io_deadline(server.io, due_ns);
	turn_until(deadline_came);
	cr_assert_geq(net_now_ns(net), due_ns);
	io_abort(client.io);
	turn_until(both_gone);
}

static void know_the_peer(void)
{
	uint32_t uid = 0;
	char text[32];

	connect_client();
	snprintf(text, sizeof(text), "uid:%u", geteuid());
	cr_assert_eq(io_peer_uid(server.io, &uid), 0);
	cr_assert_eq(uid, geteuid());
	cr_assert_str_eq(io_peer_addr(server.io), text);
	cr_assert_str_eq(io_peer(client.io), text);
	cr_assert_str_eq(io_local(client.io), text);
	cr_assert_str_eq(net_listener_where(listener), text);
	/* What is open is aborted with the net. */
}

Cases(net_local_kernel, setup_kernel, clean);
Cases(net_local_stack, setup_stack, clean);

#define ON_BOTH(what, fn)            \
	Case(net_local_kernel, what) \
	{                            \
		fn();                \
	}                            \
	Case(net_local_stack, what)  \
	{                            \
		fn();                \
	}

ON_BOTH(both_ends_talk_and_part, talk)
ON_BOTH(much_arrives_whole, send_much)
ON_BOTH(deadline_comes_and_not_early, wait_for_deadline)
ON_BOTH(the_kernel_tells_who_is_there, know_the_peer)

Case(net_local_kernel, who_is_there_is_told_of_local_sockets_only)
{
	struct net_listener *other;
	uint32_t uid = 77;

	cr_assert_eq(net_listen(net, "127.0.0.1:0", 10, take, &server, &other), 0);
	cr_assert_eq(net_connect(net, net_listener_where(other), &client.io), 0);
	io_handle(client.io, handle, &client);
	turn_until(both_there);
	cr_assert_eq(io_peer_uid(server.io, &uid), -EOPNOTSUPP);
	cr_assert_eq(uid, 77);
}

Case(net_local_kernel, everybody_may_connect)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_assert(S_ISSOCK(st.st_mode));
	cr_assert_eq(st.st_mode & 07777, 0666);
}

Case(net_local_kernel, what_a_server_left_is_replaced_and_one_that_answers_is_not)
{
	struct net_listener *other;

	cr_assert_eq(net_listen(net, path, 10, take, &server, &other), -EADDRINUSE);
	net_listener_close(listener);
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert_eq(net_listen(net, path, 10, take, &server, &listener), 0);
	talk();
}

Case(net_local_kernel, a_file_is_not_replaced)
{
	struct net_listener *other;

	net_listener_close(listener);
	unlink(path);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	cr_assert_eq(net_listen(net, path, 10, take, &server, &other), -EEXIST);
}

Case(net_local_kernel, nobody_there_is_an_error_at_once)
{
	char far[200];

	net_listener_close(listener);
	cr_assert_eq(net_connect(net, path, &client.io), -ECONNREFUSED);
	unlink(path);
	cr_assert_eq(net_connect(net, path, &client.io), -ENOENT);
	memset(far, 'x', sizeof(far) - 1);
	far[0] = '/';
	far[sizeof(far) - 1] = '\0';
	cr_assert_eq(net_connect(net, far, &client.io), -ENAMETOOLONG);
	turn();
	cr_assert_eq(net_n_conns(net), 0);
}

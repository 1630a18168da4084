/* What a stream socket tells of its end: the one pending error, and bytes thrown away. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

static struct two t;
static int listener, client, server;

static void wait_ms(unsigned ms)
{
	two_run(&t, NULL, NULL, ms * NS_PER_MS);
	two_use(&t, 0);
}

/* A connection from end 0 to end 1; the thread is at end 0. */
static void setup(void)
{
	struct sockaddr_in at = two_addr(1, 80);

	two_open(&t, 5, NULL);
	two_use(&t, 1);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_bind(listener, (struct sockaddr *)&at, sizeof(at));
	cr_assert_eq(pb_listen(listener, 8), 0);
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(client, (struct sockaddr *)&at, sizeof(at));
	wait_ms(50);
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
	two_use(&t, 0);
}

static void clean(void)
{
	two_use(&t, 0);
	pb_close(client);
	wait_ms(50);
	two_use(&t, 1);
	if (server >= 0)
		pb_close(server);
	pb_close(listener);
	two_close(&t);
}

Cases(sock_end, setup, clean);

/* The server goes with a RST. */
static void be_reset(void)
{
	const struct linger now = { .l_onoff = 1 };

	two_use(&t, 1);
	cr_assert_eq(pb_setsockopt(server, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	pb_close(server);
	server = -1;
	wait_ms(50);
}

static int so_error(void)
{
	int err = -1;
	socklen_t len = sizeof(err);

	cr_assert_eq(pb_getsockopt(client, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	return err;
}

static int sending(void)
{
	return pb_send(client, "x", 1, 0) < 0 ? errno : 0;
}

static int receiving(void)
{
	char byte;
	ssize_t n = pb_recv(client, &byte, 1, 0);

	cr_assert_leq(n, 0);
	return n < 0 ? errno : 0;
}

Case(sock_end, the_error_is_told_by_send_and_then_no_more)
{
	be_reset();
	cr_assert_eq(sending(), ECONNRESET);
	cr_assert_eq(sending(), EPIPE);
	cr_assert_eq(receiving(), 0);
	cr_assert_eq(so_error(), 0);
}

Case(sock_end, the_error_is_told_by_recv_and_then_no_more)
{
	be_reset();
	cr_assert_eq(receiving(), ECONNRESET);
	cr_assert_eq(receiving(), 0);
	cr_assert_eq(so_error(), 0);
	cr_assert_eq(sending(), EPIPE);
}

Case(sock_end, the_error_is_told_by_an_option_and_then_no_more)
{
	be_reset();
	cr_assert_eq(so_error(), ECONNRESET);
	cr_assert_eq(so_error(), 0);
	cr_assert_eq(receiving(), 0);
	cr_assert_eq(sending(), EPIPE);
}

Case(sock_end, bytes_can_be_thrown_away_uncopied)
{
	char got[4] = "....";

	two_use(&t, 1);
	cr_assert_eq(pb_send(server, "hello, world", 12, 0), 12);
	wait_ms(50);
	cr_assert_eq(pb_recv(client, got, 2, MSG_TRUNC), 2);
	cr_assert_eq(pb_recv(client, NULL, 5, MSG_TRUNC), 5, "no room is needed");
	cr_assert_eq(memcmp(got, "....", 4), 0);
	cr_assert_eq(pb_recv(client, NULL, 3, MSG_TRUNC | MSG_PEEK), 3, "they stay");
	cr_assert_eq(pb_recv(client, got, 4, 0), 4);
	cr_assert_eq(memcmp(got, "worl", 4), 0);
	cr_assert_eq(pb_recv(client, NULL, 1000, MSG_TRUNC), 1);
	cr_assert_eq(pb_recv(client, NULL, 1000, MSG_TRUNC), -1);
	cr_assert_eq(errno, EAGAIN);
}

Case(sock_end, bytes_thrown_away_open_the_window)
{
	static char bytes[200000];
	ssize_t n, sum = 0;

	for (unsigned i = 0; i < 200; i++) {
		two_use(&t, 1);
		pb_send(server, bytes, sizeof(bytes), 0);
		wait_ms(10);
		n = pb_recv(client, NULL, 1 << 20, MSG_TRUNC);
		sum += n > 0 ? n : 0;
	}
	cr_assert_gt(sum, 4 << 20, "%zd", sum);
}

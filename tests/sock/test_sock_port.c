/* Who may have which port: bind(), SO_REUSEADDR, SO_REUSEPORT. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

enum { CLIENTS = 64 };

static struct two t;

static void setup(void)
{
	two_open6(&t, 11, NULL);
	two_use(&t, 1);
}

static void clean(void)
{
	two_close(&t);
}

Cases(sock_port, setup, clean);

/* A new socket of end 1 with that option set. */
static int socket_with(int opt)
{
	int s = pb_socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (opt)
		cr_assert_eq(pb_setsockopt(s, SOL_SOCKET, opt, &on, sizeof(on)), 0);
	return s;
}

/* 0 or errno. */
static int bind_to(int s, struct sockaddr_in at)
{
	return pb_bind(s, (struct sockaddr *)&at, sizeof(at)) ? errno : 0;
}

static int listen_at(int s)
{
	return pb_listen(s, 100) ? errno : 0;
}

static struct sockaddr_in any(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
}

Case(sock_port, is_taken_when_it_is_bound)
{
	int a = socket_with(0), b = socket_with(0);

	cr_assert_eq(bind_to(a, two_addr(1, 80)), 0);
	cr_assert_eq(bind_to(b, two_addr(1, 80)), EADDRINUSE);
	cr_assert_eq(bind_to(b, any(80)), EADDRINUSE, "any address is that one, too");
	cr_assert_eq(bind_to(b, two_addr(1, 81)), 0);
	pb_close(a);
	a = socket_with(0);
	cr_assert_eq(bind_to(a, two_addr(1, 80)), 0, "free again");
	cr_assert_eq(bind_to(a, two_addr(1, 82)), EINVAL, "bound once");
	pb_close(a);
	pb_close(b);
}

Case(sock_port, is_taken_by_a_listener)
{
	int a = socket_with(SO_REUSEADDR), b = socket_with(SO_REUSEADDR);

	cr_assert_eq(bind_to(a, any(80)), 0);
	cr_assert_eq(listen_at(a), 0);
	cr_assert_eq(bind_to(b, two_addr(1, 80)), EADDRINUSE, "whatever it says");
	cr_assert_eq(bind_to(b, any(80)), EADDRINUSE);
	pb_close(a);
	cr_assert_eq(bind_to(b, any(80)), 0);
	pb_close(b);
}

Case(sock_port, is_shared_by_those_who_all_reuse_it_until_one_listens)
{
	int a = socket_with(SO_REUSEADDR), b = socket_with(SO_REUSEADDR);
	int c = socket_with(0);

	cr_assert_eq(bind_to(a, any(80)), 0);
	cr_assert_eq(bind_to(b, any(80)), 0);
	cr_assert_eq(bind_to(c, any(80)), EADDRINUSE);
	cr_assert_eq(listen_at(a), 0);
	cr_assert_eq(listen_at(b), EADDRINUSE);
	pb_close(a);
	cr_assert_eq(listen_at(b), 0);
	pb_close(b);
	pb_close(c);
}

Case(sock_port, of_the_other_family_is_another_one)
{
	struct sockaddr_in6 any6 = { .sin6_family = AF_INET6, .sin6_port = htons(80) };
	int a = socket_with(0), b = pb_socket(AF_INET6, SOCK_STREAM, 0), on = 1;

	cr_assert_eq(bind_to(a, any(80)), 0);
	cr_assert_eq(pb_bind(b, (struct sockaddr *)&any6, sizeof(any6)), -1);
	cr_assert_eq(errno, EADDRINUSE, "it would hear IPv4, too");
	cr_assert_eq(pb_setsockopt(b, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	cr_assert_eq(pb_bind(b, (struct sockaddr *)&any6, sizeof(any6)), 0);
	pb_close(a);
	pb_close(b);
}

Case(sock_port, is_chosen_when_none_is_named)
{
	struct sockaddr_in at, other;
	socklen_t len = sizeof(at);
	int a = socket_with(0), b = socket_with(0);

	cr_assert_eq(bind_to(a, any(0)), 0);
	cr_assert_eq(bind_to(b, any(0)), 0);
	cr_assert_eq(pb_getsockname(a, (struct sockaddr *)&at, &len), 0);
	cr_assert_eq(pb_getsockname(b, (struct sockaddr *)&other, &len), 0);
	cr_assert_neq(at.sin_port, 0);
	cr_assert_neq(at.sin_port, other.sin_port);
	pb_close(b);
	b = socket_with(0);
	cr_assert_eq(bind_to(b, at), EADDRINUSE);
	pb_close(a);
	pb_close(b);
}

/* ---- SO_REUSEPORT ---- */

Case(sock_port, is_shared_by_listeners_that_all_say_so)
{
	int a = socket_with(SO_REUSEPORT), b = socket_with(SO_REUSEPORT);
	int c = socket_with(0), d = socket_with(SO_REUSEPORT);

	cr_assert_eq(bind_to(a, any(80)), 0);
	cr_assert_eq(listen_at(a), 0);
	cr_assert_eq(bind_to(b, any(80)), 0);
	cr_assert_eq(listen_at(b), 0);
	cr_assert_eq(bind_to(c, any(80)), EADDRINUSE);
	pb_close(a);
	cr_assert_eq(bind_to(c, any(80)), EADDRINUSE, "one is left");
	cr_assert_eq(bind_to(d, any(80)), 0);
	pb_close(b);
	pb_close(d);
	cr_assert_eq(bind_to(c, any(80)), 0);
	pb_close(c);
}

static int connect_from_0(void)
{
	struct sockaddr_in at = two_addr(1, 80);
	int s;

	two_use(&t, 0);
	s = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_connect(s, (struct sockaddr *)&at, sizeof(at)), -1);
	return s;
}

/* Accepts all that wait; how many. */
static unsigned accept_all(int listener)
{
	unsigned n = 0;
	int s;

	two_use(&t, 1);
	while ((s = pb_accept(listener, NULL, NULL)) >= 0) {
		pb_close(s);
		n++;
	}
	return n;
}

Case(sock_port, listeners_have_equal_shares_and_one_takes_over_from_another)
{
	int client[CLIENTS], l[3];
	unsigned n[3], i;

	for (i = 0; i < 3; i++) {
		l[i] = socket_with(SO_REUSEPORT);
		cr_assert_eq(bind_to(l[i], any(80)), 0);
		cr_assert_eq(listen_at(l[i]), 0);
	}
	for (i = 0; i < CLIENTS; i++)
		client[i] = connect_from_0();
	two_run(&t, NULL, NULL, 100 * NS_PER_MS);
	for (i = 0; i < 3; i++) {
		n[i] = accept_all(l[i]);
		cr_assert_geq(n[i], CLIENTS / 6, "listener %u has %u", i, n[i]);
	}
	cr_assert_eq(n[0] + n[1] + n[2], CLIENTS);
	two_use(&t, 0);
	for (i = 0; i < CLIENTS; i++)
		pb_close(client[i]);
	two_use(&t, 1);
	pb_close(l[0]);
	pb_close(l[2]);
	for (i = 0; i < CLIENTS; i++)
		client[i] = connect_from_0();
	two_run(&t, NULL, NULL, 100 * NS_PER_MS);
	cr_assert_eq(accept_all(l[1]), CLIENTS);
	pb_close(l[1]);
	two_use(&t, 0);
	for (i = 0; i < CLIENTS; i++)
		pb_close(client[i]);
}

Case(sock_port, has_a_limit_of_listeners)
{
	int l[65];

	for (unsigned i = 0; i < 64; i++) {
		l[i] = socket_with(SO_REUSEPORT);
		cr_assert_eq(bind_to(l[i], any(80)), 0);
		cr_assert_eq(listen_at(l[i]), 0);
	}
	l[64] = socket_with(SO_REUSEPORT);
	cr_assert_eq(bind_to(l[64], any(80)), 0);
	cr_assert_eq(listen_at(l[64]), ENOMEM);
	for (unsigned i = 0; i < 65; i++)
		pb_close(l[i]);
}

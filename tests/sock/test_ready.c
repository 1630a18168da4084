#include <criterion/criterion.h>
#include <errno.h>

#include "stack/api/zc.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

static struct two t;
static int listener, client, server;
static struct pb_ready *set;

static void wait_ms(unsigned ms)
{
	two_run(&t, NULL, NULL, ms * NS_PER_MS);
	two_use(&t, 1);
}

/* A connection from end 0 to end 1, and a set at end 1. */
static void join(void)
{
	struct sockaddr_in at = two_addr(1, 80);

	two_use(&t, 1);
	set = pb_ready_new();
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_bind(listener, (struct sockaddr *)&at, sizeof(at));
	cr_assert_eq(pb_listen(listener, 8), 0);
	cr_assert_eq(pb_ready_add(set, listener, PB_READY_IN, &listener), 0);
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(client, (struct sockaddr *)&at, sizeof(at));
	wait_ms(50);
}

static void setup(void)
{
	two_open(&t, 2, NULL);
	join();
}

static void clean(void)
{
	pb_ready_free(set);
	pb_close(listener);
	if (server >= 0)
		pb_close(server);
	two_use(&t, 0);
	pb_close(client);
	two_close(&t);
}

Cases(ready, setup, clean);

static void take(void)
{
	server = pb_accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
}

static void client_sends(const char *text)
{
	two_use(&t, 0);
	cr_assert_gt(pb_send(client, text, strlen(text), 0), 0);
	wait_ms(20);
}

/* The only event there is, or zero. */
static uint32_t events_of(void *user)
{
	struct pb_event ev[4];
	int n = pb_ready_wait(set, ev, 4);

	cr_assert_leq(n, 1);
	if (n)
		cr_assert_eq(ev[0].user, user);
	return n ? ev[0].events : 0;
}

Case(ready, listener_is_ready_as_long_as_a_connection_waits)
{
	cr_assert_eq(events_of(&listener), PB_READY_IN);
	cr_assert_eq(events_of(&listener), PB_READY_IN);
	take();
	cr_assert_eq(events_of(&listener), 0);
}

Case(ready, level_is_told_until_it_is_read)
{
	char got[8];

	take();
	pb_ready_add(set, server, PB_READY_IN, &server);
	cr_assert_eq(events_of(&server), 0);
	client_sends("abc");
	cr_assert_eq(events_of(&server), PB_READY_IN);
	cr_assert_eq(events_of(&server), PB_READY_IN);
	pb_recv(server, got, sizeof(got), 0);
	cr_assert_eq(events_of(&server), 0);
}

Case(ready, edge_is_told_once_for_each_change)
{
	take();
	pb_ready_add(set, server, PB_READY_IN | PB_READY_EDGE, &server);
	client_sends("abc");
	cr_assert_eq(events_of(&server), PB_READY_IN);
	cr_assert_eq(events_of(&server), 0);
	client_sends("def");
	cr_assert_eq(events_of(&server), PB_READY_IN);
}

Case(ready, once_is_told_once_until_it_is_asked_for_again)
{
	take();
	pb_ready_add(set, server, PB_READY_IN | PB_READY_ONCE, &server);
	client_sends("abc");
	cr_assert_eq(events_of(&server), PB_READY_IN);
	client_sends("def");
	cr_assert_eq(events_of(&server), 0);
	pb_ready_mod(set, server, PB_READY_IN | PB_READY_ONCE, &server);
	cr_assert_eq(events_of(&server), PB_READY_IN);
	cr_assert_eq(events_of(&server), 0);
}

Case(ready, what_is_true_when_added_is_told)
{
	take();
	client_sends("abc");
	pb_ready_add(set, server, PB_READY_IN | PB_READY_OUT, &server);
	cr_assert_eq(events_of(&server), PB_READY_IN | PB_READY_OUT);
}

Case(ready, changed_wish_counts_from_then_on)
{
	take();
	pb_ready_add(set, server, PB_READY_IN, &server);
	cr_assert_eq(events_of(&server), 0);
	pb_ready_mod(set, server, PB_READY_OUT, &server);
	cr_assert_eq(events_of(&server), PB_READY_OUT);
	pb_ready_mod(set, server, PB_READY_IN, &server);
	cr_assert_eq(events_of(&server), 0);
}

Case(ready, end_of_the_peer_is_readable)
{
	take();
	pb_ready_add(set, server, PB_READY_IN | PB_READY_RDHUP, &server);
	two_use(&t, 0);
	pb_shutdown(client, SHUT_WR);
	wait_ms(20);
	cr_assert_eq(events_of(&server), PB_READY_IN | PB_READY_RDHUP);
}

Case(ready, reset_is_told_without_being_asked_for)
{
	struct linger now = { .l_onoff = 1 };

	take();
	pb_ready_add(set, server, 0, &server);
	two_use(&t, 0);
	pb_setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	pb_close(client);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	wait_ms(20);
	cr_assert_eq(events_of(&server), PB_READY_ERR | PB_READY_HUP);
}

Case(ready, socket_is_in_one_set_only)
{
	struct pb_ready *other = pb_ready_new();

	take();
	cr_assert_eq(pb_ready_add(set, server, PB_READY_IN, NULL), 0);
	cr_assert_eq(pb_ready_add(other, server, PB_READY_IN, NULL), -1);
	cr_assert_eq(errno, EEXIST);
	cr_assert_eq(pb_ready_del(other, server), -1);
	cr_assert_eq(errno, ENOENT);
	cr_assert_eq(pb_ready_del(set, server), 0);
	cr_assert_eq(pb_ready_add(other, server, PB_READY_IN, NULL), 0);
	pb_ready_free(other);
	cr_assert_eq(pb_ready_add(set, server, PB_READY_IN, NULL), 0);
}

Case(ready, closed_socket_leaves_its_set)
{
	take();
	client_sends("abc");
	pb_ready_add(set, server, PB_READY_IN, &server);
	pb_close(server);
	server = -1;
	cr_assert_eq(events_of(&server), 0);
}

Case(ready, those_not_reached_come_first_next_time)
{
	struct pb_event ev[1];

	take();
	client_sends("abc");
	pb_ready_add(set, server, PB_READY_IN, &server);
	two_use(&t, 1);
	/* A second waiting connection makes the listener ready as well. */
	two_use(&t, 0);
	{
		struct sockaddr_in at = two_addr(1, 80);
		int second = pb_socket(AF_INET, SOCK_STREAM, 0);
		void *first_seen;

		pb_connect(second, (struct sockaddr *)&at, sizeof(at));
		wait_ms(50);
		cr_assert_eq(pb_ready_wait(set, ev, 1), 1);
		first_seen = ev[0].user;
		cr_assert_eq(pb_ready_wait(set, ev, 1), 1);
		cr_assert_neq(ev[0].user, first_seen);
		pb_close(pb_accept(listener, NULL, NULL));
		two_use(&t, 0);
		pb_close(second);
		two_use(&t, 1);
	}
}

/* Two stacks with so few buffers that one connection can have them all. */
static void setup_small(void)
{
	struct pb_stack_conf conf;

	pb_stack_conf_init(&conf);
	conf.n_bufs = 64;
	conf.max_conns = conf.max_syn = 16;
	conf.sndbuf = 1 << 20;
	two_open_conf(&t, 3, NULL, &conf);
	join();
}

Cases(ready_small, setup_small, clean);

Case(ready_small, loan_refused_for_want_of_memory_is_told_when_there_is_some)
{
	struct pb_ready *sends;
	struct pb_zc zc[64];
	struct pb_event ev;
	int n = 0;

	take();
	two_use(&t, 0);
	sends = pb_ready_new();
	pb_ready_add(sends, client, PB_READY_OUT | PB_READY_EDGE, NULL);
	cr_assert_eq(pb_ready_wait(sends, &ev, 1), 1);
	cr_assert_eq(pb_ready_wait(sends, &ev, 1), 0);
	while (n < 64 && pb_zc_send_buf(client, &zc[n]) == 1)
		n++;
	cr_assert_lt(n, 64);
	cr_assert_eq(errno, EAGAIN);
	while (n > 0)
		cr_assert_eq(pb_zc_send_done(client, &zc[--n], 0), 0);
	wait_ms(2000);
	two_use(&t, 0);
	cr_assert_eq(pb_ready_wait(sends, &ev, 1), 1);
	cr_assert_eq(ev.events, PB_READY_OUT);
	pb_ready_free(sends);
	two_use(&t, 1);
}

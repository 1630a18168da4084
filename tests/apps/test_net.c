#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>

#include "apps/lib/io.h"
#include "apps/lib/net_impl.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/net_mem.h"

static struct net *net;

static void setup(void)
{
	cr_assert_eq(net_mem_new(&net), 0);
}

static void clean(void)
{
	cr_assert_eq(mem_n_open(net), 0);
	net_free(net);
}

Cases(net, setup, clean);

Case(net, where_round_trips_through_text_and_sockaddr)
{
	static const struct {
		const char *text, *again;
	} good[] = {
		{ "192.0.2.1:25", "192.0.2.1:25" },
		{ "[2001:db8::1]:110", "[2001:db8::1]:110" },
		{ "127.0.0.1:0", "127.0.0.1:0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct net_where where, again;
		struct sockaddr_storage sa;
		char text[NET_ADDR_TEXT_LEN];

		cr_assert_eq(net_where_parse(good[i].text, &where), 0, "%s",
			     good[i].text);
		cr_assert_str_eq(addr_port_text(&where.addr, where.port, text),
				 good[i].again);
		cr_assert_eq(net_where_sockaddr(&where, &sa),
			     where.addr.family == ADDR_IP6 ? sizeof(struct sockaddr_in6) :
							     sizeof(struct sockaddr_in));
		net_where_from_sockaddr(&sa, &again);
		cr_assert(addr_eq(&again.addr, &where.addr) && again.port == where.port);
	}
}

Case(net, a_star_is_any_address_of_both_families)
{
	struct net_where where, again;
	struct sockaddr_storage sa;

	cr_assert_eq(net_where_parse("*:25", &where), 0);
	cr_assert(where.is_any && where.port == 25);
	cr_assert_eq(net_where_sockaddr(&where, &sa), sizeof(struct sockaddr_in6));
	cr_assert_eq(sa.ss_family, AF_INET6);
	net_where_from_sockaddr(&sa, &again);
	cr_assert(again.addr.family == ADDR_IP6 && ip6_is_zero(again.addr.ip6));
}

/* RFC 3493 3.7 */
Case(net, a_mapped_address_is_one_of_ipv4)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(25) };
	struct sockaddr_storage sa = { 0 };
	struct net_where where;
	char text[NET_ADDR_TEXT_LEN];

	in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(in6.sin6_addr.s6_addr + 12, "\300\0\2\1", 4);
	memcpy(&sa, &in6, sizeof(in6));
	net_where_from_sockaddr(&sa, &where);
	cr_assert_str_eq(net_where_text(&where, text), "192.0.2.1:25");
}

Case(net, where_is_an_address_and_a_port_and_nothing_else)
{
	static const char *const bad[] = {
		"",
		"25",
		":25",
		"192.0.2.1",
		"*",
		"*:",
		"*:65536",
		"*:-1",
		"*:25 ",
		"192.0.2:25",
		"192.0.2.1:smtp",
		"2001:db8::1:25",
		"[]:25",
		"[::1:25",
		"[::1]25",
		"[192.0.2.1]:25",
		"host:25",
		"192.0.2.1::",
		"[*]:25",
		" *:25",
	};
	struct net_where where;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_assert_eq(net_where_parse(bad[i], &where), -EINVAL, "'%s'", bad[i]);
}

static unsigned n_accepted, n_excess;
static struct io *accepted[NET_MEM_SOCKETS + 2];

static void take(void *arg, struct io *io)
{
	(void)arg;
	accepted[n_accepted++] = io;
	n_excess += io_is_excess(io);
}

static struct net_listener *listen_with(unsigned max_conns)
{
	struct net_listener *listener;

	cr_assert_eq(net_listen(net, "*:25", max_conns, take, NULL, &listener), 0);
	return listener;
}

static struct mem_peer *client(unsigned i)
{
	char from[NET_ADDR_TEXT_LEN];

	snprintf(from, sizeof(from), "192.0.2.9:%u", 1000 + i);
	return mem_connect(net, "192.0.2.1:25", from);
}

Case(net, bad_or_taken_place_to_listen_is_refused)
{
	struct net_listener *listener = listen_with(1), *other = NULL;

	cr_assert_str_eq(net_listener_where(listener), "0.0.0.0:25");
	cr_assert_eq(net_listen(net, "*", 1, take, NULL, &other), -EINVAL);
	cr_assert_eq(net_listen(net, "*:25", 1, take, NULL, &other), -EADDRINUSE);
	cr_assert_null(other);
	net_listener_close(listener);
	cr_assert_null(client(0));
	listener = listen_with(1);
	net_listener_close(listener);
}

Case(net, connections_beyond_the_limit_are_marked)
{
	struct net_listener *listener = listen_with(2);
	struct mem_peer *peers[4];

	for (unsigned i = 0; i < 4; i++)
		peers[i] = client(i);
	mem_settle(net);
	cr_assert_eq(n_accepted, 4);
	cr_assert(!io_is_excess(accepted[0]) && !io_is_excess(accepted[1]));
	cr_assert(io_is_excess(accepted[2]) && io_is_excess(accepted[3]));
	io_abort(accepted[0]);
	io_abort(accepted[2]);
	io_abort(accepted[3]);
	mem_settle(net);
	mem_free(peers[0]);
	peers[0] = client(4);
	mem_settle(net);
	cr_assert(!io_is_excess(accepted[4]), "one had gone");
	net_listener_close(listener);
	io_abort(accepted[1]);
	io_abort(accepted[4]);
	mem_settle(net);
	for (unsigned i = 0; i < 4; i++)
		mem_free(peers[i]);
}

Case(net, crowd_beyond_the_excess_waits_in_the_listen_queue)
{
	enum { CROWD = 2 + NET_EXCESS_MAX + 10 };
	struct net_listener *listener = listen_with(2);
	struct mem_peer *peers[CROWD];

	for (unsigned i = 0; i < CROWD; i++)
		peers[i] = client(i);
	mem_settle(net);
	cr_assert_eq(n_accepted, 2 + NET_EXCESS_MAX);
	for (unsigned i = 0; i < 2 + NET_EXCESS_MAX; i++)
		io_abort(accepted[i]);
	mem_settle(net);
	cr_assert_eq(n_accepted, CROWD);
	cr_assert_eq(n_excess, NET_EXCESS_MAX + 8);
	for (unsigned i = 2 + NET_EXCESS_MAX; i < CROWD; i++)
		io_abort(accepted[i]);
	mem_settle(net);
	for (unsigned i = 0; i < CROWD; i++)
		mem_free(peers[i]);
	net_listener_close(listener);
}

static void refuse(void *arg, struct io *io)
{
	(void)arg;
	n_accepted++;
	n_excess += io_is_excess(io);
	io_puts(io, "no\r\n");
	io_close(io);
}

/* Who was told all and does not go takes no place of those who come. */
Case(net, closed_connections_count_apart_and_the_oldest_go)
{
	enum { CROWD = NET_CLOSING_MAX + 100 };
	static struct mem_peer *peers[CROWD];
	struct net_listener *listener;
	unsigned n_closed = 0;

	cr_assert_eq(net_listen(net, "*:25", 4, refuse, NULL, &listener), 0);
	for (unsigned i = 0; i < CROWD; i++) {
		peers[i] = client(i);
		mem_settle(net);
		cr_assert(str_eq(mem_heard(peers[i]), STR("no\r\n")));
		cr_assert(mem_finished(peers[i]));
	}
	cr_assert_eq(n_accepted, CROWD);
	cr_assert_eq(n_excess, 0);
	cr_assert_eq(net_n_conns(net), NET_CLOSING_MAX);
	for (unsigned i = 0; i < CROWD; i++) {
		mem_fin(peers[i]);
		mem_settle(net);
		n_closed += mem_closed(peers[i]);
	}
	cr_assert_eq(net_n_conns(net), 0);
	cr_assert_geq(n_closed, NET_CLOSING_MAX);
	for (unsigned i = 0; i < CROWD; i++)
		mem_free(peers[i]);
	net_listener_close(listener);
}

/* One socket is the listener's: the last two clients find none. */
Case(net, without_descriptors_accepting_pauses_and_goes_on)
{
	enum { CROWD = NET_MEM_SOCKETS + 1 };
	struct net_listener *listener = listen_with(CROWD);
	static struct mem_peer *peers[CROWD];

	for (unsigned i = 0; i < CROWD; i++)
		peers[i] = client(i);
	mem_settle(net);
	cr_assert_eq(n_accepted, CROWD - 2);
	for (unsigned i = 0; i < 2; i++)
		io_abort(accepted[i]);
	mem_settle(net);
	cr_assert_eq(n_accepted, CROWD - 2, "it pauses, and does not spin");
	mem_advance(net, NET_ACCEPT_PAUSE_MS * NS_PER_MS);
	cr_assert_eq(n_accepted, CROWD);
	for (unsigned i = 2; i < CROWD; i++)
		io_abort(accepted[i]);
	mem_settle(net);
	for (unsigned i = 0; i < CROWD; i++)
		mem_free(peers[i]);
	net_listener_close(listener);
}

static void close_listener(void *arg, struct io *io)
{
	net_listener_close(*(struct net_listener **)arg);
	io_abort(io);
}

Case(net, listener_may_be_closed_while_it_accepts)
{
	struct net_listener *listener;
	struct mem_peer *peer, *late;

	cr_assert_eq(net_listen(net, "*:25", 9, close_listener, &listener, &listener), 0);
	peer = client(0);
	late = client(1);
	mem_settle(net);
	cr_assert(mem_was_reset(peer));
	cr_assert(!mem_was_reset(late), "nobody took it");
	mem_free(peer);
	mem_free(late);
}

static struct {
	struct net_timer timer;
	uint64_t fired_ns[4];
	unsigned n;
} clock_work;

static void tick(struct net_timer *t, uint64_t now_ns)
{
	cr_assert_eq(t, &clock_work.timer);
	clock_work.fired_ns[clock_work.n++] = now_ns;
	if (clock_work.n < 3)
		net_timer_arm(net, t, now_ns + NS_PER_S);
}

Case(net, timers_fire_once_not_early_and_may_be_armed_again)
{
	uint64_t start = net_now_ns(net);

	net_timer_init(&clock_work.timer, tick);
	net_timer_stop(net, &clock_work.timer);
	net_timer_arm(net, &clock_work.timer, start + NS_PER_S);
	mem_advance(net, NS_PER_S - 1);
	cr_assert_eq(clock_work.n, 0);
	mem_advance(net, 10 * NS_PER_S);
	cr_assert_eq(clock_work.n, 3);
	for (unsigned i = 0; i < 3; i++)
		cr_assert_geq(clock_work.fired_ns[i], start + (i + 1) * NS_PER_S);
	cr_assert_lt(clock_work.fired_ns[2], start + 4 * NS_PER_S);
	net_timer_arm(net, &clock_work.timer, net_now_ns(net) + 1);
	net_timer_stop(net, &clock_work.timer);
	mem_advance(net, NS_PER_S);
	cr_assert_eq(clock_work.n, 3);
}

static void count(void *arg)
{
	++*(unsigned *)arg;
}

static void *post_from_thread(void *arg)
{
	cr_assert(net_post(net, count, arg));
	return NULL;
}

Case(net, job_of_another_thread_wakes_and_runs)
{
	unsigned n = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, post_from_thread, &n);
	cr_assert(mem_wait(net));
	cr_assert_eq(n, 1);
	pthread_join(thread, NULL);
}

Case(net, full_queue_of_jobs_says_so_and_loses_none)
{
	unsigned n = 0;

	for (unsigned i = 0; i < NET_JOBS_MAX; i++)
		cr_assert(net_post(net, count, &n));
	cr_assert(!net_post(net, count, &n));
	mem_settle(net);
	cr_assert_eq(n, NET_JOBS_MAX);
	cr_assert(net_post(net, count, &n));
	mem_settle(net);
	cr_assert_eq(n, NET_JOBS_MAX + 1);
}

static void stop(void *arg)
{
	(void)arg;
	net_stop(net);
}

Case(net, run_ends_with_stop)
{
	cr_assert(net_post(net, stop, NULL));
	net_run(net);
}

Case(net, connections_left_open_are_aborted_with_the_net)
{
	struct net_listener *listener = listen_with(1);
	struct mem_peer *peer = client(0);

	mem_settle(net);
	cr_assert_eq(n_accepted, 1);
	net_free(net);
	cr_assert(mem_was_reset(peer));
	mem_free(peer);
	(void)listener;
	setup();
}

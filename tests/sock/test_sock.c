#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>

#include "stack/api/tcp_info.h"
#include "stack/api/zc.h"
#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

static struct two t;
static int listener, client, server;

static void setup(void)
{
	two_open(&t, 1, NULL);
	listener = client = server = -1;
}

static void clean(void)
{
	two_close(&t);
}

Cases(sock, setup, clean);

static void wait_ms(unsigned ms)
{
	two_run(&t, NULL, NULL, ms * NS_PER_MS);
}

static void listen_on(uint16_t port)
{
	struct sockaddr_in at = two_addr(1, port);

	two_use(&t, 1);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(pb_listen(listener, 8), 0);
}

static void connect_to(uint16_t port)
{
	struct sockaddr_in at = two_addr(1, port);

	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_connect(client, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, EINPROGRESS);
}

/* A connection from end 0 to end 1. */
static void join(void)
{
	listen_on(80);
	connect_to(80);
	wait_ms(50);
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
}

static void part(void)
{
	two_use(&t, 0);
	pb_close(client);
	two_use(&t, 1);
	pb_close(server);
	pb_close(listener);
}

static void expect_recv(int s, const char *text)
{
	char got[256] = { 0 };
	ssize_t n = pb_recv(s, got, sizeof(got) - 1, 0);

	cr_assert_eq(n, (ssize_t)strlen(text), "got %zd bytes: %s", n, strerror(errno));
	cr_assert_str_eq(got, text);
}

Case(sock, bytes_go_both_ways_and_the_end_is_seen)
{
	join();
	two_use(&t, 0);
	cr_assert_eq(pb_send(client, "hello", 5, 0), 5);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_readable(server), 5);
	expect_recv(server, "hello");
	cr_assert_eq(pb_recv(server, (char[1]){ 0 }, 1, 0), -1);
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(pb_send(server, "world", 5, 0), 5);
	cr_assert_eq(pb_shutdown(server, SHUT_WR), 0);
	wait_ms(20);
	two_use(&t, 0);
	expect_recv(client, "world");
	cr_assert_eq(pb_recv(client, (char[1]){ 0 }, 1, 0), 0);
	part();
}

Case(sock, peek_leaves_the_bytes)
{
	char got[4] = { 0 };

	join();
	two_use(&t, 0);
	pb_send(client, "abc", 3, 0);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_recv(server, got, 3, MSG_PEEK), 3);
	cr_assert_str_eq(got, "abc");
	expect_recv(server, "abc");
	part();
}

Case(sock, pieces_of_writev_arrive_as_one)
{
	struct iovec iov[] = { { (void *)"one ", 4 }, { (void *)"two", 3 } };

	join();
	two_use(&t, 0);
	cr_assert_eq(pb_writev(client, iov, 2), 7);
	wait_ms(20);
	two_use(&t, 1);
	expect_recv(server, "one two");
	part();
}

Case(sock, names_of_both_ends_are_told)
{
	struct sockaddr_in a, b;
	socklen_t len = sizeof(a);

	join();
	two_use(&t, 0);
	cr_assert_eq(pb_getsockname(client, (struct sockaddr *)&a, &len), 0);
	two_use(&t, 1);
	len = sizeof(b);
	cr_assert_eq(pb_getpeername(server, (struct sockaddr *)&b, &len), 0);
	cr_assert_eq(a.sin_port, b.sin_port);
	cr_assert_eq(a.sin_addr.s_addr, b.sin_addr.s_addr);
	cr_assert_eq(pb_getpeername(listener, (struct sockaddr *)&b, &len), -1);
	cr_assert_eq(errno, ENOTCONN);
	part();
}

Case(sock, refused_connection_says_so_once)
{
	socklen_t len = sizeof(int);
	int err = 0;

	connect_to(81);
	wait_ms(20);
	two_use(&t, 0);
	cr_assert_eq(pb_getsockopt(client, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	cr_assert_eq(err, ECONNREFUSED);
	cr_assert_eq(pb_getsockopt(client, SOL_SOCKET, SO_ERROR, &err, &len), 0);
	cr_assert_eq(err, 0);
	pb_close(client);
}

Case(sock, second_connect_is_refused)
{
	struct sockaddr_in at = two_addr(1, 80);

	listen_on(80);
	connect_to(80);
	cr_assert_eq(pb_connect(client, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, EALREADY);
	wait_ms(50);
	two_use(&t, 0);
	cr_assert_eq(pb_connect(client, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, EISCONN);
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	part();
}

Case(sock, port_is_taken_once)
{
	struct sockaddr_in at = two_addr(1, 80);
	int s;

	listen_on(80);
	s = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_bind(s, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, EADDRINUSE);
	pb_close(s);
	pb_close(listener);
}

Case(sock, listener_without_a_port_gets_one)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	two_use(&t, 1);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_listen(listener, 8), 0);
	cr_assert_eq(pb_getsockname(listener, (struct sockaddr *)&at, &len), 0);
	cr_assert_neq(at.sin_port, 0);
	pb_close(listener);
}

Case(sock, foreign_address_cannot_be_bound)
{
	struct sockaddr_in at = two_addr(0, 80);
	int s;

	two_use(&t, 1);
	s = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_bind(s, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, EADDRNOTAVAIL);
	pb_close(s);
}

Case(sock, numbers_that_are_none_are_refused)
{
	two_use(&t, 0);
	cr_assert_eq(pb_close(7), -1);
	cr_assert_eq(errno, EBADF);
	cr_assert_eq(pb_recv(-1, NULL, 0, 0), -1);
	cr_assert_eq(errno, EBADF);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_close(client);
	cr_assert_eq(pb_send(client, "x", 1, 0), -1);
	cr_assert_eq(errno, EBADF);
}

Case(sock, kinds_that_we_do_not_have_are_refused)
{
	two_use(&t, 0);
	cr_assert_eq(pb_socket(AF_UNIX, SOCK_STREAM, 0), -1);
	cr_assert_eq(errno, EAFNOSUPPORT);
	cr_assert_eq(pb_socket(AF_INET, SOCK_RAW, 1), -1);
	cr_assert_eq(errno, EPROTONOSUPPORT);
}

static void *foreign(void *arg)
{
	int *result = arg;

	result[0] = pb_socket(AF_INET, SOCK_STREAM, 0);
	result[1] = errno;
	result[2] = pb_core_use(t.core[0]);
	result[3] = errno;
	result[4] = pb_send(client, "x", 1, 0) == -1 ? errno : 0;
	return NULL;
}

Case(sock, thread_without_a_core_is_told)
{
	int result[5] = { 0 };
	pthread_t thread;

	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pthread_create(&thread, NULL, foreign, result), 0);
	pthread_join(thread, NULL);
	cr_assert_eq(result[0], -1);
	cr_assert_eq(result[1], ENXIO);
	cr_assert_eq(result[2], -1);
	cr_assert_eq(result[3], EBUSY);
	cr_assert_eq(result[4], ENXIO);
	pb_close(client);
}

Case(sock, options_are_kept_until_there_is_a_connection)
{
	int v = 1;
	socklen_t len = sizeof(v);

	listen_on(80);
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v)), 0);
	v = 30;
	cr_assert_eq(pb_setsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)), 0);
	pb_connect(client, (struct sockaddr *)&(struct sockaddr_in[]){ two_addr(1, 80) },
		   sizeof(struct sockaddr_in));
	wait_ms(50);
	two_use(&t, 0);
	v = 0;
	cr_assert_eq(pb_getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &v, &len), 0);
	cr_assert_eq(v, 1);
	cr_assert_eq(pb_getsockopt(client, IPPROTO_TCP, TCP_KEEPIDLE, &v, &len), 0);
	cr_assert_eq(v, 30);
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	part();
}

Case(sock, unknown_options_are_refused_not_ignored)
{
	int v = 1;

	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_setsockopt(client, SOL_SOCKET, SO_PASSCRED, &v, sizeof(v)), -1);
	cr_assert_eq(errno, ENOPROTOOPT);
	cr_assert_eq(pb_send(client, "x", 1, MSG_CONFIRM), -1);
	cr_assert_eq(errno, EOPNOTSUPP);
	pb_close(client);
}

Case(sock, info_of_a_connection_is_as_the_kernel_has_it)
{
	struct pb_tcp_info pi = { 0 };
	struct tcp_info ti = { 0 };
	socklen_t len = sizeof(ti);
	uint32_t mem[9];
	char cc[16];

	join();
	two_use(&t, 0);
	pb_send(client, "hello", 5, 0);
	wait_ms(20);
	two_use(&t, 0);
	cr_assert_eq(pb_getsockopt(client, IPPROTO_TCP, TCP_INFO, &ti, &len), 0);
	cr_assert_eq(ti.tcpi_state, TCP_ESTABLISHED);
	cr_assert(ti.tcpi_options & TCPI_OPT_SACK);
	cr_assert_geq(ti.tcpi_rtt, 2000);
	cr_assert_leq(ti.tcpi_rtt, 4000);
	len = sizeof(pi);
	cr_assert_eq(pb_getsockopt(client, IPPROTO_TCP, TCP_INFO, &pi, &len), 0);
	cr_assert_eq(len, sizeof(pi));

	cr_assert_eq(pb_tcp_info(client, &pi), 0);
	cr_assert_eq(pi.rtt_us, ti.tcpi_rtt);
	cr_assert_eq(pi.snd_cwnd, 10);
	cr_assert_eq(pi.data_segs_out, 1);
	cr_assert_eq(pi.bytes_sent, 5);
	cr_assert_eq(pi.delivered, 2);
	len = sizeof(mem);
	cr_assert_eq(pb_getsockopt(client, SOL_SOCKET, SO_MEMINFO, mem, &len), 0);
	cr_assert_eq(len, sizeof(mem));
	cr_assert_eq(mem[0], 0);
	len = sizeof(mem);
	cr_assert_eq(pb_getsockopt(client, IPPROTO_TCP, TCP_CC_INFO, mem, &len), 0);
	cr_assert_eq(len, 0, "CUBIC and Reno have none");
	len = sizeof(cc);
	cr_assert_eq(pb_getsockopt(client, IPPROTO_TCP, TCP_CONGESTION, cc, &len), 0);
	cr_assert_str_eq(cc, "reno");
	part();
}

Case(sock, what_is_accepted_has_the_congestion_control_of_its_listener)
{
	char name[16] = "";
	socklen_t len = sizeof(name);

	listen_on(80);
	cr_assert_eq(pb_setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3), 0);
	cr_assert_eq(pb_setsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, "guess", 5),
		     -1);
	cr_assert_eq(pb_getsockopt(listener, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	cr_assert_str_eq(name, "bbr");
	connect_to(80);
	wait_ms(50);
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	len = sizeof(name);
	memset(name, 0, len);
	cr_assert_eq(pb_getsockopt(server, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	cr_assert_str_eq(name, "bbr");
	part();
}

Case(sock, unread_bytes_at_close_reset_the_peer)
{
	char got[8];

	join();
	two_use(&t, 0);
	pb_send(client, "hello", 5, 0);
	wait_ms(20);
	two_use(&t, 1);
	pb_close(server);
	wait_ms(20);
	two_use(&t, 0);
	cr_assert_eq(pb_recv(client, got, sizeof(got), 0), -1);
	cr_assert_eq(errno, ECONNRESET);
	pb_close(client);
	two_use(&t, 1);
	pb_close(listener);
}

Case(sock, datagrams_go_both_ways_with_their_sender)
{
	struct sockaddr_in at = two_addr(1, 53), from;
	socklen_t len = sizeof(from);
	char got[32] = { 0 };

	two_use(&t, 1);
	server = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(pb_bind(server, (struct sockaddr *)&at, sizeof(at)), 0);
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(
		pb_sendto(client, "question", 8, 0, (struct sockaddr *)&at, sizeof(at)),
		8);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(
		pb_recvfrom(server, got, sizeof(got), 0, (struct sockaddr *)&from, &len),
		8);
	cr_assert_str_eq(got, "question");
	cr_assert_eq(pb_sendto(server, "a", 1, 0, (struct sockaddr *)&from, len), 1);
	wait_ms(20);
	two_use(&t, 0);
	cr_assert_eq(pb_recv(client, got, sizeof(got), 0), 1);
	pb_close(client);
	two_use(&t, 1);
	pb_close(server);
}

Case(sock, datagram_to_nobody_comes_back_as_an_error)
{
	struct sockaddr_in at = two_addr(1, 9999);

	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(pb_connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(pb_send(client, "x", 1, 0), 1);
	wait_ms(20);
	two_use(&t, 0);
	cr_assert_eq(pb_recv(client, (char[1]){ 0 }, 1, 0), -1);
	cr_assert_eq(errno, ECONNREFUSED);
	pb_close(client);
}

Case(sock, datagram_to_all_must_be_allowed)
{
	struct sockaddr_in at = two_addr(1, 53), all = at;
	socklen_t len = sizeof(int);
	int on = 1, got = 0;

	((uint8_t *)&all.sin_addr)[3] = 255;
	two_use(&t, 1);
	server = pb_socket(AF_INET, SOCK_DGRAM, 0);
	at.sin_addr.s_addr = INADDR_ANY;
	cr_assert_eq(pb_bind(server, (struct sockaddr *)&at, sizeof(at)), 0);
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(pb_sendto(client, "x", 1, 0, (struct sockaddr *)&all, sizeof(all)),
		     -1);
	cr_assert_eq(errno, EACCES);
	cr_assert_eq(pb_setsockopt(client, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)), 0);
	cr_assert_eq(pb_getsockopt(client, SOL_SOCKET, SO_BROADCAST, &got, &len), 0);
	cr_assert_eq(got, 1);
	cr_assert_eq(pb_sendto(client, "x", 1, 0, (struct sockaddr *)&all, sizeof(all)),
		     1);
	wait_ms(20);
	two_use(&t, 1);
	expect_recv(server, "x");
	pb_close(server);
	two_use(&t, 0);
	pb_close(client);
}

Case(sock, big_datagram_arrives_whole)
{
	static char out[20000], got[20000];
	struct sockaddr_in at = two_addr(1, 53);

	memset(out, 'x', sizeof(out));
	out[sizeof(out) - 1] = 'y';
	two_use(&t, 1);
	server = pb_socket(AF_INET, SOCK_DGRAM, 0);
	pb_bind(server, (struct sockaddr *)&at, sizeof(at));
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(pb_sendto(client, out, sizeof(out), 0, (struct sockaddr *)&at,
			       sizeof(at)),
		     (ssize_t)sizeof(out));
	wait_ms(50);
	two_use(&t, 1);
	cr_assert_eq(pb_recv(server, got, sizeof(got), 0), (ssize_t)sizeof(got));
	cr_assert_arr_eq(got, out, sizeof(out));
	pb_close(server);
	two_use(&t, 0);
	pb_close(client);
}

Case(sock, received_segment_is_lent_and_given_back)
{
	struct pb_zc zc;

	join();
	two_use(&t, 0);
	pb_send(client, "hello", 5, 0);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_zc_recv_buf(server, &zc), 1);
	cr_assert_eq(zc.len, 5);
	cr_assert_arr_eq(zc.iov[0].iov_base, "hello", 5);
	pb_zc_recv_done(server, &zc);
	cr_assert_eq(pb_zc_recv_buf(server, &zc), -1);
	cr_assert_eq(errno, EAGAIN);
	part();
}

Case(sock, lent_room_is_filled_and_sent)
{
	struct pb_zc zc, unused;

	join();
	two_use(&t, 0);
	cr_assert_eq(pb_zc_send_buf(client, &zc), 1);
	cr_assert_eq(pb_zc_send_buf(client, &unused), 1);
	memcpy(zc.iov[0].iov_base, "hello", 5);
	cr_assert_eq(pb_zc_send_done(client, &zc, 5), 0);
	cr_assert_eq(pb_zc_send_done(client, &unused, 0), 0);
	wait_ms(20);
	two_use(&t, 1);
	expect_recv(server, "hello");
	part();
}

Case(sock, room_to_send_is_refused_for_good_when_nothing_more_goes)
{
	struct linger l = { .l_onoff = 1 };
	struct pb_zc zc;

	join();
	two_use(&t, 1);
	pb_setsockopt(server, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	pb_close(server);
	wait_ms(20);
	two_use(&t, 0);
	cr_assert_eq(pb_zc_send_buf(client, &zc), -1);
	cr_assert_eq(errno, ECONNRESET);
	cr_assert_eq(pb_zc_send_buf(client, &zc), -1);
	cr_assert_eq(errno, EPIPE);
	pb_close(client);
	two_use(&t, 1);
	pb_close(listener);
}

/* All that can be read, loan by loan. */
static size_t read_loans(int s, uint8_t *got, size_t room)
{
	struct pb_zc zc;
	size_t n = 0;

	while (pb_zc_recv_buf(s, &zc) == 1) {
		cr_assert_leq(zc.n_iov, PB_ZC_IOV);
		for (int i = 0; i < zc.n_iov; i++) {
			cr_assert_leq(n + zc.iov[i].iov_len, room);
			memcpy(got + n, zc.iov[i].iov_base, zc.iov[i].iov_len);
			n += zc.iov[i].iov_len;
		}
		pb_zc_recv_done(s, &zc);
	}
	return n;
}

/* A connection of end 0 with itself, where no segment is cut. */
static void join_ourselves(void)
{
	struct sockaddr_in at = two_addr(0, 80);

	two_use(&t, 0);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	cr_assert_eq(pb_listen(listener, 8), 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(client, (struct sockaddr *)&at, sizeof(at));
	wait_ms(50);
	two_use(&t, 0);
	server = pb_accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
}

Case(sock, segment_in_many_pieces_is_lent_in_few)
{
	enum { PIECES = 25, LEN = 2100 };
	static uint8_t sent[PIECES * LEN], got[PIECES * LEN + 1];
	struct pb_zc zc;
	size_t n = 0;

	join_ourselves();
	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (uint8_t)(i * 7 + i / 253);
	for (size_t i = 0; i < PIECES; i++) {
		cr_assert_eq(pb_zc_send_buf(client, &zc), 1);
		memcpy(zc.iov[0].iov_base, sent + i * LEN, LEN);
		cr_assert_eq(pb_zc_send_done(client, &zc, LEN), 0);
	}
	for (int i = 0; i < 10 && n < sizeof(sent); i++) {
		wait_ms(20);
		two_use(&t, 0);
		n += read_loans(server, got + n, sizeof(got) - n);
	}
	cr_assert_eq(n, sizeof(sent));
	cr_assert_arr_eq(got, sent, sizeof(sent));
	pb_close(client);
	pb_close(server);
	pb_close(listener);
}

Case(sock, loans_outlive_their_socket_and_its_number)
{
	struct pb_zc in, out;
	int old, first;

	join();
	two_use(&t, 0);
	first = client;
	pb_send(client, "hello", 5, 0);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_zc_recv_buf(server, &in), 1);
	cr_assert_eq(pb_zc_send_buf(server, &out), 1);
	old = server;
	pb_close(server);
	connect_to(80);
	wait_ms(50);
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	cr_assert_eq(server, old, "the number is not used again");
	cr_assert_arr_eq(in.iov[0].iov_base, "hello", 5);
	pb_zc_recv_done(old, &in);
	cr_assert_eq(pb_zc_send_done(old, &out, 5), -1);
	cr_assert_eq(errno, EBADF);
	two_use(&t, 0);
	pb_close(first);
	part();
}

static void refuses_opt(int level, int name, int value, int err)
{
	cr_assert_eq(pb_setsockopt(client, level, name, &value, sizeof(value)), -1,
		     "option %d of level %d takes %d", name, level, value);
	cr_assert_eq(errno, err);
}

static int opt_of(int s, int level, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	cr_assert_eq(pb_getsockopt(s, level, name, &value, &len), 0, "%s",
		     strerror(errno));
	return value;
}

Case(sock, impossible_values_are_refused_at_once)
{
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	refuses_opt(IPPROTO_IP, IP_TTL, 300, EINVAL);
	refuses_opt(IPPROTO_IP, IP_TTL, 0, EINVAL);
	refuses_opt(IPPROTO_IP, IP_TOS, 256, EINVAL);
	refuses_opt(IPPROTO_TCP, TCP_MAXSEG, 10, EINVAL);
	refuses_opt(IPPROTO_TCP, TCP_KEEPCNT, 0, EINVAL);
	refuses_opt(SOL_SOCKET, SO_RCVBUF, -1, EINVAL);
	cr_assert_eq(pb_setsockopt(client, IPPROTO_TCP, TCP_CONGESTION, "guess", 5), -1);
	cr_assert_eq(errno, ENOENT);
	pb_close(client);
}

Case(sock, options_are_told_before_there_is_a_connection)
{
	int v = 100000;

	two_use(&t, 1);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_gt(opt_of(client, SOL_SOCKET, SO_SNDBUF), 0);
	cr_assert_eq(opt_of(client, IPPROTO_IP, IP_TTL), 64);
	cr_assert_eq(pb_setsockopt(client, SOL_SOCKET, SO_RCVBUF, &v, sizeof(v)), 0);
	cr_assert_eq(opt_of(client, SOL_SOCKET, SO_RCVBUF), 2 * v, "as Linux tells it");
	cr_assert_eq(pb_listen(client, 1), 0);
	cr_assert_eq(opt_of(client, SOL_SOCKET, SO_RCVBUF), 2 * v);
	pb_close(client);
}

/* TOS and TTL of the last IPv4 packet, and lets all pass. */
static bool see_ip(void *ctx, const uint8_t *frame, uint32_t len, uint64_t now_ns)
{
	uint8_t *seen = ctx;

	(void)now_ns;
	if (len >= 34 && frame[12] == 8 && frame[13] == 0) {
		seen[0] = frame[15];
		seen[1] = frame[22];
	}
	return true;
}

Case(sock, datagrams_go_with_the_ttl_and_tos_that_were_set)
{
	struct sockaddr_in at = two_addr(1, 53);
	int ttl = 7, tos = 0x10;
	uint8_t seen[2] = { 0 };

	cr_assert_eq(sim_link_filter(t.sim, "wire", 0, see_ip, seen), 0);
	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(opt_of(client, IPPROTO_IP, IP_TTL), 64);
	refuses_opt(IPPROTO_IP, IP_TTL, 0, EINVAL);
	refuses_opt(IPPROTO_IP, IP_TOS, 256, EINVAL);
	refuses_opt(SOL_SOCKET, SO_RCVBUF, 4096, ENOPROTOOPT);
	cr_assert_eq(pb_setsockopt(client, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)), 0);
	cr_assert_eq(pb_setsockopt(client, IPPROTO_IP, IP_TOS, &tos, sizeof(tos)), 0);
	cr_assert_eq(opt_of(client, IPPROTO_IP, IP_TTL), ttl);
	cr_assert_eq(opt_of(client, IPPROTO_IP, IP_TOS), tos);
	cr_assert_eq(pb_sendto(client, "x", 1, 0, (struct sockaddr *)&at, sizeof(at)), 1);
	wait_ms(20);
	cr_assert_eq(seen[0], tos);
	cr_assert_eq(seen[1], ttl);
	two_use(&t, 0);
	pb_close(client);
}

Case(sock, connecting_once_more_after_a_failure_says_why)
{
	struct sockaddr_in at = two_addr(1, 81);

	connect_to(81);
	wait_ms(50);
	two_use(&t, 0);
	cr_assert_eq(pb_connect(client, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, ECONNREFUSED);
	cr_assert_eq(opt_of(client, SOL_SOCKET, SO_ERROR), 0, "told already");
	pb_close(client);
}

/* ---- Fast Open (RFC 7413) ---- */

static void listen_fast(uint16_t port)
{
	int max = 4;

	listen_on(port);
	cr_assert_eq(
		pb_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &max, sizeof(max)), 0);
}

/* What a client says with its SYN, or -errno. */
static ssize_t send_fast(const char *text)
{
	struct sockaddr_in at = two_addr(1, 80);
	ssize_t n;

	two_use(&t, 0);
	client = pb_socket(AF_INET, SOCK_STREAM, 0);
	n = pb_sendto(client, text, strlen(text), MSG_FASTOPEN, (struct sockaddr *)&at,
		      sizeof(at));
	return n < 0 ? -errno : n;
}

static void accept_and_expect(const char *text)
{
	two_use(&t, 1);
	server = pb_accept(listener, NULL, NULL);
	cr_assert_geq(server, 0);
	if (text[0])
		expect_recv(server, text);
	pb_close(server);
	two_use(&t, 0);
	pb_close(client);
	wait_ms(50);
}

static bool went_with_the_syn(int s)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	cr_assert_eq(pb_getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_options & TCPI_OPT_SYN_DATA;
}

Case(sock, fast_open_sends_with_the_syn_once_it_has_a_cookie)
{
	listen_fast(80);
	cr_assert_eq(send_fast("first"), -EINPROGRESS);
	cr_assert_eq(pb_sendto(client, "x", 1, MSG_FASTOPEN, NULL, 0), -1);
	cr_assert_eq(errno, EALREADY);
	wait_ms(50);
	accept_and_expect("");
	cr_assert_eq(send_fast("second"), 6);
	wait_ms(50);
	two_use(&t, 0);
	cr_assert(went_with_the_syn(client));
	cr_assert_eq(pb_sendto(client, "!", 1, MSG_FASTOPEN, NULL, 0), 1,
		     "it is connected");
	wait_ms(50);
	accept_and_expect("second!");
	two_use(&t, 1);
	pb_close(listener);
}

Case(sock, fast_open_connect_waits_for_what_to_send)
{
	struct sockaddr_in at = two_addr(1, 80), peer;
	socklen_t len = sizeof(peer);
	int on = 1;

	listen_fast(80);
	for (unsigned i = 0; i < 2; i++) {
		two_use(&t, 0);
		client = pb_socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(pb_setsockopt(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on,
					   sizeof(on)),
			     0);
		cr_assert_eq(pb_connect(client, (struct sockaddr *)&at, sizeof(at)),
			     i ? 0 : -1);
		if (i)
			break;
		cr_assert_eq(errno, EINPROGRESS, "no cookie yet");
		wait_ms(50);
		accept_and_expect("");
	}
	wait_ms(50);
	two_use(&t, 1);
	cr_assert_eq(pb_accept(listener, NULL, NULL), -1, "nothing was sent");
	two_use(&t, 0);
	cr_assert_eq(pb_getpeername(client, (struct sockaddr *)&peer, &len), 0);
	cr_assert_eq(peer.sin_port, htons(80));
	cr_assert_eq(pb_recv(client, &on, 1, 0), -1);
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(pb_connect(client, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, EISCONN);
	cr_assert_eq(pb_send(client, "hello", 5, 0), 5);
	wait_ms(50);
	two_use(&t, 0);
	cr_assert(went_with_the_syn(client));
	accept_and_expect("hello");
	two_use(&t, 1);
	pb_close(listener);
}

Case(sock, fast_open_options_are_told_back)
{
	uint8_t keys[32] = { 1, 2, 3 }, back[32];
	socklen_t len = sizeof(int);
	int v = 0;

	listen_fast(80);
	cr_assert_eq(pb_getsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &v, &len), 0);
	cr_assert_eq(v, 4);
	cr_assert_eq(pb_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 31),
		     -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(pb_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, keys, 32), 0);
	len = sizeof(back);
	cr_assert_eq(pb_getsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, back, &len),
		     0);
	cr_assert_eq(len, 32);
	cr_assert_arr_eq(back, keys, 32);
	v = 2;
	cr_assert_eq(pb_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &v, 4),
		     -1);
	v = 1;
	cr_assert_eq(pb_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &v, 4),
		     0);
	cr_assert_eq(pb_setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &v, 4),
		     -1);
	v = 0;
	len = sizeof(v);
	pb_getsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &v, &len);
	cr_assert_eq(v, 1);
	pb_close(listener);
}

/* Options that few sockets set, recvmsg() and sendmsg(), and the reports of MSG_ERRQUEUE. */
#include <criterion/criterion.h>
#include <errno.h>
#include <time.h>

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>

#include "stack/base/clock.h"
#include "stack/sock/more.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

static struct two t;
static int listener, client, server;
static struct pb_ready *set;

static void wait_ms(unsigned ms)
{
	two_run(&t, NULL, NULL, ms * NS_PER_MS);
	two_use(&t, 0);
}

static int set_int(int s, int level, int name, int v)
{
	return pb_setsockopt(s, level, name, &v, sizeof(v));
}

static int get_int(int s, int level, int name)
{
	int v = -1;
	socklen_t len = sizeof(v);

	cr_assert_eq(pb_getsockopt(s, level, name, &v, &len), 0, "%s", strerror(errno));
	return v;
}

/* A connection from end 0, which has a set, to end 1. */
static void setup(void)
{
	struct sockaddr_in at = two_addr(1, 80);

	two_open(&t, 3, NULL);
	two_use(&t, 1);
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_bind(listener, (struct sockaddr *)&at, sizeof(at));
	cr_assert_eq(set_int(listener, IPPROTO_TCP, TCP_INQ, 1), 0);
	cr_assert_eq(pb_listen(listener, 8), 0);
	two_use(&t, 0);
	set = pb_ready_new();
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
	char got[4096];

	two_use(&t, 0);
	pb_ready_free(set);
	pb_close(client);
	wait_ms(100);
	two_use(&t, 1);
	while (pb_recv(server, got, sizeof(got), 0) > 0)
		wait_ms(5), two_use(&t, 1);
	pb_close(server);
	pb_close(listener);
	two_close(&t);
}

Cases(more, setup, clean);

/* ---- reports ---- */

struct got {
	struct sock_extended_err err;
	uint64_t at_ns;
	bool has_err, has_stamp;
	int flags;
};

/* The oldest report of @s.  False: none. */
static bool report_of(int s, struct got *got)
{
	char control[256];
	struct scm_timestamping stamps;
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };

	memset(got, 0, sizeof(*got));
	if (pb_recvmsg(s, &msg, MSG_ERRQUEUE) < 0) {
		cr_assert_eq(errno, EAGAIN);
		return false;
	}
	got->flags = msg.msg_flags;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPING) {
			memcpy(&stamps, CMSG_DATA(c), sizeof(stamps));
			got->at_ns = (uint64_t)stamps.ts[0].tv_sec * NS_PER_S +
				     (uint64_t)stamps.ts[0].tv_nsec;
			got->has_stamp = true;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
			memcpy(&got->err, CMSG_DATA(c), sizeof(got->err));
			got->has_err = true;
		}
	}
	return true;
}

Case(more, zero_copy_says_that_it_copied_and_counts)
{
	struct got got;

	cr_assert_eq(pb_send(client, "x", 1, MSG_ZEROCOPY), 1);
	cr_assert(!report_of(client, &got), "nobody asked for reports");
	cr_assert_eq(set_int(client, SOL_SOCKET, SO_ZEROCOPY, 1), 0);
	cr_assert_eq(get_int(client, SOL_SOCKET, SO_ZEROCOPY), 1);
	cr_assert_eq(pb_send(client, "abc", 3, MSG_ZEROCOPY), 3);
	cr_assert_eq(pb_send(client, "def", 3, 0), 3);
	cr_assert_eq(pb_send(client, "ghi", 3, MSG_ZEROCOPY), 3);
	cr_assert(report_of(client, &got));
	cr_assert(got.has_err && !got.has_stamp);
	cr_assert_eq(got.err.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
	cr_assert_eq(got.err.ee_code, SO_EE_CODE_ZEROCOPY_COPIED);
	cr_assert_eq(got.err.ee_info, 0);
	cr_assert_eq(got.err.ee_data, 1, "two calls, one range");
	cr_assert_eq(got.flags, MSG_ERRQUEUE);
	cr_assert(!report_of(client, &got));
	cr_assert_eq(pb_send(client, "jkl", 3, MSG_ZEROCOPY), 3);
	cr_assert(report_of(client, &got));
	cr_assert_eq(got.err.ee_info, 2);
	cr_assert_eq(got.err.ee_data, 2);
}

Case(more, reports_are_an_event)
{
	struct pb_event ev;

	pb_ready_add(set, client, PB_READY_EDGE, NULL);
	cr_assert_eq(pb_ready_wait(set, &ev, 1), 0);
	set_int(client, SOL_SOCKET, SO_ZEROCOPY, 1);
	pb_send(client, "abc", 3, MSG_ZEROCOPY);
	cr_assert_eq(pb_ready_wait(set, &ev, 1), 1);
	cr_assert_eq(ev.events, PB_READY_ERR);
	cr_assert_eq(pb_ready_wait(set, &ev, 1), 0);
}

static void expect_stamp(unsigned what, uint32_t key, uint64_t ms)
{
	struct got got;

	cr_assert(report_of(client, &got));
	cr_assert(got.has_err && got.has_stamp);
	cr_assert_eq(got.err.ee_errno, ENOMSG);
	cr_assert_eq(got.err.ee_origin, SO_EE_ORIGIN_TIMESTAMPING);
	cr_assert_eq(got.err.ee_info, what);
	cr_assert_eq(got.err.ee_data, key);
	cr_assert_eq(got.at_ns / NS_PER_MS, ms, "of %u: %lu", what,
		     (unsigned long)(got.at_ns / NS_PER_MS - ms));
}

Case(more, the_last_byte_of_a_write_is_stamped)
{
	uint64_t ms = t.now_ns / NS_PER_MS;
	struct got got;

	pb_send(client, "before", 6, 0);
	cr_assert_eq(set_int(client, SOL_SOCKET, SO_TIMESTAMPING,
			     SOF_TIMESTAMPING_TX_SCHED | SOF_TIMESTAMPING_TX_SOFTWARE |
				     SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE |
				     SOF_TIMESTAMPING_OPT_ID),
		     0);
	pb_send(client, "hello", 5, 0);
	pb_send(client, "world!", 6, 0);
	wait_ms(20);
	expect_stamp(SCM_TSTAMP_SCHED, 4, ms);
	expect_stamp(SCM_TSTAMP_SND, 4, ms);
	expect_stamp(SCM_TSTAMP_SCHED, 10, ms);
	expect_stamp(SCM_TSTAMP_SND, 10, ms);
	expect_stamp(SCM_TSTAMP_ACK, 4, ms + 2);
	expect_stamp(SCM_TSTAMP_ACK, 10, ms + 2);
	cr_assert(!report_of(client, &got));
	cr_assert_eq(set_int(client, SOL_SOCKET, SO_TIMESTAMPING, 1 << 30), -1);
	cr_assert_eq(errno, EINVAL);
}

Case(more, reports_have_a_limit)
{
	unsigned n = 0;
	struct got got;

	set_int(client, SOL_SOCKET, SO_TIMESTAMPING,
		SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE);
	for (unsigned i = 0; i < 3 * SOCK_MARKS_MAX; i++)
		pb_send(client, "x", 1, 0);
	wait_ms(50);
	while (report_of(client, &got))
		n++;
	cr_assert_eq(n, SOCK_MARKS_MAX);
	for (unsigned i = 0; i < 3 * SOCK_REPORTS_MAX; i++) {
		pb_send(client, "x", 1, 0);
		wait_ms(5);
	}
	for (n = 0; report_of(client, &got);)
		n++;
	cr_assert_eq(n, SOCK_REPORTS_MAX);
}

/* ---- messages ---- */

Case(more, pieces_are_one_message_both_ways)
{
	struct iovec out[] = { { "he", 2 }, { NULL, 0 }, { "llo", 3 } };
	char a[3], b[8];
	struct iovec in[] = { { a, sizeof(a) }, { b, sizeof(b) } };
	struct msghdr msg = { .msg_iov = out, .msg_iovlen = 3 };

	cr_assert_eq(pb_sendmsg(client, &msg, 0), 5);
	wait_ms(10);
	two_use(&t, 1);
	msg = (struct msghdr){ .msg_iov = in, .msg_iovlen = 2 };
	cr_assert_eq(pb_recvmsg(server, &msg, 0), 5);
	cr_assert(memcmp(a, "hel", 3) == 0 && memcmp(b, "lo", 2) == 0);
	cr_assert_eq(pb_recvmsg(server, &msg, 0), -1);
	cr_assert_eq(errno, EAGAIN);
}

Case(more, a_pointer_to_nothing_is_refused)
{
	struct iovec iov = { NULL, 5 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	cr_assert_eq(pb_send(client, NULL, 5, 0), -1);
	cr_assert_eq(errno, EFAULT);
	cr_assert_eq(pb_recv(client, NULL, 5, 0), -1);
	cr_assert_eq(errno, EFAULT);
	cr_assert_eq(pb_sendmsg(client, &msg, 0), -1);
	cr_assert_eq(errno, EFAULT);
	cr_assert_eq(pb_recvmsg(client, NULL, 0), -1);
	cr_assert_eq(errno, EFAULT);
}

/* What TCP_CM_INQ says with up to @len bytes; -1: nothing. */
static int inq_with(size_t len)
{
	char bytes[64], control[64];
	struct iovec iov = { bytes, len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int inq = -1;

	cr_assert_geq(pb_recvmsg(server, &msg, 0), 0);
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == IPPROTO_TCP && c->cmsg_type == TCP_CM_INQ)
		memcpy(&inq, CMSG_DATA(c), sizeof(inq));
	return inq;
}

Case(more, what_waits_is_told_with_what_is_read)
{
	pb_send(client, "hello, world", 12, 0);
	pb_shutdown(client, SHUT_WR);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(get_int(server, IPPROTO_TCP, TCP_INQ), 1, "as its listener");
	cr_assert_eq(inq_with(5), 7);
	cr_assert_eq(inq_with(7), 1, "the end waits");
	set_int(server, IPPROTO_TCP, TCP_INQ, 0);
	cr_assert_eq(inq_with(7), -1);
}

Case(more, unacknowledged_bytes_are_told)
{
	cr_assert_eq(pb_unacked(client), 0);
	pb_send(client, "hello", 5, 0);
	cr_assert_eq(pb_unacked(client), 5);
	wait_ms(20);
	cr_assert_eq(pb_unacked(client), 0);
}

/* ---- marks of water ---- */

Case(more, in_is_told_from_the_low_mark_on)
{
	struct pb_ready *reads;
	struct pb_event ev;

	two_use(&t, 1);
	cr_assert_eq(get_int(server, SOL_SOCKET, SO_RCVLOWAT), 1);
	cr_assert_eq(set_int(server, SOL_SOCKET, SO_RCVLOWAT, 6), 0);
	reads = pb_ready_new();
	pb_ready_add(reads, server, PB_READY_IN, NULL);
	two_use(&t, 0);
	pb_send(client, "hello", 5, 0);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_ready_wait(reads, &ev, 1), 0);
	two_use(&t, 0);
	pb_send(client, "!", 1, 0);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_ready_wait(reads, &ev, 1), 1);
	pb_ready_free(reads);
}

Case(more, no_more_waits_unsent_than_the_mark)
{
	static char bytes[200000];
	struct pb_event ev;
	ssize_t n;

	cr_assert_eq(set_int(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 4000), 0);
	cr_assert_eq(get_int(client, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 4000);
	pb_ready_add(set, client, PB_READY_OUT, NULL);
	cr_assert_eq(pb_ready_wait(set, &ev, 1), 1);
	n = pb_send(client, bytes, sizeof(bytes), 0);
	/* What cwnd lets go, and half a window in whole segments. */
	cr_assert_gt(n, 10 * 1448);
	cr_assert_lt(n, 60000);
	cr_assert_eq(pb_ready_wait(set, &ev, 1), 0);
	cr_assert_eq(pb_send(client, bytes, sizeof(bytes), 0), -1);
	cr_assert_eq(errno, EAGAIN);
	wait_ms(50);
	cr_assert_eq(pb_ready_wait(set, &ev, 1), 1);
	cr_assert_eq(ev.events, PB_READY_OUT);
}

/* ---- the others ---- */

Case(more, options_of_linux_are_told_as_they_were_set)
{
	struct sockaddr_in far = { .sin_family = AF_INET, .sin_port = htons(99) };
	uint8_t dont = IP_PMTUDISC_DONT;
	int s = pb_socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(get_int(s, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IP, IP_MTU_DISCOVER, &dont, 1), 0);
	cr_assert_eq(get_int(s, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DONT);
	cr_assert_eq(set_int(s, IPPROTO_IP, IP_MTU_DISCOVER, 77), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(set_int(s, SOL_SOCKET, SO_MARK, 666), 0);
	cr_assert_eq(get_int(s, SOL_SOCKET, SO_MARK), 666);
	far.sin_addr.s_addr = htonl(0x0a000001);
	cr_assert_eq(pb_bind(s, (struct sockaddr *)&far, sizeof(far)), -1);
	cr_assert_eq(errno, EADDRNOTAVAIL);
	cr_assert_eq(set_int(s, IPPROTO_IP, IP_FREEBIND, 1), 0);
	cr_assert_eq(pb_bind(s, (struct sockaddr *)&far, sizeof(far)), 0);
	cr_assert_eq(pb_listen(s, 1), 0);
	cr_assert_eq(get_int(s, SOL_SOCKET, SO_MARK), 666);
	pb_close(s);
}

Case(more, a_send_buffer_is_twice_what_was_asked_for)
{
	static char bytes[100000];

	cr_assert_eq(set_int(client, SOL_SOCKET, SO_SNDBUF, 20000), 0);
	cr_assert_eq(get_int(client, SOL_SOCKET, SO_SNDBUF), 40000);
	cr_assert_eq(pb_send(client, bytes, sizeof(bytes), 0), 40000);
}

Case(more, a_socket_that_is_not_connected_has_no_peer)
{
	struct sockaddr_in at = two_addr(1, 81);
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int s = pb_socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(pb_send(s, "x", 1, 0), -1);
	cr_assert_eq(errno, EPIPE);
	pb_connect(s, (struct sockaddr *)&at, sizeof(at));
	cr_assert_eq(pb_getpeername(s, (struct sockaddr *)&peer, &len), -1);
	cr_assert_eq(errno, ENOTCONN, "in SYN-SENT");
	pb_close(s);
}

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

/* Two stacks on a link: end 0 sends, end 1 looks at what goes beside the bytes. */
static struct two t;
static int from, to;

static int udp(unsigned i, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int s;

	two_use(&t, i);
	s = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(pb_bind(s, (struct sockaddr *)&in, sizeof(in)), 0);
	return s;
}

static void setup(void)
{
	two_open(&t, 1, NULL);
	from = udp(0, 1000);
	to = udp(1, 2000);
}

static void clean(void)
{
	two_use(&t, 0);
	pb_close(from);
	two_use(&t, 1);
	pb_close(to);
	two_close(&t);
}

Cases(udp_opt, setup, clean);

static int set(int s, int level, int opt, int value)
{
	return pb_setsockopt(s, level, opt, &value, sizeof(value));
}

static int get(int s, int level, int opt)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return pb_getsockopt(s, level, opt, &value, &len) ? -errno : value;
}

/* "hello" to end 1, with one piece of ancillary data when @len is not 0. */
static ssize_t send_with(int level, int type, const void *data, size_t len)
{
	struct sockaddr_in in = two_addr(1, 2000);
	struct iovec iov[2] = { { (void *)(uintptr_t) "hel", 3 },
				{ (void *)(uintptr_t) "lo", 2 } };
	_Alignas(struct cmsghdr) uint8_t control[128] = { 0 };
	struct msghdr msg = { .msg_name = &in,
			      .msg_namelen = sizeof(in),
			      .msg_iov = iov,
			      .msg_iovlen = 2 };
	struct cmsghdr c = { .cmsg_len = CMSG_LEN(len),
			     .cmsg_level = level,
			     .cmsg_type = type };
	ssize_t r;

	if (len) {
		memcpy(control, &c, sizeof(c));
		memcpy(control + CMSG_LEN(0), data, len);
		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(len);
	}
	two_use(&t, 0);
	r = pb_sendmsg(from, &msg, 0);
	two_run(&t, NULL, NULL, 10 * NS_PER_MS);
	two_use(&t, 1);
	return r;
}

static _Alignas(struct cmsghdr) uint8_t control[256];
static struct msghdr got;
static char first[4], second[64];

static ssize_t receive(size_t control_len, size_t second_len)
{
	static struct iovec iov[2];
	static struct sockaddr_in peer;

	iov[0] = (struct iovec){ first, 3 };
	iov[1] = (struct iovec){ second, second_len };
	got = (struct msghdr){ .msg_name = &peer,
			       .msg_namelen = sizeof(peer),
			       .msg_iov = iov,
			       .msg_iovlen = 2,
			       .msg_control = control,
			       .msg_controllen = control_len };
	return pb_recvmsg(to, &got, 0);
}

/* The piece of that type; NULL: there is none. */
static const void *piece(int type, size_t len)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&got); c; c = CMSG_NXTHDR(&got, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == type &&
		    c->cmsg_len == CMSG_LEN(len))
			return CMSG_DATA(c);
	return NULL;
}

Case(udp_opt, pieces_are_joined_and_parted)
{
	cr_assert_eq(send_with(0, 0, NULL, 0), 5);
	cr_assert_eq(receive(0, sizeof(second)), 5);
	cr_assert(memcmp(first, "hel", 3) == 0 && memcmp(second, "lo", 2) == 0);
	cr_assert_eq(got.msg_flags, 0);
	cr_assert_eq(send_with(0, 0, NULL, 0), 5);
	cr_assert_eq(receive(0, 1), 4);
	cr_assert_eq(got.msg_flags, MSG_TRUNC);
}

Case(udp_opt, tells_to_whom_and_how_it_came_when_asked_to)
{
	struct in_pktinfo info;
	const void *p;
	int ttl;

	send_with(0, 0, NULL, 0);
	cr_assert_eq(receive(sizeof(control), 8), 5);
	cr_assert_eq(got.msg_controllen, 0);
	cr_assert_eq(set(to, IPPROTO_IP, IP_PKTINFO, 1), 0);
	cr_assert_eq(set(to, IPPROTO_IP, IP_RECVTTL, 1), 0);
	cr_assert_eq(set(to, IPPROTO_IP, IP_RECVTOS, 1), 0);
	cr_assert_eq(get(to, IPPROTO_IP, IP_RECVTOS), 1);
	send_with(0, 0, NULL, 0);
	cr_assert_eq(receive(sizeof(control), 8), 5);
	p = piece(IP_PKTINFO, sizeof(info));
	cr_assert_not_null(p);
	memcpy(&info, p, sizeof(info));
	cr_assert(info.ipi_ifindex == 1 &&
		  info.ipi_addr.s_addr == inet_addr("192.0.2.2"));
	cr_assert_eq(info.ipi_spec_dst.s_addr, info.ipi_addr.s_addr);
	p = piece(IP_TTL, sizeof(ttl));
	cr_assert_not_null(p);
	memcpy(&ttl, p, sizeof(ttl));
	cr_assert_eq(ttl, 64);
	p = piece(IP_TOS, 1);
	cr_assert(p && *(const uint8_t *)p == 0);
	cr_assert_eq(set(to, IPPROTO_IP, IP_RECVTTL, 0), 0);
	send_with(0, 0, NULL, 0);
	receive(sizeof(control), 8);
	cr_assert_null(piece(IP_TTL, sizeof(ttl)));
	/* No room for it: that is told, too. */
	send_with(0, 0, NULL, 0);
	cr_assert_eq(receive(10, 8), 5);
	cr_assert_eq(got.msg_flags, MSG_CTRUNC);
}

Case(udp_opt, of_one_datagram_can_be_said)
{
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = inet_addr("192.0.2.1") };
	int tos = 0x28, ttl = 7, bad = 300;

	set(to, IPPROTO_IP, IP_RECVTTL, 1);
	set(to, IPPROTO_IP, IP_RECVTOS, 1);
	cr_assert_eq(send_with(IPPROTO_IP, IP_TOS, &tos, sizeof(tos)), 5);
	receive(sizeof(control), 8);
	cr_assert_eq(*(const uint8_t *)piece(IP_TOS, 1), 0x28);
	cr_assert_eq(send_with(IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl)), 5);
	receive(sizeof(control), 8);
	memcpy(&bad, piece(IP_TTL, sizeof(bad)), sizeof(bad));
	cr_assert_eq(bad, 7);
	cr_assert_eq(send_with(IPPROTO_IP, IP_PKTINFO, &info, sizeof(info)), 5);
	cr_assert_eq(receive(sizeof(control), 8), 5);
	/* And what cannot be is refused, not ignored. */
	bad = 300;
	cr_assert_eq(send_with(IPPROTO_IP, IP_TTL, &bad, sizeof(bad)), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(send_with(IPPROTO_IP, 99, &tos, sizeof(tos)), -1);
	info.ipi_spec_dst.s_addr = inet_addr("192.0.2.9");
	cr_assert_eq(send_with(IPPROTO_IP, IP_PKTINFO, &info, sizeof(info)), -1);
	cr_assert_eq(errno, EADDRNOTAVAIL);
	cr_assert_eq(receive(sizeof(control), 8), -1);
}

Case(udp_opt, without_a_sum_it_arrives_as_well)
{
	two_use(&t, 0);
	cr_assert_eq(get(from, SOL_SOCKET, SO_NO_CHECK), 0);
	cr_assert_eq(set(from, SOL_SOCKET, SO_NO_CHECK, 1), 0);
	cr_assert_eq(get(from, SOL_SOCKET, SO_NO_CHECK), 1);
	cr_assert_eq(send_with(0, 0, NULL, 0), 5);
	cr_assert_eq(receive(0, 8), 5);
}

Case(udp_opt, what_shall_not_be_cut_is_refused_when_it_is_too_long)
{
	struct sockaddr_in in = two_addr(1, 2000);
	static char text[2000];

	two_use(&t, 0);
	cr_assert_eq(get(from, IPPROTO_IP, IP_MTU), -ENOTCONN);
	cr_assert_eq(pb_connect(from, (struct sockaddr *)&in, sizeof(in)), 0);
	cr_assert_eq(get(from, IPPROTO_IP, IP_MTU), 1500);
	cr_assert_eq(pb_send(from, text, sizeof(text), 0), (ssize_t)sizeof(text));
	cr_assert_eq(set(from, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO), 0);
	cr_assert_eq(set(from, SOL_SOCKET, SO_BROADCAST, 1), 0);
	cr_assert_eq(set(from, SOL_SOCKET, SO_BROADCAST, 0), 0);
	cr_assert_eq(get(from, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DO);
	cr_assert_eq(pb_send(from, text, sizeof(text), 0), -1);
	cr_assert_eq(errno, EMSGSIZE);
	cr_assert_eq(set(from, IPPROTO_IP, IP_MTU_DISCOVER, 9), -1);
	cr_assert_eq(set(from, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_WANT), 0);
	cr_assert_eq(get(from, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT);
	cr_assert_eq(pb_send(from, text, sizeof(text), 0), (ssize_t)sizeof(text));
}

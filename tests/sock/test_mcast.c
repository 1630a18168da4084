#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

/* Two stacks on a link: end 0 speaks to groups, end 1 listens. */
static struct two t;

static void setup(void)
{
	two_open(&t, 1, NULL);
}

static void clean(void)
{
	two_close(&t);
}

Cases(mcast, setup, clean);

static void wait_ms(unsigned ms)
{
	two_run(&t, NULL, NULL, ms * NS_PER_MS);
}

static struct sockaddr_in at(const char *addr, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	cr_assert_eq(inet_pton(AF_INET, addr, &in.sin_addr), 1);
	return in;
}

static int set(int s, int opt, int value)
{
	return pb_setsockopt(s, IPPROTO_IP, opt, &value, sizeof(value));
}

/* A socket of end @i; @port 0: not bound. */
static int udp(unsigned i, const char *addr, uint16_t port)
{
	struct sockaddr_in in = at(addr, port);
	int s, one = 1;

	two_use(&t, i);
	s = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_geq(s, 0);
	cr_assert_eq(pb_setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	if (port)
		cr_assert_eq(pb_bind(s, (struct sockaddr *)&in, sizeof(in)), 0, "%s",
			     strerror(errno));
	return s;
}

static int member(int s, int opt, const char *group, const char *own)
{
	struct ip_mreq mreq = { 0 };

	cr_assert_eq(inet_pton(AF_INET, group, &mreq.imr_multiaddr), 1);
	cr_assert_eq(inet_pton(AF_INET, own, &mreq.imr_interface), 1);
	return pb_setsockopt(s, IPPROTO_IP, opt, &mreq, sizeof(mreq));
}

static void send_to(int s, const char *addr, uint16_t port, const char *text)
{
	struct sockaddr_in in = at(addr, port);
	ssize_t len = (ssize_t)strlen(text);

	cr_assert_eq(
		pb_sendto(s, text, (size_t)len, 0, (struct sockaddr *)&in, sizeof(in)),
		len, "%s", strerror(errno));
}

/* Everything that waits for @s, one after the other. */
static const char *got(int s)
{
	static char all[256];
	size_t at = 0;
	ssize_t n;

	while ((n = pb_recv(s, all + at, sizeof(all) - 1 - at, 0)) > 0)
		at += (size_t)n;
	cr_assert_eq(errno, EAGAIN);
	all[at] = '\0';
	return all;
}

Case(mcast, who_joined_hears_what_others_send)
{
	int from = udp(0, "0.0.0.0", 0), to = udp(1, "0.0.0.0", 5353);

	send_to(from, "239.1.2.3", 5353, "a");
	wait_ms(10);
	two_use(&t, 1);
	cr_assert_str_eq(got(to), "");
	cr_assert_eq(member(to, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), 0);
	two_use(&t, 0);
	send_to(from, "239.1.2.3", 5353, "b");
	send_to(from, "239.1.2.4", 5353, "c");
	wait_ms(10);
	two_use(&t, 1);
	cr_assert_str_eq(got(to), "b");
	cr_assert_eq(member(to, IP_DROP_MEMBERSHIP, "239.1.2.3", "192.0.2.2"), 0);
	two_use(&t, 0);
	send_to(from, "239.1.2.3", 5353, "d");
	wait_ms(10);
	two_use(&t, 1);
	cr_assert_str_eq(got(to), "");
	pb_close(to);
	two_use(&t, 0);
	pb_close(from);
}

Case(mcast, all_members_of_a_port_hear_and_nobody_else)
{
	int from = udp(0, "0.0.0.0", 0);
	int a = udp(1, "0.0.0.0", 5353), b = udp(1, "239.1.2.3", 5353);
	int c = udp(1, "0.0.0.0", 5353), d = udp(1, "0.0.0.0", 5354);

	cr_assert_eq(member(a, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), 0);
	cr_assert_eq(member(b, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), 0);
	cr_assert_eq(member(c, IP_ADD_MEMBERSHIP, "239.9.9.9", "0.0.0.0"), 0);
	cr_assert_eq(member(d, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), 0);
	two_use(&t, 0);
	send_to(from, "239.1.2.3", 5353, "x");
	send_to(from, "192.0.2.2", 5353, "y");
	wait_ms(10);
	two_use(&t, 1);
	cr_assert_str_eq(got(b), "x"); /* bound to the group: nothing else */
	cr_assert_str_eq(got(d), "");
	cr_assert_eq(strlen(got(a)) + strlen(got(c)), 2); /* one of them has y */
	pb_close(a);
	pb_close(b);
	pb_close(c);
	pb_close(d);
	two_use(&t, 0);
	pb_close(from);
}

Case(mcast, who_sends_hears_himself_if_he_wants_to)
{
	int s = udp(0, "0.0.0.0", 5353), value = 7;
	socklen_t len = sizeof(value);

	cr_assert_eq(member(s, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), 0);
	send_to(s, "239.1.2.3", 5353, "a");
	wait_ms(10);
	two_use(&t, 0);
	cr_assert_str_eq(got(s), "a");
	cr_assert_eq(pb_getsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, &value, &len), 0);
	cr_assert_eq(value, 1);
	cr_assert_eq(set(s, IP_MULTICAST_LOOP, 0), 0);
	send_to(s, "239.1.2.3", 5353, "b");
	wait_ms(10);
	two_use(&t, 0);
	cr_assert_str_eq(got(s), "");
	pb_close(s);
}

Case(mcast, a_ttl_of_0_stays_in_the_host)
{
	int s = udp(0, "0.0.0.0", 5353), to = udp(1, "0.0.0.0", 5353), value = 0;
	socklen_t len = sizeof(value);
	uint8_t byte = 0;

	cr_assert_eq(member(to, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), 0);
	two_use(&t, 0);
	cr_assert_eq(pb_getsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &value, &len), 0);
	cr_assert_eq(value, 1);
	cr_assert_eq(member(s, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), 0);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, &byte, 1), 0);
	send_to(s, "239.1.2.3", 5353, "a");
	wait_ms(10);
	two_use(&t, 0);
	cr_assert_str_eq(got(s), "a");
	two_use(&t, 1);
	cr_assert_str_eq(got(to), "");
	pb_close(to);
	two_use(&t, 0);
	cr_assert_eq(set(s, IP_MULTICAST_TTL, 256), -1);
	cr_assert_eq(set(s, IP_MULTICAST_TTL, -1), 0);
	send_to(s, "239.1.2.3", 5353, "b");
	pb_close(s);
}

Case(mcast, an_interface_can_be_named)
{
	int s = udp(0, "0.0.0.0", 0);
	struct in_addr own = at("192.0.2.1", 0).sin_addr,
		       other = at("192.0.2.9", 0).sin_addr;
	struct in_addr value = { 0 };
	struct ip_mreqn mreq = { .imr_ifindex = 1 };
	socklen_t len = sizeof(value);

	cr_assert_eq(pb_setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &own, sizeof(own)), 0);
	cr_assert_eq(pb_getsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &value, &len), 0);
	cr_assert_eq(value.s_addr, own.s_addr);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &other, sizeof(other)),
		     -1);
	cr_assert_eq(errno, EADDRNOTAVAIL);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof(mreq)),
		     0);
	mreq.imr_ifindex = 2;
	inet_pton(AF_INET, "239.1.2.3", &mreq.imr_multiaddr);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)),
		     -1);
	mreq.imr_ifindex = 1;
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)),
		     0);
	pb_close(s);
}

Case(mcast, memberships_have_errors_and_limits)
{
	int s = udp(0, "0.0.0.0", 0), tcp = pb_socket(AF_INET, SOCK_STREAM, 0);
	char group[32];

	cr_assert_eq(member(s, IP_ADD_MEMBERSHIP, "192.0.2.9", "0.0.0.0"), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(member(s, IP_ADD_MEMBERSHIP, "239.1.2.3", "10.0.0.1"), -1);
	cr_assert_eq(errno, ENODEV);
	cr_assert_eq(member(s, IP_DROP_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), -1);
	cr_assert_eq(errno, EADDRNOTAVAIL);
	cr_assert_eq(set(s, IP_ADD_MEMBERSHIP, 1), -1); /* too short */
	cr_assert_eq(member(tcp, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), -1);
	cr_assert_eq(errno, ENOPROTOOPT);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(group, sizeof(group), "239.1.2.%u", i);
		cr_assert_eq(member(s, IP_ADD_MEMBERSHIP, group, "0.0.0.0"), 0);
	}
	cr_assert_eq(member(s, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), -1);
	cr_assert_eq(errno, EADDRINUSE);
	cr_assert_eq(member(s, IP_ADD_MEMBERSHIP, "239.1.2.20", "0.0.0.0"), -1);
	cr_assert_eq(errno, ENOBUFS);
	pb_close(tcp);
	pb_close(s); /* and with it all memberships */
}

Case(mcast, a_port_is_shared_only_by_those_who_all_want_to)
{
	struct sockaddr_in in = at("0.0.0.0", 5353);
	int a = udp(0, "0.0.0.0", 5353), b = pb_socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert_eq(pb_bind(b, (struct sockaddr *)&in, sizeof(in)), -1);
	cr_assert_eq(errno, EADDRINUSE);
	pb_close(a);
	pb_close(b);
}

Case(mcast, all_hosts_are_in_their_group)
{
	int from = udp(0, "0.0.0.0", 0), to = udp(1, "0.0.0.0", 99);

	two_use(&t, 0);
	send_to(from, "224.0.0.1", 99, "hello");
	wait_ms(10);
	two_use(&t, 1);
	cr_assert_str_eq(got(to), "hello");
	pb_close(to);
	two_use(&t, 0);
	pb_close(from);
}

Case(mcast, a_long_datagram_arrives_whole)
{
	int from = udp(0, "0.0.0.0", 0), to = udp(1, "0.0.0.0", 99);
	static char text[5001], in[6000];

	memset(text, 'x', 5000);
	cr_assert_eq(member(to, IP_ADD_MEMBERSHIP, "239.1.2.3", "0.0.0.0"), 0);
	two_use(&t, 0);
	send_to(from, "239.1.2.3", 99, text);
	wait_ms(10);
	two_use(&t, 1);
	cr_assert_eq(pb_recv(to, in, sizeof(in), 0), 5000);
	pb_close(to);
	two_use(&t, 0);
	pb_close(from);
}

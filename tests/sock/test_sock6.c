#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include "stack/base/clock.h"
#include "tests/lib/case.h"
#include "tests/lib/two.h"

static struct two t;

static void setup(void)
{
	two_open6(&t, 1, NULL);
}

static void clean(void)
{
	two_close(&t);
}

Cases(sock6, setup, clean);

static void wait_ms(unsigned ms)
{
	two_run(&t, NULL, NULL, ms * NS_PER_MS);
}

static int socket_on(unsigned end, int type)
{
	int s;

	two_use(&t, end);
	s = pb_socket(AF_INET6, type, 0);
	cr_assert_geq(s, 0, "%s", strerror(errno));
	return s;
}

static int bind6(int s, const struct sockaddr_in6 *at)
{
	return pb_bind(s, (const struct sockaddr *)at, sizeof(*at));
}

static int connect6(int s, const struct sockaddr_in6 *to)
{
	return pb_connect(s, (const struct sockaddr *)to, sizeof(*to));
}

/* An address of no station of ours: "::", @port. */
static struct sockaddr_in6 any6(uint16_t port)
{
	return (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
}

/* 192.0.2.(1 + @i) in the words of IPv6. */
static struct sockaddr_in6 mapped(unsigned i, uint16_t port)
{
	struct sockaddr_in6 a = any6(port);
	struct sockaddr_in v4 = two_addr(i, port);

	a.sin6_addr.s6_addr[10] = a.sin6_addr.s6_addr[11] = 0xff;
	memcpy(a.sin6_addr.s6_addr + 12, &v4.sin_addr, 4);
	return a;
}

static int listen_on(const struct sockaddr_in6 *at, bool v6only)
{
	int s = socket_on(1, SOCK_STREAM), on = v6only;

	cr_assert_eq(pb_setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	cr_assert_eq(bind6(s, at), 0, "%s", strerror(errno));
	cr_assert_eq(pb_listen(s, 8), 0, "%s", strerror(errno));
	return s;
}

static void expect_recv(int s, const char *text)
{
	char got[256] = { 0 };
	ssize_t n = pb_recv(s, got, sizeof(got) - 1, 0);

	cr_assert_eq(n, (ssize_t)strlen(text), "got %zd bytes: %s", n, strerror(errno));
	cr_assert_str_eq(got, text);
}

static void close_on(unsigned end, int s)
{
	two_use(&t, end);
	cr_assert_eq(pb_close(s), 0);
}

static bool same6(const struct sockaddr_in6 *a, const struct sockaddr_in6 *b)
{
	return a->sin6_family == b->sin6_family && a->sin6_port == b->sin6_port &&
	       a->sin6_scope_id == b->sin6_scope_id &&
	       memcmp(&a->sin6_addr, &b->sin6_addr, 16) == 0;
}

Case(sock6, bytes_go_both_ways_between_two_who_know_their_names)
{
	struct sockaddr_in6 at = two_addr6(1, 80), got = { 0 }, peer = { 0 };
	int l = listen_on(&at, false), c = socket_on(0, SOCK_STREAM), s;
	socklen_t len = sizeof(got);

	cr_assert(connect6(c, &at) == -1 && errno == EINPROGRESS);
	wait_ms(50);
	two_use(&t, 1);
	s = pb_accept(l, (struct sockaddr *)&peer, &len);
	cr_assert(s >= 0 && len == sizeof(peer));
	two_use(&t, 0);
	len = sizeof(got);
	cr_assert_eq(pb_getsockname(c, (struct sockaddr *)&got, &len), 0);
	cr_assert(same6(&got, &peer) && got.sin6_addr.s6_addr[15] == 1);
	len = sizeof(got);
	cr_assert_eq(pb_getpeername(c, (struct sockaddr *)&got, &len), 0);
	cr_assert(same6(&got, &at));
	cr_assert_eq(pb_send(c, "hello", 5, 0), 5);
	wait_ms(20);
	two_use(&t, 1);
	expect_recv(s, "hello");
	cr_assert_eq(pb_send(s, "world", 5, 0), 5);
	wait_ms(20);
	two_use(&t, 0);
	expect_recv(c, "world");
	close_on(0, c);
	close_on(1, s);
	close_on(1, l);
}

Case(sock6, a_segment_is_shorter_by_the_longer_header)
{
	struct sockaddr_in6 at = two_addr6(1, 80);
	int l = listen_on(&at, false), c = socket_on(0, SOCK_STREAM);
	socklen_t len;
	int mss;

	connect6(c, &at);
	wait_ms(50);
	two_use(&t, 0);
	len = sizeof(mss);
	cr_assert_eq(pb_getsockopt(c, IPPROTO_TCP, TCP_MAXSEG, &mss, &len), 0);
	/* RFC 9293 3.7.1, RFC 6691: 1500 less 40 and 20; timestamps take 12 more. */
	cr_assert(mss == 1440 || mss == 1428, "%d", mss);
	close_on(0, c);
	close_on(1, l);
}

Case(sock6, one_listener_hears_both_families)
{
	struct sockaddr_in6 any = any6(80), at6 = two_addr6(1, 80), peer = { 0 };
	int l = listen_on(&any, false), c6 = socket_on(0, SOCK_STREAM), c4, s;
	struct sockaddr_in at4 = two_addr(1, 80);
	socklen_t len = sizeof(peer);

	connect6(c6, &at6);
	wait_ms(20);
	two_use(&t, 1);
	s = pb_accept(l, (struct sockaddr *)&peer, &len);
	cr_assert(s >= 0 && peer.sin6_addr.s6_addr[0] == 0x20);
	close_on(1, s);
	two_use(&t, 0);
	c4 = pb_socket(AF_INET, SOCK_STREAM, 0);
	pb_connect(c4, (struct sockaddr *)&at4, sizeof(at4));
	wait_ms(20);
	two_use(&t, 1);
	len = sizeof(peer);
	s = pb_accept(l, (struct sockaddr *)&peer, &len);
	cr_assert_geq(s, 0);
	any = mapped(0, ntohs(peer.sin6_port));
	cr_assert(same6(&peer, &any));
	close_on(1, s);
	close_on(1, l);
	close_on(0, c6);
	close_on(0, c4);
}

Case(sock6, a_listener_of_ipv6_only_leaves_ipv4_to_another)
{
	struct sockaddr_in6 any = any6(80), to = mapped(1, 80);
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(80) };
	int l = listen_on(&any, true), c = socket_on(0, SOCK_STREAM), l4, s, on = 1;

	/* A socket of IPv6 speaks to IPv4 hosts by their mapped addresses. */
	cr_assert(connect6(c, &to) == -1 && errno == EINPROGRESS);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert(pb_accept(l, NULL, NULL) == -1 && errno == EAGAIN);
	close_on(0, c);
	two_use(&t, 1);
	l4 = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_bind(l4, (struct sockaddr *)&any4, sizeof(any4)), 0);
	cr_assert_eq(pb_listen(l4, 8), 0);
	c = socket_on(0, SOCK_STREAM);
	connect6(c, &to);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert(pb_accept(l, NULL, NULL) == -1 && errno == EAGAIN);
	s = pb_accept(l4, NULL, NULL);
	cr_assert_geq(s, 0);
	close_on(1, s);
	close_on(1, l4);
	close_on(1, l);
	close_on(0, c);
	/* Who speaks IPv6 only knows no such addresses. */
	c = socket_on(0, SOCK_STREAM);
	cr_assert_eq(pb_setsockopt(c, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	cr_assert(connect6(c, &to) == -1 && errno == ENETUNREACH);
	cr_assert(bind6(c, &to) == -1 && errno == EINVAL);
	close_on(0, c);
}

Case(sock6, listeners_that_would_hear_the_same_clash)
{
	struct sockaddr_in6 any = any6(80);
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(80) };
	int l = listen_on(&any, false), other;

	other = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert(pb_bind(other, (struct sockaddr *)&any4, sizeof(any4)) == -1 &&
		  errno == EADDRINUSE);
	close_on(1, l);
	cr_assert_eq(pb_bind(other, (struct sockaddr *)&any4, sizeof(any4)), 0);
	cr_assert_eq(pb_listen(other, 1), 0);
	l = socket_on(1, SOCK_STREAM);
	cr_assert(bind6(l, &any) == -1 && errno == EADDRINUSE);
	close_on(1, l);
	close_on(1, other);
}

Case(sock6, v6only_is_said_before_there_is_an_address)
{
	struct sockaddr_in6 any = any6(80);
	int s = socket_on(0, SOCK_STREAM), on = 1, v4;
	socklen_t len = sizeof(on);

	cr_assert_eq(bind6(s, &any), 0);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_eq(pb_getsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, &len), 0);
	cr_assert_eq(on, 0);
	v4 = pb_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(pb_setsockopt(v4, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), -1);
	cr_assert_eq(errno, ENOPROTOOPT);
	close_on(0, s);
	close_on(0, v4);
}

Case(sock6, datagrams_go_both_ways)
{
	struct sockaddr_in6 at = two_addr6(1, 53), from = { 0 };
	int s = socket_on(1, SOCK_DGRAM), c = socket_on(0, SOCK_DGRAM);
	socklen_t len = sizeof(from);
	char got[16] = { 0 };

	two_use(&t, 1);
	cr_assert_eq(bind6(s, &at), 0);
	two_use(&t, 0);
	cr_assert_eq(pb_sendto(c, "who?", 4, 0, (struct sockaddr *)&at, sizeof(at)), 4);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_recvfrom(s, got, sizeof(got), 0, (struct sockaddr *)&from, &len),
		     4);
	cr_assert(len == sizeof(from) && from.sin6_addr.s6_addr[15] == 1);
	cr_assert_eq(pb_sendto(s, "me", 2, 0, (struct sockaddr *)&from, sizeof(from)), 2);
	wait_ms(20);
	two_use(&t, 0);
	expect_recv(c, "me");
	close_on(0, c);
	close_on(1, s);
}

Case(sock6, a_datagram_longer_than_the_link_arrives_whole)
{
	struct sockaddr_in6 at = two_addr6(1, 53);
	int s = socket_on(1, SOCK_DGRAM), c = socket_on(0, SOCK_DGRAM);
	static char bytes[65528], got[65528];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7 + i / 256);
	two_use(&t, 1);
	bind6(s, &at);
	two_use(&t, 0);
	cr_assert_eq(pb_sendto(c, bytes, 65528, 0, (struct sockaddr *)&at, sizeof(at)),
		     -1);
	cr_assert_eq(errno, EMSGSIZE);
	/* Of the first one only some fragments wait for who the other is. */
	pb_sendto(c, bytes, 1, 0, (struct sockaddr *)&at, sizeof(at));
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_recv(s, got, sizeof(got), 0), 1);
	two_use(&t, 0);
	cr_assert_eq(pb_sendto(c, bytes, 65527, 0, (struct sockaddr *)&at, sizeof(at)),
		     65527);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_recv(s, got, sizeof(got), 0), 65527);
	cr_assert_arr_eq(got, bytes, 65527);
	close_on(0, c);
	close_on(1, s);
}

Case(sock6, a_datagram_socket_hears_ipv4_unless_it_says_no)
{
	struct sockaddr_in6 any = any6(53), from = { 0 };
	struct sockaddr_in at = two_addr(1, 53);
	int s = socket_on(1, SOCK_DGRAM), c, on = 1;
	socklen_t len = sizeof(from);
	char got[16];

	bind6(s, &any);
	two_use(&t, 0);
	c = pb_socket(AF_INET, SOCK_DGRAM, 0);
	pb_sendto(c, "x", 1, 0, (struct sockaddr *)&at, sizeof(at));
	wait_ms(20);
	two_use(&t, 1);
	cr_assert_eq(pb_recvfrom(s, got, sizeof(got), 0, (struct sockaddr *)&from, &len),
		     1);
	cr_assert(from.sin6_addr.s6_addr[10] == 0xff && from.sin6_addr.s6_addr[15] == 1);
	close_on(1, s);
	s = socket_on(1, SOCK_DGRAM);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)), 0);
	bind6(s, &any);
	two_use(&t, 0);
	pb_sendto(c, "x", 1, 0, (struct sockaddr *)&at, sizeof(at));
	wait_ms(20);
	two_use(&t, 1);
	cr_assert(pb_recv(s, got, sizeof(got), 0) == -1 && errno == EAGAIN);
	close_on(0, c);
	close_on(1, s);
}

Case(sock6, a_socket_of_one_family_hears_no_other)
{
	struct sockaddr_in6 at = two_addr6(1, 53);
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons(53) };
	int c = socket_on(0, SOCK_DGRAM), s;
	char got[16];

	two_use(&t, 1);
	s = pb_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(pb_bind(s, (struct sockaddr *)&any4, sizeof(any4)), 0);
	two_use(&t, 0);
	cr_assert_eq(connect6(c, &at), 0);
	cr_assert_eq(pb_send(c, "x", 1, 0), 1);
	wait_ms(20);
	two_use(&t, 1);
	cr_assert(pb_recv(s, got, sizeof(got), 0) == -1 && errno == EAGAIN);
	/* The answer is what ICMPv6 has for it. */
	two_use(&t, 0);
	cr_assert(pb_recv(c, got, sizeof(got), 0) == -1 && errno == ECONNREFUSED);
	close_on(0, c);
	close_on(1, s);
}

Case(sock6, the_hop_limit_and_the_class_are_options)
{
	int s = socket_on(0, SOCK_STREAM), v = 0, set = 9, class = 0x28;
	socklen_t len = sizeof(v);

	cr_assert_eq(pb_getsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &v, &len), 0);
	cr_assert_eq(v, 64);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &set, sizeof(set)),
		     0);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof(class)),
		     0);
	cr_assert_eq(pb_getsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &v, &len), 0);
	cr_assert_eq(v, 9);
	cr_assert_eq(pb_getsockopt(s, IPPROTO_IPV6, IPV6_TCLASS, &v, &len), 0);
	cr_assert_eq(v, 0x28);
	close_on(0, s);
}

Case(sock6, addresses_of_another_family_or_zone_are_refused)
{
	struct sockaddr_in at = two_addr(1, 80);
	struct sockaddr_in6 far = two_addr6(1, 80);
	int s = socket_on(0, SOCK_STREAM);

	cr_assert_eq(pb_connect(s, (struct sockaddr *)&at, sizeof(at)), -1);
	cr_assert_eq(errno, EAFNOSUPPORT);
	cr_assert_eq(pb_connect(s, (struct sockaddr *)&far, sizeof(at)), -1);
	cr_assert_eq(errno, EINVAL);
	far.sin6_scope_id = 9;
	cr_assert(connect6(s, &far) == -1 && errno == EINVAL);
	/* Not on our link, and there is no router. */
	far.sin6_scope_id = 0;
	far.sin6_addr.s6_addr[5] = 1;
	cr_assert(connect6(s, &far) == -1 && errno == ENETUNREACH);
	cr_assert(bind6(s, &far) == -1 && errno == EADDRNOTAVAIL);
	close_on(0, s);
}

Case(sock6, ourselves_are_reached_by_loopback)
{
	struct sockaddr_in6 lo = any6(80);
	int l, c, s;

	lo.sin6_addr.s6_addr[15] = 1;
	l = listen_on(&lo, false);
	c = socket_on(1, SOCK_STREAM);
	connect6(c, &lo);
	wait_ms(20);
	two_use(&t, 1);
	s = pb_accept(l, NULL, NULL);
	cr_assert_geq(s, 0);
	cr_assert_eq(pb_send(c, "to me", 5, 0), 5);
	wait_ms(20);
	two_use(&t, 1);
	expect_recv(s, "to me");
	close_on(1, c);
	close_on(1, s);
	close_on(1, l);
}

Case(sock6, datagrams_to_a_group_reach_who_joined_it)
{
	struct sockaddr_in6 at = any6(5353), to = any6(5353);
	int s = socket_on(1, SOCK_DGRAM), c = socket_on(0, SOCK_DGRAM);
	struct ipv6_mreq mreq = { .ipv6mr_interface = 0 };
	char got[16];

	to.sin6_addr.s6_addr[0] = 0xff;
	to.sin6_addr.s6_addr[1] = 2;
	to.sin6_addr.s6_addr[15] = 0xfb;
	mreq.ipv6mr_multiaddr = to.sin6_addr;
	two_use(&t, 1);
	cr_assert_eq(bind6(s, &at), 0);
	two_use(&t, 0);
	pb_sendto(c, "deaf", 4, 0, (struct sockaddr *)&to, sizeof(to));
	wait_ms(20);
	two_use(&t, 1);
	cr_assert(pb_recv(s, got, sizeof(got), 0) == -1 && errno == EAGAIN);
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof(mreq)),
		     0, "%s", strerror(errno));
	two_use(&t, 0);
	cr_assert_eq(pb_sendto(c, "who?", 4, 0, (struct sockaddr *)&to, sizeof(to)), 4);
	wait_ms(20);
	two_use(&t, 1);
	expect_recv(s, "who?");
	cr_assert_eq(
		pb_setsockopt(s, IPPROTO_IPV6, IPV6_LEAVE_GROUP, &mreq, sizeof(mreq)), 0);
	mreq.ipv6mr_interface = 99;
	cr_assert_eq(pb_setsockopt(s, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq, sizeof(mreq)),
		     -1);
	cr_assert_eq(errno, ENODEV);
	close_on(0, c);
	close_on(1, s);
}

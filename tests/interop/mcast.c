/*
 * Groups between our stack and the kernel's, on a TAP: datagrams both ways, and our IGMP
 * as it is on the wire, with a query by hand.  To be run as root in a network namespace of
 * its own: in_namespace does it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/api/sock.h"
#include "stack/api/stack.h"
#include "stack/base/clock.h"
#include "tests/lib/build.h"

enum { LIMIT_S = 10 };

#define CHECK(what)                                                              \
	do {                                                                     \
		if (!(what)) {                                                   \
			fprintf(stderr, "mcast.c:%d: %s: %s\n", __LINE__, #what, \
				strerror(errno));                                \
			exit(1);                                                 \
		}                                                                \
	} while (0)

static struct sockaddr_in group;

static struct pb_stack *stack;
static int ours, theirs, raw;

static void open_stack(void)
{
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN] = "";

	pb_stack_conf_init(&conf);
	conf.port = "tap:pbt0";
	conf.addr = "192.0.2.2/24";
	conf.host_addr = "192.0.2.1/24";
	conf.n_bufs = 1024;
	conf.max_conns = 16;
	if (pb_stack_open(&conf, &stack, error)) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	CHECK(pb_core_use(pb_stack_core(stack, 0)) == 0);
}

static void open_sockets(void)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_ALL) };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = group.sin_port };
	struct in_addr own = { inet_addr("192.0.2.1") };

	link.sll_ifindex = (int)if_nametoindex("pbt0");
	raw = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
	CHECK(raw >= 0 && bind(raw, (struct sockaddr *)&link, sizeof(link)) == 0);
	theirs = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	CHECK(bind(theirs, (struct sockaddr *)&any, sizeof(any)) == 0);
	CHECK(setsockopt(theirs, IPPROTO_IP, IP_MULTICAST_IF, &own, sizeof(own)) == 0);
	ours = pb_socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(pb_bind(ours, (struct sockaddr *)&any, sizeof(any)) == 0);
}

/* One more turn, until the time is over. */
static bool turn(uint64_t end_ns)
{
	pb_turn(pb_clock());
	usleep(500);
	return pb_clock() < end_ns;
}

static uint64_t limit(void)
{
	return pb_clock() + LIMIT_S * NS_PER_S;
}

/*
 * True when a report of version 3 of ours about the group, of that type, was seen.  The
 * kernel's own reports of the same group pass here too, when its timers please.
 */
static bool reported(uint8_t type)
{
	uint64_t end_ns = limit();
	uint8_t f[2048];

	do {
		ssize_t n = recv(raw, f, sizeof(f), 0);

		if (n >= 14 + 24 + 16 && f[12] == 8 && f[13] == 0 && f[14] == 0x46 &&
		    f[23] == 2 && memcmp(f + 26, "\xc0\0\2\2", 4) == 0 && f[38] == 0x22 &&
		    f[46] == type && memcmp(f + 50, &group.sin_addr, 4) == 0)
			return f[22] == 1;
	} while (turn(end_ns));
	return false;
}

static void to_the_kernel(void)
{
	struct ip_mreq mreq = { group.sin_addr, { inet_addr("192.0.2.1") } };
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	uint64_t end_ns = limit();
	char got[8] = "";

	CHECK(setsockopt(theirs, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) ==
	      0);
	CHECK(pb_sendto(ours, "hello", 5, 0, (struct sockaddr *)&group, sizeof(group)) ==
	      5);
	while (recvfrom(theirs, got, sizeof(got), 0, (struct sockaddr *)&from, &len) < 0)
		CHECK(turn(end_ns));
	CHECK(memcmp(got, "hello", 5) == 0);
	CHECK(from.sin_addr.s_addr == inet_addr("192.0.2.2"));
}

static void from_the_kernel(void)
{
	struct ip_mreq mreq = { group.sin_addr, { INADDR_ANY } };
	uint64_t end_ns = limit();
	char got[8] = "";

	CHECK(sendto(theirs, "early", 5, 0, (struct sockaddr *)&group, sizeof(group)) ==
	      5);
	for (unsigned i = 0; i < 20; i++)
		turn(end_ns);
	CHECK(pb_recv(ours, got, sizeof(got), 0) == -1);
	CHECK(pb_setsockopt(ours, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) ==
	      0);
	CHECK(reported(4)); /* TO_EXCLUDE */
	CHECK(sendto(theirs, "hello", 5, 0, (struct sockaddr *)&group, sizeof(group)) ==
	      5);
	while (pb_recv(ours, got, sizeof(got), 0) < 0)
		CHECK(turn(end_ns));
	CHECK(memcmp(got, "hello", 5) == 0);
}

/* A router asks who is where, within a second. */
static void a_query_is_answered(void)
{
	struct build_ip4 ip = {
		.eth_dst = { { 1, 0, 0x5e, 0, 0, 1 } },
		.eth_src = { { 2, 9, 9, 9, 9, 9 } },
		.src = { { 192, 0, 2, 7 } },
		.dst = { { 224, 0, 0, 1 } },
		.proto = 2,
		.ttl = 1,
	};
	uint8_t query[12] = { 0x11, 10, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0 }, frame[128];
	uint16_t sum = (uint16_t)~build_sum(0, query, sizeof(query));
	uint32_t len;

	query[2] = (uint8_t)(sum >> 8);
	query[3] = (uint8_t)sum;
	len = build_ip4(frame, &ip, query, sizeof(query));
	CHECK(send(raw, frame, len, 0) == (ssize_t)len);
	CHECK(reported(2)); /* IS_EXCLUDE */
}

static void a_leave_is_told(void)
{
	struct ip_mreq mreq = { group.sin_addr, { INADDR_ANY } };

	CHECK(pb_setsockopt(ours, IPPROTO_IP, IP_DROP_MEMBERSHIP, &mreq, sizeof(mreq)) ==
	      0);
	CHECK(reported(3)); /* TO_INCLUDE */
}

int main(void)
{
	group.sin_family = AF_INET;
	group.sin_port = htons(5353);
	group.sin_addr.s_addr = inet_addr("239.1.2.3");
	open_stack();
	open_sockets();
	to_the_kernel();
	from_the_kernel();
	a_query_is_answered();
	a_leave_is_told();
	pb_close(ours);
	pb_stack_close(stack);
	puts("mcast: all as it should be");
	return 0;
}

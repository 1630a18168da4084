/*
 * The plug-in for packetdrill, as the tool uses it: loaded by name, packets in and out, the
 * clock, a call that blocks in a thread of its own.
 */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/packetdrill/plugin.h"
#include "stack/base/byte.h"
#include "stack/base/cksum.h"
#include "tests/lib/case.h"

enum {
	IP_LEN = 20,
	TCP_LEN = 20,
	PACKET_MAX = 2000,
	FIN = 1,
	SYN = 2,
	PSH = 8,
	ACK = 16
};

static struct packetdrill_interface ifc;
static void *library;

static void setup(void)
{
	void (*init)(const char *flags, struct packetdrill_interface *ifc);

	library = dlopen(getenv("PLUGIN"), RTLD_NOW | RTLD_LOCAL);
	cr_assert(library, "%s", dlerror());
	*(void **)&init = dlsym(library, "packetdrill_interface_init");
	cr_assert(init);
	init("addr=192.168.0.1/16,gateway=192.168.0.2", &ifc);
}

static void clean(void)
{
	ifc.free(ifc.userdata);
	dlclose(library);
}

Cases(packetdrill, setup, clean);

static struct sockaddr_in at(uint32_t addr, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(addr) };
}

static long long clock_us(void)
{
	struct timeval tv;

	cr_assert_eq(ifc.gettimeofday(ifc.userdata, &tv, NULL), 0);
	return tv.tv_sec * 1000000LL + tv.tv_usec;
}

enum { OURS = 0xc0a80001, PEER = 0xc0000201, PORT = 8080, PEER_PORT = 40000 };

/* A segment of the peer with @len octets of text. */
static void hear(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
	uint8_t packet[PACKET_MAX] = { 0x45 };
	struct wr w = { packet + IP_LEN, packet + PACKET_MAX, false };
	uint32_t total = IP_LEN + TCP_LEN + len;
	struct addr src, dst;
	uint16_t sum;

	wr16(&w, PEER_PORT);
	wr16(&w, PORT);
	wr32(&w, seq);
	wr32(&w, ack);
	wr16(&w, (uint16_t)(5 << 12 | flags));
	wr16(&w, 65535);
	w = (struct wr){ packet + 2, packet + IP_LEN, false };
	wr16(&w, (uint16_t)total);
	packet[8] = 64;
	packet[9] = IPPROTO_TCP;
	w = (struct wr){ packet + 12, packet + IP_LEN, false };
	wr32(&w, PEER);
	wr32(&w, OURS);
	sum = cksum_end(cksum_add(0, packet, IP_LEN));
	memcpy(packet + 10, &sum, 2);
	cr_assert(addr_parse("192.0.2.1", &src) && addr_parse("192.168.0.1", &dst));
	sum = cksum_end(cksum_add(cksum_pseudo(&src, &dst, IPPROTO_TCP, TCP_LEN + len),
				  packet + IP_LEN, TCP_LEN + len));
	memcpy(packet + IP_LEN + 16, &sum, 2);
	cr_assert_eq(ifc.netdev_send(ifc.userdata, packet, total), 0);
}

/* What the stack says next: its flags, numbers, and how much text; and when. */
struct said {
	uint8_t flags;
	uint32_t seq, ack, len;
	long long at_us;
};

static struct said next(void)
{
	uint8_t packet[PACKET_MAX];
	size_t len = sizeof(packet);
	const uint8_t *tcp = packet + IP_LEN;
	struct said s;

	cr_assert_eq(ifc.netdev_receive(ifc.userdata, packet, &len, &s.at_us), 0);
	cr_assert_geq(len, IP_LEN + TCP_LEN, "nothing was said");
	s.seq = be32(tcp + 4);
	s.ack = be32(tcp + 8);
	s.flags = tcp[13];
	s.len = (uint32_t)len - IP_LEN - (tcp[12] >> 4) * 4u;
	return s;
}

static int listens(void)
{
	struct sockaddr_in ours = at(OURS, PORT);
	int fd = ifc.socket(ifc.userdata, AF_INET, SOCK_STREAM, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ifc.bind(ifc.userdata, fd, (void *)&ours, sizeof(ours)), 0);
	cr_assert_eq(ifc.listen(ifc.userdata, fd, 1), 0);
	return fd;
}

/* The peer connects; our first number. */
static uint32_t shakes(void)
{
	struct said s;

	hear(SYN, 1000, 0, 0);
	s = next();
	cr_assert_eq(s.flags, SYN | ACK);
	cr_assert_eq(s.ack, 1001);
	hear(ACK, 1001, s.seq + 1, 0);
	return s.seq;
}

Case(packetdrill, carries_packets_and_calls)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	int listener = listens(), fd;
	char bytes[100] = "";
	uint32_t first = shakes();
	struct said s;

	fd = ifc.accept(ifc.userdata, listener, (void *)&peer, &len);
	cr_assert_geq(fd, 0);
	cr_assert_eq(ntohs(peer.sin_port), PEER_PORT);
	cr_assert_eq(ifc.write(ifc.userdata, fd, bytes, 100), 100);
	s = next();
	cr_assert_eq(s.flags, PSH | ACK);
	cr_assert_eq(s.seq, first + 1);
	cr_assert_eq(s.len, 100);
	hear(PSH | ACK, 1001, first + 101, 10);
	cr_assert_eq(ifc.read(ifc.userdata, fd, bytes, 100), 10);
	cr_assert_eq(ifc.fcntl(ifc.userdata, fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	cr_assert_eq(ifc.read(ifc.userdata, fd, bytes, 100), -1);
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(ifc.close(ifc.userdata, fd), 0);
	cr_assert_eq(ifc.close(ifc.userdata, fd), -1);
	cr_assert_eq(errno, EBADF);
	cr_assert_eq(ifc.close(ifc.userdata, listener), 0);
}

Case(packetdrill, says_when_a_packet_was_sent_however_late_it_is_asked_for)
{
	int listener = listens(), fd;
	long long begin_us;
	struct said s;

	shakes();
	fd = ifc.accept(ifc.userdata, listener, NULL, NULL);
	begin_us = clock_us();
	cr_assert_eq(ifc.write(ifc.userdata, fd, "x", 1), 1);
	/* nobody acknowledges it */
	cr_assert_eq(ifc.usleep(ifc.userdata, 3000000), 0);
	cr_assert_geq(clock_us() - begin_us, 3000000);
	s = next();
	cr_assert_leq(s.at_us - begin_us, 100);
	s = next();
	cr_assert_geq(s.at_us - begin_us, 200000, "the timeout");
	cr_assert_leq(s.at_us - begin_us, 1100000);
	ifc.close(ifc.userdata, fd);
	ifc.close(ifc.userdata, listener);
}

struct reader {
	int fd;
	ssize_t n;
	long long at_us;
};

static void *reads(void *arg)
{
	struct reader *r = arg;
	char bytes[100];

	r->n = ifc.read(ifc.userdata, r->fd, bytes, sizeof(bytes));
	r->at_us = clock_us();
	return NULL;
}

Case(packetdrill, a_call_that_blocks_returns_when_its_time_has_come)
{
	int listener = listens();
	uint32_t first = shakes();
	long long begin_us = clock_us();
	struct reader reader = { .fd = ifc.accept(ifc.userdata, listener, NULL, NULL) };
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, reads, &reader), 0);
	ifc.usleep(ifc.userdata, 500000);
	hear(PSH | ACK, 1001, first + 1, 42);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	cr_assert_eq(reader.n, 42);
	cr_assert_geq(reader.at_us - begin_us, 500000);
	cr_assert_leq(reader.at_us - begin_us, 510000);
	ifc.close(ifc.userdata, reader.fd);
	ifc.close(ifc.userdata, listener);
}

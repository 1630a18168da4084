/*
 * The stack in a VLAN of a TAP, and the kernel on an interface of that VLAN on its side: a
 * stream both ways, with the port's offloads and without.  To be run as root in a network
 * namespace of its own: in_namespace does it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/api/sock.h"
#include "stack/api/stack.h"
#include "stack/api/stat.h"
#include "stack/base/clock.h"

enum { LIMIT_S = 20, BYTES = 4 << 20, CHUNK = 65536, SKIP = 77 };

#define CHECK(what)                                                             \
	do {                                                                    \
		if (!(what)) {                                                  \
			fprintf(stderr, "vlan.c:%d: %s: %s\n", __LINE__, #what, \
				strerror(errno));                               \
			exit(1);                                                \
		}                                                               \
	} while (0)

static struct pb_stack *stack;
static int ours, theirs;
static uint8_t chunk[CHUNK];

static struct sockaddr_in at(const char *addr)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(9000),
				     .sin_addr = { inet_addr(addr) } };
}

static void turn(void)
{
	pb_turn(pb_clock());
	usleep(100);
}

static void open_stack(int offload)
{
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN] = "";

	pb_stack_conf_init(&conf);
	conf.port = "tap:pbt0";
	conf.addr = "198.51.100.2/24";
	conf.vlan = 10;
	conf.offload = offload;
	conf.n_bufs = 4096;
	conf.max_conns = 16;
	if (pb_stack_open(&conf, &stack, error)) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	CHECK(pb_core_use(pb_stack_core(stack, 0)) == 0);
	if (system("ip link set pbt0 up && "
		   "ip link add link pbt0 name pbt0.10 type vlan id 10")) {
		puts("skipped: this kernel makes no VLAN devices");
		exit(SKIP);
	}
	CHECK(system("ip addr add 198.51.100.1/24 dev pbt0.10 && "
		     "ip link set pbt0.10 up") == 0);
}

static void join(void)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct sockaddr_in to = at("198.51.100.1");
	uint64_t end_ns = pb_clock() + LIMIT_S * NS_PER_S;
	int one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(bind(listener, (struct sockaddr *)&to, sizeof(to)) == 0);
	CHECK(listen(listener, 1) == 0);
	ours = pb_socket(AF_INET, SOCK_STREAM, 0);
	CHECK(pb_connect(ours, (struct sockaddr *)&to, sizeof(to)) == -1 &&
	      errno == EINPROGRESS);
	while ((theirs = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) {
		CHECK(pb_clock() < end_ns);
		turn();
	}
	close(listener);
}

static void stream_to_the_kernel(void)
{
	uint64_t end_ns = pb_clock() + LIMIT_S * NS_PER_S;
	size_t sent = 0, received = 0;
	ssize_t n;

	while (received < BYTES) {
		CHECK(pb_clock() < end_ns);
		if (sent < BYTES && (n = pb_send(ours, chunk, CHUNK, 0)) > 0)
			sent += (size_t)n;
		turn();
		while ((n = recv(theirs, chunk, CHUNK, 0)) > 0)
			received += (size_t)n;
	}
}

static void stream_from_the_kernel(void)
{
	uint64_t end_ns = pb_clock() + LIMIT_S * NS_PER_S;
	size_t sent = 0, received = 0;
	ssize_t n;

	while (received < BYTES) {
		CHECK(pb_clock() < end_ns);
		if (sent < BYTES && (n = send(theirs, chunk, CHUNK, MSG_NOSIGNAL)) > 0)
			sent += (size_t)n;
		turn();
		while ((n = pb_recv(ours, chunk, CHUNK, 0)) > 0)
			received += (size_t)n;
	}
}

/* What the port says of super-frames, and of bad sums. */
struct seen {
	uint64_t tx_super, rx_super, bad_sum;
};

static void look(void *arg, const struct pb_counter *c)
{
	struct seen *seen = arg;

	if (strcmp(c->group, "port") == 0 && strcmp(c->name, "tx_super") == 0)
		seen->tx_super = c->value;
	if (strcmp(c->group, "port") == 0 && strcmp(c->name, "rx_super") == 0)
		seen->rx_super = c->value;
	if (strcmp(c->group, "verdict") == 0 && strcmp(c->name, "TCP_BAD_SUM") == 0)
		seen->bad_sum = c->value;
}

static void streams_pass(int offload)
{
	struct seen seen = { 0 };

	open_stack(offload);
	join();
	stream_to_the_kernel();
	stream_from_the_kernel();
	pb_stat_each(pb_stack_core(stack, 0), look, &seen);
	printf("offload %d: %lu super-frames out, %lu in\n", offload,
	       (unsigned long)seen.tx_super, (unsigned long)seen.rx_super);
	CHECK(seen.bad_sum == 0 && (seen.tx_super > 0) == offload);
	close(theirs);
	pb_close(ours);
	pb_core_use(NULL);
	pb_stack_close(stack);
}

int main(void)
{
	streams_pass(1);
	streams_pass(0);
	puts("vlan: all as it should be");
	return 0;
}

/*
 * IPv6 between our stack and the kernel's, on a TAP: pings, TCP both ways, what nobody
 * listens to, a hop limit that ends, a path that is narrower behind the kernel as router,
 * and an address from Debian's dnsmasq.  To be run as root in a network namespace of its
 * own: in_namespace does it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/api/sock.h"
#include "stack/api/stack.h"
#include "stack/base/clock.h"

enum { LIMIT_S = 20, BULK = 300000, SKIP = 77, NARROW = 1300 };

#define CHECK(what)                            \
	do {                                   \
		if (!(what))                   \
			fail(__LINE__, #what); \
	} while (0)

static struct pb_stack *stack;
static pid_t server;

static _Noreturn void fail(int line, const char *what)
{
	fprintf(stderr, "ip6.c:%d: %s: %s\n", line, what, strerror(errno));
	if (server > 0)
		kill(server, SIGTERM);
	exit(1);
}

static void turn(void)
{
	pb_turn(pb_clock());
	usleep(200);
}

/* Runs a command while the stack turns; true when it ends well. */
static bool run(const char *command)
{
	uint64_t end_ns = clock_now_ns() + LIMIT_S * NS_PER_S;
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		turn();
		if (clock_now_ns() > end_ns)
			kill(pid, SIGKILL);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void must(const char *command)
{
	if (run(command))
		return;
	fprintf(stderr, "%s\n", command);
	CHECK(!"a command fails");
}

static struct sockaddr_in6 at(const char *addr, uint16_t port)
{
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	CHECK(inet_pton(AF_INET6, addr, &sa.sin6_addr) == 1);
	return sa;
}

static void open_stack(const char *port, const char *addr, const char *host)
{
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN] = "";

	pb_stack_conf_init(&conf);
	conf.port = port;
	conf.addr6 = addr;
	conf.gateway6 = addr ? "2001:db8::1" : NULL;
	conf.host_addr6 = host;
	conf.probe_addr = 1;
	conf.autoconf6 = !addr;
	conf.n_bufs = 4096;
	conf.max_conns = 64;
	if (pb_stack_open(&conf, &stack, error)) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	CHECK(pb_core_use(pb_stack_core(stack, 0)) == 0);
}

static void close_stack(void)
{
	pb_core_use(NULL);
	pb_stack_close(stack);
}

/* ---- TCP ---- */

/* A kernel's socket that listens on @port, or is connected to @to. */
static int kernel_socket(uint16_t port, const struct sockaddr_in6 *to)
{
	int s = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
	struct sockaddr_in6 any = at("::", port);

	CHECK(s >= 0);
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (to)
		CHECK(connect(s, (const struct sockaddr *)to, sizeof(*to)) == 0 ||
		      errno == EINPROGRESS);
	else
		CHECK(bind(s, (struct sockaddr *)&any, sizeof(any)) == 0 &&
		      listen(s, 4) == 0);
	return s;
}

static int our_socket(uint16_t port, const struct sockaddr_in6 *to)
{
	int s = pb_socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 any = at("::", port);

	CHECK(s >= 0);
	if (to)
		CHECK(pb_connect(s, (const struct sockaddr *)to, sizeof(*to)) == -1 &&
		      errno == EINPROGRESS);
	else
		CHECK(pb_bind(s, (struct sockaddr *)&any, sizeof(any)) == 0 &&
		      pb_listen(s, 4) == 0);
	return s;
}

/* Waits for a connection to the kernel's, or to our, listener. */
static int await_accept(int l, bool ours)
{
	uint64_t end_ns = clock_now_ns() + LIMIT_S * NS_PER_S;
	int s = -1;

	while (s < 0 && clock_now_ns() < end_ns) {
		turn();
		s = ours ? pb_accept(l, NULL, NULL) :
			   accept4(l, NULL, NULL, SOCK_NONBLOCK);
	}
	CHECK(s >= 0);
	return s;
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

/* BULK bytes from one to the other, of which each is looked at. */
static void bulk(int ours, int theirs, bool to_us)
{
	uint64_t end_ns = clock_now_ns() + LIMIT_S * NS_PER_S;
	static uint8_t out[BULK], in[65536];
	size_t sent = 0, got = 0;

	for (size_t i = 0; i < BULK; i++)
		out[i] = byte_at(i);
	while (got < BULK && clock_now_ns() < end_ns) {
		ssize_t n = to_us ? write(theirs, out + sent, BULK - sent) :
				    pb_send(ours, out + sent, BULK - sent, 0);

		sent += n > 0 ? (size_t)n : 0;
		turn();
		n = to_us ? pb_recv(ours, in, sizeof(in), 0) :
			    read(theirs, in, sizeof(in));
		for (ssize_t i = 0; i < n; i++)
			CHECK(in[i] == byte_at(got + (size_t)i));
		got += n > 0 ? (size_t)n : 0;
	}
	CHECK(got == BULK);
}

static void both_ways(int ours, int theirs)
{
	bulk(ours, theirs, false);
	bulk(ours, theirs, true);
	pb_close(ours);
	close(theirs);
}

static void tcp(void)
{
	struct sockaddr_in6 host = at("2001:db8::1", 7001), we = at("2001:db8::2", 7002);
	int kl = kernel_socket(7001, NULL), ol = our_socket(7002, NULL), s;

	s = our_socket(0, &host);
	both_ways(s, await_accept(kl, false));
	s = kernel_socket(0, &we);
	both_ways(await_accept(ol, true), s);
	close(kl);
	pb_close(ol);
}

/* ---- what ICMPv6 says ---- */

/* The error that a datagram of ours to @to meets. */
static int error_to(const struct sockaddr_in6 *to, int hops)
{
	uint64_t end_ns = clock_now_ns() + LIMIT_S * NS_PER_S;
	int s = pb_socket(AF_INET6, SOCK_DGRAM, 0), error = EAGAIN;

	CHECK(pb_setsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof(hops)) ==
	      0);
	CHECK(pb_connect(s, (const struct sockaddr *)to, sizeof(*to)) == 0);
	CHECK(pb_send(s, "x", 1, 0) == 1);
	while (error == EAGAIN && clock_now_ns() < end_ns) {
		turn();
		error = pb_recv(s, (char[1]){ 0 }, 1, 0) < 0 ? errno : 0;
	}
	pb_close(s);
	return error;
}

static void errors(void)
{
	struct sockaddr_in6 host = at("2001:db8::1", 9), we = at("2001:db8::2", 9);
	struct sockaddr_in6 far = at("2001:db8:2::2", 9);
	int s = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	CHECK(error_to(&host, 64) == ECONNREFUSED);
	CHECK(error_to(&far, 1) == EHOSTUNREACH);
	CHECK(connect(s, (struct sockaddr *)&we, sizeof(we)) == 0);
	CHECK(send(s, "x", 1, 0) == 1);
	for (unsigned i = 0; i < 500; i++)
		turn();
	CHECK(recv(s, (char[1]){ 0 }, 1, 0) == -1 && errno == ECONNREFUSED);
	close(s);
}

/* ---- a narrower path behind the kernel ---- */

/* In the peer's namespace: reads all of a connection.  The child's number. */
static pid_t far_reader(void)
{
	struct sockaddr_in6 any = at("::", 7003);
	char path[128], bytes[65536];
	size_t got = 0;
	pid_t pid = fork();
	ssize_t n;
	int fd, l, s;

	CHECK(pid >= 0);
	if (pid)
		return pid;
	snprintf(path, sizeof(path), "/var/run/netns/%s", getenv("PEER"));
	fd = open(path, O_RDONLY);
	l = fd < 0 || setns(fd, CLONE_NEWNET) ? -1 : socket(AF_INET6, SOCK_STREAM, 0);
	if (l < 0 || bind(l, (struct sockaddr *)&any, sizeof(any)) || listen(l, 1))
		_exit(2);
	s = accept(l, NULL, NULL);
	while ((n = read(s, bytes, sizeof(bytes))) > 0)
		got += (size_t)n;
	_exit(got == BULK ? 0 : 1);
}

static void narrow_path(void)
{
	struct sockaddr_in6 far = at("2001:db8:2::2", 7003);
	uint64_t end_ns = clock_now_ns() + LIMIT_S * NS_PER_S;
	static uint8_t bytes[BULK];
	pid_t reader = far_reader();
	size_t sent = 0;
	int s, mss, status;
	socklen_t len = sizeof(mss);

	for (unsigned i = 0; i < 500; i++) /* it must listen first */
		turn();
	s = our_socket(0, &far);
	while (sent < BULK && clock_now_ns() < end_ns) {
		ssize_t n = pb_send(s, bytes + sent, BULK - sent, 0);

		sent += n > 0 ? (size_t)n : 0;
		turn();
	}
	pb_shutdown(s, SHUT_WR);
	while (waitpid(reader, &status, WNOHANG) == 0) {
		turn();
		if (clock_now_ns() > end_ns)
			kill(reader, SIGKILL);
	}
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(pb_getsockopt(s, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) == 0);
	CHECK(mss <= NARROW - 60);
	pb_close(s);
}

/* ---- an address from a router ---- */

static void start_router(void)
{
	static char *const args[] = {
		"dnsmasq",
		"--keep-in-foreground",
		"--conf-file=/dev/null",
		"--user=root",
		"--pid-file=",
		"--port=0",
		"--interface=pbt1",
		"--bind-interfaces",
		"--dhcp-leasefile=/dev/null",
		"--enable-ra",
		"--dhcp-range=::,constructor:pbt1,ra-only,64,3600",
		"--ra-param=pbt1,mtu:1400,high,4,1800",
		NULL,
	};

	server = fork();
	CHECK(server >= 0);
	if (server == 0) {
		execvp(args[0], args);
		_exit(127);
	}
}

/* Our address toward @to; false: there is none. */
static bool source_to(const struct sockaddr_in6 *to, struct sockaddr_in6 *own)
{
	int s = pb_socket(AF_INET6, SOCK_DGRAM, 0);
	socklen_t len = sizeof(*own);
	bool ok = pb_connect(s, (const struct sockaddr *)to, sizeof(*to)) == 0 &&
		  pb_getsockname(s, (struct sockaddr *)own, &len) == 0;

	pb_close(s);
	return ok;
}

static void autoconf(void)
{
	struct sockaddr_in6 router = at("2001:db8:7::1", 7004), own, far;
	uint64_t end_ns = clock_now_ns() + LIMIT_S * NS_PER_S;
	int kl, s, mss;
	socklen_t len = sizeof(mss);

	open_stack("tap:pbt1", NULL, "2001:db8:7::1/64");
	start_router();
	far = at("2001:db8:2::2", 7003);
	while (!source_to(&far, &own) || own.sin6_addr.s6_addr[0] != 0x20) {
		turn();
		CHECK(clock_now_ns() < end_ns);
	}
	CHECK(memcmp(&own.sin6_addr, &router.sin6_addr, 8) == 0);
	kl = kernel_socket(7004, NULL);
	s = our_socket(0, &router);
	{
		int theirs = await_accept(kl, false);

		CHECK(pb_getsockopt(s, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) == 0);
		CHECK(mss <= 1400 - 60); /* as the router said */
		both_ways(s, theirs);
	}
	close(kl);
	close_stack();
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
}

static void make_ways(void)
{
	must("ip -6 addr add 2001:db8:2::1/64 dev pbv0 nodad");
	must("ip -n $PEER -6 addr add 2001:db8:2::2/64 dev pbv1 nodad");
	must("ip -n $PEER -6 route add default via 2001:db8:2::1");
	must("echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
	must("ip link set pbv0 mtu 1300 && ip -n $PEER link set pbv1 mtu 1300");
}

int main(void)
{
	if (system("command -v dnsmasq >/dev/null")) {
		printf("skipped: needs dnsmasq\n");
		return SKIP;
	}
	/* The kernel's own search for duplicates would only take time. */
	CHECK(system("echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad") == 0);
	open_stack("tap:pbt0", "2001:db8::2/64", "2001:db8::1/64");
	make_ways();
	must("until ping -6 -c 1 -W 1 2001:db8::2 >/dev/null; do :; done");
	printf("ping is answered\n");
	must("ping -6 -q -c 3 -i 0.2 -s 4000 2001:db8::2");
	printf("fragments are answered\n");
	must("ping -6 -q -c 2 -i 0.2 -I pbt0 ff02::1");
	tcp();
	printf("TCP goes both ways\n");
	errors();
	printf("errors arrive\n");
	narrow_path();
	printf("a narrow path is learned\n");
	close_stack();
	autoconf();
	printf("a router gives an address and a way\n");
	return 0;
}

/*
 * The DHCP client and Debian's dnsmasq, on a TAP.  To be run as root in a network
 * namespace of its own: in_namespace does it.  The stack's clock runs much faster than
 * the host's, so that the two minutes that are dnsmasq's shortest lease are a few seconds.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stack/api/dhcp.h"
#include "stack/api/stack.h"
#include "stack/api/stat.h"
#include "stack/base/clock.h"

enum { SPEED = 30, LIMIT_S = 30, SKIP = 77 };

#define CHECK(what)                            \
	do {                                   \
		if (!(what))                   \
			fail(__LINE__, #what); \
	} while (0)

static struct pb_stack *stack;
static struct pb_core *core;
static uint64_t start_ns;
static pid_t server;
static char dir[] = "/tmp/pb-dhcp-XXXXXX";
static char leases[64], logs[64];

static void stop_server(void)
{
	if (server > 0) {
		kill(server, SIGTERM);
		waitpid(server, NULL, 0);
	}
	server = 0;
}

static void clean(void)
{
	stop_server();
	unlink(leases);
	unlink(logs);
	rmdir(dir);
}

static _Noreturn void fail(int line, const char *what)
{
	char command[128];

	fprintf(stderr, "dhcp.c:%d: %s\n", line, what);
	snprintf(command, sizeof(command), "tail -n 30 %s >&2", logs);
	if (system(command))
		fprintf(stderr, "no log\n");
	clean();
	exit(1);
}

static uint64_t now_ns(void)
{
	return start_ns + (clock_now_ns() - start_ns) * SPEED;
}

static void turn(void)
{
	pb_turn(now_ns());
	usleep(500);
}

static void start_server(void)
{
	static char lease_opt[96], log_opt[96];
	static char *const args[] = {
		"dnsmasq",
		"--keep-in-foreground",
		"--conf-file=/dev/null",
		"--user=root",
		"--pid-file=",
		"--port=0",
		"--interface=pbt0",
		"--bind-interfaces",
		"--no-ping",
		"--log-dhcp",
		"--dhcp-authoritative",
		"--dhcp-range=192.0.2.50,192.0.2.60,255.255.255.0,2m",
		"--dhcp-host=02:00:00:00:00:07,192.0.2.50",
		"--dhcp-option=option:mtu,1400",
		"--dhcp-option=option:dns-server,192.0.2.1,192.0.2.53",
		"--dhcp-option=option:classless-static-route,0.0.0.0/0,192.0.2.1,"
		"10.9.0.0/16,192.0.2.1",
		"--domain=boat.example",
		lease_opt,
		log_opt,
		NULL,
	};

	snprintf(lease_opt, sizeof(lease_opt), "--dhcp-leasefile=%s", leases);
	snprintf(log_opt, sizeof(log_opt), "--log-facility=%s", logs);
	server = fork();
	CHECK(server >= 0);
	if (server == 0) {
		execvp(args[0], args);
		_exit(127);
	}
}

static struct pb_dhcp_info info(void)
{
	struct pb_dhcp_info i;

	pb_dhcp_get(core, &i);
	return i;
}

static bool in_state(const char *state)
{
	return strcmp(info().state, state) == 0;
}

/* Turns until the client is in that state. */
static void await(const char *state)
{
	uint64_t end_ns = clock_now_ns() + LIMIT_S * NS_PER_S;

	while (!in_state(state) && clock_now_ns() < end_ns)
		turn();
	if (!in_state(state))
		fprintf(stderr, "waited for %s, it is %s\n", state, info().state);
	CHECK(in_state(state));
}

/* Runs a command while the stack turns; its exit status. */
static int run(const char *command)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		turn();
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool can_ping(const char *addr)
{
	char command[96];

	snprintf(command, sizeof(command), "ping -q -c 3 -i 0.2 -W 1 %s >/dev/null",
		 addr);
	return run(command) == 0;
}

static bool server_logged(const char *what)
{
	char command[160];

	snprintf(command, sizeof(command), "grep -q -- '%s' %s", what, logs);
	return run(command) == 0;
}

struct wanted {
	const char *name;
	uint64_t value;
};

static void keep(void *arg, const struct pb_counter *c)
{
	struct wanted *w = arg;

	if (strcmp(c->group, "dhcp") == 0 && strcmp(c->name, w->name) == 0)
		w->value = c->value;
}

static uint64_t counter(const char *name)
{
	struct wanted w = { name, UINT64_MAX };

	pb_stat_each(core, keep, &w);
	return w.value;
}

static void open_stack(void)
{
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN];

	start_ns = clock_now_ns();
	pb_stack_conf_init(&conf);
	conf.port = "tap:pbt0";
	conf.mac = "02:00:00:00:00:07";
	conf.host_addr = "192.0.2.1/24";
	conf.persist = 1; /* dnsmasq shall see it when the stack has gone */
	conf.dhcp = 1;
	conf.probe_addr = 1;
	conf.n_bufs = 1024;
	conf.max_conns = 16;
	conf.now_ns = start_ns;
	if (pb_stack_open(&conf, &stack, error))
		fail(__LINE__, error);
	core = pb_stack_core(stack, 0);
	CHECK(pb_core_use(core) == 0);
}

static void a_lease_is_given_and_works(void)
{
	struct pb_dhcp_info i;

	open_stack();
	start_server();
	await("BOUND");
	i = info();
	CHECK(i.addr.s_addr == inet_addr("192.0.2.50") && i.bits == 24);
	CHECK(i.server.s_addr == inet_addr("192.0.2.1"));
	CHECK(i.n_dns == 2 && i.dns[1].s_addr == inet_addr("192.0.2.53"));
	CHECK(strcmp(i.domain, "boat.example") == 0);
	CHECK(counter("odd") == 0 && counter("bad") == 0 && counter("absurd") == 0);
	CHECK(can_ping("192.0.2.50"));
	/* From another network, by the route that came with the lease. */
	CHECK(system("ip addr add 10.9.0.1/32 dev lo") == 0);
	CHECK(run("ping -q -c 2 -i 0.2 -W 1 -I 10.9.0.1 192.0.2.50 >/dev/null") == 0);
	/* The MTU that came with it: what is longer comes in pieces. */
	CHECK(run("ping -q -c 2 -i 0.2 -W 1 -M do -s 1472 192.0.2.50 >/dev/null") == 0);
}

static void it_is_renewed(void)
{
	uint64_t ends_ns = info().ends_ns, acks = counter("acks");

	await("RENEWING");
	await("BOUND");
	CHECK(info().ends_ns > ends_ns && counter("acks") == acks + 1);
	CHECK(counter("expired") == 0);
	CHECK(can_ping("192.0.2.50"));
}

static void without_a_server_it_ends(void)
{
	stop_server();
	await("REBINDING");
	CHECK(info().addr.s_addr == inet_addr("192.0.2.50"));
	await("SELECTING");
	CHECK(info().addr.s_addr == INADDR_ANY && counter("expired") == 1);
	CHECK(!can_ping("192.0.2.50"));
}

static void an_address_of_another_is_declined(void)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr addr;

	CHECK(system("ip addr add 192.0.2.50/32 dev lo") == 0);
	start_server();
	await("BOUND");
	addr = info().addr;
	CHECK(counter("declined") == 1);
	CHECK(addr.s_addr != inet_addr("192.0.2.50"));
	CHECK(server_logged("DHCPDECLINE(pbt0) 192.0.2.50"));
	CHECK(can_ping(inet_ntop(AF_INET, &addr, text, sizeof(text))));
}

static void it_is_given_back(void)
{
	uint64_t end_ns = clock_now_ns() + LIMIT_S * NS_PER_S;

	pb_core_use(NULL);
	pb_stack_close(stack);
	while (clock_now_ns() < end_ns && system("exit 0") == 0) {
		char command[160];

		snprintf(command, sizeof(command), "grep -q 'DHCPRELEASE(pbt0)' %s",
			 logs);
		if (system(command) == 0)
			return;
		usleep(20000);
	}
	fail(__LINE__, "no DHCPRELEASE in the log");
}

int main(void)
{
	if (access("/usr/sbin/dnsmasq", X_OK)) {
		puts("skipped: there is no dnsmasq");
		return SKIP;
	}
	CHECK(mkdtemp(dir));
	snprintf(leases, sizeof(leases), "%s/leases", dir);
	snprintf(logs, sizeof(logs), "%s/log", dir);
	a_lease_is_given_and_works();
	it_is_renewed();
	without_a_server_it_ends();
	an_address_of_another_is_declined();
	it_is_given_back();
	clean();
	puts("dhcp: all as it should be");
	return 0;
}

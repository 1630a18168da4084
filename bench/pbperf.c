/*
 * pbperf: load and serve on our stack or the kernel's.  Its manual is pbperf.1.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"
#include "bench/perf_net.h"
#include "bench/serve.h"

enum { BUFFERS_MAX = 1 << 30 };

struct args {
	struct perf_conf net;
	struct load load;
	uint16_t base;
	unsigned conns_max; /* of serve */
	const char *mode;
};

static const char usage_text[] =
	"usage: pbperf serve [net options] [-b BASE] [-m CONNS_MAX]\n"
	"       pbperf bulk [net options] -c ADDRESS [-b BASE] [-P STREAMS] [-t "
	"SECONDS]\n"
	"                   [-w WARM_MS] [-R] [-J]\n"
	"       pbperf crr [net options] -c ADDRESS [-b BASE] [-P AT_A_TIME] [-n TOTAL]\n"
	"                  [-s BYTES] [-J]\n"
	"net options: --net kernel|stack, --cc NAME, and for the stack\n"
	"             --port tap:NAME|packet:IF|ring:IF|pcap:FILE:PORT\n"
	"             --addr ADDRESS/BITS [--gateway ADDRESS] or --dhcp\n"
	"             [--host-addr ADDRESS/BITS]\n"
	"             [--addr6 ADDRESS/BITS] [--gateway6 ADDRESS]\n"
	"             [--host-addr6 ADDRESS/BITS]\n"
	"             [--mtu BYTES] [--no-offload] [--zero-copy]\n"
	"             [--buffers BYTES]\n";

static _Noreturn void usage(const char *why)
{
	if (why)
		fprintf(stderr, "pbperf: %s\n", why);
	fputs(usage_text, stderr);
	exit(2);
}

static unsigned number(const char *text, unsigned min, unsigned max, const char *what)
{
	char *end, why[128];
	unsigned long n = strtoul(text, &end, 10);

	if (*end || text[0] < '0' || text[0] > '9' || n < min || n > max) {
		snprintf(why, sizeof(why), "%s: read \"%.20s\", but %u to %u are allowed",
			 what, text, min, max);
		usage(why);
	}
	return (unsigned)n;
}

enum {
	OPT_NET = 256,
	OPT_PORT,
	OPT_ADDR,
	OPT_GATEWAY,
	OPT_HOST,
	OPT_ADDR6,
	OPT_GATEWAY6,
	OPT_HOST6,
	OPT_DHCP,
	OPT_MTU,
	OPT_RAW,
	OPT_CC,
	OPT_BUFFERS,
	OPT_ZC
};

static const struct option long_options[] = {
	{ "net", required_argument, NULL, OPT_NET },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "addr", required_argument, NULL, OPT_ADDR },
	{ "gateway", required_argument, NULL, OPT_GATEWAY },
	{ "dhcp", no_argument, NULL, OPT_DHCP },
	{ "host-addr", required_argument, NULL, OPT_HOST },
	{ "addr6", required_argument, NULL, OPT_ADDR6 },
	{ "gateway6", required_argument, NULL, OPT_GATEWAY6 },
	{ "host-addr6", required_argument, NULL, OPT_HOST6 },
	{ "mtu", required_argument, NULL, OPT_MTU },
	{ "no-offload", no_argument, NULL, OPT_RAW },
	{ "cc", required_argument, NULL, OPT_CC },
	{ "buffers", required_argument, NULL, OPT_BUFFERS },
	{ "zero-copy", no_argument, NULL, OPT_ZC },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void net_option(struct perf_conf *net, int opt, const char *value)
{
	switch (opt) {
	case OPT_NET:
		if (strcmp(value, "stack") && strcmp(value, "kernel"))
			usage("--net is stack or kernel");
		net->stack = !strcmp(value, "stack");
		break;
	case OPT_PORT: net->port = value; break;
	case OPT_ADDR: net->addr = value; break;
	case OPT_GATEWAY: net->gateway = value; break;
	case OPT_DHCP: net->dhcp = true; break;
	case OPT_HOST: net->host_addr = value; break;
	case OPT_ADDR6: net->addr6 = value; break;
	case OPT_GATEWAY6: net->gateway6 = value; break;
	case OPT_HOST6: net->host_addr6 = value; break;
	case OPT_MTU: net->mtu = number(value, 1, 65535, "--mtu"); break;
	case OPT_RAW: net->no_offload = true; break;
	case OPT_CC: net->cc = value; break;
	case OPT_BUFFERS:
		net->buffers = number(value, 4096, BUFFERS_MAX, "--buffers");
		break;
	case OPT_ZC: net->zero_copy = true; break;
	default: usage(NULL);
	}
}

static void load_option(struct args *a, int opt, const char *value)
{
	struct load *l = &a->load;

	switch (opt) {
	case 'b': a->base = (uint16_t)number(value, 0, 65000, "-b"); break;
	case 'm': a->conns_max = number(value, 1, 100000000, "-m"); break;
	case 'c':
		if (!addr_parse(value, &l->to))
			usage("-c takes an address, of IPv4 or IPv6");
		break;
	case 'P': l->n_conns = number(value, 1, 20000, "-P"); break;
	case 't': l->seconds = number(value, 1, 3600, "-t"); break;
	case 'w': l->warm_ms = number(value, 0, 60000, "-w"); break;
	case 'n': l->n_total = number(value, 1, 100000000, "-n"); break;
	case 's': l->size = number(value, 1, LOAD_SIZE_MAX, "-s"); break;
	case 'R': l->reverse = true; break;
	case 'J': l->json = true; break;
	case 'h': fputs(usage_text, stdout); exit(0);
	default: net_option(&a->net, opt, value);
	}
}

/* The signal that came.  A handler reaches nothing else. */
static volatile sig_atomic_t stop;

static void check_mode(const char *mode)
{
	char why[128];

	if (!strcmp(mode, "serve") || !strcmp(mode, "bulk") || !strcmp(mode, "crr"))
		return;
	snprintf(why, sizeof(why),
		 "unknown command \"%.40s\": serve, bulk, crr are there", mode);
	usage(why);
}

/* What would change nothing is a mistake. */
static void check_net(const struct perf_conf *net)
{
	bool of_stack = net->port || net->addr || net->gateway || net->host_addr ||
			net->addr6 || net->gateway6 || net->host_addr6 || net->dhcp ||
			net->mtu || net->no_offload || net->zero_copy || net->buffers;

	if (net->stack && (!net->port || (!net->addr && !net->dhcp)))
		usage("--net stack needs --port, and --addr or --dhcp");
	if (net->dhcp && net->gateway)
		usage("--gateway is found by --dhcp");
	if (!net->stack && of_stack)
		usage("--port, --addr, --gateway, --host-addr, --addr6, --gateway6, "
		      "--host-addr6, --dhcp, --mtu, --no-offload, --zero-copy and "
		      "--buffers are for --net stack");
}

static void read_args(struct args *a, int argc, char **argv)
{
	int opt;

	*a = (struct args){
		.base = 9000,
		.conns_max = 100000,
		.load = { .n_conns = 1,
			  .seconds = 5,
			  .warm_ms = 500,
			  .n_total = 10000,
			  .size = 64,
			  .out = stdout,
			  .stop = &stop },
	};
	while ((opt = getopt_long(argc, argv, "b:c:m:P:t:w:n:s:RJh", long_options,
				  NULL)) != -1)
		load_option(a, opt, optarg);
	if (optind + 1 != argc)
		usage("one command is needed: serve, bulk or crr");
	a->mode = argv[optind];
	check_mode(a->mode);
	a->load.base = a->base;
	check_net(&a->net);
	if (strcmp(a->mode, "serve") && a->load.to.family == ADDR_NONE)
		usage("-c must name the server");
}

static void on_signal(int sig)
{
	stop = sig;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct perf_net net;
	struct args args;
	int err;

	read_args(&args, argc, argv);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	if (perf_net_open(&net, &args.net))
		return 1;
	if (!strcmp(args.mode, "serve"))
		err = serve_run(&net, args.base, args.conns_max, &stop);
	else if (!strcmp(args.mode, "bulk"))
		err = load_bulk(&net, &args.load);
	else
		err = load_crr(&net, &args.load);
	perf_net_drain(&net);
	perf_net_say_out(&net);
	perf_net_close(&net);
	/* A server is always ended so; of a load, only a part is done. */
	if (stop && strcmp(args.mode, "serve"))
		return 128 + stop;
	return err ? 1 : 0;
}

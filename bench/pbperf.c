/*
 * pbperf: load and serve on our stack or the kernel's.  Its manual is pbperf.1.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"
#include "bench/perf_net.h"
#include "bench/serve.h"

struct args {
	struct perf_conf net;
	struct load load;
	uint16_t base;
	const char *mode;
};

static const char usage_text[] =
	"usage: pbperf serve [net options] [-b BASE]\n"
	"       pbperf bulk [net options] -c ADDRESS [-b BASE] [-P STREAMS] [-t "
	"SECONDS]\n"
	"                   [-w WARM_MS] [-R] [-J]\n"
	"       pbperf crr [net options] -c ADDRESS [-b BASE] [-P AT_A_TIME] [-n TOTAL]\n"
	"                  [-s BYTES] [-J]\n"
	"net options: --net kernel|stack, and for the stack --port tap:NAME|packet:IF\n"
	"             --addr ADDRESS/BITS [--gateway ADDRESS] [--host-addr "
	"ADDRESS/BITS]\n"
	"             [--mtu BYTES] [--no-offload] [--zero-copy]\n";

static _Noreturn void usage(const char *why)
{
	if (why)
		fprintf(stderr, "pbperf: %s\n", why);
	fputs(usage_text, stderr);
	exit(2);
}

static unsigned number(const char *text, unsigned max, const char *what)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n > max) {
		fprintf(stderr, "pbperf: %s: read \"%s\", but 0 to %u are allowed\n",
			what, text, max);
		exit(2);
	}
	return (unsigned)n;
}

enum {
	OPT_NET = 256,
	OPT_PORT,
	OPT_ADDR,
	OPT_GATEWAY,
	OPT_HOST,
	OPT_MTU,
	OPT_RAW,
	OPT_ZC
};

static const struct option long_options[] = {
	{ "net", required_argument, NULL, OPT_NET },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "addr", required_argument, NULL, OPT_ADDR },
	{ "gateway", required_argument, NULL, OPT_GATEWAY },
	{ "host-addr", required_argument, NULL, OPT_HOST },
	{ "mtu", required_argument, NULL, OPT_MTU },
	{ "no-offload", no_argument, NULL, OPT_RAW },
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
	case OPT_HOST: net->host_addr = value; break;
	case OPT_MTU: net->mtu = number(value, 65535, "--mtu"); break;
	case OPT_RAW: net->no_offload = true; break;
	case OPT_ZC: net->zero_copy = true; break;
	default: usage(NULL);
	}
}

static void load_option(struct args *a, int opt, const char *value)
{
	struct load *l = &a->load;

	switch (opt) {
	case 'b': a->base = (uint16_t)number(value, 65000, "-b"); break;
	case 'c':
		if (inet_pton(AF_INET, value, &l->to.sin_addr) != 1)
			usage("-c takes an IPv4 address");
		l->to.sin_family = AF_INET;
		break;
	case 'P': l->n_conns = number(value, 20000, "-P"); break;
	case 't': l->seconds = number(value, 3600, "-t"); break;
	case 'w': l->warm_ms = number(value, 60000, "-w"); break;
	case 'n': l->n_total = number(value, 100000000, "-n"); break;
	case 's': l->size = number(value, 4096, "-s"); break;
	case 'R': l->reverse = true; break;
	case 'J': l->json = true; break;
	case 'h': fputs(usage_text, stdout); exit(0);
	default: net_option(&a->net, opt, value);
	}
}

static void read_args(struct args *a, int argc, char **argv)
{
	int opt;

	*a = (struct args){
		.base = 9000,
		.load = { .n_conns = 1,
			  .seconds = 5,
			  .warm_ms = 500,
			  .n_total = 10000,
			  .size = 64,
			  .out = stdout },
	};
	while ((opt = getopt_long(argc, argv, "b:c:P:t:w:n:s:RJh", long_options, NULL)) !=
	       -1)
		load_option(a, opt, optarg);
	if (optind + 1 != argc)
		usage("one of serve, bulk, crr is needed");
	a->mode = argv[optind];
	a->load.to.sin_port = htons(a->base);
	if (a->net.stack && (!a->net.port || !a->net.addr))
		usage("--net stack needs --port and --addr");
	if (strcmp(a->mode, "serve") && !a->load.to.sin_family)
		usage("-c names the server");
	if (!a->load.n_conns)
		usage("-P is at least 1");
}

/* A signal handler reaches nothing else. */
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
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
		err = serve_run(&net, args.base, &stop);
	else if (!strcmp(args.mode, "bulk"))
		err = load_bulk(&net, &args.load);
	else if (!strcmp(args.mode, "crr"))
		err = load_crr(&net, &args.load);
	else
		usage("one of serve, bulk, crr is needed");
	perf_net_say_out(&net);
	perf_net_close(&net);
	return err ? 1 : 0;
}

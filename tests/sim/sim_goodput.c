/*
 * How fast one stream is in virtual time, by congestion control, loss and round-trip time:
 *
 *	sim_goodput			a few cells, as TAP
 *	sim_goodput grid [SECONDS]	all of them, in Mbit/s
 *
 * The link has 100 Mbit/s and room for some products of bandwidth and delay in its queue,
 * one in the grid, whose tail is dropped; what is lost besides, is lost by chance.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eth/port_sim.h"
#include "stack/api/sock.h"
#include "stack/api/stack.h"
#include "stack/base/check.h"
#include "stack/base/clock.h"

enum {
	PORT = 7000,
	RATE_BPS = 100000000,
	QUEUE_MIN = 64 << 10,
	BUFFER = 16 << 20, /* of a connection: no limit here */
	BEGIN_S = 8,
	CELL_S = 20,
	GRID_S = 60,
};

struct cell {
	const char *cc;
	double loss;
	unsigned rtt_ms, seconds;
	unsigned queue; /* products of bandwidth and delay */
};

struct result {
	double mbit_s;
	uint64_t n_dropped; /* by the full queue */
};

struct world {
	uint64_t now_ns;
	struct sim *sim;
	struct pb_stack *stack[2];
	int listener, from, to;
	uint64_t n_read;
};

static const char bytes[256 << 10];

static void open_end(struct world *w, unsigned i, const char *cc)
{
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN];

	pb_stack_conf_init(&conf);
	conf.port = i ? "sim:wire/1" : "sim:wire/0";
	conf.addr = i ? "192.0.2.2/24" : "192.0.2.1/24";
	conf.mac = i ? "02:00:00:00:00:02" : "02:00:00:00:00:01";
	conf.n_bufs = 1 << 16;
	conf.rcvbuf = conf.sndbuf = BUFFER;
	conf.seed = i + 1;
	conf.now_ns = w->now_ns;
	conf.sim = w->sim;
	conf.cc = cc;
	if (pb_stack_open(&conf, &w->stack[i], error)) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
}

static void connect_ends(struct world *w)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons(PORT),
					.sin_addr.s_addr = htonl(0xc0000202) };
	const struct sockaddr *addr = (const struct sockaddr *)&at;

	pb_core_use(pb_stack_core(w->stack[1], 0));
	w->listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT(pb_bind(w->listener, addr, sizeof(at)) == 0 &&
	       pb_listen(w->listener, 1) == 0);
	w->to = -1;
	pb_core_use(pb_stack_core(w->stack[0], 0));
	w->from = pb_socket(AF_INET, SOCK_STREAM, 0);
	ASSERT(pb_connect(w->from, addr, sizeof(at)) == 0 || errno == EINPROGRESS);
}

static void read_all(struct world *w)
{
	static char in[sizeof(bytes)];
	ssize_t n;

	if (w->to < 0)
		w->to = pb_accept(w->listener, NULL, NULL);
	while (w->to >= 0 && (n = pb_recv(w->to, in, sizeof(in), 0)) > 0)
		w->n_read += (uint64_t)n;
}

/* One turn of both ends, and the clock to the next event. */
static void step(struct world *w)
{
	uint64_t next = sim_due(w->sim);

	for (unsigned i = 0; i < 2; i++) {
		uint64_t due;

		pb_core_use(pb_stack_core(w->stack[i], 0));
		pb_turn(w->now_ns);
		if (i == 1)
			read_all(w);
		else
			while (pb_send(w->from, bytes, sizeof(bytes), 0) > 0)
				;
		due = pb_turn(w->now_ns);
		next = due < next ? due : next;
	}
	if (sim_due(w->sim) < next)
		next = sim_due(w->sim);
	w->now_ns = next > w->now_ns ? next : w->now_ns + 1;
}

static struct result run(const struct cell *c)
{
	struct world w = { .now_ns = NS_PER_S };
	struct sim_link_conf link = {
		.dir[0] = { .rate_bps = RATE_BPS,
			    .delay_ns = c->rtt_ms * NS_PER_MS / 2,
			    .queue_bytes = RATE_BPS / 8 / 1000 * c->rtt_ms * c->queue,
			    .loss = c->loss },
	};
	struct result r;

	if (link.dir[0].queue_bytes < QUEUE_MIN)
		link.dir[0].queue_bytes = QUEUE_MIN;
	link.dir[1] = link.dir[0];
	link.dir[1].loss = 0;
	w.sim = sim_new(1);
	ASSERT(w.sim && sim_link_add(w.sim, "wire", &link) == 0);
	for (unsigned i = 0; i < 2; i++)
		open_end(&w, i, c->cc);
	connect_ends(&w);
	while (w.now_ns < (1 + c->seconds) * NS_PER_S)
		step(&w);
	r = (struct result){
		.mbit_s = (double)w.n_read * 8 / c->seconds / 1e6,
		.n_dropped = sim_link_stats(w.sim, "wire", 0)->queue_full,
	};
	for (unsigned i = 0; i < 2; i++)
		pb_stack_close(w.stack[i]);
	sim_free(w.sim);
	return r;
}

static const char *const algorithms[] = { "reno", "cubic", "bbr" };
static const double losses[] = { 0, 0.001, 0.01, 0.03, 0.1 };
static const unsigned rtts_ms[] = { 1, 20, 100, 300 };

static int grid(unsigned seconds)
{
	printf("%-6s %6s", "cc", "rtt");
	for (size_t i = 0; i < ARRAY_LEN(losses); i++)
		printf(" %7.1f%%", losses[i] * 100);
	printf("\n");
	for (size_t a = 0; a < ARRAY_LEN(algorithms); a++)
		for (size_t k = 0; k < ARRAY_LEN(rtts_ms); k++) {
			printf("%-6s %3u ms", algorithms[a], rtts_ms[k]);
			for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
				struct result r =
					run(&(struct cell){ algorithms[a], losses[i],
							    rtts_ms[k], seconds, 1 });

				printf(" %8.2f", r.mbit_s);
				fflush(stdout);
			}
			printf("\n");
		}
	return 0;
}

static struct result cell(const char *cc, double loss, unsigned rtt_ms)
{
	return run(&(struct cell){ cc, loss, rtt_ms, CELL_S, 1 });
}

/* Its first seconds, where the queue is deep. */
static struct result begin(const char *cc)
{
	return run(&(struct cell){ cc, 0, 100, BEGIN_S, 8 });
}

static bool tell(unsigned n, bool ok, const char *what, struct result reno,
		 struct result cubic)
{
	printf("%sok %u - %s\n# reno %.2f Mbit/s, %llu dropped; cubic %.2f Mbit/s, %llu "
	       "dropped\n",
	       ok ? "" : "not ", n, what, reno.mbit_s, (unsigned long long)reno.n_dropped,
	       cubic.mbit_s, (unsigned long long)cubic.n_dropped);
	fflush(stdout);
	return ok;
}

int main(int argc, char **argv)
{
	struct result reno, cubic, bbr;
	bool ok = true;

	if (argc > 1 && strcmp(argv[1], "grid") == 0)
		return grid(argc > 2 ? (unsigned)atoi(argv[2]) : GRID_S);
	printf("1..5\n");
	reno = begin("reno");
	cubic = begin("cubic");
	ok &= tell(
		1,
		cubic.n_dropped == 0 && reno.n_dropped > 0 && cubic.mbit_s > reno.mbit_s,
		"HyStart++ leaves slow start before a deep queue overflows", reno, cubic);
	reno = cell("reno", 0.001, 100);
	cubic = cell("cubic", 0.001, 100);
	ok &= tell(2, cubic.mbit_s > 1.3 * reno.mbit_s,
		   "CUBIC comes back sooner on a long path", reno, cubic);
	reno = cell("reno", 0.01, 1);
	cubic = cell("cubic", 0.01, 1);
	ok &= tell(3, cubic.mbit_s > 0.95 * reno.mbit_s,
		   "CUBIC is as fast as Reno on a short path", reno, cubic);
	reno = cell("reno", 0.1, 20);
	cubic = cell("cubic", 0.1, 20);
	ok &= tell(4, cubic.mbit_s > 0.95 * reno.mbit_s,
		   "CUBIC is as fast as Reno in a small window", reno, cubic);
	cubic = cell("cubic", 0.01, 100);
	bbr = cell("bbr", 0.01, 100);
	printf("%sok 5 - BBR fills a long path where packets are lost by chance\n"
	       "# cubic %.2f Mbit/s; bbr %.2f Mbit/s\n",
	       bbr.mbit_s > 10 * cubic.mbit_s ? "" : "not ", cubic.mbit_s, bbr.mbit_s);
	ok &= bbr.mbit_s > 10 * cubic.mbit_s;
	return ok ? 0 : 1;
}

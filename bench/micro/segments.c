/*
 * Two stacks on a simulated wire, for callgrind to count instructions in:
 *
 *	segments bulk N		one stream of N full segments, none lost
 *	segments rr N		N requests of 64 bytes, and as many answers
 *
 * All that an end does, its program too, happens below turn_first(), which sends or asks,
 * and turn_second(), which reads or answers.  Prints the frames that each end sent.
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

enum { PORT = 7000, MSS = 1448, REQUEST = 64, WINDOW = 1 << 20, CHUNK = 64 * MSS };

struct world {
	uint64_t now_ns;
	struct sim *sim;
	struct pb_stack *stack[2];
	int listener, from, to;
	bool rr;
	uint64_t left, n_read; /* bytes to send; or questions to ask */
	uint64_t wanted;       /* of @n_read */
	bool asked;
};

static const char bytes[CHUNK];

static void open_end(struct world *w, unsigned i)
{
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN];

	pb_stack_conf_init(&conf);
	conf.port = i ? "sim:wire/1" : "sim:wire/0";
	conf.addr = i ? "192.0.2.2/24" : "192.0.2.1/24";
	conf.mac = i ? "02:00:00:00:00:02" : "02:00:00:00:00:01";
	conf.n_bufs = 1 << 14;
	conf.rcvbuf = conf.sndbuf = WINDOW;
	conf.seed = i + 1;
	conf.now_ns = w->now_ns;
	conf.sim = w->sim;
	if (pb_stack_open(&conf, &w->stack[i], error)) {
		fprintf(stderr, "segments: %s\n", error);
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

static uint64_t read_all(int fd)
{
	static char in[CHUNK];
	uint64_t sum = 0;
	ssize_t n;

	while ((n = pb_recv(fd, in, sizeof(in), 0)) > 0)
		sum += (uint64_t)n;
	return sum;
}

static void ask(struct world *w)
{
	if (w->asked && read_all(w->from)) {
		w->asked = false;
		w->n_read++;
	}
	if (!w->asked && w->left && pb_send(w->from, bytes, REQUEST, 0) > 0) {
		w->asked = true;
		w->left--;
	}
}

static void feed(struct world *w)
{
	ssize_t n;

	while (w->left &&
	       (n = pb_send(w->from, bytes, w->left < CHUNK ? w->left : CHUNK, 0)) > 0)
		w->left -= (uint64_t)n;
}

__attribute__((noinline)) uint64_t turn_first(struct world *w);
__attribute__((noinline)) uint64_t turn_second(struct world *w);

uint64_t turn_first(struct world *w)
{
	pb_turn(w->now_ns);
	if (w->rr)
		ask(w);
	else
		feed(w);
	return pb_turn(w->now_ns);
}

uint64_t turn_second(struct world *w)
{
	uint64_t n;

	pb_turn(w->now_ns);
	if (w->to < 0)
		w->to = pb_accept(w->listener, NULL, NULL);
	if (w->to >= 0 && (n = read_all(w->to))) {
		if (w->rr)
			ASSERT(pb_send(w->to, bytes, REQUEST, 0) == REQUEST);
		else
			w->n_read += n;
	}
	return pb_turn(w->now_ns);
}

/* One turn of both ends, and the clock to the next event. */
static void step(struct world *w)
{
	uint64_t next, due;

	pb_core_use(pb_stack_core(w->stack[0], 0));
	next = turn_first(w);
	pb_core_use(pb_stack_core(w->stack[1], 0));
	due = turn_second(w);
	next = due < next ? due : next;
	if (sim_due(w->sim) < next)
		next = sim_due(w->sim);
	w->now_ns = next > w->now_ns ? next : w->now_ns + 1;
}

int main(int argc, char **argv)
{
	const struct sim_dir_conf dir = { .rate_bps = 10000000000ULL,
					  .delay_ns = 100 * NS_PER_US };
	struct sim_link_conf link = { .dir = { dir, dir } };
	struct world w = { .now_ns = NS_PER_S };
	uint64_t n = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;

	if (!n || (strcmp(argv[1], "bulk") != 0 && strcmp(argv[1], "rr") != 0)) {
		fprintf(stderr, "usage: segments bulk|rr N\n");
		return 2;
	}
	w.rr = argv[1][0] == 'r';
	w.left = w.rr ? n : n * MSS;
	w.wanted = w.left;
	w.sim = sim_new(1);
	ASSERT(w.sim && sim_link_add(w.sim, "wire", &link) == 0);
	open_end(&w, 0);
	open_end(&w, 1);
	connect_ends(&w);
	while (w.n_read < w.wanted)
		step(&w);
	printf("%llu %llu\n", (unsigned long long)sim_link_stats(w.sim, "wire", 0)->sent,
	       (unsigned long long)sim_link_stats(w.sim, "wire", 1)->sent);
	pb_stack_close(w.stack[0]);
	pb_stack_close(w.stack[1]);
	sim_free(w.sim);
	return 0;
}

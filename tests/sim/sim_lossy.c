/*
 * Whole stacks over a bad link in virtual time, from many seeds: sim_lossy [SEEDS].
 *
 * For each seed a few connections carry bytes both ways through 5 % loss, 5 %
 * reordering, 1 % duplication and 1 % corruption; programs read slowly, write in odd
 * sizes, half-close, and who closes first is drawn.  Every byte must arrive in order,
 * every connection must close, and nothing may be left in any pool.  Every tenth seed
 * runs twice and must give the same frames at the same nanoseconds.
 *
 * Prints TAP for each hundred seeds, and a table of what the link did.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eth/port_sim.h"
#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/api/stack.h"
#include "stack/api/stat.h"
#include "stack/base/clock.h"
#include "stack/base/rng.h"

enum {
	SEEDS = 1000,
	STREAMS_MAX = 4,
	BYTES_MAX = 120000,
	PORT = 7000,
	LIMIT_S = 3600, /* of virtual time */
	CHUNK_MAX = 20000,
};

/* One direction of one connection. */
struct half {
	uint32_t len, sent, got;
	uint64_t pattern; /* what its bytes are made from */
};

struct end {
	int s; /* -1: not yet, or no more */
	bool shut, saw_eof, closed;
};

struct stream {
	struct half half[2]; /* [0]: from end 0 */
	struct end end[2];
};

struct world {
	uint64_t seed, now_ns;
	struct rng rng;
	struct sim *sim;
	struct pb_stack *stack[2];
	unsigned n_streams, n_accepted;
	struct stream streams[STREAMS_MAX];
	int listener;
	char why[300]; /* it failed */
};

static const struct sim_link_conf bad_link = {
	.dir = {
		{ .rate_bps = 100000000, .delay_ns = 5000000, .jitter_ns = 200000,
		  .queue_bytes = 256 * 1024, .loss = 0.05, .reorder = 0.05,
		  .reorder_ns = 3000000, .duplicate = 0.01, .corrupt = 0.01 },
		{ .rate_bps = 100000000, .delay_ns = 5000000, .jitter_ns = 200000,
		  .queue_bytes = 256 * 1024, .loss = 0.05, .reorder = 0.05,
		  .reorder_ns = 3000000, .duplicate = 0.01, .corrupt = 0.01 },
	},
};

#define FAIL(w, ...) ((void)(snprintf((w)->why, sizeof((w)->why), __VA_ARGS__)))

static char byte_at(const struct half *h, uint32_t i)
{
	return (char)((h->pattern * (i + 1)) >> 24 ^ i);
}

static struct sockaddr_in addr_of(unsigned i, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(0xc0000201 + i) };
}

static bool open_end(struct world *w, unsigned i)
{
	static const char *const ports[] = { "sim:wire/0", "sim:wire/1" };
	static const char *const addrs[] = { "192.0.2.1/24", "192.0.2.2/24" };
	static const char *const macs[] = { "02:00:00:00:00:01", "02:00:00:00:00:02" };
	struct pb_stack_conf conf;
	char error[PB_ERROR_LEN];

	pb_stack_conf_init(&conf);
	conf.port = ports[i];
	conf.addr = addrs[i];
	conf.mac = macs[i];
	conf.n_bufs = 2048;
	conf.max_conns = 64;
	conf.max_syn = 64;
	conf.rcvbuf = conf.sndbuf = 65536;
	conf.seed = w->seed * 2 + i + 1;
	conf.now_ns = w->now_ns;
	conf.sim = w->sim;
	if (pb_stack_open(&conf, &w->stack[i], error)) {
		FAIL(w, "%s", error);
		return false;
	}
	return true;
}

static void use(struct world *w, unsigned i)
{
	pb_core_use(pb_stack_core(w->stack[i], 0));
}

static bool begin(struct world *w)
{
	struct sockaddr_in at = addr_of(1, PORT);

	use(w, 1);
	w->listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	if (pb_bind(w->listener, (struct sockaddr *)&at, sizeof(at)) ||
	    pb_listen(w->listener, 16)) {
		FAIL(w, "cannot listen");
		return false;
	}
	use(w, 0);
	for (unsigned i = 0; i < w->n_streams; i++) {
		struct stream *st = &w->streams[i];

		for (unsigned k = 0; k < 2; k++) {
			st->half[k].len = rng_below(&w->rng, BYTES_MAX);
			st->half[k].pattern = rng_u64(&w->rng) | 1;
		}
		/* The first bytes tell the server which stream it is. */
		st->half[0].len += 1;
		st->end[1].s = -1;
		st->end[0].s = pb_socket(AF_INET, SOCK_STREAM, 0);
		pb_connect(st->end[0].s, (struct sockaddr *)&at, sizeof(at));
	}
	return true;
}

/* The server learns from the first byte which stream a connection is. */
static void accept_new(struct world *w)
{
	int s;

	while ((s = pb_accept(w->listener, NULL, NULL)) >= 0) {
		struct sockaddr_in peer, mine;
		socklen_t len = sizeof(peer);

		pb_getpeername(s, (struct sockaddr *)&peer, &len);
		use(w, 0);
		for (unsigned i = 0; i < w->n_streams; i++) {
			len = sizeof(mine);
			if (w->streams[i].end[0].s >= 0 &&
			    pb_getsockname(w->streams[i].end[0].s,
					   (struct sockaddr *)&mine, &len) == 0 &&
			    mine.sin_port == peer.sin_port)
				w->streams[i].end[1].s = s;
		}
		use(w, 1);
		w->n_accepted++;
	}
}

static void write_some(struct world *w, struct end *e, struct half *h)
{
	char bytes[CHUNK_MAX];
	uint32_t left = h->len - h->sent;
	uint32_t n =
		left ? 1 + rng_below(&w->rng, left < CHUNK_MAX ? left : CHUNK_MAX) : 0;
	ssize_t r;

	if (e->shut)
		return;
	if (!n) {
		if (pb_shutdown(e->s, SHUT_WR) == 0)
			e->shut = true;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		bytes[i] = byte_at(h, h->sent + i);
	r = pb_send(e->s, bytes, n, 0);
	if (r > 0)
		h->sent += (uint32_t)r;
	else if (errno != EAGAIN && errno != ENOTCONN)
		FAIL(w, "send: %s", strerror(errno));
}

static void read_some(struct world *w, struct end *e, struct half *h)
{
	char bytes[CHUNK_MAX];
	/* Sometimes the program is slow. */
	uint32_t n = rng_below(&w->rng, 4) ? CHUNK_MAX : 1 + rng_below(&w->rng, 500);
	ssize_t r = pb_recv(e->s, bytes, n, 0);

	if (r < 0) {
		if (errno != EAGAIN && errno != ENOTCONN)
			FAIL(w, "recv: %s after %u of %u bytes", strerror(errno), h->got,
			     h->len);
		return;
	}
	if (r == 0) {
		e->saw_eof = true;
		if (h->got != h->len)
			FAIL(w, "end of stream after %u of %u bytes", h->got, h->len);
		return;
	}
	for (uint32_t i = 0; i < (uint32_t)r; i++) {
		if (h->got + i >= h->len || bytes[i] != byte_at(h, h->got + i)) {
			FAIL(w, "byte %u of %u is wrong", h->got + i, h->len);
			return;
		}
	}
	h->got += (uint32_t)r;
}

/* What end @i's program does after a turn; true when it is through. */
static bool program(struct world *w, unsigned i)
{
	bool through = true;

	if (i == 1)
		accept_new(w);
	for (unsigned k = 0; k < w->n_streams && !w->why[0]; k++) {
		struct stream *st = &w->streams[k];
		struct end *e = &st->end[i];

		if (e->s < 0) {
			through &= e->closed;
			continue;
		}
		write_some(w, e, &st->half[i]);
		if (!e->saw_eof)
			read_some(w, e, &st->half[!i]);
		if (e->saw_eof && e->shut) {
			pb_close(e->s);
			e->s = -1;
			e->closed = true;
		} else {
			through = false;
		}
	}
	return through;
}

/* One step of both ends, and the clock to the next event; true: all is done. */
static bool step(struct world *w, bool with_programs)
{
	uint64_t next = UINT64_MAX;
	bool through = with_programs;

	for (unsigned i = 0; i < 2; i++) {
		uint64_t due;

		use(w, i);
		due = pb_turn(w->now_ns);
		if (with_programs && !program(w, i))
			through = false;
		due = pb_turn(w->now_ns) < due ? w->now_ns : due;
		/* A slow program comes back by itself. */
		if (with_programs && due > w->now_ns + NS_PER_MS)
			due = w->now_ns + NS_PER_MS;
		next = due < next ? due : next;
	}
	if (sim_due(w->sim) < next)
		next = sim_due(w->sim);
	if (next == UINT64_MAX)
		return true;
	w->now_ns = next > w->now_ns ? next : w->now_ns + 1;
	return through;
}

static void check_out(struct world *w)
{
	for (unsigned i = 0; i < 2 && !w->why[0]; i++) {
		struct pb_out o;

		use(w, i);
		pb_out_get(pb_stack_core(w->stack[i], 0), &o);
		if (o.packets | o.buffers | o.conns | o.sockets | o.half_open |
		    o.time_wait)
			FAIL(w,
			     "end %u: out: %u packets, %u buffers, %u connections, "
			     "%u sockets, %u half-open, %u TIME-WAIT",
			     i, o.packets, o.buffers, o.conns, o.sockets, o.half_open,
			     o.time_wait);
	}
}

static void add_stats(struct sim_stats *sum, const struct sim_stats *s)
{
	sum->sent += s->sent;
	sum->delivered += s->delivered;
	sum->lost += s->lost;
	sum->reordered += s->reordered;
	sum->duplicated += s->duplicated;
	sum->corrupted += s->corrupted;
	sum->queue_full += s->queue_full;
}

static void run_to_end(struct world *w)
{
	uint64_t limit = w->now_ns + LIMIT_S * NS_PER_S;

	while (!w->why[0] && !step(w, true)) {
		if (w->now_ns > limit)
			FAIL(w, "not through after an hour");
	}
	use(w, 1);
	pb_close(w->listener);
	/* The last FINs, then TIME-WAIT. */
	limit = w->now_ns + 600 * NS_PER_S;
	while (!w->why[0] && w->now_ns < limit && !step(w, false))
		;
	check_out(w);
}

/* Runs one seed; the digest of its frames.  *why stays empty when all was well. */
static uint64_t run_seed(uint64_t seed, struct sim_stats *sum, uint64_t *bytes, char *why)
{
	struct world w = { .seed = seed, .now_ns = NS_PER_S };
	uint64_t digest;

	rng_init(&w.rng, seed);
	w.n_streams = 1 + rng_below(&w.rng, STREAMS_MAX);
	w.sim = sim_new(seed);
	if (!w.sim || sim_link_add(w.sim, "wire", &bad_link)) {
		snprintf(why, sizeof(w.why), "no simulation");
		return 0;
	}
	if (open_end(&w, 0) && open_end(&w, 1) && begin(&w))
		run_to_end(&w);
	for (unsigned i = 0; i < w.n_streams; i++)
		*bytes += w.streams[i].half[0].got + w.streams[i].half[1].got;
	for (unsigned i = 0; i < 2; i++) {
		if (w.stack[i])
			pb_stack_close(w.stack[i]);
		add_stats(sum, sim_link_stats(w.sim, "wire", i));
	}
	digest = sim_digest(w.sim);
	sim_free(w.sim);
	memcpy(why, w.why, sizeof(w.why));
	return digest;
}

static bool run_hundred(uint64_t first, uint64_t end, struct sim_stats *sum,
			uint64_t *bytes)
{
	struct sim_stats again = { 0 };
	uint64_t unused = 0;
	char why[300];

	for (uint64_t seed = first; seed < end; seed++) {
		uint64_t digest = run_seed(seed, sum, bytes, why);

		if (!why[0] && seed % 10 == 0 &&
		    run_seed(seed, &again, &unused, why) != digest)
			snprintf(why, sizeof(why), "a second run gave other frames");
		if (why[0]) {
			printf("# seed %llu: %s\n", (unsigned long long)seed, why);
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : SEEDS;
	struct sim_stats sum = { 0 };
	uint64_t bytes = 0;
	unsigned group = 0;
	bool ok = true;

	printf("1..%llu\n", (unsigned long long)((n + 99) / 100));
	for (uint64_t first = 1; first <= n; first += 100) {
		uint64_t end = first + 100 <= n ? first + 100 : n + 1;
		bool good = run_hundred(first, end, &sum, &bytes);

		printf("%sok %u - seeds %llu to %llu\n", good ? "" : "not ", ++group,
		       (unsigned long long)first, (unsigned long long)end - 1);
		fflush(stdout);
		ok &= good;
	}
	printf("# bytes delivered %llu; frames sent %llu, delivered %llu, lost %llu, "
	       "reordered %llu, duplicated %llu, corrupted %llu, tail-dropped %llu\n",
	       (unsigned long long)bytes, (unsigned long long)sum.sent,
	       (unsigned long long)sum.delivered, (unsigned long long)sum.lost,
	       (unsigned long long)sum.reordered, (unsigned long long)sum.duplicated,
	       (unsigned long long)sum.corrupted, (unsigned long long)sum.queue_full);
	return ok ? 0 : 1;
}

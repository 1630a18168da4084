/*
 * Runs seeds of chaos (chaos.h):
 *
 *	sim_chaos [SEEDS [FIRST]]	prints TAP for each hundredth part of them
 *	sim_chaos 1 SEED FOLDER		runs one that failed, with captures of its lines
 *
 * Invariants of TCP are asked before
 * and after the programs of every turn of every stack; every tenth seed runs twice, and
 * must give the same packets at the same nanoseconds; at the end of each nothing is out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/pbsim_impl.h"
#include "arp/neigh.h"
#include "ip/ip.h"
#include "stack/api/sock.h"
#include "stack/api/stat.h"
#include "stack/base/clock.h"
#include "stack/core/core.h"
#include "tests/sim/chaos.h"

enum { SEEDS = 1500, GROUPS = 100, CHANGES_MAX = 30, DRAIN_S = 1200 };

struct sum {
	uint64_t bytes, packets, calls, errors, ghosts, forged, rough;
	double hours;
};

/* The bad times. */
static void run_storm(struct chaos *w)
{
	unsigned n = rng_below(&w->rng, CHANGES_MAX);
	uint64_t at_ns = 0;

	for (unsigned i = 0; i <= n && !w->why[0]; i++) {
		uint64_t unit = rng_below(&w->rng, 8) ? NS_PER_MS : NS_PER_S;

		at_ns += unit * (1 + rng_below(&w->rng, 2000));
		if (pbsim_run(w->s, at_ns))
			CHAOS_FAIL(w, "%s", pbsim_error(w->s));
		chaos_net_change(w);
		if (chaos_apps_are_through(w))
			break;
	}
}

/* The network is well: everything comes to its end. */
static void run_calm(struct chaos *w)
{
	uint64_t begin_ns = pbsim_now(w->s), end_ns = begin_ns + CHAOS_CALM_S * NS_PER_S;

	chaos_net_calm(w);
	for (uint64_t at_ns = begin_ns; !w->why[0] && !chaos_apps_are_through(w);) {
		at_ns += 10 * NS_PER_S;
		if (pbsim_run(w->s, at_ns))
			CHAOS_FAIL(w, "%s", pbsim_error(w->s));
		if (at_ns > end_ns)
			chaos_apps_blame(w);
		for (unsigned i = 0; i < w->n_hosts; i++)
			host_wake(w->host[i], at_ns);
	}
}

/* Nobody has a socket: TIME-WAITs and orphans end, and nothing is out. */
static void run_out(struct chaos *w)
{
	w->over = true;
	for (unsigned i = 0; i < w->n_hosts; i++) {
		host_use(w->host[i]);
		for (unsigned k = 0; k < CHAOS_LISTENERS; k++)
			pb_close(w->listener[i][k]);
		host_wake(w->host[i], pbsim_now(w->s));
	}
	pbsim_run(w->s, pbsim_now(w->s) + DRAIN_S * NS_PER_S);
	for (unsigned i = 0; i < w->n_hosts && !w->why[0]; i++) {
		struct pb_core *co = w->host[i]->core;
		struct pb_out o;

		host_use(w->host[i]);
		pb_out_get(co, &o);
		ip_check(co->ip);
		neigh_check(co->neigh);
		if (o.packets | o.buffers | o.conns | o.sockets | o.half_open |
		    o.time_wait)
			CHAOS_FAIL(
				w,
				"host %u: out: %u packets, %u buffers, %u connections, "
				"%u sockets, %u half-open, %u TIME-WAIT",
				i, o.packets, o.buffers, o.conns, o.sockets, o.half_open,
				o.time_wait);
	}
	pb_core_use(NULL);
}

static void add_up(struct sum *sum, const struct chaos *w)
{
	struct pbsim_line_stats st;

	sum->bytes += w->bytes;
	sum->calls += w->n_calls;
	sum->errors += w->n_errors;
	sum->ghosts += w->n_ghosts;
	sum->forged += w->n_forged;
	sum->rough += w->rough;
	sum->hours += (double)pbsim_now(w->s) / (3600.0 * NS_PER_S);
	for (unsigned i = 0; pbsim_line_stats(w->s, i, &st); i++)
		sum->packets += st.sent;
}

/* The digest of a seed's packets.  w->why stays empty when all was well. */
static uint64_t run_seed(struct chaos *w, uint64_t seed, const char *folder,
			 struct sum *sum)
{
	uint64_t digest;

	*w = (struct chaos){ .seed = seed, .s = pbsim_new(seed), .folder = folder };
	rng_init(&w->rng, seed);
	rng_init(&w->luck, ~seed);
	w->fastopen = rng_below(&w->rng, 4) == 0;
	if (chaos_net_new(w)) {
		chaos_apps_draw(w);
		if (chaos_apps_begin(w)) {
			run_storm(w);
			run_calm(w);
		}
		if (!w->why[0])
			run_out(w);
	}
	add_up(sum, w);
	digest = pbsim_digest(w->s);
	pbsim_free(w->s);
	return digest;
}

static bool run_group(uint64_t first, uint64_t end, const char *folder, struct sum *sum)
{
	static struct chaos w;
	struct sum again = { 0 };
	bool ok = true;

	for (uint64_t seed = first; seed < end; seed++) {
		uint64_t digest;

		/* An assertion ends the program: this says where it was. */
		if (getenv("CHAOS_VERBOSE"))
			fprintf(stderr, "seed %" PRIu64 "\n", seed);
		digest = run_seed(&w, seed, folder, sum);
		if (!w.why[0] && seed % 10 == 0 &&
		    run_seed(&w, seed, NULL, &again) != digest)
			CHAOS_FAIL(&w, "a second run gave other packets");
		if (w.why[0]) {
			printf("# seed %" PRIu64 "%s: %s\n", seed,
			       w.rough ? " (rough)" : "", w.why);
			ok = false;
		}
	}
	return ok;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : SEEDS, done = 0;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	uint64_t step = n > GROUPS ? n / GROUPS : n;
	struct sum sum = { 0 };
	unsigned group = 0;
	bool ok = true;

	if (!n)
		return 2;
	printf("1..%" PRIu64 "\n", (n + step - 1) / step);
	for (; done < n; done += step) {
		uint64_t m = n - done < step ? n - done : step;
		bool good = run_group(first + done, first + done + m,
				      argc > 3 ? argv[3] : NULL, &sum);

		printf("%sok %u - seeds %" PRIu64 " to %" PRIu64 "\n", good ? "" : "not ",
		       ++group, first + done, first + done + m - 1);
		fflush(stdout);
		ok &= good;
	}
	printf("# %" PRIu64 " rough; %" PRIu64 " bytes read, %" PRIu64
	       " packets, %.0f hours; "
	       "%" PRIu64 " calls uncalled for, %" PRIu64 " errors told, %" PRIu64
	       " forged, %" PRIu64 " ghosts\n",
	       sum.rough, sum.bytes, sum.packets, sum.hours, sum.calls, sum.errors,
	       sum.forged, sum.ghosts);
	return ok ? 0 : 1;
}

#include "bench/micro/micro.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/base/clock.h"

enum { N_RUNS = 11, RUN_MS = 20 };

static char **wanted; /* parts of names, ended by NULL; none: all rows */

static bool is_wanted(const char *what)
{
	for (char **w = wanted; *w; w++)
		if (strstr(what, *w))
			return true;
	return !*wanted;
}

/* Nanoseconds for each operation, over one run of at least RUN_MS. */
static double one_run(const struct micro *m)
{
	uint64_t spent_ns = 0, n_ops = 0;

	do {
		uint64_t start_ns;

		if (m->before)
			m->before(m->ctx);
		start_ns = clock_now_ns();
		m->run(m->ctx);
		spent_ns += clock_now_ns() - start_ns;
		n_ops += m->n_ops;
	} while (spent_ns < RUN_MS * NS_PER_MS);
	return (double)spent_ns / (double)n_ops;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void micro_row(const struct micro *m)
{
	double ns[N_RUNS], median;

	if (!is_wanted(m->what))
		return;
	one_run(m); /* warms caches and clocks */
	for (unsigned i = 0; i < N_RUNS; i++)
		ns[i] = one_run(m);
	qsort(ns, N_RUNS, sizeof(*ns), by_value);
	median = ns[N_RUNS / 2];
	printf("%-24s %8s %9.2f ", m->what, m->size, median);
	if (m->n_bytes)
		printf("%9.1f", (double)m->n_bytes / median);
	else
		printf("%9s", "-");
	/* The middle half of the runs, around the median. */
	printf("   -%.0f%% +%.0f%%\n", (median - ns[N_RUNS / 4]) / median * 100,
	       (ns[N_RUNS - 1 - N_RUNS / 4] - median) / median * 100);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	if (argc > 1 && argv[1][0] == '-') {
		fprintf(stderr, "usage: micro [PART-OF-A-NAME...]\n");
		return 2;
	}
	wanted = argv + 1;
	printf("%-24s %8s %9s %9s   %s\n", "what", "size", "ns/op", "bytes/ns",
	       "spread (quartiles)");
	micro_cksum();
	micro_ip();
	micro_map();
	micro_tcp();
	micro_wheel();
	return 0;
}

/*
 * Loads for a server of serve.h, on either network.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "stack/base/addr.h"

struct perf_net;

enum { LOAD_SIZE_MAX = 4096 };

struct load {
	struct addr to;	  /* the server, */
	uint16_t base;	  /* and the base of its ports */
	unsigned n_conns; /* bulk: streams; crr: connections at a time */
	unsigned seconds; /* bulk: how long it is measured, after a warm-up */
	unsigned warm_ms;
	uint64_t n_total; /* crr: connections in all */
	unsigned size;	  /* crr: bytes of a request, 1 to LOAD_SIZE_MAX */
	bool reverse;	  /* bulk: the server sends */
	bool json;
	FILE *out;
	const volatile sig_atomic_t *stop; /* set by a signal: end, and print what is */
};

/*
 * Bytes through discard or, in reverse, from chargen, over @n_conns streams.  Prints
 * one line, when it is stopped too.  0, or -1 after a line on standard error.
 */
int load_bulk(struct perf_net *net, const struct load *load);

/*
 * Connect, send @size bytes to echo, compare what comes back, close: @n_total times,
 * @n_conns at a time.  Prints one line, when it is stopped too; -1 when any of them
 * failed.
 */
int load_crr(struct perf_net *net, const struct load *load);

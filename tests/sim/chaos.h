/*
 * Chaos: whole stacks, a network that gets worse and better, programs that do anything,
 * all drawn from one seed, in virtual time.
 *
 *	chaos_net.c	the hosts, what their lines do, and what changes in time
 *	chaos_app.c	the programs of both ends of each connection
 *	chaos_call.c	calls of the API that are not called for
 *	sim_chaos.c	seeds, and what must be true of each
 *
 * A world is rough when its network may end a connection (silence for minutes, forged
 * ICMP, too little memory), and a stream is rude when one of its programs may (aborts,
 * closes early, has little patience).  Where neither is so, every byte must arrive, both
 * programs must see the end of the other's stream, and no call may fail; elsewhere a
 * program may be told an error, but bytes that come are right and in order, an end that
 * is told is the true one, and who was told nothing comes to the end.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "apps/pbsim/pbsim.h"
#include "stack/base/rng.h"

enum {
	CHAOS_HOSTS_MAX = 3,
	CHAOS_STREAMS_MAX = 24,
	CHAOS_PORT = 7000,
	CHAOS_LISTENERS = 2,
	CHAOS_CALM_S = 6 * 3600, /* so long all may take once the network is well */
	CHAOS_DEAF_S = 900, /* after so much of it, who waits for the dead gives up */
};

struct host;
struct chaos;
struct chaos_stream;

/* One end of a stream. */
struct chaos_end {
	struct chaos_stream *st;
	unsigned side; /* 0: who connects */
	int s;	       /* -1: not yet, or no more */
	uint32_t len;  /* bytes that it shall send */
	uint64_t salt; /* what they are made from */
	uint32_t sent, got;
	uint32_t write_max, read_max; /* bytes at a time */
	uint32_t early;	  /* closes when it has read so many: UINT32_MAX: never */
	double idle;	  /* chance to rest after something was done ... */
	uint64_t idle_ns; /* ... up to so long */
	uint64_t wake_ns;
	int linger_s; /* -1: off */
	int error;    /* that it was told */
	bool urgent, zero_copy, more;
	bool shut, read_shut, saw_eof, closed;
};

struct chaos_stream {
	struct chaos *w;
	unsigned number, from, to; /* hosts */
	uint64_t start_ns;
	uint32_t round[2]; /* of requests and answers: bytes; 0: each as it likes */
	uint16_t port;	   /* of side 0; 0: not known */
	bool begun, rude, refused, both_connect, fastopen, later;
	struct chaos_end end[2];
};

/* Whose programs run. */
struct chaos_seat {
	struct chaos *w;
	unsigned host;
};

struct chaos {
	uint64_t seed;
	struct rng rng;	 /* of the world */
	struct rng luck; /* of programs */
	struct pbsim *s;
	unsigned n_hosts, n_streams, family;
	struct host *host[CHAOS_HOSTS_MAX];
	struct chaos_seat seat[CHAOS_HOSTS_MAX];
	int listener[CHAOS_HOSTS_MAX][CHAOS_LISTENERS];
	struct chaos_stream streams[CHAOS_STREAMS_MAX];
	bool rough, fastopen, calm, over;
	double fumble; /* chance of a call that is not called for */
	uint64_t calm_ns;
	struct pbsim_line well; /* what every line becomes in the end */
	uint64_t n_calls, n_errors, n_ghosts, n_forged, bytes;
	const char *folder; /* for captures; NULL: none */
	char why[300];	    /* it failed */
};

#define CHAOS_FAIL(w, ...) \
	((void)((w)->why[0] || snprintf((w)->why, sizeof((w)->why), __VA_ARGS__)))

/* ---- chaos_net.c ---- */

/* Hosts and lines.  False: w->why says what is wrong. */
bool chaos_net_new(struct chaos *w);
/* Something of the network changes. */
void chaos_net_change(struct chaos *w);
/* From now on it is well. */
void chaos_net_calm(struct chaos *w);
/* An address of host @i; its length. */
socklen_t chaos_addr(const struct chaos *w, unsigned i, uint16_t port,
		     struct sockaddr_storage *ss);

/* ---- chaos_app.c ---- */

void chaos_apps_draw(struct chaos *w);
/* Listeners, and the programs of all hosts.  False: w->why says what is wrong. */
bool chaos_apps_begin(struct chaos *w);
bool chaos_apps_are_through(const struct chaos *w);
/* Says which one is not. */
void chaos_apps_blame(struct chaos *w);
/* A call told @e an error, once: it ends.  Somebody must be to blame for it. */
void chaos_told(struct chaos_end *e, const char *call, int error);
/* The error says to come again. */
bool chaos_is_wait(int error);
char chaos_byte(const struct chaos_end *e, uint32_t i);

/* ---- chaos_call.c ---- */

/* Options that a connection may have, before it connects. */
void chaos_options(struct chaos *w, struct chaos_end *e);
/* A call with @e's socket, or another one, right or wrong, that changes no byte of the
 * stream. */
void chaos_fumble(struct chaos *w, struct chaos_end *e);

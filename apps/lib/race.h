/*
 * Connects to one of several addresses, whichever answers first (RFC 8305 5).
 *
 * The owner gives the addresses, best first: race_try() when it begins, and again
 * each time that more() says it is time: RACE_DELAY_MS after the last one was begun, or
 * when one failed.  The first that connects wins, and the others are given up.
 *
 *	race_try() ---> runs ---connected---> won(); lost() of all others
 *			  |
 *			  +---refused, or no answer in time---> failed(), more()
 *
 * On the net's thread.  From more() and won() the owner may call race_fini().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/net.h"

struct io;

enum {
	RACE_TRIES_MAX = 4,  /* that run at once */
	RACE_DELAY_MS = 250, /* RFC 8305 8: the Connection Attempt Delay */
};

struct race_ops {
	/* There is room for another.  As long as one runs it is said again and again,
	 * for an address may have become known; when none runs it is said once. */
	void (*more)(void *arg);
	void (*failed)(void *arg, const char *where, int error);
	void (*lost)(void *arg, const char *where);
	/* @io is the owner's, without handler and deadline. */
	void (*won)(void *arg, struct io *io, const char *where);
};

struct race_try {
	struct race *race;
	struct io *io; /* NULL: none runs here */
	char where[NET_ADDR_TEXT_LEN];
};

struct race {
	struct net *net;
	const struct race_ops *ops;
	void *arg;
	uint64_t patience_ns;
	struct net_timer delay;
	struct race_try tries[RACE_TRIES_MAX];
};

/* Stays where it is.  A try ends @patience_ns after it was begun. */
void race_init(struct race *race, struct net *net, uint64_t patience_ns,
	       const struct race_ops *ops, void *arg);
/* Tries that run are given up, and nobody is told. */
void race_fini(struct race *race);
/* Begins a try; RACE_TRIES_MAX must not run yet.  0, or -errno: it failed at once, which is
 * not told again. */
int race_try(struct race *race, const char *where);
/* How many run; and to @where. */
unsigned race_n(const struct race *race);
unsigned race_n_at(const struct race *race, const char *where);

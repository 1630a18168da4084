/*
 * One call on its way: for player_call.c and player_opt.c.
 */
#pragma once

#include "tests/lib/player_impl.h"

/* A call under way: its words, and what it said. */
struct call {
	struct player *p;
	struct player_call *state;
	struct player_line l;
	struct player_fd *fd; /* of the first argument, where that is one */
	bool bad;	      /* its words make no sense, which was said */
};

/* Its words make no sense, as @what says; -1. */
long player_bad(struct call *c, const char *what);
/* Argument number @i; 0, and player_bad(), when it is no number. */
long player_arg(struct call *c, unsigned i);

/* ---- player_opt.c ---- */

long player_do_setsockopt(struct call *c);
/* The script's value is what must be there. */
long player_do_getsockopt(struct call *c);
long player_do_fcntl(struct call *c);
long player_do_ioctl(struct call *c);
/* poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, TIMEOUT_MS) */
long player_do_poll(struct call *c);

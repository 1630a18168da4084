/*
 * What other threads hand back to the thread of a net: a commit, a verdict about a
 * password.
 *
 * The net's thread gives an item away (handoff_out) to something that works elsewhere;
 * that calls handoff_back() on whatever thread it runs, once, and the item comes to
 * @take on the net's thread, in the order of the calls.  All that came back since the
 * last look is taken together, for one job posted to the net; so the answers to a group
 * commit leave in one turn.
 *
 * Nothing is lost when the net's queue of jobs is full: a timer looks, too, while
 * anything is out.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/net.h"

enum { HANDOFF_LOOK_MS = 50 };

struct handoff_item {
	struct handoff_item *next;
};

typedef void handoff_take(void *arg, struct handoff_item *item);

struct handoff {
	struct net *net;
	handoff_take *take;
	void *arg;
	struct net_timer look;
	uint64_t n_out;			     /* items given away and not taken back */
	_Atomic bool posted;		     /* a job is on its way to the net */
	_Atomic uint32_t n_inside;	     /* threads in handoff_back() */
	_Atomic(struct handoff_item *) back; /* the last one first */
};

void handoff_init(struct handoff *h, struct net *net, handoff_take *take, void *arg);
/* Nothing may be busy. */
void handoff_fini(struct handoff *h);

/* One item is about to be given away; handoff_undo(): it was not accepted after all. */
void handoff_out(struct handoff *h);
void handoff_undo(struct handoff *h);
/* From any thread, once for each handoff_out(). */
void handoff_back(struct handoff *h, struct handoff_item *item);
/* Something is out, or on its way back, or some thread still looks at @h.  Not asked
 * from @take. */
bool handoff_busy(const struct handoff *h);

/*
 * Where mail for an address goes: through aliases to users here and addresses elsewhere.
 *
 * The walk is by levels, and goes to no address twice: a loop ends where it began, and is no
 * fault as long as somebody is found on the way.  An alias may lead to a user that is no
 * more: he is passed over, the others get their mail.
 *
 *	dev@b.example  list, owner alice@b.example
 *	  alice                         a user
 *	  team@b.example                an alias: its members have that owner, too
 *	    x@far.example               elsewhere
 */
#pragma once

#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/queue/mail_to.h"

struct alias;
struct aliases;
struct users;

enum {
	EXPAND_MAX = 1001, /* addresses and users of one walk, with its first */
	EXPAND_DEPTH = 20, /* aliases that lead to aliases */
};

enum expand_result {
	EXPAND_FOUND,	  /* e->to */
	EXPAND_AWAY,	  /* the user moved: the client is to send to e->moved_to */
	EXPAND_NOBODY,	  /* of our domains, and leads to nobody */
	EXPAND_ELSEWHERE, /* of another domain */
	EXPAND_LOOP,	  /* it leads only back to itself */
	EXPAND_TOO_FAR,	  /* more than EXPAND_MAX or EXPAND_DEPTH */
};

struct expand_step {
	struct str name; /* an address; or a user, with no '@' */
	struct str owner;
	unsigned depth;
};

struct expand {
	const struct alias *first; /* what the address is itself; NULL: no alias */
	struct str moved_to;	   /* also with EXPAND_FOUND: sent on, 251 */
	size_t n_to;
	struct mail_to to[EXPAND_MAX];

	/* The walk: all that was found to be walked, in order, and by hash. */
	size_t n_steps;
	struct expand_step steps[EXPAND_MAX];
	uint16_t slots[2 * EXPAND_MAX]; /* numbers of steps, and 1 */
	uint16_t users[2 * EXPAND_MAX]; /* the same: those of @to that are users */
};

/* What is in @e points into @addr, @aliases and @users. */
enum expand_result expand_walk(struct expand *e, const struct aliases *aliases,
			       const struct users *users, struct str addr);

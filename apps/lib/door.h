/*
 * The door of a service: who is let in, how many sessions each client may have, and
 * what those who are not let in are told.  Every server has one, on its net's thread.
 *
 *	door_init(&d->door, &(struct door_conf){ ... });
 *	guest = &session->guest;
 *	if (door_admit(&d->door, io, &peer))		in the net_accept function
 *		... door_enter(&d->door, guest, peer)	the session begins
 *	door_leave(&d->door, guest)			it ends
 *	door_shut(&d->door, session_stop)		the service ends
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/check.h"
#include "stack/base/list.h"

struct io;
struct peer;
struct peers;

/* Lines for those who are refused, each with its CRLF. */
struct door_lines {
	const char *stopped;
	const char *excess;    /* beyond the limit of the listener */
	const char *no_memory; /* out of it */
	const char *client;    /* too many sessions of one client */
};

/* Of every service, with these names in its own struct of counters. */
struct door_counts {
	uint64_t *sessions, *sessions_open, *refused_excess, *refused_client;
};

struct door_conf {
	struct door_lines lines;
	struct door_counts counts;
	uint64_t per_client_max; /* sessions of one client */
	uint64_t seed;		 /* of the table of clients */
};

struct door {
	struct door_conf conf;
	struct peers *peers;
	struct list guests;
	bool is_shut;
};

/* In each session. */
struct door_guest {
	struct list node;
	struct peer *peer;
};

/* All counters where a service has them. */
#define DOOR_COUNTS(stats)                                                          \
	{                                                                           \
		&(stats).sessions, &(stats).sessions_open, &(stats).refused_excess, \
			&(stats).refused_client                                     \
	}

/* 0 or -ENOMEM. */
int door_init(struct door *door, const struct door_conf *conf);
/* Nobody may be in. */
void door_fini(struct door *door);

/*
 * True: the client may come in, and is counted in *peer; it is for door_enter() or
 * door_turn_away().  False: the io was told why not, and closed.
 */
bool door_admit(struct door *door, struct io *io, struct peer **peer);
void door_enter(struct door *door, struct door_guest *guest, struct peer *peer);
/* There was no memory for a session. */
void door_turn_away(struct door *door, struct io *io, struct peer *peer);
void door_leave(struct door *door, struct door_guest *guest);

/* Admits nobody any more, and calls @stop for each guest, who may leave in it. */
void door_shut(struct door *door, void (*stop)(struct door_guest *guest));
/* Calls @abort, in which the guest leaves, for each. */
void door_clear(struct door *door, void (*abort)(struct door_guest *guest));

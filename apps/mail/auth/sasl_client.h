/*
 * SASL for clients (RFC 4422): we say who we are, and prove it, in lines of base64.
 *
 *	server		client				mechanism
 *
 *	offered -->	sasl_client_new()		the best of SCRAM-SHA-256 (RFC 7677),
 *							PLAIN (RFC 4616) and LOGIN
 *	challenge -->	sasl_client_step()  --> answer	... as often as the server asks
 *	success -->	sasl_client_done()		has the server proved itself too?
 *
 * By libgsasl.  A conversation belongs to the thread of whoever made it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"

struct sasl_client;

enum {
	SASL_CLIENT_LINE_MAX = 2048, /* of an answer, and of a challenge */
	/* Of SCRAM, a second's work: nobody makes us hash for hours (RFC 5802 9). */
	SASL_CLIENT_ITERATIONS_MAX = 1 << 20,
};

/*
 * Chooses among the names in @offered, with blanks between; PLAIN and LOGIN, which show
 * the password, only with @clear_ok.  0; -EOPNOTSUPP: none that we could use; -ENOMEM.
 */
int sasl_client_new(struct str offered, bool clear_ok, const char *user,
		    const char *password, struct sasl_client **c);
void sasl_client_free(struct sasl_client *c);
/* As the server calls it. */
const char *sasl_client_mech(const struct sasl_client *c);
/* The mechanism begins with a word of ours, the answer to an empty challenge, which may
 * stand beside its name. */
bool sasl_client_begins(const struct sasl_client *c);
/*
 * Answers @challenge, both in base64; *answer is valid until the next step.  0, or
 * -EPROTO: that is not what the mechanism says, or not the server that knows us.
 */
int sasl_client_step(struct sasl_client *c, struct str challenge, struct str *answer);
/* All has been said; of a mechanism in which the server has to, it has proved itself. */
bool sasl_client_done(const struct sasl_client *c);

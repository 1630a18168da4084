/*
 * SASL for servers (RFC 4422): a client says who it is, and proves it, in lines of
 * base64, whatever protocol carries them.
 *
 *	PLAIN (RFC 4616), LOGIN		show us the password; it still must be checked,
 *					see verify.h, and only TLS hides it from others
 *	SCRAM-SHA-256 (RFC 7677)	shows nothing, and needs the keys of users.h
 *	CRAM-MD5 (RFC 2195)		shows what can be tried against in a moment, and needs the
 *					password itself here; for ODMR, which demands it
 *
 * By libgsasl.  A struct sasl belongs to one thread, and so do its conversations.  A
 * conversation holds at most one line of the client and one of ours.
 *
 * Nobody learns whether a name exists: with SCRAM-SHA-256, who has no keys gets a salt that is
 * always the same for a name, as a user's is, and is wrong at the same step; with CRAM-MD5
 * the answer is compared with that of a password nobody has.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/auth/users.h"

struct sasl;
struct sasl_talk;

enum {
	SASL_LINE_MAX = 2048, /* octets of a client's line that are read; of ours fewer */
	SASL_NAMES_LEN = 80,
	SASL_SEED_LEN = 32,
};

/* Which mechanisms a client may use, besides those that need no care. */
enum {
	SASL_SHOWN = 1 << 0,	/* that show the password: in TLS */
	SASL_CRAM_MD5 = 1 << 1, /* RFC 2645 4 */
};

struct sasl_ops {
	/* The keys of the user of that name.  False: there are none. */
	bool (*keys)(void *arg, struct str name, struct users_scram *keys);
	/* The password of that name, if it is kept (users_clear_parse()).  NULL: none is. */
	bool (*password)(void *arg, struct str name,
			 char password[static USERS_CLEAR_MAX + 1]);
	/*
	 * A client at that address knew the keys of that name, or did not: verify_told()
	 * counts it.  False: too many were wrong before, this one is refused unseen.
	 */
	bool (*told)(void *arg, const char *client, struct str name, bool is_right);
};

/*
 * @seed: nobody else knows it, and it is the same after the next start.  0 or -ENOMEM.
 */
int sasl_new(const uint8_t seed[static SASL_SEED_LEN], const struct sasl_ops *ops,
	     void *ops_arg, struct sasl **sasl);
/* After the last conversation. */
void sasl_free(struct sasl *sasl);

/* What is offered, each name with a blank and @prefix before it. */
const char *sasl_names(unsigned ways, const char *prefix,
		       char out[static SASL_NAMES_LEN]);

/*
 * A conversation with the client at @addr.  0; -EOPNOTSUPP: no
 * such mechanism; -EACCES: not without TLS (SASL_SHOWN); -ENOMEM.
 */
int sasl_talk_new(struct sasl *sasl, struct str mech, unsigned ways, const char *addr,
		  struct sasl_talk **talk);
void sasl_talk_free(struct sasl_talk *talk);

enum sasl_result {
	SASL_MORE,	/* sasl_out() goes to the client, and its answer to sasl_step() */
	SASL_PASSWORD,	/* sasl_name() and sasl_password() are to be verified */
	SASL_RIGHT,	/* it is sasl_name() */
	SASL_WRONG,	/* it is not, or there is no such user */
	SASL_LATE,	/* too many were wrong before */
	SASL_OTHER,	/* it wants to be somebody else than it is */
	SASL_CANCELLED, /* the client gave up: "*" */
	SASL_BAD,	/* no base64, or nothing that the mechanism has */
	SASL_NO_MEMORY,
};

/* The first word of the client, if it came with the name: "=" is an empty one (RFC 4954
 * 4).  NULL: none came. */
enum sasl_result sasl_begin(struct sasl_talk *talk, const struct str *initial);
/* A line of the client. */
enum sasl_result sasl_step(struct sasl_talk *talk, struct str line);
/* In base64; may be empty. */
const char *sasl_out(const struct sasl_talk *talk);
/* Valid as long as the conversation. */
struct str sasl_name(const struct sasl_talk *talk);
struct str sasl_password(const struct sasl_talk *talk);

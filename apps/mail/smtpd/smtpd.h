/*
 * The SMTP server (RFC 5321), for mail to our own users, to others from clients that may
 * relay, and from anybody to domains before whose hosts we stand.
 *
 * One struct smtpd serves one net, on its thread.  Whoever composes the program makes
 * it, listens with smtpd_accept(), and gives it the functions of struct smtpd_ops; so
 * smtpd knows neither users nor store nor what else may become of a message.
 *
 * A session is one of three kinds: with an MTA, which brings mail (port 25); a submission
 * (RFC 6409), in which a user sends mail to anybody, from his own addresses, once he has
 * logged in (RFC 4954); or one that brings no mail, in which a customer logs in and takes
 * what waits for his domains (RFC 2645).  All may speak TLS (RFC 3207).
 *
 * A message is received into memory, in pieces, within limits, and submitted as one
 * store_op, for users here and for the spool; `250` is said when that op is done.  The
 * session may be gone by then: what was submitted belongs to smtpd, not to the session.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "apps/mail/queue/mail_to.h"
#include "apps/mail/smtpd/smtpd_limits.h"
#include "apps/mail/smtpd/smtpd_stats.h"

struct io;
struct log;
struct net;
struct sasl;
struct smtpd;
struct spool_op;
struct store_op;
struct tls;
struct verify_job;

struct smtpd_conf {
	const char *host;	/* our name: in the greeting and in Received */
	const char *postmaster; /* user who gets what is for "postmaster" where no user
				     has that address (RFC 5321 4.5.1), as long as
				     ops.has_user() knows the name; NULL: nobody */
	const struct log *log;	/* one line a message; NULL: none */
	unsigned instance;	/* number of this smtpd in the process: part of ids */
	uint64_t seed;		/* a secret: of the table of clients, of marks of loops */
	bool auth;		/* AUTH is offered to MTAs, too */
	bool allow_plain;	/* a password may be shown without TLS */
	bool vrfy, expn;	/* these tell who is here, and who is on a list */
	struct smtpd_limits limits;
};

/* The defaults; @host is still to be set. */
void smtpd_conf_init(struct smtpd_conf *conf);

enum { SMTPD_USER_MAX = 64 };

enum smtpd_whose {
	SMTPD_OURS,	/* it leads to found->to */
	SMTPD_NOBODY,	/* our domain, but no such user: 550 5.1.1 */
	SMTPD_NOT_OURS, /* another domain: 550 5.7.1, unless the client may relay */
	SMTPD_UNSURE,	/* cannot be told now: 451 4.3.0 */
	SMTPD_AWAY,	/* its user moved to found->moved_to: 551 5.1.6 */
	SMTPD_LOOP,	/* an alias of itself: 550 5.4.6 */
	SMTPD_TOO_FAR,	/* aliases beyond their limits: 451 4.3.5 */
};

/* Valid until the net's next turn, or the next find(). */
struct smtpd_found {
	bool is_alias;	     /* not an address of a user himself */
	struct str moved_to; /* its user moved: it is sent on, and the client told, 251 */
	const struct mail_to *to;
	size_t n_to;
	struct mail_to one; /* to which @to may point */
};

enum { SMTPD_TURN_MAX = 16 };

/* A user takes mail on his own connection. */
struct smtpd_turn {
	struct str user;
	struct str domains[SMTPD_TURN_MAX]; /* none: all that are his */
	size_t n_domains;
	const char *line; /* what he is told when it begins */
	bool at_once;	  /* whether there is some or not */
};

enum smtpd_turned {
	SMTPD_TURN_DONE,   /* he was told the line; the io is not smtpd's any more */
	SMTPD_TURN_EMPTY,  /* nothing waits */
	SMTPD_TURN_LATER,  /* not now */
	SMTPD_TURN_DENIED, /* one of them is not his */
};

enum smtpd_etrn {
	SMTPD_ETRN_STARTED, /* 251 to 253 */
	SMTPD_ETRN_LATER,   /* not now: 458 */
	SMTPD_ETRN_DENIED,  /* not for that client: 459 */
};

struct smtpd_ops {
	/* Where does mail for "local@domain" go?  *found is empty before. */
	enum smtpd_whose (*find)(void *arg, struct str addr, struct smtpd_found *found);
	/* Is there a user of that name now?  For the one of smtpd_conf. */
	bool (*has_user)(void *arg, struct str name);
	/* As store_submit(); ->done may be called on any thread. */
	bool (*submit)(void *arg, struct store_op *op);
	/* Octets of mail that could be stored now, as store_room(). */
	uint64_t (*room)(void *arg);
	/* Seconds since 1970. */
	uint64_t (*wall_s)(void *arg);
	/* May the client at that address send mail to other domains?  NULL: nobody may. */
	bool (*may_relay)(void *arg, const char *peer_addr);
	/* Is mail for that domain, which is not ours, taken from anybody?  NULL: none is. */
	bool (*relays_to)(void *arg, struct str domain);
	/*
	 * The client at that address, or a user, calls for mail that waits for @node
	 * (RFC 1985), and with @below for all below it; how many messages in *n.  NULL: ETRN
	 * is not offered.
	 */
	enum smtpd_etrn (*etrn)(void *arg, const char *peer_addr, bool is_user,
				struct str node, bool below, uint64_t *n);
	/* Gives mail to a user on @io, to whom he is a server from then on.  NULL: never. */
	enum smtpd_turned (*turn)(void *arg, struct io *io,
				  const struct smtpd_turn *turn);
	/* Is that an address of the user of that name? */
	bool (*owns)(void *arg, struct str user, struct str addr);
	/*
	 * As verify_submit(), for the user that @job->name is, and verify_cancel():
	 * @job->done is called on any thread, perhaps before they return.
	 */
	bool (*verify)(void *arg, struct verify_job *job);
	void (*cancel)(void *arg, struct verify_job *job);
	/* Mail for other domains is in the spool, in these items; NULL with may_relay and
	 * relays_to. */
	void (*spooled)(void *arg, const struct spool_op *op);
};

/* @conf and @ops are copied, the texts they point to are not.  0 or -errno. */
int smtpd_new(struct net *net, const struct smtpd_conf *conf, const struct smtpd_ops *ops,
	      void *ops_arg, struct smtpd **smtpd);
/* For connections from now on; NULL: STARTTLS is not offered.  It stays the caller's. */
void smtpd_set_tls(struct smtpd *smtpd, struct tls *tls);
/* Before the first session, and until smtpd_free(); without it nobody can log in. */
void smtpd_set_sasl(struct smtpd *smtpd, struct sasl *sasl);
/* net_accept functions: @smtpd is their argument.  For MTAs; for submissions; for those
 * that begin with TLS (RFC 8314), if there is some; for who takes mail by ATRN. */
void smtpd_accept(void *smtpd, struct io *io);
void smtpd_accept_msa(void *smtpd, struct io *io);
void smtpd_accept_msa_tls(void *smtpd, struct io *io);
void smtpd_accept_odmr(void *smtpd, struct io *io);
/* A submission by @user, who is known already: of a local socket. */
void smtpd_accept_user(struct smtpd *smtpd, struct io *io, const char *user);

/*
 * The end, in order: smtpd_stop() says 421 to everybody, and from then on to whoever
 * comes, but first lets messages that are being committed have their answer; the
 * program turns the net until smtpd_busy() is false; smtpd_free() aborts what is left.
 */
void smtpd_stop(struct smtpd *smtpd);
/* Something is with the store or the verifier, or on its way back. */
bool smtpd_busy(const struct smtpd *smtpd);
void smtpd_free(struct smtpd *smtpd);

/* Valid as long as @smtpd; for its own thread. */
const struct smtpd_stats *smtpd_stats(const struct smtpd *smtpd);

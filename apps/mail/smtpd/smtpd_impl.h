/*
 * The inside of smtpd: a session, the message it receives, and their server.
 *
 *	WAIT --time--> START --HELO, EHLO--> READY --MAIL--> MAIL --RCPT--> RCPT --DATA--+
 *	 |               |                   ^   ^             |             |          |
 *	 early           |                   |   +---RSET, HELO, EHLO--------+          v
 *	 talk            |                   +--250 or refused-- COMMIT <--CRLF.CRLF-- DATA
 *	 |               |                   |                                          |
 *	 |               |                   +---------------refused--------------------+
 *	 v               v
 *	CLOSED <--QUIT, too slow, too many errors, 421, the client went: from any state
 *
 *	READY --STARTTLS--> START, in TLS
 *	READY --ATRN, TURN--> CLOSED, and the io is somebody else's
 *	READY --AUTH--> AUTH --password--> CHECK --right--> READY, with s->user
 *			 |  \--------wrong--> DELAY <--wrong--/ --later--> READY
 *			 +--given up, SCRAM is right--> READY
 *
 * smtpd_enter() walks every arrow.  CLOSED is the last: the io is gone, and the session
 * is freed by the function that was called from outside.
 */
#pragma once

#include "apps/lib/door.h"
#include "apps/lib/handoff.h"
#include "apps/lib/io.h"
#include "apps/lib/net.h"
#include "apps/lib/peers.h"
#include "apps/mail/auth/sasl.h"
#include "apps/mail/smtpd/message.h"
#include "apps/mail/smtpd/smtpd.h"
#include "apps/mail/wire/mailaddr.h"
#include "apps/mail/wire/smtp_cmd.h"
#include "stack/base/log.h"

enum {
	SMTPD_TURN_ALIASES = 4, /* that are followed in one go, before others' turn */
};

struct smtpd {
	struct net *net;
	struct smtpd_conf conf;
	struct smtpd_ops ops;
	void *ops_arg;
	struct smtpd_stats stats;
	struct log_limit log_limit;
	struct door door;
	struct handoff commits; /* messages that are with the store */
	struct handoff checks;	/* passwords that are with the verifier */
	struct tls *tls;	/* NULL: none is offered */
	struct sasl *sasl;	/* NULL: nobody can log in */
	uint64_t serial;	/* of the last message id */
};

enum smtpd_state {
	SMTPD_WAIT,
	SMTPD_START,
	SMTPD_READY,
	SMTPD_MAIL,
	SMTPD_RCPT,
	SMTPD_AUTH, /* up to here lines are read */
	SMTPD_DATA, /* up to here the client is waited for */
	SMTPD_COMMIT,
	SMTPD_CHECK,
	SMTPD_DELAY,
	SMTPD_CLOSED,
};

struct smtpd_session {
	struct door_guest guest;
	struct smtpd *smtpd;
	struct io *io;
	enum smtpd_state state;
	bool is_msa;	/* a submission */
	bool is_odmr;	/* nothing but ATRN (RFC 2645) */
	bool is_secure; /* TLS is spoken, or about to be */
	bool is_esmtp;
	bool skipping; /* the rest of a line that is too long */
	bool eof;      /* the client sends no more */
	uint32_t n_errors, n_junk, n_fails;
	uint32_t n_aliases;	/* followed in this turn */
	struct net_timer again; /* others had their turn */
	char *helo;
	char user[SMTPD_USER_MAX + 1]; /* "": nobody logged in */
	struct sasl_talk *talk;	       /* in AUTH */
	struct login *login;	       /* in CHECK */
	struct smtpd_message *message; /* from MAIL to COMMIT's end */
};

/* session.c */

struct smtpd_kind {
	bool is_msa, is_odmr, with_tls;
	const char *user; /* who is known already; NULL: nobody */
};

/* Greets @io, or lets it wait; it is the session's. */
void smtpd_session_new(struct smtpd *smtpd, struct io *io, struct peer *peer,
		       struct smtpd_kind kind);
void smtpd_enter(struct smtpd_session *s, enum smtpd_state state);
/* One line, without its CRLF.  What begins with '5' counts as an error. */
void smtpd_reply(struct smtpd_session *s, const char *line);
/* The same for a command that is wrong in itself. */
void smtpd_refuse(struct smtpd_session *s, const char *line);
/* The memory of all messages is in use. */
void smtpd_no_memory(struct smtpd_session *s);
/* Says @line, if any, and enters CLOSED. */
void smtpd_close(struct smtpd_session *s, const char *line);
/* Back to READY: what MAIL began is forgotten. */
void smtpd_reset(struct smtpd_session *s);
/* Reads on; frees the session when it ends with that. */
void smtpd_resume(struct smtpd_session *s);
/* 421 and the end, if it does not wait for a commit or a verdict; that comes first. */
void smtpd_session_stop(struct door_guest *guest);
/* At once. */
void smtpd_session_abort(struct door_guest *guest);

/* cmd_mail.c: what is wrong with an argument, as a reply; @bad_addr: the one about
 * addresses. */
const char *smtpd_complaint(enum smtp_cmd_result r, const char *bad_addr);

/* cmd_rcpt.c */
void smtpd_addr_text(const struct smtpd *smtpd, const struct mailaddr *addr,
		     char text[static SMTPD_ADDR_LEN]);
/* Where mail for @addr goes, the text of an address of that kind. */
enum smtpd_whose smtpd_find(struct smtpd_session *s, enum mailaddr_kind kind,
			    struct str addr, struct smtpd_found *found);
/* Says why it goes nowhere, as RCPT and VRFY do; false: it goes. */
bool smtpd_goes_nowhere(struct smtpd_session *s, enum smtpd_whose whose,
			const struct smtpd_found *found);

/* command.c: runs one line. */
void smtpd_command(struct smtpd_session *s, struct str line);

/* cmd_*.c: the functions of command.c's table. */
void smtpd_helo(struct smtpd_session *s, struct str arg);
void smtpd_ehlo(struct smtpd_session *s, struct str arg);
void smtpd_mail(struct smtpd_session *s, struct str arg);
void smtpd_rcpt(struct smtpd_session *s, struct str arg);
void smtpd_data(struct smtpd_session *s, struct str arg);
void smtpd_rset(struct smtpd_session *s, struct str arg);
void smtpd_noop(struct smtpd_session *s, struct str arg);
void smtpd_vrfy(struct smtpd_session *s, struct str arg);
void smtpd_expn(struct smtpd_session *s, struct str arg);
void smtpd_etrn(struct smtpd_session *s, struct str arg);
void smtpd_atrn(struct smtpd_session *s, struct str arg);
void smtpd_turn(struct smtpd_session *s, struct str arg);
void smtpd_help(struct smtpd_session *s, struct str arg);
void smtpd_quit(struct smtpd_session *s, struct str arg);
void smtpd_starttls(struct smtpd_session *s, struct str arg);
void smtpd_auth(struct smtpd_session *s, struct str arg);

/* cmd_auth.c */
/* STARTTLS is there for the client now; so is AUTH, by these ways (sasl.h). */
bool smtpd_offers_tls(const struct smtpd_session *s);
bool smtpd_offers_auth(const struct smtpd_session *s);
unsigned smtpd_ways(const struct smtpd_session *s);
/* The user is known from now on. */
void smtpd_welcome(struct smtpd_session *s, struct str user);
/* A line in AUTH; one that was too long. */
void smtpd_auth_line(struct smtpd_session *s, struct str line);
void smtpd_auth_too_long(struct smtpd_session *s);
/* The delay is over: says that the password was wrong. */
void smtpd_auth_failed(struct smtpd_session *s);
/* The session ends before the verdict comes. */
void smtpd_check_orphan(struct smtpd_session *s);
/* handoff_take of smtpd->checks. */
void smtpd_checked(void *smtpd, struct handoff_item *item);

/* cmd_data.c: takes input in DATA.  False: there was none. */
bool smtpd_data_input(struct smtpd_session *s);
/* handoff_take of smtpd->commits. */
void smtpd_data_committed(void *smtpd, struct handoff_item *item);

/*
 * The inside of pop3d: a session, and what it has with others.
 *
 *	AUTH --PASS--> CHECK --right--> TRANS --RETR, TOP--> READ --whole--> SEND
 *	 ^               |              | ^ ^                  |             ^ |
 *	 |               wrong          | | +-----damaged------+             | |
 *	 |               v              | +------------all written-----------|-+
 *	 +--later------ DELAY           +--LIST, UIDL------------------------+
 *	                                +--QUIT--> UPDATE --committed, or not--> CLOSED
 *
 *	AUTH --AUTH--> SASL --password--> CHECK
 *	 ^		|  \--right--> TRANS
 *	 +--given up----+---wrong--> DELAY
 *
 *	CLOSED <--QUIT, too slow, too many errors, the client went: from any state
 *
 * pop3d_enter() walks every arrow.  CLOSED is the last: the io is gone, and the session
 * is freed by the function that was called from outside.
 *
 * RFC 1939's AUTHORIZATION is AUTH, SASL, CHECK and DELAY; its TRANSACTION is TRANS, READ and
 * SEND.
 */
#pragma once

#include "apps/lib/door.h"
#include "apps/lib/handoff.h"
#include "apps/lib/io.h"
#include "apps/lib/net.h"
#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/verify.h"
#include "apps/mail/pop3d/pop3d.h"
#include "apps/mail/store/store.h"
#include "apps/mail/wire/dot.h"
#include "apps/mail/wire/pop3.h"
#include "apps/mail/wire/rfc5322.h"
#include "stack/base/log.h"

enum {
	POP3D_USER_MAX = 64,
	POP3D_COPY_MAX = 512, /* pieces of a message up to this are copied, not lent */
	POP3D_READ_MAX = 256 << 10, /* octets read in READ before it is others' turn */
};

struct pop3d {
	struct net *net;
	struct pop3d_conf conf;
	struct pop3d_ops ops;
	void *ops_arg;
	struct pop3d_stats stats;
	struct log_limit log_limit;
	struct door door;
	struct handoff checks;	/* passwords that are with the verifier */
	struct handoff updates; /* deletes that are with the store */
	struct tls *tls;	/* NULL: none is offered */
	struct sasl *sasl;	/* NULL: there is no AUTH */
};

enum pop3d_state {
	POP3D_AUTH,
	POP3D_SASL,
	POP3D_CHECK,
	POP3D_DELAY,
	POP3D_TRANS,
	POP3D_READ,
	POP3D_SEND,
	POP3D_UPDATE,
	POP3D_CLOSED,
};

/* What READ looks at, and SEND writes, as far as there is room. */
struct pop3d_output {
	enum { POP3D_LIST, POP3D_UIDL, POP3D_MESSAGE } kind;
	uint32_t next; /* LIST, UIDL: number of the next message, from 0 */
	struct pop3d_loan *loan;
	bool is_top, is_whole;
	struct rfc5322_top top;
	struct dot_encoder dots;
	struct str pieces[2];
	unsigned i; /* in pieces[] */
};

struct pop3d_session {
	struct door_guest guest;
	struct pop3d *pop3d;
	struct io *io;
	enum pop3d_state state;
	bool eof;	/* the client sends no more */
	bool is_secure; /* TLS is spoken, or about to be */
	uint32_t n_errors, n_fails;
	uint64_t login_due_ns;
	char user[POP3D_USER_MAX + 1]; /* "": no USER was accepted yet */
	struct sasl_talk *talk;	       /* in SASL */
	struct login *login;	       /* in CHECK */
	struct pop3d_update *update;   /* in UPDATE */

	/* The maildrop as it was at the login. */
	struct pop3d_lock *lock;
	uint32_t uid_validity;
	struct store_msg *msgs;
	uint32_t n_msgs, n_deleted;
	uint64_t n_octets, n_octets_all; /* of messages not deleted; of all */
	uint64_t *deleted;		 /* a bit for each message; NULL: none is */
	struct pop3d_output out;
	struct net_timer again; /* in READ: others had their turn */
};

/* session.c */
/* @with_tls: the connection begins with it. */
void pop3d_session_new(struct pop3d *pop3d, struct io *io, struct peer *peer,
		       bool with_tls);
void pop3d_enter(struct pop3d_session *s, enum pop3d_state state);
/* One line, without its CRLF. */
void pop3d_reply(struct pop3d_session *s, const char *line);
/* The same for a command that is wrong in itself. */
void pop3d_refuse(struct pop3d_session *s, const char *line);
/* Says @line, if any, and enters CLOSED. */
void pop3d_close(struct pop3d_session *s, const char *line);
/* Reads on, or writes on; frees the session when it ends with that. */
void pop3d_resume(struct pop3d_session *s);
/* The end, unless it waits for a verifier or the store: that comes first. */
void pop3d_session_stop(struct door_guest *guest);
/* At once. */
void pop3d_session_abort(struct door_guest *guest);

/* command.c: runs one line. */
void pop3d_command(struct pop3d_session *s, struct str line);
/* The message that @arg names, from 0; or UINT32_MAX, and that was said. */
uint32_t pop3d_message(struct pop3d_session *s, struct str arg);
bool pop3d_is_deleted(const struct pop3d_session *s, uint32_t i);

/* cmd_*.c: the functions of command.c's table. */
void pop3d_user(struct pop3d_session *s, const struct str *args, int n);
void pop3d_pass(struct pop3d_session *s, const struct str *args, int n);
void pop3d_list(struct pop3d_session *s, const struct str *args, int n);
void pop3d_uidl(struct pop3d_session *s, const struct str *args, int n);
void pop3d_retr(struct pop3d_session *s, const struct str *args, int n);
void pop3d_top(struct pop3d_session *s, const struct str *args, int n);
void pop3d_quit(struct pop3d_session *s, const struct str *args, int n);
void pop3d_stls(struct pop3d_session *s, const struct str *args, int n);
void pop3d_auth(struct pop3d_session *s, const struct str *args, int n);

/* cmd_auth.c */
/* STLS is there for the client now; a password may be shown. */
bool pop3d_offers_tls(const struct pop3d_session *s);
bool pop3d_may_show(const struct pop3d_session *s);
/* A line in SASL. */
void pop3d_auth_line(struct pop3d_session *s, struct str line);

/* cmd_login.c */
/* handoff_take of pop3d->checks. */
void pop3d_checked(void *pop3d, struct handoff_item *item);
/* Has the password of s->user checked, then logs in. */
void pop3d_verify(struct pop3d_session *s, struct str password);
/* s->user has proved who he is, or not: his maildrop is opened, or he waits. */
void pop3d_login(struct pop3d_session *s);
void pop3d_login_wrong(struct pop3d_session *s);
/* Nobody could look: back to AUTH, with these words. */
void pop3d_login_unsure(struct pop3d_session *s, const char *line);
/* Says that the password was wrong; the delay is over. */
void pop3d_login_failed(struct pop3d_session *s);
/* The session ends before the verdict comes. */
void pop3d_check_orphan(struct pop3d_session *s);

/* cmd_list.c, cmd_retr.c: write the next part.  False: it was the last. */
bool pop3d_list_write(struct pop3d_session *s);
bool pop3d_retr_write(struct pop3d_session *s, size_t room);
/* READ: looks at the next part.  False: it is others' turn. */
bool pop3d_retr_read(struct pop3d_session *s);
/* What the session holds is let go, once the network has all of it. */
void pop3d_retr_end(struct pop3d_session *s);

/* cmd_quit.c */
/* The session ends before its deletes are done; they keep its lock. */
void pop3d_update_orphan(struct pop3d_session *s);
/* handoff_take of pop3d->updates. */
void pop3d_updated(void *pop3d, struct handoff_item *item);

/* locks.c: the maildrop of @user is the caller's; NULL: it is another's, or too many. */
struct pop3d_lock *pop3d_lock(struct pop3d_locks *locks, const char *user);
void pop3d_unlock(struct pop3d_locks *locks, struct pop3d_lock *lock);
